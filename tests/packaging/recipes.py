"""Checks the recipes for package managers that need not be on this machine: Conan's and vcpkg's run here with stand-ins.

What only the real ones show (that their other packages fit, and what their servers say of a recipe) is not tested here.
"""

import fnmatch
import importlib.util
import json
import pathlib
import re
import shutil
import sys
import types

from support import HERE, ROOT, VERSION, check, cmake, files, run, same

LIBRARIES = ["asio", "cereal", "openssl", "protozero"]


# ---- Conan


class InvalidConfiguration(Exception):
    pass


class Info(dict):
    """Stands for cpp_info: any attribute, and properties."""
    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__

    def set_property(self, name, value):
        self[name] = value


class Recipe:
    """Stands for ConanFile, with what our recipes use of it."""

    def __init__(self, **known):
        self.wanted, self.cpp_info, self.cleared = {}, Info(), False
        self.info = types.SimpleNamespace(clear=lambda: setattr(self, "cleared", True))
        for name, value in known.items():
            setattr(self, name, value)

    def requires(self, reference, **traits):
        self.wanted[reference.split("/")[0]] = traits


def copy_file(name, source, destination):
    target = pathlib.Path(destination, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(pathlib.Path(source, name), target)


def copy(_, pattern, source, destination):
    for name in fnmatch.filter(files(pathlib.Path(source)), pattern):
        copy_file(name, source, destination)


def check_min_cppstd(recipe, least):
    if int(recipe.settings.compiler.cppstd) < least:
        raise InvalidConfiguration


def conan_recipe(path):
    """The recipe's class, loaded with modules that stand for Conan's."""
    modules = {
        "conan": {"ConanFile": Recipe},
        "conan.errors": {"ConanInvalidConfiguration": InvalidConfiguration},
        "conan.tools": {},
        "conan.tools.build": {"check_min_cppstd": check_min_cppstd, "can_run": lambda recipe: True},
        "conan.tools.cmake": {"CMake": None, "cmake_layout": None},
        "conan.tools.files": {"copy": copy, "load": lambda recipe, file: pathlib.Path(file).read_text()},
        "conan.tools.layout": {"basic_layout": lambda recipe: None},
    }
    for name, members in modules.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(members)
    try:
        spec = importlib.util.spec_from_file_location("recipe", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        for name in modules:
            del sys.modules[name]
    return next(c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Recipe) and c is not Recipe)


def settings(system="Linux", cppstd="20"):
    return types.SimpleNamespace(os=system, compiler=types.SimpleNamespace(cppstd=cppstd))


def conan(top, prefix):
    recipe_class = conan_recipe(ROOT / "conanfile.py")

    @check("Conan: the recipe's version and requirements")
    def _():
        recipe = recipe_class(recipe_folder=str(ROOT))
        recipe.set_version()
        same((recipe.name, recipe.version), ("gigi", VERSION))
        recipe.requirements()
        same(sorted(recipe.wanted), LIBRARIES)
        same(set(map(str, recipe.wanted.values())), {"{'transitive_headers': True}"})

    @check("Conan: where gigi can be used")
    def _():
        recipe_class(settings=settings()).validate()
        for bad in (settings(system="Windows"), settings(cppstd="17")):
            try:
                recipe_class(settings=bad).validate()
            except InvalidConfiguration:
                continue
            raise AssertionError(f"{bad} is let pass")

    @check("Conan: the package has the headers and the licence, and is the same for all")
    def _():
        exported, package = top / "conan-source", top / "conan-package"
        for name in ["LICENSE", *(f"include/{name}" for name in files(ROOT / "include"))]:
            if any(fnmatch.fnmatch(name, pattern) for pattern in recipe_class.exports_sources):
                copy_file(name, ROOT, exported)
        recipe = recipe_class(source_folder=str(exported), package_folder=str(package), settings=settings())
        recipe.package()
        same(files(package), sorted(["licenses/LICENSE", *(f"include/{name}" for name in files(ROOT / "include"))]))
        recipe.package_id()
        assert recipe.cleared and recipe.package_type == "header-library"
        recipe.package_info()
        same((recipe.cpp_info.cmake_file_name, recipe.cpp_info.cmake_target_name), ("gigi", "gigi::gigi"))
        same((recipe.cpp_info.bindirs, recipe.cpp_info.libdirs), ([], []))
        same(sorted(name.split("::")[0] for name in recipe.cpp_info.requires), LIBRARIES)

    @check("Conan: the test package, against what CMake installed")
    def _():
        folder = ROOT / recipe_class.test_package_folder
        tester = conan_recipe(folder / "conanfile.py")(tested_reference_str=f"gigi/{VERSION}")
        tester.requirements()
        same(list(tester.wanted), ["gigi"])
        (top / "conan-test").mkdir()
        cmake(top / "conan-test", f"-DCMAKE_PREFIX_PATH={prefix}", source=folder)


# ---- vcpkg

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MANIFEST = {"$schema", "name", "version-semver", "port-version", "description", "homepage", "license", "supports", "dependencies", "features"}
DEPENDENCY = {"name", "host", "features", "platform", "version>="}


def dependencies(part):
    """The names of what a manifest, or a feature of it, needs; without vcpkg's own tools."""
    names = []
    for wanted in part["dependencies"]:
        if isinstance(wanted, str):
            wanted = {"name": wanted}
        assert set(wanted) <= DEPENDENCY and NAME.fullmatch(wanted["name"]), wanted
        if not wanted.get("host"):
            names.append(wanted["name"])
    return names


def manifest(path):
    read = json.loads(path.read_text())
    assert set(read) <= MANIFEST, set(read) - MANIFEST
    same((read["name"], read["version-semver"], read["license"]), ("gigi", VERSION, "MIT"))
    same(dependencies(read), LIBRARIES)
    for name, feature in read.get("features", {}).items():
        assert NAME.fullmatch(name) and set(feature) == {"description", "dependencies"}, name
        dependencies(feature)
    return read


def port(top, folder, name):
    """Runs a port's portfile, with stand-ins for what vcpkg provides, and uses what it makes."""
    @check(f"vcpkg: {name}")
    def _():
        manifest(folder / "vcpkg.json")
        work = top / f"vcpkg {name}".replace(" ", "-").replace("'", "")
        run("cmake", f"-DPORT_DIR={folder}", f"-DWORK={work}", "-P", HERE / "vcpkg.cmake")
        package = work / "package"
        same([file for file in files(package) if not file.startswith("include/gigi/")],
             sorted(["share/gigi/copyright", "share/gigi/usage", "share/pkgconfig/gigi.pc",
                     *(f"share/gigi/gigi-{part}.cmake" for part in ("config", "config-version", "dependencies", "targets"))]))
        usage = "\n".join(line for line in (package / "share/gigi/usage").read_text().splitlines() if line.startswith("    "))
        (work / "user").mkdir()
        shutil.copy(HERE / "small.cpp", work / "user")
        (work / "user" / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.21)\nproject(user LANGUAGES CXX)\n"
                                                      f"add_executable(main small.cpp)\n{usage}\n")
        cmake(work / "user", f"-DCMAKE_PREFIX_PATH={package}")


# ---- all


def checks(top, prefix):
    conan(top, prefix)
    port(top, ROOT / "cmake" / "vcpkg" / "gigi", "the port beside the sources")

    @check("vcpkg: the manifest, and the version in every file that says it")
    def _():
        same(list(manifest(ROOT / "vcpkg.json")["features"]), ["examples", "tests"])
        same(re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)[1], VERSION)
        same(set(re.findall(r"gigi/(\d+\.\d+\.\d+)", (ROOT / "README.md").read_text())), {VERSION})

    @check("vcpkg: the README's command")
    def _():
        commands = re.findall(r"`(vcpkg install [^`]*)`", (ROOT / "README.md").read_text())
        same(len(commands), 1)
        words = commands[0].split()
        # In a folder with a manifest, vcpkg installs what the manifest asks for, and refuses names of ports.
        assert "--classic" in words or not (ROOT / "vcpkg.json").exists(), f"{commands[0]} does not say --classic"
        ports = [word.partition("=")[2] for word in words if word.startswith("--overlay-ports=")]
        same([(ROOT / folder / words[2] / "portfile.cmake").is_file() for folder in ports], [True])
