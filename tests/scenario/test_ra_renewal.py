# SPDX-License-Identifier: Apache-2.0
"""A registration authority whose certificate ends gets its next one, and no device waits for it."""

import contextlib
import dataclasses
import subprocess
import time

import pytest
from cryptography import x509

import scep_reply
from daemon import PATIENCE, endpoint, profile, wait_for
from rollover import is_by, next_authority, pem
from scep_peer import Request, rsa_key, spki_of

# Ten minutes of it have passed when it is made, and in its last third it is renewed: after 10 s.
BRIEF = "915s"


def served(daemon, key, ca):
    """By whoever is the RA then: its certificate is in the reply, of the same key and CA."""
    request = Request(key=rsa_key(key))
    status, _, body = daemon.post("demo", request.build(ca))
    assert status == 200, body
    for signer in (ca.sign_cert, daemon.authority().sign_cert):
        with contextlib.suppress(AssertionError):
            reply = scep_reply.open_reply(body, request, dataclasses.replace(ca, sign_cert=signer))
            break
    assert reply.status == "SUCCESS" and is_by(reply.signer, ca.cert)
    assert spki_of(reply.signer) == spki_of(ca.sign_cert)
    return reply.cert


def renewed(daemon):
    return daemon.events("ra.renewed")


@pytest.mark.parametrize("ra", ["one", "split"])
def test_renewed_while_devices_enrol(make_daemon, tmp_path, ra):
    daemon = make_daemon(ca=False, endpoints=[endpoint("demo")])
    daemon.admin.ca_init("demo", ra=ra, ra_validity=BRIEF)
    old = daemon.authority()
    assert not renewed(daemon)
    server = daemon.child("server")
    n, deadline = 0, time.monotonic() + PATIENCE * 2
    while daemon.authority().encrypt_cert == old.encrypt_cert:
        assert time.monotonic() < deadline, "not renewed"
        served(daemon, n % 4, daemon.authority())
        n += 1
    new = daemon.authority()
    assert new.cert == old.cert and daemon.child("server") == server
    for name in ("encrypt_cert", "sign_cert"):
        before, after = getattr(old, name), getattr(new, name)
        assert after.not_valid_after > before.not_valid_after
        assert spki_of(after) == spki_of(before), "the key stays"
        assert after.serial_number != before.serial_number and is_by(after, new.cert)
    # who has not asked again is served all the same, and can verify the reply
    served(daemon, 5, old)
    served(daemon, 6, new)
    assert len(renewed(daemon)) == (2 if ra == "split" else 1)
    assert {e["actor"] for e in renewed(daemon)} == {"clock"}
    (tmp_path / "ca.pem").write_bytes(pem(new.cert))
    (tmp_path / "ra.pem").write_bytes(pem(new.sign_cert))
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "ra.pem"],
                   cwd=tmp_path, check=True, capture_output=True)  # fmt: skip
    daemon.restart()
    assert daemon.authority().encrypt_cert.not_valid_after >= new.encrypt_cert.not_valid_after


def test_of_an_old_generation(make_daemon):
    """As long as a CA lasts whose next generation is in charge, its RA does, too."""
    daemon = make_daemon(ca=False, endpoints=[endpoint("demo")])
    daemon.admin.ca_init("demo", ra_validity=BRIEF)
    old = daemon.authority()
    daemon.ctl("ca", "rollover", "demo", "--at", "+8s")
    new = next_authority(daemon)
    wait_for("the switch", lambda: daemon.authority().cert == new.cert)

    def old_ra():
        certs = daemon.admin.call("GET", "/cas/demo")["certificates"]
        return next(c for c in certs if (c["role"], c["generation"]) == ("ra", 1))

    first = old_ra()
    wait_for("the old one's renewal", lambda: old_ra()["serial"] != first["serial"], PATIENCE * 2)
    renewal = x509.load_pem_x509_certificate(old_ra()["certificate"].encode())
    cert = served(daemon, 7, dataclasses.replace(old, sign_cert=renewal))
    assert is_by(cert, old.cert)
    assert old_ra()["not_after"] > first["not_after"]


def test_lasts_longer_than_a_device(make_daemon):
    """The CA's key certifies the authority for ten years, and devices for a day, whatever a profile says."""
    daemon = make_daemon(ca=False, endpoints=[endpoint("demo")], profiles=[profile(validity="100d")])
    daemon.admin.ca_init("demo", leaf_validity="1d", ra="one")
    signer = daemon.authority().sign_cert
    assert (signer.not_valid_after - signer.not_valid_before).days > 3000
    reply = daemon.enrol(Request())
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    assert "validity of 8640000 s, at most 86400 s" in reply.fail_text
