# SPDX-License-Identifier: Apache-2.0
"""Hostile variants as rows: what comes, the one right answer, and how a row is held to it.

    ROWS = [Row("broken_signature", "an octet of the signature changed", "badMessageCheck",
                "signature does not verify", lambda w: Request(break_signature=True))]

Run as a program, it writes the page that docs/ has of all rows.
"""

import dataclasses
import datetime
import importlib
import json
import pathlib
import sqlite3
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path[:0] = [str(TESTS / "lib"), str(TESTS), str(TESTS / "scenario")]

import pytest  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402

import scep_peer  # noqa: E402
import scep_reply  # noqa: E402
from daemon import Daemon, endpoint, listed, profile, static_hash  # noqa: E402
from scep_peer import Request  # noqa: E402

THEMES = ["test_hostile_urls", "test_hostile_messages", "test_hostile_requests", "test_hostile_life"]
PAGE = TESTS.parent / "docs" / "hostile.md"
REJECTED, UNREADABLE, POLL = "enrol.rejected", "message.unreadable", "poll.rejected"
EXPIRED = "enrol.expired"  # the event is of the request, not of the poll
STATIC = "static for many"


@dataclasses.dataclass
class Row:
    id: str
    what: str  # for the page, after "A request with ..."
    answer: str  # failInfo, or an HTTP status
    says: str  # in the answer's text and in the event's reason
    send: object  # of a World: a Request, or Http
    at: str = "open"  # endpoint
    kind: str = None  # of the event; default: what goes with the answer; "": it was there before

    @property
    def by_http(self):
        return self.answer.isdigit()

    @property
    def event(self):
        if self.kind is not None:
            return self.kind
        return UNREADABLE if self.by_http else REJECTED


@dataclasses.dataclass
class Http:
    """What is sent where a Request as it stands will not do."""

    body: bytes = None
    request: Request = None  # whose transactionID and nonce the answer has
    method: str = "POST"
    query: str = "operation=PKIOperation"


def endpoints():
    one_time, renewing = {"one_time": True}, {"one_time": True, "renewal": True}
    return [
        endpoint("demo", authorisation=one_time),
        endpoint("open"),
        endpoint("strict", profile="strict"),
        endpoint("static", authorisation={"static": [static_hash(STATIC)]}),
        endpoint("legacy", legacy="sha1-3des"),
        endpoint("manual", approval="manual", authorisation=one_time),
        endpoint("brief-queue", approval="manual", pending_lifetime="1s", authorisation=one_time),
        *(
            endpoint(name, profile=name, authorisation=renewing)
            for name in ("renew", "late", "new-key", "same-key", "brief")
        ),
        endpoint("never", profile="renew", authorisation=one_time),
        endpoint("other", ca="other"),
        endpoint("namesake", ca="namesake"),
    ]


def profiles():
    any_time = {"window": "any"}
    return [
        profile(),
        profile("strict", other_subject="forbid"),
        profile("renew", renewal=any_time),
        profile("late"),
        profile("new-key", renewal={**any_time, "new_key": "required"}),
        profile("same-key", renewal={**any_time, "new_key": "forbidden"}),
        profile("brief", validity="2s", backdate="0s", renewal=any_time),
    ]


class World:
    """A daemon with every kind of endpoint, and how a row gets what it abuses."""

    def __init__(self, directory):
        self.daemon = Daemon(directory, profiles=profiles(), endpoints=endpoints()).start()
        self.admin = self.daemon.admin
        for name, subject in ("demo", "demo"), ("other", "other"), ("namesake", "demo"):
            self.admin.ca_init(name, subject=f"CN={subject} CA,O=Scepter test")
        self.future = self.not_yet_valid()
        self.brief = self.enrolled("brief")
        self.brief_end = time.monotonic() + 3.1
        self.authorities = {}

    def ca(self, name):
        if name not in self.authorities:
            self.authorities[name] = self.daemon.authority(name)
        return self.authorities[name]

    def enrolled(self, name="renew", key=None, **changes):
        """A request that was granted, and its certificate."""
        first = Request(key=key, challenge=self.admin.challenge(), **changes)
        reply = self.daemon.enrol(first, name)
        assert reply.status == "SUCCESS", reply.fail_text
        return first, reply.cert

    def not_yet_valid(self):
        """A renewal's certificate is held against the record: let the record be of 2090."""
        first, cert = self.enrolled()
        builder = x509.CertificateBuilder().subject_name(cert.subject).issuer_name(cert.issuer)
        builder = builder.public_key(first.key.public_key()).serial_number(cert.serial_number)
        builder = builder.not_valid_before(datetime.datetime(2090, 1, 1))
        future = builder.not_valid_after(datetime.datetime(2091, 1, 1)).sign(first.key, hashes.SHA256())
        self.daemon.stop()
        with sqlite3.connect(self.daemon.directory / "store.db") as db:
            changed = (scep_reply.der_of(future), scep_reply.der_of(cert))
            assert db.execute("UPDATE cert SET der = ? WHERE der = ?", changed).rowcount == 1
        self.daemon.start()
        return first, future

    def expired(self):
        time.sleep(max(0, self.brief_end - time.monotonic()))
        return self.brief

    def pending(self, name="manual", **changes):
        request = Request(challenge=self.admin.challenge(), **changes)
        assert self.daemon.enrol(request, name).status == "PENDING"
        return request

    def decide(self, request, verb):
        tid = request.transaction_id.decode()
        waiting = listed(self.admin.call("GET", "/requests?limit=1000"))
        number = next(r["id"] for r in waiting if r["transaction"] == tid)
        self.admin.call("POST", f"/requests/{number}/{verb}", {})

    # ---- the record ----

    def last_event(self):
        return listed(self.admin.call("GET", "/audit/events?newest=1&limit=1"))[-1]["id"]

    def events_after(self, number):
        return listed(self.admin.call("GET", f"/audit/events?after={number}&limit=1000"))

    def issued(self):
        return len(self.admin.certs(limit=1000))

    def close(self):
        """Alive, and without a leak: the sanitizers of the build look at the end."""
        assert self.daemon.enrol(Request(), "open").status == "SUCCESS"
        self.daemon.ctl("audit", "verify")
        self.daemon.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("hostile"))
    yield made
    made.close()


def send(world, row):
    """status, body, and the request that a CertRep would answer."""
    sent = row.send(world)
    before = world.issued(), world.last_event()
    if isinstance(sent, Request):
        sent = Http(sent.build(world.ca(row.at)), sent)
    target = f"/scep/{row.at}?{sent.query}"
    headers = {"Content-Type": "application/x-pki-message"} if sent.body else {}
    status, _, body = world.daemon.http(sent.method, target, sent.body, headers)
    return before, status, body, sent.request


def check(world, row):
    """The answer is exactly that, one event names it, and no certificate came of it."""
    (certs, event), status, body, request = send(world, row)
    if row.by_http:
        assert status == int(row.answer), f"{status}: {body[:300]}"
        text = body.decode()
    else:
        assert status == 200, f"{status}: {body[:300]}"
        reply = scep_reply.open_reply(body, request, world.ca(row.at))
        assert reply.status == "FAILURE", reply.status
        assert reply.fail_info == row.answer, reply.fail_text
        text = reply.fail_text
    assert row.says in text, text
    if row.event:
        check_event(row, world.events_after(event), request)
    else:
        assert not world.events_after(event)
        assert world.admin.explain(request.transaction_id.decode())["outcome"] == "rejected"
    assert world.issued() == certs
    assert world.daemon.process.poll() is None


def check_event(row, events, request):
    events = [e for e in events if e["kind"] != "audit.checkpoint"]
    assert [e["kind"] for e in events] == [row.event], events
    event = events[0]
    if row.event == EXPIRED:
        return
    assert event["endpoint"] == row.at and event["actor"] == "127.0.0.1"
    assert row.says in event["reason"], event["reason"]
    steps = json.loads(event["detail"])
    assert any(not s["ok"] and s["step"] != "decision" for s in steps), steps
    if row.event != UNREADABLE:
        omitted = scep_peer.TRANSACTION_ID in request.omit
        sent = b"" if omitted else request.transaction_id
        assert bytes.fromhex(event.get("transaction", "")) == sent[:512]


# ---- the page ----

HEAD = """# A hundred hostile variants, and what becomes of them

Each row is sent to a running server by a peer that shares no code with it. The server gives exactly
this answer: a signed CertRep FAILURE with that failInfo, or the HTTP status where the message cannot
be answered in SCEP's own form. Its text names what is wrong; the same text stands in the audit record
(`enrol.rejected`, `poll.rejected`, or `message.unreadable` for what HTTP answers); no certificate is
issued. A refusal that cannot be put on record is not given: the answer is then 503.

The page is made from the tests' own rows by `python3 tests/lib/hostile.py`, and a test holds it to
them. `make test` runs each row.
"""


def page():
    lines, total = [HEAD], 0
    for name in THEMES:
        theme = importlib.import_module(name)
        lines += [f"## {theme.TITLE}", "", f"`tests/scenario/{name}.py`", ""]
        lines += ["| variant | answer | test id |", "|---|---|---|"]
        lines += [f"| {r.what} | {answer_text(r)} | `{r.id}` |" for r in theme.ROWS]
        lines.append("")
        total += len(theme.ROWS)
    return "\n".join([*lines, f"{total} variants in all."]) + "\n"


def answer_text(row):
    return f"HTTP {row.answer}" if row.by_http else row.answer


if __name__ == "__main__":
    PAGE.write_text(page())
