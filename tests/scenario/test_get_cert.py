# SPDX-License-Identifier: Apache-2.0
"""GetCert and GetCRL: what the CA has issued, and its revocation list, over SCEP."""

import asn1crypto.cms
import pytest
from cryptography import x509

import scep_peer
import scep_reply
from daemon import Daemon, endpoint, scepter
from scep_peer import GET_CERT, GET_CRL, Request, ec_key, looking_up



@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    lists = {"name": "lists", "protocol": "crl", "path": "/crl/demo", "ca": "demo", "crl": {}}
    endpoints = [endpoint("demo"), endpoint("bare", ca="bare"), lists]
    daemon = Daemon(tmp_path_factory.mktemp("get-cert"), endpoints=endpoints).start()
    daemon.admin.ca_init("demo")
    daemon.admin.ca_init("bare")
    yield daemon
    daemon.stop()


def refused(daemon, request, fail_info, says, name="demo"):
    reply = daemon.enrol(request, name)
    assert (reply.status, reply.fail_info) == ("FAILURE", fail_info), reply.fail_text
    assert says in reply.fail_text
    assert daemon.admin.explain(request.transaction_id.decode())["outcome"] == "rejected"


def test_get_cert(daemon):
    cert = daemon.enrol(Request()).cert
    reply = daemon.enrol(looking_up(GET_CERT, cert.issuer, cert.serial_number, key=scep_peer.rsa_key(5)))
    assert reply.status == "SUCCESS"
    assert reply.certs == [cert]


def test_get_cert_of_what_is_not_there(daemon):
    ca = daemon.authority().cert
    refused(daemon, looking_up(GET_CERT, ca.subject, 4711), "badCertId", "has issued no such")
    other = daemon.authority("bare").cert
    refused(daemon, looking_up(GET_CERT, other.subject, 1), "badCertId", "asks for what")
    refused(daemon, Request(message_type=GET_CERT, payload=b"0\x00"), "badRequest", "GetCert")


def test_an_ec_device_cannot_be_answered(daemon):
    ca = daemon.authority().cert
    request = looking_up(GET_CERT, ca.subject, 1, key=ec_key(1))
    refused(daemon, request, "badRequest", "has no challengePassword")


def crl_of(daemon, request):
    """The list in the reply, opened by hand: scep_reply looks for certificates."""
    ca = daemon.authority()
    body = daemon.post("demo", request.build(ca))[2]
    reply = scep_reply.parse_reply(body, ca)
    assert reply.status == "SUCCESS", reply.fail_text
    inner = asn1crypto.cms.ContentInfo.load(scep_reply.decrypt(reply.envelope, request), strict=True)
    signed = inner["content"]
    assert len(signed["signer_infos"]) == 0
    assert signed["certificates"].native in (None, [])
    (crl,) = signed["crls"]
    crl = x509.load_der_x509_crl(crl.chosen.dump())
    assert crl.is_signature_valid(ca.cert.public_key())
    return crl


def test_get_crl(daemon):
    """A revoked certificate is on it, another is not."""
    good, bad = daemon.enrol(Request()).cert, daemon.enrol(Request()).cert
    daemon.ctl("cert", "revoke", f"{bad.serial_number:x}", "--reason", "superseded")
    daemon.admin.call("POST", "/crls/demo", {})
    crl = crl_of(daemon, looking_up(GET_CRL, good.issuer, good.serial_number))
    assert crl.get_revoked_certificate_by_serial_number(bad.serial_number) is not None
    assert crl.get_revoked_certificate_by_serial_number(good.serial_number) is None


def test_get_crl_where_none_is_published(daemon):
    ca = daemon.authority("bare").cert
    refused(daemon, looking_up(GET_CRL, ca.subject, 1), "badCertId", "publishes no", "bare")


def scepter_device(daemon, tmp_path, *options):
    run = scepter(
        "enrol", "--url", daemon.url(), "--ca-fingerprint", daemon.authority().fingerprint,
        "--subject", "CN=asks", "--key", tmp_path / "key", "--cert", tmp_path / "cert", *options,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return (
        "--url", daemon.url(), "--ca-fingerprint", daemon.authority().fingerprint,
        "--key", tmp_path / "key", "--cert", tmp_path / "cert",
    )  # fmt: skip


def test_scepter_getcert(daemon, tmp_path):
    cert = daemon.enrol(Request()).cert
    common = scepter_device(daemon, tmp_path)
    run = scepter("getcert", *common, "--serial", f"{cert.serial_number:x}")
    assert run.returncode == 0, run.stderr
    assert x509.load_pem_x509_certificate(run.stdout.encode()) == cert
    run = scepter("getcert", *common, "--out", tmp_path / "own")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "own").read_bytes() == (tmp_path / "cert").read_bytes()
    run = scepter("getcert", *common, "--serial", "4711")
    assert run.returncode == 66 and "badCertId" in run.stderr


def test_scepter_getcrl(daemon, tmp_path):
    common = scepter_device(daemon, tmp_path)
    daemon.admin.call("POST", "/crls/demo", {})
    run = scepter("getcrl", *common)
    assert run.returncode == 0, run.stderr
    crl = x509.load_pem_x509_crl(run.stdout.encode())
    assert crl.is_signature_valid(daemon.authority().cert.public_key())
