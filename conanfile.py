import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.3"


class GigiRecipe(ConanFile):
    name = "gigi"
    description = "Peer-to-peer apps in C++20 coroutines, speaking libp2p"
    license = "MIT"
    topics = ("p2p", "libp2p", "coroutines", "gossip", "mdns", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    exports_sources = "include/*", "LICENSE"
    no_copy_source = True
    test_package_folder = "tests/packaging/conan"

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include", "gigi", "version.hpp"))
        self.version = ".".join(re.findall(r"#define GIGI_VERSION_[A-Z]+ (\d+)", header))

    def layout(self):
        basic_layout(self)

    def requirements(self):
        # The headers of all of these are included by gigi's own.
        for name in ("asio/[>=1.22.1 <2]", "cereal/[>=1.3.2 <2]", "openssl/[>=3 <4]", "protozero/[>=1.7 <2]"):
            self.requires(name, transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os == "Windows":
            raise ConanInvalidConfiguration("gigi needs a POSIX system")

    def package_id(self):
        self.info.clear()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "gigi")
        self.cpp_info.set_property("cmake_target_name", "gigi::gigi")
        self.cpp_info.set_property("pkg_config_name", "gigi")
        self.cpp_info.requires = ["asio::asio", "cereal::cereal", "openssl::crypto", "protozero::protozero"]
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]
