#!/usr/bin/env python3
"""Nodes in network namespaces whose interfaces and addresses change.

    node_test.py [NAME...]      only these checks

GIGI_PROGRAMS is the folder with the programs node_probe and mdns_probe. Needs root, and touches no interface of the machine.
"""
import os
import re
import sys

from hosts import Lab, expect, run_checks

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def node(lab, host, *interface):
    return lab.start(host, os.path.join(lab.programs, 'node_probe'), '120', *interface)


def port_of(line, host):
    found = re.search(rf'/{re.escape(host)}/tcp/(\d+)', line)
    expect(found, f'{host} is not in: {line}')
    return found.group(1)


def takes_connections(lab, host, address, port):
    try:
        lab.run(host, 'timeout', '3', 'bash', '-c', f'</dev/tcp/{address}/{port}')
        return True
    except Exception:  # refused, no route, or too late
        return False


@check
def an_address_that_changes(lab):
    """T31: with an interface by name, the node moves on with its addresses, on the same port"""
    with lab.hosts(2):
        a = node(lab, 1, 'eth0')
        first = a.wait_for('listening', '10.77.0.1')
        port, port6 = port_of(first, '10.77.0.1'), port_of(first, 'fd77::1')
        expect('127.0.0.1' not in first, 'listens on another interface: ' + first)
        expect(takes_connections(lab, 2, '10.77.0.1', port), 'nobody listens at first')
        a.forget()
        lab.run(1, 'ip', 'address', 'del', '10.77.0.1/24', 'dev', 'eth0')
        lab.run(1, 'ip', 'address', 'add', '10.77.0.99/24', 'dev', 'eth0')
        line = a.wait_for('listening', '10.77.0.99', seconds=12)
        expect(port_of(line, '10.77.0.99') == port, f'another port than {port}: {line}')
        expect('10.77.0.1/' not in line, 'the address of before is still told: ' + line)
        expect(port_of(line, 'fd77::1') == port6, 'what stayed has changed: ' + line)
        expect(takes_connections(lab, 2, '10.77.0.99', port), 'nobody listens at the new address')
        expect(takes_connections(lab, 2, 'fd77::1', port6), 'nobody listens at the address that stayed')
        b = lab.probe(2, 2)
        found = b.wait_for('found', '10.77.0.99')
        expect('10.77.0.1/' not in found, 'the address of before is still announced: ' + found)

        a.forget()  # without an address for a while, and back
        lab.run(1, 'ip', 'address', 'del', '10.77.0.99/24', 'dev', 'eth0')
        expect('10.77' not in a.wait_for('listening', seconds=12), 'an address that is gone')
        lab.run(1, 'ip', 'address', 'add', '10.77.0.1/24', 'dev', 'eth0')
        line = a.wait_for('listening', '10.77.0.1', seconds=12)
        expect(port_of(line, '10.77.0.1') == port, f'another port than {port}: {line}')
        expect(takes_connections(lab, 2, '10.77.0.1', port), 'nobody listens at the address that came back')
        expect(a.stop() == 0, 'a failed')


@check
def link_local_addresses_of_an_interface(lab):
    with lab.hosts(2):
        for host in (1, 2):
            lab.run(host, 'ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global')
            lab.run(host, 'ip', 'address', 'add', f'fe80::77:{host}/64', 'dev', 'eth0')
        # Nobody can listen yet on an address that may turn out to be another's. A node waits for it, as after boot.
        expect(lab.run(1, 'ip', 'address', 'show', 'dev', 'eth0', 'tentative'), 'the address is there at once')
        a, b = node(lab, 1, 'eth0'), node(lab, 2, 'eth0')
        line = a.wait_for('listening', '/ip6/fe80::77:1/tcp/', seconds=20)
        expect('zone' not in line, line)
        a.wait_for('connected', seconds=20)
        b.wait_for('connected', seconds=20)
        expect(a.stop() == 0 and b.stop() == 0, 'one failed')


def main():
    return run_checks('node', CHECKS, lambda: Lab(os.environ['GIGI_PROGRAMS'], '.'))


if __name__ == '__main__':
    sys.exit(main())
