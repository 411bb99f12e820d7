# SPDX-License-Identifier: Apache-2.0
"""Backup and restore where server and keeper are two users and root restores: owners and modes."""

import os
import pathlib
import pwd
import shutil
import stat
import subprocess
import tempfile

import pytest

from daemon import Daemon, endpoint, wait_for
from scep_peer import Request
from softhsm import SoftHsm
from test_backup import back_up, destroy, number, run_restore

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

SERVER, KEEPER = "nobody", "daemon"


@pytest.fixture
def base():
    """A folder that both users get to: pytest's own are its user's alone."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="scepter-restore-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def make(base, **options):
    endpoints = [
        endpoint("demo"),
        {"name": "crl", "protocol": "crl", "path": "/crl", "ca": "demo"},
        {"name": "ocsp", "protocol": "ocsp", "path": "/ocsp", "ca": "demo"},
    ]
    return Daemon(base / "d", user=SERVER, keeper_user=KEEPER, endpoints=endpoints, **options)


@pytest.fixture
def daemon(base):
    daemon = make(base).start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


def owner(path):
    found = path.stat()
    return pwd.getpwuid(found.st_uid).pw_name, stat.S_IMODE(found.st_mode)


def check_owners(directory):
    assert owner(directory) == ("root", 0o1771)
    assert directory.stat().st_gid == pwd.getpwnam(SERVER).pw_gid
    assert owner(directory / "keys") == (KEEPER, 0o700)
    assert owner(directory / "store.db") == (SERVER, 0o600)
    for path in (directory / "keys").iterdir():
        assert owner(path) == (KEEPER, 0o600), path
    for path in directory.glob("store.db-*"):
        assert owner(path)[0] == SERVER, path
    assert not list(directory.glob("restore.db*"))


def lives(daemon, fingerprint):
    """It issues, lists, revokes and goes through a restart and a rollover: all that writes."""
    assert daemon.authority().fingerprint == fingerprint
    cert = daemon.enrol(Request()).cert
    daemon.ctl("cert", "revoke", f"{cert.serial_number:032x}")
    before = wait_for("a list", lambda: number(daemon))
    daemon.ctl("crl", "rebuild", "demo")
    wait_for("another list", lambda: number(daemon) > before)
    daemon.restart()
    daemon.ctl("ca", "rollover", "demo", "--at", "+1h")
    daemon.ctl("backup", str(daemon.directory.parent / "second"))
    check_owners(daemon.directory)


def restore(daemon, backup, *options):
    run = run_restore(daemon, backup, *options)
    assert run.returncode == 0, run.stderr
    assert "missing" not in run.stdout, run.stdout
    check_owners(daemon.directory)
    return run


def test_into_what_was_destroyed(daemon, base):
    """Keys and store of the backup, where both are gone."""
    fingerprint = daemon.authority().fingerprint
    back_up(daemon, base / "backup", "--with-keys", "--plain-keys")
    destroy(daemon)
    restore(daemon, base / "backup")
    daemon.start()
    lives(daemon, fingerprint)


def test_into_a_new_machine(daemon, base):
    """The data directory itself is not there."""
    fingerprint = daemon.authority().fingerprint
    back_up(daemon, base / "backup", "--with-keys", "--plain-keys")
    daemon.kill_all()
    (base / "d" / "scepterd.yaml").rename(base / "scepterd.yaml")
    shutil.rmtree(base / "d")
    daemon.config_path = base / "scepterd.yaml"
    restore(daemon, base / "backup")
    daemon.start()
    lives(daemon, fingerprint)


def test_the_store_alone(daemon, base):
    """The keys are where they were, and stay the keeper's."""
    fingerprint = daemon.authority().fingerprint
    back_up(daemon, base / "backup")
    daemon.kill_all()
    for path in daemon.directory.glob("store.db*"):
        path.unlink()
    restore(daemon, base / "backup")
    daemon.start()
    lives(daemon, fingerprint)


def test_owners_that_are_wrong_are_mended(daemon, base):
    """Somebody has copied it all as root, and closed the folder."""
    fingerprint = daemon.authority().fingerprint
    back_up(daemon, base / "backup", "--with-keys", "--plain-keys")
    daemon.kill_all()
    for path in daemon.directory.glob("store.db*"):
        path.unlink()
    for path in [daemon.directory, *daemon.directory.rglob("*")]:
        os.chown(path, 0, 0)
    daemon.directory.chmod(0o700)
    restore(daemon, base / "backup")
    daemon.start()
    lives(daemon, fingerprint)


def test_keys_in_a_token(base):
    """They are not in the backup, and nothing is missing: their public parts are."""
    hsm = SoftHsm(base / "hsm")
    keeper = pwd.getpwnam(KEEPER)
    daemon = make(base, keys=hsm.keys())
    daemon.environment.update(hsm.environment)
    subprocess.run(["chown", "-R", f"{keeper.pw_uid}:{keeper.pw_gid}", base / "hsm"], check=True)
    daemon.start()
    try:
        daemon.ctl("ca", "init", "demo", "--key-store", hsm.uri(), "--ra-key-store", hsm.uri())
        fingerprint = daemon.authority().fingerprint
        back_up(daemon, base / "backup", "--with-keys", "--plain-keys")
        destroy(daemon)
        restore(daemon, base / "backup")
        daemon.start()
        lives(daemon, fingerprint)
    finally:
        daemon.stop()
