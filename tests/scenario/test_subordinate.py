# SPDX-License-Identifier: Apache-2.0
"""A CA below another: scepterctl writes a request, OpenSSL signs it, the chain is imported."""

import subprocess

from cryptography import x509

import scep_reply
from daemon import endpoint, scepter, wait_for
from rollover import is_by, next_authority

EXTENSIONS = """[ca]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


def openssl(tmp_path, *arguments):
    run = subprocess.run(["openssl", *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def sign(tmp_path, csr, out):
    openssl(tmp_path, "x509", "-req", "-in", csr, "-CA", "root.pem", "-CAkey", "root.key",
            "-CAcreateserial", "-days", "300", "-extfile", "ca.cnf", "-extensions", "ca",
            "-out", out)  # fmt: skip


def test_from_request_to_enrolment(make_daemon, tmp_path):
    daemon = make_daemon(endpoints=[endpoint("demo"), endpoint("plant", ca="plant", include_ca=True)])
    (tmp_path / "ca.cnf").write_text(EXTENSIONS)
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key",
            "-subj", "/O=Above/CN=Root", "-days", "3000", "-out", "root.pem")  # fmt: skip
    daemon.ctl("ca", "init", "plant", "--subordinate", "--subject", "CN=Plant CA,O=Example",
               "--leaf-validity", "100d", "--out", str(tmp_path / "plant.csr"))  # fmt: skip
    assert "CA:TRUE" in openssl(tmp_path, "req", "-in", "plant.csr", "-verify", "-noout", "-text")
    assert daemon.get("plant", "GetCACert")[0] == 503
    assert "awaits certificate" in daemon.ctl("ca", "list").stdout
    sign(tmp_path, "plant.csr", "plant.pem")
    run = daemon.ctl("ca", "import", "plant", "--chain", str(tmp_path / "plant.pem"), check=False)
    assert run.returncode != 0 and "issuer is not in the chain" in run.stderr
    (tmp_path / "chain.pem").write_bytes(
        (tmp_path / "root.pem").read_bytes() + (tmp_path / "plant.pem").read_bytes()
    )
    daemon.ctl("ca", "import", "plant", "--chain", str(tmp_path / "chain.pem"))
    # the chain is what GetCACert answers: RA, CA, root
    status, headers, body = daemon.get("plant", "GetCACert")
    assert (status, headers["Content-Type"]) == (200, "application/x-x509-ca-ra-cert")
    certs = scep_reply.degenerate(body)
    root = x509.load_pem_x509_certificate((tmp_path / "root.pem").read_bytes())
    plant = x509.load_pem_x509_certificate((tmp_path / "plant.pem").read_bytes())
    assert certs[1:] == [plant, root]
    digest = certs[0].signature_hash_algorithm.name
    scep_reply.verify(plant, digest, certs[0].signature, certs[0].tbs_certificate_bytes)
    # a device that knows the root's fingerprint only
    fingerprint = openssl(tmp_path, "x509", "-in", "root.pem", "-noout", "-fingerprint", "-sha256")
    run = scepter(
        "enrol", "--protocol", "scep", "--url", daemon.url("plant"), "--subject", "CN=valve",
        "--ca-fingerprint", fingerprint.strip().split("=")[1],
        "--key", tmp_path / "valve.key", "--cert", tmp_path / "valve.pem",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    openssl(tmp_path, "verify", "-CAfile", "root.pem", "-untrusted", "plant.pem", "valve.pem")
    # its rollover is a request, too, which can be taken back, and moved
    daemon.ctl("ca", "rollover", "plant", "--at", "+1h")
    daemon.ctl("ca", "rollover", "plant", "--cancel")
    assert "awaits certificate" not in daemon.ctl("ca", "list").stdout
    assert daemon.ctl("ca", "request", "plant", check=False).returncode != 0
    daemon.ctl("ca", "rollover", "plant", "--at", "+1h")
    daemon.ctl("ca", "rollover", "plant", "--at", "+2h")
    daemon.ctl("ca", "request", "plant", "--out", str(tmp_path / "plant2.csr"))
    sign(tmp_path, "plant2.csr", "plant2.pem")
    (tmp_path / "chain2.pem").write_bytes(
        (tmp_path / "plant2.pem").read_bytes() + (tmp_path / "root.pem").read_bytes()
    )
    daemon.ctl("ca", "import", "plant", "--chain", str(tmp_path / "chain2.pem"))
    assert "GetNextCACert" in daemon.get("plant", "GetCACaps")[2].decode().split()
    # the CA's key tells of the next one and of who is above it
    following = next_authority(daemon, "plant")
    plant2 = x509.load_pem_x509_certificate((tmp_path / "plant2.pem").read_bytes())
    assert following.cert == plant2 and is_by(following.encrypt_cert, plant2)
    # it begins when the CA above says so
    daemon.ctl("ca", "rollover", "plant", "--at", "+2s")
    wait_for("the switch", lambda: plant2 in scep_reply.degenerate(daemon.get("plant", "GetCACert")[2]))
