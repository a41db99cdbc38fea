#!/usr/bin/env python3
"""Makes what a release consists of: cmake/release.py --url https://example.org/gigi-0.1.0.tar.gz --output dist

  gigi-VERSION.tar.gz   the sources: the files that git knows, as they are now; always the same bytes for the same files
  gigi.hpp              gigi as a single header
  gigi.wrap             for subprojects/ of a project that uses Meson
  vcpkg/gigi/           the port for vcpkg's registry, or to use with --overlay-ports
  SHA256SUMS            of the archive and the header

--url says where the archive will be for everybody: it and the archive's hashes are written into the wrap and the port.
"""

import argparse
import gzip
import hashlib
import io
import pathlib
import shutil
import subprocess
import tarfile

from single_header import ROOT, single_header, version

PORT = ROOT / "cmake" / "vcpkg" / "gigi"
SOURCES_HERE = """\
# In gigi's own tree: the tree around this port. cmake/release.py puts here, instead, what fetches the release.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
"""
SOURCES_THERE = """\
vcpkg_download_distfile(ARCHIVE
    URLS "@URL@"
    FILENAME "gigi-@VERSION@.tar.gz"
    SHA512 @SHA512@
)
vcpkg_extract_source_archive(SOURCE_PATH ARCHIVE "${ARCHIVE}")
"""


def sources():
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True)
    return sorted(name for name in names.stdout.decode().split("\0") if name and (ROOT / name).is_file())


def archive(folder):
    """A .tar.gz of the sources in which nothing but their names, contents and being programs is kept."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sources():
            path = ROOT / name
            info = tarfile.TarInfo(f"{folder}/{name}")
            data = path.read_bytes()
            info.size = len(data)
            info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def filled(template, values):
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True, help="where the archive of the sources will be")
    parser.add_argument("--output", required=True, type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()

    name = f"gigi-{version()}"
    files = {f"{name}.tar.gz": archive(name), "gigi.hpp": single_header().encode()}
    packed = files[f"{name}.tar.gz"]
    values = {"VERSION": version(), "URL": options.url, "SHA256": hashlib.sha256(packed).hexdigest(), "SHA512": hashlib.sha512(packed).hexdigest()}
    files["SHA256SUMS"] = "".join(f"{hashlib.sha256(data).hexdigest()}  {file}\n" for file, data in files.items()).encode()
    files["gigi.wrap"] = filled((ROOT / "cmake" / "gigi.wrap.in").read_text(), values).encode()

    options.output.mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        (options.output / file).write_bytes(data)
    port = options.output / "vcpkg" / "gigi"
    shutil.copytree(PORT, port, dirs_exist_ok=True)
    portfile = (PORT / "portfile.cmake").read_text()
    assert SOURCES_HERE in portfile, f"{PORT}/portfile.cmake does not say where its sources are"
    (port / "portfile.cmake").write_text(portfile.replace(SOURCES_HERE, filled(SOURCES_THERE, values)))


if __name__ == "__main__":
    main()
