# SPDX-License-Identifier: Apache-2.0
"""A rollover of a CA whose keys are in a PKCS#11 token (SoftHSM), from its beginning to its end."""

import datetime

import pytest

from daemon import profile, wait_for
from life import endpoints
from rollover import caps, check_old_and_new, enrol, is_by, next_authority, now, switch_time
from scep_peer import Request, rsa_key
from softhsm import SoftHsm

URLS = ["http://crl.example/demo/full.crl"]


@pytest.fixture
def hsm(tmp_path):
    return SoftHsm(tmp_path / "hsm")


@pytest.fixture
def daemon(make_daemon, hsm):
    daemon = make_daemon(
        start=False, keys=hsm.keys(), profiles=[profile(crl_urls=URLS)], endpoints=endpoints()
    )
    daemon.environment.update(hsm.environment)
    return daemon.start()


def private_keys(hsm):
    return hsm.tool("--list-objects", "--type", "privkey").count("Private Key Object")


def test_a_rollover_in_a_token(daemon, hsm, tmp_path):
    """Both generations' CA and RA keys are in the token; the server is restarted before and after."""
    daemon.ctl("ca", "init", "demo", "--key", "p384", "--key-store", hsm.uri(),
               "--ra-key-store", hsm.uri())  # fmt: skip
    assert private_keys(hsm) == 2
    old = daemon.authority()
    from_old = enrol(daemon, "from-old", rsa_key(0), old)
    daemon.ctl("ca", "rollover", "demo", "--at", "+15s")
    assert private_keys(hsm) == 4
    at = switch_time(daemon)
    new = next_authority(daemon)
    daemon.restart()
    assert next_authority(daemon).cert == new.cert
    ahead = enrol(daemon, "ahead", rsa_key(1), new)
    assert now() < at and is_by(ahead, new.cert) and ahead.not_valid_before >= at
    wait_for("the switch", lambda: daemon.authority().cert == new.cert)
    assert now() >= at - datetime.timedelta(seconds=1)
    daemon.restart()
    assert "GetNextCACert" not in caps(daemon)
    assert is_by(enrol(daemon, "after", rsa_key(2), new), new.cert)
    assert is_by(enrol(daemon, "late", rsa_key(3), old), old.cert)
    check_old_and_new(daemon, tmp_path, (from_old, old), (ahead, new))
    # beside both generations only the responder's and the record's, which are where they always are
    names = {p.stem.rsplit("-", 2)[0] for p in (daemon.directory / "keys").glob("*.key")}
    assert names and not any("demo-ca" in n or "demo-ra" in n for n in names)
    assert hsm.tool("--list-objects").count("never extractable") == private_keys(hsm)
    # pulled: both generations are silent, and come back without a restart
    hsm.pull()
    assert daemon.post("demo", Request().build(new))[0] == 503
    assert daemon.ctl("ca", "rollover", "demo", "--at", "+1h", check=False).returncode != 0
    hsm.plug()
    wait_for("the token's return",
             lambda: daemon.ctl("ca", "rollover", "demo", "--at", "+1h", check=False).returncode == 0,
             step=0.5)  # fmt: skip
    third = next_authority(daemon)
    assert is_by(third.encrypt_cert, third.cert) and third.cert != new.cert
    assert daemon.ctl("ca", "list").stdout.splitlines()[-1].split("\t")[3] == "2"
