#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: what an enrolment costs, beside the private-key work that nobody can avoid, and an OCSP
answer beside a static reply (--only enrol, --only ocsp, --only est).
make bench-scale (--only scale): both and revocation in a store of ten million certificates.

enrol: in one run, on the same machine: scepterd with a P-256 CA and with an RSA-2048 CA (RA RSA-2048,
one-time challenges, events, synchronous=FULL), and the Go scepserver with an RSA-2048 CA; before and after
each run the bare private-key operations (bench-raw). Rows of 16 kept connections, which the goals are about,
are the median of three runs. Server CPU is user + system time of all of its processes, from /proc.
The load generator runs on the same cores, so enrolments/s are those of a machine that does both.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "lib"))

import est  # noqa: E402
import ocsp  # noqa: E402
import scale  # noqa: E402
from measure import (  # noqa: E402
    JUDGED,
    LOAD_HEAD,
    Load,
    bulk_challenges,
    load_cells,
    mean,
    median_run,
    print_goals,
    print_table,
    resident_mib,
    rsa_is_fast,
)

GOALS = {
    "enrol": {
        "rsa2048 CA: raw / server CPU": (">=", 0.80),
        "p256 CA: raw / server CPU": (">=", 0.75),
        "CPU per enrolment, ours / Go": ("<=", 0.40),
        "enrolments/s at 16 connections, ours / Go": (">=", 4.0),
        "largest process at 1,000 idle connections, MiB": ("<=", 30.0),
        "start to first answer, ms": ("<=", 200.0),
    },
    "ocsp": ocsp.GOALS,
    "est": est.GOALS,
    "scale": scale.GOALS,
}


def ours(options, load, key, results):
    """scepterd with a CA of that key."""
    from daemon import Daemon, endpoint

    directory = load.directory / f"scepterd-{key}"
    daemon = Daemon(
        directory,
        endpoints=[endpoint("demo", authorisation={"one_time": True})],
        http_limits={"connections_per_address": 0},
    )
    daemon.start()
    try:
        daemon.admin.ca_init("demo", key=key)
        one_time = lambda n: bulk_challenges(daemon, n)  # noqa: E731
        load.run(daemon.url(), daemon.process.pid, one_time(100), 100, 16)
        for connections, fresh in options.shapes:

            def run():
                challenges = one_time(options.count)
                pid = daemon.process.pid
                result = load.run(daemon.url(), pid, challenges, options.count, connections, fresh)
                return dict(result, server=f"scepterd, {key} CA", key=key)

            results.append(median_run((connections, fresh), run, ratio))
        if key != "p256":
            return None
        memory = idle_memory(daemon)
        daemon.stop()
        return {"memory": memory, "start_ms": start_time(daemon)}
    finally:
        daemon.stop(expect=None)


def idle_memory(daemon, n=1000):
    """Resident memory of each process while n connections are open and idle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, n + 200)), hard))
    held = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(n)]
    for s in held:
        s.sendall(b"GET /scep/demo?operation=GetCACaps HTTP/1.1\r\nHost: b\r\n\r\n")
    for s in held:
        assert s.recv(4096).startswith(b"HTTP/1.1 200"), "an idle connection was not served"
    memory = resident_mib(daemon.process.pid)
    for s in held:
        s.close()
    return memory


def start_time(daemon, tries=5):
    """Milliseconds from exec to the first answer, the median of several starts."""
    times = []
    for _ in range(tries):
        begin = time.monotonic()
        daemon.spawn()
        while True:
            try:
                if daemon.get("demo", "GetCACaps")[0] == 200:
                    break
            except OSError:
                time.sleep(0.001)
        times.append((time.monotonic() - begin) * 1000)
        daemon.stop()
    return sorted(times)[tries // 2]


def theirs(options, load, results):
    """The Go scepserver with an RSA-2048 CA, at 16 connections."""
    from daemon import free_port, wait_for

    if not shutil.which("scepserver"):
        return
    directory = load.directory / "scepserver"
    directory.mkdir()
    subprocess.run(
        ["scepserver", "ca", "-init", "-depot", directory / "depot", "-keySize", "2048"],
        check=True,
        capture_output=True,
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}/scep"
    process = subprocess.Popen(
        ["scepserver", "-depot", "depot", "-port", str(port), "-challenge", "secret"],
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("scepserver", lambda: answers(url))
        load.run(url, process.pid, ["secret"], 50, 16)
        run = lambda: load.run(url, process.pid, ["secret"], options.count // 4, 16)  # noqa: E731
        result = median_run(JUDGED, run, lambda r: r["per_second"])
        results.append(dict(result, server="Go scepserver, rsa2048 CA", key="go"))
    finally:
        process.terminate()
        process.wait()


def answers(url):
    try:
        return urllib.request.urlopen(f"{url}?operation=GetCACaps").status == 200
    except OSError:
        return False


def ratio(run):
    return run["raw_us"][run["key"]] / run["cpu_us"]


def judge(results, extra):
    """name -> measured, for the goals."""
    at16 = {r["key"]: r for r in results if r["connections"] == 16 and not r["fresh"]}
    out = {
        "rsa2048 CA: raw / server CPU": ratio(at16["rsa2048"]),
        "p256 CA: raw / server CPU": ratio(at16["p256"]),
        "largest process at 1,000 idle connections, MiB": max(extra["memory"].values()),
        "start to first answer, ms": extra["start_ms"],
    }
    if "go" in at16:
        out["CPU per enrolment, ours / Go"] = at16["rsa2048"]["cpu_us"] / at16["go"]["cpu_us"]
        out["enrolments/s at 16 connections, ours / Go"] = (
            at16["rsa2048"]["per_second"] / at16["go"]["per_second"]
        )
    return out


def print_tables(results, extra):
    print("private-key operations, microseconds of CPU with all cores busy:")
    raw = mean([r["raw_us"] for r in results])
    print("  " + ", ".join(f"{k} {v:.0f}" for k, v in raw.items() if "_" in k))
    if rsa_is_fast():
        print("  (RSA by AVX-512 IFMA, which most servers lack: see OPENSSL_ia32cap in docs/development.md)")
    print_table(["server", *LOAD_HEAD], [[r["server"], *load_cells(r, ratio(r))] for r in results])
    for name, mib in extra["memory"].items():
        print(f"{name}: {mib:.1f} MiB resident at 1,000 idle connections")


def enrolment(options, load):
    results = []
    extra = ours(options, load, "p256", results)
    ours(options, load, "rsa2048", results)
    theirs(options, load, results)
    return {"runs": results, "measured": judge(results, extra), **extra}


def show_enrolment(result):
    print_tables(result["runs"], {"memory": result["memory"]})


# name: what measures it, what prints that
TARGETS = {
    "enrol": (enrolment, show_enrolment),
    "ocsp": (ocsp.run, ocsp.show),
    "est": (est.run, est.show),
    "scale": (scale.run, scale.show),
}


def run_targets(options):
    results = {}
    for target in options.only:
        with tempfile.TemporaryDirectory(dir=options.build, prefix="bench-") as directory:
            results[target] = TARGETS[target][0](options, Load(options.build, pathlib.Path(directory)))
        if not options.json:
            TARGETS[target][1](results[target])
            print_goals(GOALS[target], results[target]["measured"])
    if options.json:
        print(json.dumps(results, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--only", choices=TARGETS, nargs="+", default=["enrol", "ocsp", "est"])
    parser.add_argument("--count", type=int, default=4000, help="enrolments a row (default 4000)")
    parser.add_argument("--replies", type=int, default=40000, help="OCSP answers a row (default 40000)")
    parser.add_argument("--certificates", type=int, default=10_000_000, help="in the large store")
    parser.add_argument("--revoked", type=int, default=1_000_000, help="of these")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.shapes = [(16, False), (1, False), (64, False), (16, True)]
    options.build = options.build.resolve()
    os.environ["SCEPTER_BUILD"] = str(options.build)
    run_targets(options)


if __name__ == "__main__":
    main()
