# SPDX-License-Identifier: Apache-2.0
"""What src/pki makes is read by openssl, GnuTLS, python3-cryptography and asn1crypto."""

import hashlib
import os
import pathlib
import subprocess

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SCEPTER_BUILD", ROOT / "build"))
KINDS = ["rsa2048", "p256", "p384", "p521", "ed25519"]
CIPHERS = {
    "AES-128-CBC": "aes128_cbc",
    "AES-192-CBC": "aes192_cbc",
    "AES-256-CBC": "aes256_cbc",
    "DES-EDE3-CBC": "tripledes_3key",
}
CONTENT = b"what only the recipient may read\n"
PASSWORD = "pass phrase 42"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pki")
    subprocess.run([BUILD / "tests/interop/pki_oracle", directory], check=True)
    return directory


def openssl(*args):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True).stdout


def as_pem(der):
    pem = der.with_suffix(".pem")
    openssl("x509", "-inform", "DER", "-in", der, "-out", pem)
    return pem


@pytest.mark.parametrize("kind", KINDS)
def test_csr(made, kind):
    csr = x509.load_der_x509_csr((made / f"csr_{kind}").read_bytes())
    assert csr.is_signature_valid
    assert csr.subject.rfc4514_string() == "CN=router7,O=Example,C=DE"
    challenge = csr.attributes.get_attribute_for_oid(ObjectIdentifier("1.2.840.113549.1.9.7"))
    assert challenge.value == "s\u00e9same".encode()
    san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["router7.example"]
    assert str(san.get_values_for_type(x509.IPAddress)[0]) == "2001:db8::7"
    upn = b"adele@corp.example"
    assert san.get_values_for_type(x509.OtherName)[0].value == bytes([0x0C, len(upn)]) + upn
    openssl("req", "-inform", "DER", "-in", made / f"csr_{kind}", "-verify", "-noout")


@pytest.mark.parametrize("kind", KINDS)
def test_self_signed(made, kind):
    cert = x509.load_der_x509_certificate((made / f"self_{kind}").read_bytes())
    key = serialization.load_pem_private_key((made / f"key_{kind}").read_bytes(), None)
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert cert.public_key().public_bytes(*spki) == key.public_key().public_bytes(*spki)
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert usage.key_encipherment == (kind == "rsa2048")
    pem = as_pem(made / f"self_{kind}")
    openssl("verify", "-check_ss_sig", "-partial_chain", "-CAfile", pem, pem)


def test_chain(made):
    ca, leaf = as_pem(made / "chain_ca"), as_pem(made / "chain_leaf")
    openssl("verify", "-x509_strict", "-check_ss_sig", "-CAfile", ca, leaf)
    gnutls = ["certtool", "--verify", "--load-ca-certificate", ca, "--infile", leaf]
    subprocess.run(gnutls, check=True, capture_output=True)
    cert = x509.load_pem_x509_certificate(leaf.read_bytes())
    issuer = x509.load_pem_x509_certificate(ca.read_bytes())
    issuer.public_key().verify(
        cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(cert.signature_hash_algorithm)
    )
    ext = cert.extensions.get_extension_for_class
    aki, ski = x509.AuthorityKeyIdentifier, x509.SubjectKeyIdentifier
    assert ext(aki).value == aki.from_issuer_public_key(issuer.public_key())
    assert ext(ski).value == ski.from_public_key(cert.public_key())
    purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ObjectIdentifier("1.3.6.1.5.5.7.3.17")]
    assert list(ext(x509.ExtendedKeyUsage).value) == purposes
    points = ext(x509.CRLDistributionPoints).value
    names = [name.value for point in points for name in point.full_name]
    assert names == ["http://pki.example/a", "http://pki.example/b"]
    assert len(ext(x509.AuthorityInformationAccess).value) == 2
    assert issuer.serial_number == 0x9901 and cert.serial_number == 0x7F02


@pytest.mark.parametrize("kind", KINDS)
def test_signed(made, kind):
    pem, der = as_pem(made / f"self_{kind}"), made / f"signed_{kind}"
    signed = cms.ContentInfo.load(der.read_bytes())["content"]
    signer = signed["signer_infos"][0]
    encoded = [attribute.dump() for attribute in signer["signed_attrs"]]
    assert signed["version"].native == signer["version"].native == "v1"
    assert encoded == sorted(encoded) and len(encoded) == 3
    if kind == "rsa2048":
        assert signer["signature_algorithm"]["algorithm"].native == "rsassa_pkcs1v15"
    if kind == "ed25519":  # which the openssl command of 3.0 does not know in CMS
        check_ed25519(signer, x509.load_pem_x509_certificate(pem.read_bytes()))
        return
    verify = ["cms", "-verify", "-inform", "DER", "-in", der, "-purpose", "any"]
    assert openssl(*verify, "-partial_chain", "-CAfile", pem, "-binary") == CONTENT


def check_ed25519(signer, cert):
    """RFC 8419 3.1: SHA-512, and the signature over the SET OF attributes."""
    assert signer["digest_algorithm"]["algorithm"].native == "sha512"
    values = {a["type"].native: a["values"][0].native for a in signer["signed_attrs"]}
    assert values["message_digest"] == hashlib.sha512(CONTENT).digest()
    message = signer["signed_attrs"].untag().dump()
    cert.public_key().verify(signer["signature"].native, message)


def test_degenerate(made):
    certs = cms.ContentInfo.load((made / "degenerate_both").read_bytes())["content"]["certificates"]
    assert [cert.dump() for cert in certs] == [
        (made / f"chain_{name}").read_bytes() for name in ("leaf", "ca")
    ]
    printed = openssl("pkcs7", "-inform", "DER", "-in", made / "degenerate_both", "-print_certs")
    assert printed.count(b"BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("cipher", CIPHERS)
def test_enveloped_to_a_certificate(made, cipher):
    der = made / f"enveloped_{cipher}"
    decrypt = ["cms", "-decrypt", "-inform", "DER", "-binary", "-in", der]
    by_key = ["-recip", as_pem(made / "chain_leaf"), "-inkey", made / "key_rsa2048"]
    assert openssl(*decrypt, *by_key) == CONTENT
    enveloped = cms.ContentInfo.load(der.read_bytes())["content"]
    assert enveloped["version"].native == "v0"
    algorithm = enveloped["encrypted_content_info"]["content_encryption_algorithm"]
    assert algorithm["algorithm"].native == CIPHERS[cipher]


@pytest.mark.parametrize("cipher", CIPHERS)
def test_enveloped_to_a_password(made, cipher):
    der = made / f"pwri_{cipher}"
    decrypt = ["cms", "-decrypt", "-inform", "DER", "-binary", "-in", der]
    assert openssl(*decrypt, "-pwri_password", PASSWORD) == CONTENT
    enveloped = cms.ContentInfo.load(der.read_bytes())["content"]
    kdf = enveloped["recipient_infos"][0].chosen["key_derivation_algorithm"]
    assert enveloped["version"].native == "v3"
    assert kdf["algorithm"].native == "pbkdf2"
    assert kdf["parameters"]["prf"]["algorithm"].native == "sha256"
    with pytest.raises(subprocess.CalledProcessError):
        openssl(*decrypt, "-pwri_password", PASSWORD + "?")
