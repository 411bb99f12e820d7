# SPDX-License-Identifier: Apache-2.0
"""serverkeygen (RFC 7030 4.4): a key made for the device, sent once, under TLS alone or encrypted to a key of its own."""

import base64
import email
import hashlib
import json
import subprocess

import pytest
from asn1crypto import cms, core, keys
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key, load_pem_private_key

import der
import est_peer
from conftest import endpoint, profile
from daemon import check_config
from est_peer import Request, basic
from test_est import PASSWORD, PROFILES, client_file, est_endpoint, make_est, refusal
from test_est_client import Device, account

ASYMM_DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.54"
DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.37"
SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"
AES128_CBC, AES256_CBC = "2.16.840.1.101.3.4.1.2", "2.16.840.1.101.3.4.1.42"
AES128_WRAP, AES256_WRAP = "2.16.840.1.101.3.4.1.5", "2.16.840.1.101.3.4.1.45"
RSA, TRIPLE_DES = "1.2.840.113549.1.1.1", "1.2.840.113549.3.7"
ECDH_SHA256 = "1.3.132.1.11.1"
SHARED = {16: bytes(range(16)), 24: bytes(range(24)), 32: bytes(range(32))}
CURVES = {"p256": ec.SECP256R1, "p384": ec.SECP384R1}


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    ways = {"authorisation": {"accounts": True, "one_time": True, "renewal": True}}
    directory = tmp_path_factory.mktemp("est-keys")
    shared = write_shared(
        directory / "shared",
        "# keys of devices",
        "",
        *(f"{size:04x} {key.hex()} *" for size, key in SHARED.items()),
        f"AABB {SHARED[32].hex()}   CN=somebody else, O=Example ",
    )
    daemon = make_est(
        directory,
        profiles=[
            *PROFILES,
            profile("signer", key_usage=["digitalSignature"]),
            profile("fresh", renewal={"window": "any", "new_key": "required"}),
            profile(
                "agree",
                key_usage=["digitalSignature", "keyAgreement"],
                keys=[{"kind": "p256"}],
                renewal={"window": "any"},
            ),
        ],
        endpoints=[
            endpoint("demo"),
            est_endpoint(est={"server_keys": "plain"}, **ways),
            est_endpoint(
                "encrypted", est={"server_keys": "encrypted", "shared_keys": str(shared)}, **ways
            ),
            est_endpoint("signer", profile="signer", **ways),
            est_endpoint("fresh", profile="fresh", est={"server_keys": "plain"}, **ways),
            est_endpoint("agree", profile="agree", est={"server_keys": "encrypted"}, **ways),
            est_endpoint("none", **ways),
        ],
    )
    yield daemon
    daemon.stop()


def write_shared(path, *lines, mode=0o600):
    path.write_text("\n".join(lines) + "\n")
    path.chmod(mode)
    return path


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(key):
    info = keys.PublicKeyInfo.load(spki(key))
    return hashlib.sha1(bytes(info["public_key"])).digest() if isinstance(key, ec.EllipticCurvePrivateKey) else info.sha1


def capabilities(*oids):
    """SMIMECapabilities of these; a tuple is one with the other as its parameter."""

    def one(what):
        first, *parameters = what if isinstance(what, tuple) else (what,)
        return der.seq(der.oid(first), *(der.seq(der.oid(p)) for p in parameters))

    return der.seq(*map(one, oids))


def request_with(key, cn="sensor-1", right=True, **attributes):
    """A request with attributes: OID -> SMIMECapabilities, or the octets of an OCTET STRING."""
    values = {
        oid: value if oid == SMIME_CAPABILITIES else der.octets(value)
        for oid, value in attributes.items()
    }
    return base64.encodebytes(est_peer.request_with(key, values, cn=cn, right=right))


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


def decrypted(directory, answer, signer, *by):
    """The key, by openssl, and whether the signature on it is the CA's or its RA's; and the recipient."""
    kind, smime, envelope = parts(answer)[0]
    assert (kind, smime) == ("application/pkcs7-mime", "server-generated-key")
    info = cms.ContentInfo.load(envelope)
    assert info["content_type"].native == "enveloped_data"
    assert info["content"]["version"].native == "v2"
    (recipient,) = info["content"]["recipient_infos"]
    assert info["content"]["encrypted_content_info"]["content_type"].native == "signed_data"
    (directory / "envelope").write_bytes(envelope)
    run = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", directory / "envelope", *by],
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
    return load_der_private_key(one.dump(), None), recipient, info["content"]["encrypted_content_info"]


def by_key(directory, key):
    """openssl's options for it; an EC key's recipient is found by a certificate of that key only."""
    est_peer.write_private(directory / "device.key", est_peer.private_pem(key))
    if isinstance(key, rsa.RSAPrivateKey):
        return ["-inkey", directory / "device.key"]
    subprocess.run(
        ["openssl", "req", "-x509", "-new", "-key", directory / "device.key", "-subj", "/CN=any"]
        + ["-out", directory / "device.pem", "-addext", "subjectKeyIdentifier=hash"],
        check=True,
    )
    return ["-inkey", directory / "device.key", "-recip", directory / "device.pem"]


def demo_ca(est):
    return est.ctl("ca", "show", "demo", "--pem").stdout


@pytest.mark.parametrize("label", ["", "encrypted"])
def test_encrypted_to_the_key_of_the_request(est, tmp_path, label):
    own = rsa.generate_private_key(65537, 2048)
    answer = ask(est, request_with(own, **{ASYMM_DECRYPT_KEY_ID: key_id(own)}), label)
    made, recipient, _ = decrypted(tmp_path, answer, demo_ca(est), *by_key(tmp_path, own))
    assert recipient.name == "ktri" and recipient.chosen["version"].native == "v2"
    assert recipient.chosen["rid"].native == key_id(own)
    assert spki(made) == public(certificate(parts(answer)[1])) != spki(own)


@pytest.mark.parametrize("curve", CURVES)
def test_encrypted_to_an_ec_key(est, tmp_path, curve):
    own = ec.generate_private_key(CURVES[curve]())
    answer = ask(est, request_with(own, **{ASYMM_DECRYPT_KEY_ID: key_id(own)}), "encrypted")
    made, recipient, _ = decrypted(tmp_path, answer, demo_ca(est), *by_key(tmp_path, own))
    assert recipient.name == "kari" and recipient.chosen["version"].native == "v3"
    algorithm = recipient.chosen["key_encryption_algorithm"]
    assert algorithm["algorithm"].dotted == ECDH_SHA256
    (encrypted,) = recipient.chosen["recipient_encrypted_keys"]
    assert encrypted["rid"].chosen["subject_key_identifier"].native == key_id(own)
    assert spki(made) == public(certificate(parts(answer)[1])) != spki(own)
    # each time to another key of ours
    again = ask(est, request_with(own, **{ASYMM_DECRYPT_KEY_ID: key_id(own)}), "encrypted")
    other = cms.ContentInfo.load(parts(again)[0][2])["content"]["recipient_infos"][0].chosen
    assert other["originator"].dump() != recipient.chosen["originator"].dump()


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_encrypted_to_the_key_of_the_tls_client(est, tmp_path, kind):
    own = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    label = "encrypted" if kind == "rsa" else "agree"
    cert = est.est(label).enrol(Request(key=own), basic("sensor", PASSWORD))
    body = request_with(ec.generate_private_key(ec.SECP256R1()), **{ASYMM_DECRYPT_KEY_ID: key_id(own)})
    answer = ask(est, body, label, client=client_file(tmp_path, cert, own))
    made, *_ = decrypted(tmp_path, answer, demo_ca(est), *by_key(tmp_path, own))
    assert isinstance(made, ec.EllipticCurvePrivateKey)


def test_a_certificate_that_is_for_signatures_alone(est, tmp_path):
    own = rsa.generate_private_key(65537, 2048)
    cert = est.est("signer").enrol(Request(key=own), basic("sensor", PASSWORD))
    body = request_with(ec.generate_private_key(ec.SECP256R1()), **{ASYMM_DECRYPT_KEY_ID: key_id(own)})
    device = est.est("encrypted", client=client_file(tmp_path, cert, own))
    answer = device.call("POST", "serverkeygen", body, basic("sensor", PASSWORD))
    refusal(answer, 400, "keyUsage is without keyEncipherment")


@pytest.mark.parametrize("size", SHARED)
def test_encrypted_with_a_shared_key(est, tmp_path, size):
    id = size.to_bytes(2, "big")
    body = request_with(ec.generate_private_key(ec.SECP256R1()), **{DECRYPT_KEY_ID: id})
    answer = ask(est, body, "encrypted")
    by = ["-secretkey", SHARED[size].hex(), "-secretkeyid", id.hex()]
    made, recipient, _ = decrypted(tmp_path, answer, demo_ca(est), *by)
    assert recipient.name == "kekri" and recipient.chosen["version"].native == "v4"
    assert recipient.chosen["kekid"]["key_identifier"].native == id
    assert spki(made) == public(certificate(parts(answer)[1]))
    for path in est.directory.rglob("*"):
        if path.is_file() and path.name != "shared":
            assert SHARED[32] not in path.read_bytes(), path


def test_a_shared_key_is_for_its_subject_and_read_anew(est):
    own = ec.generate_private_key(ec.SECP256R1())
    named = {DECRYPT_KEY_ID: b"\xaa\xbb"}
    words = "names no key that is shared for this subject"
    refusal(ask(est, request_with(own, **named), "encrypted"), 400, words)
    # who knows of none sees the same
    refusal(ask(est, request_with(own, **{DECRYPT_KEY_ID: b"\xaa\xbc"}), "encrypted"), 400, words)
    refusal(ask(est, request_with(own, **{DECRYPT_KEY_ID: b""}), "encrypted"), 400, words)
    shared = est.directory.parent / "shared"
    before = shared.read_text()
    try:
        shared.write_text(before + f"ccdd {SHARED[16].hex()} CN=sensor-1\n")
        assert parts(ask(est, request_with(own, **{DECRYPT_KEY_ID: b"\xcc\xdd"}), "encrypted"))
        shared.write_text(before + "ccdd\n")
        status, headers, body = ask(est, request_with(own, **{DECRYPT_KEY_ID: b"\xcc\xdd"}), "encrypted")
        assert status == 503 and headers["Retry-After"] and b"line" not in body
    finally:
        shared.write_text(before)


def test_only_what_the_device_says_that_it_can_decrypt(est, tmp_path):
    own = ec.generate_private_key(ec.SECP256R1())
    named = {ASYMM_DECRYPT_KEY_ID: key_id(own)}
    for caps, wrap, content in (
        ((AES128_WRAP,), AES128_WRAP, AES256_CBC),
        (((ECDH_SHA256, AES128_WRAP), AES128_CBC), AES128_WRAP, AES128_CBC),
        ((AES128_WRAP, TRIPLE_DES, AES128_CBC, AES256_WRAP), AES256_WRAP, AES128_CBC),
    ):
        body = request_with(own, **named, **{SMIME_CAPABILITIES: capabilities(*caps)})
        answer = ask(est, body, "encrypted")
        _, recipient, encrypted = decrypted(tmp_path, answer, demo_ca(est), *by_key(tmp_path, own))
        algorithm = recipient.chosen["key_encryption_algorithm"]
        assert core.ObjectIdentifier.load(algorithm["parameters"].dump()[2:]).dotted == wrap
        assert encrypted["content_encryption_algorithm"]["algorithm"].dotted == content
    for attributes, caps in (
        (named, (RSA, TRIPLE_DES)),
        ({DECRYPT_KEY_ID: b"\0\x20"}, (AES128_WRAP,)),
        (named, ()),
    ):
        body = request_with(own, **attributes, **{SMIME_CAPABILITIES: capabilities(*caps)})
        refusal(ask(est, body, "encrypted"), 400, "SMIMECapabilities has nothing to encrypt to")
    refusal(ask(est, request_with(own, **named, **{SMIME_CAPABILITIES: b"\5\0"}), "encrypted"), 400, "SMIMECapabilities")


def test_key_and_signature_of_the_request_are_ignored(est):
    own = ec.generate_private_key(ec.SECP256R1())
    wrong = request_with(own, right=False)
    assert parts(ask(est, wrong))
    refusal(est.est().call("POST", "simpleenroll", wrong, basic("sensor", PASSWORD)), 400, "signature")


def test_refusals(est):
    own = rsa.generate_private_key(65537, 2048)
    both = {ASYMM_DECRYPT_KEY_ID: key_id(own), DECRYPT_KEY_ID: b"\0\x20"}
    refusal(ask(est, Request().body, "none"), 404, "RFC 7030 4.4")
    refusal(ask(est, Request().body, "encrypted"), 400, "AsymmetricDecryptKeyIdentifier")
    for label, attributes, word in (
        ("", {ASYMM_DECRYPT_KEY_ID: b"x" * 20}, "names neither"),
        ("", {ASYMM_DECRYPT_KEY_ID: b""}, "names neither"),
        ("", {DECRYPT_KEY_ID: b"x"}, "shares no keys with devices"),
        ("encrypted", both, "exclude each other"),
    ):
        refusal(ask(est, request_with(own, **attributes), label), 400, word)
    status, headers, _ = est.est().call("POST", "serverkeygen", Request().body)
    assert status == 401 and headers["WWW-Authenticate"]


def test_no_key_is_made_for_who_may_not_have_it(est):
    """An RSA key of 4096 bits takes seconds, and which shared keys there are is nobody's business."""
    key = rsa.generate_private_key(65537, 2048)
    for label, body in (
        ("", Request(key=key).body),
        ("encrypted", request_with(key, **{DECRYPT_KEY_ID: b"x"})),
    ):
        answer = est.est(label).call("POST", "serverkeygen", body, basic("sensor", "wrong"))
        assert answer[0] == 401 and b"wrong name or password" in answer[2], answer
        steps = [s["text"] for s in json.loads(est.events("enrol.rejected")[-1]["detail"])]
        assert any("wrong name or password" in text for text in steps)
        assert not any("made here" in text for text in steps), steps


def test_a_key_made_here_renews_a_certificate_that_wants_a_new_key(est, tmp_path):
    """The request's own key is that of the certificate, and does not count."""
    request = Request("sensor-1")
    cert = est.est("fresh").enrol(request, basic("sensor", PASSWORD))
    file = client_file(tmp_path, cert, request.key)
    answer = ask(est, Request("sensor-1", key=request.key).body, "fresh", client=file)
    assert public(certificate(parts(answer)[1])) != public(cert)


@pytest.mark.parametrize(
    "lines, mode, words",
    [
        (["aa 00 *"], 0o600, "line 1: the key is not 16, 24 or 32 octets"),
        (["# aa", f"zz {'00' * 16} *"], 0o600, "line 2: the identifier is not"),
        ([f"aa {'00' * 16}"], 0o600, "the subject is missing"),
        ([f"aa {'00' * 16} nonsense"], 0o600, "line 1"),
        ([f"aa {'00' * 16} *"], 0o644, "mode 0644 lets everyone at the keys"),
    ],
)
def test_a_file_of_shared_keys_is_looked_at_first(make_daemon, tmp_path, lines, mode, words):
    daemon = make_daemon(start=False, profiles=[profile()])
    shared = write_shared(tmp_path / "shared", *lines, mode=mode)
    daemon.config["endpoints"].append(est_endpoint(est={"server_keys": "encrypted", "shared_keys": str(shared)}))
    daemon.write_config()
    complaint = check_config(daemon.config_path).stderr
    assert "est.shared_keys" in complaint and words in complaint
    assert "00" * 16 not in complaint


def test_a_key_cannot_wait_for_approval(make_daemon):
    daemon = make_daemon(start=False, profiles=[profile()])
    daemon.config["endpoints"].append(
        est_endpoint(approval="manual", est={"server_keys": "plain"})
    )
    daemon.write_config()
    assert "does not go with approval: manual" in check_config(daemon.config_path).stderr


@pytest.mark.parametrize("kind", ["rsa", *CURVES])
def test_our_client_has_its_key_made_and_encrypted(est, tmp_path, kind):
    device = Device(est, tmp_path, "encrypted")
    own = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(CURVES[kind]())
    file = est_peer.write_private(tmp_path / "own.key", est_peer.private_pem(own))
    run = device.enrol("--server-key", *account(device))
    assert run.returncode != 0 and "sends keys encrypted only" in run.stderr
    run = device.enrol("--server-key", "--decrypt-key", file, *account(device))
    assert run.returncode == 0, run.stderr
    assert device.key.stat().st_mode & 0o777 == 0o600
    made = load_pem_private_key(device.key.read_bytes(), None)
    assert spki(made) == public(device.certificate()) != spki(own)
    for wrong in (["--decrypt-key", file], ["--server-key", "--decrypt-key", file, "--key-type", "p256"]):
        assert device.enrol(*wrong, *account(device)).returncode == 64


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
