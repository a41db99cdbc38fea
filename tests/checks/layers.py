"""Checks the rules that compilers do not: who may include whom, how coroutines are written, that every header has its test, that one
header can be made of all.

Prints a line for each breach, and `N passed, M failed`: one check a file and rule.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "cmake"))
import single_header  # noqa: E402

INCLUDE = ROOT / "include" / "gigi"

# A header may include its own folder and those before it.
FOLDERS = ["core", "codec", "crypto", "peer", "transport", "security", "mux", "link", "protocol", "discovery", "gossip",
           "file", "node", "node.hpp", "testing"]

# What is included only in certain places.
THIRD_PARTY = {
    "asio": r"core/asio\.hpp",
    "openssl": r"crypto/.*|security/tls.*|transport/quic.*",
    "cereal": r"codec/.*",
    "protozero": r"codec/.*",
    "dns_sd.h": r"discovery/.*",
}

# What a program that compiles gigi once includes in one place.
ALL_BODIES = "impl/src.hpp"

# Headers that no test includes by name: they come with every other header.
TESTED_BY_ALL = {"core/asio.hpp", "core/config.hpp", "version.hpp"}


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, right, what):
        if right:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {what}")

    def add(self, breaches):
        """One rule over a whole file: passed where there is no breach of it."""
        for what in breaches or [None]:
            self.expect(not breaches, what)


def without_comments(text):
    """The code of a C++ file, with its lines where they were, and what is quoted left empty (but not in #include)."""
    def blank(match):
        if match[0].startswith("/"):
            return re.sub(r"[^\n]", " ", match[0])
        return match[0] if match[1] else '""'
    return re.sub(r'//[^\n]*|/\*.*?\*/|(?<=include )(")[^"\n]*"|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def declared_by(name):
    """The header whose bodies these are: an .ipp obeys the rules of that one."""
    folder, _, stem = name.removesuffix(".ipp").rpartition("impl/")
    return f"{folder}{stem}.hpp" if name.endswith(".ipp") else name


def layer(path):
    """The place of a header in FOLDERS; what is in no folder, and is not node.hpp, comes first."""
    first = declared_by(path).split("/")[0]
    return FOLDERS.index(first) if first in FOLDERS else -1


def check_header(checks, name, text, code):
    checks.expect(text.startswith(f"// gigi/{name}"), f"{name}:1: does not begin with its name and role: // gigi/{name}: …")
    checks.expect("#pragma once" in code, f"{name}: no #pragma once")
    wrong = []
    for number, line in enumerate(code.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(<([^>]+)>|"([^"]+)")', line)
        if not match:
            continue
        if match[3]:
            target = (INCLUDE / name).parent.joinpath(match[3]).resolve()
            if not target.is_file() or INCLUDE not in target.parents:
                wrong.append(f"{name}:{number}: there is no {match[3]}")
            elif layer(target.relative_to(INCLUDE).as_posix()) > layer(name) and name != ALL_BODIES:
                wrong.append(f"{name}:{number}: includes {match[3]}, of a layer above it")
        else:
            first = match[2].split("/")[0]
            allowed = THIRD_PARTY.get(first.removesuffix(".hpp"))
            if first == "gigi":
                wrong.append(f"{name}:{number}: includes <{match[2]}> rather than by a relative path")
            elif allowed and not re.fullmatch(allowed, declared_by(name)):
                wrong.append(f"{name}:{number}: includes <{match[2]}>, which only {allowed} may")
    checks.add(wrong)


def check_coroutines(checks, name, code):
    """What g++ 12 gets wrong around co_await, and what loses errors; see the rules of the codebase."""
    def line_of(at):
        return code.count("\n", 0, at) + 1

    wrong = []
    for statement in re.finditer(r"[^;{}]*\bco_await\b[^;{}]*", code):
        text, at = statement[0], statement.start() + statement[0].index("co_await")
        if text.count("co_await") > 1 and not re.search(r"\bfor\s*\(", text):
            wrong.append((at, "more than one co_await in a statement"))
        if re.search(r"\?[^;]*co_await", text):
            wrong.append((at, "co_await inside ?:"))
        if re.search(r"\b(CHECK|REQUIRE|WARN)\w*\s*\(", text):
            wrong.append((at, "co_await inside a test macro"))
        if re.search(r"auto\s*(const\s*)?&{0,2}\s*\[[^\]]*\]\s*=\s*co_await", text):
            wrong.append((at, "a structured binding straight from co_await"))
    for match in re.finditer(r"\bdetached\b", code):
        wrong.append((match.start(), "a detached task: every task has an owner who joins it"))
    checks.add([f"{name}:{line_of(at)}: {what}" for at, what in wrong])


def check_test(checks, name, included):
    """A header has a test of its name, or, such as options and types do, is included by the tests of what uses it."""
    test = f"tests/unit/{name.removesuffix('.hpp')}_test.cpp"
    checks.expect(ROOT.joinpath(test).is_file() or name in included or name in TESTED_BY_ALL,
                  f"{name}: there is no {test}, and no test includes <gigi/{name}>")


def main():
    checks = Checks()
    tests = [path.read_text() for path in ROOT.joinpath("tests").rglob("*_test.cpp")]
    included = {name for text in tests for name in re.findall(r"#include <gigi/([^>]+)>", text)}
    bodies = INCLUDE.joinpath(ALL_BODIES).read_text()
    for path in sorted(INCLUDE.rglob("*.[hi]pp")):
        name, text = path.relative_to(INCLUDE).as_posix(), path.read_text()
        code = without_comments(text)
        checks.expect("/" not in declared_by(name) or name.split("/")[0] in FOLDERS or name == ALL_BODIES, f"{name}: in a folder that is no layer")
        check_header(checks, name, text, code)
        check_coroutines(checks, "include/gigi/" + name, code)
        if path.suffix == ".ipp":
            checks.expect(f'#include "../{name}"' in bodies or f'#include "{name.removeprefix("impl/")}"' in bodies, f"{name}: is not in {ALL_BODIES}")
        elif "impl" not in name.split("/"):
            check_test(checks, name, included)
    for folder in ("tests", "examples", "docs"):
        for path in sorted(ROOT.joinpath(folder).rglob("*.[ch]pp")):
            check_coroutines(checks, path.relative_to(ROOT).as_posix(), without_comments(path.read_text()))
    try:
        single_header.single_header()
        checks.add([])
    except single_header.Wrong as why:
        checks.add([f"no single header can be made: {why}"])
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
