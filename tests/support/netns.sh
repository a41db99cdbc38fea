#!/bin/bash
# Hosts of a test: network namespaces on a bridge of their own, which touches no interface of the machine. Needs root.
#
#   netns.sh up N PREFIX            make hosts 1..N: eth0 with 10.77.0.I/24 and fd77::I/64, multicast by eth0
#   netns.sh exec PREFIX I CMD...   run CMD on host I (it replaces this process: its pid is CMD's)
#   netns.sh avahi PREFIX I DIR     run avahi-daemon, with a D-Bus of its own, on host I until it is ended; state and log
#                                   in DIR; clients need DBUS_SYSTEM_BUS_ADDRESS=unix:path=DIR/bus
#   netns.sh down PREFIX            end what runs there, and remove it all
#
# Each host is the namespace PREFIX-I; the bridge is in PREFIX-sw. A host's cable can be pulled with
# `netns.sh exec PREFIX I ip link set eth0 down`.
set -u
die() { echo "netns.sh: $*" >&2; exit 1; }

namespaces() { ip netns list | awk '{print $1}' | grep -E "^$1-([0-9]+|sw)\$"; }

down() {
    local space pids
    for space in $(namespaces "$1"); do
        pids=$(ip netns pids "$space" 2>/dev/null)
        [ -z "$pids" ] || kill -KILL $pids 2>/dev/null
        ip netns delete "$space" 2>/dev/null
    done
    return 0
}

up() {
    local count=$1 prefix=$2 i
    [ -z "$(namespaces "$prefix")" ] || die "$prefix exists"
    trap 'down "$prefix"; exit 1' ERR INT TERM
    set -eE
    ip netns add "$prefix-sw"
    ip -n "$prefix-sw" link add br0 type bridge mcast_snooping 0
    ip -n "$prefix-sw" link set br0 up
    for i in $(seq 1 "$count"); do
        ip netns add "$prefix-$i"
        ip -n "$prefix-$i" link set lo up
        ip -n "$prefix-sw" link add "p$i" type veth peer name eth0 netns "$prefix-$i"
        ip -n "$prefix-sw" link set "p$i" master br0 up
        ip -n "$prefix-$i" link set eth0 up
        ip -n "$prefix-$i" address add "10.77.0.$i/24" broadcast + dev eth0
        ip -n "$prefix-$i" address add "fd77::$i/64" dev eth0 nodad
        ip -n "$prefix-$i" route add 224.0.0.0/4 dev eth0
    done
}

avahi() {
    local prefix=$1 i=$2 dir=$3
    mkdir -p "$dir"
    cat > "$dir/dbus.conf" <<DBUS
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=$dir/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
DBUS
    cat > "$dir/avahi.conf" <<AVAHI
[server]
host-name=$prefix-$i
allow-interfaces=eth0
use-ipv4=yes
use-ipv6=yes
enable-dbus=yes
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
AVAHI
    # Its own /run: the daemon's socket and pid file have fixed names. Whichever of the two ends takes the other with it.
    exec ip netns exec "$prefix-$i" unshare --mount --propagation private bash -c '
        mount -t tmpfs tmpfs /run && mkdir /run/avahi-daemon || exit 1
        dbus-daemon --config-file="$1/dbus.conf" --nofork --nopidfile --nosyslog & bus=$!
        for _ in $(seq 100); do [ -S "$1/bus" ] && break; sleep 0.05; done
        DBUS_SYSTEM_BUS_ADDRESS=unix:path=$1/bus avahi-daemon -f "$1/avahi.conf" --no-drop-root --no-chroot --no-rlimits --no-proc-title & daemon=$!
        trap "kill $bus $daemon" TERM INT
        wait -n; kill $bus $daemon 2>/dev/null; wait
    ' avahi "$dir" > "$dir/log" 2>&1 < /dev/null
}

[ "$(id -u)" = 0 ] || die 'needs root'
case "${1:-}" in
up) [ $# = 3 ] || die 'up N PREFIX'; up "$2" "$3" ;;
exec) [ $# -ge 4 ] || die 'exec PREFIX I CMD...'; space=$2-$3; shift 3; exec ip netns exec "$space" "$@" ;;
avahi) [ $# = 4 ] || die 'avahi PREFIX I DIR'; avahi "$2" "$3" "$4" ;;
down) [ $# = 2 ] || die 'down PREFIX'; down "$2" ;;
*) sed -n '2,14p' "$0" >&2; exit 2 ;;
esac
