"""Checks that every public header compiles by itself, with our warnings as errors.

A header that its own test includes first is proven by that test's compiling; only the others are compiled here.
"""

import argparse
import concurrent.futures
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = ["c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
           "-I", "include", "-x", "c++", "-"]


def proven(name):
    test = ROOT / "tests" / "unit" / f"{name.removesuffix('.hpp')}_test.cpp"
    first = re.search(r'#include\s*[<"]([^>"]+)', test.read_text()) if test.is_file() else None
    return bool(first) and first[1] == f"gigi/{name}"


def compile_alone(name):
    result = subprocess.run(COMMAND, input=f"#include <gigi/{name}>\n", cwd=ROOT, capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    names = sorted(path.relative_to(ROOT / "include" / "gigi").as_posix() for path in ROOT.joinpath("include", "gigi").rglob("*.hpp") if path.parent.name != "impl")
    alone = [name for name in names if not proven(name)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, (right, errors) in zip(alone, pool.map(compile_alone, alone)):
            if not right:
                failed += 1
                print(f"FAIL <gigi/{name}> does not compile by itself:\n{errors}", flush=True)
    print(f"{len(names) - len(alone)} headers are the first of their tests; {len(alone)} were compiled")
    print(f"{len(alone) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
