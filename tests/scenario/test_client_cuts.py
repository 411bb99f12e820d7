# SPDX-License-Identifier: Apache-2.0
"""scepter killed before each system call that matters: no file is half written, the next run goes on."""

import os
import pty
import re
import stat
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep_peer
from daemon import PATIENCE, Daemon, endpoint, have, listed, profile, program, scepter

needs_strace = pytest.mark.skipif(not have("strace"), reason="strace is not installed")
RULES = {"one_time": True, "renewal": True}
# All that touches a file or the network; each run is killed as it enters the n-th of one of them.
CALLS = ["unlink", "fchmod", "write", "fsync", "rename", "connect", "sendto", "recvfrom"]
ANY_LEAK = {"ASAN_OPTIONS": "detect_leaks=0"}  # which cannot be looked for under strace


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = Daemon(
        tmp_path_factory.mktemp("cuts"),
        profiles=[profile("device", renewal={"window": "any"})],
        endpoints=[
            endpoint("demo", authorisation=RULES),
            endpoint("manual", approval="manual", authorisation=RULES),
        ],
    ).start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


class Device:
    def __init__(self, daemon, directory, name="demo", key_type="p256"):
        directory.mkdir(exist_ok=True)
        self.daemon, self.directory = daemon, directory
        self.key, self.cert, self.ca = (directory / n for n in ("key", "cert", "ca"))
        self.challenge = directory / "challenge"
        self.challenge.write_text(daemon.admin.challenge())
        self.common = [
            "--url", daemon.url(name), "--ca-fingerprint", daemon.authority(name).fingerprint,
            "--key", self.key, "--cert", self.cert, "--ca", self.ca,
        ]  # fmt: skip
        self.asked = ["--subject", "CN=cut", "--challenge-file", self.challenge, "--key-type", key_type]

    def arguments(self, command, *options):
        asked = ["--key-type", "p256"] if command == "renew" else self.asked
        return [command, *self.common, *asked, *options]

    def run(self, command, *options):
        return scepter(*self.arguments(command, *options))

    def must(self, command, *options):
        run = self.run(command, *options)
        assert run.returncode == 0, run.stderr
        return run

    def killed(self, call, n, command, *options):
        """Runs until the n-th call; False: it never came to that."""
        run = subprocess.run(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
             "-e", f"inject={call}:signal=KILL:when={n}",
             program("scepter"), *map(str, self.arguments(command, *options))],
            capture_output=True, text=True, timeout=PATIENCE * 2, env={**os.environ, **ANY_LEAK},
        )  # fmt: skip
        assert run.returncode in (0, -9, 137), run.stderr
        return run.returncode != 0

    def whole(self):
        """Every file that is there is complete; a key is nobody else's to read at any time."""
        for path in self.directory.iterdir():
            if path.name.startswith("key"):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            if path.suffix == ".tmp" or path == self.challenge:
                continue
            data = path.read_bytes()
            if path.name.startswith("key"):
                serialization.load_pem_private_key(data, None)
            else:
                x509.load_pem_x509_certificate(data)

    def pair(self):
        """The certificate, which is for the key beside it."""
        self.whole()
        key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        cert = x509.load_pem_x509_certificate(self.cert.read_bytes())
        assert scep_peer.spki_of(key) == cert.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return cert

    def tidy(self):
        left = {p.name for p in self.directory.iterdir()}
        assert left == {"key", "cert", "ca", "challenge"}, left


def points():
    """Call by call until a run comes through; which call, which time."""
    for call in CALLS:
        n = 1
        while (yield call, n):
            n += 1


def at_every_point(attempt):
    """attempt(call, n) says whether it was killed. How many points there were."""
    walk = points()
    point, count = next(walk), 0
    while True:
        killed = attempt(*point)
        count += killed
        try:
            point = walk.send(killed)
        except StopIteration:
            return count


def issued(daemon):
    return len(daemon.admin.certs(limit=1000))


@needs_strace
def test_enrol(daemon, tmp_path):
    """Whenever it is cut off, the next run has one certificate and its key, and leaves nothing."""

    def attempt(call, n):
        device = Device(daemon, tmp_path / f"{call}-{n}")
        before = issued(daemon)
        killed = device.killed(call, n, "enrol")
        device.whole()
        device.must("enrol")
        device.pair()
        device.tidy()
        assert issued(daemon) == before + 1, (call, n)
        return killed

    assert at_every_point(attempt) >= 20


@needs_strace
@pytest.mark.parametrize("options", [(), ("--same-key",)], ids=["new key", "same key"])
def test_renew(daemon, tmp_path, options):
    """There is a valid pair at once after recovery: the old one or the new one, and one renewal."""

    def attempt(call, n):
        device = Device(daemon, tmp_path / f"{call}-{n}")
        device.must("enrol")
        old = device.pair()
        if options:
            device.arguments = lambda command, *more: [command, *device.common, *options, *more]
        before = issued(daemon)
        killed = device.killed(call, n, "renew")
        device.whole()
        device.must("renew", "--within", "1d")
        if device.pair() == old:
            device.must("renew")
        assert device.pair() != old
        device.tidy()
        assert issued(daemon) == before + 1, (call, n)
        return killed

    assert at_every_point(attempt) >= 20


@needs_strace
@pytest.mark.parametrize(
    "call,n", [("sendto", 3), ("recvfrom", 3), ("clock_nanosleep", 1), ("sendto", 4), ("recvfrom", 4)]
)
def test_enrol_that_waits(daemon, tmp_path, call, n):
    """Cut off as it asks, sleeps or polls; once approved, the next run has the certificate."""
    device = Device(daemon, tmp_path / "device", "manual", "rsa2048")
    assert device.killed(call, n, "enrol", "--wait", "20s")
    while not device.key.exists():  # libcurl looked once more often: it was in GetCACert yet
        n += 1
        assert device.killed(call, n, "enrol", "--wait", "20s")
    device.whole()
    key = device.key.read_bytes()
    assert not device.cert.exists()
    assert device.run("enrol").returncode == 75
    (row,) = listed(daemon.admin.call("GET", "/requests"))
    daemon.admin.call("POST", f"/requests/{row['id']}/approve", {})
    before = issued(daemon)
    device.must("enrol", "--wait", "20s")
    device.pair()
    device.tidy()
    assert device.key.read_bytes() == key
    assert issued(daemon) == before


def on_a_terminal(arguments):
    """Exit status, and what standard error shows to a person."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [program("scepter"), *map(str, arguments)], stderr=slave, stdout=subprocess.DEVNULL
    )
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            chunk = os.read(master, 4096)
        except OSError:  # the other end is gone
            break
        if not chunk:
            break
        shown += chunk
    os.close(master)
    return process.wait(PATIENCE), shown.decode()


def test_progress_line(daemon, tmp_path):
    """On a terminal it says what it waits for, in one line that is gone at the end; else nothing."""
    device = Device(daemon, tmp_path / "device", "manual", "rsa2048")
    status, shown = on_a_terminal(device.arguments("enrol", "--wait", "6s"))
    assert status == 75
    lines = re.findall(r"waiting for approval; next attempt in (\d+) s, giving up in (\d+) s", shown)
    assert lines and all(int(pause) <= int(left) <= 6 for pause, left in lines), shown
    assert shown.count("\r\x1b[K") >= 2 * len(lines)
    assert shown.count("\n") == 1, "the error alone ends a line"
    quiet = device.run("enrol", "--wait", "1s")
    assert quiet.returncode == 75 and "giving up" not in quiet.stderr
    (row,) = listed(daemon.admin.call("GET", "/requests"))
    daemon.admin.call("POST", f"/requests/{row['id']}/reject", {})


def test_exit_status(daemon, tmp_path):
    """As the manual has them."""
    device = Device(daemon, tmp_path / "device")
    assert scepter("enrol", "--no-such").returncode == 64
    assert scepter("no-such-command").returncode == 64
    wrong = list(device.arguments("enrol"))
    wrong[wrong.index("--ca-fingerprint") + 1] = "00" * 32
    assert scepter(*wrong).returncode == 77
    device.challenge.write_text("A" * 26)
    refused = device.run("enrol")
    assert refused.returncode == 77 and "badRequest" in refused.stderr
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"\x30\x82\xff\xffrubbish")
    assert scepter("decode", rubbish).returncode == 65
    assert scepter("decode", tmp_path / "nothing").returncode == 66
    assert device.run("renew").returncode == 66, "no certificate to renew"
    away = list(device.arguments("enrol"))
    away[away.index("--url") + 1] = "http://127.0.0.1:9/scep"
    assert scepter(*away).returncode in (74, 75)
    device.common[device.common.index("--cert") + 1] = tmp_path / "no" / "such" / "cert"
    device.challenge.write_text(daemon.admin.challenge())
    assert device.run("enrol").returncode == 74
