# SPDX-License-Identifier: Apache-2.0
"""Completion in bash, zsh and fish offers what --help tells of, everywhere, by the shells themselves."""

import os
import re
import shutil
import subprocess

import pytest

from daemon import BUILD, ROOT

SCRIPTS = ROOT / "packaging/completion"
PATH = f"{BUILD}:{os.environ['PATH']}"
COMMON = {"--json", "--help", "--version"}

needs_zsh = pytest.mark.skipif(not shutil.which("zsh"), reason="no zsh here")
needs_fish = pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")


def run(*command):
    done = subprocess.run(
        command, env=dict(os.environ, PATH=PATH, HOME="/nonexistent"), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def bash(*words, function="_scepter"):
    script = f"""source {SCRIPTS}/scepter.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); {function} "$1"
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    return set(run("bash", "-c", script, "-", *words).split())


def zsh(*words):
    """What _describe and _files would have been given."""
    script = f"""_describe() {{ print -rl -- "${{(@P)2}}" }}; _files() {{ print FILES }}; _arguments() {{ print -rl -- "$@" }}
        words=("$@"); CURRENT=$#; service=$1
        complete_it() {{ source {SCRIPTS}/scepter.zsh }}; complete_it"""
    lines = run("zsh", "-f", "-c", script, "-", *words).splitlines()
    return {re.split(r"(?<!\\):", line)[0].replace("\\:", ":") for line in lines}


def fish(*words, script="scepter.fish"):
    line = " ".join(words)
    out = run("fish", "--no-config", "-c", f"source {SCRIPTS}/{script}; complete -C '{line}'")
    return {row.split("\t")[0] for row in out.splitlines()}


def help_of(*words):
    return run(*words, "--help")


def commands_in(text):
    part = re.search(r"^Commands:\n(.*?)\n\n", text, re.M | re.S)
    return re.findall(r"^  ([a-z]+) ", part.group(1), re.M) if part else []


def all_commands():
    """(program, command...) of each that there is."""
    for name in ("scepter", "scepterctl"):
        for command in commands_in(help_of(str(BUILD / name))):
            below = commands_in(help_of(str(BUILD / name), command))
            yield from [(name, command, sub) for sub in below] or [(name, command)]


@pytest.mark.parametrize("shell", [bash, pytest.param(zsh, marks=needs_zsh), pytest.param(fish, marks=needs_fish)])
@pytest.mark.parametrize("name", ["scepter", "scepterctl"])
def test_commands(shell, name):
    known = commands_in(help_of(name))
    assert len(known) > 5
    assert shell(name, "") == set(known)
    for command in known:
        below = commands_in(help_of(name, command))
        if below:
            assert shell(name, command, "") == set(below), command
            assert below[0] in shell(name, command, below[0][:2])


def test_options_of_each_command():
    """In bash each; the other shells ask the same program."""
    each = list(all_commands())
    assert len(each) > 35
    for words in each:
        told = set(re.findall(r"^  (--[a-z0-9-]+)", help_of(*words), re.M))
        assert told > COMMON
        assert bash(*words, "--") == told, words


@pytest.mark.parametrize("shell", [bash, pytest.param(zsh, marks=needs_zsh), pytest.param(fish, marks=needs_fish)])
def test_options_and_values(shell):
    assert {"--endpoint", "--lifetime", "--json", "--socket"} <= shell("scepterctl", "challenge", "new", "--")
    assert shell("scepterctl", "ca", "init", "x", "--ra", "") == {"one", "split", "none"}
    assert shell("scepter", "enrol", "--key-type", "p") == {"p256", "p384", "p521"}
    # what stands before the command does not hide it
    assert "list" in shell("scepterctl", "--socket", "/run/x.sock", "cert", "li")
    assert shell("scepterctl", "ca", "init", "x", "--key-store", "tp") == {"tpm:"}


def test_bash_splits_at_equals_signs():
    assert bash("scepterctl", "ca", "init", "x", "--ra", "=", "s") == {"split"}
    assert bash("scepterctl", "--socket", "=", "x", "cert", "re") == {"revoke", "release"}


def test_files(tmp_path):
    (tmp_path / "one.pem").touch()
    assert bash("scepterctl", "backup", f"{tmp_path}/o") == {f"{tmp_path}/one.pem"}
    assert bash("scepter", "decode", "--key", f"{tmp_path}/o") == {f"{tmp_path}/one.pem"}
    if shutil.which("fish"):
        assert f"{tmp_path}/one.pem" in fish("scepter", "enrol", "--cert", f"{tmp_path}/o")
    if shutil.which("zsh"):
        assert zsh("scepter", "enrol", "--cert", "") == {"FILES"}


def test_the_server():
    told = set(re.findall(r"^  (--[a-z-]+)", help_of("scepterd"), re.M))
    assert bash("scepterd", "--", function="_scepterd") == told
    if shutil.which("fish"):
        assert fish("scepterd", "--", script="scepterd.fish") == told
    if shutil.which("zsh"):
        assert {re.sub(r"\[.*", "", row) for row in zsh("scepterd", "--")} == told


@pytest.mark.parametrize(
    "command",
    [
        ["bash", "-n", "scepter.bash"],
        pytest.param(["zsh", "-n", "scepter.zsh"], marks=needs_zsh),
        pytest.param(["fish", "-n", "scepter.fish"], marks=needs_fish),
        pytest.param(["fish", "-n", "scepterd.fish"], marks=needs_fish),
    ],
)
def test_syntax(command):
    run(*command[:-1], str(SCRIPTS / command[-1]))
