"""Checks that every call of a node is tried at every moment: each public awaitable of node.hpp, and that of event_reader, is
cancelled by tests/failure/cancel_node_test.cpp and interrupted by a stop in tests/failure/stop_test.cpp.

Both tests name functions of tests/failure/operations.hpp, each of which makes such calls. Overloads count by their number of
parameters. Prints a line for each that is not tried, and `N passed, M failed`.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from layers import Checks, without_comments  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLASSES = [("include/gigi/node.hpp", "node_base"), ("include/gigi/node/event_hub.hpp", "event_reader")]
OPERATIONS = "tests/failure/operations.hpp"
TESTS = {  # of each test: the function that tries an operation, and the calls that other tests of the file are about
    "tests/failure/cancel_node_test.cpp": ("try_everywhere", {("stop", 0)}),  # stop_test: "a stop that is cancelled …"
    "tests/failure/stop_test.cpp": ("stop_everywhere", {("stop", 0)}),        # "stop at every step of a start, …"
}


def arity(text, begin):
    """How many arguments or parameters there are behind an opening bracket."""
    depth, count, empty = 0, 1, True
    for char in text[begin:].replace("->", "."):
        if depth == 0 and char == ")":
            break
        depth += (char in "(<[{") - (char in ")>]}")
        count += char == "," and depth == 0
        empty = empty and char.isspace()
    return 0 if empty else count


def public_awaitables(code, name):
    """The awaitables that a class offers: their names and numbers of parameters."""
    body = re.search(rf"^class {name}\b[^;{{]*\{{\n(.*?)^\}};", code, re.M | re.S)
    if not body:
        sys.exit(f"there is no class {name} any more")
    parts = re.split(r"^  (public|protected|private):$", body[1], flags=re.M)
    public = "".join(text for access, text in zip(parts[1::2], parts[2::2]) if access == "public")
    return {(found[1], arity(public, found.end())) for found in re.finditer(r"\bawaitable<[^;{}()]*>\s+(\w+)\(", public)}


def calls(code):
    """Of each function of operations.hpp: what it awaits."""
    bodies = re.findall(r"^inline awaitable<void> (\w+)\(world &w\) \{(.*?)\}$", code, re.M | re.S)
    found = re.compile(r"\bco_await \w+(?:\.\w+)?(?:->|\.)(\w+)(?:<\w+>)?\(")
    return {name: {(call[1], arity(body, call.end())) for call in found.finditer(body)} for name, body in bodies}


def main():
    checks = Checks()
    offered = set().union(*(public_awaitables(without_comments((ROOT / path).read_text()), name) for path, name in CLASSES))
    made = calls(without_comments((ROOT / OPERATIONS).read_text()))
    for path, (function, elsewhere) in TESTS.items():
        code = without_comments((ROOT / path).read_text())
        tried = set(elsewhere)
        for arguments in re.findall(rf"\b{function}\(([^;]*)\);", code):
            for word in re.findall(r"\w+", arguments):
                tried |= made.get(word, set())
        for name, count in sorted(offered):
            checks.expect((name, count) in tried, f"{path}: does not try {name} with {count} argument{'s' * (count != 1)}")
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
