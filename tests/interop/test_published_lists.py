# SPDX-License-Identifier: Apache-2.0
"""The lists that a server publishes decide what openssl, GnuTLS and Python take: full, delta, part."""

import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import der
import scep_reply
from daemon import Daemon, endpoint, profile, wait_for
from scep_peer import Request

URL = "http://crl.example/crl/demo"
PARTS = 4


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    lists = {"url": URL, "delta": "1h", "parts": PARTS}
    daemon = Daemon(
        tmp_path_factory.mktemp("lists"),
        profiles=[profile(crl_urls=[URL + "/{part}.crl"], crl_parts=PARTS)],
        endpoints=[
            endpoint("demo"),
            {"name": "lists", "protocol": "crl", "path": "/crl/demo", "ca": "demo", "crl": lists},
        ],
    ).start()
    daemon.admin.ca_init("demo")
    wait_for("the first list", lambda: daemon.http("GET", "/crl/demo")[0] == 200)
    yield daemon
    daemon.stop()


class Relying:
    """Whoever has the CA's certificate, some lists, and a certificate to decide on."""

    def __init__(self, daemon, directory):
        self.daemon, self.directory = daemon, directory
        self.ca = daemon.authority().cert
        self.anchor = self.pem("ca", self.ca.public_bytes(serialization.Encoding.PEM))

    def pem(self, name, data):
        path = self.directory / f"{name}.pem"
        path.write_bytes(data)
        return path

    def fetch(self, name, keep=None):
        """A list as it is now, signed by the CA in Python's opinion, too."""
        status, headers, body = self.daemon.http("GET", f"/crl/demo/{name}.crl")
        assert status == 200 and headers["Content-Type"] == "application/pkix-crl"
        crl = x509.load_der_x509_crl(body)
        assert crl.is_signature_valid(self.ca.public_key())
        self.pem(keep or name, crl.public_bytes(serialization.Encoding.PEM))
        return crl

    def openssl(self, cert, lists, *options):
        """None: taken; else what it says."""
        leaf = self.pem("leaf", cert.public_bytes(serialization.Encoding.PEM))
        text = b"".join((self.directory / f"{name}.pem").read_bytes() for name in lists)
        run = subprocess.run(
            ["openssl", "verify", "-crl_check", "-x509_strict", "-extended_crl", *options,
             "-CAfile", self.anchor, "-CRLfile", self.pem("lists", text), leaf],
            capture_output=True, text=True,
        )  # fmt: skip
        return None if run.returncode == 0 else run.stderr


@pytest.fixture
def relying(daemon, tmp_path):
    return Relying(daemon, tmp_path)


def enrolled(daemon):
    reply = daemon.enrol(Request())
    assert reply.status == "SUCCESS", reply.fail_text
    return reply.cert


def revoke(daemon, cert, *options):
    daemon.ctl("cert", "revoke", f"{cert.serial_number:x}", *options)


def rebuild(daemon):
    daemon.ctl("crl", "rebuild", "demo")


def part_of(cert):
    points = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    return points[0].full_name[0].value.rsplit("/", 1)[1].removesuffix(".crl")


def number(crl, kind=x509.CRLNumber):
    return crl.extensions.get_extension_for_class(kind).value.crl_number


def listed(crl, cert):
    return crl.get_revoked_certificate_by_serial_number(cert.serial_number) is not None


def test_full(daemon, relying):
    good, bad = enrolled(daemon), enrolled(daemon)
    relying.fetch("full", keep="before")
    revoke(daemon, bad, "--reason", "affiliationChanged")
    rebuild(daemon)
    full = relying.fetch("full")
    assert listed(full, bad) and not listed(full, good)
    entry = full.get_revoked_certificate_by_serial_number(bad.serial_number)
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason == x509.ReasonFlags.affiliation_changed
    assert relying.openssl(good, ["full"]) is None
    assert "certificate revoked" in relying.openssl(bad, ["full"])
    assert relying.openssl(bad, ["before"]) is None, "the older list did not have it"
    said = subprocess.run(
        ["openssl", "crl", "-in", relying.directory / "full.pem", "-noout", "-text", "-CAfile", relying.anchor],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"{bad.serial_number:X}" in said.stdout and "Affiliation Changed" in said.stdout
    assert "verify OK" in said.stderr


def test_delta(daemon, relying):
    """The complete list of before with the delta list of now: openssl joins the two."""
    good, bad = enrolled(daemon), enrolled(daemon)
    rebuild(daemon)
    full = relying.fetch("full")
    revoke(daemon, bad)
    wait_for("the delta list", lambda: listed(relying.fetch("delta"), bad))
    delta = relying.fetch("delta")
    base = delta.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert base.critical and base.value.crl_number <= number(full) < number(delta)
    assert not listed(full, bad) and not listed(delta, good)
    both = ["full", "delta"]
    assert relying.openssl(bad, both) is None, "deltas only count where they are asked for"
    assert "certificate revoked" in relying.openssl(bad, both, "-use_deltas")
    assert relying.openssl(good, both, "-use_deltas") is None


def test_parts(daemon, relying):
    """openssl takes the part that the certificate names, and no other."""
    by_part = {}
    while len(by_part) < 2:
        cert = enrolled(daemon)
        by_part.setdefault(part_of(cert), cert)
    (mine, bad), (other, good) = list(by_part.items())[:2]
    revoke(daemon, bad)
    rebuild(daemon)
    crl = relying.fetch(mine)
    point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical and point.value.full_name[0].value == f"{URL}/{mine}.crl"
    assert listed(crl, bad) and not listed(relying.fetch(other), bad)
    assert "certificate revoked" in relying.openssl(bad, [mine])
    assert "different CRL scope" in relying.openssl(bad, [other])
    assert relying.openssl(good, [other]) is None
    assert "certificate revoked" in relying.openssl(bad, [other, mine])


@pytest.mark.skipif(not shutil.which("certtool"), reason="GnuTLS is not here")
def test_gnutls(daemon, relying):
    bad = enrolled(daemon)
    revoke(daemon, bad)
    rebuild(daemon)
    leaf = bad.public_bytes(serialization.Encoding.PEM)
    for name in "full", part_of(bad):
        relying.fetch(name)
        listing = relying.directory / f"{name}.pem"
        subprocess.run(
            ["certtool", "--verify-crl", "--load-ca-certificate", relying.anchor, "--infile", listing],
            check=True, capture_output=True,
        )  # fmt: skip
        run = subprocess.run(
            ["certtool", "--verify", "--load-ca-certificate", relying.anchor, "--load-crl", listing],
            input=leaf, capture_output=True,
        )  # fmt: skip
        assert run.returncode != 0 and b"revoked" in run.stdout, run.stdout


def test_get_crl_is_the_full_list(daemon, relying):
    """What GetCRL answers over SCEP is, octet for octet, what HTTP has."""
    bad = enrolled(daemon)
    revoke(daemon, bad)
    rebuild(daemon)
    full = relying.fetch("full")
    ca = daemon.authority()
    asked = der.seq(relying.ca.subject.public_bytes(), der.integer(bad.serial_number))
    request = Request(message_type="22", payload=asked)
    reply = scep_reply.parse_reply(daemon.post("demo", request.build(ca))[2], ca)
    inner = scep_reply.cms.ContentInfo.load(scep_reply.decrypt(reply.envelope, request))
    (crl,) = inner["content"]["crls"]
    assert crl.chosen.dump() == full.public_bytes(serialization.Encoding.DER)
    assert listed(full, bad)
