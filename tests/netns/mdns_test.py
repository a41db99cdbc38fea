#!/usr/bin/env python3
"""Multicast DNS between real processes in network namespaces: gigi with gigi, js-libp2p, Avahi and hostile packets.

    mdns_test.py [NAME...]      only these checks

GIGI_PROGRAMS is the folder with the program mdns_probe; GIGI_PACKAGES one with node_modules that hold libp2p, @libp2p/tcp
and @libp2p/mdns (default: tests/interop). Needs root, and touches no interface of the machine.
"""
import os
import shutil
import struct
import sys
import time

from dns import SERVICE, encode_name, query, talk
from hosts import Lab, Skip, expect, run_checks

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@check
def two_hosts(lab):
    with lab.hosts(2):
        a, b = lab.probe(1, 1, '--nickname', 'alice'), lab.probe(2, 2, '--nickname', 'bob')
        for one, other, host in ((a, b, 2), (b, a, 1)):
            line = one.wait_for('found', other.id)
            expect(f'/ip4/10.77.0.{host}/tcp/{4000 + host}/p2p/{other.id}' in line, 'no IPv4 address: ' + line)
            expect(f'/ip6/fd77::{host}/tcp/{4000 + host}/p2p/{other.id}' in line, 'no IPv6 address: ' + line)
            expect('127.0.0.1' not in line and 'fe80' not in line, 'useless addresses: ' + line)
        expect(' bob ' in a.wait_for('found', b.id), 'no nickname')
        expect(b.stop() == 0, 'b failed')
        b.wait_for('stopped')
        a.wait_for('expired', b.id, seconds=4)
        expect(a.stop() == 0, 'a failed')
        expect(not [line for line in a.lines + b.lines if line.startswith('error')], 'errors')


@check
def one_ip_version_only(lab):
    with lab.hosts(2):
        for other in ('--no-ipv4', '--no-ipv6'):
            a, b = lab.probe(1, 1, other), lab.probe(2, 2, other)
            a.wait_for('found', b.id)
            b.wait_for('found', a.id)
            a.stop()
            b.wait_for('expired', a.id, seconds=4)
            b.stop()


@check
def one_host(lab):
    with lab.hosts(1):
        a, b, c = (lab.probe(1, number) for number in (1, 2, 3))
        for one in (a, b, c):
            for other in (a, b, c):
                if one is not other:
                    one.wait_for('found', other.id)
        c.stop()
        a.wait_for('expired', c.id, seconds=4)
        b.wait_for('expired', c.id, seconds=4)
        expect(not a.has('found', a.id, seconds=0), 'found itself')


@check
def loopback_when_named(lab):
    with lab.hosts(1):
        lab.run(1, 'ip', 'link', 'set', 'eth0', 'down')
        a, b = (lab.probe(1, number, '--interface', 'lo') for number in (1, 2))
        expect(f'/ip4/127.0.0.1/tcp/4001/p2p/{a.id}' in b.wait_for('found', a.id), 'no loopback address')
        a.wait_for('found', b.id)
        a.stop()
        b.wait_for('expired', a.id, seconds=4)


@check
def link_local_addresses_only(lab):
    with lab.hosts(2):
        for host in (1, 2):
            lab.run(host, 'ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global')
        a, b = lab.probe(1, 1), lab.probe(2, 2)
        line = a.wait_for('found', b.id)  # dialled through the interface where it was heard
        expect(' /ip6zone/eth0/ip6/fe80::' in line, line)
        b.wait_for('found', a.id)


@check
def interface_by_name(lab):
    with lab.hosts(2):
        a, b = lab.probe(1, 1, '--interface', 'eth0'), lab.probe(2, 2, '--interface', 'nosuch')
        b.wait_for('error', 'nosuch')
        expect(not a.has('found', b.id, seconds=3), 'announced on another interface')
        expect(b.stop() == 0, 'b failed')


@check
def labelled_addresses(lab):
    """eth0:1 is eth0: its addresses are announced beside the others, and its sockets stay open"""
    with lab.hosts(2):
        lab.run(1, 'ip', 'address', 'add', '10.77.0.50/24', 'dev', 'eth0', 'label', 'eth0:1')
        a, b = lab.probe(1, 1, '--log', '--interface', 'eth0'), lab.probe(2, 2)
        line = b.wait_for('found', a.id)
        expect('/ip4/10.77.0.1/' in line and '/ip4/10.77.0.50/' in line, 'not both addresses: ' + line)
        a.wait_for('log', 'joined eth0 over IPv6')
        a.forget()
        expect(not a.has('log', 'joined', seconds=6), 'opened its sockets again')  # at the next scan


@check
def silent_peer(lab):
    with lab.hosts(2):
        a, b = lab.probe(1, 1), lab.probe(2, 2, listen=False)
        b.wait_for('found', a.id)
        expect(not a.has('found', b.id, seconds=2), 'announced without an address')


@check
def network_that_comes_and_goes(lab):
    """T31"""
    with lab.hosts(2):
        lab.run(2, 'ip', 'link', 'set', 'eth0', 'down')
        a, b = lab.probe(1, 1), lab.probe(2, 2)
        b.wait_for('error', 'no network interface')

        def plug(address):
            lab.run(2, 'ip', 'link', 'set', 'eth0', 'up')
            lab.run(2, 'ip', 'address', 'replace', address + '/24', 'dev', 'eth0')
            lab.run(2, 'ip', 'route', 'replace', '224.0.0.0/4', 'dev', 'eth0')
        plug('10.77.0.2')
        b.wait_for('found', a.id, seconds=8)
        a.wait_for('found', b.id, '10.77.0.2')
        a.forget()
        lab.run(2, 'ip', 'address', 'flush', 'dev', 'eth0')  # another network's address, as after roaming
        plug('10.77.0.99')
        a.wait_for('found', b.id, '10.77.0.99', seconds=8)
        b.forget()
        lab.run(2, 'ip', 'link', 'set', 'eth0', 'down')
        b.wait_for('error', 'no network interface', seconds=8)
        b.wait_for('expired', a.id, seconds=13)
        b.forget()
        plug('10.77.0.2')
        b.wait_for('found', a.id, seconds=8)
        expect(b.stop() == 0, 'b failed')


@check
def no_permission(lab):
    """Datagrams that a firewall refuses are reported, and end nothing."""
    with lab.hosts(2):
        if not shutil.which('iptables'):
            raise Skip('no iptables')
        lab.run(1, 'iptables', '-A', 'OUTPUT', '-p', 'udp', '--dport', '5353', '-j', 'REJECT')
        a, b = lab.probe(1, 1), lab.probe(2, 2)
        a.wait_for('found', b.id)  # over IPv6
        a.wait_for('error', 'cannot send on interface eth0')
        b.wait_for('found', a.id)


@check
def form_of_the_answer(lab):
    with lab.hosts(2):
        a = lab.probe(1, 1, '--nickname', 'alice')
        time.sleep(4.5)  # until the queries of the start are answered
        heard = [m for source, port, m in talk(lab, 2, [query(SERVICE)]) if source == '10.77.0.1' and m[1] & 0x8000]
        expect(len(heard) == 1, f'{len(heard)} answers')
        number, flags, questions, (answers, authorities, additionals) = heard[0]
        expect((number, flags, questions, authorities) == (0, 0x8400, [], []), 'header')
        expect(len(answers) == 1 and answers[0][:4] == (SERVICE, 12, 1, 120), f'answers {answers}')
        instance = answers[0][4]
        expect(instance == instance.lower() and 32 <= len(instance.split('.')[0]) <= 63, 'instance ' + instance)
        texts = [r for r in additionals if r[1] == 16]
        expect(len(texts) == 1 and texts[0][0] == instance, f'TXT {texts}')
        expect(f'dnsaddr=/ip4/10.77.0.1/tcp/4001/p2p/{a.id}' in texts[0][4] and 'nickname=alice' in texts[0][4], f'{texts}')
        kinds = [r[1] for r in additionals]
        expect(kinds.count(33) == 1 and 1 in kinds and 28 in kinds, f'kinds {kinds}')

        heard = talk(lab, 2, [query(SERVICE, number=4711)], port=40000)  # a legacy resolver
        expect([m[0] for _, port, m in heard if port == 5353] == [4711], f'legacy: {heard}')
        expect(heard[0][2][2] == [(SERVICE, 12, 1)] and heard[0][2][3][0][0][3] <= 10, 'legacy form')
        time.sleep(1)
        heard = talk(lab, 2, [query('_services._dns-sd._udp.local')])
        expect(any(r[4] == SERVICE for _, _, m in heard for r in m[3][0]), 'service types')
        for kind in (16, 33):
            expect(any(r[:2] == (instance, kind) for _, _, m in talk(lab, 2, [query(instance.upper(), kind)]) for r in m[3][0]),
                   f'single record {kind}')
        burst = [m for source, _, m in talk(lab, 2, [query(SERVICE)] * 500, seconds=3) if m[1] & 0x8000 and source == '10.77.0.1']
        expect(1 <= len(burst) <= 4, f'{len(burst)} answers to 500 queries')


@check
def hostile_packets(lab):
    """T16, T17, T18, T20"""
    with lab.hosts(3):
        a, b = lab.probe(1, 1), lab.probe(2, 2)
        a.wait_for('found', b.id)
        header = struct.pack('>6H', 0, 0x8400, 0, 1, 0, 0)
        pointer = header + b'\xc0\x0c' + struct.pack('>HHIH', 12, 1, 120, 2) + b'\xc0\x0c'
        outside = header + b'\xff\xff' + struct.pack('>HHIH', 12, 1, 120, 0)
        short = header + encode_name('a.' + SERVICE) + struct.pack('>HHIH', 33, 1, 120, 3) + b'\0\0\0'
        text = header + encode_name('a.' + SERVICE) + struct.pack('>HHIH', 16, 1, 0xffffffff, 3) + b'\x7fab'
        counts = struct.pack('>6H', 0, 0x8400, 65535, 65535, 65535, 65535)
        oversized = header + b'\0' * 8990

        def announce(name, peer, ttl=0xffffffff):
            string = f'dnsaddr=/ip4/10.77.0.3/tcp/1/p2p/{peer}'.encode()
            full = name + '.' + SERVICE
            return (header[:6] + struct.pack('>3H', 2, 0, 0) + encode_name(SERVICE) +
                    struct.pack('>HHIH', 12, 1, ttl, len(encode_name(full))) + encode_name(full) + encode_name(full) +
                    struct.pack('>HHIH', 16, 0x8001, ttl, len(string) + 1) + bytes([len(string)]) + string)
        attack = [pointer, outside, short, text, counts, oversized, b'', b'\0', announce('own', a.id), announce('b' * 63, 'x' * 50)]
        talk(lab, 3, attack * 50, seconds=0.1)
        expect(not a.has('found', a.id, seconds=0.5), 'believed another to be itself')
        talk(lab, 3, [announce('rogue', b.id)], seconds=0.1)
        expect('10.77.0.2' in a.wait_for('found', b.id, '10.77.0.3', seconds=3), 'a forger pushed out the true address')
        c = lab.probe(3, 3)
        a.wait_for('found', c.id)
        expect(a.stop() == 0 and b.stop() == 0, 'a failed')


@check
def javascript(lab):
    if not shutil.which('node') or not os.path.isdir(os.path.join(lab.packages, 'node_modules', '@libp2p', 'mdns')):
        raise Skip('no node, or no packages in ' + lab.packages)
    with lab.hosts(2):
        js, a = lab.js(2), lab.probe(1, 1, '--nickname', 'alice')
        line = a.wait_for('found', js.id)
        expect('/ip4/10.77.0.2/tcp/' in line, 'no address of js: ' + line)
        line = js.wait_for('found', a.id)
        expect('/ip4/10.77.0.1/tcp/4001' in line and '/ip6/fd77::1/tcp/4001' in line, 'js did not get the addresses: ' + line)
        js.forget()
        a.stop()
        expect(not js.has('found', a.id, seconds=1.5), 'js took the goodbye for a discovery')
        b = lab.probe(2, 2)  # on the host of js, sharing its port
        js.wait_for('found', b.id)
        b.wait_for('found', js.id)


@check
def beside_avahi(lab):
    if not shutil.which('avahi-daemon') or not shutil.which('avahi-browse') or not shutil.which('dbus-daemon'):
        raise Skip('no avahi-daemon, avahi-browse or dbus-daemon')
    with lab.hosts(2):
        states = {host: lab.avahi(host) for host in (1, 2)}
        try:
            a, b = lab.probe(1, 1, '--nickname', 'alice'), lab.probe(2, 2)
            a.wait_for('found', b.id)
            b.wait_for('found', a.id)
            for host in (1, 2):
                seen = lab.browse(host, states[host])
                for peer, number in ((a, 1), (b, 2)):
                    rows = [row for row in seen if f'/p2p/{peer.id}' in row[-1]]
                    expect({'IPv4', 'IPv6'} == {row[1] for row in rows}, f'avahi on host {host} sees of peer {number}: {seen}')
                    expect(all(row[-2] == str(4000 + number) for row in rows), f'port in {rows}')
            expect(any('"nickname=alice"' in row[-1] for row in seen), 'no nickname')
            # what Avahi itself publishes under this type is found as well
            service = f'dnsaddr=/ip4/10.77.0.2/tcp/9/p2p/{lab_peer(9)}'
            environment = ['env', f'DBUS_SYSTEM_BUS_ADDRESS=unix:path={states[2]}/bus']
            lab.start(2, *environment, 'avahi-publish-service', 'published', '_p2p._udp', '9', service)
            a.wait_for('found', lab_peer(9))
            a.stop()
            b.wait_for('expired', a.id, seconds=4)
            time.sleep(1)
            expect(not any(f'/p2p/{a.id}' in row[-1] for row in lab.browse(2, states[2])), 'avahi still shows the peer')
        finally:
            for state in states.values():
                shutil.rmtree(state, ignore_errors=True)


def lab_peer(number):
    """The id that the probe has for a number."""
    alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
    value, text = int.from_bytes(bytes.fromhex('002408011220') + struct.pack('>I', number) + bytes(28), 'big'), ''
    while value:
        value, digit = divmod(value, 58)
        text = alphabet[digit] + text
    return '1' + text  # for the leading zero byte


def main():
    packages = os.environ.get('GIGI_PACKAGES', os.path.join(os.path.dirname(__file__), '..', 'interop'))
    return run_checks('mdns', CHECKS, lambda: Lab(os.environ['GIGI_PROGRAMS'], packages))


if __name__ == '__main__':
    sys.exit(main())
