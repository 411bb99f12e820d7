# SPDX-License-Identifier: Apache-2.0
"""The audit record: every decision is in it, and nobody can change it unseen."""

import json
import random
import re
import sqlite3
import time

import pytest

import audit_export
from daemon import ROOT, Daemon, wait_for
from scep_peer import Request

SECONDS = {"checkpoint_events": 5, "checkpoint_seconds": 1}


@pytest.fixture
def recorded(make_daemon, tmp_path):
    """A daemon with some decisions behind it, and a checkpoint behind these."""
    daemon = make_daemon(audit=SECONDS)
    for i in range(4):
        assert daemon.enrol(Request(subject={"common_name": f"device-{i}"})).status == "SUCCESS"
    assert daemon.enrol(Request(subject={"common_name": "no good: €"})).status == "FAILURE"
    wait_for("a checkpoint", lambda: tail(daemon)[-1]["kind"] == "audit.checkpoint")
    return daemon


def tail(daemon, limit=1000):
    lines = daemon.ctl("--json", "audit", "tail", "--limit", str(limit)).stdout
    return [json.loads(line) for line in lines.splitlines()]


def checkpoints(daemon):
    return [e for e in tail(daemon) if e["kind"] == "audit.checkpoint"]


def export(daemon, *arguments):
    path = daemon.directory / "audit.jsonl"
    daemon.ctl("audit", "export", str(path), *arguments)
    assert path.stat().st_mode & 0o777 == 0o600
    return path


def public_key(daemon):
    path = daemon.directory / "audit.pem"
    path.write_text(daemon.ctl("audit", "key").stdout)
    return path


def verify(daemon, path, key, check=False):
    return daemon.ctl("audit", "verify", str(path), "--public-key", str(key), check=check)


def test_two_verifiers_agree_on_an_export(recorded):
    path, key = export(recorded), public_key(recorded)
    events = audit_export.verify(path.read_bytes(), key.read_bytes())
    kinds = [e["kind"] for e in events]
    assert kinds[0] == "audit.key_created"
    assert kinds.count("enrol.issued") == 4 and kinds.count("enrol.rejected") == 1
    assert "ca.created" in kinds and "audit.checkpoint" in kinds
    issued = next(e for e in events if e["kind"] == "enrol.issued")
    assert issued["endpoint"] == "demo" and issued["actor"] == "127.0.0.1"
    run = verify(recorded, path, key, check=True)
    assert f"events 1 to {len(events)} are as they were written" in run.stdout
    recorded.stop()
    assert verify(recorded, path, key).returncode == 0, "it needs no server"


def test_any_change_is_found_by_both(recorded):
    path, key = export(recorded), public_key(recorded)
    good = path.read_bytes()
    lines = good[:-1].split(b"\n")
    chosen = random.Random(7)
    changed = {
        "dropped": lines[:3] + lines[4:],
        "swapped": lines[:3] + [lines[4], lines[3]] + lines[5:],
        "repeated": lines[:4] + lines[3:],
        "truncated": lines[:-1],
        "beginning gone": [lines[0]] + lines[2:],
        "added": lines + lines[-1:],
        "headless": lines[1:],
        "white space": lines[:3] + [lines[3].replace(b":", b": ", 1)] + lines[4:],
        "blank line": lines[:3] + [b""] + lines[3:],
    }
    copies = {name: b"\n".join(v) + b"\n" for name, v in changed.items()}
    copies["no last line feed"] = good[:-1]
    copies["one octet more"] = good + b"\n"
    copies["empty"] = b""
    for _ in range(40):
        at = chosen.randrange(len(good))
        copies[f"octet {at}"] = good[:at] + bytes([good[at] ^ chosen.choice((1, 2, 32, 128))]) + good[at + 1 :]
    for name, data in copies.items():
        path.write_bytes(data)
        run = verify(recorded, path, key)
        assert run.returncode != 0, name
        assert "event" in run.stderr or "head" in run.stderr or "line" in run.stderr or "empty" in run.stderr, (
            name,
            run.stderr,
        )
        with pytest.raises(audit_export.Bad):
            audit_export.verify(data, key.read_bytes())
            pytest.fail(f"the oracle takes: {name}")
    path.write_bytes(copies["dropped"])
    assert "event 3 is missing" in verify(recorded, path, key).stderr


def test_a_part_by_number_and_time(recorded):
    key = public_key(recorded)
    path = export(recorded, "--from", "3", "--to", "6")
    events = audit_export.verify(path.read_bytes(), key.read_bytes())
    assert [e["id"] for e in events] == [3, 4, 5, 6]
    assert verify(recorded, path, key).returncode == 0
    today = time.strftime("%Y-%m-%d", time.gmtime())
    path = export(recorded, "--from", today[:8] + "01", "--to", "2099-12-31")
    assert len(audit_export.verify(path.read_bytes(), key.read_bytes())) > 6
    path = export(recorded, "--from", events[2]["time"])
    assert audit_export.verify(path.read_bytes(), key.read_bytes())[0]["time"] == events[2]["time"]
    for arguments in (["--from", "2099-01-01"], ["--to", "100000"], ["--from", "5", "--to", "4"]):
        assert recorded.ctl("audit", "export", str(path), *arguments, check=False).returncode != 0
    assert recorded.ctl("audit", "export", str(path), "--from", "soon", check=False).returncode != 0


def test_a_change_in_the_database_is_found(recorded):
    """Also one by who makes all hashes anew: the checkpoints stay."""
    key = public_key(recorded)
    victim = next(e["id"] for e in tail(recorded) if e["kind"] == "enrol.rejected")
    recorded.stop()
    with sqlite3.connect(recorded.directory / "store.db") as db:
        db.execute("UPDATE event SET reason = 'all is well' WHERE id = ?", (victim,))
    recorded.start()
    run = recorded.ctl("audit", "verify", check=False)
    assert run.returncode != 0 and f"event {victim}" in run.stderr
    recorded.stop()
    rehash(recorded, victim)
    recorded.start()
    path = export(recorded)
    run = verify(recorded, path, key)
    assert run.returncode != 0 and "the hashes made anew" in run.stderr, run.stderr
    with pytest.raises(audit_export.Bad, match="checkpoint"):
        audit_export.verify(path.read_bytes(), key.read_bytes())


def rehash(daemon, first):
    names = ("id", "time", *audit_export.FIELDS)
    with sqlite3.connect(daemon.directory / "store.db") as db:
        before = db.execute("SELECT hash FROM event WHERE id = ?", (first - 1,)).fetchone()[0]
        columns = "id, time, kind, endpoint, transaction_id, ca, serial, actor, reason, detail"
        rows = db.execute(f"SELECT {columns} FROM event WHERE id >= ? ORDER BY id", (first,)).fetchall()
        for row in rows:
            event = {n: v for n, v in zip(names, row) if v is not None}
            event["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event["time"]))
            for name in ("transaction", "serial"):
                if name in event:
                    event[name] = event[name].hex()
            before = audit_export.event_hash(event, before)
            db.execute("UPDATE event SET hash = ? WHERE id = ?", (before, event["id"]))


def test_checkpoints_come_by_number_time_and_at_the_end(make_daemon):
    daemon = make_daemon(audit={"checkpoint_events": 1000, "checkpoint_seconds": 3600})
    assert not checkpoints(daemon)
    daemon.restart()
    assert len(checkpoints(daemon)) == 1
    daemon.restart()
    assert len(checkpoints(daemon)) == 1, "nothing came since"
    daemon.stop()
    daemon.config["audit"] = {"checkpoint_events": 3, "checkpoint_seconds": 3600}
    daemon.write_config()
    daemon.start()
    for i in range(4):
        daemon.enrol(Request(subject={"common_name": f"device-{i}"}))
    wait_for("a checkpoint by number", lambda: len(checkpoints(daemon)) == 2)
    daemon.ctl("audit", "verify")


def test_the_page_has_every_kind():
    """docs/audit.md has the kinds that the sources have, and no other."""
    said = set(re.findall(r"`([a-z]+\.[a-z_]+)`", (ROOT / "docs" / "audit.md").read_text()))
    literal = r'"([a-z]+\.[a-z_]+)"'
    sources = {p: p.read_text() for p in (ROOT / "src").rglob("*.c")}
    settings = {s for p, t in sources.items() if p.parent.name == "config" for s in re.findall(literal, t)}
    text = "".join(t for p, t in sources.items() if p.parent.name != "config")
    prefixes = {kind.split(".")[0] for kind in said} - {"docs", "tests", "admin", "backup", "crl"}
    literals = set(re.findall(literal, text)) - settings - {"ca.cer"}  # a file's name
    assert not {k for k in literals if k.split(".")[0] in prefixes} - said
    kinds = {k for k in said if not k.startswith(("docs.", "tests.", "scepterd."))}
    assert not {k for k in kinds if f'"{k}"' not in text and k != "audit.checkpoint"}


def test_the_key_is_for_nothing_else(make_daemon):
    daemon = make_daemon()
    rule = (daemon.directory / "keys" / "audit.rule").read_text().split("\n")
    yes = [line for line in rule if line.endswith(" yes")]
    assert yes == ["audit yes"]


def test_a_lost_keeper_and_a_crash_leave_a_good_chain(make_daemon):
    daemon: Daemon = make_daemon(audit=SECONDS)
    daemon.enrol(Request(subject={"common_name": "before"}))
    daemon.kill_all()
    daemon.start()
    daemon.enrol(Request(subject={"common_name": "after"}))
    daemon.ctl("audit", "verify")
