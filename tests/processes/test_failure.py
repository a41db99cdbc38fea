"""What goes wrong around the process: no network, signals at any moment, a disk that takes nothing."""

import os
import random
import signal
import subprocess
import time

from test_network import know, lab_of, start
from test_process import expect


def test_no_network(w):
    """T31: a host without any interface that is up: the chat starts, says what it lacks, and goes on when there is a network."""
    lab = lab_of(w, 2)
    lab.interface(1, up=False)
    subprocess.run(["ip", "-n", f"{lab.prefix}-1", "link", "set", "lo", "down"], check=True)
    a, b = start(w, lab, 1, "amy"), start(w, lab, 2, "bob")
    expect(a.addresses == [], a.addresses)
    answer = a.answer(a.tell("connect", b.addresses[0]))
    expect(not answer["ok"] and answer["error"] == "unreachable", answer)
    expect(a.ask("join", "lobby")["ok"] and a.ask("peers")["peers"] == [], "what needs no network works")
    lab.interface(1, up=True)
    know(a, b, 60)
    know(b, a, 60)
    a.ask("send", "bob", "here I am")
    b.event("direct_message", text="here I am")


def test_terminated_at_any_moment(w):
    """T30: SIGTERM, at whatever moment of a start, a download, a share: it ends well and soon, and nothing on the disk is broken."""
    seed = int(os.environ.get("GIGI_SEED", "1"))
    moments = random.Random(seed)
    b = w.start("bob")
    path = w.file("file.bin", 8 << 20)
    code = b.ask("share", path)["code"]
    peer = None
    for turn in range(4 if w.quick else 12):
        a = w.start("amy", folder=w.path("home"))
        peer = peer or a.peer
        expect(a.peer == peer, f"turn {turn}, seed {seed}: the identity is kept")
        a.tell("connect", b.address)
        a.tell("share", path)
        a.tell("join", "lobby")
        a.tell("download", b.peer, code)
        time.sleep(moments.random() * 0.5 * w.slow)
        begin = time.monotonic()
        a.signal(signal.SIGTERM)
        expect(a.exit_code(10) == 0, f"turn {turn}, seed {seed}: it ends well")
        expect(time.monotonic() - begin < 5 * w.slow, f"turn {turn}, seed {seed}: and soon")
    a = w.start("amy", folder=w.path("home"))
    b.meet(a)
    a.download("bob", code)
    a.stop()


def test_terminated_while_it_starts(w):
    """T30: SIGTERM as soon as the process exists: it is ended by it, or ends well."""
    for turn in range(4 if w.quick else 12):
        a = w.start(f"amy{turn}", wait=False)
        time.sleep(turn * 0.003 * w.slow)
        a.signal(signal.SIGTERM)
        expect(a.exit_code(10) in (0, -signal.SIGTERM), (turn, a.process.returncode))


def test_output_folder_unusable(w):
    """Where nothing can be stored, a download says so, and the chat goes on."""
    b = w.start("bob")
    code = b.ask("share", w.file("file.bin", 1 << 20))["code"]
    blocked = w.file("blocked", data=b"a file")
    a = w.start("amy", "--output", blocked)
    a.meet(b)
    number = a.ask("download", "bob", code)["id"]
    failed = a.event("download_failed", id=number)
    expect(failed["error"] == "io_error" and blocked in failed["message"] and "folder" in failed["message"], failed)
    b.refused("io_error", "send-image", "amy", w.file("x.png", data=b"\x89PNG\r\n\x1a\n" + os.urandom(1000)))
    told = a.event("background_error", lambda e: e["where"] == "messages")
    expect(blocked in told["message"], told)
    a.ask("send", "bob", "still here")
    b.event("direct_message", text="still here")
    with open(blocked, "rb") as kept:
        expect(kept.read() == b"a file", "the file is as it was")
