# SPDX-License-Identifier: Apache-2.0
"""The page of challenges over TLS, fetched by curl with HTTP Basic; with the challenge a device enrols."""

import re
import subprocess

import pytest

from conftest import endpoint
from daemon import PATIENCE, static_hash
from operators import https_daemon
from test_ndes import PAGE, SCEP, enrol

PASSWORD = "swordfish"


@pytest.fixture(scope="module")
def ndes(tmp_path_factory):
    """As an administrator sets it up: the page on the listener with TLS, and there alone."""
    directory = tmp_path_factory.mktemp("ndes-tls")
    page = {"name": "admin", "protocol": "ndes", "path": PAGE, "ca": "demo", "ndes": {"endpoint": "mscep"},
            "listeners": ["secure"]}  # fmt: skip
    daemon, port, ca = https_daemon(
        directory,
        [{"name": "mdm", "password": static_hash(PASSWORD), "roles": ["challenge-issuer"]},
         {"name": "clerk", "password": static_hash(PASSWORD), "roles": ["auditor"]}],
        admin=[],
        endpoints=[endpoint("demo"), endpoint("mscep", path=SCEP, authorisation={"one_time": True}), page],
    )  # fmt: skip
    daemon.tls_port, daemon.ca = port, ca.path
    daemon.start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


def curl(daemon, *options, url=None):
    """(exit code, HTTP status, body)"""
    url = url or f"https://localhost:{daemon.tls_port}{PAGE}/"
    run = subprocess.run(
        ["curl", "-s", "--cacert", daemon.ca, "-w", "\n%{http_code}", *options, url],
        capture_output=True,
        timeout=PATIENCE,
    )
    body, _, status = run.stdout.rpartition(b"\n")
    return run.returncode, int(status), body


@pytest.mark.parametrize("version", [[], ["--tls-max", "1.2"]])
def test_curl_fetches_a_challenge_and_a_device_enrols(ndes, version):
    code, status, body = curl(ndes, "-u", f"mdm:{PASSWORD}", *version)
    assert (code, status) == (0, 200), body
    challenge = re.search(r"challenge password is: <B> ([0-9A-F]{16}) </B>", body.decode("utf-16"))[1]
    assert enrol(ndes, challenge) == "SUCCESS"
    assert enrol(ndes, challenge) == "FAILURE"


def test_who_is_not_let_in(ndes):
    assert curl(ndes)[1] == 401
    assert curl(ndes, "-u", "mdm:wrong")[1] == 401
    # as Microsoft's: the page itself says so
    page = curl(ndes, "-u", f"clerk:{PASSWORD}")[2].decode("utf-16")
    assert "You do not have sufficient permission" in page and "password is" not in page
    # nobody sends a password to whom he does not know
    assert curl(ndes, "--cacert", "/etc/hostname", "-u", f"mdm:{PASSWORD}")[0] != 0
    # and in the clear there is no such page
    plain = f"http://127.0.0.1:{ndes.port}{PAGE}/"
    assert curl(ndes, "-u", f"mdm:{PASSWORD}", url=plain)[1] == 404
