# SPDX-License-Identifier: Apache-2.0
"""A one-time challenge buys one certificate for one key, and nothing else."""

import pathlib
import threading
import time

import pytest

import scep_peer
from conftest import STATIC, endpoint
from daemon import AdminError, undisturbed, wait_for
from scep_peer import Request


def refused(daemon, request, name="demo"):
    """The request fails with badRequest, and nothing is issued for its transaction."""
    reply = daemon.enrol(request, name)
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    story = str(daemon.admin.explain(request.transaction_id.decode()))
    assert "rejected" in story
    return reply


def threads_of(pid):
    return [f.read_text().strip() for f in pathlib.Path(f"/proc/{pid}/task").glob("*/comm")]


@pytest.fixture
def counted(shared):
    """Asserts that the test issued as many certificates as it says."""
    before = {c["serial"] for c in shared.admin.certs(limit=1000)}

    def issued():
        return len({c["serial"] for c in shared.admin.certs(limit=1000)} - before)

    return issued


def test_without_a_challenge(shared, counted):
    refused(shared, Request())
    refused(shared, Request(challenge=""))
    assert counted() == 0


def test_wrong_challenge(shared, counted):
    refused(shared, Request(challenge="A" * 26))
    refused(shared, Request(challenge="' OR 1=1 --"))
    assert counted() == 0


def test_used_under_another_transaction(shared, counted):
    challenge = shared.admin.challenge()
    assert shared.enrol(Request(challenge=challenge)).status == "SUCCESS"
    refused(shared, Request(challenge=challenge))
    refused(shared, Request(challenge=challenge, key=scep_peer.rsa_key(1)))
    assert counted() == 1


def test_bound_at_first_use_even_if_that_was_refused(shared, counted):
    """A request that breaks the profile binds its challenge; the same device may mend it."""
    challenge = shared.admin.challenge()
    first = Request(challenge=challenge, subject={"organization_name": "no CN"})
    refused(shared, first)
    refused(shared, Request(challenge=challenge, key=scep_peer.rsa_key(1)))
    assert shared.enrol(first.again(subject={"common_name": "mended"})).status == "SUCCESS"
    assert counted() == 1


def test_expired(shared, counted):
    challenge = shared.admin.challenge(lifetime="1s")
    time.sleep(2.1)
    refused(shared, Request(challenge=challenge))
    assert counted() == 0


def test_revoked(shared, counted):
    made = shared.admin.call("POST", "/challenges", {"lifetime": "1h"})
    shared.admin.call("DELETE", f"/challenges/{made['id']}")
    refused(shared, Request(challenge=made["challenge"]))
    with pytest.raises(AdminError) as e:
        shared.admin.call("DELETE", "/challenges/no-such-challenge")
    assert e.value.status == 404
    assert counted() == 0


def test_bound_subject(shared, counted):
    challenge = shared.admin.challenge(subject="CN=router7")
    refused(shared, Request(challenge=challenge, subject={"common_name": "router8"}))
    challenge = shared.admin.challenge(subject="CN=router7")
    reply = shared.enrol(Request(challenge=challenge, subject={"common_name": "router7"}))
    assert reply.status == "SUCCESS"
    assert counted() == 1


def test_a_bound_subject_has_no_other_names(shared):
    """Who verifies looks at alternative names first: a subject alone would bind nothing."""
    for names in ({"dns": ["vpn.example"]}, {"ips": [b"\x0a\0\0\1"]}, {"dns": ["router7", "vpn.example"]}):
        challenge = shared.admin.challenge(subject="CN=router7")
        request = Request(challenge=challenge, subject={"common_name": "router7"}, extensions=[scep_peer.san_extension(**names)])
        refused(shared, request)
    for challenge in (
        shared.admin.challenge(subject="CN=router7"),
        shared.admin.challenge(subject="CN=router7", san=["DNS:ROUTER7"]),
    ):
        request = Request(
            challenge=challenge, subject={"common_name": "router7"}, extensions=[scep_peer.san_extension(dns=["router7"])]
        )
        assert shared.enrol(request).status == "SUCCESS"


def test_bound_san(shared, counted):
    wrong = [scep_peer.san_extension(dns=["r8.example"])]
    right = [scep_peer.san_extension(dns=["r7.example"])]
    refused(shared, Request(challenge=shared.admin.challenge(san=["DNS:r7.example"])))
    refused(
        shared, Request(challenge=shared.admin.challenge(san=["DNS:r7.example"]), extensions=wrong)
    )
    reply = shared.enrol(
        Request(challenge=shared.admin.challenge(san=["DNS:r7.example"]), extensions=right)
    )
    assert reply.status == "SUCCESS"
    assert counted() == 1


def test_of_another_endpoint(shared, counted):
    challenge = shared.admin.challenge(endpoint="both")
    refused(shared, Request(challenge=challenge), "demo")
    assert shared.enrol(Request(challenge=shared.admin.challenge(endpoint="demo"))).status == "SUCCESS"
    assert counted() == 1


def test_as_a_person_types_it(shared):
    challenge = shared.admin.challenge().lower()
    typed = "-".join(challenge[i : i + 5] for i in range(0, len(challenge), 5)) + " "
    assert shared.enrol(Request(challenge=typed)).status == "SUCCESS"


def test_not_taken_where_only_static_ones_are(shared):
    refused(shared, Request(challenge=shared.admin.challenge()), "static")


def test_static(shared):
    for _ in range(3):
        assert shared.enrol(Request(challenge=STATIC), "static").status == "SUCCESS"
    assert shared.enrol(Request(challenge=STATIC), "both").status == "SUCCESS"
    refused(shared, Request(challenge=STATIC + "x"), "static")
    refused(shared, Request(challenge=STATIC), "demo")


def test_a_slow_check_keeps_nobody(make_daemon):
    """While secrets that nobody knows are checked, for seconds, the only worker serves others."""
    slow = "$scrypt$ln=17,r=8,p=2$" + "A" * 22 + "$" + "A" * 43
    daemon = make_daemon(
        start=False, endpoints=[endpoint("demo"), endpoint("slow", authorisation={"static": [slow]})]
    )
    daemon.config["http"].update(workers=1, requests=8)
    daemon.write_config()
    daemon.start()
    daemon.admin.ca_init("demo")
    guesses = [Request(challenge=f"guess {i}", key=scep_peer.rsa_key(i + 1)) for i in range(2)]
    ended, replies = [], []

    def guess(wrong):
        replies.append(daemon.enrol(wrong, "slow"))
        ended.append(wrong)

    threads = [threading.Thread(target=guess, args=(g,)) for g in guesses]
    for thread in threads:
        thread.start()
    wait_for("a check", lambda: "aside-0" in threads_of(daemon.child("server")), step=0.01)
    assert daemon.get("demo", "GetCACaps")[0] == 200
    assert len(ended) < 2, "it waited for both of them"
    for thread in threads:
        thread.join()
    assert [(r.status, r.fail_info) for r in replies] == [("FAILURE", "badRequest")] * 2


def test_does_not_last_for_ever(shared):
    assert shared.admin.challenge(lifetime="10y")
    with pytest.raises(AdminError) as e:
        shared.admin.challenge(lifetime="11y")
    assert e.value.status == 400 and "at most 10y" in str(e.value.body)


def test_is_listed_without_its_text_and_is_in_no_log(shared):
    challenge = shared.admin.challenge()
    shared.enrol(Request(challenge=challenge))
    listing = str(shared.admin.call("GET", "/challenges?all=1"))
    assert challenge not in listing
    log = shared.log_path.read_text()
    assert challenge not in log
    assert STATIC not in log


def test_is_not_in_the_store(shared):
    challenge = shared.admin.challenge()
    for path in shared.directory.glob("store.db*"):
        assert challenge.encode() not in path.read_bytes()


def test_old_ones_are_deleted(make_daemon):
    """Long expired: gone, used or not; what was done with them stays on record."""
    daemon = make_daemon(challenges={"retention": "1s"}, endpoints=[endpoint("demo", authorisation={"one_time": True})])
    old = [daemon.admin.challenge(lifetime="1s") for _ in range(3)]
    kept = daemon.admin.challenge(lifetime="1h")

    def use():
        old.append(daemon.admin.challenge(lifetime="2s"))
        assert daemon.enrol(Request(challenge=old[-1])).status == "SUCCESS"

    undisturbed(2, use)
    time.sleep(4)
    assert len(daemon.ctl_json("challenge", "list", "--all")["challenges"]) == len(old) + 1
    daemon.restart()
    wait_for("purge", lambda: len(daemon.ctl_json("challenge", "list", "--all")["challenges"]) == 1)
    for challenge in old:
        refused(daemon, Request(challenge=challenge))
    assert daemon.enrol(Request(challenge=kept)).status == "SUCCESS"
    kinds = [e["kind"] for e in daemon.events()]
    assert kinds.count("challenge.created") == len(old) + 1


def test_list_tells_source_and_use(make_daemon):
    daemon = make_daemon(endpoints=[endpoint("demo", authorisation={"one_time": True})])
    daemon.admin.challenge()
    made = daemon.ctl_json("challenge", "list")["challenges"]
    assert [(c["source"], c["reusable"]) for c in made] == [(None, False)]
    row = daemon.ctl("challenge", "list").stdout.rstrip("\n").split("\t")
    assert row[2] == "once" and row[6] == ""
    daemon.admin.challenge()
    first = daemon.ctl_json("challenge", "list", "--limit", "1")
    rest = daemon.ctl_json("challenge", "list", "--cursor", first["next"])
    assert len({c["id"] for c in first["challenges"] + rest["challenges"]}) == 2


def test_one_time_challenge_from_many_at_once_buys_one(shared, counted):
    """Sixteen devices race for one challenge: one of them gets a certificate."""
    import threading

    challenge = shared.admin.challenge()
    ca = shared.authority("demo")
    replies = []

    def device(index):
        request = Request(key=scep_peer.rsa_key(index % 4), challenge=challenge)
        replies.append(shared.enrol(request, "demo", ca).status)

    threads = [threading.Thread(target=device, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies) == ["FAILURE"] * 15 + ["SUCCESS"]
    assert counted() == 1
