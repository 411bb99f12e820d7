# SPDX-License-Identifier: Apache-2.0
"""How much one challenge or one identity may ask for, and what is unusual and said once."""

import itertools
import time

import pytest

import est_peer
import scep_peer
from conftest import endpoint
from daemon import profile, static_hash, undisturbed, wait_for
from scep_peer import Request
from test_est import est_endpoint, make_est

STATIC, OTHER = "an-old-habit", "another-habit"


def named(name, **options):
    return Request(subject={"common_name": name}, **options)


def granted(daemon, request, name="demo"):
    reply = daemon.enrol(request, name)
    assert reply.status == "SUCCESS", reply.fail_text
    return reply


def refused(daemon, request, name="demo", why=""):
    reply = daemon.enrol(request, name)
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    assert why in reply.fail_text
    story = daemon.admin.explain(request.transaction_id.decode())
    assert why in str(story) and "rejected" in str(story)
    return reply


def events(daemon, prefix):
    return [(e["kind"], e["endpoint"], e["reason"]) for e in daemon.events() if e["kind"].startswith(prefix)]


def static(**settings):
    return endpoint("demo", authorisation={"static": [static_hash(STATIC), static_hash(OTHER)]}, **settings)


# ---- rates ----


def test_requests_of_an_identity(make_daemon):
    """Counted by the name in the certificate, however it is written; a repetition does not count."""
    daemon = make_daemon(endpoints=[endpoint("demo", limits={"identity": "3/10m"}), endpoint("free")])
    first = named("Router7")
    granted(daemon, first)
    for _ in range(5):
        granted(daemon, first)
    granted(daemon, named("router7"))
    granted(daemon, Request(subject={"common_name": "ROUTER7", "organizational_unit_name": "dropped"}))
    for again in ("router7", "router7 ", "  Router7"):
        refused(daemon, named(again), why="too many requests by subject")
    granted(daemon, first)
    granted(daemon, named("router8"))
    granted(daemon, named("router7"), "free")
    assert len(daemon.admin.certs()) == 5


def test_requests_by_a_challenge(make_daemon):
    """Each static challenge for itself; who does not know it cannot use its rate up; time gives it back."""
    daemon = make_daemon(endpoints=[static(limits={"challenge": "2/6s"})])
    for i in range(5):
        reply = daemon.enrol(named(f"r{i}", challenge="guess"))
        assert "wrong for endpoint" in reply.fail_text
    names = map("a{}".format, itertools.count())

    def used_up():
        for _ in range(2):
            granted(daemon, named(next(names), challenge=STATIC))
        refused(daemon, named(next(names), challenge=STATIC), why="too many requests by this challenge")

    undisturbed(3, used_up, between=6)
    granted(daemon, named("b0", challenge=OTHER))
    wait_for("another turn", lambda: daemon.enrol(named(next(names), challenge=STATIC)).status == "SUCCESS")


# ---- quotas ----


def test_certificates_of_an_identity(make_daemon):
    """From the store: a restart does not give more, and time does."""
    daemon = make_daemon(endpoints=[endpoint("demo", quotas={"identity": "2/6s"})])
    numbers = itertools.count(7)

    def used_up():
        n = next(numbers)
        first = named(f"router{n}")
        granted(daemon, first)
        granted(daemon, named(f"Router{n}"))
        refused(daemon, named(f"router{n}"), why="quota: subject")
        daemon.restart()
        refused(daemon, named(f"router{n}"), why="quota: subject")
        granted(daemon, first)
        granted(daemon, named("somebody else"))
        names = [c["subject"].lower() for c in daemon.admin.certs()]
        assert sum(f"router{n}" in name for name in names) == 2
        return f"router{n}"

    name = undisturbed(6, used_up)
    wait_for("another turn", lambda: daemon.enrol(named(name)).status == "SUCCESS", step=0.2)


def test_certificates_by_a_challenge(make_daemon):
    daemon = make_daemon(endpoints=[static(quotas={"challenge": "2/1d", "identity": "1/1d"})])
    granted(daemon, named("a", challenge=STATIC))
    refused(daemon, named("a", challenge=STATIC), why="quota: subject")
    granted(daemon, named("b", challenge=STATIC))
    refused(daemon, named("c", challenge=STATIC), why="quota: this challenge")
    granted(daemon, named("c", challenge=OTHER))
    # nothing in the store tells the challenge
    for path in daemon.directory.glob("store.db*"):
        assert STATIC.encode() not in path.read_bytes()


def test_many_at_once_get_no_more(make_daemon):
    import threading

    daemon = make_daemon(endpoints=[endpoint("demo", quotas={"identity": "3/1d"})])
    ca = daemon.authority("demo")
    replies = []

    def enrol(i):
        replies.append(daemon.enrol(named("same", key=scep_peer.rsa_key(i % 4)), "demo", ca).status)

    threads = [threading.Thread(target=enrol, args=(i,)) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(replies) == ["FAILURE"] * 9 + ["SUCCESS"] * 3
    assert len(daemon.admin.certs()) == 3


def test_what_an_operator_approves_counts_and_passes(make_daemon):
    daemon = make_daemon(
        endpoints=[endpoint("demo", approval="manual", quotas={"identity": "1/1d"})]
    )
    for _ in range(2):
        request = named("same")
        assert daemon.enrol(request).status == "PENDING"
        waiting = daemon.ctl_json("request", "list")["requests"]
        daemon.ctl("request", "approve", str(waiting[0]["id"]))
        granted(daemon, request)


def test_renewals_count_for_the_identity(make_daemon):
    daemon = make_daemon(
        profiles=[profile(renewal={"window": "any"})],
        endpoints=[endpoint("demo", authorisation={"anyone": True, "renewal": True}, quotas={"identity": "2/1d"})],
    )
    first = named("router7")
    cert = granted(daemon, first).cert
    again = named("router7", signer_key=first.key, signer_cert=cert, message_type="17")
    newer = granted(daemon, again).cert
    refused(daemon, named("router7", signer_key=again.key, signer_cert=newer, message_type="17"), why="quota")


# ---- anomalies ----


def warned(daemon):
    return [(l["kind"], l["reason"]) for l in daemon.log_lines() if l["msg"] == "anomaly" and l["level"] == "warning"]


def test_many_failures_once_a_window(make_daemon):
    daemon = make_daemon(
        anomalies={"window": "1h", "failures": "5/10m", "failures_per_address": "3/10m"},
        endpoints=[endpoint("demo", authorisation={"one_time": True}), endpoint("other", authorisation={"one_time": True})],
    )
    for i in range(3):
        daemon.enrol(named("x", challenge="A" * 26))
    assert events(daemon, "anomaly") == []
    for i in range(12):
        daemon.enrol(named("x", challenge="A" * 26))
    assert events(daemon, "anomaly") == [
        ("anomaly.failures", "demo", "more than 3 refused requests in 600 seconds by 127.0.0.1"),
        ("anomaly.failures", "demo", "more than 5 refused requests in 600 seconds"),
    ]
    assert warned(daemon) == [(k, r) for k, _, r in events(daemon, "anomaly")]
    for i in range(4):
        daemon.enrol(named("x", challenge="A" * 26), "other")
    assert len(events(daemon, "anomaly")) == 3


def test_a_burst_and_odd_hours(make_daemon):
    """TZ is the server's: the same moment is usual in one place and odd in another."""
    now = time.gmtime()
    if now.tm_hour == 23 and now.tm_min >= 55:
        time.sleep(310)
        now = time.gmtime()
    hours = [f"{time.strftime('%a', now).lower()} {now.tm_hour:02}:00-{min(now.tm_hour + 2, 24):02}:00"]
    for zone, odd in (("UTC", False), ("XYZ+5", True)):
        daemon = make_daemon(
            name=zone.replace("+", ""), start=False,
            anomalies={"issuance": "3/10m", "hours": hours}, endpoints=[endpoint("demo")],
        )
        daemon.environment["TZ"] = zone
        daemon.start()
        daemon.admin.ca_init("demo")
        for i in range(6):
            granted(daemon, named(f"r{i}"))
        want = [("anomaly.hours", "demo", "a certificate outside of anomalies.hours")] if odd else []
        want.append(("anomaly.issuance", "demo", "more than 3 certificates in 600 seconds"))
        assert events(daemon, "anomaly") == want
        assert warned(daemon) == [(k, r) for k, _, r in want]


def test_a_challenge_shown_again(make_daemon):
    daemon = make_daemon(
        anomalies={"reused_challenge": True}, endpoints=[endpoint("demo", authorisation={"one_time": True})]
    )
    made = daemon.admin.call("POST", "/challenges", {"lifetime": "1h"})
    first = named("a", challenge=made["challenge"])
    granted(daemon, first)
    granted(daemon, first)
    assert events(daemon, "anomaly") == []
    for _ in range(3):
        refused(daemon, named("thief", challenge=made["challenge"]), why="used already")
    found = events(daemon, "anomaly")
    assert len(found) == 1 and found[0][0] == "anomaly.challenge" and made["id"] in found[0][2]
    assert made["challenge"] not in str(found)


def test_nothing_is_unusual_unless_asked_for(make_daemon):
    daemon = make_daemon(endpoints=[endpoint("demo", authorisation={"one_time": True})])
    for _ in range(30):
        daemon.enrol(named("x", challenge="A" * 26))
    assert events(daemon, "anomaly") == [] and warned(daemon) == []


# ---- the same rules for EST ----


@pytest.fixture
def est(tmp_path):
    daemon = make_est(
        tmp_path,
        endpoints=[
            endpoint("demo"),
            est_endpoint("few", quotas={"identity": "1/1d"}, limits={"address": "4/10m"}),
            est_endpoint("counted", authorisation={"accounts": True}, quotas={"challenge": "2/1d"}),
            est_endpoint("listed", authorisation={"allow_list": "routers", "allow_list_suffices": True}),
        ],
    )
    yield daemon
    daemon.stop()


def test_est_is_held_to_quotas_and_addresses(est):
    few = est.est("few")
    few.enrol(est_peer.Request("router7"))
    status, _, body = few.call("POST", "simpleenroll", est_peer.Request("Router7").body)
    assert status == 429 and b"quota: subject" in body
    assert few.call("GET", "cacerts")[0] == few.call("GET", "cacerts")[0] == 200
    status, headers, body = few.call("GET", "cacerts")
    assert status == 429 and headers["Retry-After"] and b"your address" in body
    assert [k for k, e, _ in events(est, "access") if e == "est-few"] == ["access.limited"]


def test_est_is_held_to_the_allow_list(est):
    est.ctl("device", "add", "CN", "router7", "--list", "routers", "--once")
    listed, request = est.est("listed"), est_peer.Request("router7")
    assert listed.call("POST", "simpleenroll", est_peer.Request("router8").body)[0] in (401, 403)
    first = listed.enrol(request)
    assert listed.enrol(request) == first
    assert listed.call("POST", "simpleenroll", est_peer.Request("router7").body)[0] in (401, 403)


def test_est_accounts_are_challenges_here(est):
    counted, headers = est.est("counted"), est_peer.basic("sensor", "swordfish")
    for name in ("a", "b"):
        counted.enrol(est_peer.Request(name), headers)
    status, _, body = counted.call("POST", "simpleenroll", est_peer.Request("c").body, headers)
    assert status == 429 and b"quota: this challenge" in body
