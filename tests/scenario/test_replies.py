# SPDX-License-Identifier: Apache-2.0
"""Points 15 to 18, 22 and 23: what a device gets back, and in which form."""

import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep_peer
import scep_reply
from scep_peer import Request


def test_point_15_lone_ca_is_bare_der(shared):
    status, headers, body = shared.get("lone", "GetCACert")
    assert status == 200
    assert headers["Content-Type"] == "application/x-x509-ca-cert"
    cert = x509.load_der_x509_certificate(body)
    assert cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def usage(cert):
    return cert.extensions.get_extension_for_class(x509.KeyUsage).value


def test_point_15_ra_comes_with_its_ca(shared):
    status, headers, body = shared.get("demo", "GetCACert")
    assert (status, headers["Content-Type"]) == (200, "application/x-x509-ca-ra-cert")
    certs = scep_reply.degenerate(body)
    assert len(certs) == 2
    ca = shared.authority("demo")
    assert ca.encrypt_cert == ca.sign_cert != ca.cert
    assert usage(ca.sign_cert).digital_signature and usage(ca.sign_cert).key_encipherment
    assert ca.sign_cert.issuer == ca.cert.subject


def test_point_15_split_ra_has_a_certificate_for_each_use(shared):
    _, _, body = shared.get("split", "GetCACert")
    assert len(scep_reply.degenerate(body)) == 3
    ca = shared.authority("split")
    assert ca.sign_cert != ca.encrypt_cert
    assert not usage(ca.sign_cert).key_encipherment
    assert not usage(ca.encrypt_cert).digital_signature


@pytest.mark.parametrize("name", ["open", "lone", "split"])
def test_point_16_attributes_of_a_success(shared, name):
    request = Request()
    reply = shared.enrol(request, name)
    assert set(reply.attributes) == {
        "contentType",
        "messageDigest",
        "transactionID",
        "messageType",
        "pkiStatus",
        "senderNonce",
        "recipientNonce",
    }
    assert reply.attributes["recipientNonce"] == request.sender_nonce
    again = shared.enrol(request, name)
    assert again.attributes["senderNonce"] != reply.attributes["senderNonce"]


def test_point_16_nonce_of_an_odd_length_is_echoed(shared):
    for size in (1, 8, 20, 32):
        request = Request(sender_nonce=b"\x7f" * size)
        assert shared.enrol(request, "open").attributes["recipientNonce"] == b"\x7f" * size


def test_point_17_issued_certificate_comes_first_and_alone(shared):
    reply = shared.enrol(Request(), "open")
    assert len(reply.certs) == 1


def test_point_17_ca_certificate_behind_it_where_configured(shared):
    for subject in ("a", "zzzzzzzz-to-be-the-longest-of-all"):
        reply = shared.enrol(Request(subject={"common_name": subject}), "with-ca")
        assert len(reply.certs) == 2
        assert reply.cert.subject.rfc4514_string() == f"CN={subject}"
        assert reply.certs[1] == shared.authority("with-ca").cert


FAILURES = {
    "broken signature": (dict(break_signature=True), "badMessageCheck"),
    "broken digest": (dict(break_digest=True), "badMessageCheck"),
    "no proof of possession": (dict(break_csr=True), "badRequest"),
    "forbidden SAN": (
        dict(extensions=[scep_peer.san_extension(ips=[b"\x7f\0\0\1"])]),
        "badRequest",
    ),
    "no CN": (dict(subject={"organization_name": "o"}), "badRequest"),
    "short RSA key": (dict(key=scep_peer.rsa_key(0, 1024)), "badAlg"),
    "empty message": (dict(envelope_empty=True), "badRequest"),
}


@pytest.mark.parametrize("what", FAILURES)
def test_point_18_failures_are_signed(shared, what):
    knobs, info = FAILURES[what]
    before = len(shared.admin.certs(limit=500))
    reply = shared.enrol(Request(**knobs), "open")
    assert reply.status == "FAILURE"
    assert reply.fail_info == info, reply.fail_text
    assert reply.fail_text
    assert len(shared.admin.certs(limit=500)) == before


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"\x30\x80", b"\x30\x03\x02\x01\x01", b"\0" * 5000, b"\x30" * 5000],
    ids=["empty", "text", "cut", "no CMS", "zeros", "deep"],
)
def test_point_18_what_cannot_be_parsed_is_an_http_error(shared, body):
    status, _, _ = shared.post("open", body)
    assert 400 <= status < 500


def test_point_18_unknown_operation_and_method(shared):
    assert shared.get("open", "GetEverything")[0] == 400
    assert shared.http("GET", "/scep/open")[0] == 400
    assert shared.http("DELETE", "/scep/open?operation=GetCACaps")[0] in (400, 405)
    assert shared.http("GET", "/elsewhere?operation=GetCACaps")[0] == 404


def test_point_22_not_before_is_ten_minutes_back(shared):
    cert = shared.enrol(Request(), "open").cert
    age = datetime.datetime.utcnow() - cert.not_valid_before
    assert 595 <= age.total_seconds() <= 660
    assert cert.not_valid_after - datetime.datetime.utcnow() <= datetime.timedelta(days=90)


@pytest.mark.parametrize("curve", ["p256", "p384"])
@pytest.mark.parametrize("name", ["demo", "lone"])
def test_point_23_ec_device_gets_a_password_envelope(shared, name, curve):
    key = scep_peer.ec_key(0, curve)
    name_and_challenge = (name, shared.admin.challenge() if name == "demo" else "some words")
    request = Request(key=key, challenge=name_and_challenge[1])
    reply = shared.enrol(request, name)
    assert reply.status == "SUCCESS", reply.attributes
    assert reply.envelope["recipient_infos"][0].name == "pwri"
    assert not usage(reply.cert).key_encipherment


def test_point_23_ec_device_without_challenge_cannot_be_answered(shared):
    reply = shared.enrol(Request(key=scep_peer.ec_key()), "open")
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")


def pem(path, *certs):
    path.write_bytes(b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certs))
    return path


@pytest.mark.parametrize("name", ["open", "lone", "split"])
def test_certificates_verify_with_gnutls(shared, tmp_path, name):
    ca = shared.authority(name)
    reply = shared.enrol(Request(extensions=[scep_peer.san_extension(dns=["r1.example"])]), name)
    run = subprocess.run(
        [
            "certtool",
            "--verify",
            "--load-ca-certificate",
            pem(tmp_path / "ca.pem", ca.cert),
            "--infile",
            pem(tmp_path / "cert.pem", reply.cert),
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert reply.cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert not any(e.oid == x509.OID_BASIC_CONSTRAINTS and e.value.ca for e in reply.cert.extensions)


def test_endpoint_whose_ca_does_not_exist_yet(shared):
    status, headers, _ = shared.get("none", "GetCACert")
    assert status == 503
    assert int(headers["Retry-After"]) > 0


def test_transaction_can_be_explained_after_a_failure(shared):
    request = Request(break_signature=True)
    shared.enrol(request, "open")
    story = shared.admin.explain(request.transaction_id.decode())
    assert "signature" in str(story)
    text = shared.ctl("explain", request.transaction_id.decode()).stdout
    assert "signature" in text
