# SPDX-License-Identifier: Apache-2.0
"""EST (RFC 7030, RFC 8951) over the real daemon: what devices send, what they must not get away with."""

import base64
import json
import ssl
import time

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import est_peer
from conftest import endpoint, profile
from daemon import Daemon, free_port, listed, static_hash
from est_peer import Authority, Est, Request, basic

PASSWORD = "swordfish"
TLS12 = ssl.TLSVersion.TLSv1_2


def est_endpoint(label="", **changes):
    return {
        "name": f"est-{label}" if label else "est",
        "protocol": "est",
        "path": est_peer.ROOT + (f"/{label}" if label else ""),
        "ca": "demo",
        "profile": "device",
        "authorisation": {"anyone": True},
        **changes,
    }


ENDPOINTS = [
    endpoint("demo"),
    est_endpoint(
        authorisation={
            "one_time": True,
            "accounts": True,
            "renewal": True,
            "static": [static_hash("an-old-habit")],
        },
        est={"full_cmc": True},
    ),
    est_endpoint("open"),
    est_endpoint("manual", approval="manual", est={"retry_after": "1s"}),
    est_endpoint("maker", authorisation={"certificates": True}),
    est_endpoint(
        "both",
        authorisation={"certificates": True, "accounts": True},
        est={"certificate_and_password": True},
    ),
    est_endpoint("either", authorisation={"certificates": True, "accounts": True}),
    est_endpoint("ra", authorisation={"registrars": True, "renewal": True}, profile="device"),
    est_endpoint("registrars", profile="registrar"),
    est_endpoint("linked", est={"channel_binding": "required"}),
    est_endpoint("may-link", est={"channel_binding": "optional"}),
    est_endpoint("p384", profile="p384"),
    est_endpoint("web", profile="web"),
    est_endpoint("none", ca="not-made-yet"),
]
PROFILES = [
    profile(renewal={"window": "any", "grace": "30d"}),
    profile("web", eku=["serverAuth"], other_san="optional"),
    profile("registrar", eku=["clientAuth", "cmcRA"]),
    profile(
        "p384",
        keys=[{"kind": "p384"}],
        san=[{"type": "DNS", "choice": "required", "pattern": "[a-z0-9.-]+"}],
    ),
]


class EstDaemon(Daemon):
    """With a TLS listener that asks for client certificates beside the plain one."""

    def __init__(self, directory, maker, web, **options):
        super().__init__(directory, **{"profiles": PROFILES, "endpoints": ENDPOINTS, **options})
        self.tls_port = free_port()
        self.web, self.maker = web, maker
        certificate, key = web.server()
        self.config["http"]["listeners"].append(
            {
                "name": "tls",
                "address": "127.0.0.1",
                "port": self.tls_port,
                "tls": {
                    "certificate": str(certificate),
                    "key": str(key),
                    "client_certificates": "request",
                    "client_ca": str(maker.path),
                },
            }
        )
        self.config["operators"] = [
            {"name": "sensor", "password": static_hash(PASSWORD), "roles": ["device"]},
            {"name": "clerk", "password": static_hash(PASSWORD)},
        ]
        self.write_config()

    def est(self, label="", **options):
        return Est(self.tls_port, self.web.path, label, **options)


def make_est(directory, web_is_demo=False, **options):
    """web_is_demo: its TLS certificate is by the CA that it serves, too."""
    maker, web = Authority(directory, "Maker CA"), Authority(directory, "Web CA")
    daemon = EstDaemon(directory / "daemon", maker, web, **options).start()
    daemon.admin.ca_init("demo")
    if web_is_demo:
        key = ec.generate_private_key(ec.SECP256R1())
        cert = daemon.est("web").enrol(Request("localhost", key=key, sans=["localhost"], ips=["127.0.0.1"]))
        (web.directory / "server.pem").write_bytes(est_peer.pem(cert))
        est_peer.write_private(web.directory / "server.key", est_peer.private_pem(key))
        daemon.restart()
        (ca,) = est_peer.certificates(insecure(daemon, "cacerts"))
        web.path.write_bytes(est_peer.pem(ca))
    return daemon


def insecure(daemon, operation):
    """What a server says that nobody has verified."""
    est = daemon.est()
    est.context.check_hostname = False
    est.context.verify_mode = ssl.CERT_NONE
    return est.call("GET", operation)[2]


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    daemon = make_est(tmp_path_factory.mktemp("est"))
    yield daemon
    daemon.stop()


def refusal(answer, status, *words):
    assert answer[0] == status, answer
    assert answer[1]["Content-Type"].startswith("text/plain")
    for word in words:
        assert word in answer[2].decode(), answer[2]


def client_file(directory, cert, key):
    path = directory / f"client-{cert.serial_number:x}.pem"
    return est_peer.write_private(path, est_peer.pem(cert), est_peer.private_pem(key))


def waiting(daemon):
    (request,) = [r for r in listed(daemon.ctl_json("request", "list")) if r["state"] == "pending"]
    return str(request["id"])


# ---- what everyone may ask ----


def test_cacerts_is_the_ca_and_nothing_else(est):
    status, headers, body = est.est().call("GET", "cacerts")
    assert status == 200
    assert headers["Content-Type"].startswith("application/pkcs7-mime")
    assert headers["Content-Transfer-Encoding"] == "base64"
    assert b"\n" not in body
    lines = est.est().call("GET", "cacerts", headers={"User-Agent": "curl/7.88"})[2]
    assert max(map(len, lines.split(b"\n"))) == 64 and lines.replace(b"\n", b"") == body
    (ca,) = est_peer.certificates(body)
    assert ca.subject.rfc4514_string() == "CN=demo CA,O=Scepter test"


def test_plain_http_is_refused(est):
    status, _, body = est.http("GET", est_peer.ROOT + "/cacerts")
    assert status == 403 and b"https" in body
    status, _, _ = est.http(
        "POST", est_peer.ROOT + "/open/simpleenroll", Request().body, {"Content-Type": est_peer.PKCS10}
    )
    assert status == 403


@pytest.mark.parametrize(
    "label, method, operation, status, word",
    [
        ("", "POST", "cacerts", 405, "GET"),
        ("", "GET", "simpleenroll", 405, "POST"),
        ("", "PUT", "simplereenroll", 405, "POST"),
        ("", "GET", "nonsense", 404, "nonsense"),
        ("no-such-label", "GET", "cacerts", 404, "no-such-label"),
        ("none", "GET", "cacerts", 503, "try again"),
    ],
)
def test_other_questions_are_refused(est, label, method, operation, status, word):
    body = Request().body if method != "GET" else None
    answer = est.est(label).call(method, operation, body)
    refusal(answer, status, word)
    if status == 405:
        assert word in answer[1]["Allow"]
    if status == 503:
        assert answer[1]["Retry-After"]


def test_csrattrs_tells_what_the_profile_wants(est):
    status, headers, body = est.est("p384").call("GET", "csrattrs")
    assert status == 200 and headers["Content-Type"] == "application/csrattrs"
    value = core.SequenceOf.load(base64.b64decode(body), spec=core.Any)
    key, template = value[0].parse(core.Sequence), value[1].parse(core.Sequence)
    assert core.ObjectIdentifier.load(key[0].dump()).dotted == "1.2.840.10045.2.1"
    assert key.dump().endswith(core.ObjectIdentifier("1.3.132.0.34").dump())
    assert core.ObjectIdentifier.load(template[0].dump()).dotted == "1.2.840.113549.1.9.16.2.61"
    common_name, san = core.ObjectIdentifier("2.5.4.3"), core.ObjectIdentifier("2.5.29.17")
    assert common_name.dump() in template.dump() and san.dump() in template.dump()


def test_csrattrs_of_a_linked_endpoint_names_challenge_password(est):
    _, _, body = est.est("linked").call("GET", "csrattrs")
    assert core.ObjectIdentifier("1.2.840.113549.1.9.7").dump() in base64.b64decode(body)


# ---- first enrolment ----


def test_a_challenge_is_a_password_once(est):
    challenge = est.admin.challenge(endpoint="est")
    request = Request(sans=["sensor-1.example"])
    cert = est.est().enrol(request, basic("whoever", challenge))
    assert cert.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == (
        request.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    assert cert.subject == est_peer.name("sensor-1")
    (ca,) = est_peer.certificates(est.est().call("GET", "cacerts")[2])
    ca.public_key().verify(
        cert.signature,
        cert.tbs_certificate_bytes,
        est_peer.ec.ECDSA(cert.signature_hash_algorithm),
    )
    # the same again is the same certificate; another device gets none for it
    assert est.est().enrol(request, basic("whoever", challenge)) == cert
    answer = est.est().call("POST", "simpleenroll", Request().body, basic("", challenge))
    refusal(answer, 401, "used already")


@pytest.mark.parametrize(
    "user, password, status",
    [
        ("sensor", PASSWORD, 200),
        ("whoever", "an-old-habit", 200),
        ("sensor", "Swordfish", 401),
        ("clerk", PASSWORD, 401),  # has no role
        ("nobody", PASSWORD, 401),
        ("", PASSWORD, 401),
        ("sensor", "", 401),
    ],
)
def test_accounts_and_static_challenges(est, user, password, status):
    answer = est.est().call("POST", "simpleenroll", Request().body, basic(user, password))
    assert answer[0] == status, answer[2]
    if status == 401:
        assert answer[1]["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    "header", [None, {"Authorization": "Bearer abc"}, {"Authorization": "Basic !!"}]
)
def test_who_shows_nothing_is_asked(est, header):
    before = len(est.events("enrol.rejected"))
    answer = est.est().call("POST", "simpleenroll", Request().body, header)
    assert answer[0] == 401 and (header is None) == (answer[2] == b"")
    assert answer[1]["WWW-Authenticate"].startswith("Basic ")
    assert len(est.events("enrol.rejected")) == before


def test_bodies_in_the_forms_of_the_field(est):
    """RFC 8951 3.1: base64 in lines of any length or none; PEM and bare DER are understood, too."""
    for wrap in (
        lambda r: base64.b64encode(r.der),
        lambda r: base64.encodebytes(r.der).replace(b"\n", b"\r\n"),
        lambda r: r.csr.public_bytes(Encoding.PEM),
        lambda r: r.der,
    ):
        request = Request()
        for fields in ({}, {"Content-Transfer-Encoding": "binary"}, {"Content-Type": "Application/PKCS10; x=y"}):
            status, _, body = est.est("open").call("POST", "simpleenroll", wrap(request), fields)
            assert status == 200, body


def bad_possession():
    other = Request()
    der = bytearray(other.der)
    der[-1] ^= 1
    return base64.encodebytes(bytes(der))


@pytest.mark.parametrize(
    "body, fields, status, word",
    [
        (b"", {}, 400, ""),
        (b"!!!", {}, 400, "base64"),
        (base64.b64encode(b"hello"), {}, 400, "DER"),
        (base64.b64encode(b"\x30\x03\x02\x01\x00"), {}, 400, "RFC 7030 4.2.1"),
        (bad_possession(), {}, 400, "CSR signature"),
        (Request(digest=hashes.SHA1).body, {}, 400, "SHA-1"),
        (Request("no such ^ name").body, {}, 400, "CN"),
        (Request().body, {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/pkcs10"),
        (Request().body, {"Content-Type": "application/pkcs7-mime"}, 415, "application/pkcs10"),
        (b"A" * (2 << 20), {}, 413, ""),
    ],
)
def test_bad_requests_are_told_why(est, body, fields, status, word):
    answer = est.est("open").call("POST", "simpleenroll", body, {"Content-Type": est_peer.PKCS10, **fields})
    refusal(answer, status, word)


# ---- approval ----


def test_waiting_for_approval_survives_a_restart(tmp_path):
    daemon = make_est(tmp_path)
    try:
        request = Request("patient")
        for _ in range(2):
            status, headers, _ = daemon.est("manual").call("POST", "simpleenroll", request.body)
            assert status == 202 and headers["Retry-After"] == "1"
            daemon.restart()
        # another request for the same key, as ECDSA signs each time anew
        again = Request("patient", key=request.key)
        assert daemon.est("manual").call("POST", "simpleenroll", again.body)[0] == 202
        daemon.ctl("request", "approve", waiting(daemon))
        daemon.restart()
        cert = daemon.est("manual").enrol(again)
        assert cert.subject == est_peer.name("patient")
        # a refusal is told, and is no question of passwords
        other = Request("unwanted")
        daemon.est("manual").call("POST", "simpleenroll", other.body)
        daemon.ctl("request", "reject", waiting(daemon), "--reason", "never heard of it")
        answer = daemon.est("manual").call("POST", "simpleenroll", other.body)
        refusal(answer, 403, "never heard of it")
    finally:
        daemon.stop()


# ---- with a certificate ----


def enrolled(daemon, directory, cn="sensor-1", label="", **options):
    """(certificate, key, file of both)"""
    request = Request(cn, **options)
    cert = daemon.est(label).enrol(request, basic("sensor", PASSWORD))
    return cert, request.key, client_file(directory, cert, request.key)


def test_reenrolment_with_and_without_a_new_key(est, tmp_path):
    cert, key, file = enrolled(est, tmp_path, sans=["a.example"])
    for again in (Request(sans=["a.example"]), Request(key=key, sans=["a.example"])):
        for version in (TLS12, None):
            new = est.est(client=file, version=version).enrol(again, operation="simplereenroll")
            assert new.serial_number != cert.serial_number
            assert new.subject == cert.subject
    # a certificate of this CA does for simpleenroll, too (RFC 7030 3.3.2)
    est.est(client=file).enrol(Request(sans=["a.example"]))


@pytest.mark.parametrize(
    "request_, word",
    [
        (Request("sensor-2", sans=["a.example"]), "sensor-2"),
        (Request("sensor-1", sans=["b.example"]), "subjectAltName"),
        (Request("sensor-1"), "subjectAltName"),
    ],
)
def test_reenrolment_under_another_name_is_refused(est, tmp_path, request_, word):
    _, _, file = enrolled(est, tmp_path, sans=["a.example"])
    answer = est.est(client=file).call("POST", "simplereenroll", request_.body)
    refusal(answer, 400, "RFC 7030 4.2.2", word)


def test_reenrolment_takes_a_certificate_of_this_ca(est, tmp_path):
    refusal(est.est().call("POST", "simplereenroll", Request().body), 403, "RFC 7030 4.2.2")
    maker = est.maker.issue("sensor-1")
    answer = est.est(client=maker).call("POST", "simplereenroll", Request().body)
    refusal(answer, 403, "RFC 7030 4.2.2", "not of CA")


def test_a_revoked_certificate_renews_nothing(est, tmp_path):
    cert, _, file = enrolled(est, tmp_path)
    est.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "keyCompromise")
    answer = est.est(client=file).call("POST", "simplereenroll", Request().body)
    refusal(answer, 403, "revoked", "keyCompromise")


def test_a_look_alike_of_the_ca_is_found_out(est, tmp_path):
    """Its issuer has our CA's name and another key; the handshake does not mind."""
    fake = Authority(tmp_path, "demo CA")
    (ca,) = est_peer.certificates(est.est().call("GET", "cacerts")[2])
    fake.name = ca.subject
    file = fake.issue("sensor-1")
    answer = est.est(client=file).call("POST", "simplereenroll", Request().body)
    refusal(answer, 404, "has not issued")


def test_the_same_key_again_after_revocation_is_a_new_certificate(est, tmp_path):
    cert, key, _ = enrolled(est, tmp_path)
    assert enrolled(est, tmp_path, key=key)[0] == cert
    est.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "superseded")
    second = enrolled(est, tmp_path, key=key)[0]
    assert second.serial_number != cert.serial_number
    assert enrolled(est, tmp_path, key=key)[0] == second


def test_a_used_challenge_is_good_for_one_certificate_only(est):
    challenge = est.admin.challenge(endpoint="est")
    request = Request()
    cert = est.est().enrol(request, basic("", challenge))
    est.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "keyCompromise")
    answer = est.est().call("POST", "simpleenroll", request.body, basic("", challenge))
    refusal(answer, 401, "used already")


def test_devices_of_a_maker(est):
    file = est.maker.issue("serial-4711")
    assert est.est("maker", client=file).enrol(Request("sensor-9"))
    foreign = Authority(est.directory, "Foreign CA").issue("serial-4712")
    answer = est.est("maker", client=foreign).call("POST", "simpleenroll", Request().body)
    refusal(answer, 403, "RFC 7030 3.3.2")
    expired = est.maker.issue("serial-4713", days=-1, age=9)
    answer = est.est("maker", client=expired).call("POST", "simpleenroll", Request().body)
    refusal(answer, 403, "RFC 7030 3.3.2")
    # no password would help: nobody is asked for one
    refusal(est.est("maker").call("POST", "simpleenroll", Request().body), 403, "goes by TLS client certificates")
    answer = est.est("ra", client=file).call("POST", "simpleenroll", Request().body)
    refusal(answer, 403, "goes by certificates of CA", "another's")


@pytest.mark.parametrize(
    "maker, password, status",
    [
        (True, PASSWORD, 200),
        (True, "wrong", 401),
        (True, None, 401),  # many clients show a password only when they are asked for it
        (False, PASSWORD, 403),
        (False, None, 403),
    ],
)
def test_certificate_and_password(est, maker, password, status):
    file = est.maker.issue("serial-4714") if maker else None
    headers = basic("sensor", password) if password else None
    answer = est.est("both", client=file).call("POST", "simpleenroll", Request().body, headers)
    assert answer[0] == status, answer[2]
    assert ("WWW-Authenticate" in answer[1]) == (status == 401)
    if status == 403:
        refusal(answer, 403, "a client certificate beside the password")


def test_a_certificate_that_says_to_be_of_this_ca_is_none_beside_a_password(est):
    """Any CA may have that name: the listener asks for certificates, and does not verify them."""
    forger = Authority(est.directory, "Forger")
    forger.name = est_peer.certificates(insecure(est, "cacerts"))[0].subject
    device = est.est("both", client=forger.issue("serial-4717"))
    answer = device.call("POST", "simpleenroll", Request().body, basic("sensor", PASSWORD))
    refusal(answer, 404, "has not issued")


def test_a_certificate_of_this_ca_counts_beside_a_password_while_it_is_good(est, tmp_path):
    cert, _, file = enrolled(est, tmp_path, label="open")
    device = est.est("both", client=file)
    assert device.enrol(Request(), basic("sensor", PASSWORD))
    est.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "keyCompromise")
    answer = device.call("POST", "simpleenroll", Request().body, basic("sensor", PASSWORD))
    refusal(answer, 403, "revoked")


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("label", ["either", ""])
def test_a_certificate_that_counts_for_nothing_harms_no_password(est, trusted, label):
    """Two ways, of which either does, and one by password alone, which looks at no certificate."""
    maker = est.maker if trusted else Authority(est.directory, "Foreign CA")
    device = est.est(label, client=maker.issue("serial-4716"))
    before = len(est.events("enrol.rejected"))
    if trusted and label:
        assert device.enrol(Request())
    else:
        answer = device.call("POST", "simpleenroll", Request().body)
        assert answer[0] == 401 and answer[1]["WWW-Authenticate"]
        assert (b"RFC 7030 3.3.2" in answer[2]) == bool(label)
        assert len(est.events("enrol.rejected")) == before + bool(label)
    assert device.enrol(Request(), basic("sensor", PASSWORD))
    answer = device.call("POST", "simpleenroll", Request().body, basic("sensor", "wrong"))
    assert answer[0] == (200 if trusted and label else 401)


def test_a_registration_authority_enrols_others(est, tmp_path):
    request = Request("the registrar")
    cert = est.est("registrars").enrol(request)
    file = client_file(tmp_path, cert, request.key)
    assert est.est("ra", client=file).enrol(Request("someone else")).subject == est_peer.name("someone else")
    # a device's certificate is none, and one that is revoked is none any more
    _, _, device = enrolled(est, tmp_path)
    answer = est.est("ra", client=device).call("POST", "simpleenroll", Request("someone else").body)
    refusal(answer, 400, "sensor-1")
    est.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "keyCompromise")
    answer = est.est("ra", client=file).call("POST", "simpleenroll", Request("another one").body)
    refusal(answer, 403, "RFC 7030 3.7", "revoked")


# ---- linking identity and proof of possession ----


def linked(daemon, label, challenge, version=TLS12):
    """An enrolment whose request says challenge(binding)."""
    est = daemon.est(label, version=version)
    connection = est.connection()
    connection.connect()
    binding = connection.sock.get_channel_binding("tls-unique")
    answer = est.ask(connection, "POST", "simpleenroll", Request(challenge=challenge(binding)).body)
    connection.close()
    return answer


@pytest.mark.parametrize("label", ["linked", "may-link"])
def test_tls_unique_links_on_tls12(est, label):
    assert linked(est, label, base64.b64encode)[0] == 200
    answer = linked(est, label, lambda b: base64.b64encode(bytes(len(b))))
    refusal(answer, 400, "RFC 7030 3.5", "another TLS connection")


def test_no_link(est):
    assert linked(est, "may-link", lambda b: None)[0] == 200
    refusal(linked(est, "linked", lambda b: None), 400, "RFC 7030 3.5", "challengePassword is missing")
    # where it is off, the attribute is what it always was
    challenge = est.admin.challenge(endpoint="est")
    assert linked(est, "", lambda b: challenge.encode())[0] == 200


def test_a_link_belongs_to_its_connection(est):
    bindings = []
    linked(est, "linked", lambda b: bindings.append(b) or base64.b64encode(b))
    refusal(linked(est, "linked", lambda b: base64.b64encode(bindings[0])), 400, "RFC 7030 3.5")


# ---- the record ----


def test_the_record_says_how_it_came(est):
    est.est().enrol(Request("recorded"), basic("sensor", PASSWORD))
    record = est.events("enrol.issued")[-1]
    steps = {step["step"]: step["text"] for step in json.loads(record["detail"])}
    assert steps["challenge"] == 'password of account "sensor"'
    assert "recorded" in steps["request"]
    assert PASSWORD not in est.ctl("audit", "export", "-").stdout


# ---- time ----


def test_grace_after_expiry(tmp_path):
    """RFC 7030 has nothing for devices that come too late; here a profile may let them, on record."""
    ways = {"authorisation": {"anyone": True}}
    renew = {"authorisation": {"renewal": True}}
    daemon = make_est(
        tmp_path,
        profiles=[
            profile("late", validity="2s", backdate="1s", renewal={"window": "any", "grace": "1h"}),
            profile("strict", validity="2s", backdate="1s", renewal={"window": "any", "grace": "0s"}),
        ],
        endpoints=[
            endpoint("demo", profile="late"),
            est_endpoint("late", profile="late", **ways),
            est_endpoint("late-again", profile="late", **renew),
            est_endpoint("strict", profile="strict", **ways),
            est_endpoint("strict-again", profile="strict", **renew),
        ],
    )
    try:
        files = {}
        for label in ("late", "strict"):
            request = Request(label)
            files[label] = client_file(tmp_path, daemon.est(label).enrol(request), request.key)
        time.sleep(3)
        again = lambda label: daemon.est(f"{label}-again", client=files[label]).call(  # noqa: E731
            "POST", "simplereenroll", Request(label).body
        )
        assert again("late")[0] == 200
        refusal(again("strict"), 403, "RFC 7030 4.2.2", "expired")
        assert "within the grace period" in daemon.events("enrol.renewed")[-1]["detail"]
    finally:
        daemon.stop()
