# SPDX-License-Identifier: Apache-2.0
"""Client certificates in a header of a trusted proxy (RFC 9440): who is believed, and who is not."""

import base64
import contextlib
import datetime
import http.client
import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

import est_peer
import operators
from conftest import endpoint, profile
from daemon import PATIENCE, Daemon, check_config, free_port, static_hash
from est_peer import Authority, Request, basic
from test_addresses import proxy_v2
from test_est import est_endpoint

PROXY, STRANGER = "127.0.0.1", "127.0.0.2"


def binary(cert):
    return f":{base64.b64encode(cert.public_bytes(Encoding.DER)).decode()}:"


def certificate_of(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


class Proxied(Daemon):
    """With a plain listener `behind` for proxies at 127.0.0.1 that terminate TLS."""

    def __init__(self, directory, **tls_proxy):
        super().__init__(
            directory / "daemon",
            profiles=[profile(renewal={"window": "any"})],
            endpoints=[
                endpoint("demo"),
                est_endpoint(authorisation={"accounts": True, "renewal": True}),
                est_endpoint("maker", authorisation={"certificates": True}),
                est_endpoint("linked", est={"channel_binding": "required"}, listeners=["behind", "tls"]),
                est_endpoint("may-link", est={"channel_binding": "optional"}),
            ],
            operators=[
                {"name": "sensor", "password": static_hash("swordfish"), "roles": ["device"]},
                {"name": "auditor", "roles": ["auditor"],
                 "certificate": {"subject": "CN=auditor", "issuer": "CN=Maker CA"}},
            ],
        )  # fmt: skip
        self.maker, self.web = Authority(directory, "Maker CA"), Authority(directory, "Web CA")
        self.behind, self.tls_port = free_port(), free_port()
        certificate, key = self.web.server()
        proxy = {"trusted": [PROXY], "client_ca": str(self.maker.path), **tls_proxy}
        self.config["http"]["listeners"] += [
            {"name": "behind", "address": "0.0.0.0", "port": self.behind,
             "tls_proxy": {k: v for k, v in proxy.items() if v is not None}},
            {"name": "tls", "address": "127.0.0.1", "port": self.tls_port,
             "tls": {"certificate": str(certificate), "key": str(key)}},
        ]  # fmt: skip
        self.write_config()

    def begin(self):
        self.start()
        self.admin.ca_init("demo")
        return self

    def ask(self, fields, method="GET", path="/", body=None, source=PROXY):
        """status, headers, body; fields may hold one name twice"""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.behind, timeout=PATIENCE, source_address=(source, 0)
        )
        with contextlib.closing(connection):
            connection.putrequest(method, path)
            for name, value in fields:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Type", est_peer.PKCS10)
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def enrol(self, fields, request=None, label="maker", operation="simpleenroll", **options):
        path = f"{est_peer.ROOT}{'/' + label if label else ''}/{operation}"
        return self.ask(fields, "POST", path, (request or Request()).body, **options)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    daemon = Proxied(tmp_path_factory.mktemp("proxied")).begin()
    yield daemon
    daemon.stop()


def own(cert):
    return [("Client-Cert", binary(cert))]


# ---- what a trusted proxy tells ----


def test_a_makers_certificate_enrols(proxied):
    status, _, body = proxied.enrol(own(certificate_of(proxied.maker.issue("serial-1"))), Request("sensor-7"))
    assert status == 200, body
    assert est_peer.certificate(body).subject == est_peer.name("sensor-7")
    record = proxied.events("enrol.issued")[-1]
    assert "as a proxy tells" in record["detail"]


def test_renewal_and_revocation(proxied):
    request = Request("sensor-8")
    password = [*basic("sensor", "swordfish").items()]
    status, _, body = proxied.enrol(password, request, label="")
    assert status == 200, body
    cert = est_peer.certificate(body)
    again = lambda: proxied.enrol(own(cert), Request("sensor-8"), label="", operation="simplereenroll")  # noqa: E731
    assert again()[0] == 200
    proxied.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "keyCompromise")
    status, _, body = again()
    assert status == 403 and "revoked" in body


def test_it_is_verified_as_in_a_handshake(proxied, tmp_path):
    foreign = certificate_of(Authority(tmp_path, "Foreign CA").issue("serial-2"))
    look_alike = certificate_of(Authority(tmp_path, "Maker CA").issue("serial-3"))
    expired = certificate_of(proxied.maker.issue("serial-4", days=-1, age=9))
    for cert in (foreign, look_alike, expired):
        status, _, body = proxied.enrol(own(cert))
        assert status == 403 and "RFC 7030 3.3.2" in body, body
    chain = [*own(foreign), ("Client-Cert-Chain", binary(proxied.maker.cert))]
    assert proxied.enrol(chain)[0] == 403


def test_without_a_certificate_it_is_tls_all_the_same(proxied):
    assert proxied.ask([], path=f"{est_peer.ROOT}/cacerts")[0] == 200
    status, headers, _ = proxied.enrol([], label="")
    assert status == 401 and headers["WWW-Authenticate"].startswith("Basic")


def test_a_request_cannot_be_linked(proxied):
    cert = certificate_of(proxied.maker.issue("serial-5"))
    for challenge in (None, base64.b64encode(bytes(32))):
        status, _, body = proxied.enrol(own(cert), Request(challenge=challenge), label="linked")
        assert status == 400 and "TLS ends at a proxy" in body, body
    assert proxied.enrol([], Request(), label="may-link")[0] == 200


# ---- what is refused ----


def test_from_anybody_else_the_header_is_refused(proxied):
    """Whatever is in it, and on record; without it a stranger is told to use https."""
    cert = certificate_of(proxied.maker.issue("serial-6"))
    for fields in (own(cert), [("client-cert", "")], [("Client-Cert-Chain", binary(cert))]):
        status, _, body = proxied.enrol(fields, source=STRANGER)
        assert status == 403 and "proxies only" in body, body
    status, _, body = proxied.enrol([], source=STRANGER)
    assert status == 403 and "use https" in body
    (event,) = [e for e in proxied.events("access.denied") if e["actor"] == STRANGER]
    assert "no proxy of ours" in event["reason"]
    assert any(STRANGER == line.get("peer") and "refused" in line["msg"] for line in proxied.log_lines())


def test_hostile_headers(proxied):
    cert = certificate_of(proxied.maker.issue("serial-9"))
    der = cert.public_bytes(Encoding.DER)
    b64 = base64.b64encode
    for fields, status, word in [
        (own(cert) + own(cert), 400, "twice"),
        (own(cert) + [("CLIENT-CERT", "")], 400, "twice"),
        ([("Client-Cert", "garbage")], 400, "byte sequence"),
        ([("Client-Cert", ":!!!!:")], 400, "unexpected byte"),
        ([("Client-Cert", "::")], 400, "empty"),
        ([("Client-Cert", f":{b64(der[:-1]).decode()}:")], 400, "no certificate"),
        ([("Client-Cert", f":{b64(der + b'x').decode()}:")], 400, "no certificate"),
        ([("Client-Cert-Chain", binary(cert))], 400, "without"),
        (own(cert) + [("Client-Cert-Chain", ", ".join([binary(cert)] * 8))], 400, "more than 8"),
        ([("Client-Cert", f":{'A' * 40000}:")], 431, "limit"),
    ]:
        got, _, body = proxied.enrol(fields)
        assert got == status and word in body, (fields[0][1][:40], got, body)
    assert proxied.enrol(own(cert))[0] == 200


def test_elsewhere_the_header_means_nothing(proxied):
    est = est_peer.Est(proxied.tls_port, proxied.web.path, "maker")
    headers = dict(own(certificate_of(proxied.maker.issue("serial-10"))))
    status, _, body = est.call("POST", "simpleenroll", Request().body, headers)
    assert status in (401, 403), body


# ---- with others ----


def test_behind_a_proxy_header(tmp_path):
    """Of two proxies in a row the outer one names the client; who tells the certificate is the inner."""
    daemon = Proxied(tmp_path)
    daemon.config["http"]["listeners"][1]["proxies"] = {"trusted": [PROXY]}
    daemon.write_config()
    daemon.begin()
    cert = certificate_of(daemon.maker.issue("serial-11"))
    try:
        request = Request("sensor-9").body
        with socket.create_connection(("127.0.0.1", daemon.behind)) as s:
            s.sendall(proxy_v2("203.0.113.7"))
            s.sendall(
                f"POST {est_peer.ROOT}/maker/simpleenroll HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                f"Client-Cert: {binary(cert)}\r\nContent-Length: {len(request)}\r\n\r\n".encode() + request
            )
            assert s.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
        assert daemon.events("enrol.issued")[-1]["actor"] == "203.0.113.7"
    finally:
        daemon.stop()


def test_what_a_maker_has_revoked(tmp_path):
    daemon = Proxied(tmp_path)
    good, bad = (certificate_of(daemon.maker.issue(n)) for n in ("serial-13", "serial-14"))
    now = datetime.datetime.utcnow()
    revoked = x509.RevokedCertificateBuilder().serial_number(bad.serial_number).revocation_date(now).build()
    crl = x509.CertificateRevocationListBuilder().issuer_name(daemon.maker.name).last_update(now)
    crl = crl.next_update(now + datetime.timedelta(days=1)).add_revoked_certificate(revoked)
    path = tmp_path / "maker.crl"
    path.write_bytes(crl.sign(daemon.maker.key, hashes.SHA256()).public_bytes(Encoding.DER))
    daemon.config["http"]["listeners"][1]["tls_proxy"]["client_crl"] = [str(path)]
    daemon.write_config()
    daemon.begin()
    try:
        assert daemon.enrol(own(good))[0] == 200
        status, _, body = daemon.enrol(own(bad))
        assert status == 403 and "revoked" in body, body
    finally:
        daemon.stop()


def test_certificates_of_this_ca(tmp_path):
    """client_authority, which is trusted from the moment that it is made."""
    daemon = Proxied(tmp_path, client_ca=None, client_authority="demo").begin()
    try:
        request = Request("sensor-10")
        cert = est_peer.certificate(daemon.enrol([*basic("sensor", "swordfish").items()], request, label="")[2])
        assert daemon.enrol(own(cert), Request("sensor-10"), label="")[0] == 200
        status, _, _ = daemon.enrol(own(certificate_of(daemon.maker.issue("serial-12"))))
        assert status == 403
    finally:
        daemon.stop()


@pytest.mark.parametrize("allowed", [False, True])
def test_operators_are_known_by_it_only_where_that_is_said(tmp_path, allowed):
    daemon = Proxied(tmp_path, operators=allowed)
    certificate, key = daemon.web.server()
    behind = daemon.config["http"]["listeners"][1]
    behind["tls"] = {"certificate": str(certificate), "key": str(key)}
    daemon.config["admin"]["listeners"] = ["behind"]
    daemon.write_config()
    daemon.begin()
    auditor = certificate_of(daemon.maker.issue("auditor", purposes=[ExtendedKeyUsageOID.CLIENT_AUTH]))
    try:
        remote = operators.Remote(daemon.behind, str(daemon.web.path))
        status, _, body = remote.raw("GET", "/v1/status", headers=dict(own(auditor)))
        assert status == (200 if allowed else 401), body
        if not allowed:
            assert b"do not count here" in body
    finally:
        daemon.stop()


# ---- configuration ----


@pytest.mark.parametrize("change, words", [
    ({"trusted": None}, ["tls_proxy.trusted", "names nobody"]),
    ({"trusted": []}, ["names nobody"]),
    ({"trusted": ["all"]}, ["everybody"]),
    ({"trusted": ["0.0.0.0/0"]}, ["everybody"]),
    ({"trusted": ["proxy.example"]}, ["tls_proxy.trusted[0]"]),
    ({"format": "pem"}, ["tls_proxy.header", "is missing"]),
    ({"header": "Authorization"}, ["another meaning"]),
    ({"header": "two words"}, ["letters, digits and hyphens"]),
    ({"client_authority": "demo"}, ["stands beside client_ca"]),
    ({"client_crl": ["/nowhere.crl"]}, ["tls_proxy.client_crl[0]", "/nowhere.crl"]),
    ({"client_ca": "/nowhere.pem"}, ["/nowhere.pem", "No such file"]),
])  # fmt: skip
def test_wrong_settings_are_refused(tmp_path, change, words):
    daemon = Proxied(tmp_path, **change)
    said = check_config(daemon.config_path)
    assert said.returncode != 0
    for word in [*words, "scepterd.yaml:"]:
        assert word in said.stderr, said.stderr


def test_what_cannot_work_is_refused(tmp_path):
    daemon = Proxied(tmp_path)
    daemon.config["endpoints"][3]["listeners"] = ["behind"]
    daemon.config["admin"]["listeners"] = ["behind"]
    daemon.write_config()
    said = check_config(daemon.config_path).stderr
    assert "cannot be had where TLS ends at a proxy" in said
    assert "is in the clear" in said and "operators: true" in said
