#!/usr/bin/env python3
"""The README's program, built by the README's command and run as two people on two hosts of a network.

Needs root, and touches no interface of the machine.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from hosts import Lab

ROOT = pathlib.Path(__file__).resolve().parents[2]


def documented():
    """The README's program, the command that builds it, and those that run it."""
    text = (ROOT / 'README.md').read_text()
    found = re.search(r'^```cpp\n(.*?)^```\n\n`(g\+\+ [^`]*)`[^`]*?`(\./[^`]*)` and `(\./[^`]*)`', text, re.M | re.S)
    if not found:
        raise AssertionError('the README has no program with a command that builds it and two that run it')
    return found.groups()


def meet(lab, folder, runs):
    """That each of the two finds the other, is told that its message was taken, and shows the other's."""
    with lab.hosts(2):
        # As at a terminal, each line comes when it is written.
        people = [lab.start(host, 'env', '-C', str(folder), 'stdbuf', '-oL', *run.split()) for host, run in enumerate(runs, 1)]
        names = [run.split()[-1] for run in runs]
        for (person, name), other in zip(zip(people, names), reversed(names)):
            person.wait_for(f'{other} is here', seconds=30)
            person.wait_for('delivered in ', ' us')
            person.wait_for(f'{other}: hello, {name}')


def main():
    if os.geteuid() != 0 or not shutil.which('ip'):
        print("SKIPPED the README's program: needs root and iproute2\n0 passed, 0 failed, 1 skipped")
        return 0
    started, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix='gigi-readme-') as scratch:
        folder = pathlib.Path(scratch)
        try:
            program, build, *runs = documented()
            (folder / 'include').symlink_to(ROOT / 'include')  # the command is for the project's folder
            (folder / 'hello.cpp').write_text(program)
            done = subprocess.run(build.split(), cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise AssertionError(f'{build}: exit code {done.returncode}\n{done.stderr[-3000:]}')
            meet(Lab(folder, folder), folder, runs)
            print(f"ok the README's program: {' and '.join(runs)} ({time.monotonic() - started:.1f} s)")
        except Exception as problem:  # whatever it is, it is counted
            failed = 1
            print(f"FAIL the README's program: {problem if isinstance(problem, AssertionError) else repr(problem)}")
    print(f'{1 - failed} passed, {failed} failed')
    return failed


if __name__ == '__main__':
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the hosts are removed
    sys.exit(main())
