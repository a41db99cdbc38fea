"""People: connecting, nicknames, messages, images and groups."""

import os
import random
import socket
import time

from test_process import expect

HOSTILE = "\x1b[2J\x1b]0;gone\x07\u202eevil\u2066 \x9b31m\r\nover\ttab \\ \" ' {} \u0000 \ufeff é 你好 👋"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 300


def content(path):
    with open(path, "rb") as file:
        return file.read()


def test_connect_and_talk(w):
    a, b = w.start("amy"), w.start("bob")
    answer = a.ask("connect", b.address)
    expect(answer["peer"] == b.peer and answer["nickname"] == "bob", answer)
    b.event("peer_connected", peer=a.peer, inbound=True)
    b.event("peer_identified", peer=a.peer, nickname="amy")
    a.event("peer_identified", peer=b.peer, nickname="bob")
    for one, other in ((a, b), (b, a)):
        receipt = one.ask("send", other.name, "hello there")
        got = other.event("direct_message", peer=one.peer, nickname=one.name, text="hello there")
        expect(receipt["id"] == got["id"], (receipt, got))
        listed = one.ask("peers")["peers"]
        expect([(p["peer"], p["nickname"], p["connected"]) for p in listed] == [(other.peer, other.name, True)], listed)
    a.ask("send", b.peer, "by id")
    b.event("direct_message", text="by id")
    a.ask("disconnect", "bob")
    for one, other in ((a, b), (b, a)):
        gone = one.event("peer_disconnected", peer=other.peer)
        expect(gone["nickname"] == other.name and gone["error"] == "closed", gone)
    a.ask("connect", "bob")  # by name, as the address is known
    b.event("peer_connected", after=b.events.index(b.event("peer_disconnected")))


def test_connect_in_one_go(w):
    """Commands to somebody who is just being connected to wait for that."""
    a, b = w.start("amy"), w.start("bob")
    numbers = [a.tell("connect", b.address), a.tell("send", "bob", "first"), a.tell("send", "bob", "second"), a.tell("list-files", "bob")]
    answers = [a.answer(n) for n in numbers]
    expect(all(x["ok"] for x in answers), answers)
    b.event("direct_message", text="second")
    texts = [e["text"] for e in b.events if e["event"] == "direct_message"]
    expect(texts == ["first", "second"], texts)


def test_connect_flag(w):
    """--connect may be repeated, and finds a peer again that was away."""
    a, b = w.start("amy"), w.start("bob")
    c = w.start("cyd", "--connect", a.address, "--connect", b.address)
    c.event("peer_identified", peer=a.peer, nickname="amy")
    c.event("peer_identified", peer=b.peer, nickname="bob")
    port = a.address.split("/tcp/")[1].split("/")[0]
    a.kill()
    c.event("peer_disconnected", peer=a.peer)
    mark = c.mark()
    a = w.start("amy", "--port", port)
    c.event("peer_identified", after=mark, peer=a.peer, seconds=40)
    c.ask("send", "amy", "welcome back")
    a.event("direct_message", text="welcome back")


def test_connect_flag_without_id(w):
    a = w.start("amy")
    b = w.start("bob", "--connect", a.address.split("/p2p/")[0])
    b.event("peer_identified", peer=a.peer, nickname="amy")


def test_connect_errors(w):
    a, b, c = w.start("amy"), w.start("bob"), w.start("cyd")
    a.refused("invalid_address", "connect", "/ip4/127.0.0.1/udp/nonsense")
    a.refused("self_dial", "connect", a.address)
    other = b.address.split("/p2p/")[0] + "/p2p/" + c.peer
    a.refused("peer_mismatch", "connect", other)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    answer = a.answer(a.tell("connect", f"/ip4/127.0.0.1/tcp/{port}"))
    expect(not answer["ok"] and answer["error"] in ("refused", "unreachable"), answer)


def test_slow_commands_block_nobody(w):
    """A connect to somebody who never answers delays no other command, only its place in the row of answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        a, b = w.start("amy"), w.start("bob")
        a.meet(b)
        slow = a.tell("connect", f"/ip4/127.0.0.1/tcp/{silent.getsockname()[1]}")
        start = time.monotonic()
        quick = a.tell("send", "bob", "meanwhile")
        b.event("direct_message", text="meanwhile", seconds=5)
        expect(time.monotonic() - start < 5 * w.slow, "the message went out at once")
        answers = [a.answer(slow, 40), a.answer(quick)]
        expect(not answers[0]["ok"] and answers[0]["error"] == "timed_out" and answers[1]["ok"], answers)


def test_unknown_nickname(w):
    a = w.start("amy")
    png = w.file("x.png", data=PNG)
    for words in (("send", "nobody", "hi"), ("send-image", "nobody", png), ("disconnect", "nobody"), ("list-files", "nobody"),
                  ("download", "nobody", "k7qm-3fz2-0a1b-9xyz-w4tv"), ("send", "no body", "hi")):
        answer = a.refused("unknown_peer", *words)
        expect(words[1] in answer["message"], answer)


def test_two_of_one_nickname(w):
    a, b, c = w.start("amy"), w.start("sam"), w.start("sam", folder=w.path("other sam"))
    a.meet(b)
    a.meet(c)
    answer = a.refused("ambiguous_nickname", "send", "sam", "which one?")
    names = [f"sam~{p.peer[-4:]}" for p in (b, c)]
    expect(all(name in answer["message"] for name in names), (answer, names))
    for one, other, name in ((b, c, names[0]), (c, b, names[1])):
        a.ask("send", name, "you, " + name)
        one.event("direct_message", text="you, " + name)
        other.never("direct_message", 0.2, text="you, " + name)
    a.event("nickname_conflict", nickname="sam")
    c.stop()
    a.event("peer_disconnected", peer=c.peer)
    a.ask("send", "sam", "only the first sam is here")
    b.event("direct_message", text="only the first sam is here")
    c = w.start("sam", folder=w.path("other sam"))
    a.meet(c)
    b.stop()
    a.event("peer_disconnected", peer=b.peer)
    answer = a.refused("ambiguous_nickname", "send", "sam", "for the first sam, not for who took the name")
    expect(all(name in answer["message"] for name in names), (answer, names))


def test_texts(w):
    """Any text arrives as it was sent, and every line of output stays valid JSON."""
    a, b = w.start("amy lee"), w.start("bob o. 你好")
    a.meet(b)
    for text in (HOSTILE, "", " ", "a  b", "it's \"quoted\"", "\\n is no newline", "line\nline", "x" * 65536, "👋" * 10000):
        a.ask("send", b.name, text)
        b.event("direct_message", text=text, nickname="amy lee")
    a.raw('send "bob o. 你好" the rest of  the line, as it\'s "written" \\o/')
    b.event("direct_message", text="the rest of  the line, as it's \"written\" \\o/")
    a.raw("s 'bob o. 你好' 'tis a single quote")
    b.event("direct_message", text="'tis a single quote")
    a.raw("send bob\\ o.\\ 你好 escaped")
    b.event("direct_message", text="escaped")
    a.ask("send", b.name, "m" * (1 << 20), seconds=60)
    b.event("direct_message", where=lambda e: len(e["text"]) == 1 << 20)
    a.refused("message_too_large", "send", b.name, "m" * ((1 << 20) + 1))
    a.write(b'send "bob o. \xe4\xbd\xa0\xe5\xa5\xbd" \xff\xfe raw\n')
    a.asked += 1
    expect(a.answer(a.asked - 1)["ok"], "bytes that are no text")
    b.event("direct_message", where=lambda e: e["text"].endswith(" raw"))


def test_message_order(w):
    """Messages to one person arrive in the order in which they were given."""
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    count = 100 if w.quick else 500
    numbers = [a.tell("send", "bob", f"message {i} " + "x" * random.Random(i).randrange(2000)) for i in range(count)]
    for n in numbers:
        expect(a.answer(n)["ok"], n)
    b.event("direct_message", where=lambda e: e["text"].startswith(f"message {count - 1} "))
    got = [int(e["text"].split()[1]) for e in b.events if e["event"] == "direct_message"]
    expect(got == list(range(count)), got)


def test_images(w):
    a, b = w.start("amy", "--output", "my pictures"), w.start("bob")
    a.meet(b)
    path = w.file("a folder/sunset – 夕日.png", data=PNG)
    b.ask("send-image", "amy", path)
    got = a.event("image_received", peer=b.peer, nickname="bob", name="sunset – 夕日.png", mime="image/png", size=len(PNG))
    where = got["path"]
    expect(content(where) == PNG and os.path.dirname(os.path.realpath(where)) == os.path.realpath(a.folder + "/my pictures"), got)
    b.ask("send-image", "amy", path)  # of the same name: beside it, not over it
    again = a.event("image_received", where=lambda e: e["path"] != got["path"])
    expect(content(again["path"]) == PNG and content(where) == PNG, again)
    b.refused("file_not_found", "send-image", "amy", w.path("nothing.png"))
    b.refused("file_not_found", "send-image", "amy", w.folder)
    large = w.file("large.jpg", data=b"\xff\xd8\xff" + bytes(16 << 20))
    b.refused("message_too_large", "send-image", "amy", large)
    os.truncate(large, 16 << 20)
    b.ask("send-image", "amy", large, seconds=60)
    got = a.event("image_received", name="large.jpg", mime="image/jpeg", size=16 << 20)
    expect(content(got["path"]) == content(large), "16 MiB")
    hostile = w.file("evil/\x1b[2J\u202egpj.\x07png", data=PNG)
    b.ask("send-image", "amy", hostile)
    got = a.event("image_received", where=lambda e: "[2J" in e["name"])
    expect(not any(c in got["name"] + got["path"] for c in "\x1b\u202e\x07"), got)


def test_groups(w):
    """Five people in a line, so that messages must be passed on."""
    everybody = [w.start(name) for name in ("amy", "bob", "cyd", "dan", "eve")]
    for one, next_one in zip(everybody, everybody[1:]):
        one.meet(next_one)
    a, b, c, d, e = everybody
    group = "the lobby é"
    a.refused("not_joined", "send-group", group, "too early")
    for one in everybody:
        expect(one.ask("join", group)["group"] == group, one.name)
        one.event("group_joined", group=group)
    for one, other in zip(everybody, everybody[1:]):
        one.event("group_peer_joined", group=group, peer=other.peer, nickname=other.name)
        other.event("group_peer_joined", group=group, peer=one.peer, nickname=one.name)
    time.sleep(2 * w.slow)  # the mesh forms
    for one in everybody:
        one.ask("send-group", group, f"hello from {one.name} {HOSTILE}")
    for one in everybody:
        for other in everybody:
            if one is not other:  # the author, whoever passed it on
                got = other.event("group_message", group=group, peer=one.peer, seconds=20)
                expect(got["text"] == f"hello from {one.name} {HOSTILE}", got)
    for one in everybody:
        count = sum(x["event"] == "group_message" for x in one.events)
        expect(count == 4, f"{one.name} got {count} messages")
    listed = b.ask("groups")["groups"]
    expect([(g["group"], sorted(m["nickname"] for m in g["members"])) for g in listed] == [(group, ["amy", "cyd"])], listed)
    e.ask("leave", group)
    e.event("group_left", group=group)
    d.event("group_peer_left", group=group, peer=e.peer)
    a.ask("send-group", group, "is eve gone?")
    d.event("group_message", text="is eve gone?")
    e.never("group_message", 0.5, text="is eve gone?")
    expect(e.ask("groups")["groups"] == [], "eve is in no group")
    e.refused("not_joined", "leave", group)
    a.refused("invalid_name", "join", "")
    a.refused("message_too_large", "send-group", group, "m" * ((1 << 20) + 1))


def test_group_images(w):
    """A group image is announced by its code, and fetched by itself if it is not too large."""
    a, b, c = everybody = [w.start(name) for name in ("amy", "bob", "cyd")]
    a.meet(b)
    a.meet(c)
    for one in everybody:
        one.ask("join", "pictures")
    for one in (b, c):
        one.event("group_peer_joined", group="pictures", peer=a.peer)
        a.event("group_peer_joined", group="pictures", peer=one.peer)
    time.sleep(2 * w.slow)
    path = w.file("two words.png", data=PNG)
    code = a.ask("send-group-image", "pictures", path)["code"]
    for one in (b, c):
        got = one.event("group_image", group="pictures", peer=a.peer, nickname="amy", code=code, size=len(PNG), seconds=20)
        expect(content(got["path"]) == PNG and got["name"] == "two words.png", got)
    a.refused("not_joined", "send-group-image", "another", path)
    a.refused("file_not_found", "send-group-image", "pictures", w.path("nothing.png"))
    large = w.file("large.png", size=(16 << 20) + 1)
    code = b.ask("send-group-image", "pictures", large)["code"]
    a.event("file_offered", group="pictures", peer=b.peer, code=code, size=(16 << 20) + 1, seconds=20)
    a.never("group_image", 0.5, code=code)
    expect(content(a.download("bob", code)["path"]) == content(large), "it can be asked for")
