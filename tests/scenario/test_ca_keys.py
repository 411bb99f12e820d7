# SPDX-License-Identifier: Apache-2.0
"""A CA of each kind of key issues, lists what it revoked and answers OCSP; others verify it all."""

import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from life import Life, endpoints, openssl

ML_DSA = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"]
KINDS = ["rsa3072", "p521", "ed25519", *ML_DSA]


def openssl_has_ml_dsa():
    version = re.match(r"OpenSSL (\d+)\.(\d+)", openssl("version"))
    return tuple(map(int, version.groups())) >= (3, 5)


@pytest.fixture(params=KINDS)
def kind(request):
    if request.param in ML_DSA and not openssl_has_ml_dsa():
        pytest.skip(f"{request.param} takes OpenSSL 3.5, this is {openssl('version').strip()}")
    return request.param


def test_ca_lives(make_daemon, tmp_path, kind):
    """certificate, list and OCSP answer of a CA with such a key are good to openssl."""
    daemon = make_daemon(ca=False, endpoints=endpoints())
    daemon.ctl("ca", "init", "demo", "--key", kind)
    life = Life(daemon, tmp_path)
    life.live("device")
    # requests are encrypted for the RA, which is RSA whatever the CA is
    assert isinstance(daemon.authority().encrypt_cert.public_key(), rsa.RSAPublicKey)
    daemon.restart()
    life.live("later")


def test_ed25519_is_good_to_gnutls_and_python(make_daemon, tmp_path):
    daemon = make_daemon(ca=False, endpoints=endpoints())
    daemon.ctl("ca", "init", "demo", "--key", "ed25519")
    life = Life(daemon, tmp_path)
    cert, ca = life.enrol("device"), x509.load_pem_x509_certificate(life.ca.read_bytes())
    crl = life.crl()
    subprocess.run(["certtool", "--verify", "--load-ca-certificate", life.ca,
                    "--infile", life.path("device")], check=True, capture_output=True)  # fmt: skip
    subprocess.run(["certtool", "--verify-crl", "--load-ca-certificate", life.ca,
                    "--infile", life.path("full")], check=True, capture_output=True)  # fmt: skip
    for signed in (cert, ca):
        ca.public_key().verify(signed.signature, signed.tbs_certificate_bytes)
    ca.public_key().verify(crl.signature, crl.tbs_certlist_bytes)
    run = subprocess.run(
        ["ocsptool", f"--ask=http://127.0.0.1:{daemon.port}/ocsp/demo", "--load-cert",
         life.path("device"), "--load-issuer", life.ca, "--load-trust", life.ca],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "Certificate Status: good" in run.stdout, run.stdout + run.stderr


def test_ml_dsa_without_openssl_3_5_is_refused(make_daemon):
    if openssl_has_ml_dsa():
        pytest.skip("this OpenSSL has ML-DSA")
    daemon = make_daemon(ca=False)
    run = daemon.ctl("ca", "init", "demo", "--key", "ml-dsa-65", check=False)
    assert run.returncode != 0 and "take 3.5 or later" in run.stderr, run.stderr


def test_a_ca_that_cannot_decrypt_needs_an_ra(make_daemon):
    daemon = make_daemon(ca=False)
    run = daemon.ctl("ca", "init", "demo", "--key", "ed25519", "--ra", "none", check=False)
    assert run.returncode != 0 and "add an RA with an RSA key" in run.stderr, run.stderr
