# SPDX-License-Identifier: Apache-2.0
"""What EST clients learn of the CA: all that is above it, and the generations that come after one another."""

import base64
import json

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.asymmetric import ec

import est_peer
from conftest import endpoint
from daemon import scepter
from est_peer import Request
from test_est import PROFILES, est_endpoint, make_est
from test_est_client import Device, account
from test_subordinate import EXTENSIONS, openssl, sign


def test_all_that_leads_to_the_root(tmp_path):
    """RFC 7030 4.1.3: the root, and what is between it and a certificate that is issued."""
    daemon = make_est(
        tmp_path,
        profiles=PROFILES,
        endpoints=[endpoint("demo"), est_endpoint("plant", ca="plant", authorisation={"anyone": True})],
    )
    try:
        (tmp_path / "ca.cnf").write_text(EXTENSIONS)
        openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key",
                "-subj", "/O=Above/CN=Root", "-days", "3000", "-out", "root.pem")  # fmt: skip
        daemon.ctl("ca", "init", "plant", "--subordinate", "--subject", "CN=Plant CA,O=Example",
                   "--leaf-validity", "100d", "--out", str(tmp_path / "plant.csr"))  # fmt: skip
        sign(tmp_path, "plant.csr", "plant.pem")
        chain = (tmp_path / "root.pem").read_bytes() + (tmp_path / "plant.pem").read_bytes()
        (tmp_path / "chain.pem").write_bytes(chain)
        daemon.ctl("ca", "import", "plant", "--chain", str(tmp_path / "chain.pem"))
        status, _, body = daemon.est("plant").call("GET", "cacerts")
        certs = est_peer.certificates(body)
        assert status == 200
        assert set(certs) == {x509.load_pem_x509_certificate((tmp_path / n).read_bytes()) for n in ("root.pem", "plant.pem")}
        leaf = daemon.est("plant").enrol(Request())
        (tmp_path / "leaf.pem").write_bytes(est_peer.pem(leaf))
        openssl(tmp_path, "verify", "-CAfile", "root.pem", "-untrusted", "plant.pem", "leaf.pem")
    finally:
        daemon.stop()


def test_the_next_generation_with_its_cross_certificates(tmp_path):
    """RFC 7030 4.1.3: OldWithOld, OldWithNew and NewWithOld beside the new one."""
    daemon = make_est(tmp_path)
    try:
        (old,) = est_peer.certificates(daemon.est().call("GET", "cacerts")[2])
        daemon.ctl("ca", "rollover", "demo")
        certs = est_peer.certificates(daemon.est().call("GET", "cacerts")[2])
        keys = {base64.b64encode(spki(c)) for c in certs}
        assert old in certs and len(keys) == 2
        (new_key,) = keys - {base64.b64encode(spki(old))}
        pairs = {(spki(c) == spki(old), is_by(c, old)) for c in certs}
        assert pairs == {(True, True), (True, False), (False, True), (False, False)}
        # our client bears them, by the fingerprint of the first as by its TLS
        device = Device(daemon, tmp_path)
        run = device.enrol(*account(device), "--ca-fingerprint", old.fingerprint(SHA256()).hex())
        assert run.returncode == 0, run.stderr
        run = scepter("getca", "--protocol", "est", "--url", device.url(), "--tls-ca", daemon.web.path, "--json")
        roles = [c["role"] for c in json.loads(run.stdout)["certificates"]]
        assert sorted(roles) == ["CA, cross", "CA, cross", "root CA", "root CA"]
    finally:
        daemon.stop()


def spki(cert):
    return cert.public_key().public_bytes(est_peer.serialization.Encoding.DER, est_peer.serialization.PublicFormat.SubjectPublicKeyInfo)


def is_by(cert, ca):
    try:
        ca.public_key().verify(
            cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(cert.signature_hash_algorithm)
        )
        return True
    except InvalidSignature:
        return False
