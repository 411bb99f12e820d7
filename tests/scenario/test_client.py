# SPDX-License-Identifier: Apache-2.0
"""The programs as a person uses them: scepter enrol, getca, decode; scepterctl."""

import json
import os
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep_peer
import scep_reply
from daemon import program, scepter
from scep_peer import Request


def load(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def enrol(shared, tmp_path, name="demo", challenge=None, **changes):
    (tmp_path / "challenge").write_text((challenge or shared.admin.challenge()) + "\n")
    options = {
        "--protocol": "scep",
        "--url": shared.url(name),
        "--challenge-file": tmp_path / "challenge",
        "--ca-fingerprint": shared.authority(name).fingerprint,
        "--subject": "CN=router7,O=Example",
        "--key": tmp_path / "key.pem",
        "--cert": tmp_path / "cert.pem",
        **changes,
    }
    arguments = [x for k, v in options.items() if v is not None for x in ((k, v) if v != "" else (k,))]
    return scepter("enrol", *arguments)


def test_enrol(shared, tmp_path):
    """One command: a key of mode 0600, and the certificate for it."""
    run = enrol(shared, tmp_path, **{"--san": "DNS:router7.example", "--ca": tmp_path / "ca.pem"})
    assert run.returncode == 0, run.stderr
    key_path = tmp_path / "key.pem"
    assert stat.S_IMODE(key_path.stat().st_mode) == 0o600
    key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    cert = load(tmp_path / "cert.pem")
    assert cert.public_key().public_numbers() == key.public_key().public_numbers()
    assert cert.subject.rfc4514_string() == "CN=router7,O=Example"
    san = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["router7.example"]
    assert load(tmp_path / "ca.pem") == shared.authority("demo").cert
    verify = subprocess.run(
        ["certtool", "--verify", "--load-ca-certificate", tmp_path / "ca.pem"],
        input=(tmp_path / "cert.pem").read_bytes(),
        capture_output=True,
    )
    assert verify.returncode == 0


@pytest.mark.parametrize("option", ["--cert", "--ca"])
def test_what_could_not_be_kept_is_not_asked_for(shared, tmp_path, option):
    """The challenge is not used up, and no certificate issued, for a file that cannot be written."""
    challenge, before = shared.admin.challenge(), len(shared.admin.certs(limit=1000))
    for path, why in ((tmp_path / "nowhere" / "x.pem", "No such file or directory"), (tmp_path, "Is a directory")):
        run = enrol(shared, tmp_path, challenge=challenge, **{option: path})
        assert run.returncode == 74, run.stderr
        assert f"{path}: cannot be written: {why}" in run.stderr
    assert len(shared.admin.certs(limit=1000)) == before
    (tmp_path / "key.pem").unlink(missing_ok=True)
    assert enrol(shared, tmp_path, challenge=challenge).returncode == 0, "another key may use it"


@pytest.mark.parametrize("name", ["lone", "split", "legacy-3des"])
def test_enrol_at_every_kind_of_authority(shared, tmp_path, name):
    run = enrol(shared, tmp_path, name, challenge="anything")
    assert run.returncode == 0, run.stderr


def test_enrol_with_a_key_that_is_there(shared, tmp_path):
    key = scep_peer.rsa_key(3)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    assert enrol(shared, tmp_path).returncode == 0
    assert scep_peer.spki_of(key) == _spki(load(tmp_path / "cert.pem"))


def _spki(cert):
    return cert.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def test_enrol_refuses_another_ca(shared, tmp_path):
    run = enrol(shared, tmp_path, **{"--ca-fingerprint": "00" * 32})
    assert run.returncode != 0
    assert "fingerprint" in run.stderr
    assert not (tmp_path / "cert.pem").exists()


def test_enrol_needs_a_fingerprint_or_an_explicit_leap_of_faith(shared, tmp_path):
    run = enrol(shared, tmp_path, **{"--ca-fingerprint": None})
    assert run.returncode != 0
    assert "fingerprint" in run.stderr
    run = enrol(shared, tmp_path, **{"--ca-fingerprint": None, "--insecure-trust-first-use": ""})
    assert run.returncode == 0, run.stderr


def test_enrol_says_why_it_was_refused(shared, tmp_path):
    run = enrol(shared, tmp_path, challenge="A" * 26)
    assert run.returncode != 0
    assert "badRequest" in run.stderr
    assert "A" * 26 not in run.stderr
    assert not (tmp_path / "cert.pem").exists()


def test_enrol_retry_with_the_same_key_gets_the_same_certificate(shared, tmp_path):
    challenge = shared.admin.challenge()
    assert enrol(shared, tmp_path, challenge=challenge).returncode == 0
    first = load(tmp_path / "cert.pem")
    os.unlink(tmp_path / "cert.pem")
    run = enrol(shared, tmp_path, challenge=challenge)
    assert run.returncode == 0, run.stderr
    assert load(tmp_path / "cert.pem") == first


def test_getca(shared, tmp_path):
    ca = shared.authority("demo")
    run = scepter(
        "getca", "--url", shared.url(), "--ca-fingerprint", ca.fingerprint, "--out", tmp_path / "ca.pem"
    )
    assert run.returncode == 0, run.stderr
    blocks = (tmp_path / "ca.pem").read_text().split("-----BEGIN")[1:]
    certs = [x509.load_pem_x509_certificate(f"-----BEGIN{block}".encode()) for block in blocks]
    assert certs == [ca.cert, ca.sign_cert]  # the anchor first, whatever came first


def test_decode(shared, tmp_path):
    ca = shared.authority("open")
    request = Request(transaction_id="decode-me", subject={"common_name": "decoded"})
    message = request.build(ca)
    (tmp_path / "message.der").write_bytes(message)
    run = scepter("decode", tmp_path / "message.der")
    assert run.returncode == 0, run.stderr
    assert "PKCSReq" in run.stdout and "decode-me" in run.stdout
    form = scep_peer.get_forms(message)["newlines"]
    (tmp_path / "url.txt").write_text(
        f"{shared.url('open')}?operation=PKIOperation&message={form}\n"
    )
    run = scepter("decode", tmp_path / "url.txt")
    assert run.returncode == 0, run.stderr
    assert "decode-me" in run.stdout


def test_decode_of_a_reply_and_of_rubbish(shared, tmp_path):
    ca = shared.authority("open")
    request = Request(break_signature=True, transaction_id="refused-one")
    (tmp_path / "reply.der").write_bytes(shared.post("open", request.build(ca))[2])
    run = scepter("decode", tmp_path / "reply.der")
    assert run.returncode == 0, run.stderr
    for word in ("CertRep", "FAILURE", "badMessageCheck", "refused-one"):
        assert word in run.stdout
    (tmp_path / "rubbish").write_bytes(b"\x30\x82\xff\xff" + os.urandom(99))
    run = scepter("decode", tmp_path / "rubbish")
    assert run.returncode != 0
    assert run.stderr


@pytest.mark.parametrize("program_name", ["scepter", "scepterctl", "scepterd"])
def test_help_and_wrong_usage(program_name):
    run = subprocess.run([program(program_name), "--help"], capture_output=True, text=True)
    assert run.returncode == 0
    assert program_name in run.stdout
    run = subprocess.run([program(program_name), "--no-such"], capture_output=True, text=True)
    assert run.returncode != 0
    assert run.stderr


def test_scepterctl_life_of_a_challenge(shared):
    made = shared.ctl_json("challenge", "new", "--lifetime", "1h")
    assert len(made["challenge"]) == 26
    assert made["id"] in shared.ctl("challenge", "list").stdout
    shared.ctl("challenge", "revoke", made["id"])
    reply = shared.enrol(Request(challenge=made["challenge"]))
    assert reply.status == "FAILURE"


def test_scepterctl_ca(shared):
    assert "demo" in shared.ctl("ca", "list").stdout
    shown = shared.ctl("ca", "show", "demo").stdout
    fingerprint = shared.authority().fingerprint
    assert fingerprint in shown.lower().replace(":", "")
    assert json.loads(shared.ctl("--json", "ca", "show", "demo").stdout)


def test_scepterctl_cert(shared, tmp_path):
    cert = shared.enrol(Request(subject={"common_name": "exported"}), "open").cert
    serial = f"{cert.serial_number:x}"
    assert "exported" in shared.ctl("cert", "list").stdout
    assert "exported" in shared.ctl("cert", "show", serial).stdout
    pem = shared.ctl("cert", "export", serial).stdout
    assert x509.load_pem_x509_certificate(pem.encode()) == cert
    assert scep_reply.der_of(cert)


def test_scepterctl_complains(shared):
    assert shared.ctl("cert", "show", "00ff00ff", check=False).returncode != 0
    assert shared.ctl("ca", "init", "demo", check=False).returncode != 0
    assert shared.ctl("explain", "no-such-transaction", check=False).returncode != 0
    nowhere = subprocess.run(
        [program("scepterctl"), "--socket", "/nonexistent/admin.sock", "ca", "list"],
        capture_output=True,
        text=True,
    )
    assert nowhere.returncode != 0
    assert "/nonexistent/admin.sock" in nowhere.stderr
