"""What the tests of packaging share: checks that are counted, programs that must succeed, projects that use gigi."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "packaging"
VERSION = ".".join(re.findall(r"#define GIGI_VERSION_[A-Z]+ (\d+)", (ROOT / "include" / "gigi" / "version.hpp").read_text()))
USES = "add_executable(user small.cpp)\ntarget_link_libraries(user PRIVATE gigi::gigi)\n"
counts = {"passed": 0, "failed": 0, "skipped": 0}


class Skip(Exception):
    """What a check needs is not here."""


def run(*command, cwd=None, env=None):
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(f'{" ".join(str(c) for c in command)}: exit code {done.returncode}\n{done.stdout[-3000:]}')
    return done.stdout


def check(name):
    """Runs what it decorates, at once."""
    def runner(body):
        try:
            body()
            counts["passed"] += 1
            print(f"ok {name}", flush=True)
        except Skip as e:
            counts["skipped"] += 1
            print(f"SKIPPED {name}: {e}", flush=True)
        except Exception as e:
            counts["failed"] += 1
            print(f"FAIL {name}: {type(e).__name__}: {e}", flush=True)
    return runner


def same(found, wanted):
    assert found == wanted, f"{found} rather than {wanted}"


def summary():
    print(f"{counts['passed']} passed, {counts['failed']} failed" + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    return 1 if counts["failed"] else 0


def files(folder):
    """The files under a folder, by their paths from there."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def works(program):
    assert f"gigi {VERSION} is 12D3Koo" in run(program)


def project(folder, cmake):
    folder.mkdir()
    shutil.copy(HERE / "small.cpp", folder)
    (folder / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.21)\nproject(user LANGUAGES CXX)\n" + cmake)
    return folder


def preprocesses(command, cwd):
    """That a compiler's command line finds every header. Compiling is the same in every way, and slower."""
    words = shlex.split(command)
    if "-o" in words:
        del words[words.index("-o"):words.index("-o") + 2]
    run(*(w for w in words if w != "-c"), "-E", "-o", os.devnull, cwd=cwd)


def configured(build):
    """That what CMake or Meson has configured would compile and link."""
    entry = next(e for e in json.loads((build / "compile_commands.json").read_text()) if e["file"].endswith("small.cpp"))
    assert "-std=gnu++20" in entry["command"] or "-std=c++20" in entry["command"], "C++20 is not asked for"
    assert "-Werror" not in entry["command"], "our warnings reach the user"
    preprocesses(entry["command"], entry["directory"])
    assert "crypto" in (build / "build.ninja").read_text(), "OpenSSL is not linked"


def cmake(folder, *options, source=None, build=False):
    """Configures a project that uses gigi, and where `build` says so builds and runs it."""
    binary = folder / "build"
    run("cmake", "-S", source or folder, "-B", binary, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *options)
    configured(binary)
    if build:
        run("cmake", "--build", binary, "-j", "1")
        works(binary / "user")


def meson(folder, dependency, build=False):
    """The same, of a project that has `subprojects`."""
    shutil.copy(HERE / "small.cpp", folder)
    (folder / "meson.build").write_text("project('user', 'cpp', default_options: ['cpp_std=c++20'])\n"
                                        f"executable('user', 'small.cpp', dependencies: {dependency})\n")
    run("meson", "setup", folder / "build", folder)
    configured(folder / "build")
    if build:
        run("ninja", "-C", folder / "build", "-j", "1", "user")
        works(folder / "build" / "user")


def pkg_config(prefix, build=False):
    """That pkg-config finds what is installed there, and that its flags are enough."""
    found = list(prefix.rglob("gigi.pc"))
    assert found, "no gigi.pc"
    where = {**os.environ, "PKG_CONFIG_PATH": str(found[0].parent)}
    same(run("pkg-config", "--modversion", "gigi", env=where).strip(), VERSION)
    flags = run("pkg-config", "--cflags", "--libs", "gigi", env=where)
    assert "-lcrypto" in flags, flags
    command = f"g++ -std=c++20 {HERE / 'small.cpp'} {flags}"
    preprocesses(command, prefix)
    if build:
        run(*shlex.split(command), "-o", prefix / "user")
        works(prefix / "user")
