# SPDX-License-Identifier: Apache-2.0
"""scepter through a certificate's life: it waits for approval, polls, renews, and survives cuts."""

import shutil
import stat
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep_peer
from daemon import Daemon, endpoint, listed, profile, scepter, wait_for

RULES = {"one_time": True, "renewal": True}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = Daemon(
        tmp_path_factory.mktemp("life"),
        profiles=[profile("device", renewal={"window": "any"}), profile("late")],
        endpoints=[
            endpoint("demo", authorisation=RULES),
            endpoint("manual", approval="manual", authorisation=RULES),
            endpoint("late", profile="late", authorisation=RULES),
            endpoint("never", authorisation={"one_time": True}),
        ],
    ).start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


class Device:
    def __init__(self, daemon, directory, name="demo"):
        self.daemon, self.name = daemon, name
        self.key, self.cert = directory / "device.key", directory / "device.pem"
        self.challenge = directory / "challenge"
        self.challenge.write_text(daemon.admin.challenge() + "\n")

    def common(self):
        fingerprint = self.daemon.authority(self.name).fingerprint
        return (
            "--url", self.daemon.url(self.name), "--ca-fingerprint", fingerprint,
            "--key", self.key, "--cert", self.cert,
        )  # fmt: skip

    def run(self, command, *options):
        asked = ("--subject", "CN=router7", "--san", "DNS:router7.example")
        if command != "renew":
            options = (*asked, "--challenge-file", self.challenge, *options)
        return scepter(command, *self.common(), *options)

    def files(self):
        return self.key.read_bytes(), self.cert.read_bytes()

    def loaded(self):
        """The certificate, which must be for the key beside it."""
        key, cert = self.files()
        key = serialization.load_pem_private_key(key, None)
        cert = x509.load_pem_x509_certificate(cert)
        assert cert.public_key().public_numbers() == key.public_key().public_numbers()
        assert stat.S_IMODE(self.key.stat().st_mode) == 0o600
        assert not list(self.key.parent.glob("*.new")) and not list(self.key.parent.glob("*.tmp"))
        return cert


@pytest.fixture
def device(daemon, tmp_path):
    device = Device(daemon, tmp_path)
    run = device.run("enrol")
    assert run.returncode == 0, run.stderr
    return device


def names(cert):
    san = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return cert.subject.rfc4514_string(), san.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("options", [(), ("--same-key",), ("--key-type", "p256")], ids=str)
def test_renew(device, options):
    """Key and certificate are exchanged together; the names stay."""
    before = device.loaded()
    run = device.run("renew", *options)
    assert run.returncode == 0, run.stderr
    after = device.loaded()
    assert after.serial_number != before.serial_number
    assert names(after) == names(before)
    same = scep_peer.spki_of(before) == scep_peer.spki_of(after)
    assert same == ("--same-key" in options)


def test_renew_again_and_again(device):
    """An EC key, too, which has the answer encrypted under a password that it makes up."""
    serials = {device.loaded().serial_number}
    for options in ("--key-type", "p256"), ("--same-key",), ("--key-type", "rsa2048"):
        run = device.run("renew", *options)
        assert run.returncode == 0, run.stderr
        serials.add(device.loaded().serial_number)
    assert len(serials) == 4


def test_renew_when_due(device):
    before = device.files()
    run = device.run("renew", "--within", "30d")
    assert run.returncode == 0 and "not due" in run.stdout
    assert device.files() == before
    assert device.run("renew", "--within", "91d").returncode == 0
    assert device.files() != before


@pytest.mark.parametrize("name,word", [("late", "renewed from"), ("never", "does not renew")])
def test_a_refusal_leaves_everything(daemon, tmp_path, name, word):
    device = Device(daemon, tmp_path, name)
    assert device.run("enrol").returncode == 0
    before = device.files()
    run = device.run("renew")
    assert run.returncode != 0 and word in run.stderr
    assert device.files() == before


def test_renew_of_a_stranger(device, tmp_path):
    """The certificate of one key and the key of another are no pair."""
    other = tmp_path / "other"
    other.mkdir()
    stranger = Device(device.daemon, other)
    assert stranger.run("enrol").returncode == 0
    shutil.copy(stranger.key, device.key)
    run = device.run("renew")
    assert run.returncode != 0 and "is not the key of" in run.stderr


@pytest.mark.parametrize("cut", ["before the key", "before the certificate"])
def test_power_cut(device, tmp_path, cut):
    """Cut off between the two files: the next run goes forward, and has a pair."""
    old_key, old_cert = device.files()
    assert device.run("renew").returncode == 0
    new_key, new_cert = device.files()
    device.cert.write_bytes(old_cert)
    (tmp_path / "device.pem.new").write_bytes(new_cert)
    if cut == "before the key":
        device.key.write_bytes(old_key)
        (tmp_path / "device.key.new").write_bytes(new_key)
        (tmp_path / "device.key.new").chmod(0o600)
    run = device.run("renew", "--within", "1d")
    assert run.returncode == 0, run.stderr
    device.loaded()
    assert device.files() == (new_key, new_cert)


def test_an_interrupted_renewal_goes_on(device, tmp_path):
    """The new key is on disk before it is sent; the same renewal gets the same certificate."""
    old_key, old_cert = device.files()
    assert device.run("renew").returncode == 0
    new_key, new_cert = device.files()
    device.key.write_bytes(old_key)
    device.cert.write_bytes(old_cert)
    (tmp_path / "device.key.new").write_bytes(new_key)
    (tmp_path / "device.key.new").chmod(0o600)
    run = device.run("renew")
    assert run.returncode == 0, run.stderr
    device.loaded()
    assert device.files() == (new_key, new_cert)


def approve_next(daemon, verb="approve"):
    def decide():
        rows = wait_for("request", lambda: listed(daemon.admin.call("GET", "/requests")))
        time.sleep(1)
        daemon.admin.call("POST", f"/requests/{rows[0]['id']}/{verb}", {})

    operator = threading.Thread(target=decide)
    operator.start()
    return operator


def test_enrol_waits_for_approval(daemon, tmp_path):
    device = Device(daemon, tmp_path, "manual")
    operator = approve_next(daemon)
    run = device.run("enrol", "--wait", "30s")
    operator.join()
    assert run.returncode == 0, run.stderr
    assert names(device.loaded()) == ("CN=router7", ["router7.example"])


def test_enrol_is_rejected_while_it_waits(daemon, tmp_path):
    device = Device(daemon, tmp_path, "manual")
    operator = approve_next(daemon, "reject")
    run = device.run("enrol", "--wait", "30s")
    operator.join()
    assert run.returncode != 0 and "rejected" in run.stderr
    assert not device.cert.exists()


def test_poll_in_another_run(daemon, tmp_path):
    """Asked for, cut off, approved, fetched: the key is all that it takes."""
    device = Device(daemon, tmp_path, "manual")
    run = device.run("poll")
    assert run.returncode != 0 and "nothing was asked for" in run.stderr
    run = device.run("enrol")
    assert run.returncode == 75 and "approval" in run.stderr
    assert device.run("poll").returncode == 75
    (row,) = listed(daemon.admin.call("GET", "/requests"))
    daemon.admin.call("POST", f"/requests/{row['id']}/approve", {})
    run = device.run("poll")
    assert run.returncode == 0, run.stderr
    assert names(device.loaded()) == ("CN=router7", ["router7.example"])
