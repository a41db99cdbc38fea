"""The chat on a terminal, as people see it."""

import os
import signal
import time

from chat import Failure, Terminal
from test_process import expect


def shown_address(t):
    t.shows("/p2p/")
    text = "".join(t.screen.lines())
    return "/ip4/" + text.split("/ip4/", 1)[1].split("amy>")[0].strip()


def start(w, *flags, **more):
    t = Terminal(w, "amy", *flags, **more)
    t.prompt("")
    return t


def test_prompt_survives_messages(w):
    """What is being typed is still there, and can be gone on with, after messages have come in."""
    t, b = start(w), w.start("bob")
    b.ask("connect", shown_address(t))
    t.shows("bob is here")
    t.type("send bob half a sen")
    t.prompt("send bob half a sen")
    for i in range(5):
        b.ask("send", "amy", f"message number {i}")
        t.shows(f"bob: message number {i}")
        t.prompt("send bob half a sen")
    t.type("tence\r")
    b.event("direct_message", text="half a sentence")
    t.prompt("")
    t.type("q\r")
    expect(t.exit_code() == 0, "quit")


def test_prompt_of_several_rows(w):
    """A line that is longer than the terminal survives too."""
    t, b = start(w, columns=60), w.start("bob")
    b.ask("connect", shown_address(t))
    t.shows("bob is here")
    typed = "send bob " + "a rather long message, " * 7
    t.type(typed)
    whole = ("amy> " + typed).rstrip()

    def complete(lines):
        text = "".join(line.ljust(60) for line in lines)
        return text.rstrip().endswith(whole) and text.count("a rather long message, ") == 7
    t.until(complete, "the whole line")
    b.ask("send", "amy", "an interruption")
    t.shows("bob: an interruption")
    t.until(complete, "the whole line, once")
    t.type("\r")
    b.event("direct_message", where=lambda e: e["text"].count("rather") == 7)


def test_escapes_never_reach_the_terminal(w):
    """T23: texts, nicknames, groups and file names cannot do anything to the terminal but appear."""
    t, b = start(w), w.start("bob")
    b.ask("connect", shown_address(t))
    t.shows("bob is here")
    before = len(t.raw)
    t.type("join lobby\r")
    t.shows("[lobby]")
    b.ask("join", "lobby")
    t.shows("[lobby] bob is here")
    hostile = "\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b5A\r\nroot> rm\x08\x08\u202egpj\u2066 end"
    b.ask("send", "amy", hostile)
    t.shows("bob: [2J[31mred]0;title5A↵root> rmgpj end")
    b.ask("send-group", "lobby", hostile)
    t.shows("[lobby] bob: [2J[31mred]0;title5A↵root> rmgpj end")
    b.ask("send-image", "amy", w.file("evil/\x1b[31m\u202e.png", data=b"\x89PNG\r\n\x1a\n"))
    t.shows("bob shows you downloads/[31m.png")
    b.ask("share", w.file("evil/\x1b[2Jfile\x07", data=b"x"))
    t.type("list-files bob\r")
    t.shows("[2Jfile")
    got = t.raw[before:]  # the Screen refuses other sequences; these are the ones that were sent
    for bad in ("\x1b[2J", "\x1b[31m", "\x1b]", "\x07", "\x9b", "\u202e", "\u2066"):
        expect(bad not in got, f"{bad!r} reached the terminal")


def test_completion_and_history(w):
    t, b = start(w), w.start("bob marley")
    b.ask("connect", shown_address(t))
    t.shows("bob marley is here")
    if "help" not in complete(t, "he"):
        raise Failure("the tab key does not complete")
    t.type("\x15send-g\t")
    t.prompt("send-group")
    t.type("\x15join reading circle\r")
    t.shows("usage: join <group>")
    t.type('join "reading circle"\r')
    t.shows("you are in [reading circle]")
    t.prompt("")
    t.type("send-group re\t")
    t.prompt('send-group "reading circle"')
    t.type("\x15send b\t")
    t.prompt('send "bob marley"')
    t.type("no woman\r")
    b.event("direct_message", text="no woman")
    code = b.ask("share", w.file("song.txt", data=b"la"))["code"]
    t.type('list-files "bob marley"\r')
    t.shows(code)
    t.prompt("")
    t.type('download "bob marley" ' + code[:3] + "\t\r")
    t.shows("downloaded downloads/song.txt")
    t.prompt("")
    t.type("\x1b[A\x1b[A")
    t.prompt('list-files "bob marley"')
    t.type("\x15share " + w.path("so\t"))
    t.prompt("share " + w.path("song.txt"))


def complete(t, text):
    t.type(text + "\t")
    t.prompt("help")
    return t.screen.lines()[-1]


def test_progress_bar(w):
    t, b = start(w), w.start("bob")
    b.ask("connect", shown_address(t))
    t.shows("bob is here")
    code = b.ask("share", w.file("big.bin", 1 << 30, sparse=True), seconds=120)["code"]
    t.type(f"download bob {code}\r")
    t.type("I type on")
    t.until(lambda lines: "[#" in lines[-1] and "/s " in lines[-1] and lines[-1].endswith("amy> I type on"), "progress bar", 30)
    t.shows("downloaded downloads/big.bin", 120)
    t.prompt("I type on")


def test_ends_of_a_terminal(w):
    """^C, ^D and a lone escape key."""
    t = start(w)
    t.type("\x03")
    expect(t.exit_code() == 0, "^C")
    t = start(w)
    t.type("\x04")
    expect(t.exit_code() == 0, "^D")
    t, b = start(w), w.start("bob")
    b.ask("connect", shown_address(t))
    t.shows("bob is here")
    t.type("\x1b")  # the line editor waits for what follows; the chat must not
    b.ask("send", "amy", "are you awake?")
    t.shows("bob: are you awake?")
    t.type("\x03")
    expect(t.exit_code() == 0, "^C after the escape key")
    time.sleep(0)


def test_keys_that_are_no_characters(w):
    """Bytes that are not UTF-8, as a Latin-1 terminal sends for an é, hold nothing up, and what follows them is not lost."""
    t, b = start(w), w.start("bob")
    b.ask("connect", shown_address(t))
    t.shows("bob is here")
    for key, shown in ((b"\xe9", "\ufffd"), (b"\xe2\x82", "\ufffd\ufffd"), (b"\xf0\x9f\x98", "\ufffd\ufffd\ufffd")):
        t.type(key)  # the beginning of a character that never ends
        b.ask("send", "amy", f"are you awake, {len(shown)}?")
        t.shows(f"bob: are you awake, {len(shown)}?")
        t.prompt(shown)
    t.type("\x15")
    t.prompt("")
    overlong, surrogate, too_large = b"\xc0\xaf\xe0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80\xff"
    t.type(b"send bob caf\xe9 \xc3\xa9\xf0\x9f\x98\x80 " + b" ".join([overlong, surrogate, too_large]) + b" \xf0\x9f\xc3\xa9 \xe9\r")
    b.event("direct_message", text="caf\ufffd é😀 " + " ".join("\ufffd" * n for n in (4, 3, 5)) + " \ufffdé \ufffd")
    t.prompt("")
    t.type(b"\xe9")
    t.prompt("\ufffd")
    t.type("\x15send bob all is well\r")
    b.event("direct_message", text="all is well")
    t.prompt("")
    t.type("\xe9")  # as it should come, and just after it half of one
    t.type(b"\xc3")
    os.kill(t.pid, signal.SIGTERM)
    expect(t.exit_code() == 0, "SIGTERM")
    t = start(w)
    t.type(b"\xe9")
    t.prompt("\ufffd")
    t.type("\x15q\r")
    expect(t.exit_code() == 0, "quit")


def test_commands_for_people(w):
    t, b = start(w), w.start("bob")
    t.type("nonsense\r")
    t.shows("no such command: try help")
    t.type("help\r")
    t.shows("send-group-image <group> <path>")
    t.type("send nobody hi\r")
    t.shows("nobody")
    b.ask("connect", shown_address(t))
    t.type("status\r")
    t.shows("you are amy (12D3")
    t.type("peers\r")
    t.shows("bob (~")
    t.type("send\r")
    t.shows("usage: send <nickname> <message>")
