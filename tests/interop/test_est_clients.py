# SPDX-License-Identifier: Apache-2.0
"""Other people's EST clients against our server: strongSwan's pki, and curl with openssl."""

import subprocess
import sys
import pathlib

import pytest
from cryptography import x509

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scenario"))

import est_peer  # noqa: E402
from daemon import PATIENCE, wait_for  # noqa: E402
from test_est import PASSWORD, make_est, waiting  # noqa: E402


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    daemon = make_est(tmp_path_factory.mktemp("est-clients"))
    yield daemon
    daemon.stop()


def run(*arguments, stdin=None, check=True):
    result = subprocess.run(list(map(str, arguments)), input=stdin, capture_output=True, timeout=2 * PATIENCE)
    if check:
        assert result.returncode == 0, result.stderr.decode(errors="replace")
    return result


# ---- strongSwan ----


class Swan:
    def __init__(self, daemon, directory):
        self.daemon, self.directory = daemon, directory
        self.url = f"https://127.0.0.1:{daemon.tls_port}"

    def request(self, name, key=None):
        """(file of the key, file of the request)"""
        key, csr = self.directory / f"{name}.key", self.directory / f"{name}.csr"
        key.write_bytes(run("pki", "--gen", "--type", "ecdsa", "--size", "256", "--outform", "pem").stdout)
        made = run("pki", "--req", "--type", "ecdsa", "--in", key, "--dn", "CN=swan-1", "--outform", "pem")
        csr.write_bytes(made.stdout)
        return key, csr

    def est(self, csr, *more, check=True):
        ca = self.directory / "swan-ca.pem"
        return run(
            *("pki", "--est", "--url", self.url, "--in", csr, "--outform", "pem"),
            *("--cacert", self.daemon.web.path, "--cacert", ca),
            *more,
            check=check,
        )


@pytest.fixture
def swan(est, tmp_path):
    """With the CA certificate that `pki --estca` has fetched."""
    swan = Swan(est, tmp_path)
    out = tmp_path / "swan-ca.pem"
    run("pki", "--estca", "--url", swan.url, "--cacert", est.web.path, "--caout", out, "--outform", "pem")
    assert x509.load_pem_x509_certificate(out.read_bytes()).subject.rfc4514_string() == "CN=demo CA,O=Scepter test"
    return swan


def test_strongswan_enrols_and_renews(swan, tmp_path):
    key, csr = swan.request("first")
    first = swan.est(csr, "--userpass", f"sensor:{PASSWORD}").stdout
    cert = x509.load_pem_x509_certificate(first)
    assert cert.subject == est_peer.name("swan-1")
    (tmp_path / "first.pem").write_bytes(first)
    _, csr = swan.request("second")
    second = swan.est(csr, "--cert", tmp_path / "first.pem", "--key", key).stdout
    renewed = x509.load_pem_x509_certificate(second)
    assert renewed.subject == cert.subject and renewed.serial_number != cert.serial_number


def test_strongswan_is_refused_by_a_wrong_password(swan):
    _, csr = swan.request("other")
    assert swan.est(csr, "--userpass", "sensor:wrong", check=False).returncode != 0


def test_strongswan_waits_for_approval(swan, est):
    """Its labels stand before /.well-known, so that only the root can be asked."""
    _, csr = swan.request("patient")
    body = run("openssl", "req", "-in", csr, "-outform", "DER").stdout
    status, headers, _ = est.est("manual").call("POST", "simpleenroll", body)
    assert status == 202 and headers["Retry-After"] == "1"
    est.ctl("request", "approve", waiting(est))
    status, _, body = est.est("manual").call("POST", "simpleenroll", body)
    assert status == 200 and est_peer.certificate(body)


# ---- curl and openssl, as the README has it ----


def curl(daemon, operation, *more):
    url = f"https://127.0.0.1:{daemon.tls_port}{est_peer.ROOT}/{operation}"
    return run("curl", "-sS", "--fail-with-body", "--cacert", daemon.web.path, *more, url)


def certificates(body):
    der = run("openssl", "base64", "-d", stdin=body).stdout
    return run("openssl", "pkcs7", "-inform", "DER", "-print_certs", stdin=der).stdout


def openssl_request(directory, name):
    key, csr = directory / f"{name}.key", directory / f"{name}.csr"
    run(
        *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-subj", "/CN=curl-1", "-keyout", key, "-outform", "DER", "-out", f"{csr}.der"),
    )
    csr.write_bytes(run("openssl", "base64", "-in", f"{csr}.der").stdout)
    return key, csr


def test_curl_and_openssl(est, tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_bytes(certificates(curl(est, "cacerts").stdout))
    key, csr = openssl_request(tmp_path, "first")
    posting = ["-H", "Content-Type: application/pkcs10", "--data-binary"]
    body = curl(est, "simpleenroll", "-u", f"sensor:{PASSWORD}", *posting, f"@{csr}").stdout
    cert = tmp_path / "first.pem"
    cert.write_bytes(certificates(body))
    run("openssl", "verify", "-CAfile", ca, cert)
    _, csr = openssl_request(tmp_path, "second")
    body = curl(est, "simplereenroll", "--cert", cert, "--key", key, *posting, f"@{csr}").stdout
    renewed = tmp_path / "second.pem"
    renewed.write_bytes(certificates(body))
    run("openssl", "verify", "-CAfile", ca, renewed)
    attributes = run("openssl", "base64", "-d", stdin=curl(est, "p384/csrattrs").stdout).stdout
    assert b"secp384r1" in run("openssl", "asn1parse", "-inform", "DER", stdin=attributes).stdout
    assert wait_for("both", cert.exists)


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_curl_may_choose_its_tls(est, tls):
    assert curl(est, "cacerts", f"--tlsv{tls}", "--tls-max", tls).stdout


def test_older_tls_is_refused(est):
    refused = run(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{est.tls_port}", "-tls1_1"),
        *("-cipher", "DEFAULT:@SECLEVEL=0"),
        stdin=b"",
        check=False,
    )
    # by its version: that there is no suite of ours for it would be another alert
    assert b"alert protocol version" in refused.stderr


@pytest.mark.parametrize("suites", ["aNULL", "eNULL", "CAMELLIA"])
def test_weak_suites_are_refused(est, suites):
    """RFC 7030 3.2.3, 4.4, 6: no NULL and anonymous suites; DES and export ones OpenSSL has not got any more."""
    refused = run(
        *("openssl", "s_client", "-connect", f"127.0.0.1:{est.tls_port}", "-tls1_2"),
        *("-cipher", f"{suites}:@SECLEVEL=0"),
        stdin=b"",
        check=False,
    )
    assert b"Cipher is (NONE)" in refused.stdout


def test_sessions_are_resumed_with_the_certificate_that_they_began_with(est, tmp_path):
    request = est_peer.Request("resumed")
    cert = est.est().enrol(request, est_peer.basic("sensor", PASSWORD))
    file = est_peer.write_private(
        tmp_path / "c.pem", est_peer.pem(cert), est_peer.private_pem(request.key)
    )
    session, host = tmp_path / "session", f"127.0.0.1:{est.tls_port}"
    body = est_peer.Request("resumed").body
    post = (
        f"POST {est_peer.ROOT}/simplereenroll HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: application/pkcs10\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    common = ["openssl", "s_client", "-connect", host, "-tls1_2", "-quiet", "-no_ign_eof"]
    first = ["openssl", "s_client", "-connect", host, "-tls1_2", "-cert", file, "-sess_out", session]
    run(*first, stdin=b"", check=False)
    answer = subprocess.Popen(
        [*map(str, common), "-sess_in", str(session)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    answer.stdin.write(post)
    answer.stdin.flush()
    text = answer.stdout.read()
    answer.stdin.close()
    answer.wait(PATIENCE)
    assert text.startswith(b"HTTP/1.1 200"), text


# ---- BouncyCastle ----

JARS = "/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:/usr/share/java/bcutil.jar"


def test_bouncycastle_enrols_and_renews(est):
    peer = pathlib.Path(__file__).with_name("EstPeer.java")
    lines = run(
        *("java", "-cp", JARS, peer, f"127.0.0.1:{est.tls_port}", est.web.path, "sensor", PASSWORD),
        est.maker.issue("serial-4715"),
    ).stdout.decode()
    assert lines.splitlines() == [
        "cacerts 1",
        "csrattrs true",
        "simpleenroll CN=bouncy",
        "simplereenroll CN=bouncy",
        "certificate and password CN=made",
    ]


def test_bouncycastle_asks_by_full_requests(est, tmp_path):
    (tmp_path / "ca.pem").write_text(est.ctl("ca", "show", "demo", "--pem").stdout)
    peer = pathlib.Path(__file__).with_name("CmcPeer.java")
    where = f"127.0.0.1:{est.tls_port}"
    lines = run("java", "-cp", JARS, peer, where, est.web.path, tmp_path / "ca.pem", "sensor", PASSWORD).stdout.decode()
    assert lines.splitlines() == [
        "enrolled CN=bouncy",
        "CRMF CN=bouncy-crmf",
        "renewed CN=bouncy",
        "getCert CN=bouncy",
        "revoked CN=bouncy",
        "refused CN=bouncy",
    ]
