#!/usr/bin/env python3
"""Makes one header of all of gigi's: cmake/single_header.py > gigi.hpp

It is an artefact of a release, like an archive, and not kept beside the headers of which it is made: so it cannot be stale.
All of gigi is in it but gigi/testing. What a preprocessor does with relative #includes happens here: each header comes once,
where it is first asked for; what others than gigi provide is still included. Headers' definitions (gigi/*/impl/*.ipp) come last.
"""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LEFT_OUT = ("testing", "impl")  # folders: what tests use, and what makes one source file of gigi

WARNING = "defined(GIGI_IMPLEMENTATION) && defined(__GNUC__) && !defined(__clang__)"  # where g++ warns of what is right

OWN = re.compile(r'#\s*include\s*"([^"]+)"')
OTHER = re.compile(r"#\s*include\s*<([^>]+)>")
HEAD = re.compile(r"$|//|#\s*pragma once|#\s*include")  # the lines before a header's code
DEFINITIONS = re.compile(r'#ifndef GIGI_SEPARATE_COMPILATION\n((?:#include "impl/[^"\n]+\.ipp"\n)+)#endif\n')


class Wrong(Exception):
    """The headers are not such that this can put them together."""


def version(root=ROOT):
    return ".".join(re.findall(r"#define GIGI_VERSION_[A-Z]+ (\d+)", (root / "include" / "gigi" / "version.hpp").read_text()))


class Joined:
    """Headers put together, as one text."""

    def __init__(self, folder):
        self.folder = folder
        self.lines = []
        self.done = set()  # our own files
        self.included = set()  # of others, where no #if surrounds the #include
        self.definitions = []  # the .ipp files, in the order of their headers

    def put(self, path):
        path = path.resolve()
        if path in self.done:
            return
        self.done.add(path)
        lines = DEFINITIONS.sub(lambda match: self.defer(path, match[1]), path.read_text()).splitlines()
        head = next((at for at, line in enumerate(lines) if not HEAD.match(line)), len(lines))
        for line in lines[:head]:  # what a header needs comes before it, rather than between its first words and the rest
            if own := OWN.match(line):
                self.put_included(path, own[1])
        depth = 0
        for line in lines:
            directive = line.replace(" ", "")
            if directive.startswith("#pragmaonce"):
                continue
            if directive.startswith("#if"):
                depth += 1
            elif directive.startswith("#endif"):
                depth -= 1
            if own := OWN.match(line):
                if depth:
                    raise Wrong(f"{path}: {own[1]} is only included under a condition")
                self.put_included(path, own[1])
                continue
            if (other := OTHER.match(line)) and not depth:
                if other[1] in self.included:
                    continue
                self.included.add(other[1])
            if line or (self.lines and self.lines[-1]):
                self.lines.append(line)
        if depth:
            raise Wrong(f"{path}: #if without #endif")
        self.lines.append("")

    def put_included(self, path, name):
        target = (path.parent / name).resolve()
        if not target.is_file() or self.folder not in target.parents:
            raise Wrong(f"{path}: there is no {name}")
        self.put(target)

    def defer(self, path, includes):
        self.definitions += [path.parent / name for name in OWN.findall(includes)]
        return ""


def single_header(root=ROOT):
    headers = (root / "include" / "gigi").resolve()
    joined = Joined(headers)
    licence = (root / "LICENSE").read_text().strip().splitlines()
    joined.lines += [f"// gigi {version(root)} in one header, made from the files of include/gigi: a change belongs there.",
                     "// SPDX-License-Identifier: MIT", "//", *(f"// {line}".rstrip() for line in licence),
                     "#pragma once", "", f"#if {WARNING} // see impl/src.hpp", "#pragma GCC diagnostic push",
                     '#pragma GCC diagnostic ignored "-Wsubobject-linkage"', "#endif", ""]
    for path in sorted(headers.rglob("*.hpp")):
        if path.relative_to(headers).parts[0] not in LEFT_OUT:
            joined.put(path)
    if joined.definitions:
        joined.lines += ["// The definitions. Where GIGI_SEPARATE_COMPILATION is defined, which must be so in every source file of a program,",
                         "// only the one that also defines GIGI_IMPLEMENTATION has them.",
                         "#if !defined(GIGI_SEPARATE_COMPILATION) || defined(GIGI_IMPLEMENTATION)", ""]
        for path in joined.definitions:
            joined.put(path)
        joined.lines += ["#endif"]
    joined.lines += ["", f"#if {WARNING}", "#pragma GCC diagnostic pop", "#endif"]
    return "\n".join(joined.lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", metavar="FILE", help="where to write it, rather than to standard output")
    options = parser.parse_args()
    text = single_header()
    if options.output:
        pathlib.Path(options.output).write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
