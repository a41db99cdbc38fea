"""Tests the single header that cmake/single_header.py makes, and that script, with headers of all the kinds that it joins."""

import sys

from support import HERE, ROOT, check, files, run, same

sys.path.insert(0, str(ROOT / "cmake"))
import single_header  # noqa: E402

SMALL = {
    "version.hpp": "#define GIGI_VERSION_MAJOR 1\n#define GIGI_VERSION_MINOR 2\n#define GIGI_VERSION_PATCH 3\n",
    "core/config.hpp": "#ifdef GIGI_SEPARATE_COMPILATION\n#define GIGI_INLINE\n#else\n#define GIGI_INLINE inline\n#endif\n",
    "a.hpp": '// a needs b\n#include "core/b.hpp"\n\n#include <string>\n\n#define LATER\n#include "late.hpp"\n',
    "late.hpp": '#include "a.hpp"\n#ifndef LATER\n#error\n#endif\n#if defined(__linux__)\n#include <string>\n#endif\n',
    "core/b.hpp": "#include <string>\nint half(int number);\n\n"
                  '#ifndef GIGI_SEPARATE_COMPILATION\n#include "impl/b.ipp"\n#endif\n',
    "core/impl/b.ipp": '#include "../b.hpp"\n#include "../config.hpp"\nGIGI_INLINE int half(int number) { return number / 2; }\n',
    "impl/src.hpp": '#include "../core/impl/b.ipp"\n',
    "testing/t.hpp": "#error\n",
}


def tree(top, name, changed=None):
    root = top / name
    for file, text in {**SMALL, **(changed or {})}.items():
        path = root / "include" / "gigi" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#pragma once\n" + text)
    (root / "LICENSE").write_text("The licence\n\nof all.\n")
    return root


def joined(root):
    text = single_header.single_header(root)
    (root / "gigi.hpp").write_text(text)
    return text


def link(folder, *sources, flags=()):
    """Compiles each of these texts by itself, and links them."""
    names = []
    for number, text in enumerate(sources):
        names.append(folder / f"{number}.cpp")
        names[-1].write_text(text)
    run("g++", "-std=c++20", *flags, "-I", folder, *names, "-lcrypto", "-o", folder / "program")
    return run(folder / "program")


def checks(top):
    @check("the single header's script: order, conditions, what is left out")
    def _():
        text = joined(tree(top, "small"))
        assert text.startswith("// gigi 1.2.3 ") and "//\n// The licence\n//\n// of all.\n#pragma once\n" in text, text
        same(text.count("#pragma once"), 1)
        same(text.count('#include "'), 0)
        same(text.count("#include <string>"), 2)  # once for all, and once under a condition
        assert text.index("int half(int number);") < text.index("// a needs b") < text.index("#define LATER") < text.index("GIGI_INLINE int half"), text

    @check("the single header's script: header-only, and compiled once")
    def _():
        root = tree(top, "linked")
        joined(root)
        use = '#include <gigi.hpp>\nint other();\nint main() { return half(2) - other(); }\n'
        other = '#include <gigi.hpp>\nint other() { return half(3); }\n'
        link(root, use, other)
        link(root, use, other, "#define GIGI_IMPLEMENTATION\n#include <gigi.hpp>\n", flags=["-DGIGI_SEPARATE_COMPILATION"])

    @check("the single header's script: what it cannot join, it refuses")
    def _():
        for number, (name, text) in enumerate({"c.hpp": '#if 1\n#include "a.hpp"\n#endif\n', "d.hpp": '#include "nothing.hpp"\n', "e.hpp": "#if 1\n",
                                               "f.hpp": '#include "../../LICENSE"\n'}.items()):
            try:
                joined(tree(top, f"bad{number}", {name: text}))
            except single_header.Wrong as why:
                assert name in str(why), why
                continue
            raise AssertionError(f"{text} is let pass")

    @check("the single header has every header once")
    def _():
        text = joined_ours(top).read_text()
        for name in files(ROOT / "include" / "gigi"):
            left_out = name.startswith("testing/") or name in ("impl/src.hpp", "impl/src.cpp", "impl/asio.cpp")
            same((name, len([line for line in text.splitlines() if line.startswith(f"// gigi/{name}")])), (name, 0 if left_out else 1))
        assert (ROOT / "LICENSE").read_text().splitlines()[-1] in text
        same(text.count('#include "'), 0)

    @check("the single header: a node, and two source files of one program")
    def _():
        folder = joined_ours(top).parent
        printed = link(folder, (HERE / "node.cpp").read_text(), "#include <gigi.hpp>\nauto seen() { return gigi::version; }\n",
                       flags=["-DSINGLE_HEADER"])
        assert "packaged is up as 12D3Koo" in printed, printed

    @check("the single header: compiled once, without a warning")
    def _():
        folder = joined_ours(top).parent
        separate = ["-DGIGI_SEPARATE_COMPILATION", "-DASIO_SEPARATE_COMPILATION", "-Wall", "-Wextra", "-Werror"]
        printed = link(folder, (HERE / "node.cpp").read_text(), "#define GIGI_IMPLEMENTATION\n#include <gigi.hpp>\n#include <asio/impl/src.hpp>\n",
                       flags=["-DSINGLE_HEADER", *separate])
        assert "packaged is up as 12D3Koo" in printed, printed


def joined_ours(top):
    made = top / "single" / "gigi.hpp"
    if not made.exists():
        made.parent.mkdir()
        run(sys.executable, ROOT / "cmake" / "single_header.py", "--output", made)
    return made
