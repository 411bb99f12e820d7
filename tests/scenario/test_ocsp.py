# SPDX-License-Identifier: Apache-2.0
"""Other people's clients ask the OCSP responder: good, revoked and never issued."""

import base64
import datetime
import hashlib
import shutil
import signal
import subprocess
import urllib.parse

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from daemon import endpoint, wait_for

PATH = "/ocsp/demo"
NOCHECK = ObjectIdentifier("1.3.6.1.5.5.7.48.1.5")
EXTENDED = ObjectIdentifier("1.3.6.1.5.5.7.48.1.9")
HASHES = [hashes.SHA1, hashes.SHA256, hashes.SHA384, hashes.SHA512]


def ocsp_endpoint(name="ocsp", path=PATH, ca="demo", **settings):
    made = {"name": name, "protocol": "ocsp", "path": path, "ca": ca}
    return {**made, "ocsp": settings} if settings else made


@pytest.fixture
def made(make_daemon, tmp_path):
    daemon = make_daemon(
        endpoints=[
            endpoint("demo"),
            ocsp_endpoint(),
            ocsp_endpoint("strict", "/ocsp/strict", unissued="revoked", responder_id="name",
                          validity="2h"),
            ocsp_endpoint("none", "/ocsp/none", ca="none"),
        ]
    )
    pem = daemon.authority().cert.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "ca.pem").write_bytes(pem)
    return daemon


def revoke(daemon, cert, reason="keyCompromise"):
    daemon.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", reason)


def request_for(cert, issuer, algorithm=hashes.SHA1, nonce=None):
    builder = ocsp.OCSPRequestBuilder().add_certificate(cert, issuer, algorithm())
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(serialization.Encoding.DER)


def post(daemon, body, path=PATH):
    headers = {"Content-Type": "application/ocsp-request"}
    status, headers, body = daemon.http("POST", path, body, headers)
    assert (status, headers["Content-Type"]) == (200, "application/ocsp-response")
    return ocsp.load_der_ocsp_response(body)


def ask(daemon, cert, path=PATH, **how):
    return post(daemon, request_for(cert, daemon.authority().cert, **how), path)


def state(daemon, cert, **how):
    return ask(daemon, cert, **how).certificate_status


def never_issued(daemon):
    """A certificate that names the CA, which has never seen it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    key = ec.generate_private_key(ec.SECP256R1())
    return (x509.CertificateBuilder().subject_name(x509.Name([]))
            .issuer_name(daemon.authority().cert.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(key, hashes.SHA256()))  # fmt: skip


def openssl_ocsp(daemon, tmp_path, *names, options=()):
    certs = [x for name in names for x in ("-cert", tmp_path / f"{name}.pem")]
    run = subprocess.run(
        ["openssl", "ocsp", "-issuer", tmp_path / "ca.pem", *options, *certs,
         "-CAfile", tmp_path / "ca.pem", "-url", f"http://127.0.0.1:{daemon.port}{PATH}"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "Response verify OK" in run.stderr, run.stderr
    return run.stdout + run.stderr


def test_openssl(made, tmp_path):
    """`openssl ocsp` verifies the delegated responder, its nonce and several certificates."""
    made.enrol_by_client(tmp_path, "good")
    bad = made.enrol_by_client(tmp_path, "bad")
    revoke(made, bad)
    (tmp_path / "foreign.pem").write_bytes(
        never_issued(made).public_bytes(serialization.Encoding.PEM))
    said = openssl_ocsp(made, tmp_path, "good", "bad", "foreign")
    assert "good.pem: good" in said
    assert "bad.pem: revoked" in said and "Reason: keyCompromise" in said
    assert "foreign.pem: unknown" in said
    assert "WARNING" not in said  # the nonce came back
    assert "good.pem: good" in openssl_ocsp(made, tmp_path, "good", options=["-no_nonce"])
    said = openssl_ocsp(made, tmp_path, "good", options=["-sha256"])
    assert "good.pem: good" in said


@pytest.mark.skipif(not shutil.which("ocsptool"), reason="GnuTLS is not here")
def test_gnutls(made, tmp_path):
    """`ocsptool` takes all three answers, and the one for who wants the unissued revoked."""
    made.enrol_by_client(tmp_path, "good")
    revoke(made, made.enrol_by_client(tmp_path, "bad"))
    (tmp_path / "foreign.pem").write_bytes(
        never_issued(made).public_bytes(serialization.Encoding.PEM))
    for name, path, want in [
        ("good", PATH, "good"), ("bad", PATH, "revoked"), ("foreign", PATH, "unknown"),
        ("foreign", "/ocsp/strict", "revoked"), ("good", "/ocsp/strict", "good"),
    ]:  # fmt: skip
        run = subprocess.run(
            ["ocsptool", f"--ask=http://127.0.0.1:{made.port}{path}", "--nonce",
             "--load-cert", tmp_path / f"{name}.pem", "--load-issuer", tmp_path / "ca.pem",
             "--load-trust", tmp_path / "ca.pem"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert f"Certificate Status: {want}" in run.stdout, run.stdout + run.stderr
        assert "Verifying OCSP Response: Success" in run.stdout, run.stdout + run.stderr


def test_the_responder_is_delegated(made, tmp_path):
    """Its certificate: of the CA, short, for OCSP only, with nocheck; found by key or by name."""
    cert, ca = made.enrol_by_client(tmp_path, "good"), made.authority().cert
    response = ask(made, cert)
    responder = response.certificates[0]
    ca.public_key().verify(responder.signature, responder.tbs_certificate_bytes,
                           ec.ECDSA(responder.signature_hash_algorithm))
    usage = responder.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert responder.extensions.get_extension_for_oid(NOCHECK).value is not None
    responder.public_key().verify(response.signature, response.tbs_response_bytes,
                                  ec.ECDSA(response.signature_hash_algorithm))
    key = responder.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    assert response.responder_key_hash == hashlib.sha1(key).digest()
    assert ask(made, cert, "/ocsp/strict").responder_name == responder.subject
    # its own certificate is known to it, too
    assert state(made, responder) == ocsp.OCSPCertStatus.GOOD
    made.restart()
    assert ask(made, cert).certificates[0] == responder


@pytest.mark.parametrize("algorithm", HASHES)
def test_hashes_are_echoed(made, tmp_path, algorithm):
    cert = made.enrol_by_client(tmp_path, "good")
    response = ask(made, cert, algorithm=algorithm)
    assert response.certificate_status == ocsp.OCSPCertStatus.GOOD
    assert isinstance(response.hash_algorithm, algorithm)
    assert response.serial_number == cert.serial_number


def test_nonces(made, tmp_path):
    cert = made.enrol_by_client(tmp_path, "good")
    for length in (1, 16, 32, 128):
        nonce = bytes(range(length))
        response = ask(made, cert, nonce=nonce)
        assert response.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    long = post(made, request_for(cert, made.authority().cert, nonce=bytes(129)))
    assert long.response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert len(ask(made, cert).extensions) == 0


def test_a_decision_shows_at_once(made, tmp_path):
    """What was answered before does not live on in the cache."""
    cert = made.enrol_by_client(tmp_path, "lost")
    serial = f"{cert.serial_number:x}"
    for _ in range(2):
        assert state(made, cert) == ocsp.OCSPCertStatus.GOOD
    made.ctl("cert", "hold", serial)
    response = ask(made, cert)
    assert response.certificate_status == ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_reason == x509.ReasonFlags.certificate_hold
    made.ctl("cert", "release", serial)
    assert state(made, cert) == ocsp.OCSPCertStatus.GOOD
    revoke(made, cert, "superseded")
    assert ask(made, cert).revocation_reason == x509.ReasonFlags.superseded


def test_what_was_never_issued_is_never_good(made):
    cert = never_issued(made)
    assert state(made, cert) == ocsp.OCSPCertStatus.UNKNOWN
    response = ask(made, cert, "/ocsp/strict")
    assert response.certificate_status == ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_reason == x509.ReasonFlags.certificate_hold
    assert response.revocation_time == datetime.datetime(1970, 1, 1)
    assert response.extensions.get_extension_for_oid(EXTENDED)


def test_other_issuers(made, tmp_path):
    """A certificate of another CA, though it has the number of one of ours."""
    made.admin.ca_init("other")
    cert = made.enrol_by_client(tmp_path, "good")
    other = x509.load_pem_x509_certificate(made.ctl("ca", "show", "other", "--pem").stdout.encode())
    response = post(made, request_for(cert, other))
    assert response.response_status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_get(made, tmp_path):
    """RFC 5019: base64 in the path, slashes of its own and percent-encoding; caching headers."""
    cert, ca = made.enrol_by_client(tmp_path, "good"), made.authority().cert
    seen = set()
    for algorithm in HASHES:
        text = base64.b64encode(request_for(cert, ca, algorithm)).decode()
        for form in (text, urllib.parse.quote(text, safe=""), "/" + text, text.rstrip("=")):
            status, headers, body = made.http("GET", f"{PATH}/{form}")
            assert status == 200
            response = ocsp.load_der_ocsp_response(body)
            assert response.certificate_status == ocsp.OCSPCertStatus.GOOD
        seen.update(c for c in "/+" if c in text)
    assert "/" in seen or "+" in seen
    assert "max-age=" in headers["Cache-Control"] and "public" in headers["Cache-Control"]
    assert headers["ETag"] and headers["Last-Modified"] and headers["Expires"]
    assert ocsp.load_der_ocsp_response(body).next_update is not None
    nonce = base64.b64encode(request_for(cert, ca, nonce=b"x" * 16)).decode()
    assert made.http("GET", f"{PATH}/{nonce}")[1]["Cache-Control"] == "no-store"


def test_slashes_are_not_collapsed(made):
    """A request whose base64 has two slashes in a row."""
    ca = made.authority().cert
    for i in range(20000):
        number = int.from_bytes(b"\x7f" + hashlib.sha256(str(i).encode()).digest()[:15], "big")
        body = asn1_ocsp.OCSPRequest({"tbs_request": {"request_list": [{"req_cert": {
            "hash_algorithm": {"algorithm": "sha1"},
            "issuer_name_hash": hashlib.sha1(ca.subject.public_bytes()).digest(),
            "issuer_key_hash": b"\0" * 20,
            "serial_number": number,
        }}]}}).dump()
        text = base64.b64encode(body).decode()
        if "//" in text:
            break
    assert "//" in text
    body = made.http("GET", f"{PATH}/{text}")[2]
    # well-formed, if of an unknown issuer: with a slash too few it would be malformed
    status = ocsp.load_der_ocsp_response(body).response_status
    assert status == ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_what_cannot_be_answered(made):
    for body in (b"", b"0", b"\x30\x03\x02\x01\x00", b"\x30\x80", bytes(9000)):
        response = post(made, body)
        assert response.response_status == ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    assert made.http("PUT", PATH, b"x")[0] == 405
    response = post(made, b"\x30\x00", "/ocsp/none")
    assert response.response_status == ocsp.OCSPResponseStatus.TRY_LATER


def test_the_second_answer_is_quick_and_never_stale(made, tmp_path):
    """Answers from the event loop: octet for octet the same until a status, key or setting changes."""
    cert = made.enrol_by_client(tmp_path, "good")
    der = request_for(cert, made.authority().cert)
    path = PATH + "/" + urllib.parse.quote(base64.b64encode(der).decode(), safe="")

    def both():
        answers = [made.http("POST", PATH, der), made.http("GET", path)]
        assert [a[0] for a in answers] == [200, 200]
        return answers, [ocsp.load_der_ocsp_response(a[2]).certificate_status for a in answers]

    good, revoked = [ocsp.OCSPCertStatus.GOOD] * 2, [ocsp.OCSPCertStatus.REVOKED] * 2
    first, _ = both()
    for _ in range(20):
        again, said = both()
        assert said == good
        assert [a[2] for a in again] == [a[2] for a in first]
        assert again[1][1]["ETag"] == first[1][1]["ETag"] and "max-age=" in again[1][1]["Cache-Control"]
    made.ctl("cert", "hold", f"{cert.serial_number:x}")
    assert both()[1] == revoked and both()[1] == revoked
    made.ctl("cert", "release", f"{cert.serial_number:x}")
    assert both()[1] == good and both()[1] == good
    revoke(made, cert)
    for _ in range(5):
        assert both()[1] == revoked
    # the endpoint is gone: so are its answers
    made.config["endpoints"] = [e for e in made.config["endpoints"] if e["name"] != "ocsp"]
    made.write_config()
    made.process.send_signal(signal.SIGHUP)
    wait_for("the new configuration", lambda: made.http("POST", PATH, der)[0] == 404)
    assert made.http("GET", path)[0] == 404


def test_an_endpoint_for_some_addresses_is_for_them_only(make_daemon, tmp_path):
    """Each request is admitted by itself, however often it was answered before."""
    daemon = make_daemon(endpoints=[endpoint("demo"), {**ocsp_endpoint(), "limits": {"address": "5/h"}}])
    der = request_for(daemon.enrol_by_client(tmp_path, "good"), daemon.authority().cert)
    assert [daemon.http("POST", PATH, der)[0] for _ in range(8)] == [200] * 5 + [429] * 3


def test_the_number_of_certificates_asked_for_is_bounded_by_setting(make_daemon, tmp_path):
    daemon = make_daemon(
        endpoints=[
            endpoint("demo"),
            ocsp_endpoint(),
            ocsp_endpoint("few", "/ocsp/few", certificates=2),
            ocsp_endpoint("many", "/ocsp/many", certificates=100),
        ]
    )
    ours = request_for(daemon.enrol_by_client(tmp_path, "good"), daemon.authority().cert)
    one = asn1_ocsp.OCSPRequest.load(ours)["tbs_request"]["request_list"][0]

    def status(path, n):
        asked = asn1_ocsp.OCSPRequest({"tbs_request": {"request_list": [one] * n}}).dump()
        return asn1_ocsp.OCSPResponse.load(daemon.http("POST", path, asked)[2])["response_status"].native

    good, bad = "successful", "malformed_request"
    assert [status("/ocsp/few", n) for n in (1, 2, 3)] == [good, good, bad]
    assert [status(PATH, n) for n in (32, 33)] == [good, bad]
    assert [status("/ocsp/many", n) for n in (33, 100, 101)] == [good, good, bad]
