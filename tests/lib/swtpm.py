# SPDX-License-Identifier: Apache-2.0
"""A software TPM (swtpm) with a state of the test's own, which can be switched off and on."""

import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from daemon import free_port, wait_for

MODULES = [f"/usr/lib/{p}/ossl-modules/tpm2.so" for p in ("x86_64-linux-gnu", "aarch64-linux-gnu")]
TCTI = [f"/usr/lib/{p}/libtss2-tcti-swtpm.so.0" for p in ("x86_64-linux-gnu", "aarch64-linux-gnu")]


def two_ports():
    """A port whose next one is free, too: swtpm's TCTI takes that for control."""
    first, second = free_port(), free_port()
    while second != first + 1:
        first, second = second, free_port()
    return first


class SoftwareTpm:
    def __init__(self, directory):
        if not shutil.which("swtpm") or not any(map(os.path.exists, MODULES)) or not any(map(os.path.exists, TCTI)):
            pytest.skip("swtpm, tpm2-openssl or libtss2-tcti-swtpm0 is not here")
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.port = two_ports()
        self.process = None
        self.on()

    def on(self):
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.directory}",
             "--server", f"type=tcp,port={self.port}", "--ctrl", f"type=tcp,port={self.port + 1}",
             "--flags", "not-need-init,startup-clear"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for("swtpm", lambda: self.process.poll() is None and self.listens())

    def listens(self):
        # not by a connection: it takes one at a time, and would end after it
        with open("/proc/net/tcp") as table:
            return any(f":{self.port:04X} 00000000:0000 0A" in line for line in table)

    def off(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def keys(self, **more):
        return {"tpm": {"tcti": f"swtpm:host=127.0.0.1,port={self.port}"}, **more}
