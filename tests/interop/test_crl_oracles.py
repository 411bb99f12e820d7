# SPDX-License-Identifier: Apache-2.0
"""The revocation lists of src/pki are read by openssl, GnuTLS and python3-cryptography."""

import os
import pathlib
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SCEPTER_BUILD", ROOT / "build"))
LISTS = ["full", "empty", "delta", "part", "other_part", "revoked"]
LEAF = 0x7F02


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("crl")
    subprocess.run([BUILD / "tests/interop/pki_oracle", directory], check=True)
    for name in ["chain_ca", "chain_leaf"]:
        openssl("x509", "-inform", "DER", "-in", directory / name, "-out", directory / f"{name}.pem")
    for name in LISTS:
        openssl("crl", "-inform", "DER", "-in", directory / f"crl_{name}",
                "-out", directory / f"{name}.pem")
    return directory


def openssl(*args, check=True):
    return subprocess.run(["openssl", *map(str, args)], check=check, capture_output=True, text=True)


def verify(made, *options):
    return openssl("verify", "-CAfile", made / "chain_ca.pem", "-crl_check", "-x509_strict",
                   *options, made / "chain_leaf.pem", check=False)


def load(made, name):
    return x509.load_der_x509_crl((made / f"crl_{name}").read_bytes())


@pytest.mark.parametrize("name", LISTS)
def test_signature(made, name):
    ca = x509.load_der_x509_certificate((made / "chain_ca").read_bytes())
    assert load(made, name).is_signature_valid(ca.public_key())
    assert "verify OK" in openssl("crl", "-in", made / f"{name}.pem", "-noout", "-CAfile",
                                  made / "chain_ca.pem").stderr
    subprocess.run(["certtool", "--verify-crl", "--load-ca-certificate", made / "chain_ca.pem",
                    "--infile", made / f"{name}.pem"], check=True, capture_output=True)


def test_extensions(made):
    full = load(made, "full")
    number = full.extensions.get_extension_for_class(x509.CRLNumber)
    assert number.value.crl_number == 300 and not number.critical
    freshest = full.extensions.get_extension_for_class(x509.FreshestCRL)
    assert freshest.value[0].full_name[0].value == "http://pki.example/delta"
    ca = x509.load_der_x509_certificate((made / "chain_ca").read_bytes())
    aki = full.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    ski = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert aki.key_identifier == ski.digest
    base = load(made, "delta").extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert base.critical and base.value.crl_number == 300
    point = load(made, "part").extensions.get_extension_for_oid(
        ExtensionOID.ISSUING_DISTRIBUTION_POINT)
    assert point.critical
    assert point.value.full_name[0].value == "http://pki.example/a"
    assert not point.value.only_contains_user_certs and not point.value.indirect_crl


def test_entries(made):
    entries = list(load(made, "full"))
    assert [e.serial_number for e in entries] == [1, 0xFF02]
    assert len(entries[0].extensions) == 0
    reason = entries[1].extensions.get_extension_for_class(x509.CRLReason).value
    assert reason.reason == x509.ReasonFlags.key_compromise
    invalid = entries[1].extensions.get_extension_for_class(x509.InvalidityDate).value
    revoked = entries[1].revocation_date_utc if hasattr(entries[1], "revocation_date_utc") \
        else entries[1].revocation_date
    assert (revoked.replace(tzinfo=None) - invalid.invalidity_date).days == 1
    assert list(load(made, "empty")) == []


def test_openssl_decides_by_them(made):
    assert verify(made, "-CRLfile", made / "full.pem").returncode == 0
    assert verify(made, "-CRLfile", made / "part.pem").returncode == 0
    revoked = verify(made, "-CRLfile", made / "revoked.pem")
    assert "certificate revoked" in revoked.stderr
    # the leaf does not name this list's distribution point
    other = verify(made, "-CRLfile", made / "other_part.pem", "-extended_crl")
    assert "different CRL scope" in other.stderr


def test_openssl_takes_delta(made, tmp_path):
    both = tmp_path / "both.pem"
    both.write_text((made / "full.pem").read_text() + (made / "delta.pem").read_text())
    revoked = verify(made, "-CRLfile", both, "-use_deltas", "-extended_crl")
    assert "certificate revoked" in revoked.stderr
