"""Checks that the documents say what is so.

- Code in them is quoted from files that are compiled and run: a line `<!-- FILE [name] -->` before a block names the region
  between the two lines `// [name]` of that file. `--update` brings the blocks up to date.
- Links lead to files and headings that exist.
- A table after `<!-- options: STRUCT in HEADER -->` has exactly that struct's members, with their defaults; one after
  `<!-- some options: … -->` has some of them.
- fuzzing.md describes the fuzz targets that there are.
- Every attack of attacks.md has tests that are named after its number, in the files that its second table names for it.
- The table of events.md has every event.
- The table of toolchains.md has a row for each toolchain of tests/toolchains/run, and no other.
- Protocol ids, DNS names, errors, conditions, events and headers that are named exist; wire.md has every protocol id.

Prints a line for each breach, and `N passed, M failed`.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include" / "gigi"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.joinpath("docs").glob("*.md"))]
BLOCK = re.compile(r"^(<!-- (?P<file>\S+) \[(?P<name>[a-z0-9-]+)\] -->\n)?```(?P<language>[a-z+]*)\n(?P<code>.*?)^```$", re.M | re.S)
MARK = re.compile(r"^\s*// \[([a-z0-9-]+)\]$")
BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
SECONDS = {"milliseconds": 1e-3, "seconds": 1, "minutes": 60, "hours": 3600, "ms": 1e-3, "s": 1, "min": 60, "h": 3600}

passed = failed = 0


def expect(right, page, what):
    global passed, failed
    if right:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {page.relative_to(ROOT)}: {what}")


def read(path):
    return path.read_text() if path.is_file() else ""


def regions(path):
    """What stands between each pair of marks in a file, without other marks and without the indentation that all of it has."""
    found, open_now = {}, {}
    for line in read(path).splitlines():
        mark = MARK.match(line)
        if not mark:
            for lines in open_now.values():
                lines.append(line)
        elif mark[1] in open_now:
            lines = open_now.pop(mark[1])
            margin = min((len(text) - len(text.lstrip()) for text in lines if text.strip()), default=0)
            found.setdefault(mark[1], "".join(text[margin:].rstrip() + "\n" for text in lines))
        else:
            open_now[mark[1]] = []
    return found, set(open_now)


def check_quotes(page, text, used, update):
    """Every block of C++ is a region of a file. @return the page as it should be"""
    def quoted(block):
        if not block["file"]:
            if block["language"] == "cpp" and page.name != "README.md":  # its program is run by tests/netns/readme_test.py
                expect(False, page, f"code from nowhere: {block['code'].splitlines()[0]}")
            return block[0]
        code = regions(ROOT / block["file"])[0].get(block["name"])
        used.add((block["file"], block["name"]))
        right = code == block["code"]
        expect(right or (update and code is not None), page, f"{block['file']} [{block['name']}] is not what it says")
        return block[1] + f"```{block['language']}\n{code}```" if update and code else block[0]
    return BLOCK.sub(quoted, text)


def prose(text):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def anchors(path):
    """The headings of a page, as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.*)$", prose(read(path)), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(page, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose(text))):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        expect(path.exists(), page, f"a link to {target}: there is no such file")
        if anchor and path.exists():
            expect(anchor in anchors(path), page, f"a link to {target}: there is no such heading")


def code_value(text):
    """What a default in C++ is: a number (of bytes or seconds), a word, or `none`."""
    text = re.sub(r"std::size_t\{(\d+)\}", r"\1", text.strip().replace("'", ""))
    if span := re.fullmatch(r"std::chrono::(\w+)\{([\d* ]+)\}", text):
        return eval(span[2]) * SECONDS[span[1]]  # digits, blanks and '*' only
    if re.fullmatch(r"[\d<*. -]+", text):
        return float(eval(text))
    return {"": "none", "duration::zero()": 0.0}.get(text, text.strip('"'))


def page_value(text):
    """What a default in a table is."""
    text = text.strip().strip("`")
    if amount := re.fullmatch(r"(-?[\d,.]+)(?: ([A-Za-z]+))?", text):
        number, unit = float(amount[1].replace(",", "")), amount[2]
        return number * (BYTES | SECONDS).get(unit, float("nan")) if unit else number
    return text


def members(header, struct):
    """The members of an aggregate of options, with their defaults."""
    body = re.search(rf"^struct {struct} \{{\n(.*?)^\}};", read(INCLUDE / header), re.M | re.S)
    if not body:
        return {}
    lines = re.sub(r"//.*", "", body[1]).splitlines()
    found = [re.match(r"^    (?:[\w:]+(?:<[\w:]+>)?) (\w+)\s*(?:=\s*(.+?)|(\{.*\}))?;", line) for line in lines]
    return {m[1]: code_value(m[2] or (f"{re.sub(' .*', '', m[0].strip())}{m[3]}" if m[3] not in (None, "{}") else "")) for m in found if m}


def check_options(page, text):
    for some, struct, header, table in re.findall(r"^<!-- (some )?options: (\w+) in (\S+) -->\n((?:\|.*\n)+)", text, re.M):
        in_code = members(header, struct)
        expect(in_code, page, f"there is no struct {struct} in {header}")
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
        in_page = {row[0].strip("`"): page_value(row[1]) for row in rows}
        for name, value in in_page.items():
            expect(name in in_code, page, f"{struct} has no {name}")
            if name in in_code:
                same = value == in_code[name] or (isinstance(value, float) and isinstance(in_code[name], float) and abs(value - in_code[name]) < 1e-9)
                expect(same, page, f"{struct}::{name} is {in_code[name]}, not {value}")
        for name in in_code:
            expect(some or name in in_page, page, f"{struct}::{name} is not in the table")


def check_names(page, text, code):
    """That what is named in code spans exists."""
    spans = set(re.findall(r"`([^`\n]+)`", prose(text)))
    for span in sorted(spans):
        for kind, header in (("errc", "core/error.hpp"), ("condition", "core/error.hpp"), ("event", "node/event.hpp"), ("node_options", "node/options.hpp"),
                             ("gossip_options", "gossip/options.hpp"), ("swarm_options", "link/swarm_options.hpp"), ("yamux_options", "mux/yamux_options.hpp")):
            for name in re.findall(rf"\b{kind}::(\w+)", span):
                expect(re.search(rf"\b{name}\b", read(INCLUDE / header)), page, f"there is no {kind}::{name}")
        if re.fullmatch(r"(/[a-z0-9-]+)+/\d+\.\d+\.\d+/?|/noise", span) and not span.startswith("/example/"):
            expect(f'"{span}' in code, page, f"no protocol {span} in the code")
        if re.fullmatch(r"_[\w.-]+\.local", span):
            expect(f'"{span}"' in code, page, f"no DNS name {span} in the code")
        if found := re.fullmatch(r"(?:include/)?gigi/([\w/]+\.hpp)", span):
            expect(INCLUDE.joinpath(found[1]).is_file(), page, f"there is no header {span}")


def check_attacks(page, text):
    """That tests are named after the attacks where the page says so."""
    first, rest = text.split("<!-- shown -->\n")
    table = rest.split("\n\n")[0]
    named = re.compile(r'TEST_CASE\("([^"]*)"|"""(.*?)"""', re.S)
    cases = {path: " ".join("".join(found) for found in named.findall(path.read_text()))
             for path in ROOT.joinpath("tests").rglob("*test*") if path.suffix in (".cpp", ".py")}
    numbers, shown = (re.findall(r"^\| (T\d+) \|", part, re.M) for part in (first, table))
    expect(numbers == shown, page, f"the second table has not the rows of the first: {' '.join(sorted(set(numbers) ^ set(shown))) or 'another order'}")
    for number in numbers:
        expect(any(re.search(rf"\b{number}\b", names) for names in cases.values()), page, f"no test is named after {number}")
    for number, files in re.findall(r"^\| (T\d+) \|.*\| (.*) \|$", table, re.M):
        for name in re.findall(r"`(\S+)`", files):
            there = any(path.name == name and re.search(rf"\b{number}\b", names) for path, names in cases.items())
            expect(there, page, f"no test of {name} is named after {number}")


def check_events(page, text):
    named = set(re.findall(r"`event::(\w+)`", text.partition("<!-- events -->\n")[2].partition("\n\n")[0]))
    for name in re.findall(r'event_name = "(\w+)"', read(INCLUDE / "node" / "event.hpp")):
        expect(name in named, page, f"event::{name} is not in the table")


def check_toolchains(page, text):
    """That the table has the script's toolchains, in its order."""
    known = re.findall(r'^    Toolchain\("([^"]+)"', read(ROOT / "tests" / "toolchains" / "run"), re.M)
    rows = re.findall(r"^\| (\S+) \|", text.partition("<!-- results -->\n")[2].partition("<!-- end of results -->")[0], re.M)[2:]
    expect(known and rows == known, page, f"the table has rows for {', '.join(rows)}; tests/toolchains/run has {', '.join(known)}")


def main():
    update = "--update" in sys.argv[1:]
    code = "".join(read(path) for path in sorted(INCLUDE.rglob("*pp")))
    used = set()
    for page in PAGES:
        text = read(page)
        expect(text, page, "there is no such page")
        now = check_quotes(page, text, used, update)
        if now != text:
            page.write_text(now)
        check_links(page, now)
        check_options(page, now)
        check_names(page, now, code)
        if page.name == "attacks.md":
            check_attacks(page, now)
        if page.name == "events.md":
            check_events(page, now)
        if page.name == "toolchains.md":
            check_toolchains(page, now)
    for path in sorted(ROOT.joinpath("docs", "examples").glob("*.cpp")):
        found, unfinished = regions(path)
        for name in found:
            expect((path.relative_to(ROOT).as_posix(), name) in used, path, f"no page quotes [{name}]")
        for name in unfinished:
            expect(False, path, f"[{name}] has no end")
    wire = read(ROOT / "docs" / "wire.md")
    for protocol in sorted(set(re.findall(r'"(/(?!example/)[a-z0-9/-]+/\d+\.\d+\.\d+/?)"', code))):
        expect(protocol in wire, ROOT / "docs" / "wire.md", f"does not speak of {protocol}")
    targets = {path.name[:-len("_fuzz.cpp")] for path in ROOT.joinpath("tests", "fuzz").glob("*_fuzz.cpp")}
    fuzzing = ROOT / "docs" / "fuzzing.md"
    for name in sorted(targets ^ set(re.findall(r"^\| `(\w+)` \|[^|]+\|[^|]+\|$", read(fuzzing), re.M))):
        expect(False, fuzzing, f"the fuzz target {name} is in the table or in tests/fuzz, not in both")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
