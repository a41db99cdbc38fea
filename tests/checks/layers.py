#!/usr/bin/env python3
"""Holds the headers to the layers: who includes whom, who includes what library, and the rules that no compiler checks."""
import pathlib, re, sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / 'include' / 'gigi'
LAYERS = ['core', 'codec', 'crypto', 'peer', 'transport', 'security', 'mux', 'link', 'protocol', 'discovery', 'gossip', 'file', 'node']
LIBRARIES = {  # library: the folders or files that may include it
    'asio': ['core/asio.hpp'], 'asio.hpp': ['core/asio.hpp'],
    'openssl': ['crypto/'],
    'cereal': ['codec/'], 'protozero': ['codec/'],
    'dns_sd.h': ['discovery/dnssd.hpp'],
}
problems, untested, checks = [], [], 0


def complain(path, line, what):
    problems.append(f'{path.relative_to(ROOT)}:{line}: {what}')


def without_comments(text):
    return re.sub(r'//[^\n]*|/\*.*?\*/', lambda m: '\n' * m.group().count('\n'), text, flags=re.S)


for header in sorted(INCLUDE.rglob('*.hpp')):
    checks += 1
    relative = header.relative_to(INCLUDE)
    layer = relative.parts[0] if len(relative.parts) > 1 else None
    text = header.read_text()
    if '#pragma once' not in text:
        complain(header, 1, 'no #pragma once')
    for number, line in enumerate(text.splitlines(), 1):
        own = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if own:
            target = (header.parent / own[1]).resolve()
            if not target.is_file():
                complain(header, number, f'includes "{own[1]}", which is not there')
            elif layer in LAYERS:
                included = target.relative_to(INCLUDE).parts
                if len(included) < 2:
                    if included[0] != 'version.hpp':
                        complain(header, number, f'{layer}/ includes {included[0]}')
                elif included[0] not in LAYERS or LAYERS.index(included[0]) > LAYERS.index(layer):
                    complain(header, number, f'{layer}/ includes {"/".join(included)}, which is below it')
        library = re.match(r'\s*#\s*include\s*<([^/>]+)', line)
        if library and library[1] in LIBRARIES:
            if not any(str(relative).startswith(where) for where in LIBRARIES[library[1]]):
                complain(header, number, f'includes <{library[1]}…>; only {", ".join(LIBRARIES[library[1]])} may')
    code = without_comments(text)
    for number, line in enumerate(code.splitlines(), 1):
        if re.search(r'\bdetached\b', line):
            complain(header, number, 'a detached task: spawn it in a task_group')
        if re.search(r'\?[^:;"]*\bco_await\b', line) or re.search(r'co_await[^;]*(\|\||&&)[^;]*co_await', line):
            complain(header, number, 'co_await within ?:, || or &&: g++ 12 miscompiles it, or errors are lost')
        if re.search(r'auto\s*&?&?\s*\[[^\]]*\]\s*=\s*co_await', line):
            complain(header, number, 'a structured binding straight from co_await: newer g++ forgets destructors')
    test = ROOT / 'tests' / 'unit' / relative.with_suffix('').as_posix()
    if layer in LAYERS and not pathlib.Path(str(test) + '_test.cpp').is_file():
        untested.append(str(relative))

for problem in problems:
    print(problem)
if untested:
    print(f'without a unit test of their own: {" ".join(untested)}')
print(f'{checks} headers, {len(problems)} problems')
sys.exit(1 if problems else 0)
