# SPDX-License-Identifier: Apache-2.0
"""A SoftHSM token in a directory of the test's own, for a scepterd to keep its keys in."""

import os
import pathlib
import shutil
import subprocess

import pytest

MODULES = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"]
PIN = "4711-pin-of-the-token"


def module():
    for path in MODULES:
        if os.path.exists(path) and shutil.which("softhsm2-util"):
            return path
    pytest.skip("SoftHSM (Debian: softhsm2) is not here")


class SoftHsm:
    def __init__(self, directory, label="scepter"):
        self.directory = pathlib.Path(directory)
        self.tokens = self.directory / "tokens"
        self.tokens.mkdir(parents=True)
        self.module = module()
        self.label = label
        self.pin_file = self.directory / "pin"
        self.pin_file.write_text(PIN + "\n")
        configuration = self.directory / "softhsm2.conf"
        configuration.write_text(
            f"directories.tokendir = {self.tokens}\nobjectstore.backend = file\nlog.level = ERROR\n"
        )
        self.environment = {"SOFTHSM2_CONF": str(configuration)}
        self.run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN,
                 "--so-pin", "so-" + PIN)  # fmt: skip

    def run(self, *command, good=True, **options):
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                             env=dict(os.environ, **self.environment), **options)  # fmt: skip
        assert not good or run.returncode == 0, run.stdout + run.stderr
        return run.stdout + run.stderr

    def tool(self, *arguments, **options):
        """pkcs11-tool, an independent user of the token."""
        if not shutil.which("pkcs11-tool"):
            pytest.skip("pkcs11-tool (Debian: opensc) is not here")
        return self.run("pkcs11-tool", "--module", self.module, "--token-label", self.label,
                        "--login", "--pin", PIN, *arguments, **options)  # fmt: skip

    def uri(self, *attributes):
        return "pkcs11:" + ";".join([f"token={self.label}", *attributes])

    def keys(self, **more):
        """The configuration's part."""
        return {
            "pkcs11": {"module": self.module, "pin": f"file:{self.pin_file}"},
            **more,
        }

    def pull(self):
        self.tokens.rename(self.directory / "pulled")

    def plug(self):
        (self.directory / "pulled").rename(self.tokens)
