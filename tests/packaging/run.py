#!/usr/bin/env python3
"""Uses gigi in every way in which it can be had, each as a project of its own, from a copy of the sources.

Prints `ok NAME`, `FAIL NAME: why` or `SKIPPED NAME: why` for each; ends with "N passed, M failed".
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import recipes
import single
from support import HERE, ROOT, USES, VERSION, check, cmake, configured, files, meson, pkg_config, project, run, same, summary, works


def release(top):
    """Makes a release in top/dist, where git knows which files are gigi's. @return its files' SHA-256"""
    if not shutil.which("git") or subprocess.run(["git", "ls-files", "--error-unmatch", "LICENSE"], cwd=ROOT, capture_output=True).returncode != 0:
        return None
    dist = top / "dist"
    command = [sys.executable, ROOT / "cmake" / "release.py", "--url", f"file://{dist}/gigi-{VERSION}.tar.gz", "--output"]
    run(*command, dist)
    run(*command, top / "again")
    same([(dist / name).read_bytes() == (top / "again" / name).read_bytes() for name in files(dist)], [True] * len(files(dist)))
    return dict(reversed(line.split()) for line in (dist / "SHA256SUMS").read_text().splitlines())


def ways(top):
    prefix, copy = top / "prefix", top / "gigi"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("build", ".git", "node_modules", "reference"))
    headers = files(ROOT / "include")

    @check("CMake: installed, find_package")
    def _():
        run("cmake", "-S", copy, "-B", top / "install", "-G", "Ninja", f"-DCMAKE_INSTALL_PREFIX={prefix}")
        run("cmake", "--install", top / "install")
        same(files(prefix / "include"), headers)
        cmake(project(top / "installed", f"find_package(gigi {VERSION} REQUIRED)\n" + USES), f"-DCMAKE_PREFIX_PATH={prefix}", build=True)

    @check("CMake: installed with the compiled library")
    def _():
        other = top / "compiled-prefix"
        run("cmake", "-S", copy, "-B", top / "compiled-build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DGIGI_COMPILED=ON", f"-DCMAKE_INSTALL_PREFIX={other}")
        run("cmake", "--build", top / "compiled-build", "-j", "2", "--target", "install")
        uses = f"find_package(gigi {VERSION} REQUIRED)\n" + USES.replace("gigi::gigi", "gigi::compiled")
        cmake(project(top / "compiled", uses), f"-DCMAKE_PREFIX_PATH={other}", build=True)

    @check("CMake: the compiled library, as a subdirectory")
    def _():
        cmake(project(top / "compiled-subdirectory", f"add_subdirectory({copy} gigi)\n" + USES.replace("gigi::gigi", "gigi::compiled")))

    @check("CMake: as a subdirectory")
    def _():
        cmake(project(top / "subdirectory", f"add_subdirectory({copy} gigi)\n" + USES))

    @check("CMake: what is missing is said, and looked for again at the next find_package")
    def _():
        folder = project(top / "missing", f"""set(GIGI_ASIO_INCLUDE_DIR NOTFOUND)
set(CMAKE_IGNORE_PATH /usr/include)
find_package(gigi QUIET)
message(STATUS "first: ${{gigi_FOUND}}: ${{gigi_NOT_FOUND_MESSAGE}}.")
unset(CMAKE_IGNORE_PATH)
unset(GIGI_ASIO_INCLUDE_DIR)
find_package(gigi REQUIRED)
""" + USES)
        printed = run("cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", f"-DCMAKE_PREFIX_PATH={prefix}")
        assert re.search(r"first: (FALSE|0): .*asio/awaitable.hpp> was not found .*libasio-dev, or set GIGI_ASIO_INCLUDE_DIR\)", printed, re.S), printed
        configured(folder / "build")

    @check("Meson: as a subproject")
    def _():
        folder = top / "meson"
        (folder / "subprojects").mkdir(parents=True)
        os.symlink(copy, folder / "subprojects" / "gigi")
        meson(folder, "dependency('gigi', fallback: ['gigi', 'gigi_dep'])")

    @check("Meson: installed, pkg-config")
    def _():
        other = top / "meson-prefix"
        run("meson", "setup", top / "meson-install", copy, f"--prefix={other}")
        run("meson", "install", "-C", top / "meson-install")
        same(files(other / "include"), headers)
        pkg_config(other, build=True)

    @check("pkg-config: what CMake installed")
    def _():
        pkg_config(prefix)

    @check("dropped in: include/ and one command")
    def _():
        folder = top / "dropped"
        shutil.copytree(copy / "include", folder / "include")
        shutil.copy(HERE / "small.cpp", folder)
        run("g++", "-std=c++20", "-I", "include", "small.cpp", "-lcrypto", "-o", "user", cwd=folder)
        works(folder / "user")

    @check("dropped in: what the compiler or Asio lacks is said first")
    def _():
        old = top / "old-asio" / "asio"
        old.mkdir(parents=True)
        (old / "version.hpp").write_text("#define ASIO_VERSION 101801\n")
        (old / "any_io_executor.hpp").write_text("#error too late\n")
        (top / "first.cpp").write_text("#include <gigi/node.hpp>\n")
        for flags, sentence in {"-std=c++17": "gigi needs C++20: compile with -std=c++20", f"-std=c++20 -I {old.parent}": "gigi needs standalone Asio 1.22.1",
                                "-std=c++20 -U__GNUC__ -D__GNUC__=11 -Wno-builtin-macro-redefined": "gigi needs g++ 12 or newer"}.items():
            done = subprocess.run(["g++", *flags.split(), "-I", ROOT / "include", "-E", "-o", os.devnull, top / "first.cpp"], capture_output=True, text=True)
            errors = re.findall(r"error: (.*)", done.stderr)
            assert done.returncode != 0 and errors and sentence in errors[0], (flags, errors[:3], done.stderr[:500])

    @check("dropped in, gigi and Asio compiled once")
    def _():
        folder = top / "dropped-once"
        folder.mkdir()
        separate = ["g++", "-std=c++20", "-DGIGI_SEPARATE_COMPILATION", "-DASIO_SEPARATE_COMPILATION", "-I", copy / "include"]
        library = [copy / "include" / "gigi" / "impl" / name for name in ("src.cpp", "asio.cpp")]
        run(*separate, HERE / "node.cpp", *library, "-lcrypto", "-o", "user", cwd=folder)
        assert "packaged is up as 12D3Koo" in run(folder / "user")

    @check("the README's program compiles")
    def _():
        program = re.search(r"```cpp\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
        (top / "hello.cpp").write_text(program)
        run("g++", "-std=c++20", "-I", ROOT / "include", "-fsyntax-only", "-Wall", "-Wextra", top / "hello.cpp")

    return prefix


def released(top):
    """What only a release has: its archive, fetched from where it says that it is."""
    sums = None

    @check("a release is made, and is the same when it is made again")
    def _():
        nonlocal sums
        sums = release(top)
        if sums is None:
            raise recipes.Skip("a release is made of what git knows, and this is no clone")
        same(sorted(sums), [f"gigi-{VERSION}.tar.gz", "gigi.hpp"])

    if not sums:
        return
    dist = top / "dist"

    @check("CMake: FetchContent of a release")
    def _():
        name = f"gigi-{VERSION}.tar.gz"
        cmake(project(top / "fetched", f"""include(FetchContent)
FetchContent_Declare(gigi URL file://{dist}/{name} URL_HASH SHA256={sums[name]})
FetchContent_MakeAvailable(gigi)
""" + USES), build=True)

    @check("Meson: by a release's wrap")
    def _():
        folder = top / "wrapped"
        (folder / "subprojects").mkdir(parents=True)
        shutil.copy(dist / "gigi.wrap", folder / "subprojects")
        meson(folder, "dependency('gigi')", build=True)

    recipes.port(top, dist / "vcpkg" / "gigi", "a release's port")


def main():
    with tempfile.TemporaryDirectory(prefix="gigi-packaging-") as scratch:
        top = pathlib.Path(scratch)
        prefix = ways(top)
        released(top)
        recipes.checks(top, prefix)
        single.checks(top)
    return summary()


if __name__ == "__main__":
    sys.exit(main())
