# SPDX-License-Identifier: Apache-2.0
"""`scepter enrol --full-cmc`: what it sends, which openssl and asn1crypto read, and what it takes for an answer."""

import base64
import subprocess
import threading

import pytest
from asn1crypto import algos, cms, core, csr
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import cmc_peer
import der
import est_peer
from cmc_peer import HEADERS, PKI_RESPONSE, control, control_oid, pki_data, signed, tcr
from conftest import endpoint, profile
from daemon import scepter, wait_for
from est_peer import Authority
from test_est import PASSWORD, PROFILES, est_endpoint, make_est, waiting
from test_est_client import Device, account, fingerprint, split
from test_est_wrong_server import certs_only, device_of, operations, playing

TAKEN = {"full_cmc": True}
RESPONSE = "application/pkcs7-mime; smime-type=CMC-response"
NEW_KEYS = profile("new-keys", renewal={"window": "any", "new_key": "required"})
ENDPOINTS = [
    endpoint("demo"),
    est_endpoint(est=TAKEN, authorisation={"anyone": True, "renewal": True}),
    est_endpoint("manual", approval="manual", est={"retry_after": "1s", **TAKEN}),
    est_endpoint("linked", est={"channel_binding": "required", **TAKEN}),
    est_endpoint("new-keys", profile="new-keys", est=TAKEN, authorisation={"anyone": True, "renewal": True}),
    est_endpoint("accounts", est=TAKEN, authorisation={"accounts": True}),
    est_endpoint("one-time", est=TAKEN, authorisation={"one_time": True}),
    est_endpoint("lone", ca="lone", est=TAKEN),
    est_endpoint("maker", est=TAKEN, authorisation={"certificates": True}),
    est_endpoint("off"),
]


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    daemon = make_est(
        tmp_path_factory.mktemp("full-cmc-client"), profiles=[*PROFILES, NEW_KEYS], endpoints=ENDPOINTS
    )
    daemon.admin.ca_init("lone", key="rsa2048", ra="none")
    yield daemon
    daemon.stop()


# ---- what was sent, as others read it ----


class TaggedRequest(core.Choice):
    class Tcr(core.Sequence):
        _fields = [("id", core.Integer), ("request", csr.CertificationRequest)]

    _alternatives = [("tcr", Tcr, {"implicit": 0})]


class TaggedRequests(core.SequenceOf):
    _child_spec = TaggedRequest


class PkiData(core.Sequence):
    _fields = [("controls", cmc_peer.TaggedAttributes), ("requests", TaggedRequests)]
    _fields += [("messages", core.SequenceOf, {"spec": core.Any}), ("others", core.SequenceOf, {"spec": core.Any})]


class Sent:
    """A message to fullcmc; its signature is verified by openssl, with that certificate."""

    def __init__(self, asked, directory, certificate, *options):
        operation, headers, body, _ = asked
        assert operation == "fullcmc"
        assert headers["Content-Type"] == HEADERS["Content-Type"]
        message, content = directory / "message", directory / "content"
        message.write_bytes(base64.b64decode(body))
        verify = ["openssl", "cms", "-verify", "-inform", "DER", "-in", message, "-binary", "-purpose", "any"]
        run = subprocess.run([*verify, "-certfile", certificate, *options, "-out", content], capture_output=True)
        assert run.returncode == 0, run.stderr
        self.cms = cms.ContentInfo.load(message.read_bytes(), strict=True)["content"]
        assert self.cms["encap_content_info"]["content_type"].dotted == cmc_peer.PKI_DATA
        self.data = PkiData.load(content.read_bytes(), strict=True)
        self.controls = {a["type"].native: a["values"][0] for a in self.data["controls"]}
        (self.signer,) = self.cms["signer_infos"]

    def value(self, name):
        return self.controls[control_oid(name)].native

    def requests(self):
        return [r.chosen["request"] for r in self.data["requests"]]


def own_certificate(device):
    """openssl wants one to know a key by: of its own making, with the key's identifier."""
    key = load_pem_private_key(device.key.read_bytes(), None)
    name, now = est_peer.name("own"), device.certificate().not_valid_before
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now.replace(year=now.year + 1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    path = device.directory / "own.pem"
    path.write_bytes(est_peer.pem(cert))
    return path


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
def test_what_is_sent(est, tmp_path, kind):
    """RFC 5272 3.2: signed with the key that is to be certified, by its subjectKeyIdentifier."""
    with playing(est, lambda *_: None) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol("--full-cmc", "--key-type", kind, "--san", "DNS:device-1.example")
        assert run.returncode == 0, run.stderr
        assert operations(server)[-1] == "fullcmc" and "simpleenroll" not in operations(server)
        sent = Sent(server.asked[-1], tmp_path, own_certificate(device), "-noverify", "-nointern")
    assert sent.signer["version"].native == "v3" and sent.signer["sid"].name == "subject_key_identifier"
    assert len(sent.value("sender_nonce")) == 16 and sent.value("transaction_id") > 0
    (request,) = sent.requests()
    info = request["certification_request_info"]
    assert info["subject"].native == {"common_name": "device-1"}
    assert device.certificate().subject == est_peer.name("device-1")
    assert len(sent.data["messages"]) == len(sent.data["others"]) == 0


def test_the_same_again_is_the_same(est, tmp_path):
    """The same transactionId, another nonce, and the same certificate; by simpleenroll, too."""
    device, certs = Device(est, tmp_path), []
    sent = []
    for _ in range(2):
        with playing(est, lambda *_: None) as server:
            device = device_of(est, server, tmp_path)
            assert device.enrol("--full-cmc").returncode == 0
            sent.append(Sent(server.asked[-1], tmp_path, own_certificate(device), "-noverify", "-nointern"))
        certs.append(device.certificate())
    assert certs[0] == certs[1]
    assert sent[0].value("transaction_id") == sent[1].value("transaction_id")
    assert sent[0].value("sender_nonce") != sent[1].value("sender_nonce")
    assert device.enrol().returncode != 0  # that server is gone
    assert Device(est, tmp_path).enrol().returncode == 0
    assert device.certificate() == certs[0]


def test_renewal_is_signed_with_the_certificate(est, tmp_path):
    device = Device(est, tmp_path)
    assert device.enrol("--full-cmc").returncode == 0
    old = device.certificate()
    (tmp_path / "old.pem").write_bytes(est_peer.pem(old))
    with playing(est, lambda *_: None) as server:
        device = device_of(est, server, tmp_path)
        run = device.run("renew", "--full-cmc")
        assert run.returncode == 0, run.stderr
        sent = Sent(server.asked[-1], tmp_path, tmp_path / "old.pem", "-CAfile", device.ca)
    assert "simplereenroll" not in operations(server)
    assert sent.signer["sid"].chosen["serial_number"].native == old.serial_number
    new = device.certificate()
    assert new.subject == old.subject and new.serial_number != old.serial_number


def test_a_ca_without_registration_authority(est, tmp_path):
    device = Device(est, tmp_path, "lone")
    run = device.enrol("--full-cmc")
    assert run.returncode == 0, run.stderr


def test_the_request_is_linked_where_the_server_wants_it(est, tmp_path):
    run = Device(est, tmp_path, "linked").enrol("--full-cmc")
    assert run.returncode == 0, run.stderr


def test_the_makers_certificate_over_tls(est, tmp_path):
    shown = split(est.maker.issue("serial-4711"), tmp_path)
    run = Device(est, tmp_path, "maker").enrol("--full-cmc", *shown)
    assert run.returncode == 0, run.stderr


# ---- waiting ----


def approve_when(est, what, ready):
    def decide():
        wait_for(what, ready)
        est.ctl("request", "approve", waiting(est))

    operator = threading.Thread(target=decide)
    operator.start()
    return operator


def test_what_waits_is_asked_for_by_its_token(est, tmp_path):
    def script(operation, body):
        if operation != "fullcmc":
            return None
        status, headers, content = est.est("manual").call("POST", operation, body, HEADERS)
        return status, {"Content-Type": headers["Content-Type"], "Retry-After": headers["Retry-After"] or "0"}, content

    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        approve = approve_when(est, "a poll", lambda: [a[0] for a in server.asked].count("fullcmc") > 1)
        run = device.enrol("--full-cmc", "--wait", "30s")
        approve.join()
        assert run.returncode == 0, run.stderr
        asked = [a for a in server.asked if a[0] == "fullcmc"]
        first, *polls = [Sent(a, tmp_path, own_certificate(device), "-noverify", "-nointern") for a in asked]
    assert len(first.requests()) == 1 and control_oid("query_pending") not in first.controls
    assert polls
    for poll in polls:
        assert not poll.requests() and poll.value("query_pending")
        assert poll.value("transaction_id") == first.value("transaction_id")


def test_another_process_goes_on_waiting(est, tmp_path):
    device = Device(est, tmp_path, "manual")
    run = device.enrol("--full-cmc")
    assert run.returncode == 75 and "approval" in run.stderr
    est.ctl("request", "approve", waiting(est))
    run = device.run("poll", "--subject", "CN=device-1", "--full-cmc")
    assert run.returncode == 0, run.stderr
    assert device.certificate().subject == est_peer.name("device-1")


# ---- who asks, proven with a secret ----


class IdentityProof(core.Sequence):
    _fields = [("hash", algos.DigestAlgorithm), ("mac", algos.HmacAlgorithm), ("witness", core.OctetString)]


@pytest.mark.parametrize("user", ["sensor", None])
def test_identity_is_proven_with_the_secret(est, tmp_path, user):
    """RFC 5272 6.2.1: over reqSequence as it was sent; 6.2.3: identification names the secret."""
    label, secret = ("accounts", PASSWORD) if user else ("one-time", est.admin.challenge(endpoint="est-one-time"))

    def script(operation, body):
        if operation != "fullcmc":
            return None
        shown = {"Authorization": server.asked[-1][1]["Authorization"]}
        status, headers, content = est.est(label).call("POST", operation, body, {**HEADERS, **shown})
        return status, {"Content-Type": headers["Content-Type"]}, content

    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        device.password.write_text(secret)
        run = device.enrol("--full-cmc", *account(device)[0 if user else 2 :])
        assert run.returncode == 0, run.stderr
        sent = Sent(server.asked[-1], tmp_path, own_certificate(device), "-noverify", "-nointern")
    proof = IdentityProof.load(sent.controls[control_oid("identity_proof_v2")].dump(), strict=True)
    assert proof["hash"]["algorithm"].native == proof["mac"]["algorithm"].native == "sha256"
    assert proof["witness"].native == cmc_peer.witness(secret, sent.data["requests"].dump(), user or "")
    identification = sent.controls.get(control_oid("identification"))
    assert (identification and identification.native) == user
    assert secret.encode() not in sent.cms.dump()


# ---- refusals ----


def test_refusals_are_told_with_their_fail_info(est, tmp_path):
    device = Device(est, tmp_path, "accounts")
    run = device.enrol("--full-cmc", *account(device))
    assert run.returncode == 0, run.stderr
    device.key.unlink()
    device.password.write_text("wrong")
    run = device.enrol("--full-cmc", *account(device))
    assert run.returncode == 77 and "refuses (badRequest): challenge: wrong" in run.stderr
    run = device.enrol("--full-cmc")
    assert run.returncode == 77 and "401" in run.stderr
    run = Device(est, tmp_path, "off").enrol("--full-cmc")
    assert run.returncode == 66 and "RFC 7030 4.3" in run.stderr
    device = Device(est, tmp_path, "new-keys")
    assert device.enrol("--full-cmc").returncode == 0
    run = device.run("renew", "--full-cmc", "--same-key")
    assert run.returncode == 77 and "refuses (noKeyReuse)" in run.stderr


@pytest.mark.parametrize("wrong", [["--server-key", "--protocol", "est"], ["--protocol", "scep"]])
def test_what_does_not_go_together(est, tmp_path, wrong):
    device = Device(est, tmp_path)
    rest = ["--url", device.url(), "--subject", "CN=x", "--key", device.key, "--cert", device.cert]
    run = scepter("enrol", *wrong, "--full-cmc", "--ca-fingerprint", "00" * 32, *rest)
    assert run.returncode == 64, run.stderr


# ---- answers that must not be taken, and those that may ----


def status(number, *other):
    return der.seq(der.integer(number), der.seq(der.integer(0)), *other)


def response(*controls):
    return der.seq(der.seq(*controls), der.seq(), der.seq())


def answered(est, directory, script):
    """What our client makes of it; the script gets the PKIData that it has sent, too."""

    def play(operation, body):
        if operation != "fullcmc":
            return None
        content = cms.ContentInfo.load(base64.b64decode(body))["content"]["encap_content_info"]["content"].native
        answer = script(PkiData.load(content), body)
        return answer if answer is None else (200, {"Content-Type": RESPONSE}, base64.encodebytes(answer))

    with playing(est, play) as server:
        device = device_of(est, server, directory)
        return device, device.enrol("--full-cmc")


def refused(est, directory, words, script):
    device, run = answered(est, directory, script)
    assert run.returncode not in (0, 75) and words in run.stderr, run.stderr
    assert not device.cert.exists()


def own_answer(est, body):
    return base64.b64decode(est.est().call("POST", "fullcmc", body, HEADERS)[2])


def test_the_answer_to_another_request_is_not_taken(est, tmp_path):
    """Replayed: rightly signed, with the right certificate."""
    kept = []

    def script(_, body):
        kept.append(own_answer(est, body))
        return kept[0]

    assert answered(est, tmp_path, script)[1].returncode == 0
    (tmp_path / "d.pem").unlink()
    refused(est, tmp_path, "recipientNonce", script)


def test_who_is_not_of_the_ca_refuses_and_grants_nothing(est, tmp_path):
    foreign = Authority(tmp_path, "Foreign CA")

    def script(number):
        def by_foreign(data, _):
            controls = {c["type"].dotted: c["values"][0].dump() for c in data["controls"]}
            said = response(
                control(1, "status_info_v2", status(number)),
                control(2, "transaction_id", controls[control_oid("transaction_id")]),
                control(3, "recipient_nonce", controls[control_oid("sender_nonce")]),
            )
            return signed(said, foreign.key, foreign.cert, kind=PKI_RESPONSE)

        return by_foreign

    for number in (0, 2, 3):
        refused(est, tmp_path, "no CA that is trusted", script(number))


def test_an_answer_that_was_changed_is_not_taken(est, tmp_path):
    """In its last octet, which is one of the signature's."""

    def script(_, body):
        answer = own_answer(est, body)
        return answer[:-1] + bytes([answer[-1] ^ 1])

    refused(est, tmp_path, "RFC 5652", script)


@pytest.mark.parametrize(
    "answer",
    [b"", b"0\0", b"not at all", der.seq(der.integer(1)), signed(pki_data(), ec.generate_private_key(ec.SECP256R1()))],
)
def test_what_is_no_answer(est, tmp_path, answer):
    refused(est, tmp_path, "", lambda *_: answer)


def simple(est, request, key):
    """What the server answers where there is nothing to be echoed: certificates alone."""
    return own_answer(est, base64.encodebytes(signed(pki_data(requests=[tcr(1, request)]), key)))


def test_certificates_alone_will_do_if_they_are_ours(est, tmp_path):
    def script(data, _):
        key = load_pem_private_key((tmp_path / "d.key").read_bytes(), None)
        return simple(est, data["requests"][0].chosen["request"].dump(), key)

    device, run = answered(est, tmp_path, script)
    assert run.returncode == 0, run.stderr
    device.cert.unlink()
    other = est_peer.Request("device-1")
    refused(est, tmp_path, "no certificate for our key", lambda *_: simple(est, other.der, other.key))
    foreign = Authority(tmp_path, "Foreign CA")
    foreign.name = est.est().enrol(other).issuer

    def by_foreign(data, _):
        key = load_pem_private_key((tmp_path / "d.key").read_bytes(), None)
        return certs_only(foreign._sign(est_peer.name("device-1"), key.public_key()))

    refused(est, tmp_path, "not signed by a CA", by_foreign)


def test_bootstrap_by_fingerprint(tmp_path):
    daemon = make_est(tmp_path, web_is_demo=True)
    try:
        device = Device(daemon, tmp_path)
        run = device.enrol("--full-cmc", *account(device), trust=["--ca-fingerprint", fingerprint(daemon)])
        assert run.returncode == 0, run.stderr
    finally:
        daemon.stop()
