"""Networks of hosts, with multicast, in namespaces: peers that find each other with no address typed."""

import os
import time

from chat import World
from lab import Lab
from test_files import digest
from test_process import expect


def lab_of(w, hosts):
    lab = Lab(hosts)
    w.labs.append(lab)
    return lab


def start(w, lab, host, name, *flags):
    chat = w.start(name, *flags, mdns=True, inside=lab.inside(host))
    chat.host = host
    return chat


def know(one, other, seconds=20, after=0):
    one.event("peer_identified", after=after, peer=other.peer, nickname=other.name, seconds=seconds)


def test_mdns_two_hosts(w: World):
    """Two hosts: found, connected, talked to, sent an image and a file; and a goodbye that is noticed at once."""
    lab = lab_of(w, 2)
    a = start(w, lab, 1, "amy")
    begin = time.monotonic()
    b = start(w, lab, 2, "bob")
    know(a, b)
    know(b, a)
    took = time.monotonic() - begin
    expect(took < 10 * w.slow, f"discovery took {took:.1f} s")
    a.event("peer_discovered", peer=b.peer)
    a.ask("send", "bob", "no address was typed")
    b.event("direct_message", text="no address was typed", nickname="amy")
    image = w.file("x.png", data=b"\x89PNG\r\n\x1a\n" + os.urandom(100000))
    b.ask("send-image", "amy", image)
    got = a.event("image_received", nickname="bob", mime="image/png")
    expect(digest(got["path"]) == digest(image), "the image")
    path = w.file("talk.bin", (5 if w.quick else 50) << 20)
    code = a.ask("share", path)["code"]
    expect(digest(b.download("amy", code)["path"]) == digest(path), "the file")
    b.stop()
    gone = time.monotonic()
    a.event("peer_disconnected", peer=b.peer)
    a.event("peer_expired", peer=b.peer)
    expect(time.monotonic() - gone < 5 * w.slow, "a goodbye is noticed at once")
    expect(a.ask("peers")["peers"] == [] or not a.ask("peers")["peers"][0]["connected"], "bob is gone")


def test_mdns_five_hosts(w):
    """Five hosts: everybody finds everybody, and a group reaches all."""
    lab = lab_of(w, 5)
    everybody = [start(w, lab, i, name) for i, name in enumerate(("amy", "bob", "cyd", "dan", "eve"), 1)]
    for one in everybody:
        for other in everybody:
            if one is not other:
                know(one, other, 30)
    for one in everybody:
        one.ask("join", "lobby")
    for one in everybody:
        for other in everybody:
            if one is not other:
                one.event("group_peer_joined", group="lobby", peer=other.peer)
    time.sleep(2 * w.slow)
    for one in everybody:
        one.ask("send-group", "lobby", "hello from " + one.name)
    for one in everybody:
        for other in everybody:
            if one is not other:
                other.event("group_message", group="lobby", peer=one.peer, nickname=one.name, text="hello from " + one.name)
    image = w.file("x.png", data=b"\x89PNG\r\n\x1a\n" + os.urandom(300000))
    code = everybody[0].ask("send-group-image", "lobby", image)["code"]
    for other in everybody[1:]:
        got = other.event("group_image", group="lobby", peer=everybody[0].peer, code=code, seconds=20)
        expect(digest(got["path"]) == digest(image), other.name)


def test_mdns_one_host(w):
    """Two chats on one host share the multicast port."""
    lab = lab_of(w, 1)
    a, b = start(w, lab, 1, "amy"), start(w, lab, 1, "bob")
    know(a, b)
    know(b, a)
    a.ask("send", "bob", "hello, neighbour")
    b.event("direct_message", text="hello, neighbour")
    b.kill()  # without a goodbye
    a.event("peer_disconnected", peer=b.peer)
    mark = a.mark()
    b = start(w, lab, 1, "bob")
    know(a, b, after=mark)


def test_no_mdns(w):
    """--no-mdns neither looks nor is found."""
    lab = lab_of(w, 2)
    a = start(w, lab, 1, "amy")
    b = start(w, lab, 2, "bob", "--no-mdns")
    a.never("peer_discovered", 3)
    expect(b.ask("peers")["peers"] == [], "bob sees nobody")
    address = next(x for x in a.addresses if "10.77.0.1" in x)
    b.ask("connect", address)
    know(a, b)


def test_interface(w):
    """--interface lo: not reachable from elsewhere, and not found there."""
    lab = lab_of(w, 2)
    a = start(w, lab, 1, "amy", "--interface", "lo")
    expect(all("/127.0.0.1/" in x or "/::1/" in x for x in a.addresses), a.addresses)
    b = start(w, lab, 2, "bob")
    expect(any("/10.77.0.2/" in x for x in b.addresses) and any("/fd77::2/" in x for x in b.addresses), b.addresses)
    b.never("peer_discovered", 3)


def test_cable_pulled(w):
    """T31: the network goes away for a while and comes back; the peers find each other again by themselves."""
    lab = lab_of(w, 2)
    a, b = start(w, lab, 1, "amy"), start(w, lab, 2, "bob")
    know(a, b)
    know(b, a)
    mark_a, mark_b = a.mark(), b.mark()
    lab.link(2, up=False)
    a.event("peer_disconnected", after=mark_a, peer=b.peer, seconds=120)
    b.event("peer_disconnected", after=mark_b, peer=a.peer, seconds=120)
    mark_a, mark_b = a.mark(), b.mark()
    lab.link(2, up=True)
    know(a, b, 60, mark_a)
    know(b, a, 60, mark_b)
    a.ask("send", "bob", "you are back")
    b.event("direct_message", text="you are back")


def test_short_outage(w):
    """A cable that is out for two seconds costs nothing: the message arrives when it is back."""
    lab = lab_of(w, 2)
    a, b = start(w, lab, 1, "amy"), start(w, lab, 2, "bob")
    know(a, b)
    know(b, a)
    lab.link(2, up=False)
    number = a.tell("send", "bob", "through the dark")
    time.sleep(2)
    lab.link(2, up=True)
    expect(a.answer(number, 40)["ok"], "it was delivered")
    b.event("direct_message", text="through the dark")
    expect(not any(e["event"] == "peer_disconnected" for e in a.events + b.events), "nobody was disconnected")


def test_interface_restarted(w):
    """T31: a host's interface goes down and up again, and with it its addresses."""
    lab = lab_of(w, 2)
    a, b = start(w, lab, 1, "amy"), start(w, lab, 2, "bob")
    know(a, b)
    know(b, a)
    lab.interface(2, up=False)
    time.sleep(3)
    lab.interface(2, up=True)
    deadline = time.monotonic() + 90 * w.slow
    while not a.answer(a.tell("send", "bob", "again"), 60)["ok"] and time.monotonic() < deadline:
        time.sleep(1)
    b.event("direct_message", text="again")
