# SPDX-License-Identifier: Apache-2.0
"""`make serve`: a stranger's first certificate, by what it prints and by demo.env."""

import contextlib
import os
import re
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from daemon import BUILD, PATIENCE, ROOT, free_port, wait_for
from rollover import is_by


class Demo:
    def __init__(self, data, port=None):
        self.data = data
        self.port = port or free_port()
        self.said = data.parent / f"said-{free_port()}"
        environment = dict(os.environ, BUILD=str(BUILD), DATA=str(data), PORT=str(self.port))
        environment["TLS_PORT"] = str(free_port())
        with open(self.said, "wb") as out:
            self.process = subprocess.Popen(
                [ROOT / "packaging/demo.sh"], stdout=out, stderr=out, env=environment, start_new_session=True
            )

    def wait(self):
        wait_for("the printed lines", lambda: "Ctrl-C ends it" in self.text())
        return self

    def text(self):
        return self.said.read_text()

    def env(self):
        """As a shell reads it."""
        command = ["env", "-i", "sh", "-c", 'set -a; . "$1"; env -0', "-", self.data / "demo.env"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return dict(line.split("=", 1) for line in shown.split("\0") if line)

    def enrol(self, *changes):
        """Types the first line that it prints."""
        (line,) = re.findall(r"^  (\S.* enrol --protocol scep (?:.*\\\n)*.*)$", self.text(), re.M)
        for old, new in changes:
            line = line.replace(old, new)
        return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=PATIENCE)

    def end(self):
        """By Ctrl-C, as at a terminal: the whole group gets it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(PATIENCE)


@pytest.fixture
def demo(tmp_path):
    made = []

    def make(*arguments, folder="demo data"):
        made.append(Demo(tmp_path / folder, *arguments))
        return made[-1]

    yield make
    for one in made:
        with contextlib.suppress(ProcessLookupError):
            one.end()


def test_first_and_second_run(demo):
    """In a folder with a space, whose lines still are for a shell to read."""
    first = demo().wait()
    env = first.env()
    assert env["SCEP_URL"] == f"http://127.0.0.1:{first.port}/scep/demo"
    assert re.fullmatch("[0-9a-f]{64}", env["CA_FINGERPRINT"])
    for name in ("SCEP_URL", "CA_FINGERPRINT", "CHALLENGE"):
        assert env[name] in first.text()
    for name in ("CHALLENGE_FILE", "ADMIN_SOCKET", "CONFIG", "SCEPTER", "SCEPTERCTL", "TLS_CA"):
        assert os.path.isabs(env[name]) and os.path.exists(env[name]), name
    assert first.data.stat().st_mode & 0o077 == 0
    run = first.enrol()
    assert run.returncode == 0, run.stderr
    ca = x509.load_pem_x509_certificate((first.data / "ca.pem").read_bytes())
    assert ca.fingerprint(hashes.SHA256()).hex() == env["CA_FINGERPRINT"]
    cert = x509.load_pem_x509_certificate((first.data / "device1.pem").read_bytes())
    assert is_by(cert, ca)
    assert (first.data / "device1.key").stat().st_mode & 0o777 == 0o600
    assert first.end() == 0

    second = demo().wait()
    again = second.env()
    assert again["CA_FINGERPRINT"] == env["CA_FINGERPRINT"], "it is the same CA"
    assert again["CHALLENGE"] != env["CHALLENGE"]
    assert again["SCEP_URL"] == f"http://127.0.0.1:{second.port}/scep/demo"
    assert second.enrol(("device1", "device3")).returncode == 0
    assert second.end() == 0


def test_one_at_a_time(demo):
    """A second one leaves the first, its files and its lines alone."""
    first = demo().wait()
    files = {f: (first.data / f).read_bytes() for f in ("demo.env", "scepterd.yaml", "challenge")}
    second = demo()
    assert second.process.wait(PATIENCE) != 0
    assert "serves" in second.text() and "choose another DATA" in second.text()
    assert "SCEP URL" not in second.text()
    assert files == {f: (first.data / f).read_bytes() for f in files}
    assert first.enrol().returncode == 0


@pytest.mark.parametrize("port", ["0", "65536", "http", "123456789"])
def test_a_port_that_is_none(demo, port):
    wrong = demo(port)
    assert wrong.process.wait(PATIENCE) != 0
    assert f"PORT={port}: must be a port from 1 to 65535" in wrong.text()
    assert not wrong.data.exists()


def test_a_port_in_use(demo):
    first = demo().wait()
    second = demo(first.port, folder="other")
    assert second.process.wait(PATIENCE) != 0
    assert f"127.0.0.1 port {first.port}: Address already in use" in second.text()
    assert not (second.data / "demo.env").exists()


def test_targets(tmp_path):
    listed = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True).stdout
    for target in "deps build serve test lint format fuzz bench install man".split():
        assert re.search(rf"^  make {target} ", listed, re.M), target
