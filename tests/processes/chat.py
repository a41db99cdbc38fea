"""Drives real chat processes: through --json (Chat), or on a pseudo terminal (Terminal). Standard library only."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time


class Failure(Exception):
    """A check that did not hold."""


class Skip(Exception):
    """A check that cannot be made here."""


class World:
    """What a test has: the chat's path, a folder of its own, and every process that it started."""

    def __init__(self, chat, slow=1.0, quick=False):
        self.chat, self.slow, self.quick = os.path.abspath(chat), slow, quick
        self.folder = tempfile.mkdtemp(prefix="gigi-processes-")
        self.processes, self.labs = [], []

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, name, *flags, **more):
        return Chat(self, name, *flags, **more)

    def file(self, name, size=0, data=None, sparse=False):
        """Makes a file that is not the same anywhere; a sparse one has a few such places in a sea of zeroes."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            if data is not None:
                out.write(data)
            elif sparse:
                out.truncate(size)
                for at in (0, size // 3, size // 2 + 1, size - 5000):
                    out.seek(at)
                    out.write(os.urandom(4096))
            else:
                for at in range(0, size, 1 << 20):
                    out.write(os.urandom(min(1 << 20, size - at)))
        return path

    def finish(self):
        """Ends what still runs, and checks that it ends well: a sanitiser's report comes last."""
        for process in self.processes:
            process.finish()

    def close(self):
        for process in self.processes:
            process.kill()
        for lab in self.labs:
            lab.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def quote(word):
    """A word as the chat's double quotes take it."""
    return json.dumps(str(word))


class Chat:
    """One chat process, in a folder of its own."""

    def __init__(self, world, name, *flags, folder=None, mdns=False, inside=None, nickname=None, wait=True):
        self.world, self.name = world, name
        self.folder = folder or world.path(name)
        os.makedirs(self.folder, exist_ok=True)
        command = list(inside or []) + [world.chat, "--json", "--nickname", name if nickname is None else nickname]
        if not mdns:
            command += ["--no-mdns", "--interface", "lo"]
        self.command = command + list(flags)
        self.lines, self.answers, self.events = [], [], []
        self.errors = ""
        self.ended = False
        self.changed = threading.Condition()
        self.asked = self.answered = 0
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        world.processes.append(self)
        self.threads = [threading.Thread(target=self._read_lines, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()
        if wait:
            first = self.event("listening", seconds=20)
            if self.lines[0] != first:
                raise Failure(f"{name}: the first line is {self.lines[0]}")
            self.peer, self.addresses = first["peer"], first["addresses"]

    # What the process says.

    def _read_lines(self):
        for raw in self.process.stdout:
            try:
                line = json.loads(raw.decode("utf-8", "strict"))
                assert isinstance(line, dict) and ("event" in line) != ("command" in line)
            except Exception as e:  # noqa: BLE001: any of them is the same failure, which the next wait reports
                line = {"broken": repr(raw), "why": str(e)}
            with self.changed:
                self.lines.append(line)
                if "event" in line:
                    self.events.append(line)
                if "command" in line:
                    self.answers.append(line)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _read_errors(self):
        for raw in self.process.stderr:
            with self.changed:
                self.errors += raw.decode("utf-8", "replace")
                self.changed.notify_all()

    def wait_for(self, find, what, seconds=10):
        """Waits until find() gives something."""
        deadline = time.monotonic() + seconds * self.world.slow
        with self.changed:
            while True:
                broken = next((line for line in self.lines if "broken" in line), None)
                if broken:
                    raise Failure(f"{self.name} wrote a line that is not a JSON object: {broken}")
                found = find()
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    why = f"ended ({self.process.poll()})" if self.ended else f"waited {seconds * self.world.slow:.0f} s"
                    recent = [line for line in self.lines if line.get("event") not in ("download_progress", "upload_progress")]
                    raise Failure(f"{self.name}: no {what}: {why}; its last lines: "
                                  f"{json.dumps(recent[-6:])[:1500]}; stderr: {self.errors[-1500:]}")
                self.changed.wait(left)

    def event(self, event, where=None, after=0, seconds=10, **members):
        """Waits for an event with these members, among those from the index `after` on."""
        def find():
            for line in self.events[after:]:
                if line["event"] == event and all(line.get(k) == v for k, v in members.items()) and (not where or where(line)):
                    return line
            return None
        return self.wait_for(find, f"event {event} {members or ''}", seconds)

    def never(self, event, seconds=1.0, **members):
        """Checks that an event does not happen in the next seconds, and has not yet."""
        time.sleep(seconds * self.world.slow)
        for line in self.events:
            if line["event"] == event and all(line.get(k) == v for k, v in members.items()):
                raise Failure(f"{self.name}: {line} should not have happened")

    def mark(self):
        """Where the events to come begin."""
        return len(self.events)

    # What it is told.

    def write(self, text):
        self.process.stdin.write(text.encode() if isinstance(text, str) else text)
        self.process.stdin.flush()

    def tell(self, *words):
        """Gives a command; `answer(number)` waits for what comes back."""
        line = " ".join([words[0]] + [quote(w) for w in words[1:]])
        self.write(line + "\n")
        self.asked += 1
        return self.asked - 1

    def answer(self, number, seconds=30):
        return self.wait_for(lambda: self.answers[number] if len(self.answers) > number else None, f"answer {number}", seconds)

    def ask(self, *words, seconds=30):
        """Gives a command and returns its answer, which must be ok."""
        answer = self.answer(self.tell(*words), seconds)
        if not answer["ok"]:
            raise Failure(f"{self.name}: {' '.join(map(str, words))}: {answer}")
        return answer

    def refused(self, error, *words, seconds=30):
        """Gives a command that must fail with this error."""
        answer = self.answer(self.tell(*words), seconds)
        if answer["ok"] or answer["error"] != error or not answer["message"]:
            raise Failure(f"{self.name}: {' '.join(map(str, words))}: expected {error}, got {answer}")
        return answer

    def raw(self, line, seconds=30):
        self.write(line + "\n")
        self.asked += 1
        return self.answer(self.asked - 1, seconds)

    @property
    def address(self):
        return next(a for a in self.addresses if a.startswith("/ip4/"))

    def meet(self, other, seconds=15):
        """Connects to another chat; both know each other's nicknames afterwards."""
        mine, theirs = self.mark(), other.mark()
        self.ask("connect", other.address)
        if not any(e["event"] == "peer_identified" and e["peer"] == other.peer for e in self.events):
            self.event("peer_identified", after=mine, peer=other.peer, seconds=seconds)
        other.event("peer_identified", after=0 if any(e.get("peer") == self.peer for e in other.events) else theirs, peer=self.peer,
                    seconds=seconds)

    def download(self, who, code, seconds=60):
        """Downloads a file and returns the event of its end."""
        mark = self.mark()
        number = self.ask("download", who, code)["id"]
        return self.event("download_finished", after=mark, id=number, seconds=seconds)

    # Its end.

    def exit_code(self, seconds=10):
        try:
            code = self.process.wait(seconds * self.world.slow)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name}: still runs after {seconds * self.world.slow:.0f} s; stderr: {self.errors[-1500:]}") from None
        for thread in self.threads:
            thread.join(5)
        return code

    def stop(self, seconds=15):
        """Ends the input; the process must end well."""
        self.process.stdin.close()
        code = self.exit_code(seconds)
        if code != 0:
            raise Failure(f"{self.name}: exit code {code}; stderr: {self.errors[-3000:]}")

    def finish(self):
        if self.process.poll() is None and not self.process.stdin.closed:
            self.stop()
        if "Sanitizer" in self.errors or "runtime error" in self.errors:
            raise Failure(f"{self.name}: {self.errors[-4000:]}")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """Ends it without a chance to say goodbye."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                if stream is self.process.stdin or not any(t.is_alive() for t in self.threads):
                    stream.close()
            except OSError:
                pass


class Screen:
    """What a terminal would show: just as much of one as a line editor uses. Any other escape sequence is a Failure."""

    def __init__(self, columns=80):
        self.columns, self.rows, self.row, self.column, self.pending = columns, [""], 0, 0, ""
        self.wrapped = False

    def _put(self, c):
        if self.column >= self.columns:
            self._down()
            self.column = 0
        row = self.rows[self.row].ljust(self.column)
        self.rows[self.row] = row[:self.column] + c + row[self.column + 1:]
        self.column += 1

    def _down(self):
        self.row += 1
        if self.row == len(self.rows):
            self.rows.append("")

    def feed(self, text):
        text, self.pending = self.pending + text, ""
        while text:
            c = text[0]
            if c == "\x1b":
                found = re.match(r"\x1b(\[[?>]?[0-9;]*[A-Za-z@]|[=>78M]|\([A-Z0-9])", text)
                if not found:
                    if len(text) < 8:
                        self.pending = text
                        return
                    raise Failure(f"an escape sequence that no line editor needs: {text[:20]!r}")
                self._escape(found.group(1))
                text = text[found.end():]
                continue
            if c == "\r":
                self.column = 0
            elif c == "\n":
                self._down()
            elif c == "\b":
                self.column = max(0, min(self.column, self.columns) - 1)
            elif c == "\a":
                pass
            elif c == "\t":
                self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
            elif ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0:
                raise Failure(f"a control character on the terminal: {text[:20]!r}")
            else:
                self._put(c)
            text = text[1:]

    def _escape(self, sequence):
        if not sequence.startswith("["):
            raise Failure(f"an escape sequence that no line editor needs: {sequence!r}")
        kind, argument = sequence[-1], sequence[1:-1]
        if argument.startswith("?") or kind == "m":
            return
        n = int(argument) if argument.isdigit() else 0
        row = self.rows[self.row]
        if kind == "A":
            self.row = max(0, self.row - max(1, n))
        elif kind == "B":
            self.row = min(len(self.rows) - 1, self.row + max(1, n))
        elif kind == "C":
            self.column = min(self.columns - 1, self.column + max(1, n))
        elif kind == "D":
            self.column = max(0, self.column - max(1, n))
        elif kind == "G":
            self.column = max(1, n) - 1
        elif kind == "K" and n == 0:
            self.rows[self.row] = row[:self.column]
        elif kind == "J" and n == 0:
            self.rows[self.row] = row[:self.column]
            del self.rows[self.row + 1:]
        elif kind == "P":
            self.rows[self.row] = row[:self.column] + row[self.column + max(1, n):]
        elif kind == "@":
            self.rows[self.row] = row[:self.column].ljust(self.column) + " " * max(1, n) + row[self.column:]
        else:
            raise Failure(f"an escape sequence that a chat should not need: {sequence!r}")

    def lines(self):
        return [row.rstrip() for row in self.rows]


class Terminal:
    """A chat on a pseudo terminal, as people see it."""

    def __init__(self, world, name, *flags, columns=80):
        self.world, self.name = world, name
        self.screen, self.raw = Screen(columns), ""
        self.folder = world.path(name)
        os.makedirs(self.folder, exist_ok=True)
        command = [world.chat, "--nickname", name, "--no-mdns", "--interface", "lo", *flags]
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(self.folder)
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.execv(command[0], command)
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.status = None
        world.processes.append(self)

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        if not data:
            return None
        text = data.decode("utf-8", "replace")
        self.raw += text
        self.screen.feed(text)
        return True

    def until(self, holds, what, seconds=10):
        """Reads what the chat writes until holds(lines of the screen)."""
        deadline = time.monotonic() + seconds * self.world.slow
        while not holds(self.screen.lines()):
            left = deadline - time.monotonic()
            if left <= 0 or self._read(left) is None:
                raise Failure(f"{self.name}: no {what}; the screen: {self.screen.lines()[-8:]}")

    def shows(self, text, seconds=10):
        self.until(lambda lines: any(text in line for line in lines), f"line with {text!r}", seconds)

    def prompt(self, text, seconds=10):
        """Waits until the last line is the prompt, followed by text."""
        self.until(lambda lines: lines[-1] == f"{self.name}> {text}".rstrip(), f"prompt with {text!r}", seconds)

    def type(self, text):
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def exit_code(self, seconds=10):
        deadline = time.monotonic() + seconds * self.world.slow
        while time.monotonic() < deadline:
            if self._read(0.05) is None:
                break
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        raise Failure(f"{self.name}: still runs; the screen: {self.screen.lines()[-8:]}")

    def finish(self):
        pass

    def kill(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
            self.status = -1
        try:
            os.close(self.master)
        except OSError:
            pass
