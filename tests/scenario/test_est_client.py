# SPDX-License-Identifier: Apache-2.0
"""`scepter enrol --protocol est` and `scepter renew`: whom it trusts, what it heeds, what it keeps."""

import hashlib
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

import est_peer
from daemon import scepter, wait_for
from est_peer import Authority
from test_est import PASSWORD, make_est, waiting


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    daemon = make_est(tmp_path_factory.mktemp("est-client"))
    yield daemon
    daemon.stop()


class Device:
    """A device's folder, and what it says to scepter."""

    def __init__(self, daemon, directory, label="", **options):
        self.daemon, self.directory, self.label = daemon, directory, label
        self.key, self.cert, self.ca = (directory / n for n in ("d.key", "d.pem", "ca.pem"))
        self.password = directory / "password"
        self.password.write_text(PASSWORD + "\n")

    def url(self):
        return f"https://127.0.0.1:{self.daemon.tls_port}" + (
            f"{est_peer.ROOT}/{self.label}" if self.label else ""
        )

    def run(self, command, *more, trust=None):
        trust = trust if trust is not None else ["--tls-ca", self.daemon.web.path]
        return scepter(
            command,
            "--protocol",
            "est",
            *("--url", self.url(), "--key", self.key, "--cert", self.cert),
            *trust,
            *more,
        )

    def enrol(self, *more, **options):
        return self.run("enrol", "--subject", "CN=device-1", "--ca", self.ca, *more, **options)

    def certificate(self):
        return x509.load_pem_x509_certificate(self.cert.read_bytes())


def account(device):
    return ["--user", "sensor", "--challenge-file", device.password]


def fingerprint(daemon):
    (ca,) = est_peer.certificates(daemon.est().call("GET", "cacerts")[2])
    return hashlib.sha256(ca.public_bytes(Encoding.DER)).hexdigest()


def test_enrol_by_account(est, tmp_path):
    device = Device(est, tmp_path)
    run = device.enrol("--san", "DNS:device-1.example", *account(device))
    assert run.returncode == 0, run.stderr
    cert = device.certificate()
    assert cert.subject == est_peer.name("device-1")
    assert b"BEGIN CERTIFICATE" in device.ca.read_bytes()
    assert device.key.stat().st_mode & 0o777 == 0o600
    # the same again: the same key, and the same certificate
    assert device.enrol("--san", "DNS:device-1.example", *account(device)).returncode == 0
    assert device.certificate() == cert


def test_enrol_by_challenge(est, tmp_path):
    device = Device(est, tmp_path)
    device.password.write_text(est.admin.challenge(endpoint="est"))
    run = device.enrol("--challenge-file", device.password)
    assert run.returncode == 0, run.stderr


def test_bootstrap_by_fingerprint(tmp_path):
    """RFC 7030 4.1.1: nothing but a fingerprint, and a server whose TLS certificate is by that CA."""
    daemon = make_est(tmp_path, web_is_demo=True)
    try:
        device = Device(daemon, tmp_path, "open")
        run = device.enrol(trust=["--ca-fingerprint", fingerprint(daemon)])
        assert run.returncode == 0, run.stderr
        run = device.enrol(trust=["--ca-fingerprint", "00" * 32])
        assert run.returncode == 77 and "fingerprint" in run.stderr
    finally:
        daemon.stop()


def test_nothing_is_sent_to_whom_the_fingerprint_does_not_vouch_for(est, tmp_path):
    """The server's TLS certificate is by another CA than the one with the fingerprint."""
    device = Device(est, tmp_path)
    before = est.log_path.read_text()
    run = device.enrol(*account(device), trust=["--ca-fingerprint", fingerprint(est)])
    assert run.returncode != 0 and "not trusted" in run.stderr
    asked = est.log_path.read_text()[len(before) :]
    assert "cacerts" in asked and "simpleenroll" not in asked
    assert not device.cert.exists()


@pytest.mark.parametrize("trust, code", [([], 64), (["--tls-ca", "FOREIGN"], 74)])
def test_who_is_not_trusted_gets_nothing(est, tmp_path, trust, code):
    foreign = Authority(tmp_path, "Foreign CA")
    device = Device(est, tmp_path)
    run = device.enrol(
        *account(device), trust=[foreign.path if t == "FOREIGN" else t for t in trust]
    )
    assert run.returncode == code, run.stderr
    assert not device.cert.exists()


def test_plain_http_is_no_est(est, tmp_path):
    device = Device(est, tmp_path)
    device.url = lambda: f"http://127.0.0.1:{est.port}"
    run = device.enrol(*account(device))
    assert run.returncode == 64 and "https" in run.stderr


def test_a_refusal_is_told(est, tmp_path):
    device = Device(est, tmp_path)
    device.password.write_text("wrong")
    run = device.enrol(*account(device))
    assert run.returncode == 77 and "401: challenge: wrong" in run.stderr


def test_csrattrs_are_heeded(est, tmp_path):
    device = Device(est, tmp_path, "p384")
    run = device.enrol()
    assert run.returncode == 64 and "subjectAltName" in run.stderr
    run = device.enrol("--san", "DNS:device-1.example")
    assert run.returncode == 0, run.stderr
    key = load_pem_private_key(device.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1"


def test_requests_are_linked_where_the_server_wants_it(est, tmp_path):
    device = Device(est, tmp_path, "linked")
    run = device.enrol()
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("same_key", [True, False])
def test_renew(est, tmp_path, same_key):
    device = Device(est, tmp_path)
    assert device.enrol("--san", "DNS:device-1.example", *account(device)).returncode == 0
    old, key = device.certificate(), device.key.read_bytes()
    before = est.log_path.read_text()
    run = device.run("renew", *(["--same-key"] if same_key else []))
    assert run.returncode == 0, run.stderr
    asked = est.log_path.read_text()[len(before) :]
    assert "/simplereenroll" in asked and "/simpleenroll" not in asked
    new = device.certificate()
    assert new.serial_number != old.serial_number and new.subject == old.subject
    assert (device.key.read_bytes() == key) == same_key
    assert device.run("renew", "--within", "1d").returncode == 0
    assert device.certificate() == new


def test_wait_for_approval(est, tmp_path):
    device = Device(est, tmp_path, "manual")
    assert device.enrol().returncode == 75
    approve = threading.Timer(1.5, lambda: est.ctl("request", "approve", waiting(est)))
    approve.start()
    run = device.enrol("--wait", "30s")
    approve.join()
    assert run.returncode == 0, run.stderr
    assert wait_for("certificate", device.cert.exists)


# ---- by the maker's certificate ----


def split(file, directory):
    """(certificate, key), as the options want them."""
    text = file.read_bytes()
    at = text.index(b"-----BEGIN PRIVATE KEY")
    (directory / "maker.pem").write_bytes(text[:at])
    return ["--tls-cert", directory / "maker.pem", "--tls-key", est_peer.write_private(directory / "maker.key", text[at:])]


def test_getca(est, tmp_path):
    """Of a server that is verified, or of anyone, whose CA the fingerprint then tells."""
    (ca,) = est_peer.certificates(est.est().call("GET", "cacerts")[2])
    out, url = tmp_path / "got.pem", f"https://127.0.0.1:{est.tls_port}"
    for trust in (["--tls-ca", est.web.path], ["--ca-fingerprint", fingerprint(est)], []):
        run = scepter("getca", "--protocol", "est", "--url", url, "--out", out, *trust)
        assert run.returncode == 0, run.stderr
        assert x509.load_pem_x509_certificate(out.read_bytes()) == ca
        assert fingerprint(est) in run.stdout.replace(":", "").lower() and "apabilities" not in run.stdout
        out.unlink()
    for wrong in (["--tls-ca", est.maker.path], ["--ca-fingerprint", "00" * 32]):
        run = scepter("getca", "--protocol", "est", "--url", url, "--out", out, *wrong)
        assert run.returncode != 0 and not out.exists()


@pytest.mark.parametrize("form", ["PEM", "DER"])
def test_enrol_by_the_makers_certificate(est, tmp_path, form):
    device = Device(est, tmp_path, "maker")
    run = device.enrol()
    assert run.returncode == 77 and "403" in run.stderr and "goes by TLS client certificates" in run.stderr
    shown = split(est.maker.issue("serial-4711"), tmp_path)
    if form == "DER":
        cert = x509.load_pem_x509_certificate(shown[1].read_bytes())
        shown[1].write_bytes(cert.public_bytes(Encoding.DER))
    run = device.enrol(*shown)
    assert run.returncode == 0, run.stderr
    assert device.certificate().subject == est_peer.name("device-1")
    # what it is renewed with is the new one, and not the maker's
    foreign = split(Authority(tmp_path, "Foreign CA").issue("serial-4712"), tmp_path)
    device.key.unlink()
    run = device.enrol(*foreign)
    assert run.returncode == 77 and "RFC 7030 3.3.2" in run.stderr


def test_the_makers_chain_is_shown(tmp_path):
    """The server knows the maker's root alone; the device's certificate is of a CA below it."""
    daemon = make_est(tmp_path)
    try:
        below = Authority(tmp_path, "Maker's works")
        below.cert = daemon.maker._sign(below.name, below.key.public_key(), ca=True)
        shown = split(below.issue("serial-4713"), tmp_path)
        device = Device(daemon, tmp_path, "maker")
        assert device.enrol(*shown).returncode == 77
        shown[1].write_bytes(shown[1].read_bytes() + est_peer.pem(below.cert))
        run = device.enrol(*shown)
        assert run.returncode == 0, run.stderr
    finally:
        daemon.stop()


def test_certificate_and_key_belong_together(est, tmp_path):
    device = Device(est, tmp_path, "maker")
    shown = split(est.maker.issue("serial-4714"), tmp_path)
    assert device.enrol(*shown[:2]).returncode == 64
    assert device.enrol(*shown[2:]).returncode == 64
    (tmp_path / "other").mkdir()
    other = split(est.maker.issue("serial-4715"), tmp_path / "other")
    run = device.enrol(*shown[:2], *other[2:])
    assert run.returncode == 64 and "is not the key of the certificate" in run.stderr
    shown[1].write_text("nothing")
    assert device.enrol(*shown).returncode == 65
    assert not device.cert.exists()
