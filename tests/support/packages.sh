# Sourced by examples/run and tests/run: installs the Debian packages that are missing, or says which they are.
# Everything it prints goes to stderr: stdout belongs to the program.

# need_packages PACKAGE…
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
            as_root=(sudo)
        else
            echo "These packages are missing, and there is no root or sudo here to install them. Please run:" >&2
            echo "    apt-get install ${missing[*]}" >&2
            return 1
        fi
    fi
    if ! command -v apt-get >/dev/null; then
        echo "There is no apt-get here. Please install what these Debian packages hold: ${missing[*]}" >&2
        return 1
    fi
    echo "installing ${missing[*]}" >&2
    local log
    log=$(mktemp)
    # A daemon that a package brings must not start on this host for our sake.
    local policy=/usr/sbin/policy-rc.d made_policy=
    if [ ! -e $policy ] && printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null 2>&1; then
        "${as_root[@]}" chmod 755 $policy
        made_policy=1
    fi
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=400)
    { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null
    local status=$?
    [ -n "$made_policy" ] && "${as_root[@]}" rm -f $policy
    if [ $status -ne 0 ]; then
        tail -20 "$log" >&2
        echo "apt-get failed; please run: apt-get install ${missing[*]}" >&2
    fi
    rm -f "$log"
    return $status
}

build_packages="g++ cmake ninja-build libasio-dev libssl-dev libcereal-dev libprotozero-dev"
chat_packages="libcli11-dev libedit-dev"
