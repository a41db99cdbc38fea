"""Hosts in network namespaces (tests/support/netns.sh), and programs on them whose lines can be waited for."""
import contextlib
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

NETNS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support', 'netns.sh')


class Skip(Exception):
    pass


def expect(truth, what):
    if not truth:
        raise AssertionError(what)


class Process:
    """A program on a host, whose lines can be waited for."""

    def __init__(self, command, stdin=None):
        self.lines, self.arrived = [], queue.Queue()
        self.process = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.arrived.put(line.rstrip('\n'))
        self.arrived.put(None)

    def wait_for(self, *words, seconds=10):
        """The first line, from now or before, that begins with the first word and has the others in it."""
        def matches(line):
            return line.startswith(words[0]) and all(word in line for word in words[1:])
        for line in self.lines:
            if matches(line):
                return line
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.arrived.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f'no {words} within {seconds} s; there was:\n  ' + '\n  '.join(self.lines))
            self.lines.append(line)
            if matches(line):
                return line

    def forget(self):
        """Waits from now on only for what is new."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.arrived.get_nowait()
        self.lines.clear()

    def has(self, *words, seconds):
        try:
            self.wait_for(*words, seconds=seconds)
            return True
        except AssertionError:
            return False

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError('the process did not stop within 10 s') from None
        return self.process.returncode


class Lab:
    """Hosts 1..N, and the programs on them."""

    def __init__(self, programs, packages):
        self.programs, self.packages = os.path.abspath(programs), os.path.abspath(packages)
        self.prefix, self.running = f'gigi{os.getpid()}', []

    @contextlib.contextmanager
    def hosts(self, count):
        subprocess.run([NETNS, 'up', str(count), self.prefix], check=True)
        try:
            yield
        finally:
            for process in self.running:
                if process.process.poll() is None:
                    process.process.kill()
                process.process.wait()
            self.running.clear()
            subprocess.run([NETNS, 'down', self.prefix], check=False)

    def on(self, host, *command):
        return [NETNS, 'exec', self.prefix, str(host), *command]

    def start(self, host, *command, stdin=None):
        self.running.append(Process(self.on(host, *command), stdin))
        return self.running[-1]

    def run(self, host, *command, **options):
        return subprocess.run(self.on(host, *command), check=True, capture_output=True, text=True, timeout=30, **options).stdout

    def probe(self, host, number, *options, listen=True, seconds=120):
        addresses = []
        if listen:
            for address in ('/ip4/0.0.0.0/tcp/', '/ip6/::/tcp/'):
                addresses += ['--listen', address + str(4000 + number)]
        process = self.start(host, os.path.join(self.programs, 'mdns_probe'), str(seconds), str(number), *addresses, *options)
        process.id = process.wait_for('id ').split()[1]
        return process

    def js(self, host, seconds=60):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'mdns_peer.mjs')) as script:
            process = self.start(host, 'env', '-C', self.packages, 'node', '--input-type=module', '-', str(seconds), stdin=script)
        process.id = process.wait_for('id ', seconds=30).split()[1]
        return process

    def avahi(self, host):
        state = tempfile.mkdtemp(prefix='gigi-avahi-')
        self.running.append(Process([NETNS, 'avahi', self.prefix, str(host), state]))
        for _ in range(200):
            with contextlib.suppress(FileNotFoundError), open(os.path.join(state, 'log')) as log:
                if 'startup complete' in log.read():
                    return state
            time.sleep(0.05)
        raise AssertionError('avahi-daemon did not start; see ' + state)

    def browse(self, host, state):
        """What avahi-browse resolves: lists of interface, protocol, name, type, domain, host name, address, port, texts."""
        environment = os.environ | {'DBUS_SYSTEM_BUS_ADDRESS': f'unix:path={state}/bus'}
        out = self.run(host, 'avahi-browse', '-rpt', '_p2p._udp', env=environment)
        return [line.split(';')[1:] for line in out.splitlines() if line.startswith('=')]


def run_checks(theme, checks, make_lab):
    """Runs those that the command line names, or all. @return the program's result"""
    if os.geteuid() != 0 or not shutil.which('ip'):
        print('0 passed, 0 failed, 1 skipped (needs root and iproute2)')
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the hosts are removed
    lab = make_lab()
    passed = failed = skipped = 0
    for function in checks:
        name = function.__name__.replace('_', ' ')
        if sys.argv[1:] and function.__name__ not in sys.argv[1:]:
            continue
        started = time.monotonic()
        try:
            function(lab)
            passed += 1
            print(f'ok {theme}: {name} ({time.monotonic() - started:.1f} s)', flush=True)
        except Skip as reason:
            skipped += 1
            print(f'skip {theme}: {name}: {reason}', flush=True)
        except Exception as problem:  # whatever it is, the next check runs
            failed += 1
            print(f'not ok {theme}: {name}: {problem if isinstance(problem, AssertionError) else repr(problem)}', flush=True)
    print(f'{passed} passed, {failed} failed, {skipped} skipped')
    return 1 if failed else 0
