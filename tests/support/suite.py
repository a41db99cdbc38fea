"""Runs the test suite in stages; tests/run has installed what it needs. See `tests/run --help`."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CI = os.environ.get("CI") == "true"
JOBS = min(2, os.cpu_count() or 1)  # a compiler over coroutine tests that are joined takes more than 1 GB
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")
DOCTEST = re.compile(r"\[doctest\] test cases: *\d+ \| *(\d+) passed \| *(\d+) failed(?: \| *(\d+) skipped)?")
PRESETS = {"asan", "release"}  # that `build` builds for the other stages
ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=0:strict_string_checks=1",
    "LSAN_OPTIONS": f"suppressions={os.path.join(ROOT, 'tests', 'support', 'leaks.txt')}:print_suppressions=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


class Stop(Exception):
    """The stage cannot go on; what failed has been counted."""


def late(*_):
    raise TimeoutError


def end_group(process):
    """Ends a process and its children, which get a moment to put things back: some made network namespaces."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        except ProcessLookupError:
            break


def start(command, cwd=ROOT, environment=None):
    """A process in a group of its own, whose output is to be read."""
    return subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env={**os.environ, **ENVIRONMENT, **(environment or {})}, start_new_session=True)


class Stage:
    """One stage while it runs: its deadline, and what it has counted."""

    early = {}  # stages that have begun before their turn, each a process, by their names
    built = set()  # presets of which everything is built

    def __init__(self, name, seconds, chosen=()):
        self.name, self.deadline, self.chosen = name, time.monotonic() + seconds, chosen
        self.passed = self.failed = self.skipped = 0

    def fail(self, why):
        print(f"FAIL {self.name}: {why}", flush=True)
        self.failed += 1

    def skip(self, why):
        print(f"SKIPPED {self.name}: {why}", flush=True)
        self.skipped += 1

    def command(self, *command, quiet=False, cwd=ROOT, environment=None, begun=None):
        """Runs a command until the stage's deadline, or goes on with what has begun. Returns its exit code and its output, which is
        shown as it comes."""
        process = begun or start(command, cwd, environment)
        lines, code = [], None
        signal.setitimer(signal.ITIMER_REAL, max(0.1, self.deadline - time.monotonic()))
        try:
            for line in process.stdout:
                lines.append(line.decode(errors="replace").rstrip("\n"))
                if not quiet:
                    print(lines[-1], flush=True)
            code = process.wait()
        except TimeoutError:
            end_group(process)
        except BaseException:
            end_group(process)
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if code is None:
            self.fail(f"out of time: {' '.join(command)}")
            print("\n".join(lines[-40:]) if quiet else "", flush=True)
            raise Stop
        return code, lines

    def must(self, *command, **more):
        """Runs a command that is no test; when it fails, shows its output and ends the stage."""
        code, lines = self.command(*command, quiet=True, **more)
        if code != 0:
            print("\n".join(lines), flush=True)
            self.fail(f"{' '.join(command)}: exit code {code}")
            raise Stop
        return lines

    def build(self, preset, *targets):
        """Builds targets of a preset, of those that exist; returns the folder of the programs."""
        folder = os.path.join(ROOT, "build", preset)
        if preset not in Stage.built:
            new = not os.path.exists(os.path.join(folder, "CMakeCache.txt"))  # who has configured it chooses
            self.must("cmake", "--preset", preset, *(["-DGIGI_UNITY_TESTS=ON"] if new else []))
            if targets:
                self.must("ninja", "-C", folder, f"-j{JOBS}", *targets)
        return os.path.join(folder, "bin")

    def packages(self):
        """Installs js-libp2p, where that has not been done since the list of packages changed."""
        folder = os.path.join(ROOT, "tests", "interop")
        done, wanted = os.path.join(folder, "node_modules", ".package-lock.json"), os.path.join(folder, "package-lock.json")
        if not os.path.exists(done) or os.path.getmtime(done) < os.path.getmtime(wanted):
            self.must("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)

    def count(self, *command, pattern=SUMMARY, **more):
        """Runs a command that tests, and adds up what its summary says."""
        code, lines = self.command(*command, **more)
        found = [match for match in map(pattern.search, lines) if match]
        for match in found[-1:]:
            self.passed += int(match[1])
            self.failed += int(match[2])
            self.skipped += int(match[3] or 0)
        if not found:
            self.fail(f"{' '.join(command)}: no summary, exit code {code}")
        elif code != 0 and int(found[-1][2]) == 0:
            self.fail(f"{' '.join(command)}: exit code {code}")  # a sanitiser's report comes after the summary

    def begin(self, *names):
        """Begins later stages that need one core, or mostly wait. What they say is kept until it is their turn."""
        keep = 'said=$("$@" 2>&1); code=$?; printf "%s\n" "$said"; exit $code'
        for name in names:
            if name in self.chosen and Stage.built:
                Stage.early[name] = start(("bash", "-c", keep, "_", sys.executable, os.path.abspath(__file__), "--built", name))

    def doctest(self, preset, target, *before):
        folder = self.build(preset, target)
        self.count(*before, os.path.join(folder, target), pattern=DOCTEST)

    def scripts(self, folder, environment):
        for name in sorted(os.listdir(os.path.join(ROOT, "tests", folder))):
            if name.endswith("_test.py"):
                self.count(sys.executable, os.path.join("tests", folder, name), environment=environment)


def there(*parts):
    return os.path.exists(os.path.join(ROOT, *parts))


def sources(folder, end="_test.cpp"):
    """Whether there is something to run in a folder of tests/."""
    return any(name.endswith(end) for _, _, names in os.walk(os.path.join(ROOT, "tests", folder)) for name in names)


def programs(*folder):
    """The programs that are built from the files of a folder, one from each."""
    return sorted(name[:-4] for name in os.listdir(os.path.join(ROOT, *folder)) if name.endswith(".cpp"))


# ---- the stages, in the order in which they run: what finds mistakes soonest comes first --------------------------------


def checks(stage):
    """the rules of layers, includes and coroutines, that every header has its test, every call its moments, every defence its place"""
    stage.count(sys.executable, "tests/checks/layers.py")
    stage.count(sys.executable, "tests/checks/moments.py")
    stage.count(sys.executable, "tests/attacks/mutate", "--places")


def build(stage):
    """everything that the stages below run, together, so that no core waits for the longest file of each"""
    stage.build("asan", "-k0", "all")
    stage.build("release", "chat")
    if {"interop", "netns"} & set(stage.chosen):
        stage.packages()
    print("ok everything is built")
    stage.passed += 1
    Stage.built = PRESETS
    stage.begin("failure")


def unit(stage):
    """tests/unit, with the address and undefined behaviour sanitizers"""
    stage.doctest("asan", "unit_tests")


def sim(stage):
    """tests/sim: whole networks in simulated time, with sanitizers"""
    stage.doctest("asan", "sim_tests")


def attacks(stage):
    """tests/attacks: that the attacks of docs/attacks.md are survived, with sanitizers"""
    stage.doctest("asan", "attack_tests")


def failure(stage):
    """tests/failure: what is cancelled, stopped, cut or full, at every moment at which it can be, with sanitizers"""
    stage.doctest("asan", "failure_tests")


def fuzz(stage):
    """tests/fuzz: every fuzz target over its corpus and mutations of it, with sanitizers"""
    stage.count(os.path.join(stage.build("asan", "fuzz_tests"), "fuzz_tests"))


def threads(stage):
    """the tests where threads meet, with the thread sanitizer"""
    # The sanitizer of g++ 12 does not start where a kernel spreads addresses too far.
    fixed = ["setarch", "-R"] if subprocess.run(["setarch", "-R", "true"], capture_output=True, check=False).returncode == 0 else []
    stage.doctest("tsan", "thread_tests", *fixed)


def newest_clang():
    """The command of the newest clang, if that is one that gigi claims to know."""
    for name in [*(f"clang++-{version}" for version in range(40, 15, -1)), "clang++"]:
        if shutil.which(name):
            said = subprocess.run([name, "-dumpversion"], capture_output=True, text=True, check=False).stdout
            if said.split(".")[0].isdigit() and int(said.split(".")[0]) >= 16:
                return name
    return None


def clang(stage):
    """the unit tests and the simulated networks as clang compiles them, without sanitizers"""
    compiler = newest_clang()
    if not compiler:
        return stage.skip("no clang 16 or newer is here")
    stage.begin("packaging")
    stage.must("cmake", "--preset", "debug", "-B", "build/clang", f"-DCMAKE_CXX_COMPILER={compiler}", "-DCMAKE_BUILD_TYPE=None",
               "-DCMAKE_CXX_FLAGS=-O0", "-DGIGI_UNITY_TESTS=ON")
    targets = ["unit_tests", "sim_tests"]
    stage.must("ninja", "-C", "build/clang", f"-j{JOBS}", *targets)
    for target in targets:
        stage.count(os.path.join("build", "clang", "bin", target), pattern=DOCTEST)


def headers(stage):
    """each header compiles alone; all of them, twice, link into one program"""
    stage.count(sys.executable, "tests/checks/headers.py", "--jobs", str(JOBS))
    folder = stage.build("debug", "link_check")
    stage.must(os.path.join(folder, "link_check"))
    print("ok two translation units with every header link")
    stage.passed += 1


def docs(stage):
    """the documents: what they quote is compiled and run, what they link to and name is there"""
    stage.count(sys.executable, "tests/checks/docs.py")
    folder = stage.build("asan", "docs_programs")
    for name in programs("docs", "examples"):
        code, _ = stage.command(os.path.join(folder, "docs_" + name))
        print(f"ok {name}" if code == 0 else f"FAIL docs: {name}: exit code {code}", flush=True)
        stage.passed, stage.failed = stage.passed + (code == 0), stage.failed + (code != 0)


def reference(stage):
    """the reference of the API, which Doxygen must make without a warning"""
    stage.must("doxygen", "docs/Doxyfile")
    print("ok docs/reference/html/index.html")
    stage.passed += 1


def packaging(stage):
    """programs that use gigi in every way in which it can be had"""
    stage.count(sys.executable, "tests/packaging/run.py")


def processes(stage):
    """tests/processes: real chats, as examples/run builds them"""
    stage.begin("sanitized", "interop", "netns", "threads")
    folder = stage.build("release", "chat")
    stage.count(sys.executable, "tests/processes/run.py", "--chat", os.path.join(folder, "chat"), *(["--full"] if CI else []))


def sanitized(stage):
    """tests/processes again, quickly, with a chat built with the address and undefined behaviour sanitizers"""
    folder = stage.build("asan", "chat")
    stage.count(sys.executable, "tests/processes/run.py", "--chat", os.path.join(folder, "chat"), "--quick", "--slow", "4")


def interop(stage):
    """tests/interop: js-libp2p as the other peer"""
    stage.packages()
    folder = stage.build("asan", *programs("tests", "interop"))
    stage.scripts("interop", {"GIGI_PROGRAMS": folder})


def netns(stage):
    """tests/netns: multicast and broken networks, and the README's program, in network namespaces (as root)"""
    if os.geteuid() != 0:
        return stage.skip("network namespaces need root")
    probe = f"gigi-probe-{os.getpid()}"
    if stage.command("ip", "netns", "add", probe)[0] != 0:
        return stage.skip("this machine does not let us make network namespaces")
    stage.must("ip", "netns", "delete", probe)
    stage.packages()
    folder = stage.build("asan", *programs("tests", "netns"))
    stage.scripts("netns", {"GIGI_PROGRAMS": folder})


# name, the time that it may take (from nothing built, on two cores of which others take half), whether there is something to do
STAGES = [
    (checks, 60, lambda: True),
    (build, 2400, lambda: True),
    (unit, 1500, lambda: sources("unit")),
    (sim, 600, lambda: sources("sim")),
    (attacks, 900, lambda: sources("attacks")),
    (failure, 2400, lambda: sources("failure")),
    (fuzz, 900, lambda: sources("fuzz", "_fuzz.cpp")),
    (processes, 900, lambda: there("examples", "chat.cpp") and there("tests", "processes", "run.py")),
    (sanitized, 900, lambda: there("examples", "chat.cpp") and there("tests", "processes", "run.py")),
    (interop, 600, lambda: sources("interop", "_test.py")),
    (netns, 900, lambda: sources("netns", "_test.py")),
    (threads, 1500, lambda: True),
    (clang, 1500, lambda: True),
    (headers, 1500, lambda: True),
    (docs, 600, lambda: True),
    (reference, 120, lambda: True),
    (packaging, 1800, lambda: True),
]


def main():
    parser = argparse.ArgumentParser(prog="tests/run", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Builds and runs gigi's tests: all stages, or those that are named.")
    parser.add_argument("stages", nargs="*", metavar="STAGE")
    parser.add_argument("--list", action="store_true", help="say which stages there are")
    parser.add_argument("--built", action="store_true", help=argparse.SUPPRESS)  # a stage begun early: it is built, and says less
    options = parser.parse_args()
    if options.list:
        for run, _, _ in STAGES:
            print(f"{run.__name__:10} {run.__doc__}")
        return 0
    names = [run.__name__ for run, _, _ in STAGES]
    for name in options.stages:
        if name not in names:
            parser.error(f"there is no stage {name}; there are {', '.join(names)}")

    if options.built:
        Stage.built = PRESETS
    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin, done = time.monotonic(), []
    chosen = options.stages or names
    try:
        for run, seconds, wanted in STAGES:
            if run.__name__ not in chosen or not wanted():
                continue
            stage, started = Stage(run.__name__, seconds, chosen), time.monotonic()
            if not options.built:
                print(f"\n==== {stage.name}: {run.__doc__}", flush=True)
            try:
                if stage.name in Stage.early:
                    stage.count("tests/run", stage.name, begun=Stage.early.pop(stage.name))
                else:
                    run(stage)
            except Stop:
                pass
            if CI and stage.skipped and not options.built:
                stage.fail(f"{stage.skipped} skipped, where everything must be tested")
            done.append((stage, time.monotonic() - started))
    finally:
        for process in Stage.early.values():
            end_group(process)

    if not options.built:
        print(f"\n==== all stages, in {time.monotonic() - begin:.0f} s")
        for stage, seconds in done:
            skipped = f", {stage.skipped} skipped" if stage.skipped else ""
            print(f"{stage.name:10} {stage.passed:5} passed, {stage.failed} failed{skipped}  ({seconds:.0f} s)")
    passed, failed, skipped = (sum(getattr(stage, what) for stage, _ in done) for what in ("passed", "failed", "skipped"))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not (passed or options.built) else 0


if __name__ == "__main__":
    sys.exit(main())
