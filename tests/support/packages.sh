# Sourced by tests/run and examples/run: finds out which Debian packages are missing, and installs them.
#
#   need PACKAGE PROBE...   PROBE: the name of a command, or a header such as asio/awaitable.hpp; any of them will do
#   install_needed          installs the packages whose probes found nothing, or says what to install, and exits
#
# Probing, rather than asking dpkg, leaves alone what was installed in another way or on another system.

needed=()

has_header() {
    if command -v c++ > /dev/null; then
        printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$1" | c++ -E -x c++ -o /dev/null - 2> /dev/null
    else
        [ -e "/usr/include/$1" ]
    fi
}

need() {
    local package=$1 probe
    shift
    for probe in "$@"; do
        case $probe in
        *.h | *.hpp) has_header "$probe" && return ;;
        *) PATH=$PATH:/usr/sbin:/sbin command -v "$probe" > /dev/null && return ;;
        esac
    done
    needed+=("$package")
}

install_needed() {
    [ ${#needed[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo)
        # Without a terminal, sudo can only be used where it asks no password.
        if ! command -v sudo > /dev/null || { [ ! -t 0 ] && ! sudo -n true 2> /dev/null; }; then as_root=(none); fi
    fi
    if [ "${as_root[*]}" = none ] || ! command -v apt-get > /dev/null; then
        echo "$0: these packages are missing (by Debian's names); install them and run this again:" >&2
        echo "  apt-get install ${needed[*]}" >&2
        exit 1
    fi
    echo "$0: installing ${needed[*]}" >&2
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=400 -q)
    {
        # The lists of a new machine are empty, and those of an old one name versions that are gone.
        "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${needed[@]}"
    } < /dev/null >&2 || {
        echo "$0: apt-get could not install: ${needed[*]}" >&2
        exit 1
    }
    needed=()
}

need_to_build() {
    need g++ c++
    need cmake cmake
    need ninja-build ninja
    need libasio-dev asio/awaitable.hpp
    need libcereal-dev cereal/cereal.hpp
    need libprotozero-dev protozero/pbf_reader.hpp
    need libssl-dev openssl/evp.h
    need libcli11-dev CLI/CLI.hpp
    need libedit-dev histedit.h
}
