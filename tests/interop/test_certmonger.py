# SPDX-License-Identifier: Apache-2.0
"""certmonger itself, on a bus of its own: it enrols, waits, renews and changes its key."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep_peer
import scep_reply
from daemon import PATIENCE, Daemon, endpoint, have, listed, profile, wait_for

pytestmark = pytest.mark.skipif(
    not have("certmonger", "getcert", "dbus-daemon"), reason="certmonger or D-Bus is not installed"
)
RULES = {"one_time": True, "renewal": True}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    daemon = Daemon(
        tmp_path_factory.mktemp("server"),
        profiles=[profile("device", renewal={"window": "any"}), profile("late")],
        endpoints=[
            endpoint("demo", authorisation=RULES),
            endpoint("manual", approval="manual", authorisation=RULES),
            endpoint("late", profile="late", authorisation=RULES),
            endpoint("ageing", ca="ageing", authorisation=RULES),
        ],
    ).start()
    daemon.admin.ca_init("demo")
    daemon.admin.ca_init("ageing")
    yield daemon
    daemon.stop()


class Certmonger:
    """The service and its bus, in a home of their own; tracked files lie there, too."""

    def __init__(self, directory):
        self.home = directory
        self.environment = dict(os.environ, HOME=str(directory), CERTMONGER_TMPDIR=str(directory))
        for name in "CONFIG", "REQUESTS", "CAS", "LOCAL_CA":
            place = directory / name.lower()
            place.mkdir()
            self.environment[f"CERTMONGER_{name}_DIR"] = str(place)
        self.log = open(directory / "log", "wb")
        self.bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE, stderr=self.log, text=True, env=self.environment,
        )  # fmt: skip
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = self.bus.stdout.readline().strip()
        self.service = subprocess.Popen(
            ["certmonger", "-s", "-n", "-d", "1"], stdout=self.log, stderr=self.log, env=self.environment
        )
        wait_for("certmonger", lambda: self.run("list-cas").returncode == 0)

    def run(self, command, *arguments):
        return subprocess.run(
            ["getcert", command, "-s", *map(str, arguments)],
            capture_output=True, text=True, timeout=PATIENCE * 2, env=self.environment,
        )  # fmt: skip

    def must(self, command, *arguments):
        run = self.run(command, *arguments)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def add_ca(self, daemon, name):
        self.must("add-scep-ca", "-c", name, "-u", daemon.url(name))
        wait_for("GetCACert", lambda: "thumbprint" in self.must("list-cas", "-c", name))

    def thumbprint(self, name):
        """Of the CA certificate that it knows."""
        listing = self.must("list-cas", "-c", name)
        return next(line.split(": ")[1] for line in listing.splitlines() if "(SHA1)" in line)

    def state(self, request):
        listing = self.must("list", "-i", request)
        return next(line.split(": ")[1] for line in listing.splitlines() if "status:" in line)

    def wait_until(self, request, *states):
        return wait_for(
            f"{request} {states}", lambda: self.state(request) in states and self.state(request), PATIENCE * 2
        )

    def cert(self, request):
        return x509.load_pem_x509_certificate((self.home / f"{request}.pem").read_bytes())

    def key(self, request):
        return serialization.load_pem_private_key((self.home / f"{request}.key").read_bytes(), None)

    def request(self, daemon, name, request):
        self.must(
            "request", "-c", name, "-I", request, "-k", self.home / f"{request}.key",
            "-f", self.home / f"{request}.pem", "-N", f"CN={request}", "-D", f"{request}.example",
            "-L", daemon.admin.challenge(),
        )  # fmt: skip

    def close(self):
        for process in self.service, self.bus:
            process.terminate()
            process.wait(PATIENCE)
        self.log.close()


@pytest.fixture(scope="module")
def certmonger(daemon):
    # a socket's path is short
    directory = tempfile.mkdtemp(prefix="cm-")
    made = Certmonger(pathlib.Path(directory))
    for name in "demo", "manual", "late", "ageing":
        made.add_ca(daemon, name)
    yield made
    made.close()
    shutil.rmtree(directory)


def check(daemon, certmonger, request, ca="demo"):
    """Its certificate is for its key, of our CA as it is now, and has the names asked for."""
    cert = certmonger.cert(request)
    assert scep_peer.spki_of(certmonger.key(request)) == cert.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    authority = daemon.authority(ca).cert
    assert cert.issuer == authority.subject
    scep_reply.verify(authority, "sha256", cert.signature, cert.tbs_certificate_bytes)
    assert cert.subject.rfc4514_string() == f"CN={request}"
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [f"{request}.example"]
    return cert


def last_event(daemon, cert):
    (row,) = daemon.admin.certs(serial=f"{cert.serial_number:x}")
    return daemon.admin.explain(row["transaction"])["events"][-1]


def again(daemon, certmonger, request, command, ca="demo"):
    """After resubmit or rekey: the next certificate."""
    before = certmonger.cert(request)
    certmonger.must(command, "-i", request)

    def is_new():
        return certmonger.state(request) == "MONITORING" and certmonger.cert(request) != before

    wait_for("another certificate", is_new, PATIENCE * 2)
    return before, check(daemon, certmonger, request, ca)


def test_enrols_renews_and_rekeys(daemon, certmonger):
    """One device's life: challenge, renewal with the same key, renewal with a new one."""
    certmonger.request(daemon, "demo", "router7")
    certmonger.wait_until("router7", "MONITORING")
    assert last_event(daemon, check(daemon, certmonger, "router7"))["kind"] == "enrol.issued"
    for command, same_key in ("resubmit", True), ("rekey", False), ("resubmit", True):
        before, after = again(daemon, certmonger, "router7", command)
        event = last_event(daemon, after)
        assert event["kind"] == "enrol.renewed"
        assert f"renews {before.serial_number:x}" in event["reason"]
        same = before.public_key().public_numbers() == after.public_key().public_numbers()
        assert same == same_key


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_waits_for_an_operator(daemon, certmonger, verdict):
    name = f"waits-{verdict}"
    certmonger.request(daemon, "manual", name)
    certmonger.wait_until(name, "CA_WORKING", "CA_UNREACHABLE")
    (row,) = listed(daemon.admin.call("GET", "/requests"))
    daemon.admin.call("POST", f"/requests/{row['id']}/{verdict}", {})
    certmonger.must("refresh", "-i", name)
    if verdict == "approve":
        certmonger.wait_until(name, "MONITORING")
        check(daemon, certmonger, name)
    else:
        certmonger.wait_until(name, "CA_REJECTED")
        assert not (certmonger.home / f"{name}.pem").exists()


def test_too_early(daemon, certmonger):
    """A new key before its time is refused; what it has stays where it is."""
    certmonger.request(daemon, "late", "early")
    certmonger.wait_until("early", "MONITORING")
    before = check(daemon, certmonger, "early")

    def refusals():
        events = listed(daemon.admin.call("GET", "/audit/events?limit=1000"))
        return [e for e in events if e["kind"] == "enrol.rejected" and e["endpoint"] == "late"]

    certmonger.must("rekey", "-i", "early")
    wait_for("the refusal", refusals)
    assert "is renewed from" in refusals()[-1]["reason"]
    certmonger.wait_until("early", "MONITORING", "CA_REJECTED")
    assert check(daemon, certmonger, "early") == before
    assert len(daemon.admin.certs(subject="CN=early")) == 1


@pytest.mark.parametrize("command", ["resubmit", "rekey"])
def test_rolls_over(daemon, certmonger, command):
    """The CA's next generation takes over; certmonger fetches it, and renews into it."""
    name = f"rolls-{command}"
    certmonger.request(daemon, "ageing", name)
    certmonger.wait_until(name, "MONITORING")
    old = daemon.authority("ageing").cert
    check(daemon, certmonger, name, "ageing")
    known = certmonger.thumbprint("ageing")
    daemon.ctl("ca", "rollover", "ageing", "--at", "+2s")
    wait_for("the switch", lambda: daemon.authority("ageing").cert != old)
    certmonger.must("refresh-ca", "-c", "ageing")
    wait_for("GetCACert", lambda: certmonger.thumbprint("ageing") != known)
    before, after = again(daemon, certmonger, name, command, "ageing")
    event = last_event(daemon, after)
    assert event["kind"] == "enrol.renewed"
    assert f"renews {before.serial_number:x}" in event["reason"]
