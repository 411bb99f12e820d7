# SPDX-License-Identifier: Apache-2.0
"""A rollover that is planned is moved to another time, or does not come."""

import datetime

import pytest
from cryptography import x509

from daemon import AdminError, endpoint, static_hash, wait_for
from life import endpoints
from operators import Remote, https_daemon
from rollover import caps, enrol, is_by, next_authority, now, switch_time
from scep_peer import Request, rsa_key, spki_of

MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def daemon(make_daemon):
    return make_daemon(endpoints=[*endpoints(), endpoint("manual", approval="manual")])


def plan(daemon, at):
    daemon.ctl("ca", "rollover", "demo", "--at", at)
    return next_authority(daemon)


def kinds(daemon):
    return [e["kind"] for e in daemon.events() if e["kind"].startswith("ca.")]


def refused(daemon, *options):
    run = daemon.ctl("ca", "rollover", "demo", *options, check=False)
    assert run.returncode != 0, run.stdout
    return run.stderr


def test_cancelled(daemon):
    """GetNextCACert ends, the switch does not come, and the next plan has another number."""
    first = daemon.authority()
    gone = plan(daemon, "+10s")
    wait_for("its list", lambda: daemon.http("GET", "/crl/demo/2/full.crl")[0] == 200)
    at = switch_time(daemon)
    daemon.ctl("ca", "rollover", "demo", "--cancel")
    assert "GetNextCACert" not in caps(daemon) and daemon.get("demo", "GetNextCACert")[0] == 404
    wait_for("its list's end", lambda: daemon.http("GET", "/crl/demo/2/full.crl")[0] != 200)
    daemon.restart()
    assert daemon.http("GET", "/crl/demo/2/full.crl")[0] != 200
    while now() < at + datetime.timedelta(seconds=2):
        assert is_by(enrol(daemon, "between", rsa_key(0), daemon.authority()), first.cert)
    assert "no next generation is planned" in refused(daemon, "--cancel")
    assert daemon.authority().cert == first.cert
    third = plan(daemon, "+6s")
    assert spki_of(third.cert) != spki_of(gone.cert)
    wait_for("the switch", lambda: daemon.authority().cert == third.cert)
    ca = daemon.admin.call("GET", "/cas/demo")
    assert [g["number"] for g in ca["generations"]] == [1, 3] and ca["generation"] == 3
    assert is_by(enrol(daemon, "after", rsa_key(1), third), third.cert)
    wait_for("the list of the third", lambda: daemon.http("GET", "/crl/demo/3/full.crl")[0] == 200)
    found = x509.load_der_x509_crl(daemon.http("GET", "/crl/demo/3/full.crl")[2])
    assert found.is_signature_valid(third.cert.public_key())
    wait_for("the event", lambda: "ca.switched" in kinds(daemon))
    assert kinds(daemon) == ["ca.created", "ca.rollover", "ca.rollover_cancelled", "ca.rollover",
                             "ca.switched"]  # fmt: skip


def test_moved(daemon):
    """Later: the same certificate. Earlier: a new one of the same key, and what was asked goes on."""
    first = daemon.authority()
    planned = plan(daemon, "+1h")
    hour = switch_time(daemon)
    moved = plan(daemon, "+2h")
    assert moved.cert == planned.cert and switch_time(daemon) >= hour + 59 * MINUTE
    ahead = enrol(daemon, "ahead", rsa_key(2), moved)
    assert ahead.not_valid_before >= switch_time(daemon)
    assert "would be worth nothing" in refused(daemon, "--cancel")
    early = plan(daemon, "+8s")
    assert early.cert != planned.cert and spki_of(early.cert) == spki_of(planned.cert)
    assert early.cert.not_valid_before == switch_time(daemon)
    assert is_by(early.encrypt_cert, early.cert) and is_by(ahead, early.cert)
    daemon.restart()
    wait_for("the switch", lambda: daemon.authority().cert == early.cert)
    cert = enrol(daemon, "after", rsa_key(3), early)
    assert is_by(cert, early.cert) and cert.not_valid_before <= now()
    # who asked GetNextCACert before the move encrypts for the same key
    assert daemon.post("demo", Request(key=rsa_key(4)).build(planned))[0] == 200
    assert is_by(enrol(daemon, "old", rsa_key(5), first), first.cert)
    assert "no next generation is planned" in refused(daemon, "--cancel")
    assert [k for k in kinds(daemon) if k == "ca.rollover_moved"] == ["ca.rollover_moved"] * 2


def test_refused(daemon):
    for options in (["--cancel", "--at", "+1h"], ["--cancel", "--key", "p384"]):
        assert "goes with neither" in refused(daemon, *options)
    plan(daemon, "+1h")
    assert "takes over at" in refused(daemon, "--key", "p384", "--at", "+2h")
    assert "not after" in refused(daemon, "--at", "2099-01-01T00:00:00Z")
    with pytest.raises(AdminError) as e:
        daemon.admin.call("POST", "/cas/nobody/rollover/move", {"at": "+1h"})
    assert e.value.status == 404
    assert "GetNextCACert" in caps(daemon)


def test_what_waits_for_it_is_rejected(daemon):
    gone = plan(daemon, "+1h")
    request = Request(subject={"common_name": "waits"}, key=rsa_key(6))
    assert daemon.enrol(request, "manual", gone).status == "PENDING"
    other = Request(subject={"common_name": "goes on"}, key=rsa_key(7))
    assert daemon.enrol(other, "manual").status == "PENDING"
    daemon.ctl("ca", "rollover", "demo", "--cancel")
    rows = {r["subject"]: r["state"] for r in daemon.admin.call("GET", "/requests?all=1")["requests"]}
    assert rows == {"CN=waits": "rejected", "CN=goes on": "pending"}
    seen = daemon.admin.explain(request.transaction_id.decode())["events"]
    assert [e["kind"] for e in seen] == ["enrol.pending", "enrol.rejected"]
    assert "cancelled" in seen[-1]["reason"]
    # it asks whom it can ask now
    assert daemon.enrol(request, "manual").status == "PENDING"


def test_administrators_alone(tmp_path):
    roles = ("administrator", "approver", "auditor", "challenge-issuer")
    people = [{"name": r, "roles": [r], "password": static_hash("swordfish")} for r in roles]
    daemon, port, ca = https_daemon(tmp_path, people, endpoints=[endpoint("demo")])
    daemon.start()
    try:
        daemon.admin.ca_init("demo")
        daemon.ctl("ca", "rollover", "demo", "--at", "+1h")
        who = {r: Remote(port, str(ca.path), password=(r, "swordfish")) for r in roles}
        for role in roles[1:]:
            assert who[role].status("POST", "/cas/demo/rollover/move", {"at": "+2h"}) == 403
            assert who[role].status("DELETE", "/cas/demo/rollover") == 403
        assert who["administrator"].status("POST", "/cas/demo/rollover/move", {"at": "+2h"}) == 200
        assert who["administrator"].status("DELETE", "/cas/demo/rollover") == 200
        actors = {e["actor"] for e in daemon.events() if e["kind"].startswith("ca.rollover_")}
        assert actors == {"administrator"}
    finally:
        daemon.stop()
