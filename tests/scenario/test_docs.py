# SPDX-License-Identifier: Apache-2.0
"""What the documentation says to type exists, and what it points to is there."""

import functools
import re
import subprocess

import pytest

from daemon import BUILD, ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MANUALS = sorted((ROOT / "man").glob("*.[1-8]"))
# "scepterctl --socket PATH cert list --limit 20", in code or between backquotes
COMMAND = re.compile(r"^\s*(?:\$ |sudo |\w+=.?)?(?:build/)?(scepterctl|scepter|\$SCEPTERCTL|\$SCEPTER) ((?:--|[a-z]).*)")
PROGRAMS = {"$SCEPTERCTL": "scepterctl", "$SCEPTER": "scepter"}


@functools.cache
def help_of(*words):
    """None: there is no such command."""
    run = subprocess.run([BUILD / words[0], *words[1:], "--help"], capture_output=True, text=True, timeout=60)
    return run.stdout if run.returncode == 0 else None


def commands_in(text):
    part = re.search(r"^Commands:\n(.*?)\n\n", text, re.M | re.S)
    return re.findall(r"^  ([a-z]+) ", part.group(1), re.M) if part else []


def options_in(text):
    return set(re.findall(r"^  (--[a-z0-9-]+)", text, re.M))


def code_of(page):
    """Lines that are to be typed, those that go on joined."""
    text = page.read_text().replace("\\e\n", "\\\n").replace("\\\n", " ")
    if page.suffix != ".md":
        return re.findall(r"^(?:\.Dl )?((?:\$ )?scepter(?:ctl)? .*)$", text, re.M)
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.M | re.S)
    return [line for block in blocks for line in block.splitlines()] + re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


def walk(name, words):
    """(way to the command, options that were given) of the words behind a program's name"""
    way, options = [name], set()
    for word in words:
        text = help_of(*way)
        if word.startswith("--"):
            options.add(word.split("=")[0])
        elif word in commands_in(text):
            way.append(word)
        elif commands_in(text) and not options and re.fullmatch(r"[a-z]+", word):
            raise AssertionError(f"{' '.join(way)} has no command {word}")
    return way, options


def typed_in(page):
    for line in code_of(page):
        found = COMMAND.search(re.sub(r"\s+#.*|[|>;].*", "", line))
        if found:
            yield PROGRAMS.get(found.group(1), found.group(1)), re.sub(r"[\[\]'\"()]", " ", found.group(2)).split()


@pytest.mark.parametrize("page", PAGES + MANUALS, ids=lambda p: p.name)
def test_commands_and_options_exist(page):
    for name, words in typed_in(page):
        way, options = walk(name, words)
        assert options <= options_in(help_of(*way)), f"{' '.join(way)}: {words}"


def test_there_is_something_to_test():
    assert sum(1 for page in PAGES + MANUALS for _ in typed_in(page)) > 90


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_readme_names_each_document():
    readme = PAGES[0].read_text()
    for page in PAGES[1:]:
        assert f"docs/{page.name}" in readme, page.name


@pytest.mark.parametrize("page", MANUALS, ids=lambda p: p.name)
def test_cross_references(page):
    """To our own pages."""
    for name, section in re.findall(r"^\.Xr ((?:lib)?scepter\S*) (\d)", page.read_text(), re.M):
        assert (ROOT / f"man/{name}.{section}").exists(), name
