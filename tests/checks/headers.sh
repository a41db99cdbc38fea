#!/usr/bin/env bash
# Compiles each header alone, and links two translation units that include everything.
# headers.sh BUILD_DIRECTORY [COMPILER]
set -u
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
out=$1/headers
compiler=${2:-g++}
mkdir -p "$out"
flags="-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -DASIO_SEPARATE_COMPILATION -I $root/include"

check() { # one header; included twice, by its public name
    local name=${1#"$root/include/"} unit
    unit=$out/$(printf %s "$name" | tr / _).cpp
    printf '#include <%s>\n#include <%s>\n' "$name" "$name" >"$unit"
    # shellcheck disable=SC2086
    $compiler $flags -fsyntax-only "$unit" >"$unit.log" 2>&1 || { echo "FAIL $name"; grep -m 3 error "$unit.log"; return 1; }
}
export -f check; export root out flags compiler
find "$root/include" -name '*.hpp' | sort | xargs -P 2 -I {} bash -c 'check {}' | tee "$out/failures"
failed=$(grep -c ^FAIL "$out/failures")
total=$(find "$root/include" -name '*.hpp' | wc -l)

find "$root/include" -name '*.hpp' -printf '#include <%P>\n' | grep -v 'gigi/testing/' | sort >"$out/all.hpp"
for unit in one two; do printf '#include "all.hpp"\nint %s() { return 0; }\n' $unit >"$out/$unit.cpp"; done
printf 'int one(); int two();\nint main() { return one() + two(); }\n' >"$out/linked.cpp"
# shellcheck disable=SC2086
for unit in one two; do $compiler ${flags/-DASIO_SEPARATE_COMPILATION/} -c "$out/$unit.cpp" -o "$out/$unit.o" & done; wait
if $compiler -std=c++20 "$out/linked.cpp" "$out/one.o" "$out/two.o" -o "$out/linked" -lcrypto -pthread; then
    total=$((total + 1))
else
    echo "FAIL two translation units that include everything do not link"; failed=$((failed + 1)); total=$((total + 1))
fi
echo "$((total - failed)) passed, $failed failed"
[ "$failed" = 0 ]
