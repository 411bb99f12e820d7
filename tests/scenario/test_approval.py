# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for an operator: PENDING, polls, the operator's word, and its record."""

import time

import pytest

import scep_peer
from daemon import AdminError, Daemon, endpoint, listed, profile
from scep_peer import Request, ec_key, rsa_key

MANUAL = {"approval": "manual", "authorisation": {"one_time": True}}


def endpoints():
    return [
        endpoint("demo", **MANUAL),
        endpoint("two", approvers=2, **MANUAL),
        endpoint("brief", pending_lifetime="2s", **MANUAL),
        endpoint("renew", profile="renew", **{**MANUAL, "authorisation": {"one_time": True, "renewal": True}}),
    ]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    directory = tmp_path_factory.mktemp("approval")
    profiles = [profile(), profile("renew", renewal={"window": "any"})]
    daemon = Daemon(directory, profiles=profiles, endpoints=endpoints()).start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


def poll(daemon, request, name="demo", **changes):
    ca = daemon.authority(name)
    return daemon.enrol(request.poll(ca, **changes), name, ca)


def pending(daemon, name="demo", **changes):
    """A request that was answered PENDING, and its number."""
    request = Request(challenge=daemon.admin.challenge(), **changes)
    assert daemon.enrol(request, name).status == "PENDING"
    return request, waiting(daemon, request)["id"]


def waiting(daemon, request):
    tid = request.transaction_id.decode()
    rows = listed(daemon.admin.call("GET", "/requests?all=1&limit=1000"))
    return next(r for r in rows if r["transaction"] == tid)


def decide(daemon, number, verb, **body):
    return daemon.admin.call("POST", f"/requests/{number}/{verb}", body)


def kinds(daemon, request):
    return [e["kind"] for e in daemon.admin.explain(request.transaction_id.decode())["events"]]


def issued(daemon, request):
    return daemon.admin.certs(transaction=request.transaction_id.decode())


def test_approved(daemon):
    """Polls and repeated requests wait; after the approval both get the one certificate."""
    san = scep_peer.san_extension(dns=["router7.example"])
    request, number = pending(daemon, subject={"common_name": "router7"}, extensions=[san])
    assert poll(daemon, request).status == "PENDING"
    assert daemon.enrol(request.again(sender_nonce=b"r" * 16)).status == "PENDING"
    assert not issued(daemon, request)
    row = daemon.admin.call("GET", f"/requests/{number}")
    assert (row["subject"], row["san"], row["key"]) == ("CN=router7", ["DNS:router7.example"], "RSA 2048")
    assert decide(daemon, number, "approve")["state"] == "issued"
    polled, repeated = poll(daemon, request), daemon.enrol(request)
    assert polled.status == repeated.status == "SUCCESS"
    assert polled.cert == repeated.cert
    assert scep_peer.spki_of(polled.cert) == scep_peer.spki_of(request.key)
    assert len(issued(daemon, request)) == 1
    assert kinds(daemon, request) == ["enrol.pending", "request.approved", "enrol.issued"]


def test_rejected(daemon):
    request, number = pending(daemon)
    decide(daemon, number, "reject", reason="not one of ours")
    for reply in poll(daemon, request), daemon.enrol(request):
        assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
        assert "not one of ours" in reply.fail_text
    with pytest.raises(AdminError) as e:
        decide(daemon, number, "approve")
    assert e.value.status == 409
    assert not issued(daemon, request)
    assert kinds(daemon, request) == ["enrol.pending", "enrol.rejected"]


def test_expired(daemon):
    """The device hears of it when it polls, and may then ask again."""
    request, number = pending(daemon, "brief")
    time.sleep(2.1)
    with pytest.raises(AdminError) as e:
        decide(daemon, number, "approve")
    assert e.value.status == 409
    reply = poll(daemon, request, "brief")
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    assert "expired" in reply.fail_text
    assert kinds(daemon, request) == ["enrol.pending", "enrol.expired"]
    again = request.again(challenge=daemon.admin.challenge())
    assert daemon.enrol(again, "brief").status == "PENDING"


def test_poll_by_another_key(daemon):
    """Neither a stranger nor another device learns anything, and an unknown one sounds the same."""
    request, number = pending(daemon)
    decide(daemon, number, "approve")
    stranger = poll(daemon, request, key=rsa_key(5))
    nobody = poll(daemon, Request())
    for reply in stranger, nobody:
        assert (reply.status, reply.fail_info) == ("FAILURE", "badCertId")
    assert stranger.fail_text == nobody.fail_text
    assert kinds(daemon, request)[-1] == "poll.rejected"
    assert poll(daemon, request).status == "SUCCESS"
    assert len(issued(daemon, request)) == 1


def test_elsewhere_and_replayed(daemon):
    """The transaction is its endpoint's; the challenge is good for this transaction only."""
    request, _ = pending(daemon)
    assert poll(daemon, request, "two").fail_info == "badCertId"
    replay = request.again(transaction_id=b"another")
    reply = daemon.enrol(replay)
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    assert not issued(daemon, replay)


def test_what_breaks_the_profile_never_waits(daemon):
    request = Request(challenge=daemon.admin.challenge(), subject={"organization_name": "no CN"})
    assert daemon.enrol(request).fail_info == "badRequest"
    assert kinds(daemon, request) == ["enrol.rejected"]


def test_two_operators(daemon):
    """One person's word counts once; the certificate takes another's."""
    request, number = pending(daemon, "two")
    row = decide(daemon, number, "approve")
    assert (row["state"], row["approvals"], row["needed"]) == ("pending", 1, 2)
    with pytest.raises(AdminError) as e:
        decide(daemon, number, "approve")
    assert e.value.status == 409
    assert poll(daemon, request, "two").status == "PENDING"
    assert not issued(daemon, request)
    assert kinds(daemon, request) == ["enrol.pending", "request.approved"]


def test_an_ec_device_repeats_its_request(daemon):
    """A CertPoll has no challenge to encrypt the answer under, and says so."""
    request, number = pending(daemon, key=ec_key(1))
    reply = poll(daemon, request)
    assert reply.fail_info == "badRequest" and "has no challengePassword" in reply.fail_text
    decide(daemon, number, "approve")
    assert daemon.enrol(request).status == "SUCCESS"


def test_renewals_do_not_wait(daemon):
    request, number = pending(daemon, "renew")
    decide(daemon, number, "approve")
    cert = poll(daemon, request, "renew").cert
    renewal = Request(message_type="17", signer_cert=cert, signer_key=request.key)
    assert daemon.enrol(renewal, "renew").status == "SUCCESS"


def test_scepterctl(daemon):
    request, number = pending(daemon, subject={"common_name": "by-hand"})
    assert "CN=by-hand" in daemon.ctl("request", "list").stdout
    assert "CN=by-hand" in daemon.ctl("request", "show", str(number)).stdout
    assert "issued" in daemon.ctl("request", "approve", str(number)).stdout
    assert "CN=by-hand" not in daemon.ctl("request", "list").stdout
    assert daemon.ctl("request", "approve", str(number), check=False).returncode == 73
    assert daemon.ctl("request", "show", "999999", check=False).returncode == 66
    assert poll(daemon, request).status == "SUCCESS"
    other, number = pending(daemon)
    daemon.ctl("request", "reject", str(number), "--reason", "no such device")
    assert "no such device" in poll(daemon, other).fail_text


def test_across_restarts(make_daemon):
    """What waits, what was approved, and who may poll, before and after kill -9."""
    daemon = make_daemon(endpoints=endpoints(), profiles=[profile(), profile("renew")])
    request, number = pending(daemon)
    daemon.restart()
    assert poll(daemon, request).status == "PENDING"
    decide(daemon, number, "approve")
    daemon.kill_all()
    daemon.start()
    cert = poll(daemon, request).cert
    daemon.restart()
    assert daemon.enrol(request).cert == cert
    assert len(issued(daemon, request)) == 1
