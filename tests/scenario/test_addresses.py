# SPDX-License-Identifier: Apache-2.0
"""Who may come, by address and how often; and whose word counts on where a client is."""

import http.client
import socket
import ssl
import struct
import subprocess

import pytest

import scep_reply
from conftest import endpoint
from daemon import PATIENCE, undisturbed, wait_for
from scep_peer import Request

CAPS = "?operation=GetCACaps"


def proxy_v2(source, destination="198.51.100.1"):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    if family == socket.AF_INET6:
        destination = "2001:db8::1"
    body = socket.inet_pton(family, source) + socket.inet_pton(family, destination)
    body += struct.pack(">HH", 56324, 443)
    return (
        b"\r\n\r\n\x00\r\nQUIT\n"
        + bytes([0x21, 0x21 if family == socket.AF_INET6 else 0x11])
        + struct.pack(">H", len(body))
        + body
    )


def proxy_v1(source):
    kind = "TCP6" if ":" in source else "TCP4"
    other = "2001:db8::1" if ":" in source else "198.51.100.1"
    return f"PROXY {kind} {source} {other} 56324 443\r\n".encode()


class Connection(http.client.HTTPConnection):
    """Says header first, then TLS if a context is given, then HTTP; from a loopback address."""

    def __init__(self, port, header=b"", own="127.0.0.1", tls=None):
        super().__init__("127.0.0.1", port, timeout=PATIENCE)
        self.header, self.own, self.tls = header, own, tls

    def connect(self):
        self.sock = socket.create_connection(("127.0.0.1", self.port), PATIENCE, (self.own, 0))
        self.sock.sendall(self.header)
        if self.tls:
            self.sock = self.tls.wrap_socket(self.sock)


def ask(daemon, target, method="GET", body=None, **options):
    """(status, headers, body); status 0: the connection was closed"""
    connection = Connection(options.pop("port", daemon.port), **options)
    try:
        connection.request(method, target, body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except (ConnectionError, http.client.BadStatusLine, ssl.SSLError):
        return 0, {}, b""
    finally:
        connection.close()


def status(daemon, name="demo", **options):
    return ask(daemon, f"/scep/{name}{CAPS}", **options)[0]


def events(daemon, *kinds):
    return [(e["kind"], e.get("endpoint"), e["actor"]) for e in daemon.events(*kinds)]


def refused(daemon):
    return events(daemon, "access.denied", "access.limited")


# ---- rules ----


def test_first_match_wins_and_no_match_is_refused(make_daemon):
    rules = [{"deny": "127.0.0.66"}, {"allow": "127.0.0.64/26"}, {"deny": "127.0.0.128/25"}, {"allow": "127.0.0.1"}]
    daemon = make_daemon(
        endpoints=[endpoint("demo"), endpoint("some", addresses=rules), endpoint("local", addresses=[{"allow": "::1"}])]
    )
    want = {"127.0.0.1": 200, "127.0.0.64": 200, "127.0.0.66": 403, "127.0.0.127": 200, "127.0.0.128": 403, "127.0.0.2": 403}
    assert {own: status(daemon, "some", own=own) for own in want} == want
    assert status(daemon, "demo", own="127.0.0.66") == 200
    assert status(daemon, "local") == 403
    code, _, body = ask(daemon, "/scep/some?operation=PKIOperation", "POST", b"x", own="127.0.0.2")
    assert (code, body) == (403, b"this endpoint is not for your address\n")
    assert refused(daemon) == [
        ("access.denied", "some", "127.0.0.66"),
        ("access.denied", "some", "127.0.0.128"),
        ("access.denied", "some", "127.0.0.2"),
        ("access.denied", "local", "127.0.0.1"),
    ]


def test_refusals_do_not_fill_the_record(make_daemon):
    """Each address is on record once, however often it comes, and sixty in all."""
    daemon = make_daemon(endpoints=[endpoint("demo"), endpoint("none", addresses=[{"allow": "192.0.2.1"}])])
    for i in range(200):
        assert status(daemon, "none", own=f"127.0.0.{i % 100 + 1}") == 403
    assert len(refused(daemon)) == 60
    lines = [l for l in daemon.log_lines() if l["msg"] == "http request" and l["status"] == 403]
    assert len(lines) == 200


# ---- limits ----


def test_too_many_requests_of_an_address(make_daemon):
    daemon = make_daemon(endpoints=[endpoint("demo"), endpoint("few", limits={"address": "5/10m"})])
    for _ in range(5):
        assert status(daemon, "few") == 200
    ca = daemon.authority("demo")
    before = len(daemon.admin.certs())
    code, headers, _ = ask(daemon, "/scep/few?operation=PKIOperation", "POST", Request().build(ca))
    assert code == 429
    assert 100 < int(headers["Retry-After"]) <= 120
    assert status(daemon, "few") == 429
    assert len(daemon.admin.certs()) == before
    assert status(daemon, "few", own="127.0.0.2") == 200
    assert status(daemon, "demo") == 200
    assert refused(daemon) == [("access.limited", "few", "127.0.0.1")]


def test_limit_is_over_after_its_time(make_daemon):
    daemon = make_daemon(endpoints=[endpoint("demo"), endpoint("few", limits={"address": "2/2s"})])

    def used_up():
        assert [status(daemon, "few") for _ in range(3)] == [200, 200, 429]

    undisturbed(1, used_up, between=2)
    wait_for("another turn", lambda: status(daemon, "few") == 200)
    wait_for("its limit", lambda: status(daemon, "few") == 429, step=0)


# ---- proxies ----


def proxied(daemon_port, **proxies):
    return {"name": "plain", "address": "127.0.0.1", "port": daemon_port, "proxies": proxies}


@pytest.fixture
def behind(make_daemon):
    """behind(header=...): a daemon that trusts 127.0.0.9 alone, with an endpoint for 203.0.113.0/24."""

    def make(**proxies):
        daemon = make_daemon(
            start=False,
            endpoints=[
                endpoint("demo"),
                endpoint("field", addresses=[{"allow": "203.0.113.0/24"}, {"allow": "2001:db8::/32"}]),
                endpoint("few", limits={"address": "2/10m"}),
            ],
        )
        listener = proxied(daemon.port, trusted=["127.0.0.9"], **proxies)
        daemon.config["http"]["listeners"] = [listener]
        daemon.write_config()
        daemon.start()
        daemon.admin.ca_init("demo")
        return daemon

    return make


@pytest.mark.parametrize("make_header", [proxy_v1, proxy_v2])
def test_client_behind_a_trusted_proxy(behind, make_header):
    """Its address is the one in rules, log, record and limits."""
    daemon = behind()
    through = dict(own="127.0.0.9")
    assert status(daemon, "field", header=make_header("203.0.113.7"), **through) == 200
    assert status(daemon, "field", header=make_header("2001:db8::7"), **through) == 200
    assert status(daemon, "field", header=make_header("192.0.2.7"), **through) == 403
    assert status(daemon, "field", header=make_header("2001:db9::7"), **through) == 403
    assert refused(daemon) == [
        ("access.denied", "field", "192.0.2.7"),
        ("access.denied", "field", "2001:db9::7"),
    ]
    for client, want in (("192.0.2.1", 429), ("192.0.2.2", 200)):
        codes = [status(daemon, "few", header=make_header(client), **through) for _ in range(2)]
        assert codes == [200, 200]
        assert status(daemon, "few", header=make_header("192.0.2.1"), **through) == 429
    peers = {l["peer"] for l in daemon.log_lines() if l["msg"] == "http request" and l["path"] == "/scep/few"}
    assert peers == {"192.0.2.1", "192.0.2.2"}
    ca = daemon.authority("demo")
    request = Request()
    code, _, body = ask(
        daemon, "/scep/field?operation=PKIOperation", "POST", request.build(ca),
        header=make_header("203.0.113.7"), **through,
    )
    assert code == 200
    assert scep_reply.open_reply(body, request, ca).status == "SUCCESS"
    assert events(daemon, "enrol.issued") == [("enrol.issued", "field", "203.0.113.7")]


def test_whose_header_is_not_taken(behind):
    """An address that is not trusted, and a proxy that forgets its header."""
    daemon = behind()
    assert status(daemon, header=proxy_v1("203.0.113.7")) == 400
    assert status(daemon, header=proxy_v2("203.0.113.7")) == 400
    assert status(daemon) == 200
    assert status(daemon, own="127.0.0.9") == 0
    assert status(daemon, own="127.0.0.9", header=b"PROXY TCP4 203.0.113.7\r\n") == 0
    reasons = [l["reason"] for l in daemon.log_lines() if l["msg"] == "connection from a proxy refused"]
    assert reasons[0] == "no PROXY header in front of the request"
    assert len(reasons) == 2


def test_header_may_be_optional(behind):
    daemon = behind(header="optional")
    assert status(daemon, own="127.0.0.9") == 200
    assert status(daemon, "field", own="127.0.0.9") == 403
    assert status(daemon, "field", own="127.0.0.9", header=proxy_v2("203.0.113.7")) == 200
    assert status(daemon, "field", header=proxy_v2("203.0.113.7")) == 400


def test_nobody_is_trusted_by_default(make_daemon):
    daemon = make_daemon()
    for header in (proxy_v1("203.0.113.7"), proxy_v2("203.0.113.7")):
        assert status(daemon, header=header) == 400


def test_in_front_of_tls(make_daemon, tmp_path):
    """The header stands before the handshake, and TLS begins at the octet behind it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=scep.example"],
        check=True, capture_output=True,
    )
    daemon = make_daemon(start=False, endpoints=[endpoint("demo"), endpoint("field", addresses=[{"allow": "203.0.113.7"}])])
    from daemon import free_port

    port = free_port()
    daemon.config["http"]["listeners"].append(
        {**proxied(port, trusted=["127.0.0.0/8"]), "name": "tls",
         "tls": {"certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}}
    )
    daemon.write_config()
    daemon.start()
    daemon.admin.ca_init("demo")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for header in (proxy_v1("203.0.113.7"), proxy_v2("203.0.113.7")):
        assert status(daemon, "field", port=port, tls=context, header=header) == 200
    assert status(daemon, "field", port=port, tls=context, header=proxy_v2("203.0.113.8")) == 403
    assert status(daemon, "demo", port=port, tls=context) == 0
