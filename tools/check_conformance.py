#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each requirement in the tables of docs/est.md names a test that exists, or says why it has none.

A test is a function of tests/**/*.py or tests/unit/*.c, or a file below tests/, in `backticks` in the last column.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "est.md"
HEADING = "## The requirements, and their tests"


def known_tests():
    names = set()
    for path in (ROOT / "tests").rglob("*.py"):
        names |= set(re.findall(r"^\s*def (test_\w+)\(", path.read_text(), re.M))
    for path in (ROOT / "tests" / "unit").glob("*.c"):
        names |= set(re.findall(r"cmocka_unit_test(?:_setup_teardown)?\(\s*(\w+)", path.read_text()))
    return names


def missing(name, tests):
    if "." in name or "/" in name:
        return not any((ROOT / "tests").rglob(name.rsplit("/", 1)[-1]))
    return name not in tests


def rows(text):
    """(line number, cells) of the tables behind the heading."""
    begun = False
    for n, line in enumerate(text.splitlines(), 1):
        begun |= line == HEADING
        if begun and line.startswith("| ") and not line.startswith("| RFC 7030 |"):
            yield n, [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def main():
    tests, found, wrong = known_tests(), 0, []
    for n, cells in rows(PAGE.read_text()):
        found += 1
        named = re.findall(r"`([a-z][\w/.]+)`", cells[-1])
        excused = re.match(r"not applicable: .+|all: .+", cells[-1])
        for name in named:
            if missing(name, tests) and (name.startswith("test") or not excused):
                wrong.append(f"{n}: there is no test {name}")
        if not named and not excused:
            wrong.append(f"{n}: neither a test nor \"not applicable: why\"")
    if found < 50:
        wrong.append(f"the tables behind \"{HEADING}\" have {found} rows only")
    for line in wrong:
        print(f"docs/est.md:{line}")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
