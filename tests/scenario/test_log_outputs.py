# SPDX-License-Identifier: Apache-2.0
"""Log lines and events reach collectors, and a collector that fails never holds up a device."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import socket
import threading
import time

import pytest

import audit_export
from daemon import PATIENCE, wait_for
from scep_peer import Request
from syslog_receiver import Collector, certificate

JOURNAL = pathlib.Path("/run/systemd/journal/socket")
OUTPUT_SECONDS = 5  # so long the daemon waits for a collector that takes nothing
QUEUE_LINES = 4096  # for each output, in the daemon


def syslog(collector, transport, **changes):
    return {
        "type": "syslog",
        "transport": transport,
        "host": "127.0.0.1",
        "port": collector.port,
        "facility": "local3",
        "events": True,
        **changes,
    }


def with_outputs(make_daemon, *outputs, **options):
    return make_daemon(log={"level": "info", "access": True, "outputs": list(outputs)}, **options)


@pytest.fixture(params=["udp", "tcp", "tls"])
def collected(request, make_daemon, tmp_path):
    transport, changes, context = request.param, {}, None
    if transport == "tls":
        path, context = certificate(tmp_path)
        changes["ca"] = str(path)
    collector = Collector("udp" if transport == "udp" else "tcp", context)
    yield with_outputs(make_daemon, syslog(collector, transport, **changes)), collector
    collector.close()


def test_lines_and_events_arrive(collected):
    daemon, collector = collected
    request = Request(subject={"common_name": 'no "good" ] \\ name'}, transaction_id="tx-1]\\\"")
    assert daemon.enrol(request).status == "FAILURE"
    assert daemon.enrol(Request(subject={"common_name": "good"})).status == "SUCCESS"
    wait_for("the events", lambda: "enrol.issued" in collector.ids())
    daemon.stop()
    wait_for("the last checkpoint", lambda: collector.ids().count("audit.checkpoint") >= 1)
    assert not collector.errors
    rejected = next(m for m in collector.messages if m.id == "enrol.rejected")
    assert rejected.facility == 19 and rejected.severity == 5
    assert rejected.app == "scepterd" and rejected.host == socket.gethostname()
    assert rejected.data["endpoint"] == "demo" and rejected.data["actor"] == "127.0.0.1"
    events = [json.loads(m.text) for m in collector.messages if m.id != "log"]
    assert [e["id"] for e in events] == list(range(1, len(events) + 1)), "all, once, in order"
    before = bytes(32)
    for event in events:
        before = audit_export.event_hash(event, before)
        assert event["hash"] == before.hex()
    lines = [m for m in collector.messages if m.id == "log"]
    rejection = next(m for m in lines if m.text == "enrolment rejected")
    assert rejection.severity == 4 and rejection.data["endpoint"] == "demo"
    assert any("path" in m.data for m in lines), "the access log"
    own = [x for x in daemon.log_lines() if x.get("process") == "server"]
    assert not [x for x in own if x["msg"] == "enrolment rejected"], "not on standard error, too"


def test_outputs_add_up(make_daemon):
    one, two = Collector("udp"), Collector("tcp")
    daemon = with_outputs(
        make_daemon, {"type": "stderr"}, syslog(one, "udp", events=False), syslog(two, "tcp")
    )
    daemon.enrol(Request())
    issued = lambda c: [m for m in c.messages if m.text == "certificate issued"]  # noqa: E731
    wait_for("both", lambda: issued(one) and issued(two) and "enrol.issued" in two.ids())
    wait_for("standard error", lambda: [x for x in daemon.log_lines() if x["msg"] == "certificate issued"])
    assert set(one.ids()) == {"log"}
    daemon.stop()
    one.close()
    two.close()


def test_a_collector_that_is_away_gets_the_events_later(make_daemon):
    collector = Collector("tcp")
    daemon = with_outputs(make_daemon, {"type": "stderr"}, syslog(collector, "tcp"))
    wait_for("the first events", lambda: "ca.created" in collector.ids())
    collector.close()
    for _ in range(3):
        assert daemon.enrol(Request()).status == "SUCCESS"
    wait_for("the complaint", lambda: said(daemon, "log output fails"))
    again = Collector("tcp", port=collector.port)
    wait_for("the events", lambda: again.ids().count("enrol.issued") >= 2)
    wait_for("the good news", lambda: said(daemon, "log output works again"))
    assert not again.errors
    again.close()


def said(daemon, text):
    return [x for x in daemon.log_lines() if text in x["msg"]]


def ask_until(daemon, done):
    """Requests, four at a time, until done(so many were asked). None may wait for a collector."""
    asked, lost = [], [0]

    def ask():
        while not stop.is_set():
            began, before = time.monotonic(), sum(lost)
            assert daemon.get("demo", "GetCACaps", suffix="/" + 250 * "x")[0] == 200
            took = time.monotonic() - began
            if took >= OUTPUT_SECONDS:
                time.sleep(1)  # for the watch to count what was lost
                assert took - (sum(lost) - before) < OUTPUT_SECONDS
            asked.append(True)

    def watch():
        """A machine that stands still is no collector's fault."""
        while not stop.is_set():
            began = time.monotonic()
            time.sleep(0.1)
            took = time.monotonic() - began
            if took > 0.5:
                lost.append(took)

    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        pool.submit(watch)
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            wait_for("enough", lambda: done(len(asked)) or any(a.done() for a in asking), 4 * PATIENCE, 0.2)
        finally:
            stop.set()
    for a in asking:
        a.result()


@pytest.mark.parametrize("mode", ["deaf", "gone"])
def test_no_request_waits_for_a_collector(make_daemon, mode):
    collector = Collector("tcp", mode="deaf", most=1)
    if mode == "gone":
        collector.close()
    daemon = with_outputs(make_daemon, {"type": "stderr"}, syslog(collector, "tcp"))
    assert daemon.enrol(Request()).status == "SUCCESS"
    if mode == "deaf":  # the kernel takes some megabytes before it says no
        ask_until(daemon, lambda _: b"takes nothing for" in daemon.log_path.read_bytes())
    # nobody takes a line any more, and more of them are written than the queue holds
    ask_until(daemon, lambda n: n > QUEUE_LINES)
    assert daemon.enrol(Request()).status == "SUCCESS"
    collector.close()
    # whoever comes back is told how much he missed
    again = Collector("tcp", port=collector.port)
    dropped = wait_for("the count", lambda: [m for m in again.messages if "dropped" in m.data])
    assert int(dropped[0].data["dropped"]) > 0
    wait_for("the complaint", lambda: said(daemon, "log lines dropped"))
    again.close()


def test_tls_checks_the_collector(make_daemon, tmp_path):
    """A certificate for another address, or from nobody we know, gets nothing."""
    path, context = certificate(tmp_path, "127.0.0.2")
    collector = Collector("tcp", context)
    daemon = with_outputs(
        make_daemon, {"type": "stderr"}, syslog(collector, "tls", ca=str(path)), syslog(collector, "tls")
    )
    wait_for("two complaints", lambda: len(said(daemon, "log output fails")) == 2)
    assert not collector.messages
    assert daemon.enrol(Request()).status == "SUCCESS"
    collector.close()


@pytest.mark.skipif(JOURNAL.exists() or os.geteuid() != 0, reason="needs a place for journald's socket")
def test_journald_gets_fields(make_daemon):
    JOURNAL.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(JOURNAL))
        try:
            entries = []
            threading.Thread(target=read_journal, args=(journal, entries), daemon=True).start()
            daemon = with_outputs(make_daemon, {"type": "journald", "events": True})
            daemon.enrol(Request())
            wait_for("the event", lambda: [e for e in entries if e.get("SCEPTER_KIND") == "enrol.issued"])
            daemon.stop()
        finally:
            JOURNAL.unlink()
    line = next(e for e in entries if e.get("MESSAGE") == "certificate issued")
    assert line["PRIORITY"] == "6" and line["SYSLOG_IDENTIFIER"] == "scepterd"
    assert line["SCEPTER_ENDPOINT"] == "demo"
    event = next(e for e in entries if e.get("SCEPTER_KIND") == "enrol.issued")
    assert event["SYSLOG_IDENTIFIER"] == "scepterd-audit" and len(event["SCEPTER_HASH"]) == 64


def read_journal(journal, entries):
    with contextlib.suppress(OSError):
        while True:
            entries.append(journal_fields(journal.recv(1 << 20)))


def journal_fields(datagram):
    fields = {}
    for line in datagram.split(b"\n"):
        name, equals, value = line.partition(b"=")
        if equals:
            fields[name.decode()] = value.decode()
    return fields


def test_lines_of_all_processes_arrive(make_daemon):
    """Parent and keeper log to the server's outputs: also what they said while there was no server."""
    collector = Collector("udp")
    daemon = with_outputs(make_daemon, syslog(collector, "udp"), syslog(collector, "udp", events=False))
    texts = lambda process: [  # noqa: E731
        m.text for m in collector.messages if m.id == "log" and m.data.get("process") == process
    ]
    wait_for("the parent's lines", lambda: texts("parent").count("ready") >= 2)
    assert texts("parent").count("listening") >= 4, "said before the server took them, at both outputs"
    os.kill(daemon.child("server"), signal.SIGKILL)
    wait_for("the death of the server", lambda: "process ended; it will be restarted" in texts("parent"))
    os.kill(daemon.child("keeper"), signal.SIGKILL)
    ended = lambda: texts("parent").count("process ended; it will be restarted")  # noqa: E731
    wait_for("the death of the keeper", lambda: ended() >= 4)
    assert any(x["msg"] == "listening" for x in daemon.log_lines()), "on standard error in any case"
    assert not collector.errors
    daemon.stop()
    collector.close()
