# SPDX-License-Identifier: Apache-2.0
"""What is installed under DESTDIR is enough: programs, man pages, completion, and libscepter to build with."""

import os
import re
import subprocess

import pytest

from daemon import BUILD, PATIENCE, ROOT


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The build's own prefix, below a directory as a packager has it."""
    top = tmp_path_factory.mktemp("install")
    command = ["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", top]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return top


def find(tree, name):
    (path,) = tree.rglob(name)
    return path


@pytest.mark.parametrize("name", ["scepterd", "scepterctl", "scepter"])
def test_programs_have_a_man_page_and_completion(tree, name):
    program = next(p for p in tree.rglob(name) if p.parent.name in ("bin", "sbin"))
    assert os.access(program, os.X_OK)
    pages = [p for p in tree.rglob(f"{name}.[18]") if p.parent.parent.name == "man"]
    assert len(pages) == 1
    completion = next(p for p in tree.rglob(name) if p.parent.name == "completions")
    script = f'source {completion}; complete -p {name}'
    subprocess.run(["bash", "-c", script], check=True, capture_output=True)
    assert subprocess.run([program, "--version"], capture_output=True).returncode == 0
    assert name in find(tree, f"{name}.fish").read_text()
    assert name in find(tree, "_scepter").read_text().splitlines()[0].split()


@pytest.mark.parametrize("name,section", [("scepter", 1), ("scepterctl", 8)])
def test_each_command_has_its_page(tree, name, section):
    """The program's page names each, with its options or with the page that has them."""
    usage = subprocess.run([BUILD / name, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  ([a-z]+) ", usage.split("Commands:")[1].split("\n\n")[0], re.M)
    assert len(commands) > 5
    installed = [p.name for p in tree.rglob(f"*.{section}")]
    page = find(tree, f"{name}.{section}").read_text()
    named = " ".join(re.findall(r"^\.It (Cm .*)", page, re.M))
    for command in commands:
        assert f"Cm {command}" in named, command
    for other in re.findall(rf"\.Xr ({name}-\S+) {section}", page):
        assert f"{other}.{section}" in installed, other
    for leaf in installed:
        assert leaf.startswith(f"{name}-") is False or f".Xr {leaf.rpartition('.')[0]} {section}" in page, leaf


def test_units_for_systemd(tree):
    for name in ("scepterd.service", "scepterd.socket", "scepter.conf"):
        assert find(tree, name).stat().st_size


def sanitizer_of(library):
    linked = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    return next((line.split()[2] for line in linked.splitlines() if "libasan" in line), "")


def test_the_example_builds_and_enrols(tree, shared, tmp_path):
    """By pkg-config against the installed tree alone; the challenge comes by standard input."""
    source = ROOT / "docs/examples/enrol.c"
    assert len(source.read_text().splitlines()) <= 40
    pc = find(tree, "libscepter.pc").parent
    environment = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(tree), PKG_CONFIG_PATH=str(pc))
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "libscepter"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    command = ["gcc", "-Wall", "-Wextra", "-Werror", source, *flags, "-Wl,--allow-shlib-undefined", "-o", "enrol"]
    subprocess.run(command, cwd=tmp_path, check=True)
    library = find(tree, "libscepter.so.0").parent
    environment = dict(os.environ, LD_LIBRARY_PATH=str(library), ASAN_OPTIONS="detect_leaks=0")
    environment["LD_PRELOAD"] = sanitizer_of(library / "libscepter.so.0")
    arguments = [shared.url("demo"), shared.authority().fingerprint, "CN=by-library"]
    for challenge, code in (("not-the-one\n", 1), (shared.admin.challenge() + "\n", 0)):
        run = subprocess.run(
            [tmp_path / "enrol", *arguments],
            cwd=tmp_path, env=environment, input=challenge, text=True, capture_output=True, timeout=2 * PATIENCE,
        )  # fmt: skip
        assert run.returncode == code, run.stderr
    ends = ["openssl", "verify", "-CAfile", "ca.pem", "device.pem"]
    assert subprocess.run(ends, cwd=tmp_path, capture_output=True).returncode == 0
    assert (tmp_path / "device.key").stat().st_mode & 0o777 == 0o600
