# SPDX-License-Identifier: Apache-2.0
"""A device renews through its CA's rollover and has a valid pair all the time."""

import datetime
import json
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from daemon import endpoint, profile, scepter, wait_for
from rollover import switch_time

UTC = datetime.timezone.utc


class Device:
    def __init__(self, daemon, directory):
        self.daemon, self.directory = daemon, directory
        self.fingerprint = daemon.authority().fingerprint

    def path(self, name):
        return self.directory / name

    def run(self, command, *options, fingerprint=None, check=True):
        run = scepter(
            "--json", command, "--url", self.daemon.url(),
            "--ca-fingerprint", fingerprint or self.fingerprint, *options,
        )  # fmt: skip
        assert not check or run.returncode == 0, run.stderr
        return json.loads(run.stdout) if run.returncode == 0 else run

    def files(self):
        return ["--key", self.path("key"), "--cert", self.path("cert"), "--ca", self.path("ca")]

    def cert(self, name="cert"):
        return x509.load_pem_x509_certificate(self.path(name).read_bytes())

    def is_valid(self):
        """Key and certificate belong together, and its time is now."""
        cert = self.cert()
        key = serialization.load_pem_private_key(self.path("key").read_bytes(), None)
        now = datetime.datetime.now(UTC).replace(tzinfo=None)
        numbers = key.public_key().public_numbers() == cert.public_key().public_numbers()
        return numbers and cert.not_valid_before <= now <= cert.not_valid_after

    def is_by_its_ca(self):
        cert = self.cert()
        ca = self.cert("ca")  # the first is the one that issues
        aki = cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        ski = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return aki.key_identifier == ski.digest


def make(make_daemon, tmp_path):
    renewing = endpoint("demo", authorisation={"one_time": True, "renewal": True})
    daemon = make_daemon(profiles=[profile(renewal={"window": "any"})], endpoints=[renewing])
    device = Device(daemon, tmp_path)
    device.path("challenge").write_text(daemon.admin.challenge())
    device.run("enrol", "--subject", "CN=valve", "--challenge-file", device.path("challenge"),
               *device.files())  # fmt: skip
    return daemon, device


def test_a_valid_pair_through_the_switch(make_daemon, tmp_path):
    daemon, device = make(make_daemon, tmp_path)
    old_ca = device.path("ca").read_bytes()
    run = device.run("renew", *device.files(), "--next", check=False)
    assert run.returncode != 0 and "no next CA yet" in run.stderr
    daemon.ctl("ca", "rollover", "demo", "--at", "+12s")
    shown = device.run("getnextca", "--out", device.path("next-ca.pem"))
    assert [c["role"] for c in shown["certificates"]] == ["RA, signs and decrypts", "root CA"]
    first = device.cert()
    done = device.run("renew", *device.files(), "--next")
    assert not done["renewed"] and done["next"]
    # what is in use stays; what waits lies beside it, for a time to come
    assert device.cert() == first and device.path("ca").read_bytes() == old_ca
    waiting = device.cert("cert.next")
    assert waiting.not_valid_before >= switch_time(daemon)
    begins = waiting.not_valid_before
    while datetime.datetime.now(UTC).replace(tzinfo=None) < begins + datetime.timedelta(seconds=2):
        device.run("renew", *device.files(), "--within", "1d")
        assert device.is_valid() and device.is_by_its_ca()
        time.sleep(0.2)
    assert device.cert() == waiting
    assert not list(tmp_path.glob("*.next")) and not list(tmp_path.glob("*.new"))
    # from now on the new CA is the CA
    assert device.path("next-ca.pem").read_bytes().startswith(device.path("ca").read_bytes())
    new = wait_for("the switch", lambda: daemon.authority().fingerprint)
    assert new != device.fingerprint
    done = device.run("renew", *device.files(), fingerprint=new)
    assert done["renewed"] and device.is_valid()
    run = device.run("renew", *device.files(), check=False)
    assert run.returncode != 0 and "fingerprint" in run.stderr, "the old one is gone from GetCACert"


def test_by_itself_when_the_ca_ends(make_daemon, tmp_path):
    """A certificate that ends with its CA is renewed by the next one, unasked."""
    daemon = make_daemon(
        profiles=[profile(renewal={"window": "any"})],
        endpoints=[endpoint("demo", authorisation={"one_time": True, "renewal": True})],
        cas=[{"name": "demo", "auto_rollover": "30d"}],
        ca=False,
    )
    daemon.admin.ca_init("demo", validity="20d", leaf_validity="20d")
    device = Device(daemon, tmp_path)
    device.path("challenge").write_text(daemon.admin.challenge())
    device.run("enrol", "--subject", "CN=pump", "--challenge-file", device.path("challenge"),
               *device.files())  # fmt: skip
    ca_end = daemon.authority().cert.not_valid_after
    assert device.cert().not_valid_after == ca_end
    wait_for("the next CA", lambda: b"GetNextCACert" in daemon.get("demo", "GetCACaps")[2])
    done = device.run("renew", *device.files(), "--within", "30d")
    assert not done["renewed"] and device.cert("cert.next").not_valid_before == ca_end
    again = device.run("renew", *device.files(), "--within", "30d")
    assert again == done, "it waits, and asks for no more"
    assert len(daemon.admin.certs()) == 2
