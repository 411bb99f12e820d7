# SPDX-License-Identifier: Apache-2.0
"""libscepter as firmware would use it, by its exported functions alone: here through Python's ctypes."""

import json
import os
import subprocess
import sys

import pytest
from cryptography import x509

import est_peer
from daemon import BUILD, PATIENCE
from test_est import est_endpoint, make_est
from test_est_client import split

ENDPOINTS = [est_endpoint("maker", authorisation={"certificates": True}, est={"full_cmc": True})]
IO, USAGE, REFUSED = 3, 5, 9  # scepter/scepter.h
CALLER = """
import ctypes, json, sys

library, calls = ctypes.CDLL(sys.argv[1]), json.loads(sys.argv[2])


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 512)]


handle, error = ctypes.c_void_p(), Error()
library.scepter_free.argtypes = [ctypes.c_void_p]
for name, *arguments in calls:
    function = getattr(library, "scepter_" + name)
    first = ctypes.byref(handle) if name == "new" else handle
    code = function(first, *[a.encode() for a in arguments], ctypes.byref(error))
    if code:
        print(json.dumps([name, code, error.text.decode()]))
        break
library.scepter_free(handle)
"""


def call(*calls):
    """[function, code, text] of the call that fails; None: all went well."""
    library = BUILD / "src" / "client" / "libscepter.so.0"
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    linked = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    for line in linked.splitlines():
        if "libasan" in line:
            environment["LD_PRELOAD"] = line.split()[2]
    command = [sys.executable, "-c", CALLER, library, json.dumps(calls)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=2 * PATIENCE)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout) if run.stdout else None


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    daemon = make_est(tmp_path_factory.mktemp("library"), endpoints=ENDPOINTS)
    yield daemon
    daemon.stop()


def calls_of(est, directory, *more):
    url = f"https://127.0.0.1:{est.tls_port}{est_peer.ROOT}/maker"
    return [
        ["new", url],
        ["set_protocol", "est"],
        ["set_tls_ca_file", str(est.web.path)],
        *more,
        ["get_ca"],
        ["trust_first_use"],
        ["open_key", str(directory / "d.key"), "p256"],
        ["set_subject", "CN=device-1"],
        ["enrol"],
        ["save_certificate", str(directory / "d.pem")],
    ]


def test_a_full_request_by_the_makers_certificate(est, tmp_path):
    shown = split(est.maker.issue("serial-1"), tmp_path)
    before = est.log_path.read_text()
    identity = ["set_tls_identity", str(shown[1]), str(shown[3])]
    assert call(*calls_of(est, tmp_path, ["use_full_cmc"], identity)) is None
    cert = x509.load_pem_x509_certificate((tmp_path / "d.pem").read_bytes())
    assert cert.subject == est_peer.name("device-1")
    asked = est.log_path.read_text()[len(before) :]
    assert "/fullcmc" in asked and "/simpleenroll" not in asked


def test_what_goes_wrong_is_told(est, tmp_path):
    shown = split(est.maker.issue("serial-2"), tmp_path)
    failed, code, text = call(*calls_of(est, tmp_path))
    assert (failed, code) == ("enrol", REFUSED) and "goes by TLS client certificates" in text
    failed, code, text = call(*calls_of(est, tmp_path, ["use_full_cmc"]))
    assert (failed, code) == ("enrol", REFUSED), text
    failed, code, text = call(*calls_of(est, tmp_path, ["set_tls_identity", str(shown[1]), str(est.maker.path)]))
    assert failed == "set_tls_identity" and code != 0
    url = ["new", f"https://127.0.0.1:{est.tls_port}{est_peer.ROOT}/maker"]
    failed, code, text = call(url, ["set_protocol", "est"], ["set_tls_ca_file", str(est.maker.path)], ["get_ca"])
    assert (failed, code) == ("get_ca", IO) and "not trusted" in text
    failed, code, text = call(["new", "http://127.0.0.1:1/scep"], ["use_full_cmc"])
    assert (failed, code) == ("use_full_cmc", USAGE) and "only EST" in text
