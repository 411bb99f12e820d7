# SPDX-License-Identifier: Apache-2.0
"""fullcmc (RFC 7030 4.3, RFC 5272): Full PKI Requests over the real daemon, answers verified by openssl."""

import base64
import datetime
import subprocess

import pytest
from asn1crypto import crl as asn1_crl
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import cmc_peer
import der
import est_peer
from cmc_peer import HEADERS, Answer, control, pki_data, signed, tcr
from conftest import endpoint, profile
from daemon import wait_for
from est_peer import Request, basic
from test_est import PASSWORD, PROFILES, est_endpoint, make_est, waiting

TAKEN = {"full_cmc": True}
ENDPOINTS = [
    endpoint("demo"),
    {"name": "lists", "protocol": "crl", "path": "/crl/demo", "ca": "demo", "crl": {}},
    est_endpoint(
        est=TAKEN, authorisation={"one_time": True, "accounts": True, "renewal": True, "registrars": True}
    ),
    est_endpoint("open", est=TAKEN, authorisation={"anyone": True, "renewal": True}),
    est_endpoint(
        "manual",
        approval="manual",
        est={"retry_after": "1s", **TAKEN},
        authorisation={"anyone": True, "registrars": True},
    ),
    est_endpoint("maker", est=TAKEN, authorisation={"certificates": True}),
    est_endpoint("new-keys", est=TAKEN, profile="new-keys", authorisation={"accounts": True, "renewal": True}),
    est_endpoint("linked", est={"channel_binding": "required", **TAKEN}),
    est_endpoint("registrars", profile="registrar"),
    est_endpoint("lone", ca="lone", est=TAKEN),
    est_endpoint("short", profile="short"),
    est_endpoint("old", est=TAKEN, legacy="sha1-3des"),
    est_endpoint("off"),
]
SHORT = profile("short", validity="2s", backdate="1s")
NEW_KEYS = profile("new-keys", renewal={"window": "any", "new_key": "required"})


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    directory = tmp_path_factory.mktemp("full-cmc")
    daemon = make_est(directory, profiles=[*PROFILES, NEW_KEYS, SHORT], endpoints=ENDPOINTS)
    daemon.admin.ca_init("lone", key="rsa2048", ra="none")
    daemon.ca_file = directory / "demo.pem"
    daemon.ca_file.write_text(daemon.ctl("ca", "show", "demo", "--pem").stdout)
    daemon.ca = x509.load_pem_x509_certificate(daemon.ca_file.read_bytes())
    daemon.scratch = directory
    yield daemon
    daemon.stop()


def account():
    return basic("sensor", PASSWORD)


def send(daemon, message, label="", headers=None, client=None):
    body = base64.encodebytes(message)
    return daemon.est(label, client=client).call("POST", "fullcmc", body, {**HEADERS, **(headers or {})})


def ask(daemon, message, *more, **options):
    return Answer(send(daemon, message, *more, **options), daemon.ca_file, daemon.scratch)


def enrolled(daemon, cn="sensor-1", label=""):
    request = Request(cn)
    return daemon.est(label).enrol(request, account() if not label else None), request.key


def refused(answer, http, fail_info, *words, bodies=None):
    assert (answer.http, answer.status, answer.fail_info) == (http, "failed", fail_info), answer.text
    for word in words:
        assert word in answer.text
    if bodies:
        assert answer.bodies == bodies


def nonce(value=b"the device's nonce"):
    return control(2, "sender_nonce", der.octets(value))


# ---- a first certificate ----


@pytest.mark.parametrize("key", ["p256", "rsa"])
def test_signed_with_the_key_itself(est, key):
    """RFC 5272 3.2: the signer is the key that is to be certified, by its identifier."""
    request = Request(key=rsa.generate_private_key(65537, 2048) if key == "rsa" else None)
    answer = ask(est, signed(pki_data(requests=[tcr(1, request.der)]), request.key), headers=account())
    assert answer.http == 200 and not answer.full
    cert = answer.certificate_for(request.key)
    assert cert.subject == est_peer.name("sensor-1") and est.ca in answer.certs
    # the same under the same key, by whichever operation
    assert est.est().enrol(request, account()) == cert


def test_what_is_to_be_echoed_is(est):
    request = Request("echo")
    controls = [
        control(1, "transaction_id", der.integer(10132985123483401)),
        nonce(),
        control(3, "data_return", der.octets(b"my own state")),
        control(4, "reg_info", der.octets(b"whatever")),
    ]
    answer = ask(est, signed(pki_data(controls, [tcr(9, request.der)]), request.key), headers=account())
    assert answer.http == 200 and answer.full
    assert (answer.status, answer.bodies) == ("success", [9])
    assert answer.value("transaction_id") == 10132985123483401
    assert answer.value("recipient_nonce") == b"the device's nonce"
    assert len(answer.value("sender_nonce")) == 16
    assert answer.value("data_return") == b"my own state"
    assert answer.certificate_for(request.key).subject == est_peer.name("echo")


def test_a_ca_without_registration_authority_signs_itself(est, tmp_path):
    lone, request = tmp_path / "lone.pem", Request("lonely")
    lone.write_text(est.ctl("ca", "show", "lone", "--pem").stdout)
    message = signed(pki_data([nonce()], [tcr(1, request.der)]), request.key)
    answer = Answer(send(est, message, "lone"), lone, tmp_path)
    assert answer.status == "success" and answer.certificate_for(request.key)
    assert len(answer.certs) == 2


def test_with_a_challenge_once(est):
    challenge = est.admin.challenge(endpoint="est")
    first, second = Request("first"), Request("second")
    message = signed(pki_data([nonce()], [tcr(1, first.der)]), first.key)
    cert = ask(est, message, headers=basic("", challenge)).certificate_for(first.key)
    assert ask(est, message, headers=basic("", challenge)).certificate_for(first.key) == cert
    message = signed(pki_data([nonce()], [tcr(1, second.der)]), second.key)
    answer = ask(est, message, headers=basic("", challenge))
    refused(answer, 401, "badRequest", "used already", bodies=[1])
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_ber_and_a_certificate_of_its_own_making(est):
    """As BouncyCastle sends it; the signer by a self-signed certificate, as in SCEP."""
    request = Request("self")
    now = est.ca.not_valid_before
    own = (
        x509.CertificateBuilder()
        .subject_name(est_peer.name("self"))
        .issuer_name(est_peer.name("self"))
        .public_key(request.key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now.replace(year=now.year + 1))
        .sign(request.key, hashes.SHA256())
    )
    message = der.ber_signed(signed(pki_data([nonce()], [tcr(1, request.der)]), request.key, own), size=50)
    assert ask(est, message, headers=account()).certificate_for(request.key)


def test_signed_by_openssl(est, tmp_path):
    """The SignedData is not our peer's, but that of `openssl cms`."""
    key, own, csr = tmp_path / "key.pem", tmp_path / "own.pem", tmp_path / "csr.der"
    new = ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run([*new, "-x509", "-subj", "/CN=openssl", "-keyout", key, "-out", own], check=True)
    made = ["openssl", "req", "-new", "-key", key, "-subj", "/CN=openssl", "-outform", "DER"]
    subprocess.run([*made, "-out", csr], check=True)
    (tmp_path / "data").write_bytes(pki_data([nonce()], [tcr(1, csr.read_bytes())]))
    sign = ["openssl", "cms", "-sign", "-nodetach", "-binary", "-keyid", "-nocerts", "-outform", "DER"]
    sign += ["-econtent_type", cmc_peer.PKI_DATA, "-signer", own, "-inkey", key, "-in", tmp_path / "data"]
    message = subprocess.run(sign, check=True, capture_output=True).stdout
    answer = ask(est, message, headers=account())
    assert answer.status == "success" and est_peer.name("openssl") in [c.subject for c in answer.certs]


def test_crmf(est):
    """The same request in the other format is the same request; its subjectKeyIdentifier names the signer."""
    request = Request("crmf")
    ski = der.seq(der.oid("2.5.29.14"), der.octets(der.octets(b"of my own")))
    message = pki_data([nonce()], [cmc_peer.crm(9, request.key, "crmf", extensions=[ski])])
    answer = ask(est, signed(message, request.key, sid=der.tlv(0x80, b"of my own")), headers=account())
    assert (answer.status, answer.bodies) == ("success", [9])
    assert answer.certificate_for(request.key).subject == est_peer.name("crmf")
    request = Request("both")
    message = pki_data([nonce()], [cmc_peer.crm(9, request.key, "both")])
    cert = ask(est, signed(message, request.key), headers=account()).certificate_for(request.key)
    assert est.est().enrol(request, account()) == cert


@pytest.mark.parametrize(
    "options, fail_info, word",
    [
        ({"pop": "none"}, "popRequired", "RFC 4211 4.1"),
        ({"pop": "ra"}, "popFailed", "RFC 4211 4.1"),
        ({"pop": "encryption"}, "popFailed", "RFC 4211 4.1"),
        ({"pop": ec.generate_private_key(ec.SECP256R1())}, "popFailed", "by the key asked for"),
        ({"controls": [der.seq(der.oid("1.3.6.1.5.5.7.5.1.1"), der.tlv(0x0C, b"x"))]}, "badRequest", "controls"),
        ({"reg_info": [der.seq(der.oid("1.3.6.1.5.5.7.5.2.1"), der.tlv(0x0C, b"x"))]}, "badRequest", "regInfo"),
        ({"extensions": [der.NULL]}, "badRequest", "RFC 5272 3.2.1.2.2"),
    ],
)
def test_crmf_that_is_refused(est, options, fail_info, word):
    key = ec.generate_private_key(ec.SECP256R1())
    message = signed(pki_data([nonce()], [cmc_peer.crm(9, key, "crmf", **options)]), key)
    refused(ask(est, message, "open"), 400, fail_info, word, bodies=[9])


def test_the_makers_certificate_over_tls(est):
    request = Request("made")
    message = signed(pki_data([nonce()], [tcr(1, request.der)]), request.key)
    device = est.maker.issue("device-7")
    assert ask(est, message, "maker", client=device).certificate_for(request.key)
    # signed with the maker's certificate, too: who shows it over TLS may; who does not, may not
    key, cert = est_peer.ec.generate_private_key(ec.SECP256R1()), None
    pem = device.read_bytes()
    key = est_peer.serialization.load_pem_private_key(pem, None)
    cert = x509.load_pem_x509_certificate(pem)
    message = signed(pki_data([nonce()], [tcr(1, Request("made").der)]), key, cert)
    assert ask(est, message, "maker", client=device).status == "success"
    refused(ask(est, message, "maker"), 403, "badRequest", "device-7", "nor the TLS client's")


# ---- renewal, and registration authorities ----


def test_renewal_by_the_signature(est):
    cert, key = enrolled(est, "renewed")
    request = Request("renewed")
    message = signed(pki_data([nonce()], [tcr(5, request.der)]), key, cert)
    renewed = ask(est, message).certificate_for(request.key)
    assert renewed.subject == cert.subject and renewed.serial_number != cert.serial_number
    assert ask(est, message).certificate_for(request.key) == renewed
    # without the certificate in the message: the server knows it
    again = Request("renewed")
    bare = signed(pki_data([nonce()], [tcr(5, again.der)]), key, cert, certs=[])
    assert ask(est, bare).certificate_for(again.key)


def test_renewal_under_another_name_is_refused(est):
    cert, key = enrolled(est, "one-name")
    message = signed(pki_data([nonce()], [tcr(5, Request("another").der)]), key, cert)
    refused(ask(est, message), 400, "badRequest", "one-name", "another", bodies=[5])


def test_a_revoked_certificate_renews_nothing(est):
    cert, key = enrolled(est, "revoked")
    est.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "keyCompromise")
    message = signed(pki_data([nonce()], [tcr(5, Request("revoked").der)]), key, cert)
    refused(ask(est, message), 403, "badRequest", "keyCompromise")


def test_a_look_alike_of_the_ca_is_found_out(est):
    cert, _ = enrolled(est, "original")
    key, forger = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    forged = (
        x509.CertificateBuilder()
        .subject_name(cert.subject)
        .issuer_name(cert.issuer)
        .public_key(key.public_key())
        .serial_number(cert.serial_number)
        .not_valid_before(cert.not_valid_before)
        .not_valid_after(cert.not_valid_after)
        .sign(forger, hashes.SHA256())
    )
    message = signed(pki_data([nonce()], [tcr(5, Request("original").der)]), key, forged)
    refused(ask(est, message), 404, "badCertId", "but is another")
    revoking = control(1, "revoke_request", cmc_peer.revoke(cert.issuer, cert.serial_number))
    refused(ask(est, signed(pki_data([revoking]), key, forged)), 404, "badCertId", "has not issued")


def test_a_key_may_not_be_kept_where_the_profile_wants_another(est):
    request = Request("keeper")
    cert = est.est("new-keys").enrol(request, account())
    message = signed(pki_data([nonce()], [tcr(5, request.der)]), request.key, cert)
    refused(ask(est, message, "new-keys"), 400, "noKeyReuse", "new key")


def test_a_registration_authority_enrols_others(est):
    ra, ra_key = enrolled(est, "the registrar", "registrars")
    request = Request("someone else")
    message = signed(pki_data([nonce()], [tcr(5, request.der)]), ra_key, ra)
    assert ask(est, message).certificate_for(request.key).subject == est_peer.name("someone else")
    device, key = enrolled(est, "no registrar")
    message = signed(pki_data([nonce()], [tcr(5, Request("someone else").der)]), key, device)
    refused(ask(est, message), 400, "badRequest", "no registrar")


# ---- secrets ----


def proven(secret, request, identification=None, version=2, message_secret=None):
    requests = [tcr(9, request.der)]
    args = (message_secret or secret, der.seq(*requests), identification or "")
    if version == 2:
        controls = [control(1, "identity_proof_v2", cmc_peer.witness_v2(*args))]
    else:
        controls = [control(1, "identity_proof", der.octets(cmc_peer.witness(*args, digest="sha1")))]
    if identification:
        controls.append(control(2, "identification", der.tlv(0x0C, identification.encode())))
    return signed(pki_data(controls, requests), request.key)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("identification", [None, "sensor nümber 7"])
def test_identity_is_proven_with_a_secret_that_is_shown(est, version, identification):
    challenge = est.admin.challenge(endpoint="est")
    request = Request("proven")
    message = proven(challenge, request, identification, version)
    # alone it cannot be checked: of the challenge the server has a hash
    refused(ask(est, message), 403, "badIdentity", "a hash only")
    assert ask(est, message, headers=basic("", challenge)).certificate_for(request.key)
    # another secret than the one that is shown
    other = est.admin.challenge(endpoint="est")
    wrong = proven(challenge, Request("proven"), identification, version, message_secret=other)
    refused(ask(est, wrong, headers=basic("", challenge)), 400, "badIdentity", "RFC 5272 6.2")


def test_a_proof_is_over_the_requests_as_they_are_sent(est):
    challenge = est.admin.challenge(endpoint="est")
    value = cmc_peer.witness_v2(challenge, der.seq(tcr(9, Request("one").der)))
    request = Request("another")
    message = signed(pki_data([control(1, "identity_proof_v2", value)], [tcr(9, request.der)]), request.key)
    refused(ask(est, message, headers=basic("", challenge)), 400, "badIdentity")


def linked(secret, random, attribute="pop_link_witness_v2", shown=True):
    key = ec.generate_private_key(ec.SECP256R1())
    value = (
        cmc_peer.witness_v2(secret, random)
        if attribute.endswith("v2")
        else der.octets(cmc_peer.witness(secret, random, digest="sha1"))
    )
    csr = x509.CertificateSigningRequestBuilder().subject_name(est_peer.name("linked"))
    info = csr.sign(key, hashes.SHA256()).tbs_certrequest_bytes
    _, parts, _ = der.split(info)
    version, subject, spki, _ = der.children(parts)
    added = der.seq(der.oid(cmc_peer.control_oid(attribute)), der.set_of(value))
    info = der.seq(version, subject, spki, der.tlv(0xA0, added))
    signature = key.sign(info, ec.ECDSA(hashes.SHA256()))
    whole = der.seq(info, der.seq(der.oid("1.2.840.10045.4.3.2")), der.bits(signature))
    controls = [control(1, "pop_link_random", der.octets(random))] if shown else []
    return signed(pki_data([nonce(), *controls], [tcr(9, whole)]), key)


@pytest.mark.parametrize("attribute", ["pop_link_witness", "pop_link_witness_v2"])
def test_possession_is_linked_with_the_secret(est, attribute):
    challenge, random = est.admin.challenge(endpoint="est"), bytes(range(64))
    shown = basic("", challenge)
    refused(ask(est, linked("wrong", random, attribute), headers=shown), 400, "popFailed", "RFC 5272 6.3.1")
    refused(ask(est, linked(challenge, random, attribute, shown=False), headers=shown), 400, "popFailed")
    assert ask(est, linked(challenge, random, attribute), headers=shown).status == "success"
    request = Request("not linked")
    random = control(1, "pop_link_random", der.octets(random))
    message = signed(pki_data([random], [tcr(9, request.der)]), request.key)
    refused(ask(est, message, headers=shown), 400, "popFailed", "no popLinkWitness")


def test_who_shows_nothing_is_asked(est):
    before = len(est.events("enrol.rejected"))
    request = Request()
    status, headers, body = send(est, signed(pki_data(requests=[tcr(1, request.der)]), request.key))
    assert (status, body) == (401, b"") and headers["WWW-Authenticate"].startswith("Basic ")
    assert len(est.events("enrol.rejected")) == before


def test_channel_binding_is_wanted_here_too(est):
    request = Request("unlinked")
    message = signed(pki_data([nonce()], [tcr(1, request.der)]), request.key)
    refused(ask(est, message, "linked"), 400, "popFailed", "RFC 7030 3.5")


# ---- approval ----


def poll(token, key, cert=None):
    return signed(pki_data([nonce(), control(7, "query_pending", der.octets(token))]), key, cert)


def test_waiting_survives_a_restart(est):
    request = Request("patient")
    message = signed(pki_data([nonce()], [tcr(1, request.der)]), request.key)
    answer = ask(est, message, "manual")
    assert answer.http == 202 and answer.headers["Retry-After"] == "1"
    assert (answer.status, answer.bodies) == ("pending", [1])
    token = answer.pend_info["token"].native
    assert answer.pend_info["time"].native
    est.restart()
    polled = ask(est, poll(token, request.key), "manual")
    assert (polled.http, polled.status, polled.bodies) == (202, "pending", [7])
    assert polled.headers["Retry-After"] == "1" and polled.info["other"].native is None  # RFC 5272 6.13
    # a stranger learns nothing, and another device neither; a registration authority does
    refused(ask(est, poll(token, Request().key), "manual"), 400, "badMessageCheck")
    device, device_key = enrolled(est, "curious")
    refused(ask(est, poll(token, device_key, device), "manual"), 403, "badRequest", "RFC 5272 6.13")
    ra, ra_key = enrolled(est, "the poller", "registrars")
    assert ask(est, poll(token, ra_key, ra), "manual").status == "pending"
    est.ctl("request", "approve", waiting(est))
    cert = ask(est, poll(token, request.key), "manual").certificate_for(request.key)
    assert ask(est, message, "manual").certificate_for(request.key) == cert
    status, _, body = est.est("manual").call("POST", "simpleenroll", request.body)
    assert status == 200 and est_peer.certificate(body) == cert


def test_polls_that_find_nothing(est):
    key = Request().key
    refused(ask(est, poll(b"no token", key), "manual"), 400, "badRequest", "RFC 5272 6.13", bodies=[7])
    spki = key.public_key().public_bytes(
        est_peer.serialization.Encoding.DER, est_peer.serialization.PublicFormat.SubjectPublicKeyInfo
    )
    unknown = der.seq(der.octets(b"0" * 64), spki)
    refused(ask(est, poll(unknown, key), "manual"), 404, "badCertId", "no request of this key waits")


def test_a_request_that_an_operator_rejects(est):
    request = Request("unwanted")
    message = signed(pki_data([nonce()], [tcr(1, request.der)]), request.key)
    token = ask(est, message, "manual").pend_info["token"].native
    est.ctl("request", "reject", waiting(est), "--reason", "unknown to us")
    answer = ask(est, poll(token, request.key), "manual")
    assert answer.status == "failed" and "unknown to us" in answer.text


# ---- what has been issued ----


def test_get_cert(est):
    cert, key = enrolled(est, "asking")
    wanted, _ = enrolled(est, "wanted")
    asked = control(1, "get_cert", cmc_peer.get_cert(wanted.issuer, wanted.serial_number))
    answer = ask(est, signed(pki_data([asked]), key, cert))
    assert not answer.full and wanted in answer.certs
    assert wanted in ask(est, signed(pki_data([asked, nonce()]), key, cert)).certs
    # not to whom the CA has given none
    stranger = signed(pki_data([asked]), ec.generate_private_key(ec.SECP256R1()))
    refused(ask(est, stranger), 400, "badMessageCheck")
    revoked, revoked_key = enrolled(est, "no longer")
    est.ctl("cert", "revoke", f"{revoked.serial_number:x}", "--reason", "superseded")
    refused(ask(est, signed(pki_data([asked]), revoked_key, revoked)), 403, "badRequest", "superseded")
    issuer = der.seq(cmc_peer.name_der(est.ca.subject))
    list_ = pki_data([control(1, "get_crl", issuer)])
    refused(ask(est, signed(list_, revoked_key, revoked)), 403, "badRequest", "superseded")
    nothing = control(1, "get_cert", cmc_peer.get_cert(wanted.issuer, 4711))
    refused(ask(est, signed(pki_data([nothing]), key, cert)), 404, "badCertId", "has issued no such", bodies=[1])
    other = control(1, "get_cert", cmc_peer.get_cert(est_peer.name("Other CA"), 1))
    refused(ask(est, signed(pki_data([other]), key, cert)), 404, "badCertId", "Other CA")


def test_get_crl(est):
    cert, key = enrolled(est, "list reader")
    issuer = cmc_peer.name_der(est.ca.subject)
    wait_for("the list", lambda: est.http("GET", "/crl/demo/full.crl")[0] == 200)
    answer = ask(est, signed(pki_data([control(1, "get_crl", der.seq(issuer))]), key, cert))
    assert not answer.full
    (crl,) = answer.crls
    list_ = x509.load_der_x509_crl(crl.dump())
    assert list_.is_signature_valid(est.ca.public_key())
    echoed = ask(est, signed(pki_data([control(1, "get_crl", der.seq(issuer)), nonce()]), key, cert))
    assert echoed.full and asn1_crl.CertificateList.load(echoed.crls[0].dump()).issuer.native
    old = control(1, "get_crl", der.seq(issuer, der.tlv(0x18, b"20200101000000Z")))
    refused(ask(est, signed(pki_data([old]), key, cert)), 404, "badCertId", "are not kept")


def revoking(cert, *more, **options):
    return control(3, "revoke_request", cmc_peer.revoke(cert.issuer, cert.serial_number, *more, **options))


def revocations(daemon, cert):
    return [e for e in daemon.events("cert.revoked") if int(e["serial"], 16) == cert.serial_number]


def test_the_holder_revokes_its_own_certificate(est):
    cert, key = enrolled(est, "lost")
    comment = der.tlv(0x0C, b"fell into the river")
    message = signed(pki_data([revoking(cert, 4, comment), nonce()]), key, cert)
    for text in ("revoked", "it was revoked already"):
        answer = ask(est, message)
        assert (answer.http, answer.full, answer.status) == (200, True, "success")
        assert (answer.bodies, answer.text) == ([3], text)
    (event,) = revocations(est, cert)
    assert "lost" in event["actor"] and event["reason"].startswith("superseded")


def test_an_expired_certificate_may_be_revoked_and_does_nothing_else(est):
    cert, key = enrolled(est, "too late", "short")
    end = cert.not_valid_after + datetime.timedelta(seconds=1.2)  # time(2) is a tick behind
    wait_for("its end", lambda: datetime.datetime.utcnow() > end)
    asked = control(1, "get_cert", cmc_peer.get_cert(cert.issuer, cert.serial_number))
    refused(ask(est, signed(pki_data([asked]), key, cert)), 403, "badRequest", "is valid from")
    assert ask(est, signed(pki_data([revoking(cert)]), key, cert)).text == "revoked"
    assert revocations(est, cert)


def test_a_registration_authority_revokes(est):
    ra, ra_key = enrolled(est, "the revoker", "registrars")
    cert, _ = enrolled(est, "a device")
    other, other_key = enrolled(est, "its neighbour")
    message = [revoking(cert, 1)]
    refused(ask(est, signed(pki_data(message), other_key, other)), 403, "badRequest", "RFC 5272 6.11", bodies=[3])
    refused(ask(est, signed(pki_data(message), ra_key, ra), "open"), 403, "badRequest")
    assert not revocations(est, cert)
    assert ask(est, signed(pki_data(message), ra_key, ra)).status == "success"
    (event,) = revocations(est, cert)
    assert "the revoker" in event["actor"]
    est.ctl("cert", "revoke", f"{ra.serial_number:x}", "--reason", "keyCompromise")
    refused(ask(est, signed(pki_data([revoking(other, 1)]), ra_key, ra)), 403, "badRequest", "keyCompromise")


def test_revocations_that_cannot_be(est):
    cert, key = enrolled(est, "stubborn")
    elsewhere = control(3, "revoke_request", cmc_peer.revoke(est_peer.name("another CA"), cert.serial_number))
    for message, http, fail_info, word in (
        (signed(pki_data([revoking(cert, 8)]), key, cert), 400, "badRequest", "removeFromCRL"),
        (signed(pki_data([revoking(cert, 2)]), key, cert), 400, "badRequest", "cACompromise"),
        (signed(pki_data([revoking(cert, 7)]), key, cert), 400, "badRequest", "CRLReason"),
        (signed(pki_data([revoking(cert, 1, der.tlv(0x18, b"20490101000000Z"))]), key, cert), 400, "badRequest", "2049"),
        (signed(pki_data([revoking(cert, 1, der.octets(b"secret"))])), 400, "badMessageCheck", "no signature"),
        (signed(pki_data([revoking(cert)]), Request().key, cert), 400, "badMessageCheck", "signature"),
        (signed(pki_data([elsewhere]), key, cert), 404, "badCertId", "issuerName is another's"),
    ):
        refused(ask(est, message), http, fail_info, word)
    assert not revocations(est, cert)
