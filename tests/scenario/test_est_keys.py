# SPDX-License-Identifier: Apache-2.0
"""serverkeygen (RFC 7030 4.4): a key made for the device, sent once, under TLS alone or encrypted to a key of its own."""

import base64
import email
import hashlib
import subprocess

import pytest
from asn1crypto import cms, core, keys
from asn1crypto import csr as asn1_csr
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key, load_pem_private_key

import est_peer
from conftest import endpoint, profile
from daemon import check_config
from est_peer import Request, basic
from test_est import PASSWORD, PROFILES, client_file, est_endpoint, make_est, refusal
from test_est_client import Device, account

ASYMM_DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.54"
DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.37"


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    ways = {"authorisation": {"accounts": True, "one_time": True, "renewal": True}}
    daemon = make_est(
        tmp_path_factory.mktemp("est-keys"),
        profiles=PROFILES,
        endpoints=[
            endpoint("demo"),
            est_endpoint(est={"server_keys": "plain"}, **ways),
            est_endpoint("encrypted", est={"server_keys": "encrypted"}, **ways),
            est_endpoint("none", **ways),
        ],
    )
    yield daemon
    daemon.stop()


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(key):
    info = keys.PublicKeyInfo.load(spki(key))
    return hashlib.sha1(bytes(info["public_key"])).digest() if isinstance(key, ec.EllipticCurvePrivateKey) else info.sha1


def request_with(key, cn="sensor-1", **attributes):
    """A request with attributes that the library cannot make: OID -> OCTET STRING."""
    plain = asn1_csr.CertificationRequest.load(Request(cn, key=key).der)
    info = plain["certification_request_info"]
    values = b"".join(
        core.Sequence.load(
            b"\x30" + bytes([len(body)]) + body
        ).dump()
        for body in (
            core.ObjectIdentifier(oid.replace("_", ".")).dump()
            + b"\x31"
            + bytes([len(octets) + 2])
            + core.OctetString(octets).dump()
            for oid, octets in attributes.items()
        )
    )
    body = info["version"].dump() + info["subject"].dump() + info["subject_pk_info"].dump()
    body += b"\xa0" + der_length(len(values)) + values
    tbs = b"\x30" + der_length(len(body)) + body
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    whole = tbs + plain["signature_algorithm"].dump() + core.BitString(
        tuple(int(b) for byte in signature for b in f"{byte:08b}")
    ).dump()
    return base64.encodebytes(b"\x30" + der_length(len(whole)) + whole)


def der_length(n):
    if n < 128:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def ask(daemon, body, label="", client=None):
    headers = {} if client else basic("sensor", PASSWORD)
    return daemon.est(label, client=client).call("POST", "serverkeygen", body, headers)


def parts(answer):
    """[(content type, parameters, DER)]"""
    status, headers, body = answer
    assert status == 200, body
    text = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body
    message = email.message_from_bytes(text)
    assert message.get_content_type() == "multipart/mixed"
    out = message.get_payload()
    assert [p["Content-Transfer-Encoding"] for p in out] == ["base64", "base64"]
    return [(p.get_content_type(), p.get_param("smime-type"), p.get_payload(decode=True)) for p in out]


def certificate(part):
    assert part[:2] == ("application/pkcs7-mime", "certs-only")
    return est_peer.certificate(base64.b64encode(part[2]))


def public(cert):
    return cert.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("key", ["p256", "rsa"])
def test_under_tls_alone(est, key):
    own = rsa.generate_private_key(65537, 2048) if key == "rsa" else None
    request = Request(key=own)
    first, second = parts(ask(est, request.body))
    assert first[:2] == ("application/pkcs8", None)
    made = load_der_private_key(first[2], None)
    assert spki(made) == public(certificate(second)) != spki(request.key)
    # another time it is another key, and none is kept
    assert parts(ask(est, request.body))[0][2] != first[2]
    for path in est.directory.rglob("*"):
        if path.is_file():
            assert first[2] not in path.read_bytes(), path


def decrypted(directory, answer, key, signer):
    """The key, by openssl, and whether the signature on it is the CA's or its RA's."""
    kind, smime, envelope = parts(answer)[0]
    assert (kind, smime) == ("application/pkcs7-mime", "server-generated-key")
    info = cms.ContentInfo.load(envelope)
    assert info["content_type"].native == "enveloped_data"
    recipient = info["content"]["recipient_infos"][0].chosen
    assert recipient["version"].native == "v2" and recipient["rid"].name == "subject_key_identifier"
    assert info["content"]["encrypted_content_info"]["content_type"].native == "signed_data"
    (directory / "envelope").write_bytes(envelope)
    est_peer.write_private(directory / "device.key", est_peer.private_pem(key))
    run = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", directory / "envelope"]
        + ["-inkey", directory / "device.key"],
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr
    signed = cms.SignedData.load(run.stdout)
    assert signed["encap_content_info"]["content_type"].dotted == "2.16.840.1.101.2.1.2.78.5"
    package = signed["encap_content_info"]["content"].parsed.dump()
    whole = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    (directory / "signed").write_bytes(whole)
    (directory / "signer.pem").write_text(signer)
    verified = subprocess.run(
        ["openssl", "cms", "-verify", "-inform", "DER", "-in", directory / "signed", "-binary"]
        + ["-CAfile", directory / "signer.pem", "-purpose", "any", "-out", directory / "package"],
        capture_output=True,
    )
    assert verified.returncode == 0, verified.stderr
    assert (directory / "package").read_bytes() == package
    (one,) = core.SequenceOf.load(package, spec=core.Any)
    return load_der_private_key(one.dump(), None)


@pytest.mark.parametrize("label", ["", "encrypted"])
def test_encrypted_to_the_key_of_the_request(est, tmp_path, label):
    own = rsa.generate_private_key(65537, 2048)
    answer = ask(est, request_with(own, **{ASYMM_DECRYPT_KEY_ID: key_id(own)}), label)
    made = decrypted(tmp_path, answer, own, est.ctl("ca", "show", "demo", "--pem").stdout)
    assert spki(made) == public(certificate(parts(answer)[1])) != spki(own)


def test_encrypted_to_the_key_of_the_tls_client(est, tmp_path):
    own = rsa.generate_private_key(65537, 2048)
    cert = est.est().enrol(Request(key=own), basic("sensor", PASSWORD))
    file = client_file(tmp_path, cert, own)
    body = request_with(ec.generate_private_key(ec.SECP256R1()), **{ASYMM_DECRYPT_KEY_ID: key_id(own)})
    answer = ask(est, body, "encrypted", client=file)
    made = decrypted(tmp_path, answer, own, est.ctl("ca", "show", "demo", "--pem").stdout)
    assert isinstance(made, ec.EllipticCurvePrivateKey)


def test_refusals(est):
    own, other = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    refusal(ask(est, Request().body, "none"), 404, "RFC 7030 4.4")
    refusal(ask(est, Request().body, "encrypted"), 400, "AsymmetricDecryptKeyIdentifier")
    for attributes, word in (
        ({ASYMM_DECRYPT_KEY_ID: b"x" * 20}, "names neither"),
        ({ASYMM_DECRYPT_KEY_ID: b""}, "names neither"),
        ({DECRYPT_KEY_ID: b"x"}, "no symmetric key"),
    ):
        refusal(ask(est, request_with(own, **attributes)), 400, word)
    refusal(ask(est, request_with(other, **{ASYMM_DECRYPT_KEY_ID: key_id(other)})), 400, "RSA ones only")
    status, headers, _ = est.est().call("POST", "serverkeygen", Request().body)
    assert status == 401 and headers["WWW-Authenticate"]


def test_a_key_cannot_wait_for_approval(make_daemon):
    daemon = make_daemon(start=False, profiles=[profile()])
    daemon.config["endpoints"].append(
        est_endpoint(approval="manual", est={"server_keys": "plain"})
    )
    daemon.write_config()
    assert "does not go with approval: manual" in check_config(daemon.config_path).stderr


def test_our_client_has_its_key_made(est, tmp_path):
    device = Device(est, tmp_path)
    run = device.enrol("--server-key", "--key-type", "p256", *account(device))
    assert run.returncode == 0, run.stderr
    assert device.key.stat().st_mode & 0o777 == 0o600
    made = load_pem_private_key(device.key.read_bytes(), None)
    assert isinstance(made, ec.EllipticCurvePrivateKey)
    assert spki(made) == public(device.certificate())
    # it is not overwritten, and renewed like any other
    assert device.enrol("--server-key", *account(device)).returncode == 64
    run = device.run("renew")
    assert run.returncode == 0, run.stderr
    (tmp_path / "none").mkdir()
    device = Device(est, tmp_path / "none", "none")
    run = device.enrol("--server-key", *account(device))
    assert run.returncode != 0 and "RFC 7030 4.4" in run.stderr and not device.key.exists()
