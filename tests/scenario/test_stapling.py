# SPDX-License-Identifier: Apache-2.0
"""OCSP stapling of the server's own TLS certificate, judged by openssl s_client, openssl ocsp, GnuTLS
and ocsptool; and of a certificate of another CA, whose responder is Python."""

import contextlib
import datetime
import http.server
import signal
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import test_tls_own
from daemon import PATIENCE, check_config, undisturbed, wait_for
from est_peer import Authority
from test_ocsp import ocsp_endpoint
from test_tls_own import ca_file, shown

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED


def run(*command, text=""):
    return subprocess.run(
        [str(c) for c in command], input=text.encode(), capture_output=True, timeout=PATIENCE
    )


def gnutls(daemon, directory, *options):
    """(exit code, the response as it was sent or None, what it says)"""
    saved = directory / "stapled.der"
    saved.unlink(missing_ok=True)
    told = run("gnutls-cli", f"--save-ocsp={saved}", f"-p{daemon.tls_port}", *options, "localhost")
    response = saved.read_bytes() if saved.exists() and saved.stat().st_size else None
    return told.returncode, response, (told.stdout + told.stderr).decode(errors="replace")


def stapled(daemon, directory):
    """The response that a new connection is shown; None: none."""
    told = run("openssl", "s_client", "-connect", f"127.0.0.1:{daemon.tls_port}", "-status")
    assert b"CONNECTED" in told.stdout, told.stderr
    if b"OCSP response: no response sent" in told.stdout:
        return None
    return gnutls(daemon, directory, "--insecure")[1]


def own(make_daemon, directory, **options):
    daemon = test_tls_own.make(make_daemon, **options)
    daemon.admin.ca_init("demo")
    return daemon, ca_file(daemon, directory)


# ---- of our own CA ----


def test_the_servers_own_certificate(make_daemon, tmp_path):
    """There with the first handshake; openssl, GnuTLS and ocsptool verify it."""
    daemon, ca = own(make_daemon, tmp_path)
    for version in ("-tls1_2", "-tls1_3"):
        told = run("openssl", "s_client", "-connect", f"127.0.0.1:{daemon.tls_port}", "-status",
                   "-CAfile", ca, "-verify_return_error", version)  # fmt: skip
        assert told.returncode == 0, told.stderr
        assert b"OCSP Response Status: successful" in told.stdout
        assert b"Cert Status: good" in told.stdout
    code, response, said = gnutls(daemon, tmp_path, f"--x509cafile={ca}", "--ocsp")
    assert code == 0 and "OCSP status request" in said, said
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(shown(daemon).public_bytes(PEM))
    (tmp_path / "r.der").write_bytes(response)
    verified = run("openssl", "ocsp", "-respin", tmp_path / "r.der", "-issuer", ca, "-cert", leaf,
                   "-CAfile", ca)  # fmt: skip
    assert b"Response verify OK" in verified.stderr and b"leaf.pem: good" in verified.stdout
    verified = run("ocsptool", "--verify-response", "--load-trust", ca, "--load-response",
                   tmp_path / "r.der")  # fmt: skip
    assert b"Verifying OCSP Response: Success" in verified.stdout, verified.stdout


def test_revocation_shows_in_the_staple(make_daemon, tmp_path):
    """Within ten seconds, and a client that looks at it goes away."""
    daemon, ca = own(make_daemon, tmp_path)
    assert gnutls(daemon, tmp_path, f"--x509cafile={ca}")[0] == 0
    serial = f"{shown(daemon).serial_number:x}"
    daemon.ctl("cert", "revoke", serial, "--reason", "keyCompromise")

    def revoked():
        response = stapled(daemon, tmp_path)
        return ocsp.load_der_ocsp_response(response).certificate_status == REVOKED

    wait_for("revocation in the staple", revoked, step=0.5)
    code, _, said = gnutls(daemon, tmp_path, f"--x509cafile={ca}")
    assert code != 0 and "revoked" in said, said
    assert any("revoked" in line.get("msg", "") for line in daemon.log_lines())


def test_a_renewed_certificate_has_its_own_staple(make_daemon, tmp_path):
    """Without a restart: whatever certificate a connection is shown, the response is about it."""
    daemon, _ = own(make_daemon, tmp_path, validity="6s")
    pid, serials = daemon.child("server"), set()

    def three_of_them():
        daemon.process.send_signal(signal.SIGHUP)
        before, response, after = shown(daemon), stapled(daemon, tmp_path), shown(daemon)
        if before == after:
            assert ocsp.load_der_ocsp_response(response).serial_number == after.serial_number
            serials.add(after.serial_number)
        return len(serials) == 3

    wait_for("three certificates", three_of_them, 2 * PATIENCE, step=1)
    assert daemon.child("server") == pid


def test_the_responders_settings_hold(make_daemon, tmp_path):
    """Where an endpoint answers for the CA, the staple is what it would answer."""
    daemon, _ = own(make_daemon, tmp_path)
    daemon.config["endpoints"].append(ocsp_endpoint(validity="2h", responder_id="name"))
    daemon.write_config()
    daemon.restart()
    response = ocsp.load_der_ocsp_response(stapled(daemon, tmp_path))
    assert response.next_update - response.this_update == datetime.timedelta(hours=2)
    assert response.responder_name is not None


def test_off(make_daemon, tmp_path):
    """At SIGHUP, and back."""
    daemon, _ = own(make_daemon, tmp_path)
    for value, there in (("off", False), ("own", True)):
        daemon.config["http"]["listeners"][1]["tls"]["ocsp_stapling"] = value
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(f"staple {value}", lambda: (stapled(daemon, tmp_path) is not None) == there, step=0.2)
    daemon.config["http"]["listeners"][1]["tls"]["ocsp_stapling"] = "fetch"
    daemon.write_config()
    assert "issued here" in check_config(daemon.config_path).stderr


# ---- of another CA ----


class Responder(http.server.ThreadingHTTPServer):
    """Answers for a CA as `answer` says."""

    def __init__(self, authority):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.authority, self.asked, self.hold = authority, 0, threading.Event()
        self.answer = self.about
        self.cert = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/ocsp-request"
            request = ocsp.load_der_ocsp_request(body)
            self.server.asked += 1
            answer = self.server.answer(request)
            with contextlib.suppress(OSError):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_):
            pass

    def about(self, request, lasts=3600):
        now = datetime.datetime.utcnow()
        assert request.serial_number == self.cert.serial_number
        made = ocsp.OCSPResponseBuilder().add_response(
            cert=self.cert, issuer=self.authority.cert, algorithm=hashes.SHA1(), cert_status=GOOD,
            this_update=now, next_update=now + datetime.timedelta(seconds=lasts),
            revocation_time=None, revocation_reason=None,
        ).responder_id(ocsp.OCSPResponderEncoding.HASH, self.authority.cert)  # fmt: skip
        return made.sign(self.authority.key, hashes.SHA256()).public_bytes(DER)

    def late(self, request):
        self.hold.wait()
        return b""


@pytest.fixture
def foreign(make_daemon, tmp_path):
    """A daemon whose TLS certificate is of another CA, and that CA's responder."""
    web = Authority(tmp_path, "Web CA")
    responder = Responder(web)
    daemon = test_tls_own.make(make_daemon)
    daemon.admin.ca_init("demo")
    daemon.web, daemon.responder = web, responder

    def renew(chain=True, url=True):
        address = f"http://127.0.0.1:{responder.server_port}/ocsp" if url else None
        certificate, key = web.server(ocsp_url=address)
        responder.cert = x509.load_pem_x509_certificate(certificate.read_bytes())
        if chain:
            certificate.write_bytes(certificate.read_bytes() + web.path.read_bytes())
        daemon.config["http"]["listeners"][1]["tls"] = {
            "certificate": str(certificate), "key": str(key), "ocsp_stapling": "fetch"}  # fmt: skip
        daemon.write_config()

    daemon.renew = renew
    renew()
    yield daemon
    responder.hold.set()
    responder.shutdown()
    responder.server_close()


def test_fetched_from_the_cas_responder(foreign, tmp_path):
    foreign.restart()
    response = wait_for("staple", lambda: stapled(foreign, tmp_path), step=0.2)
    assert ocsp.load_der_ocsp_response(response).serial_number == foreign.responder.cert.serial_number
    code, _, said = gnutls(foreign, tmp_path, f"--x509cafile={foreign.web.path}", "--ocsp")
    assert code == 0, said
    # once, and not for each connection
    assert foreign.responder.asked == 1


def test_dropped_when_its_time_is_over(foreign, tmp_path):
    about = foreign.responder.about
    foreign.responder.answer = lambda request: about(request, lasts=4)
    foreign.restart()
    wait_for("staple", lambda: stapled(foreign, tmp_path), step=0.1)
    foreign.responder.answer = lambda _: b"gone"
    wait_for("no staple", lambda: stapled(foreign, tmp_path) is None, step=0.2)


def test_a_silent_responder_keeps_nobody_waiting(foreign, tmp_path):
    foreign.responder.answer = foreign.responder.late

    def connection_is_first():
        """There, before the responder is given up, which the log says; how to look for that."""
        asked, at = foreign.responder.asked, foreign.log_path.stat().st_size
        foreign.restart()
        wait_for("question", lambda: foreign.responder.asked > asked)
        given_up = lambda: b"no new OCSP response" in foreign.log_path.read_bytes()[at:]  # noqa: E731
        assert stapled(foreign, tmp_path) is None
        assert not given_up()
        return given_up

    wait_for("a word in the log", undisturbed(5, connection_is_first))


@pytest.mark.parametrize("change, word", [
    ({"chain": False}, "issuer's certificate is not behind"),
    ({"url": False}, "names no OCSP responder"),
])  # fmt: skip
def test_what_is_missing_is_told(foreign, tmp_path, change, word):
    foreign.renew(**change)
    foreign.restart()
    wait_for("a word in the log", lambda: word in foreign.tail(4000))
    assert stapled(foreign, tmp_path) is None


def test_what_is_not_believed_is_not_stapled(foreign, tmp_path):
    stranger = Responder(Authority(tmp_path, "Stranger CA"))
    stranger.cert = foreign.responder.cert
    foreign.responder.answer = stranger.about
    foreign.restart()
    wait_for("a word in the log", lambda: "not about the certificate asked for" in foreign.tail(4000))
    assert stapled(foreign, tmp_path) is None
    stranger.shutdown()
    stranger.server_close()
