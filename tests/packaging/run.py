#!/usr/bin/env python3
"""Uses gigi in every way in which it can be had, each as a project of its own, from a copy of the sources.

Prints `ok NAME` or `FAIL NAME: why` for each; ends with "N passed, M failed".
"""
import json, os, pathlib, re, shlex, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAIN = ROOT / 'tests' / 'packaging' / 'main.cpp'
VERSION = '.'.join(re.findall(r'#define GIGI_VERSION_[A-Z]+ (\d+)', (ROOT / 'include' / 'gigi' / 'version.hpp').read_text()))
passed = failed = 0


def run(*command, cwd=None, env=None):
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)
    if done.returncode != 0:
        raise AssertionError(f'{" ".join(str(c) for c in command)}: exit code {done.returncode}\n{done.stdout[-3000:]}')
    return done.stdout


def check(name):
    def runner(body):
        global passed, failed
        try:
            body()
            passed += 1
            print(f'ok {name}', flush=True)
        except Exception as e:
            failed += 1
            print(f'FAIL {name}: {e}', flush=True)
    return runner


def project(folder, cmake):
    folder.mkdir()
    shutil.copy(MAIN, folder / 'main.cpp')
    (folder / 'CMakeLists.txt').write_text('cmake_minimum_required(VERSION 3.21)\nproject(user LANGUAGES CXX)\n' + cmake)
    return folder


def preprocesses(command, cwd):
    """That a compiler's command line finds every header. Compiling is the same in every way, and slow: two ways do it."""
    words = shlex.split(command)
    if '-o' in words:
        del words[words.index('-o'):words.index('-o') + 2]
    run(*(w for w in words if w != '-c'), '-E', '-o', os.devnull, cwd=cwd)


def configured(build):
    """That what CMake or Meson has configured would compile and link."""
    entry = next(e for e in json.loads((build / 'compile_commands.json').read_text()) if e['file'].endswith('main.cpp'))
    assert '-std=gnu++20' in entry['command'] or '-std=c++20' in entry['command'], 'C++20 is not asked for'
    assert '-Werror' not in entry['command'], 'our warnings reach the user'
    preprocesses(entry['command'], entry['directory'])
    assert 'crypto' in (build / 'build.ninja').read_text(), 'OpenSSL is not linked'


def cmake(folder, *options, build=False):
    run('cmake', '-S', folder, '-B', folder / 'build', '-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Debug', '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON', *options)
    configured(folder / 'build')
    if build:
        run('cmake', '--build', folder / 'build', '-j', '1')
        assert 'packaged is up' in run(folder / 'build' / 'user')


def pkg_config(prefix):
    """That pkg-config finds what is installed there, and that its flags are enough."""
    found = list(prefix.rglob('gigi.pc'))
    assert found, 'no gigi.pc'
    where = {**os.environ, 'PKG_CONFIG_PATH': str(found[0].parent)}
    assert run('pkg-config', '--modversion', 'gigi', env=where).strip() == VERSION
    flags = run('pkg-config', '--cflags', '--libs', 'gigi', env=where)
    assert '-lcrypto' in flags, flags
    preprocesses(f'g++ -std=c++20 {MAIN} {flags}', prefix)


with tempfile.TemporaryDirectory(prefix='gigi-packaging-') as scratch:
    top = pathlib.Path(scratch)
    prefix = top / 'prefix'
    copy = top / 'gigi'
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns('build', '.git', 'node_modules', 'reference'))
    uses = 'add_executable(user main.cpp)\ntarget_link_libraries(user PRIVATE gigi::gigi)\n'

    @check('CMake: installed, find_package')
    def _():
        run('cmake', '-S', copy, '-B', top / 'install', '-G', 'Ninja', '-DGIGI_BUILD_TESTS=OFF', '-DGIGI_BUILD_EXAMPLES=OFF', f'-DCMAKE_INSTALL_PREFIX={prefix}')
        run('cmake', '--install', top / 'install')
        cmake(project(top / 'installed', f'find_package(gigi {VERSION} REQUIRED)\n' + uses), f'-DCMAKE_PREFIX_PATH={prefix}', build=True)

    @check('CMake: as a subdirectory')
    def _():
        cmake(project(top / 'subdirectory', f'add_subdirectory({copy} gigi)\n' + uses))

    @check('CMake: FetchContent')
    def _():
        cmake(project(top / 'fetched', f'include(FetchContent)\nFetchContent_Declare(gigi SOURCE_DIR {copy})\nFetchContent_MakeAvailable(gigi)\n' + uses))

    @check('Meson: as a subproject')
    def _():
        folder = top / 'meson'
        (folder / 'subprojects').mkdir(parents=True)
        shutil.copy(MAIN, folder / 'main.cpp')
        os.symlink(copy, folder / 'subprojects' / 'gigi')
        (folder / 'meson.build').write_text("project('user', 'cpp', default_options: ['cpp_std=c++20'])\n"
                                            "executable('user', 'main.cpp', dependencies: dependency('gigi', fallback: ['gigi', 'gigi_dep']))\n")
        run('meson', 'setup', folder / 'build', folder)
        configured(folder / 'build')

    @check('Meson: installed, pkg-config')
    def _():
        other = top / 'meson-prefix'
        run('meson', 'setup', top / 'meson-install', copy, f'--prefix={other}')
        run('meson', 'install', '-C', top / 'meson-install')
        pkg_config(other)

    @check('pkg-config: what CMake installed')
    def _():
        pkg_config(prefix)

    @check('dropped in: include/ and one command')
    def _():
        folder = top / 'dropped'
        shutil.copytree(copy / 'include', folder / 'include')
        shutil.copy(MAIN, folder / 'main.cpp')
        run('g++', '-std=c++20', '-I', 'include', 'main.cpp', '-lcrypto', '-o', 'user', cwd=folder)
        assert 'packaged is up' in run(folder / 'user')

    @check("the README's program compiles")
    def _():
        program = re.search(r'```cpp\n(.*?)```', (ROOT / 'README.md').read_text(), re.S)[1]
        (top / 'hello.cpp').write_text(program)
        run('g++', '-std=c++20', '-I', ROOT / 'include', '-fsyntax-only', '-Wall', '-Wextra', top / 'hello.cpp')

print(f'{passed} passed, {failed} failed')
sys.exit(1 if failed else 0)
