# SPDX-License-Identifier: Apache-2.0
"""Our client enrols at other people's servers."""

import hashlib
import subprocess
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from daemon import free_port, have, scepter, wait_for


@pytest.fixture(scope="module")
def go_server(tmp_path_factory):
    """The scepserver of Debian's package scep, with an RSA-2048 CA and a static challenge."""
    directory = tmp_path_factory.mktemp("scepserver")
    subprocess.run(
        ["scepserver", "ca", "-init", "-depot", directory / "depot", "-keySize", "2048"],
        check=True,
        capture_output=True,
    )
    port = free_port()
    process = subprocess.Popen(
        ["scepserver", "-depot", "depot", "-port", str(port), "-challenge", "go-secret"],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/scep"
    wait_for("scepserver", lambda: _answers(url))
    yield url
    process.terminate()
    process.wait()


def _answers(url):
    try:
        return urllib.request.urlopen(f"{url}?operation=GetCACaps").status == 200
    except OSError:
        return False


@pytest.mark.skipif(not have("scepserver"), reason="package scep is not installed")
def test_enrol_at_go_scepserver(go_server, tmp_path):
    body = urllib.request.urlopen(f"{go_server}?operation=GetCACert").read()
    ca = x509.load_der_x509_certificate(body)
    (tmp_path / "challenge").write_text("go-secret\n")
    run = scepter(
        "enrol",
        "--protocol",
        "scep",
        "--url",
        go_server,
        "--challenge-file",
        tmp_path / "challenge",
        "--ca-fingerprint",
        hashlib.sha256(body).hexdigest(),
        "--subject",
        "CN=ours,O=Example",
        "--key",
        tmp_path / "key.pem",
        "--cert",
        tmp_path / "cert.pem",
        "--ca",
        tmp_path / "ca.pem",
    )
    assert run.returncode == 0, run.stderr
    cert = x509.load_pem_x509_certificate((tmp_path / "cert.pem").read_bytes())
    key = serialization.load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    assert cert.public_key().public_numbers() == key.public_key().public_numbers()
    assert x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes()) == ca
    verify = subprocess.run(
        ["certtool", "--verify", "--load-ca-certificate", tmp_path / "ca.pem"],
        input=(tmp_path / "cert.pem").read_bytes(),
        capture_output=True,
    )
    assert verify.returncode == 0, verify.stdout


@pytest.mark.skipif(not have("scepserver"), reason="package scep is not installed")
def test_refusal_of_go_scepserver_is_told(go_server, tmp_path):
    (tmp_path / "challenge").write_text("wrong\n")
    run = scepter(
        "enrol",
        "--protocol",
        "scep",
        "--url",
        go_server,
        "--challenge-file",
        tmp_path / "challenge",
        "--insecure-trust-first-use",
        "--subject",
        "CN=refused",
        "--key",
        tmp_path / "key.pem",
        "--cert",
        tmp_path / "cert.pem",
    )
    assert run.returncode != 0
    assert not (tmp_path / "cert.pem").exists()


@pytest.mark.skipif(not have("scepserver"), reason="package scep is not installed")
def test_getca_at_go_scepserver(go_server, tmp_path):
    run = scepter(
        "getca", "--url", go_server, "--out", tmp_path / "ca.pem"
    )
    assert run.returncode == 0, run.stderr
    body = urllib.request.urlopen(f"{go_server}?operation=GetCACert").read()
    cert = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    assert cert.public_bytes(serialization.Encoding.DER) == body
