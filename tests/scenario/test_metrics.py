# SPDX-License-Identifier: Apache-2.0
"""What monitoring sees: metrics in a form that Prometheus' own parser reads, health and readiness."""

import calendar
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

import daemon as lib
from daemon import PATIENCE, UnixConnection, endpoint, free_port, wait_for
from scep_peer import Request

MANUAL = {"approval": "manual", "authorisation": {"one_time": True}}


class Page:
    """A scrape, as the parser of Prometheus' Python client reads it."""

    def __init__(self, text):
        self.text = text
        self.families = {f.name: f for f in text_string_to_metric_families(text)}
        self.samples = {}
        for family in self.families.values():
            for s in family.samples:
                key = (s.name, frozenset(s.labels.items()))
                assert key not in self.samples, f"twice: {s}"
                self.samples[key] = s.value

    def get(self, name, **labels):
        return self.samples.get((name, frozenset(labels.items())))


def ask(daemon, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", daemon.metrics_port, timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()


def scrape(daemon):
    status, headers, text = ask(daemon, "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return Page(text)


@pytest.fixture
def make_watched(make_daemon):
    def make(**options):
        port = free_port()
        made = make_daemon(start=False, metrics={"port": port}, **options)
        made.metrics_port = port
        return made.start()

    return make


@pytest.fixture
def watched(make_watched):
    """With every protocol, and one endpoint whose CA is not there."""
    daemon = make_watched(
        endpoints=[
            endpoint("demo"),
            endpoint("manual", **MANUAL),
            {"name": "crl", "protocol": "crl", "path": "/crl/demo", "ca": "demo", "crl": {"delta": "5m"}},
            {"name": "ocsp", "protocol": "ocsp", "path": "/ocsp/demo", "ca": "demo"},
        ]
    )
    daemon.admin.ca_init("demo", ra="split")
    wait_for("the list", lambda: daemon.http("GET", "/crl/demo")[0] == 200)
    return daemon


def request_of(page, **labels):
    labels = {"reason": "", **labels}
    return page.get("scepter_requests_total", **labels)


def test_requests_are_counted(watched):
    """Endpoint, operation, outcome and failInfo, as the device saw them."""
    scep = {"endpoint": "demo", "protocol": "scep"}
    before = scrape(watched)
    for _ in range(3):
        assert watched.enrol(Request()).status == "SUCCESS"
    assert watched.enrol(Request(subject={"common_name": "?"})).status == "FAILURE"
    assert watched.enrol(Request(digest="sha1")).status == "FAILURE"
    waiting = Request(challenge=watched.admin.challenge())
    assert watched.enrol(waiting, "manual").status == "PENDING"
    assert watched.http("GET", "/nowhere")[0] == 404
    assert watched.post("demo", b"no message")[0] == 400
    page = scrape(watched)
    assert request_of(before, operation="PKCSReq", outcome="success", **scep) is None
    assert request_of(page, operation="PKCSReq", outcome="success", **scep) == 3
    failed = {"operation": "PKCSReq", "outcome": "failure", **scep}
    assert request_of(page, reason="badRequest", **failed) == 1
    assert request_of(page, reason="badAlg", **failed) == 1
    assert request_of(page, operation="PKIOperation", outcome="refused", reason="Bad Request", **scep) == 1
    queued = {"endpoint": "manual", "protocol": "scep", "operation": "PKCSReq"}
    assert request_of(page, outcome="pending", **queued) == 1
    nowhere = {"endpoint": "none", "protocol": "none", "operation": "none"}
    assert request_of(page, outcome="refused", reason="Not Found", **nowhere) == 1
    assert request_of(page, operation="GetCACert", outcome="success", **scep) >= 1
    assert page.get("scepter_requests_pending") == 1


def test_durations_are_counted(watched):
    for _ in range(4):
        watched.enrol(Request())
    page = scrape(watched)
    whole = {"protocol": "scep", "operation": "PKCSReq"}
    for name, labels in (
        ("scepter_request_duration_seconds", whole),
        ("scepter_keeper_call_duration_seconds", {"call": "sign-certificate"}),
        ("scepter_keeper_call_duration_seconds", {"call": "decrypt"}),
        ("scepter_store_commit_duration_seconds", {}),
        ("scepter_store_transaction_duration_seconds", {}),
    ):
        count = page.get(name + "_count", **labels)
        assert count >= 4, name
        buckets = [
            (float(dict(labels_of)["le"]), value)
            for (n, labels_of), value in page.samples.items()
            if n == name + "_bucket" and labels.items() <= dict(labels_of).items()
        ]
        values = [value for _, value in sorted(buckets)]
        assert values == sorted(values) and values[-1] == count, name
        assert 0 < page.get(name + "_sum", **labels) < 60, name
    assert page.get("scepter_request_duration_seconds_count", **whole) == 4


def test_what_ends_and_when(watched):
    page = scrape(watched)
    days = {
        tuple(sorted(dict(labels).items())): value
        for (name, labels), value in page.samples.items()
        if name == "scepter_certificate_expiry_days"
    }
    roles = {dict(k)["role"]: v for k, v in days.items()}
    assert set(roles) >= {"ca", "ra-sign", "ra-encrypt"}
    cert = watched.authority().cert
    shown = page.get("scepter_certificate_not_after_timestamp_seconds", ca="demo", generation="1", role="ca")
    assert shown == calendar.timegm(cert.not_valid_after.timetuple())
    assert abs(roles["ca"] - (shown - time.time()) / 86400) < 0.01
    crl = page.get("scepter_crl_next_update_timestamp_seconds", ca="demo", list="full.crl")
    assert abs(page.get("scepter_crl_expiry_days", ca="demo", list="full.crl") - (crl - time.time()) / 86400) < 0.01
    assert page.get("scepter_crl_entries", ca="demo", list="full.crl") == 0


def test_process_and_record(watched):
    page = scrape(watched)
    server = watched.child("server")
    rss = page.get("process_resident_memory_bytes")
    with open(f"/proc/{server}/statm") as statm:
        assert abs(rss - int(statm.read().split()[1]) * 4096) < 64 << 20
    assert abs(page.get("process_open_fds") - len(os.listdir(f"/proc/{server}/fd"))) < 10
    assert abs(page.get("process_start_time_seconds") - time.time()) < 600
    assert page.get("scepter_build_info", version=_version()) == 1
    assert page.get("scepter_audit_last_event") >= watched.events()[-1]["id"] - 1 > 0
    assert page.get("scepter_store_writable") == 1
    assert page.get("scepter_http_connections") >= 0
    assert page.get("scepter_store_file_bytes") > 0


def _version():
    return subprocess.run([lib.program("scepterd"), "--version"], capture_output=True, text=True).stdout.split()[1]


def is_alive_before_it_is_ready(daemon):
    """/healthz does not wait for what /readyz waits for."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        readiness = pool.submit(ask, daemon, "/readyz")
        status, _, text = ask(daemon, "/healthz")
        assert (status, json.loads(text)) == (200, {"alive": True})
        return not readiness.done()


def test_a_dead_keeper_is_counted_and_not_ready(make_watched):
    daemon = make_watched()
    daemon.admin.ca_init("demo")
    assert ask(daemon, "/readyz")[0] == 200
    assert scrape(daemon).get("scepter_process_restarts_total", process="keeper") == 0
    keeper = daemon.child("keeper")
    os.kill(keeper, signal.SIGSTOP)
    wait_for("a keeper that stands still", lambda: _stands_still(keeper))
    try:
        # unless the machine stalls, which it will not do eight times
        assert any(is_alive_before_it_is_ready(daemon) for _ in range(8))
        status, _, text = ask(daemon, "/readyz")
        assert status == 503
        assert [n["what"] for n in json.loads(text)["not_ready"]] == ["keeper"]
    finally:
        os.kill(keeper, signal.SIGKILL)
    wait_for("a new keeper", lambda: daemon.children().get("keeper", keeper) != keeper)
    wait_for("readiness", lambda: ask(daemon, "/readyz")[0] == 200)
    page = scrape(daemon)
    assert page.get("scepter_process_restarts_total", process="keeper") == 1
    assert page.get("scepter_process_restarts_total", process="server") == 0
    assert page.get("scepter_keeper_unanswered_total") >= 1
    os.kill(daemon.child("server"), signal.SIGKILL)
    wait_for("a new server", lambda: _restarts(daemon, "server") == 1)
    assert _restarts(daemon, "keeper") == 1, "the parent counts, not the server"


def _stands_still(pid):
    # every thread of it: the signal takes its time on a busy machine
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/stat")
    return all(t.read_text().rpartition(") ")[2][0] == "T" for t in tasks)


def _restarts(daemon, process):
    with contextlib.suppress(OSError, http.client.HTTPException):
        return scrape(daemon).get("scepter_process_restarts_total", process=process)


def test_a_missing_ca_is_not_ready(make_watched):
    daemon = make_watched(endpoints=[endpoint("demo"), endpoint("again"), endpoint("other", ca="other")])
    status, _, text = ask(daemon, "/readyz")
    named = sorted(n["name"] for n in json.loads(text)["not_ready"])
    assert (status, named) == (503, ["demo", "other"])
    daemon.admin.ca_init("demo")
    assert [n["name"] for n in json.loads(ask(daemon, "/readyz")[2])["not_ready"]] == ["other"]
    daemon.admin.ca_init("other")
    status, _, text = ask(daemon, "/readyz")
    assert (status, json.loads(text)) == (200, {"ready": True, "not_ready": []})


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs root to mount a small file system")
def test_a_full_disk_is_not_ready(make_watched, tmp_path):
    small = tmp_path / "daemon"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        daemon = make_watched()
        daemon.admin.ca_init("demo")
        assert ask(daemon, "/readyz")[0] == 200
        with contextlib.suppress(OSError), open(small / "ballast", "wb") as ballast:
            while True:
                ballast.write(bytes(4096))
                ballast.flush()
        for _ in range(200):
            with contextlib.suppress(Exception):
                daemon.admin.challenge()
        status, _, text = wait_for("a full store", lambda: (a := ask(daemon, "/readyz"))[0] == 503 and a)
        assert "store" in [n["what"] for n in json.loads(text)["not_ready"]]
        assert scrape(daemon).get("scepter_store_writable") == 0
        (small / "ballast").unlink()
        wait_for("a store that writes again", lambda: ask(daemon, "/readyz")[0] == 200)
        daemon.stop()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_unix_socket(make_daemon, tmp_path):
    path = tmp_path / "metrics.sock"
    daemon = make_daemon(metrics={"socket": str(path)})
    assert path.stat().st_mode & 0o777 == 0o660
    connection = UnixConnection(path)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        page = Page(connection.getresponse().read().decode())
    assert page.get("scepter_store_writable") == 1
    daemon.stop()
    assert not path.exists()


def test_names_follow_the_conventions(watched):
    """prometheus.io/docs/practices/naming: one prefix, base units, _total on counters; all with help."""
    watched.enrol(Request())
    page = scrape(watched)
    for name, family in page.families.items():
        assert re.fullmatch(r"(scepter|process)_[a-z0-9_]+", name)
        assert family.documentation.endswith("."), name
        assert family.type != "unknown", name
        assert (family.type == "counter") == (f"# TYPE {name}_total counter" in page.text), name
    if shutil.which("promtool"):
        run = subprocess.run(["promtool", "check", "metrics"], input=page.text, capture_output=True, text=True)
        found = [line for line in run.stderr.splitlines() if "_expiry_days use base unit" not in line]
        assert not found, "days are for people; the timestamps beside them are in the base unit"


def test_the_list_in_the_documentation_is_complete(watched):
    watched.enrol(Request())
    text = (lib.ROOT / "docs/monitoring.md").read_text()
    documented = set(re.findall(r"^\| `((?:scepter|process)_[a-z_]+)", text, re.M))
    shown = set(re.findall(r"^# TYPE (\S+)", scrape(watched).text, re.M))
    assert documented == shown


def test_it_is_no_way_in(watched):
    """Other paths and methods are refused, and the endpoints are not here."""
    assert ask(watched, "/")[0] == 404
    assert ask(watched, "/scep/demo?operation=GetCACaps")[0] == 404
    assert ask(watched, "/v1/status")[0] == 404
    assert ask(watched, "/metrics", "POST")[0] == 405
    assert watched.http("GET", "/metrics")[0] == 404
    with socket.create_connection(("127.0.0.1", watched.metrics_port)) as s:
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n")
        assert b" 400 " in s.recv(100)


def test_labels_are_bounded(watched):
    """What a stranger sends makes no labels."""
    for i in range(30):
        watched.http("GET", f"/scep/demo{i}?operation=Op{i}")
        watched.get("demo", f"Operation{i}")
    before = len(scrape(watched).samples)
    for i in range(30, 60):
        watched.http("GET", f"/scep/demo{i}?operation=Op{i}")
        watched.get("demo", f"Operation{i}")
    assert len(scrape(watched).samples) == before
