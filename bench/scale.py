# SPDX-License-Identifier: Apache-2.0
"""make bench-scale: ten million certificates in the store, a million of them revoked. Enrolments beside
those of an empty store, in turn on the same machine; the revocation list; revocations."""

import http.client
import json
import os
import pathlib
import shutil
import threading
import time

from fill import fill
from measure import bulk_challenges, status_kib

ROUNDS = 3
CONNECTIONS = 16
REVOCATIONS = 300
OCTETS = 4000  # of disk for each certificate: the file, and as much again while indexes are made
GOALS = {
    "enrolments/s, large store / empty": (">=", 0.9),
    "revocation in the large store, median ms": ("<=", 5.0),
    "list of all revoked: memory beside the list itself, MiB": ("<=", 64.0),
}


def endpoints():
    from daemon import endpoint

    return [
        endpoint("demo", authorisation={"one_time": True}),
        {"name": "crl", "protocol": "crl", "path": "/crl/demo", "ca": "demo", "crl": {"interval": "7d", "validity": "14d"}},
    ]


def start(load, name):
    """A daemon that has issued some certificates."""
    from daemon import Daemon

    limits = {"connections_per_address": 0}
    daemon = Daemon(load.directory / name, endpoints=endpoints(), http_limits=limits).start()
    daemon.admin.ca_init("demo")
    load.run(daemon.url(), daemon.process.pid, bulk_challenges(daemon, 100), 100, CONNECTIONS)
    return daemon


def rates(options, load, daemons):
    """name -> the best run; the daemons take turns."""
    runs = {name: [] for name in daemons}
    for _ in range(ROUNDS):
        for name, daemon in daemons.items():
            challenges = bulk_challenges(daemon, options.count)
            run = load.run(daemon.url(), daemon.process.pid, challenges, options.count, CONNECTIONS)
            runs[name].append(run)
    return {name: max(some, key=lambda r: r["per_second"]) for name, some in runs.items()}


class Memory:
    """The largest private memory of the daemon's processes while the block runs."""

    def __init__(self, daemon):
        self.pids = daemon.children()
        self.begin = {role: status_kib(pid, "RssAnon") for role, pid in self.pids.items()}
        self.peak = dict(self.begin)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.02):
            for role, pid in self.pids.items():
                self.peak[role] = max(self.peak[role], status_kib(pid, "RssAnon"))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def make_list(daemon):
    """All of the CA's lists, made anew: seconds, octets and MiB of private memory."""
    from daemon import UnixConnection

    connection = UnixConnection(daemon.admin.path)
    connection.timeout = 600
    with Memory(daemon) as memory:
        begin = time.monotonic()
        connection.request("POST", "/v1/crls/demo", "{}")
        answer = connection.getresponse()
        assert answer.status < 300, answer.read()
        seconds = time.monotonic() - begin
    status, headers, _ = daemon.http("HEAD", "/crl/demo")
    assert status == 200
    return {
        "seconds": seconds,
        "octets": int(headers["Content-Length"]),
        "mib": {role: kib / 1024 for role, kib in memory.peak.items()},
        "grown_mib": sum(memory.peak[r] - memory.begin[r] for r in memory.peak) / 1024,
    }


def revoke(daemon, serials):
    """Milliseconds of each, in order of size."""
    from daemon import UnixConnection

    connection = UnixConnection(daemon.admin.path)
    body = json.dumps({"action": "revoke", "reason": "superseded"})
    times = []
    for serial in serials:
        begin = time.monotonic()
        connection.request("POST", f"/v1/certs/{serial}", body)
        answer = connection.getresponse()
        assert answer.status < 300, answer.read()
        answer.read()
        times.append((time.monotonic() - begin) * 1000)
    return sorted(times)


def sync_time(directory, n=200):
    """Milliseconds that the disk takes to make what is appended durable, which each commit waits for."""
    times = []
    with open(directory / "sync", "wb", buffering=0) as f:
        for _ in range(n):
            begin = time.monotonic()
            f.write(bytes(3 * 4096))
            os.fdatasync(f.fileno())
            times.append((time.monotonic() - begin) * 1000)
    return sorted(times)


def wait_for_list(daemon):
    """The first list is made by the daemon itself."""
    from daemon import wait_for

    try:
        wait_for("first list", lambda: daemon.http("HEAD", "/crl/demo")[0] == 200, 600, 0.2)
    except http.client.HTTPException as e:
        raise SystemExit(f"no list: {e}") from e


def fill_store(options, daemon):
    free, need = shutil.disk_usage(daemon.directory).free, options.certificates * OCTETS
    if free < need:
        raise SystemExit(f"{need >> 30} GiB of disk are needed in {daemon.directory}, {free >> 30} are free")
    daemon.stop()
    begin = time.monotonic()
    good = fill(pathlib.Path(daemon.directory) / "store.db", options.certificates, options.revoked)
    seconds = time.monotonic() - begin
    begin = time.monotonic()
    daemon.start()
    return good, {
        "seconds": seconds,
        "gib": (pathlib.Path(daemon.directory) / "store.db").stat().st_size / 2**30,
        "start_ms": (time.monotonic() - begin) * 1000,
    }


def run(options, load):
    daemons = {"empty": start(load, "empty"), "large": start(load, "large")}
    large = daemons["large"]
    try:
        good, filled = fill_store(options, large)
        wait_for_list(large)
        crl = make_list(large)
        rows = rates(options, load, daemons)
        times = revoke(large, good[:REVOCATIONS])
        under_way = revoke(large, good[REVOCATIONS : 2 * REVOCATIONS])
        disk = sync_time(load.directory)
    finally:
        for daemon in daemons.values():
            daemon.stop(expect=None)
    return {
        "certificates": options.certificates,
        "revoked": options.revoked,
        "fill": filled,
        "rows": rows,
        "crl": crl,
        "milliseconds": {
            "revocation": times,
            "revocation while a list is made": under_way,
            "the disk's fdatasync alone": disk,
        },
        "measured": {
            "enrolments/s, large store / empty": rows["large"]["per_second"] / rows["empty"]["per_second"],
            "revocation in the large store, median ms": times[len(times) // 2],
            "list of all revoked: memory beside the list itself, MiB": crl["grown_mib"],
        },
    }


def show(result):
    filled, crl = result["fill"], result["crl"]
    print(
        f"store of {result['certificates']:,} certificates, {result['revoked']:,} revoked: {filled['gib']:.1f} GiB,"
        f" filled in {filled['seconds']:.0f} s; first answer {filled['start_ms']:.0f} ms after the start"
    )
    for name, r in result["rows"].items():
        print(
            f"  {name:6} {r['per_second']:6.0f} enrolments/s  p50 {r['p50_ms']:.1f} ms  p99 {r['p99_ms']:.1f} ms"
            f"  {r['cpu_us']:.0f} us CPU each"
        )
    print(
        f"revocation list: {crl['octets'] / 2**20:.1f} MiB in {crl['seconds']:.1f} s, private memory at most "
        + ", ".join(f"{mib:.1f} MiB ({role})" for role, mib in crl["mib"].items())
    )
    for name, times in result["milliseconds"].items():
        n = len(times)
        print(f"{name}: median {times[n // 2]:.2f} ms, p99 {times[n * 99 // 100]:.2f} ms")


__all__ = ["GOALS", "run", "show"]
