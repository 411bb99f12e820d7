# SPDX-License-Identifier: Apache-2.0
"""A store in trouble: the device is told to try again or fails cleanly, and no half state remains."""

import contextlib
import resource
import sqlite3

import pytest

import scep_reply
from daemon import PATIENCE, endpoint, wait_for
from scep_peer import Request


@pytest.fixture
def one_time(make_daemon):
    return make_daemon(endpoints=[endpoint("demo", authorisation={"one_time": True})])


def ask(daemon, request, ca):
    """SUCCESS, FAILURE or 503"""
    status, headers, body = daemon.post("demo", request.build(ca))
    if status == 503:
        assert int(headers["Retry-After"]) > 0
        return "503"
    assert status == 200, body
    return scep_reply.open_reply(body, request, ca).status


def test_locked_store(one_time):
    """Another process holds the write lock; when it lets go, the retry succeeds."""
    request = Request(challenge=one_time.admin.challenge())
    ca = one_time.authority()
    other = sqlite3.connect(one_time.directory / "store.db", isolation_level=None)
    with contextlib.closing(other):
        other.execute("BEGIN IMMEDIATE")
        assert ask(one_time, request, ca) == "503"
        other.execute("ROLLBACK")
    assert ask(one_time, request, ca) == "SUCCESS"
    assert len(one_time.admin.certs()) == 1


def test_full_disk(make_daemon):
    """The file may not grow any more (as on a full disk): nothing is issued, nothing is half there."""
    daemon = make_daemon(start=False, endpoints=[endpoint("demo", authorisation={"one_time": True})])
    daemon.start(restore_signals=False)  # SIGXFSZ stays ignored, so that write(2) fails instead
    daemon.admin.ca_init("demo")
    requests = [Request(challenge=daemon.admin.challenge()) for _ in range(4)]
    ca = daemon.authority()
    server = daemon.child("server")
    soft, hard = resource.prlimit(server, resource.RLIMIT_FSIZE)
    resource.prlimit(server, resource.RLIMIT_FSIZE, (4096, hard))
    outcomes = [ask(daemon, request, ca) for request in requests]
    assert set(outcomes) == {"503"}, outcomes
    assert daemon.admin.certs() == []
    resource.prlimit(server, resource.RLIMIT_FSIZE, (soft, hard))
    assert [ask(daemon, request, ca) for request in requests] == ["SUCCESS"] * 4
    assert len(daemon.admin.certs()) == 4
    with contextlib.closing(sqlite3.connect(daemon.directory / "store.db")) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("damage", ["header", "emptied", "text"])
def test_corrupt_store_is_refused_at_start(one_time, damage):
    request = Request(challenge=one_time.admin.challenge())
    assert one_time.enrol(request).status == "SUCCESS"
    one_time.stop()
    path = one_time.directory / "store.db"
    data = path.read_bytes()
    path.write_bytes(
        {"header": b"\xff" * 100 + data[100:], "emptied": data[:100], "text": b"no store\n" * 900}[damage]
    )
    one_time.spawn()
    assert one_time.process.wait(PATIENCE) != 0
    assert "store.db" in one_time.tail()
    assert path.read_bytes() != b"", "a damaged store must not be replaced"
    one_time.process = None


def test_store_of_a_newer_version_is_refused(one_time):
    one_time.stop()
    with contextlib.closing(sqlite3.connect(one_time.directory / "store.db")) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version = {version + 1000}")
    one_time.spawn()
    code = one_time.process.wait(PATIENCE)
    one_time.process = None
    if version:
        assert code != 0
        assert "version" in one_time.tail()


def test_every_certificate_has_its_event_and_its_consumed_challenge(one_time):
    requests = [Request(challenge=one_time.admin.challenge()) for _ in range(5)]
    certs = [one_time.enrol(request).cert for request in requests]
    one_time.stop()
    with contextlib.closing(sqlite3.connect(one_time.directory / "store.db")) as db:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")}
        assert {"cert", "event", "challenge"} <= tables
    one_time.start()
    for request, cert in zip(requests, certs):
        story = str(one_time.admin.explain(request.transaction_id.decode()))
        assert "issued" in story
        found = one_time.admin.certs(serial=f"{cert.serial_number:x}")
        assert len(found) == 1
    used = [c for c in _challenges(one_time) if c["state"] == "used"]
    assert len(used) == 5


def _challenges(daemon):
    from daemon import listed

    return listed(daemon.admin.call("GET", "/challenges?all=1"))


def test_restart_keeps_everything(one_time):
    cert = one_time.enrol(Request(challenge=one_time.admin.challenge())).cert
    fingerprint = one_time.authority().fingerprint
    one_time.restart()
    assert one_time.authority().fingerprint == fingerprint
    assert len(one_time.admin.certs(serial=f"{cert.serial_number:x}")) == 1
    wait_for("issue after a restart", lambda: _issues(one_time))


def _issues(daemon):
    return daemon.enrol(Request(challenge=daemon.admin.challenge())).status == "SUCCESS"
