"""Files: shared, listed, downloaded, changed, and interrupted at the worst moments."""

import hashlib
import os
import time

from test_process import expect

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def digest(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def check_transfer(w, a, b, path, seconds=60):
    """b shares, a lists and downloads, and has the same bytes."""
    size, name = os.path.getsize(path), os.path.basename(path)
    code = b.ask("share", path, seconds=seconds)["code"]
    b.event("file_shared", code=code, name=name, size=size)
    files = a.ask("list-files", "bob")["files"]
    expect({"code": code, "name": name, "size": size} in [{k: f[k] for k in ("code", "name", "size")} for f in files], files)
    start = time.monotonic()
    end = a.download("bob", code, seconds=seconds)
    took = time.monotonic() - start
    expect(end["size"] == size and end["peer"] == b.peer and end["code"] == code, end)
    got = end["path"]
    expect(os.path.getsize(got) == size and digest(got) == digest(path), f"{name} is another file")
    started = a.event("download_started", id=end["id"])
    expect(started["name"] == name and started["size"] == size, started)
    left = [f for f in os.listdir(os.path.dirname(got)) if ".part" in f]
    expect(not left, left)
    return took


def test_file_sizes(w):
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    for size in (0, 1, 16 * KIB, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1, 5 * MIB + 7):
        check_transfer(w, a, b, w.file(f"files/{size} bytes.bin", size))
    expect(len(b.ask("list-files")["files"]) == 7, "all are listed")


def test_large_file(w):
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    size = (20 if w.quick else 100) * MIB
    took = check_transfer(w, a, b, w.file("large.bin", size), seconds=120)
    progress = [e for e in a.events if e["event"] == "download_progress"]
    expect(all(e["total"] == size and 0 <= e["bytes"] <= size and e["rate"] >= 0 for e in progress), progress[:3])
    expect(sorted(e["bytes"] for e in progress) == [e["bytes"] for e in progress], "progress goes forward")
    expect(len(progress) <= 15 * (took + 1), f"{len(progress)} progress events in {took:.1f} s")


def test_huge_sparse_file(w):
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    took = check_transfer(w, a, b, w.file("huge.bin", 5 * GIB, sparse=True), seconds=300)
    print(f"   5 GiB downloaded in {took:.1f} s: {5 * 1024 / took:.0f} MiB/s")


test_huge_sparse_file.only_full = True


def test_names(w):
    """Names keep what is harmless, and nothing leaves the folder."""
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    for name in ("two words.txt", "Grüße, 世界 👋.txt", "it's \"quoted\".txt", "\x1b[2J\x07\u202etxt.exe", "..hidden", "CON", "-rf", "x" * 250):
        path = w.file("named/" + name, data=name.encode())
        code = b.ask("share", path)["code"]
        end = a.download("bob", code)
        got = os.path.realpath(end["path"])
        expect(os.path.dirname(got) == os.path.realpath(a.folder + "/downloads"), got)
        expect(not any(c in os.path.basename(got) for c in "\x1b\x07\u202e/\"") and os.path.basename(got) != "CON", got)
        with open(got, "rb") as file:
            expect(file.read() == name.encode(), name)


def test_never_overwritten(w):
    a, b = w.start("amy", "--output", "my downloads"), w.start("bob")
    a.meet(b)
    w.file("amy/my downloads/talk.txt", data=b"mine")
    code = b.ask("share", w.file("talk.txt", data=b"theirs"))["code"]
    paths = [a.download("bob", code)["path"] for _ in range(2)]
    expect([os.path.basename(p) for p in paths] == ["talk (1).txt", "talk (2).txt"], paths)
    with open(w.path("amy/my downloads/talk.txt"), "rb") as file:
        expect(file.read() == b"mine", "the user's own file is untouched")


def test_wrong_codes(w):
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    code = b.ask("share", w.file("a.txt", data=b"a"))["code"]
    wrong = ("0" if code[0] != "0" else "1") + code[1:]
    for typed in (wrong, "nonsense", "../../etc/passwd", "x" * 1000, "0" * 64):
        answer = a.answer(a.tell("download", "bob", typed))
        if answer["ok"]:
            answer = a.event("download_failed", id=answer["id"])
        expect(answer["error"] == "unknown_code" and answer["message"], answer)
    a.download("bob", code.upper().replace("-", ""))  # as people type
    b.refused("unknown_code", "unshare", wrong)
    b.refused("file_not_found", "share", w.path("nothing"))
    b.refused("file_not_found", "share", w.folder)


def test_unshare(w):
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    code = b.ask("share", w.file("a.txt", data=b"a"))["code"]
    b.ask("unshare", code)
    b.event("file_revoked", code=code)
    expect(a.ask("list-files", "bob")["files"] == [] and b.ask("list-files")["files"] == [], "it is listed no longer")
    number = a.ask("download", "bob", code)["id"]
    expect(a.event("download_failed", id=number)["error"] == "unknown_code", "nor served")


def test_changed_file(w):
    """A file that is no longer what was shared is not served."""
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    path = w.file("a.txt", data=b"as it was shared")
    code = b.ask("share", path)["code"]
    with open(path, "wb") as file:
        file.write(b"something else")
    number = a.ask("download", "bob", code)["id"]
    failed = a.event("download_failed", id=number)
    expect(failed["error"] == "file_changed", failed)
    os.unlink(path)
    number = a.ask("download", "bob", code)["id"]
    expect(a.event("download_failed", id=number)["error"] in ("file_changed", "file_not_found"), "nor one that is gone")
    a.ask("send", "bob", "all well?")


def wait_for_part(w, a, code, least):
    """Waits until a download has some of the file, and returns how much."""
    return a.event("download_progress", where=lambda e: e["code"] == code and e["bytes"] >= least, seconds=60)["bytes"]


def parts(a):
    return [f for f in os.listdir(a.folder + "/downloads") if f.endswith(".part")]


def test_killed_source(w):
    """The peer is killed in the middle of a download, comes back, and the download goes on from where it was."""
    size = (300 if w.quick else 1000) * MIB
    path = w.file("big.bin", size, sparse=True)
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    code = b.ask("share", path, seconds=120)["code"]
    number = a.ask("download", "bob", code)["id"]
    done = wait_for_part(w, a, code, 10 * MIB)
    b.kill()
    failed = a.event("download_failed", id=number, seconds=60)
    expect(failed["message"] and failed["error"] not in ("unknown_code", "hash_mismatch"), failed)
    expect(parts(a) == ["big.bin.part"], os.listdir(a.folder + "/downloads"))
    peer = b.peer
    b = w.start("bob")
    expect(b.peer == peer, "the same peer is back")
    a.meet(b)
    mark = a.mark()
    end = a.download("bob", code, seconds=120)
    first = next((e["bytes"] for e in a.events[mark:] if e["event"] == "download_progress" and e["id"] == end["id"]), size)
    expect(first >= done, f"it began again: {first} after {done}")
    expect(digest(end["path"]) == digest(path), "another file")
    expect(not parts(a), parts(a))


def test_killed_downloader(w):
    """T30: the downloader is killed in the middle; when it is started again, the download goes on from where it was."""
    size = (300 if w.quick else 1000) * MIB
    path = w.file("big.bin", size, sparse=True)
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    code = b.ask("share", path, seconds=120)["code"]
    a.ask("download", "bob", code)
    done = wait_for_part(w, a, code, 10 * MIB)
    a.kill()
    expect(parts(a) == ["big.bin.part"] and not os.path.exists(a.folder + "/downloads/big.bin"), os.listdir(a.folder + "/downloads"))
    a = w.start("amy")
    a.meet(b)
    end = a.download("bob", code, seconds=120)
    first = next((e["bytes"] for e in a.events if e["event"] == "download_progress"), size)
    expect(first >= done // 2, f"it began again: {first} after {done}")
    expect(digest(end["path"]) == digest(path), "another file")
    expect(not parts(a), parts(a))


def test_stopped_downloader(w):
    """The end of the input in the middle of a download is clean and quick, and leaves what is there."""
    path = w.file("big.bin", 1000 * MIB, sparse=True)
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    code = b.ask("share", path, seconds=120)["code"]
    a.ask("download", "bob", code)
    wait_for_part(w, a, code, 1 * MIB)
    a.stop()
    expect(parts(a) == ["big.bin.part"] or os.path.exists(a.folder + "/downloads/big.bin"), os.listdir(a.folder + "/downloads"))
    b.ask("peers")


def test_several_downloads(w):
    """Ten files at once, while messages still go through."""
    a, b = w.start("amy"), w.start("bob")
    a.meet(b)
    files = [w.file(f"many/{i}.bin", 3 * MIB + i) for i in range(10)]
    codes = [b.ask("share", f)["code"] for f in files]
    numbers = [a.ask("download", "bob", code)["id"] for code in codes]
    a.ask("send", "bob", "in between")
    b.event("direct_message", text="in between")
    for number, file in zip(numbers, files):
        end = a.event("download_finished", id=number, seconds=60)
        expect(digest(end["path"]) == digest(file), file)
    expect(len({n for n in numbers}) == 10, numbers)
