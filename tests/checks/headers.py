"""Checks that every public header compiles by itself, and what it defines after it, with our warnings as errors.

Each is compiled as in a program that compiles gigi once, where what a header declares and what it defines are two things: so what
one defines finds only what it includes, and node.hpp takes 5 s instead of 18. That all definitions compile together is link_check's.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include" / "gigi"
COMMAND = ["c++", "-std=c++20", "-fsyntax-only", "-DASIO_SEPARATE_COMPILATION", "-DGIGI_SEPARATE_COMPILATION",
           "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", "-I", "include", "-x", "c++", "-"]
# As in gigi/impl/src.hpp: what is local to a coroutine has no linkage.
BEFORE = """#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif
"""


def compile_alone(name):
    bodies = re.findall(r'^#include "(impl/\w+\.ipp)"', (INCLUDE / name).read_text(), re.M)
    folder = pathlib.PurePosixPath("gigi", name).parent
    text = BEFORE + f"#include <gigi/{name}>\n" + "".join(f"#include <{folder / body}>\n" for body in bodies)
    result = subprocess.run(COMMAND, input=text, cwd=ROOT, capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    names = sorted(path.relative_to(INCLUDE).as_posix() for path in INCLUDE.rglob("*.hpp") if path.parent.name != "impl")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, (right, errors) in zip(names, pool.map(compile_alone, names)):
            if not right:
                failed += 1
                print(f"FAIL <gigi/{name}> does not compile by itself:\n{errors}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
