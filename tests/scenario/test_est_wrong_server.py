# SPDX-License-Identifier: Apache-2.0
"""What our client must not accept of an EST server: one that Python plays, after the real one's words."""

import base64
import contextlib
import http.server
import ssl
import subprocess
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import cmc_peer
import der
import est_peer
from conftest import endpoint
from daemon import free_port, program
from est_peer import Authority, Request, private_pem, write_private
from test_est import PASSWORD, PROFILES, est_endpoint, make_est
from test_est_client import Device, account, fingerprint, split

CERTS = "application/pkcs7-mime; smime-type=certs-only"


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    ways = {"authorisation": {"anyone": True}}
    daemon = make_est(
        tmp_path_factory.mktemp("est-wrong"),
        profiles=PROFILES,
        endpoints=[endpoint("demo"), est_endpoint(est={"server_keys": "plain"}, **ways)],
    )
    yield daemon
    daemon.stop()


class Player(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.path.rsplit("/", 1)[1]
        self.server.shown.append((operation, self.connection.getpeercert()))
        self.server.asked.append((operation, dict(self.headers), body, time.monotonic()))
        status, headers, content = self.server.script(operation, body)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer


@contextlib.contextmanager
def playing(est, script, certificate=None, asking=False):
    """A server whose answers are script's; where it gives None, the real one's. asking: for the maker's certificates."""

    def full(operation, body):
        said = script(operation, body)
        if said is not None:
            return said
        kind = cmc_peer.HEADERS if operation == "fullcmc" else None
        status, headers, content = est.est().call("POST" if body else "GET", operation, body or None, kind)
        return status, {"Content-Type": headers["Content-Type"] or "text/plain"}, content

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Player)
    server.script, server.asked, server.shown = full, [], []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*(certificate or (est.web.directory / "server.pem", est.web.directory / "server.key")))
    if asking:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(est.maker.path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def device_of(est, server, directory):
    device = Device(est, directory)
    device.url = lambda: f"https://127.0.0.1:{server.server_port}"
    return device


def operations(server):
    return [a[0] for a in server.asked]


def test_the_player_plays(est, tmp_path):
    with playing(est, lambda *_: None) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol()
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}, None),
        (500, {"Content-Type": "text/plain"}, b"broken"),
        (202, {"Retry-After": "1"}, None),
        (404, {}, b""),
        (200, {"Content-Type": CERTS}, b""),
        (200, {"Content-Type": CERTS}, base64.b64encode(b"\x30\x00")),
        (200, {"Content-Type": CERTS}, base64.b64encode(der.seq(der.integer(1)))),
    ],
)
def test_cacerts_that_are_none_end_it(est, tmp_path, answer):
    """RFC 7030 4.1.3: any code but 200, whatever comes with it (None: what should)."""
    if answer[2] is None:
        answer = (*answer[:2], est.est().call("GET", "cacerts")[2])
    with playing(est, lambda operation, _: answer if operation == "cacerts" else None) as server:
        device = device_of(est, server, tmp_path)
        assert device.enrol(*account(device)).returncode != 0
        assert set(operations(server)) == {"cacerts"} and not device.cert.exists()
        assert all("Authorization" not in asked[1] for asked in server.asked)


def test_a_server_of_another_name_is_none(est, tmp_path):
    """By a CA that is trusted, for another host."""
    path = est.web.issue("elsewhere.example")
    with playing(est, lambda *_: None, certificate=(path, path)) as server:
        device = device_of(est, server, tmp_path)
        assert device.enrol(*account(device)).returncode != 0
        assert operations(server) == []


@pytest.mark.parametrize("verified", [True, False])
def test_who_has_not_been_verified_sees_no_certificate(est, tmp_path, verified):
    """Bootstrapping asks anyone for cacerts, but says who asks only to whom the fingerprint vouches for."""
    with playing(est, lambda *_: None, asking=True) as server:
        device = device_of(est, server, tmp_path)
        shown = split(est.maker.issue("serial-4716"), tmp_path)
        run = device.enrol(*shown, trust=None if verified else ["--ca-fingerprint", fingerprint(est)])
        assert (run.returncode == 0) == verified, run.stderr
        assert server.shown and all(bool(cert) == verified for _, cert in server.shown), server.shown


def test_redirections_within_the_origin_are_followed(est, tmp_path):
    """RFC 7030 3.2.1: with the same request, on the same connection, for all operations; by path or by URL."""

    def script(operation, body):
        if operation.startswith("moved-"):
            method = "POST" if body else "GET"
            status, headers, content = est.est().call(method, operation.removeprefix("moved-"), body or None)
            return status, {"Content-Type": headers["Content-Type"] or "text/plain"}, content
        to = f"{est_peer.ROOT}/moved-{operation}"
        whole = f"https://127.0.0.1:{server.server_port}{to}"
        return (308, {"Location": whole}, b"") if body else (302, {"Location": to}, b"")

    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol(*account(device))
        assert run.returncode == 0, run.stderr
        assert operations(server)[-2:] == ["simpleenroll", "moved-simpleenroll"]
        assert "moved-csrattrs" in operations(server) and "moved-cacerts" in operations(server)
        first, second = server.asked[-2:]
        assert first[2] == second[2] and first[1]["Authorization"] == second[1]["Authorization"]


@pytest.mark.parametrize("how", [[], ["--full-cmc"]])
def test_a_server_that_closes_what_requests_are_linked_with(est, tmp_path, how):
    """RFC 7030 3.5 has the link and the request on one connection: who keeps none is told so."""
    wanted = base64.b64encode(der.seq(der.oid("1.2.840.113549.1.9.7")))

    def script(operation, body):
        if operation == "csrattrs":
            return 200, {"Content-Type": "application/csrattrs", "Connection": "close"}, wanted
        return (400, {"Content-Type": "text/plain"}, b"another connection") if body else None

    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol(*account(device), *how)
        assert run.returncode != 0 and "has closed the connection" in run.stderr, run.stderr
        assert "another connection" in run.stderr


def test_redirections_without_end(est, tmp_path):
    script = lambda operation, _: (307, {"Location": f"{est_peer.ROOT}/{operation}"}, b"")  # noqa: E731
    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol(*account(device))
        assert run.returncode != 0 and "redirections" in run.stderr
        assert len(operations(server)) < 10


def test_a_post_is_not_turned_into_a_get(est, tmp_path):
    script = lambda operation, body: (303, {"Location": f"{est_peer.ROOT}/{operation}"}, b"") if body else None  # noqa: E731
    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol(*account(device))
        assert run.returncode != 0 and "RFC 7030 3.2.1" in run.stderr
        assert operations(server).count("simpleenroll") == 1


def test_no_redirection_to_another_origin_is_followed(est, tmp_path):
    with playing(est, lambda *_: None) as other:
        there = {"Location": f"https://127.0.0.1:{other.server_port}{est_peer.ROOT}/simpleenroll"}
        script = lambda operation, body: (307, there, b"") if operation == "simpleenroll" else None  # noqa: E731
        with playing(est, script) as server:
            device = device_of(est, server, tmp_path)
            run = device.enrol(*account(device))
            assert run.returncode != 0 and f"points to {there['Location']}" in run.stderr
            assert operations(other) == []


@pytest.mark.parametrize("wrong", ["key", "ca"])
def test_certificates_that_do_not_fit_are_not_taken(est, tmp_path, wrong):
    def script(operation, body):
        if operation != "simpleenroll":
            return None
        if wrong == "key":
            return est.est().call("POST", operation, Request("device-1").body)[0:1] + (
                {"Content-Type": CERTS},
                est.est().call("POST", operation, Request("device-1").body)[2],
            )
        foreign = Authority(tmp_path, "demo CA")
        (ca,) = est_peer.certificates(est.est().call("GET", "cacerts")[2])
        foreign.name = ca.subject
        from cryptography import x509

        asked = x509.load_der_x509_csr(base64.b64decode(body))
        cert = foreign._sign(asked.subject, asked.public_key())
        return 200, {"Content-Type": CERTS}, base64.b64encode(certs_only(cert))

    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol()
        assert run.returncode != 0 and not device.cert.exists()
        assert ("no certificate for our key" if wrong == "key" else "not signed by a CA") in run.stderr


def certs_only(cert):
    certificate = der.tlv(0xA0, est_peer.pem(cert) and cert.public_bytes(est_peer.serialization.Encoding.DER))
    empty = der.tlv(0x31)
    data = der.seq(der.integer(1), empty, der.seq(der.oid("1.2.840.113549.1.7.1")), certificate, empty)
    return der.seq(der.oid("1.2.840.113549.1.7.2"), der.tlv(0xA0, data))


def test_retry_after_is_waited_for(est, tmp_path):
    """RFC 7030 4.2.3: at least that long, and then the same request."""
    times = []

    def script(operation, _):
        if operation != "simpleenroll":
            return None
        times.append(time.monotonic())
        return (202, {"Retry-After": "3"}, b"") if len(times) < 2 else None

    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol("--wait", "30s")
        assert run.returncode == 0, run.stderr
        assert len(times) == 2 and times[1] - times[0] >= 3


def test_attributes_that_are_unknown_are_passed_over(est, tmp_path):
    unknown = der.seq(
        der.oid("1.3.6.1.1.1.1.22"),
        der.seq(der.oid("2.999.1"), der.tlv(0x31, der.tlv(0x13, b"anything"), der.tlv(0xA5, b"\x05\x00"))),
        der.oid("2.16.840.1.101.3.4.2.2"),
    )
    answer = (200, {"Content-Type": "application/csrattrs"}, base64.b64encode(unknown))
    with playing(est, lambda operation, _: answer if operation == "csrattrs" else None) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol()
        assert run.returncode == 0 and "csrattrs" in operations(server), run.stderr


def test_a_key_that_was_wanted_encrypted_is_taken_no_other_way(est, tmp_path):
    """The server takes the attribute out, as it were, and sends the key under TLS alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    file = write_private(tmp_path / "own.key", private_pem(key))

    def script(operation, body):
        if operation != "serverkeygen":
            return None
        status, headers, content = est.est().call("POST", operation, Request("device-1").body)
        return status, {"Content-Type": headers["Content-Type"]}, content

    with playing(est, script) as server:
        device = device_of(est, server, tmp_path)
        run = device.enrol("--server-key", "--decrypt-key", file)
        assert run.returncode != 0 and "under TLS alone" in run.stderr
        assert not device.key.exists() and not device.cert.exists()


def mounts():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not mounts(), reason="a mount namespace of its own is not to be had")
def test_the_systems_cas_count_for_nothing_beside_those_that_are_named(est, tmp_path):
    """RFC 7030 3.1: implicit trust anchors can be disabled; here by naming explicit ones."""
    system, other = tmp_path / "system", Authority(tmp_path, "Another CA")
    system.mkdir()
    (system / "web.pem").write_bytes(est.web.path.read_bytes())
    subprocess.run(["openssl", "rehash", system], check=True, capture_output=True)
    (system / "ca-certificates.crt").write_bytes(est.web.path.read_bytes())
    (tmp_path / "password").write_text(PASSWORD)

    def enrol(*trust):
        command = [program("scepter"), "enrol", "--protocol", "est", "--url", f"https://127.0.0.1:{est.tls_port}"]
        command += ["--subject", "CN=device-1", "--key", tmp_path / "d.key", "--cert", tmp_path / "d.pem", *trust]
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", f'mount --bind {system} /etc/ssl/certs && exec "$@"', "sh", *command],
            capture_output=True,
            text=True,
        )

    run = enrol("--tls-ca", other.path)
    assert run.returncode == 74 and not (tmp_path / "d.pem").exists(), run.stderr
    # it is there, and would do where none is named
    (ca,) = est_peer.certificates(est.est().call("GET", "cacerts")[2])
    run = enrol("--tls-ca", system / "ca-certificates.crt")
    assert run.returncode == 0, run.stderr
