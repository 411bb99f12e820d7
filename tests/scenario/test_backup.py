# SPDX-License-Identifier: Apache-2.0
"""Issue, back up under load, destroy, restore: what was promised before is kept after."""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import threading

import pytest
from cryptography import x509

from daemon import endpoint, program, wait_for
from scep_peer import Request


def run_restore(daemon, backup, *options):
    return subprocess.run(
        [program("scepterd"), "--config", str(daemon.config_path), "--restore", str(backup), *options],
        capture_output=True, text=True,
    )  # fmt: skip


def back_up(daemon, path, *options, check=True):
    return daemon.ctl("backup", str(path), *options, check=check)


def destroy(daemon):
    """As a fire does: the store, the lists and the keys are gone."""
    daemon.kill_all()
    for name in ("keys", "crl"):
        shutil.rmtree(daemon.directory / name, ignore_errors=True)
    for path in daemon.directory.glob("store.db*"):
        path.unlink()


def number(daemon):
    status, _, body = daemon.http("GET", "/crl")
    if status != 200:
        return None
    crl = x509.load_der_x509_crl(body)
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.fixture
def made(make_daemon):
    return make_daemon(
        endpoints=[
            endpoint("demo"),
            endpoint("once", authorisation={"one_time": True}),
            endpoint("manual", approval="manual"),
            {"name": "crl", "protocol": "crl", "path": "/crl", "ca": "demo"},
        ],
    )


def serials(daemon):
    found, query = set(), "/certs?limit=1000"
    while query:
        answer = daemon.admin.call("GET", query)
        found |= {c["serial"] for c in answer["certs"]}
        query = answer["next"] and f"/certs?limit=1000&cursor={answer['next']}"
    return found


class Load:
    """Devices that enrol all the while; the serial numbers that they were told."""

    def __init__(self, daemon):
        self.daemon, self.ended, self.told = daemon, threading.Event(), []
        self.ca = daemon.authority()
        self.pool = concurrent.futures.ThreadPoolExecutor(3)

    def device(self):
        while not self.ended.is_set():
            reply = self.daemon.enrol(Request(), ca=self.ca)
            self.told.append(reply.cert.serial_number)

    def __enter__(self):
        self.running = [self.pool.submit(self.device) for _ in range(3)]
        wait_for("the first certificates", lambda: len(self.told) > 5)
        return self

    def __exit__(self, *_):
        self.ended.set()
        for running in self.running:
            running.result()
        self.pool.shutdown()


def test_backup_under_load_and_restore(made, tmp_path):
    daemon = made
    waiting = Request()
    assert daemon.enrol(waiting, "manual").status == "PENDING"
    revoked = daemon.enrol(Request()).cert.serial_number
    daemon.ctl("cert", "revoke", f"{revoked:032x}")
    open_challenge = daemon.admin.challenge()
    wait_for("the first list", lambda: number(daemon))
    fingerprint = daemon.authority().fingerprint

    backup = tmp_path / "backup"
    with Load(daemon) as load:
        before = len(load.told)
        said = back_up(daemon, backup, "--with-keys", "--plain-keys").stdout
        wait_for("more certificates", lambda: len(load.told) > before + 5)
    assert "events up to" in said
    assert not (daemon.directory / "backup.db").exists()
    check_modes(backup)

    # after the backup: certificates, lists and a used challenge that it knows nothing of
    assert daemon.enrol(Request(challenge=open_challenge), "once").status == "SUCCESS"
    for _ in range(3):
        daemon.ctl("crl", "rebuild", "demo")
    last_number = number(daemon)
    issued = serials(daemon)
    destroy(daemon)

    run = run_restore(daemon, backup)
    assert run.returncode == 0, run.stderr
    assert "missing" not in run.stdout
    daemon.start()
    assert daemon.authority().fingerprint == fingerprint
    kept = serials(daemon)
    assert f"{revoked:032x}" in kept and kept < issued

    # numbers of lists rise, serial numbers are never used again
    wait_for("a new list", lambda: (number(daemon) or 0) > last_number)
    fresh = {f"{daemon.enrol(Request()).cert.serial_number:032x}" for _ in range(20)}
    assert len(fresh) == 20 and not fresh & issued
    assert daemon.ctl_json("cert", "show", f"{revoked:032x}")["status"] == "revoked"

    # the device that waited is answered; the challenge that was used since lets nobody in
    row = daemon.admin.call("GET", "/requests")["requests"][0]
    daemon.ctl("request", "approve", str(row["id"]))
    reply = daemon.enrol(waiting, "manual")
    assert reply.status == "SUCCESS"
    assert daemon.enrol(Request(challenge=open_challenge), "once").status == "FAILURE"

    # the record goes on behind the backup's, and is whole
    export, key = tmp_path / "export", tmp_path / "key.pem"
    key.write_text(daemon.ctl("audit", "key").stdout)
    daemon.ctl("audit", "export", str(export))
    daemon.ctl("audit", "verify", str(export), "--public-key", str(key))
    events = [json.loads(line) for line in export.read_text().splitlines()[1:]]
    restored = next(e for e in events if e["kind"] == "store.restored")
    manifest = json.loads((backup / "manifest.json").read_text())
    assert restored["id"] == manifest["last_event"] + 1
    begun = next(e for e in events if e["kind"] == "backup.begun")
    assert begun["actor"] == f"uid {os.getuid()}" and begun["id"] <= manifest["last_event"]


def check_modes(backup):
    for path in [backup, *backup.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_is_overwritten(made, tmp_path):
    backup = tmp_path / "backup"
    back_up(made, backup)
    assert back_up(made, backup, check=False).returncode == 73
    store = (made.directory / "store.db").read_bytes()
    made.stop()
    run = run_restore(made, backup)
    assert run.returncode == 73 and "store.db is there" in run.stderr
    assert (made.directory / "store.db").stat().st_size >= len(store)
    assert not list(made.directory.glob("restore.db*"))


def test_another_key_is_not_overwritten(made, tmp_path):
    backup = tmp_path / "backup"
    back_up(made, backup, "--with-keys", "--plain-keys")
    made.stop()
    for path in made.directory.glob("store.db*"):
        path.unlink()
    key = next((made.directory / "keys").glob("*.key"))
    good = key.read_bytes()
    key.write_bytes(b"another")
    run = run_restore(made, backup)
    assert run.returncode == 73 and "another key" in run.stderr
    assert key.read_bytes() == b"another"
    key.write_bytes(good)  # the keys that are there already are fine
    assert run_restore(made, backup).returncode == 0
    made.start()


def test_plain_keys_want_a_word(made, tmp_path):
    run = back_up(made, tmp_path / "a", "--with-keys", check=False)
    assert run.returncode == 77 and "not encrypted" in run.stderr
    assert not (tmp_path / "a" / "manifest.json").exists()
    run = run_restore(made, tmp_path / "a")
    assert run.returncode != 0 and "no backup" in run.stderr


def test_without_keys_the_missing_are_named(made, tmp_path):
    back_up(made, tmp_path / "b")
    keys = tmp_path / "kept"
    made.stop()
    shutil.copytree(made.directory / "keys", keys)
    destroy_store = [*made.directory.glob("store.db*")]
    for path in destroy_store:
        path.unlink()
    shutil.rmtree(made.directory / "keys")
    run = run_restore(made, tmp_path / "b")
    assert run.returncode == 0 and "keys are missing" in run.stdout
    shutil.rmtree(made.directory / "keys")
    shutil.copytree(keys, made.directory / "keys")
    made.start()
    assert made.enrol(Request()).status == "SUCCESS"


def flip(path, offset):
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda b: flip(b / "store.db", 5000), "not what was backed up"),
        (lambda b: flip(next((b / "keys").glob("*.key")), 40), "not what was backed up"),
        (lambda b: (b / "manifest.json").unlink(), "no backup"),
        (lambda b: (b / "manifest.json").write_text("{"), "not JSON"),
        (lambda b: edit(b, scepter_backup=2), "not of a backup"),
        (lambda b: edit(b, last_event=1), "the record ends with"),
        (lambda b: edit(b, last_event_hash="00" * 32), "the record ends with"),
        (lambda b: edit(b, keys=[{"file": "../../escape", "sha256": "00"}]), "keys[0]"),
        (lambda b: edit(b, keys=7), "a field is missing"),
    ],
    ids=["store", "key", "no-manifest", "no-json", "form", "event", "hash", "path", "type"],
)
def test_a_spoilt_backup_is_refused(made, tmp_path, spoil, says):
    backup = tmp_path / "backup"
    back_up(made, backup, "--with-keys", "--plain-keys")
    destroy(made)
    spoil(backup)
    run = run_restore(made, backup)
    assert run.returncode != 0 and says in run.stderr
    assert not list(made.directory.glob("*.db*"))


def edit(backup, **changes):
    path = pathlib.Path(backup / "manifest.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
