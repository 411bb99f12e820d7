# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: CPU time and memory of processes, the load generator, goals."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")


def descendants(pid):
    out = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        for child in (task / "children").read_text().split():
            out += descendants(int(child))
    return out


def cpu_seconds(pid):
    """User and system time of the process and all below it."""
    total = 0
    for p in descendants(pid):
        fields = pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def resident_mib(pid):
    out = {}
    for p in descendants(pid):
        name = pathlib.Path(f"/proc/{p}/comm").read_text().strip()
        out[f"{name} ({p})"] = status_kib(p, "VmRSS") / 1024
    return out


def status_kib(pid, field):
    """A line of /proc/PID/status, in KiB."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(field + ":")).split()[1])


def private_keys(build):
    """What the bare operations cost at this moment, and those of an enrolment by the CA's key."""
    raw = json.loads(subprocess.check_output([build / "bench" / "bench-raw"]))
    both = raw["rsa2048_decrypt"] + raw["rsa2048_sign"]
    raw["p256"] = both + raw["p256_sign"]
    raw["rsa2048"] = raw["go"] = both + raw["rsa2048_sign"]
    return raw


JUDGED = (16, False)  # connections, whether each is a new one: the rows that goals are about
REPEATS = 3


def median_run(shape, run, by):
    """run() once, or for a judged shape the median of several `by` that: a neighbour may be noisy."""
    runs = [run() for _ in range(REPEATS if shape == JUDGED else 1)]
    return sorted(runs, key=by)[len(runs) // 2]


def mean(dicts):
    return {key: sum(d[key] for d in dicts) / len(dicts) for key in dicts[0]}


class Load:
    """Runs of bench-load against a server whose process is `pid`."""

    def __init__(self, build, directory):
        self.build = build
        self.program = build / "bench" / "bench-load"
        self.directory = directory
        self.runs = 0

    def run(self, url, pid, challenges, count, connections, fresh=False):
        """Enrolments."""
        path = self.directory / f"challenges-{self.runs}"
        path.write_text("\n".join(challenges) + "\n")
        extra = ["--subject", f"b{self.runs}-{os.getpid()}"] + (["--fresh"] if fresh else [])
        arguments = ["--url", url, "--challenges", path, *extra]
        result = self._beside_raw(pid, arguments, count, connections)
        result["fresh"] = fresh
        return result

    def replay(self, url, pid, requests, count, connections):
        """Whole HTTP requests, in turn, until count are answered."""
        path = self.directory / f"requests-{self.runs}"
        path.write_bytes(b"".join(b"%d\n%b" % (len(r), r) for r in requests))
        return self._run(pid, ["--url", url, "--whole", path], count, connections)

    def tls(self, daemon, requests, count, connections, fresh=False):
        """The same over TLS, each once."""
        path = self.directory / f"requests-{self.runs}"
        path.write_bytes(b"".join(b"%d\n%b" % (len(r), r) for r in requests))
        arguments = ["--port", daemon.tls_port, "--whole", path] + (["--fresh"] if fresh else [])
        program = self.program.with_name("bench-tls-load")
        result = self._beside_raw(daemon.process.pid, arguments, count, connections, program)
        assert result["issued"] == count, result
        result["fresh"] = fresh
        return result

    def _beside_raw(self, *run):
        """The machine is not as fast at one time as at another: right before and after, in "raw_us"."""
        before = private_keys(self.build)
        result = self._run(*run)
        return dict(result, raw_us=mean([before, private_keys(self.build)]))

    def _run(self, pid, arguments, count, connections, program=None):
        self.runs += 1
        command = [program or self.program, *arguments, "--count", count, "--connections", connections]
        load = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        first = load.stdout.readline()
        if first != "ready\n":
            raise SystemExit(f"bench-load: {first!r}, exit status {load.wait()}")
        before = cpu_seconds(pid)
        load.stdin.write("go\n")
        load.stdin.flush()
        line = load.stdout.readline()
        cpu = cpu_seconds(pid) - before
        load.communicate()
        result = json.loads(line)
        result.update(
            connections=connections,
            per_second=result["issued"] / result["seconds"],
            cpu_us=cpu * 1e6 / max(result["issued"], 1),
        )
        return result


def bulk_challenges(daemon, n):
    from daemon import UnixConnection

    connection = UnixConnection(daemon.admin.path)
    out = []
    for _ in range(n):
        connection.request("POST", "/v1/challenges", json.dumps({"lifetime": "1h"}))
        out.append(json.loads(connection.getresponse().read())["challenge"])
    connection.close()
    return out


def rsa_is_fast():
    """Has the processor AVX-512 IFMA, with which RSA takes 40% of the time, and may OpenSSL use it?"""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return "avx512ifma" in flags and "OPENSSL_ia32cap" not in os.environ


def print_table(head, rows):
    """The first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))))


LOAD_HEAD = ["connections", "issued/s", "p50 ms", "p99 ms", "CPU us each", "raw/CPU"]


def load_cells(r, ratio):
    """A row under LOAD_HEAD."""
    return [
        f"{r['connections']}{' fresh' if r['fresh'] else ''}",
        f"{r['per_second']:.0f}",
        f"{r['p50_ms']:.1f}",
        f"{r['p99_ms']:.1f}",
        f"{r['cpu_us']:.0f}",
        f"{ratio:.2f}",
    ]


def print_goals(goals, measured):
    """name -> (sense, goal); those that were not measured are left out."""
    for name, (sense, goal) in goals.items():
        if name in measured:
            value = measured[name]
            met = value >= goal if sense == ">=" else value <= goal
            print(f"{'met   ' if met else 'MISSED'} {name}: {value:.2f} (goal {sense} {goal:g})")
