#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the vectors of the SCEP tests: run by hand, the results are committed.

scep_*.der are by tests/lib/scep_peer.py (python3-cryptography); scep_go_*.der are what Debian's
scepclient and scepserver (package scep) said to each other, taken down by a proxy in between.
"""
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "lib"))

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402

import scep_peer  # noqa: E402
import scep_reply  # noqa: E402
from scep_peer import Request  # noqa: E402


def save(name, data):
    (HERE / name).write_bytes(data)


def made_by_us():
    key = serialization.load_pem_private_key((HERE / "rsa.pem").read_bytes(), None)
    nonce = bytes(range(16))
    base = Request(key=key, transaction_id="0A 'b", sender_nonce=nonce, challenge="hush")
    own = base.signer_certificate()
    ca = scep_reply.Authority(own, own, own)
    save("scep_pkcsreq.der", base.build(ca))
    save("scep_pkcsreq.ber", base.again(ber=True).build(ca))
    save("scep_no_attrs.der", base.again(omit=frozenset({
        scep_peer.TRANSACTION_ID, scep_peer.SENDER_NONCE, scep_peer.MESSAGE_TYPE})).build(ca))
    save("scep_no_envelope.der", base.again(envelope_empty=True).build(ca))
    save("scep_odd_type.der", base.again(message_type="19x").build(ca))
    save("scep_long_nonce.der", base.again(sender_nonce=b"n" * 65).build(ca))
    save("scep_oaep_ski.der", ski(base, key, ca))


def ski(base, key, ca):
    extensions = [(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)]
    cert = base.again(signer_extensions=extensions).signer_certificate()
    to = scep_reply.Authority(cert, cert, cert)
    return base.again(recipient="ski", transport="oaep-sha256", cipher="aes256").build(to)


class Proxy(http.server.BaseHTTPRequestHandler):
    upstream = None
    seen = []

    def pass_on(self, body=None):
        with urllib.request.urlopen(self.upstream + self.path, body) as answer:
            reply = answer.read()
        self.seen.append((self.path, body, reply))
        self.send_response(200)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def do_GET(self):
        self.pass_on()

    def do_POST(self):
        self.pass_on(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *args):
        pass


def enrol_by_go(directory, url, challenge):
    subprocess.run(["scepclient", "-server-url", url, "-challenge", challenge, "-cn", "go",
                    "-private-key", "client.key", "-certificate", f"{challenge}.pem"],
                   cwd=directory, check=False, capture_output=True)
    return [s for s in Proxy.seen if "PKIOperation" in s[0]][-1]


def made_by_go():
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["scepserver", "ca", "-init"], cwd=directory, check=True)
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        port = proxy.server_address[1] ^ 1
        server = subprocess.Popen(["scepserver", "-port", str(port), "-challenge", "secret",
                                   "-depot", "depot"], cwd=directory)
        Proxy.upstream = f"http://127.0.0.1:{port}"
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        time.sleep(1)
        try:
            url = f"http://127.0.0.1:{proxy.server_address[1]}/scep"
            _, request, reply = enrol_by_go(directory, url, "secret")
            save("scep_go_request.der", request)
            save("scep_go_success.der", reply)
            save("scep_go_failure.der", enrol_by_go(directory, url, "wrong")[2])
            save("scep_go_ca.der", next(s for s in Proxy.seen if "GetCACert" in s[0])[2])
            save("scep_go_caps.txt", next(s for s in Proxy.seen if "GetCACaps" in s[0])[2])
            save("scep_go.key", (pathlib.Path(directory) / "client.key").read_bytes())
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    os.umask(0o022)
    made_by_us()
    made_by_go()
