#!/usr/bin/env python3
"""gigi with js-libp2p as a real peer, both ways: who dials, who serves, who subscribes.

    js_test.py [--programs DIR] [--only NAME]... [--keepalive SECONDS] [--slow FACTOR]

DIR holds gigi_peer, made from gigi_peer.cpp (default: $GIGI_PROGRAMS). Everything runs on loopback. Prints `ok NAME` or `FAIL NAME: why` for each
check and ends with "N passed, M failed".
"""
import argparse, json, os, queue, subprocess, sys, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
slow = 1.0


class Peer:
    def __init__(self, name, command):
        self.name, self.lines, self.arrived = name, [], queue.Queue()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(os.devnull if name == 'js' else f'/dev/fd/2', 'w'), text=True)
        threading.Thread(target=self._read, daemon=True).start()
        listening = self.wait(event='listening', seconds=60)
        self.id, self.address = listening['peer'], listening['addresses'][0]

    def _read(self):
        for line in self.process.stdout:
            try:
                self.arrived.put(json.loads(line))
            except ValueError:
                self.arrived.put({'garbage': line})
        self.arrived.put(None)

    def wait(self, seconds=15, **wanted):
        """The first line, not taken before, that has these members."""
        end = time.monotonic() + seconds * slow
        while True:
            for line in self.lines:
                if all(line.get(k) == v for k, v in wanted.items()):
                    self.lines.remove(line)
                    return line
            try:
                line = self.arrived.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f'{self.name}: no {wanted} within {seconds * slow:.0f} s; there was {self.lines[-10:]}')
            self.lines.append(line)

    def do(self, command, seconds=30):
        self.process.stdin.write(command + '\n')
        self.process.stdin.flush()
        answer = self.wait(seconds, command=command.split()[0])
        assert answer['ok'], f'{self.name}: {command[:60]}: {answer.get("error")}'
        return answer

    def stop(self):
        try:
            self.process.stdin.write('stop\n')
            self.process.stdin.close()
        except OSError:
            pass
        try:
            return self.process.wait(20 * slow)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None


def until(seconds, what, question):
    end = time.monotonic() + seconds * slow
    while time.monotonic() < end:
        if question():
            return
        time.sleep(0.1)
    raise AssertionError(what)


def conversation(dialler, listener, check):
    """Everything that one connection is good for, from the side that dialled."""
    @check('dial, and both identify the other')
    def _():
        assert dialler.do(f'dial {listener.address}')['peer'] == listener.id
        for who, other in ((dialler, listener), (listener, dialler)):
            known = who.wait(event='identified', peer=other.id)
            assert '/ipfs/ping/1.0.0' in known['protocols'] and '/echo/1.0.0' in known['protocols'], known
            assert known['agent']
            assert known['signed'], 'no signed peer record'
        for who in (dialler, listener):
            assert who.do('peers')['connections'] == 1

    for asker, other in ((dialler, listener), (listener, dialler)):
        way = f'{asker.name} asks'

        @check(f'{way}: ping')
        def _():
            for _ in range(3):
                asker.do(f'ping {other.id}')

        @check(f'{way}: echo with half-close, of 0, 1, 1000 and a million bytes')
        def _():
            for size in (0, 1, 1000, 1_000_000):
                assert asker.do(f'echo {other.id} {size}')['same'], size

        @check(f'{way}: a stream of 64 MiB')
        def _():
            assert asker.do(f'sink {other.id} {64 << 20}', seconds=120)['same']

        @check(f'{way}: 100 streams at once')
        def _():
            assert asker.do(f'many {other.id} 100', seconds=60)['same'] == 100

        @check(f'{way}: a reset stream is an error there, and the connection lives on')
        def _():
            assert asker.do(f'reset {other.id}')['reset']
            asker.do(f'ping {other.id}')

        @check(f'{way}: a protocol that nobody serves is refused')
        def _():
            assert asker.do(f'unknown {other.id}')['refused']
            asker.do(f'ping {other.id}')

    gigi = dialler if dialler.name == 'gigi' else listener
    js = listener if gigi is dialler else dialler

    @check('gigi fetches 64 MiB that js sends')
    def _():
        got = gigi.do(f'source {js.id} {64 << 20}', seconds=120)
        assert got['size'] == 64 << 20
        assert got['sha256'] == js.wait(event='sourced')['sha256']

    @check('gossip: signed messages both ways, the author authenticated')
    def _():
        topic = f'news-{dialler.name}'
        for who in (gigi, js):
            who.do(f'subscribe {topic}')
        for who, other in ((gigi, js), (js, gigi)):
            until(10, f'{who.name} does not see that {other.name} subscribed', lambda: other.id in who.do(f'subscribers {topic}')['peers'])
        until(15, 'no mesh at gigi', lambda: js.id in gigi.do(f'mesh {topic}')['peers'])
        for n in range(5):
            for who, other in ((gigi, js), (js, gigi)):
                who.do(f'publish {topic} message {n} of {who.name}')
                heard = other.wait(event='message', text=f'message {n} of {who.name}')
                assert heard['topic'] == topic and heard['from'] == who.id and heard['signed'], heard
        js.do(f'unsubscribe {topic}')
        until(10, 'gigi does not see that js left', lambda: js.id not in gigi.do(f'subscribers {topic}')['peers'])


def main():
    global slow
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument('--programs', default=os.environ.get('GIGI_PROGRAMS', '.'))
    arguments.add_argument('--only', action='append', default=[])
    arguments.add_argument('--keepalive', type=int, default=150, help='seconds for which an idle connection must stay (js: 2 min without traffic ends it)')
    arguments.add_argument('--slow', type=float, default=2.0)
    given = arguments.parse_args()
    slow = given.slow
    counts = {True: 0, False: 0}

    def checks(prefix):
        def check(name):
            def run(body):
                full = f'{prefix}: {name}'
                if given.only and not any(o in full for o in given.only) and not name.startswith('dial'):
                    return
                try:
                    body()
                    counts[True] += 1
                    print(f'ok {full}', flush=True)
                except Exception as e:
                    counts[False] += 1
                    print(f'FAIL {full}: {type(e).__name__}: {e}', flush=True)
            return run
        return check

    started = []

    def pair():
        gigi = Peer('gigi', [os.path.join(given.programs, 'gigi_peer')])
        started.append(gigi)
        js = Peer('js', ['node', os.path.join(HERE, 'peer.mjs')])
        started.append(js)
        return gigi, js

    try:
        gigi, js = pair()
        idle_gigi, idle_js = pair()  # a connection that is left alone while the others talk
        idle_gigi.do(f'dial {idle_js.address}')
        idle_since = time.monotonic()

        check = checks('gigi dials')
        conversation(gigi, js, check)

        @check('clean close by gigi')
        def _():
            gigi.do(f'hangup {js.id}')
            js.wait(event='disconnected', peer=gigi.id)
            gigi.wait(event='disconnected', peer=js.id)

        gigi2, js2 = pair()
        check = checks('js dials')
        conversation(js2, gigi2, check)

        @check('clean close by js')
        def _():
            js2.do(f'hangup {gigi2.id}')
            gigi2.wait(event='disconnected', peer=js2.id)

        check = checks('keepalive')

        @check(f'an idle connection stays for {given.keepalive} s')
        def _():
            time.sleep(max(0, given.keepalive - (time.monotonic() - idle_since)))
            for who in (idle_gigi, idle_js):
                assert who.do('peers')['connections'] == 1, who.name
            idle_gigi.do(f'ping {idle_js.id}')
            idle_js.do(f'ping {idle_gigi.id}')

        @checks('gigi')('every gigi process ends cleanly')
        def _():
            codes = [p.stop() for p in started if p.name == 'gigi']
            assert codes == [0] * len(codes), codes
    finally:
        for p in started:
            if p.process.poll() is None:
                p.process.kill()
    print(f'{counts[True]} passed, {counts[False]} failed')
    return 1 if counts[False] else 0


if __name__ == '__main__':
    sys.exit(main())
