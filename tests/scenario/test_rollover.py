# SPDX-License-Identifier: Apache-2.0
"""A CA gets its next generation of keys while devices enrol; nobody restarts anything."""

import base64
import datetime
import json
import os
import subprocess

import pytest
from asn1crypto import cms
from cryptography import x509

import scep_reply
from daemon import PATIENCE, endpoint, have, profile, wait_for
from life import endpoints
from rollover import (
    caps,
    check_old_and_new,
    enrol,
    is_by,
    next_authority,
    now,
    pem,
    switch_time,
    switched,
)
from scep_peer import Request, rsa_key

SCEP_SUBMIT = "/usr/lib/certmonger/scep-submit"
@pytest.fixture
def daemon(make_daemon):
    urls = ["http://crl.example/demo/full.crl"]
    return make_daemon(profiles=[profile(crl_urls=urls)], endpoints=endpoints())


def test_the_switch(daemon, tmp_path):
    """Requests run through it; each gets a certificate of the generation that it was asked of."""
    old = daemon.authority()
    assert "GetNextCACert" not in caps(daemon)
    assert daemon.get("demo", "GetNextCACert")[0] == 404
    server = daemon.child("server")
    from_old = enrol(daemon, "from-old", rsa_key(0), old)
    daemon.ctl("ca", "rollover", "demo", "--at", "+12s")
    at = switch_time(daemon)
    assert "GetNextCACert" in caps(daemon)
    new = next_authority(daemon)
    assert new.cert.not_valid_before == at and new.encrypt_cert.not_valid_before == at
    assert new.cert.public_key() != old.cert.public_key()
    assert is_by(new.encrypt_cert, new.cert)
    ahead = enrol(daemon, "ahead", rsa_key(1), new)
    assert now() < at and is_by(ahead, new.cert) and ahead.not_valid_before >= at
    assert daemon.authority().cert == old.cert
    # one request after the other, through the very second
    seen = []
    while now() < at + datetime.timedelta(seconds=2):
        ca = daemon.authority()
        cert = enrol(daemon, f"d{len(seen)}", rsa_key(len(seen) % 8), ca)
        assert is_by(cert, ca.cert)
        seen.append(ca.cert)
    assert old.cert in seen and new.cert in seen
    assert seen.index(new.cert) == seen.count(old.cert), "it never goes back"
    assert daemon.child("server") == server
    # who has not heard of it yet is served in the old one's name
    late = enrol(daemon, "late", rsa_key(2), old)
    assert is_by(late, old.cert)
    assert "GetNextCACert" not in caps(daemon)
    kinds = wait_for("the event", lambda: switched(daemon))
    assert "generation 2 has taken over" in kinds["reason"]
    check_old_and_new(daemon, tmp_path, (from_old, old), (ahead, new))


@pytest.mark.parametrize("key", ["p256", "rsa2048"])
def test_openssl_verifies_who_is_next(make_daemon, tmp_path, key):
    """openssl cms -verify takes GetNextCACert's answer by the CA's certificate alone, strictly."""
    daemon = make_daemon(endpoints=endpoints(), ca=False)
    daemon.admin.ca_init("demo", key=key)
    daemon.ctl("ca", "rollover", "demo", "--at", "+1h")
    current = daemon.authority()
    usage = current.cert.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    (tmp_path / "ca.pem").write_bytes(pem(current.cert))
    (tmp_path / "ra.pem").write_bytes(pem(current.sign_cert))
    (tmp_path / "next.der").write_bytes(daemon.get("demo", "GetNextCACert")[2])

    def verify(certfile):
        """nointern: the signer's certificate is that of the file, or the signature does not do."""
        command = ["openssl", "cms", "-verify", "-inform", "DER", "-in", "next.der", "-binary",
                   "-out", "inner.der", "-CAfile", "ca.pem", "-nointern",
                   "-certfile", certfile]  # fmt: skip
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    run = verify("ca.pem")
    assert run.returncode == 0, run.stderr
    content = (tmp_path / "inner.der").read_bytes()
    inner = scep_reply.authority("application/x-x509-ca-ra-cert", content)
    assert verify("ra.pem").returncode != 0
    assert is_by(inner.encrypt_cert, inner.cert) and inner.cert != current.cert


def test_cross_certificates(daemon, tmp_path):
    """OldWithNew and NewWithOld are exported, and OpenSSL gets from either root to the other."""
    old = daemon.authority()
    device = enrol(daemon, "device", rsa_key(3), old)
    daemon.ctl("ca", "rollover", "demo", "--at", "+1s", "--key", "p384")
    wait_for("the switch", lambda: daemon.authority().cert != old.cert)
    new = daemon.authority()
    fresh = enrol(daemon, "fresh", rsa_key(4), new)
    for name, data in {"old": pem(old.cert), "new": pem(new.cert), "device": pem(device),
                       "fresh": pem(fresh)}.items():  # fmt: skip
        (tmp_path / f"{name}.pem").write_bytes(data)
    for role in ("new-with-old", "old-with-new"):
        text = daemon.ctl("ca", "show", "demo", "--pem", "--role", role).stdout
        (tmp_path / f"{role}.pem").write_text(text)
    assert daemon.ctl("ca", "show", "demo", "--pem").stdout.encode() == pem(new.cert)
    first = daemon.ctl("ca", "show", "demo", "--pem", "--generation", "1").stdout
    assert first.encode() == pem(old.cert)

    def verifies(anchor, leaf, *between):
        untrusted = [a for b in between for a in ("-untrusted", f"{b}.pem")]
        command = ["openssl", "verify", "-x509_strict", "-CAfile", f"{anchor}.pem", *untrusted]
        return subprocess.run([*command, f"{leaf}.pem"], cwd=tmp_path).returncode == 0

    assert verifies("old", "device") and verifies("new", "fresh")
    assert not verifies("old", "fresh") and not verifies("new", "device")
    assert verifies("old", "fresh", "new-with-old")
    assert verifies("new", "device", "old-with-new")
    row = daemon.ctl("ca", "list").stdout.splitlines()[-1].split("\t")
    assert (row[0], row[3]) == ("demo", "2")


def test_by_itself(make_daemon):
    """cas[].auto_rollover: the next generation is there in time, and takes over when the first ends."""
    daemon = make_daemon(
        endpoints=endpoints(), cas=[{"name": "demo", "auto_rollover": "30d"}], ca=False
    )
    daemon.admin.ca_init("demo", validity="20d", leaf_validity="10d")
    wait_for("the next CA", lambda: "GetNextCACert" in caps(daemon))
    current, following = daemon.authority(), next_authority(daemon)
    assert following.cert.not_valid_before == current.cert.not_valid_after
    ca = daemon.admin.call("GET", "/cas/demo")
    assert [g["state"] for g in ca["generations"]] == ["active", "next"]
    assert [e["actor"] for e in daemon.events("ca.rollover")] == ["auto_rollover"]
    daemon.restart()
    assert next_authority(daemon).cert == following.cert, "made once"


def test_refusals(daemon):
    """Times that will not do, and a second rollover beside the first."""
    for at, word in [("2020-01-01", "now or later"), ("2099-01-01T00:00:00Z", "not after"),
                     ("soon", "no time"), ("+1x", "duration")]:  # fmt: skip
        run = daemon.ctl("ca", "rollover", "demo", "--at", at, check=False)
        assert run.returncode != 0 and word in run.stderr, run.stderr
    daemon.ctl("ca", "rollover", "demo")
    run = daemon.ctl("ca", "rollover", "demo", check=False)
    assert run.returncode != 0 and "takes over at" in run.stderr
    run = daemon.ctl("ca", "rollover", "nobody", check=False)
    assert run.returncode != 0 and "ca init" in run.stderr


def scep_submit(daemon, tmp_path, ca, name, key):
    """certmonger's helper: the reply's signature is verified by the certificates of ca."""
    (tmp_path / "ra.pem").write_bytes(pem(ca.sign_cert))
    (tmp_path / "ca.pem").write_bytes(pem(ca.cert))
    request = Request(subject={"common_name": name}, key=rsa_key(key))
    body = base64.encodebytes(request.build(ca)).decode()
    (tmp_path / "message.pem").write_text(f"-----BEGIN PKCS7-----\n{body}-----END PKCS7-----\n")
    run = subprocess.run(
        [SCEP_SUBMIT, "-u", daemon.url(), "-p", "-r", tmp_path / "ra.pem", "-N",
         tmp_path / "ca.pem", tmp_path / "message.pem"],
        capture_output=True, text=True, timeout=PATIENCE * 2,
        env=dict(os.environ, CERTMONGER_CA_PROFILE=""),
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[:300] + run.stderr
    got = base64.b64decode("".join(run.stdout.split("-----")[2].split()))
    try:
        return scep_reply.open_reply(got, request, ca).cert
    except AssertionError:
        envelope = cms.ContentInfo.load(got, strict=True)["content"]
        return scep_reply.degenerate(scep_reply.decrypt(envelope, request))[0]


@pytest.mark.skipif(not have(SCEP_SUBMIT), reason="certmonger is not installed")
def test_certmonger_through_the_switch(daemon, tmp_path):
    """It knows no GetNextCACert: what it has asked before goes on, until it asks GetCACert again."""
    old = daemon.authority()
    assert is_by(scep_submit(daemon, tmp_path, old, "cm-0", 4), old.cert)
    daemon.ctl("ca", "rollover", "demo", "--at", "+1s")
    wait_for("the switch", lambda: daemon.authority().cert != old.cert)
    assert is_by(scep_submit(daemon, tmp_path, old, "cm-1", 5), old.cert)
    fetched = subprocess.run(
        [SCEP_SUBMIT, "-u", daemon.url(), "-C"], capture_output=True, text=True
    )
    assert fetched.returncode == 0, fetched.stderr
    new = daemon.authority()
    assert pem(new.cert).decode() in fetched.stdout
    assert is_by(scep_submit(daemon, tmp_path, new, "cm-2", 6), new.cert)


def test_a_missing_key_costs_one_ca(make_daemon):
    """The CA whose key is gone answers 503 and the log says why; the other goes on."""
    daemon = make_daemon(endpoints=[endpoint("demo"), endpoint("other", ca="other")])
    daemon.admin.ca_init("other")
    daemon.stop()
    (key,) = (daemon.directory / "keys").glob("other-ca-1-*.key")
    key.unlink()
    daemon.start()
    assert daemon.get("demo", "GetCACert")[0] == 200
    enrol(daemon, "still", rsa_key(6), daemon.authority())
    status, headers, _ = daemon.get("other", "GetCACert")
    assert status == 503 and headers["Retry-After"]
    lines = [json.dumps(line) for line in daemon.log_lines()]
    assert any("CA is not whole" in line and "other-ca-1-" in line for line in lines)
