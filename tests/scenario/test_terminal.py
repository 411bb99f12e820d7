# SPDX-License-Identifier: Apache-2.0
"""What people see on a terminal and what scripts read from a pipe: the same cells, differently laid out."""

import fcntl
import json
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import termios

import pytest

from daemon import PATIENCE, Daemon, endpoint, profile, program, wait_for
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


class Terminal:
    """A command that has one for itself, of this width."""

    def __init__(self, *command, width=200, **environment):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "", **environment}
        # a session's leader gets the terminal that it opens first
        script = 'exec "$@" <"$0" >"$0" 2>&1'
        self.process = subprocess.Popen(
            ["sh", "-c", script, os.ttyname(theirs), *map(str, command)], env=environment, start_new_session=True
        )
        self.spare = theirs  # what was written would be lost with the last
        self.seen = b""

    def echoes(self):
        return bool(termios.tcgetattr(self.ours)[3] & termios.ECHO)

    def type(self, text):
        os.write(self.ours, text.encode())

    def answer(self, question, text):
        while question.encode() not in self.seen:
            self.seen += os.read(self.ours, 4096)
        self.type(text + "\n")

    def end(self):
        """(exit status, all that was written)"""
        status = self.process.wait(PATIENCE)
        os.close(self.spare)
        text = (self.seen + read_all(self.ours)).decode()
        os.close(self.ours)
        return status, text.replace("\r\n", "\n")


def on_terminal(*command, **options):
    status, text = Terminal(*command, **options).end()
    assert status == 0, text
    return text


def device(name):
    return Request(key=rsa_key(), subject={"common_name": name})


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = Daemon(
        tmp_path_factory.mktemp("terminal"),
        profiles=[profile()],
        endpoints=[endpoint("demo"), endpoint("shut", authorisation={"one_time": True}), endpoint("manual", approval="manual"), endpoint("later", ca="later")],
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


def enrolling(daemon, directory, name):
    return [
        program("scepter"), "enrol", "--url", daemon.url(), "--ca-fingerprint", daemon.authority().fingerprint,
        "--subject", f"CN={name}", "--key", directory / f"{name}.key", "--cert", directory / f"{name}.pem",
    ]  # fmt: skip


def test_long_work_is_told_to_who_watches(daemon, tmp_path):
    shown = on_terminal(*enrolling(daemon, tmp_path, "one"))
    assert "making a key: rsa2048 ...\r\x1b[K" in shown
    # not for one that is there, nor in a pipe
    assert "making" not in on_terminal(*enrolling(daemon, tmp_path, "one"))
    quiet = subprocess.run(enrolling(daemon, tmp_path, "two"), capture_output=True, text=True, check=True)
    assert quiet.stderr == "" and "\x1b" not in quiet.stdout
    assert "making the keys ...\r\x1b[K" in table(daemon, "ca", "init", "other")
    assert "waiting for" in table(daemon, "ca", "rollover", "other")
    assert re.search(r"\d+ events to come", table(daemon, "audit", "verify"))
    assert daemon.ctl("audit", "verify").stderr == ""
    assert re.search(r"fetching 100 %\r", table(daemon, "backup", str(tmp_path / "copy")))


def test_typed_challenge_is_not_shown(daemon):
    terminal = Terminal(program("scepterctl"), "challenge", "hash")
    terminal.answer("Challenge: ", "open sesame")
    terminal.answer("Once more: ", "open sesame")
    status, text = terminal.end()
    assert status == 0 and "sesame" not in text
    assert re.search(r"Challenge: \nOnce more: \n\$scrypt\$", text)


def test_mistyped_challenge(daemon):
    terminal = Terminal(program("scepterctl"), "challenge", "hash")
    terminal.answer("Challenge: ", "open sesame")
    terminal.answer("Once more: ", "open seasme")
    status, text = terminal.end()
    assert status == 65 and "the two are not the same" in text


def test_interrupted_challenge(daemon):
    """Ctrl-C leaves a terminal behind that shows what is typed."""
    terminal = Terminal(program("scepterctl"), "challenge", "hash")
    wait_for("the question", lambda: not terminal.echoes())
    terminal.type("half\x03")
    wait_for("echo", terminal.echoes)
    status, text = terminal.end()
    assert status == 74 and "interrupted" in text


def without_room():
    """As on a full disk: files can be made, but nothing written into them."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def run_without_room(*command):
    return subprocess.run(command, capture_output=True, text=True, preexec_fn=without_room, timeout=PATIENCE * 2)


def test_full_disk_loses_no_certificate(daemon, tmp_path):
    """What was issued, but could not be kept, is what the same command gets again."""
    command = enrolling(daemon, tmp_path, "full")
    subprocess.run(["openssl", "genrsa", "-out", tmp_path / "full.key", "2048"], check=True, capture_output=True)
    failed = run_without_room(*command)
    assert failed.returncode == 74 and "run the same command again" in failed.stderr, failed.stderr
    assert f"{tmp_path}/full.pem: write" in failed.stderr
    (issued,) = daemon.ctl_json("cert", "list", "--subject", "CN=full")["certs"]
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    assert f'"serial":"{issued["serial"]}"' in again.stdout.replace('": "', '":"')
    assert len(daemon.ctl_json("cert", "list", "--subject", "CN=full")["certs"]) == 1


def test_full_disk_leaves_no_half_backup(daemon, tmp_path):
    ctl = [program("scepterctl"), "--socket", str(daemon.admin.path)]
    failed = run_without_room(*ctl, "backup", tmp_path / "copy")
    assert failed.returncode == 74 and "store.db" in failed.stderr
    assert not (tmp_path / "copy").exists()
    daemon.ctl("backup", str(tmp_path / "copy"))
    failed = run_without_room(*ctl, "audit", "export", tmp_path / "a.jsonl")
    assert failed.returncode == 74 and f"{tmp_path}/a.jsonl" in failed.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["copy"]


def test_options_that_would_count_for_nothing(daemon, tmp_path):
    for command, says in (
        (("ca", "init", "wrong", "--out", tmp_path / "x"), "--out goes with --subordinate"),
        (("ca", "show", "demo", "--role", "ra"), "go with --pem"),
        (("ca", "show", ""), "NAME is empty"),
    ):
        run = daemon.ctl(*map(str, command), check=False)
        assert run.returncode == 64 and says in run.stderr, command
    assert "wrong" not in daemon.ctl("ca", "list").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_who_may_not_is_told(daemon):
    """Whether the socket or only its directory is closed."""
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program("scepterctl")]
    run = subprocess.run([*command, "--socket", daemon.admin.path, "status"], capture_output=True, text=True)
    if "setpriv" not in run.stderr:  # the build may be closed to others, too
        assert run.returncode == 77 and "try with sudo" in run.stderr


def test_refused_for_want_of_a_challenge(daemon, tmp_path):
    """The server says what it misses, the client how to give it."""
    command = enrolling(daemon, tmp_path, "poor")
    command[command.index("--url") + 1] = daemon.url("shut")
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 77 and "--challenge-file" in run.stderr


def test_a_list_that_goes_on_says_so(daemon):
    """Even in a pipe, where the rows are alone on standard output."""
    page = daemon.ctl("cert", "list", "--limit", "1")
    assert page.stdout.count("\n") == 1
    cursor = re.fullmatch(r"More: --cursor (\S+)\n", page.stderr).group(1)
    rest = daemon.ctl("cert", "list", "--cursor", cursor)
    assert rest.stderr == "" and page.stdout + rest.stdout == daemon.ctl("cert", "list").stdout


def test_decode_tells_where_a_certificate_points(tmp_path):
    """As openssl, which made it, says it."""
    config = tmp_path / "c.cnf"
    config.write_text(
        "[req]\ndistinguished_name=d\nx509_extensions=e\n[d]\n[e]\n"
        "crlDistributionPoints=URI:http://a.example/one.crl,URI:http://b.example/two.crl\n"
        "authorityInfoAccess=OCSP;URI:http://o.example/,caIssuers;URI:http://i.example/ca.cer\n"
    )
    command = ["openssl", "req", "-x509", "-config", config, "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a"]
    subprocess.run([*command, "-keyout", tmp_path / "k", "-out", tmp_path / "c.pem"], check=True, capture_output=True)
    run = subprocess.run([program("scepter"), "decode", tmp_path / "c.pem", "--json"], capture_output=True, check=True)
    extensions = json.loads(run.stdout)["extensions"]
    assert extensions["cRLDistributionPoints"] == ["http://a.example/one.crl", "http://b.example/two.crl"]
    assert extensions["authorityInfoAccess"] == ["id-ad-ocsp http://o.example/", "id-ad-caIssuers http://i.example/ca.cer"]


@pytest.mark.parametrize("modes", [("--check", "--restore", "x"), ("--check", "--protect-keys")])
def test_server_does_one_thing_at_a_time(modes):
    run = subprocess.run([program("scepterd"), *modes], capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 64 and "exclude each other" in run.stderr
