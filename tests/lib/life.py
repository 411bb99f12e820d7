# SPDX-License-Identifier: Apache-2.0
"""A certificate's life at the CA "demo", judged by openssl: issued, found good, revoked, found revoked."""

import pathlib
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from daemon import endpoint, scepter, wait_for

CRL = "/crl/demo"
OCSP = "/ocsp/demo"


def endpoints():
    return [
        endpoint("demo"),
        {"name": "crl", "protocol": "crl", "path": CRL, "ca": "demo"},
        {"name": "ocsp", "protocol": "ocsp", "path": OCSP, "ca": "demo"},
    ]


def openssl(*arguments, good=True):
    run = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
    said = run.stdout + run.stderr
    if good is not None:
        assert (run.returncode == 0) == good, said
    return said


class Life:
    def __init__(self, daemon, directory):
        self.daemon = daemon
        self.directory = pathlib.Path(directory)
        self.ca = self.directory / "ca.pem"
        self.ca.write_bytes(daemon.authority().cert.public_bytes(serialization.Encoding.PEM))

    def path(self, name):
        return self.directory / f"{name}.pem"

    def ask(self, name):
        """scepter's attempt, as it ended."""
        return scepter(
            "enrol", "--protocol", "scep", "--url", self.daemon.url(), "--subject", f"CN={name}",
            "--ca-fingerprint", self.daemon.authority().fingerprint,
            "--key", self.directory / f"{name}.key", "--cert", self.path(name),
        )  # fmt: skip

    def enrol(self, name):
        run = self.ask(name)
        assert run.returncode == 0, run.stderr
        openssl("verify", "-x509_strict", "-CAfile", self.ca, self.path(name))
        return x509.load_pem_x509_certificate(self.path(name).read_bytes())

    def revoke(self, cert):
        self.daemon.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "superseded")
        self.daemon.ctl("crl", "rebuild", "demo")

    def crl(self):
        wait_for("the list", lambda: self.daemon.http("GET", CRL)[0] == 200)
        der = self.directory / "full.der"
        der.write_bytes(self.daemon.http("GET", CRL)[2])
        assert "verify OK" in openssl("crl", "-inform", "DER", "-in", der, "-CAfile", self.ca,
                                      "-out", self.path("full"))  # fmt: skip
        return x509.load_der_x509_crl(der.read_bytes())

    def check(self, name, good):
        """Do list and responder say of it what they should, in words that verify?"""
        self.crl()
        said = openssl("verify", "-crl_check", "-x509_strict", "-CAfile", self.ca,
                       "-CRLfile", self.path("full"), self.path(name), good=good)  # fmt: skip
        assert good or "certificate revoked" in said
        said = openssl("ocsp", "-issuer", self.ca, "-cert", self.path(name), "-CAfile", self.ca,
                       "-url", f"http://127.0.0.1:{self.daemon.port}{OCSP}")  # fmt: skip
        assert "Response verify OK" in said
        assert f"{name}.pem: {'good' if good else 'revoked'}" in said

    def live(self, name):
        """From the first to the last day."""
        cert = self.enrol(name)
        self.check(name, good=True)
        self.revoke(cert)
        self.check(name, good=False)
        return cert
