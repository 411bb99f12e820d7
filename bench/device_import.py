#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How long do enrolments wait while a list of devices is imported?

    bench/device_import.py [--build build] [--rows 200000]

Two devices enrol one after the other, before, while and after `scepterctl device import` reads the
list; the longest and the mean time to an answer are printed, and how long the import took.
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "lib"))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--rows", type=int, default=200_000)
    return parser.parse_args()


class Clients:
    """Enrolments on end; the time that each took, and when it began."""

    def __init__(self, daemon, count=2):
        self.daemon, self.taken, self.over = daemon, [], threading.Event()
        self.ca = daemon.authority()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]

    def run(self, index):
        from scep_peer import Request, rsa_key

        n = 0
        while not self.over.is_set():
            n += 1
            name = {"common_name": f"client {index} {n}"}
            message = Request(subject=name, key=rsa_key(index)).build(self.ca)
            begun = time.monotonic()
            status, _, _ = self.daemon.post("demo", message)
            assert status == 200
            self.taken.append((begun, time.monotonic() - begun))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def say(what, taken):
    worst, mean = max(taken) * 1000, sum(taken) / len(taken) * 1000
    print(f"{what:<8} {len(taken):6} enrolments, longest {worst:7.1f} ms, mean {mean:5.1f} ms")


def measure(directory, rows):
    from daemon import Daemon, endpoint

    daemon = Daemon(directory / "daemon", endpoints=[endpoint("demo")]).start()
    try:
        daemon.admin.ca_init("demo")
        path = directory / "devices.csv"
        path.write_text("serialNumber\n" + "".join(f"FTX{i:09}\n" for i in range(rows)))
        with Clients(daemon) as clients:
            time.sleep(3)
            begun = time.monotonic()
            daemon.ctl("device", "import", str(path), "--list", "routers")
            ended = time.monotonic()
            time.sleep(3)
        around = lambda t: begun <= t[0] + t[1] and t[0] <= ended  # noqa: E731
        say("without", [t[1] for t in clients.taken if not around(t)])
        say("import", [t[1] for t in clients.taken if around(t)])
        print(f"{rows} rows imported in {ended - begun:.1f} s")
    finally:
        daemon.stop()


def main():
    options = arguments()
    os.environ["SCEPTER_BUILD"] = options.build
    directory = pathlib.Path(tempfile.mkdtemp(prefix="device-import-"))
    try:
        measure(directory, options.rows)
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
