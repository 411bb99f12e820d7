# SPDX-License-Identifier: Apache-2.0
"""What people see on a terminal and what scripts read from a pipe: the same cells, differently laid out."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest

from daemon import PATIENCE, Daemon, endpoint, profile, program
from scep_peer import Request, rsa_key

ESCAPES = re.compile(r"\x1b\[[0-9;]*[mK]")
GREEN, RED, YELLOW, DIM = "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m"


def read_all(fd):
    out = b""
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:  # the other end is closed
            return out
        if not part:
            return out
        out += part


def on_terminal(*command, width=200, **environment):
    """All that the command writes to a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    text = read_all(ours).decode()
    os.close(ours)
    assert process.wait(PATIENCE) == 0, text
    return text.replace("\r\n", "\n")


def device(name):
    return Request(key=rsa_key(), subject={"common_name": name})


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = Daemon(
        tmp_path_factory.mktemp("terminal"),
        profiles=[profile()],
        endpoints=[endpoint("demo"), endpoint("manual", approval="manual"), endpoint("later", ca="later")],
    ).start()
    daemon.admin.ca_init("demo")
    for name in ("good", "bad", "held"):
        daemon.enrol(device(name))
    serials = {c["subject"][3:]: c["serial"] for c in daemon.ctl_json("cert", "list")["certs"]}
    daemon.ctl("cert", "revoke", serials["bad"])
    daemon.ctl("cert", "hold", serials["held"])
    daemon.enrol(device("waits"), name="manual")
    daemon.ctl("challenge", "new", "--endpoint", "demo")
    yield daemon
    daemon.stop()


def table(daemon, *command, **options):
    return on_terminal(program("scepterctl"), "--socket", str(daemon.admin.path), *command, **options)


LISTS = [("ca", "list"), ("cert", "list"), ("challenge", "list"), ("request", "list"), ("audit", "tail")]


@pytest.mark.parametrize("command", LISTS)
def test_head_and_columns(daemon, command):
    """Each cell begins where its head does, on every line."""
    head, *rows = ESCAPES.sub("", table(daemon, *command)).splitlines()
    assert head == head.upper()
    starts = [m.start() for m in re.finditer(r"(?:^|(?<=  ))\S", head)]
    assert len(starts) > 4 and rows
    piped = daemon.ctl(*command).stdout.splitlines()
    assert len(piped) == len(rows)
    for row, cells in zip(rows, piped, strict=True):
        ends = [*starts[1:], None]
        assert [row[a:b].strip() for a, b in zip(starts, ends, strict=True)] == [c.strip() for c in cells.split("\t")]


@pytest.mark.parametrize("command", LISTS)
def test_pipe_has_cells_only(daemon, command):
    out = daemon.ctl(*command).stdout
    assert "\x1b" not in out and out.endswith("\n")
    assert len({line.count("\t") for line in out.splitlines()}) == 1
    assert out.split("\t")[0] != ESCAPES.sub("", table(daemon, *command)).split()[0]


def test_states_have_colours(daemon):
    certs = table(daemon, "cert", "list")
    for state, colour in (("good", GREEN), ("revoked", RED), ("hold", YELLOW)):
        assert f"{colour}{state}\x1b[0m" in certs, state
    assert f"{YELLOW}pending\x1b[0m" in table(daemon, "request", "list")
    status = table(daemon, "status")
    assert f"{GREEN}ready\x1b[0m" in status and f"{YELLOW}waits for scepterctl ca init\x1b[0m" in status


def test_no_colour(daemon):
    assert "\x1b" not in table(daemon, "cert", "list", NO_COLOR="1")
    assert "\x1b" not in table(daemon, "cert", "list", TERM="dumb")


def test_narrow_terminal(daemon):
    """Nothing is cut off: a row goes on, indented, on the next line."""
    wide = ESCAPES.sub("", table(daemon, "cert", "list", width=300))
    narrow = ESCAPES.sub("", table(daemon, "cert", "list", width=80))
    assert all(len(line.rstrip()) <= 80 for line in narrow.splitlines())
    assert narrow.split() == wide.split()
    assert len(narrow.splitlines()) == 2 * len(wide.splitlines())
    assert all(line.startswith("    ") for line in narrow.splitlines()[1::2])


def test_expired_is_told(daemon):
    """In the table; the API tells what was decided, and the times."""
    known = {c["status"] for c in daemon.ctl_json("cert", "list")["certs"]}
    assert known == {"good", "hold", "revoked"}
    listed = [line.split("\t")[2] for line in daemon.ctl("cert", "list").stdout.splitlines()]
    assert sorted(listed) == ["good", "hold", "revoked"]


def test_help_fits(daemon):
    text = on_terminal(program("scepterctl"), "ca", "init", "--help", width=80)
    told = text.split("Examples:")[0].splitlines()
    assert max(len(line) for line in told) <= 80
    assert all(line in text for line in ("Options of every command:", "  --json "))


def test_a_group_alone_says_what_it_has(daemon):
    for command in ((), ("cert",)):
        run = daemon.ctl(*command, check=False)
        assert run.returncode == 64 and run.stdout == ""
        assert "Commands:" in run.stderr
