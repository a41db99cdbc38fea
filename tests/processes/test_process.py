"""The process: its commands and answers, its start and its end."""

import os
import re
import signal
import socket
import subprocess
import time

from chat import Failure


def expect(holds, what):
    if not holds:
        raise Failure(str(what))


def test_answers(w):
    """Every line gets its answer, in order, under the command's full name."""
    a = w.start("amy")
    peers = a.ask("peers")
    expect(peers == {"command": "peers", "ok": True, "peers": []}, peers)
    expect(a.raw("p")["command"] == "peers", "an alias is answered under the full name")
    a.refused("invalid_argument", "frobnicate", "x")
    for line in ("send", "send bob", "join", "connect", "download bob", "leave a b", "peers now"):
        answer = a.raw(line)
        expect(not answer["ok"] and answer["error"] == "invalid_argument" and line.split()[0] in answer["message"], answer)
    a.write("\n   \n\t\n")  # an empty line is no command
    numbers = [a.tell(*words) for words in (("status",), ("groups",), ("join", "x"), ("groups",), ("help",), ("list-files",))]
    answers = [a.answer(n) for n in numbers]
    expect([x["command"] for x in answers] == ["status", "groups", "join", "groups", "help", "list-files"], answers)
    expect([g["group"] for g in answers[3]["groups"]] == ["x"], "groups waits for the join before it")
    status = answers[0]
    expect(status["peer"] == a.peer and status["nickname"] == "amy" and status["addresses"] == a.addresses, status)
    for member in ("peers", "groups", "transfers", "stats"):
        expect(member in status, status)
    expect(a.ask("quit") == {"command": "quit", "ok": True}, "quit is answered")
    expect(a.exit_code() == 0, "quit ends well")


def test_many_commands_at_once(w):
    """A thousand commands in one write are all answered, in order; those before the end of the input too."""
    a = w.start("amy")
    a.write("".join(f"join g{i}\nleave g{i}\nnonsense{i}\n" for i in range(300)))
    a.process.stdin.close()
    expect(a.exit_code(30) == 0, "the end of the input ends well")
    expected = [name for i in range(300) for name in ("join", "leave", f"nonsense{i}")]
    expect([x["command"] for x in a.answers] == expected, f"{len(a.answers)} answers of {len(expected)}, or another order")
    expect(all(x["ok"] for x in a.answers if x["command"] in ("join", "leave")), "joining and leaving is in order")


def test_hostile_input(w):
    """Long lines, bytes that are no text, and unended quotes are answered like any other mistake."""
    a = w.start("amy")
    a.write(b"send bob " + b"x" * (6 << 20) + b"\n")
    expect(a.answer(0)["error"] == "invalid_argument", a.answers)
    a.write(b"\xff\xfe\x00 \x1b[2J \x80\n")
    expect(a.answer(1)["ok"] is False, a.answers)
    a.write(b"send \"bob hi\n")
    expect(a.answer(2)["ok"] is False, a.answers)
    a.asked = 3
    expect(a.ask("peers")["peers"] == [], "it still works")
    a.stop()


def test_end_of_input(w):
    a = w.start("amy")
    a.stop()


def test_input_from_a_file(w):
    """Standard input may be a file, or nothing at all."""
    commands = w.file("commands", data=b"join lobby\nsend-group lobby hello\ngroups")  # the last line has no end
    with open(commands, "rb") as source:
        run = subprocess.run([w.chat, "--json", "--no-mdns", "--interface", "lo", "--nickname", "amy"], stdin=source,
                             capture_output=True, cwd=w.folder, timeout=20 * w.slow, check=False)
    lines = run.stdout.decode().splitlines()
    expect(run.returncode == 0 and sum('"ok":true' in line for line in lines) == 3, run)
    run = subprocess.run([w.chat, "--json", "--no-mdns", "--interface", "lo"], stdin=subprocess.DEVNULL, capture_output=True,
                         cwd=w.folder, timeout=20 * w.slow, check=False)
    expect(run.returncode == 0 and b'"listening"' in run.stdout, run)


def test_quit_with_lines_unread(w):
    """What was typed after the end is not waited for."""
    for rest in (b"\n\n", b"peers\n" * 1000, b"peers"):
        run = subprocess.run([w.chat, "--json", "--no-mdns", "--interface", "lo"], input=b"peers\nquit\n" + rest, capture_output=True,
                             cwd=w.folder, timeout=20 * w.slow, check=False)
        expect(run.returncode == 0 and run.stdout.count(b'"ok":true') == 2, run)


def test_signals(w):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        a = w.start(f"amy{number}")
        b = w.start(f"bob{number}")
        a.meet(b)
        a.signal(number)
        expect(a.exit_code() == 0, f"signal {number} ends well")
        b.event("peer_disconnected", peer=a.peer)
        b.stop()


def test_reader_goes_away(w):
    """A chat whose output nobody reads any more ends by itself, and is not killed by the pipe."""
    b = w.start("bob")
    a = subprocess.Popen([w.chat, "--json", "--no-mdns", "--interface", "lo", "--connect", b.address], cwd=w.folder,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        b.event("peer_identified")
        peer = b.event("peer_connected")["peer"]
        a.stdout.close()
        for _ in range(3):
            b.tell("send", peer, "are you there?")
        expect(a.wait(20 * w.slow) == 0, a.returncode)
    finally:
        a.kill()
        a.wait()
        a.stdin.close()


def test_port_in_use(w):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        a = w.start("amy", "--port", str(taken.getsockname()[1]), wait=False)
        expect(a.exit_code() == 1, a.process.returncode)
        expect("in use" in a.errors and not a.lines, (a.errors, a.lines))


def test_wrong_flags(w):
    for flags in (["--port", "many"], ["--nonsense"], ["--log", "loud"]):
        run = subprocess.run([w.chat, "--json", *flags], stdin=subprocess.DEVNULL, capture_output=True, timeout=20 * w.slow,
                             check=False, cwd=w.folder)
        expect(run.returncode == 2 and not run.stdout and flags[0].encode() in run.stderr, (flags, run))
    run = subprocess.run([w.chat, "--help"], capture_output=True, timeout=20 * w.slow, check=True, cwd=w.folder)
    for flag in ("--port", "--nickname", "--shared", "--output", "--identity", "--connect", "--interface", "--no-mdns", "--log", "--json"):
        expect(flag.encode() in run.stdout, flag)


def test_damaged_files(w):
    """A share list or a key that cannot be read is not thrown away: the chat says so, and does not start."""
    for name, content, word in (("shared.json", b'{"files": [{"code": 7', "share list"), ("shared.key", b"not a key", "identity")):
        folder = w.path("with-" + name)
        os.makedirs(folder)
        with open(os.path.join(folder, name), "wb") as out:
            out.write(content)
        a = w.start("amy", folder=folder, wait=False)
        expect(a.exit_code() == 1, (name, a.process.returncode, a.lines))
        expect(word in a.errors, (name, a.errors))
        with open(os.path.join(folder, name), "rb") as kept:
            expect(kept.read() == content, f"{name} was overwritten")


def test_bad_nickname(w):
    for nickname in ("x" * 65, "a\nb", "\x1b[2J", 'quo"ted', "a~b"):
        a = w.start("amy", nickname=nickname, folder=w.path("bad"), wait=False)
        expect(a.exit_code() == 1, (nickname, a.process.returncode))
        expect("\x1b" not in a.errors and "name" in a.errors, (nickname, a.errors))


def test_log(w):
    """Logs go to stderr, and only JSON to stdout, however much is logged."""
    a, b = w.start("amy", "--log", "trace"), w.start("bob")
    a.meet(b)
    a.ask("send", "bob", "hello")
    a.stop()
    expect(a.errors, "--log trace logs")
    b.stop()
    expect(not b.errors, f"a chat where all is well logs nothing: {b.errors}")


def test_restart(w):
    """The same folder is the same person, who shares the same files."""
    a = w.start("amy")
    path = w.file("amy/talk.txt", data=b"hello")
    code = a.ask("share", path)["code"]
    peer = a.peer
    a.stop()
    a = w.start("amy")
    expect(a.peer == peer, "the identity is kept")
    files = a.ask("list-files")["files"]
    expect([(f["code"], f["name"], f["size"]) for f in files] == [(code, "talk.txt", 5)], files)
    b = w.start("bob")
    b.meet(a)
    with open(b.download("amy", code)["path"], "rb") as got:
        expect(got.read() == b"hello", "the file is served")
    a.stop()
    c = w.start("amy", "--identity", w.path("other.key"))
    expect(c.peer != peer and os.stat(w.path("other.key")).st_mode & 0o777 == 0o600, "--identity is made, for its owner only")
    c.stop()


def test_two_chats_in_one_folder(w):
    """The first has the folder's key and share list; the second is somebody else, and harms neither."""
    folder = w.path("home")
    a = w.start("amy", folder=folder)
    b = w.start("bob", folder=folder)
    expect(a.peer != b.peer, "they are two people")
    a.meet(b)
    b.ask("share", w.file("b.txt", data=b"b"))
    code = a.ask("share", w.file("a.txt", data=b"a"))["code"]
    a.ask("send", "bob", "hi")
    b.event("direct_message", text="hi", nickname="amy")
    b.stop()
    a.stop()
    a = w.start("amy", folder=folder)
    expect([f["code"] for f in a.ask("list-files")["files"]] == [code], "the first one's list is whole")
    a.stop()


def test_second_interrupt(w):
    """A second SIGINT ends at once what would take a while."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        a = w.start("amy")
        a.tell("connect", f"/ip4/127.0.0.1/tcp/{silent.getsockname()[1]}")
        time.sleep(0.3)
        a.signal(signal.SIGINT)
        time.sleep(0.3)
        a.signal(signal.SIGINT)
        start = time.monotonic()
        expect(a.exit_code() == -signal.SIGINT, a.process.returncode)
        expect(time.monotonic() - start < 2 * w.slow, "at once")


def test_unanswered_at_the_end(w):
    """What is still under way a while after the end of the input is answered as cancelled."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        a = w.start("amy")
        number = a.tell("connect", f"/ip4/127.0.0.1/tcp/{silent.getsockname()[1]}")
        a.stop(15)
        answer = a.answers[number]
        expect(answer["command"] == "connect" and answer["error"] == "cancelled", answer)


def test_no_place_for_the_share_list(w):
    """A folder that is not there is said to be that, not another chat; everything else works."""
    run = subprocess.run([w.chat, "--json", "--no-mdns", "--interface", "lo", "--shared", "missing/shared.json"], stdin=subprocess.DEVNULL,
                         capture_output=True, cwd=w.folder, timeout=20 * w.slow, check=False)
    expect(run.returncode == 0 and b"missing/shared.lock (No such file or directory)" in run.stderr and b"another chat" not in run.stderr, run)


def test_who_is_to_be_connected_and_is_not_there(w):
    """An address of the command line that leads nowhere is reported, whether or not it says who is there."""
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        address = f"/ip4/127.0.0.1/tcp/{taken.getsockname()[1]}"
        known = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
        a = w.start("amy", "--connect", address, "--connect", address + known)
        said = lambda pattern: lambda: re.search(pattern, a.errors, re.M)
        a.wait_for(said(f"^{address}: .*[^n]$"), "the address is reported")
        a.wait_for(said(f"^{address}{known}: .*; it is tried again$"), "the peer is reported")
        a.stop()
