# SPDX-License-Identifier: Apache-2.0
"""Other people's clients enrol at our server."""

import base64
import os
import re
import subprocess
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

import scep_peer
import scep_reply
from daemon import PATIENCE, have, listed, wait_for
from scep_peer import Request

SCEP_SUBMIT = "/usr/lib/certmonger/scep-submit"


def run(*arguments, **options):
    return subprocess.run(
        [str(a) for a in arguments], capture_output=True, text=True, timeout=PATIENCE * 2, **options
    )


def pem_file(path, cert):
    path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    return path


def rsa_pem(path, index=0):
    path.write_bytes(
        scep_peer.rsa_key(index).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return path


def check(cert_pem, ca, tmp_path, common_name):
    """GnuTLS says it is the CA's; Python reads it; it names whom it should."""
    cert = x509.load_pem_x509_certificate(cert_pem)
    assert cert.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == common_name
    verify = subprocess.run(
        ["certtool", "--verify", "--load-ca-certificate", pem_file(tmp_path / "anchor.pem", ca.cert)],
        input=cert_pem,
        capture_output=True,
    )
    assert verify.returncode == 0, verify.stdout
    return cert


def scepclient(shared, tmp_path, name, challenge, common_name):
    """micromdm's client knows SHA-1 and DES only: its endpoints need the legacy switch.

    It encrypts for every certificate of GetCACert, EC ones too, unless a fingerprint names one.
    """
    recipient = shared.authority(name).encrypt_cert
    return run(
        "scepclient",
        "-server-url",
        shared.url(name),
        "-ca-fingerprint",
        recipient.fingerprint(scep_peer.hashes.SHA256()).hex(),
        "-challenge",
        challenge,
        "-private-key",
        tmp_path / "key.pem",
        "-certificate",
        tmp_path / "cert.pem",
        "-cn",
        common_name,
        "-organization",
        "Example",
        cwd=tmp_path,
    )


@pytest.mark.skipif(not have("scepclient"), reason="package scep is not installed")
@pytest.mark.parametrize("name", ["ra-des", "lone-des"])
def test_go_scepclient(shared, tmp_path, name):
    """With a one-time challenge, at an authority with RA and at one without."""
    result = scepclient(shared, tmp_path, name, shared.admin.challenge(), f"go-{name}")
    assert result.returncode == 0, result.stdout + result.stderr
    check((tmp_path / "cert.pem").read_bytes(), shared.authority(name), tmp_path, f"go-{name}")


@pytest.mark.skipif(not have("scepclient"), reason="package scep is not installed")
@pytest.mark.parametrize(
    "name,challenge,word",
    [("ra-des", "wrong", "badRequest"), ("demo", None, "badAlg")],
    ids=["wrong challenge", "below the floor"],
)
def test_go_scepclient_is_refused(shared, tmp_path, name, challenge, word):
    challenge = challenge or shared.admin.challenge()
    result = scepclient(shared, tmp_path, name, challenge, "refused")
    assert result.returncode != 0
    assert word in result.stdout + result.stderr
    assert not (tmp_path / "cert.pem").exists()


def pki_scep(shared, tmp_path, name, common_name, *options, key=4):
    ca = shared.authority(name)
    arguments = {
        "--url": shared.url(name),
        "--in": rsa_pem(tmp_path / "key", key),
        "--dn": f"O=Example, CN={common_name}",
        "--san": "swan.example",
        "--cacert-enc": pem_file(tmp_path / "enc", ca.encrypt_cert),
        "--cacert-sig": pem_file(tmp_path / "sig", ca.sign_cert),
        "--cacert": pem_file(tmp_path / "root", ca.cert),
        "--outform": "pem",
    }
    return subprocess.run(
        ["pki", "--scep", *(str(a) for pair in arguments.items() for a in pair), *map(str, options)],
        capture_output=True,
        timeout=PATIENCE * 2,
    )


@pytest.mark.skipif(not have("pki"), reason="strongswan-pki is not installed")
@pytest.mark.parametrize("name", ["demo", "lone", "split"])
def test_strongswan_pki(shared, tmp_path, name):
    """pki --scepca fetches the certificates, pki --scep enrols with them."""
    fetched = run(
        "pki",
        "--scepca",
        "--url",
        shared.url(name),
        "--caout",
        tmp_path / "ca.pem",
        "--raout",
        tmp_path / "ra.pem",
        "--outform",
        "pem",
    )
    assert fetched.returncode == 0, fetched.stderr
    ca = shared.authority(name)
    got = [x509.load_pem_x509_certificate(p.read_bytes()) for p in sorted(tmp_path.glob("*.pem"))]
    assert {c.fingerprint(scep_peer.hashes.SHA256()) for c in got} == {
        c.fingerprint(scep_peer.hashes.SHA256()) for c in (ca.cert, ca.sign_cert, ca.encrypt_cert)
    }
    result = pki_scep(shared, tmp_path, name, f"swan-{name}", "--password", shared.admin.challenge())
    assert result.returncode == 0, result.stderr.decode()
    cert = check(result.stdout, ca, tmp_path, f"swan-{name}")
    san = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["swan.example"]


@pytest.mark.skipif(not have("pki"), reason="strongswan-pki is not installed")
@pytest.mark.parametrize("verdict,key", [("approve", 6), ("reject", 7)])
def test_strongswan_pki_polls(shared, tmp_path, verdict, key):
    """It waits for the operator, and hears the word; its transactionID is the key's hash."""

    def decide():
        requests = wait_for("request", lambda: listed(shared.admin.call("GET", "/requests")))
        time.sleep(1)  # for a poll that finds it waiting
        shared.admin.call("POST", f"/requests/{requests[0]['id']}/{verdict}", {})

    operator = threading.Thread(target=decide)
    operator.start()
    options = ("--password", shared.admin.challenge(), "--interval", 1, "--maxpolltime", PATIENCE)
    result = pki_scep(shared, tmp_path, "manual", "swan-polls", *options, key=key)
    operator.join()
    if verdict == "approve":
        assert result.returncode == 0, result.stderr.decode()
        check(result.stdout, shared.authority("manual"), tmp_path, "swan-polls")
    else:
        assert result.returncode != 0
        assert b"badRequest" in result.stderr


@pytest.mark.skipif(not have("pki"), reason="strongswan-pki is not installed")
@pytest.mark.parametrize("new_key", [4, 6], ids=["same key", "new key"])
def test_strongswan_pki_renews(shared, tmp_path, new_key):
    """By RenewalReq, which it takes GetCACaps' word for."""
    ca = shared.authority("renew")
    challenge = shared.admin.challenge()
    result = pki_scep(shared, tmp_path, "renew", "swan-renew", "--password", challenge)
    assert result.returncode == 0, result.stderr.decode()
    first = check(result.stdout, ca, tmp_path, "swan-renew")
    old = (pem_file(tmp_path / "old", first), rsa_pem(tmp_path / "old-key", 4))
    result = pki_scep(
        shared, tmp_path, "renew", "swan-renew", "--cert", old[0], "--key", old[1], key=new_key
    )
    assert result.returncode == 0, result.stderr.decode()
    second = check(result.stdout, ca, tmp_path, "swan-renew")
    assert first.serial_number != second.serial_number
    found = shared.admin.certs(serial=f"{second.serial_number:x}")[0]
    event = shared.admin.explain(found["transaction"])["events"][-1]
    assert event["kind"] == "enrol.renewed"
    assert "RenewalReq" in str(event["steps"])


def armoured(message):
    return f"-----BEGIN PKCS7-----\n{base64.encodebytes(message).decode()}-----END PKCS7-----\n"


@pytest.mark.skipif(not have(SCEP_SUBMIT), reason="certmonger is not installed")
def test_certmonger_capabilities_and_certificates(shared):
    result = run(SCEP_SUBMIT, "-u", shared.url(), "-c")
    assert result.returncode == 0, result.stderr
    assert "SCEPStandard" in result.stdout.split()
    result = run(SCEP_SUBMIT, "-u", shared.url(), "-C")
    assert result.returncode == 0, result.stderr
    blocks = re.findall("-----BEGIN CERT.*?-----END CERTIFICATE-----\n", result.stdout, re.S)
    certs = [x509.load_pem_x509_certificate(b.encode()) for b in blocks]
    ca = shared.authority()
    assert certs[:2] == [ca.encrypt_cert, ca.cert], "first the RA, then the CA"


@pytest.mark.skipif(not have(SCEP_SUBMIT), reason="certmonger is not installed")
@pytest.mark.parametrize("name", ["demo", "lone"])
def test_certmonger_scep_submit(shared, tmp_path, name):
    """The helper sends the message, verifies the reply's signature, hands out the envelope."""
    ca = shared.authority(name)
    request = Request(challenge=shared.admin.challenge(), subject={"common_name": f"cm-{name}"})
    (tmp_path / "message.pem").write_text(armoured(request.build(ca)))
    result = run(
        SCEP_SUBMIT,
        "-u",
        shared.url(name),
        "-p",
        "-r",
        pem_file(tmp_path / "ra.pem", ca.sign_cert),
        "-N",
        pem_file(tmp_path / "ca.pem", ca.cert),
        tmp_path / "message.pem",
        env=dict(os.environ, CERTMONGER_CA_PROFILE=""),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    body = base64.b64decode("".join(result.stdout.split("-----")[2].split()))
    # What comes out is the enveloped data, or the whole reply, as versions differ.
    try:
        reply = scep_reply.open_reply(body, request, ca)
        cert = reply.cert
    except AssertionError:
        envelope = scep_reply.cms.ContentInfo.load(body, strict=True)["content"]
        cert = scep_reply.degenerate(scep_reply.decrypt(envelope, request))[0]
    check(cert.public_bytes(serialization.Encoding.PEM), ca, tmp_path, f"cm-{name}")


@pytest.mark.skipif(not have(SCEP_SUBMIT), reason="certmonger is not installed")
def test_certmonger_understands_our_refusal(shared, tmp_path):
    ca = shared.authority()
    request = Request(challenge="wrong")
    (tmp_path / "message.pem").write_text(armoured(request.build(ca)))
    result = run(
        SCEP_SUBMIT,
        "-u",
        shared.url(),
        "-p",
        "-r",
        pem_file(tmp_path / "ra.pem", ca.sign_cert),
        "-N",
        pem_file(tmp_path / "ca.pem", ca.cert),
        tmp_path / "message.pem",
    )
    assert result.returncode == 2, result.stdout + result.stderr
    assert "not permitted" in result.stdout
