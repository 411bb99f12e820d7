#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of server, keeper or parent at random instants, while devices enrol.

After every round: each certificate that a device received is in the store, with its event and its
consumed challenge; each device that tries again, with the same message, gets the same certificate;
one transaction has one certificate. The last line is "N passed, N failed", a round each.
"""

import argparse
import contextlib
import http.client
import os
import pathlib
import random
import signal
import sqlite3
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    return parser.parse_args()


class Device:
    """One transaction: sends the same message until it is answered."""

    def __init__(self, daemon, ca, challenge, index):
        import scep_peer

        self.daemon, self.ca = daemon, ca
        self.request = scep_peer.Request(
            key=scep_peer.rsa_key(index % 8),
            challenge=challenge,
            subject={"common_name": f"crash-{index}"},
        )
        self.message = self.request.build(ca)
        self.certs = set()  # DER; more than one is a defect

    def enrol(self):
        """True when a certificate came."""
        import scep_reply

        try:
            status, _, body = self.daemon.post("demo", self.message)
        except (OSError, http.client.HTTPException):
            return False
        if status == 503:
            return False
        assert status == 200, (status, body)
        reply = scep_reply.open_reply(body, self.request, self.ca)
        assert reply.status == "SUCCESS", f"a device was refused: {reply.attributes}"
        self.certs.add(scep_reply.der_of(reply.cert))
        return True


def load(devices, stop):
    for device in devices:
        while not stop.is_set() and not device.enrol():
            time.sleep(0.02)


def one_round(daemon, ca, rng, index):
    """Kills one process in the middle of it; returns what was found wrong."""
    devices = [
        Device(daemon, ca, daemon.admin.challenge(), index * 100 + i) for i in range(24)
    ]
    stop, errors = threading.Event(), []

    def guarded(part):
        try:
            load(part, stop)
        except AssertionError as e:
            errors.append(str(e))

    threads = [threading.Thread(target=guarded, args=(devices[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.0, 0.08))
    victim = rng.choice(["server", "keeper", "parent"])
    kill(daemon, victim)
    if victim == "parent":
        daemon.process.wait()
        ended(daemon)
        daemon.start()
    for thread in threads:
        thread.join(60)
    stop.set()
    if any(thread.is_alive() for thread in threads):
        errors.append("devices still waited after 60 s")
    received = sum(len(device.certs) for device in devices)
    print(f"round {index}: killed {victim}, {received} certificates", flush=True)
    return errors + verify(daemon, devices)


def kill(daemon, victim):
    with contextlib.suppress(ProcessLookupError):
        os.kill(daemon.pid_of(victim), signal.SIGKILL)


def ended(daemon):
    """Waits until the children of the killed parent have let go of the port and the store."""
    from daemon import wait_for

    group = daemon.process.pid

    def gone():
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for("end of the orphans", gone)


def verify(daemon, devices):
    errors = []
    for device in devices:
        before = set(device.certs)
        if not any(device.enrol() for _ in range(3)):
            errors.append("a retry after the crash was not answered")
        if before and device.certs != before:
            errors.append("a retry got another certificate")
    with contextlib.closing(sqlite3.connect(f"file:{daemon.directory}/store.db?mode=ro", uri=True)) as db:
        for device in devices:
            errors += stored(db, device)
        if db.execute(UNPAID).fetchone()[0] != 0:
            errors.append("not as many consumed challenges as certificates")
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            errors.append("the store fails its integrity check")
    return errors


def stored(db, device):
    """Certificate, event and consumed challenge of a device's transaction."""
    transaction = device.request.transaction_id
    certs = {bytes(row[0]) for row in db.execute(CERTS, (transaction,))}
    events = db.execute(EVENTS, (transaction,)).fetchone()[0]
    errors = []
    if certs != device.certs:
        errors.append(f"{len(certs)} certificates in the store, {len(device.certs)} at the device")
    if events != 1:
        errors.append(f"{events} events of issuance for one transaction")
    return errors


CERTS = "SELECT der FROM cert WHERE transaction_id = ?"
EVENTS = """SELECT count(*) FROM event JOIN cert ON cert.id = event.id
    WHERE event.kind = 'enrol.issued' AND cert.transaction_id = ?"""
UNPAID = "SELECT (SELECT count(*) FROM cert) - (SELECT count(*) FROM challenge WHERE used <> 0)"


def main():
    options = parse()
    os.environ["SCEPTER_BUILD"] = str(options.build.resolve())
    from daemon import Daemon, endpoint

    rng = random.Random(options.seed)
    print(f"seed {options.seed}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="scepter-crash-") as directory:
        daemon = Daemon(
            pathlib.Path(directory) / "d",
            endpoints=[endpoint("demo", authorisation={"one_time": True})],
        ).start()
        daemon.admin.ca_init("demo")
        ca = daemon.authority()
        for index in range(options.rounds):
            errors = one_round(daemon, ca, rng, index)
            failed += bool(errors)
            for error in errors[:10]:
                print(f"round {index}: {error}", file=sys.stderr, flush=True)
        daemon.stop()
    print(f"{options.rounds - failed} passed, {failed} failed", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
