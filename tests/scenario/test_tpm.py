# SPDX-License-Identifier: Apache-2.0
"""Keys in a TPM (swtpm): made, used, switched off and on."""

import os
import subprocess

import pytest

from daemon import check_config, endpoint, wait_for
from life import Life, endpoints
from scep_peer import Request
from swtpm import SoftwareTpm


@pytest.fixture
def tpm(tmp_path):
    made = SoftwareTpm(tmp_path / "tpm")
    yield made
    made.off()


@pytest.fixture
def make_with(make_daemon, tpm):
    def make(**more):
        return make_daemon(ca=False, endpoints=endpoints() + [endpoint("files", ca="files")],
                           keys=tpm.keys(**more))  # fmt: skip

    return make


def test_from_the_first_to_the_last_certificate(make_with, tmp_path):
    """CA and RA in the TPM: issue, list, answer; restart; again. What lies on the disk is the TPM's to open."""
    daemon = make_with()
    daemon.ctl("ca", "init", "demo", "--key-store", "tpm:", "--ra-key-store", "tpm:")
    life = Life(daemon, tmp_path)
    life.live("one")
    daemon.restart()
    life.live("two")
    records = list((daemon.directory / "keys").glob("*.token"))
    assert len(records) == 2
    for record in records:
        fields = dict(line.split(" ", 1) for line in record.read_text().splitlines())
        assert fields["uri"] == "tpm:"
        assert bytes.fromhex(fields["blob"]).startswith(b"-----BEGIN TSS2 PRIVATE KEY-----")


@pytest.mark.parametrize("kind", ["p384", "rsa2048"])
def test_kinds_of_keys(make_with, tmp_path, kind):
    daemon = make_with()
    daemon.ctl("ca", "init", "demo", "--key", kind, "--key-store", "tpm:")
    Life(daemon, tmp_path).live("one")


def test_ed25519_is_refused(make_with):
    run = make_with().ctl("ca", "init", "demo", "--key", "ed25519", "--key-store", "tpm:", check=False)
    assert run.returncode != 0 and "a TPM has no Ed25519 keys" in run.stderr


def test_all_keys_in_the_tpm(make_with, tmp_path):
    """More keys than a TPM has room for at once."""
    daemon = make_with(store="tpm:")
    daemon.admin.ca_init("demo")
    Life(daemon, tmp_path).live("one")
    assert not list((daemon.directory / "keys").glob("*.key"))
    daemon.restart()
    Life(daemon, tmp_path).live("two")


def test_switched_off_and_on(make_with, tpm, tmp_path):
    """Its CA answers 503 and comes back by itself; another CA never notices."""
    daemon = make_with()
    daemon.ctl("ca", "init", "demo", "--key-store", "tpm:", "--ra-key-store", "tpm:")
    daemon.admin.ca_init("files")
    life = Life(daemon, tmp_path)
    life.live("one")
    tpm.off()
    assert life.ask("two").returncode == 75
    assert [line for line in daemon.log_lines() if 'TPM "swtpm:' in line.get("reason", "")]
    assert daemon.enrol(Request(), "files").status == "SUCCESS"
    daemon.restart()
    assert daemon.enrol(Request(), "files").status == "SUCCESS"
    tpm.on()
    wait_for("the TPM's return", lambda: life.ask("two").returncode == 0, step=0.3)
    life.live("three")


def test_key_that_the_tpm_keeps(make_with, tpm, tmp_path):
    """A persistent key by its handle; made by tpm2-tools, where they are here."""
    if subprocess.run(["which", "tpm2_createprimary"], capture_output=True).returncode:
        pytest.skip("tpm2-tools are not here")
    tcti = dict(os.environ, TPM2TOOLS_TCTI=f"swtpm:host=127.0.0.1,port={tpm.port}")

    def tool(*command):
        subprocess.run(command, check=True, env=tcti, cwd=tmp_path, capture_output=True)

    tool("tpm2_createprimary", "-C", "o", "-G", "ecc256:ecdsa", "-c", "primary.ctx", "-a",
         "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign")  # fmt: skip
    tool("tpm2_evictcontrol", "-C", "o", "-c", "primary.ctx", "0x81000007")
    tpm.off()
    tpm.on()
    daemon = make_with()
    daemon.ctl("ca", "init", "demo", "--key-store", "tpm:handle=0x81000007")
    Life(daemon, tmp_path).live("one")
    daemon.restart()
    Life(daemon, tmp_path).live("two")


def test_configuration_that_is_refused(make_daemon):
    daemon = make_daemon(start=False, keys={"tpm": {"tcti": "device:/dev/tpmrm0"}, "store": "tpm:x"})
    run = check_config(daemon.config_path)
    assert run.returncode == 78
    assert "keys.store: TPM key: write tpm: or tpm:handle=0x81" in run.stderr
