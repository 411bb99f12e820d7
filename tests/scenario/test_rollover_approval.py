# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for an operator while the CA's next generation takes over."""

import pytest

from daemon import endpoint, listed, static_hash, wait_for
from operators import Remote, https_daemon
from rollover import is_by, next_authority, now, switch_time
from scep_peer import Request, rsa_key



@pytest.fixture
def scene(tmp_path):
    """The daemon, and a second operator at its HTTPS."""
    manual = endpoint("manual", approval="manual")
    twice = endpoint("twice", approval="manual", approvers=2)
    second = {"name": "second", "roles": ["approver"], "password": static_hash("swordfish")}
    daemon, port, ca = https_daemon(
        tmp_path, [second], endpoints=[endpoint("demo"), manual, twice]
    )
    daemon.start()
    daemon.admin.ca_init("demo")
    yield daemon, Remote(port, str(ca.path), password=("second", "swordfish"))
    daemon.stop()


@pytest.fixture
def daemon(scene):
    return scene[0]


def ask(daemon, name, key, ca, where="manual"):
    """PENDING, in the words of the generation that was asked; the number that operators see."""
    request = Request(subject={"common_name": name}, key=rsa_key(key))
    assert daemon.enrol(request, where, ca).status == "PENDING"
    rows = listed(daemon.admin.call("GET", "/requests?all=1&limit=1000"))
    tid = request.transaction_id.decode()
    return request, next(r["id"] for r in reversed(rows) if r["transaction"] == tid)


def poll(daemon, request, ca, where="manual"):
    return daemon.enrol(request.poll(ca), where, ca)


def approve(daemon, number):
    return daemon.admin.call("POST", f"/requests/{number}/approve", {})


def roll(daemon, seconds):
    daemon.ctl("ca", "rollover", "demo", "--at", f"+{seconds}s")
    return next_authority(daemon), switch_time(daemon)


def switch(daemon, new):
    wait_for("the switch", lambda: daemon.authority().cert == new.cert)


def check_next(reply, new, at):
    """The next generation's certificate, valid from the switch."""
    assert reply.status == "SUCCESS", reply.fail_text
    assert is_by(reply.cert, new.cert) and reply.cert.not_valid_before >= at
    return reply.cert


def test_asked_of_the_next_generation(daemon):
    """Approved before the switch and after it, with restarts, polled before and after."""
    old = daemon.authority()
    new, at = roll(daemon, 14)
    early, early_id = ask(daemon, "early", 0, new)
    late, late_id = ask(daemon, "late", 1, new)
    never, never_id = ask(daemon, "never", 2, new)
    assert poll(daemon, early, new).status == "PENDING"
    daemon.restart()
    assert poll(daemon, early, new).status == "PENDING"
    assert approve(daemon, early_id)["state"] == "issued"
    cert = check_next(poll(daemon, early, new), new, at)
    assert check_next(daemon.enrol(early, "manual", new), new, at) == cert, "a repetition"
    # the poll may come in the words of the generation in charge: the transaction is the same
    assert check_next(poll(daemon, early, old), new, at) == cert
    assert poll(daemon, late, new).status == "PENDING" and now() < at
    switch(daemon, new)
    daemon.restart()
    assert check_next(poll(daemon, early, new), new, at) == cert
    assert poll(daemon, late, new).status == "PENDING"
    assert approve(daemon, late_id)["state"] == "issued"
    assert check_next(poll(daemon, late, new), new, at)
    daemon.admin.call("POST", f"/requests/{never_id}/reject", {"reason": "not ours"})
    assert poll(daemon, never, new).status == "FAILURE"


def test_asked_of_both(daemon):
    """The same key and transactionID wait twice, once a generation; each gets its own."""
    old = daemon.authority()
    new, at = roll(daemon, 10)
    request, first = ask(daemon, "both", 3, old)
    assert daemon.enrol(request, "manual", new).status == "PENDING"
    tid = request.transaction_id.decode()
    waiting = listed(daemon.admin.call("GET", "/requests"))
    numbers = [r["id"] for r in waiting if r["transaction"] == tid]
    assert len(numbers) == 2 and first in numbers
    (second,) = set(numbers) - {first}
    approve(daemon, first)
    by_old = daemon.enrol(request, "manual", old)
    assert by_old.status == "SUCCESS" and is_by(by_old.cert, old.cert)
    assert daemon.enrol(request, "manual", new).status == "PENDING"
    switch(daemon, new)
    approve(daemon, second)
    check_next(daemon.enrol(request, "manual", new), new, at)
    again = daemon.enrol(request, "manual", old)
    assert again.cert == by_old.cert


def test_two_operators_around_the_switch(scene):
    """One before it, the other after it; and what was asked of the old generation is the old one's."""
    daemon, second = scene
    old = daemon.authority()
    new, at = roll(daemon, 8)
    request, number = ask(daemon, "two", 4, new, "twice")
    older, older_id = ask(daemon, "older", 5, old, "twice")
    for waiting in (number, older_id):
        assert approve(daemon, waiting)["state"] == "pending"
    switch(daemon, new)
    for waiting in (number, older_id):
        path = f"/requests/{waiting}/approve"
        assert second.call("POST", path, {})["state"] == "issued"
    check_next(poll(daemon, request, new, "twice"), new, at)
    reply = poll(daemon, older, old, "twice")
    assert reply.status == "SUCCESS" and is_by(reply.cert, old.cert)
