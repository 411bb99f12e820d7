# SPDX-License-Identifier: Apache-2.0
"""Revocation lists by "openssl ca": what other CAs publish."""

import datetime
import subprocess

CONFIG = """\
[ca]
default_ca = this
[this]
database = {0}/index.txt
crlnumber = {0}/crlnumber
default_md = sha256
default_crl_days = 7
crl_extensions = exts
[exts]
authorityKeyIdentifier = keyid
{1}
"""


class Lists:
    """Of one CA, by the paths of its certificate and its key."""

    def __init__(self, directory, cert, key, exts=""):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.cert, self.key = directory, cert, key
        (directory / "index.txt").write_text("")
        (directory / "crlnumber").write_text("01\n")
        (directory / "ca.conf").write_text(CONFIG.format(directory, exts))

    def _ca(self, *arguments):
        subprocess.run(
            ["openssl", "ca", "-config", self.directory / "ca.conf", "-cert", self.cert]
            + ["-keyfile", self.key, *arguments],
            check=True,
            capture_output=True,
        )

    def revoke(self, cert, reason="keyCompromise"):
        self._ca("-revoke", cert, "-crl_reason", reason)

    def write(self, path, der=False, expired=False, seconds=None):
        """Whole or not at all, as whoever fetches a list should."""
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp = lambda days: (now + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")  # noqa: E731
        times = ["-crl_lastupdate", stamp(-3), "-crl_nextupdate", stamp(-1)] if expired else []
        if seconds:
            times = ["-crl_lastupdate", stamp(0), "-crl_nextupdate", stamp(seconds / 86400)]
        fresh = path.with_suffix(".new")
        self._ca("-gencrl", *times, "-out", fresh)
        if der:
            subprocess.run(
                ["openssl", "crl", "-in", fresh, "-outform", "DER", "-out", fresh], check=True
            )
        fresh.rename(path)
        return path

