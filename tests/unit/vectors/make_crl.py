#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Revocation lists by python3-cryptography; the key is p256.pem. Run in this folder."""
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

HERE = pathlib.Path(__file__).parent
UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 11, 21, 20, 44, tzinfo=UTC)
KEY = serialization.load_pem_private_key((HERE / "p256.pem").read_bytes(), None)
NAME = x509.Name.from_rfc4514_string("CN=Lists,O=Example")


def entry(serial, reason=None, invalid=None):
    made = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
    if reason:
        made = made.add_extension(x509.CRLReason(reason), critical=False)
    if invalid:
        made = made.add_extension(x509.InvalidityDate(invalid), critical=False)
    return made.build()


def write(name, entries, extensions):
    made = (x509.CertificateRevocationListBuilder().issuer_name(NAME)
            .last_update(NOW).next_update(NOW + datetime.timedelta(days=7)))
    for one in entries:
        made = made.add_revoked_certificate(one)
    for extension, critical in extensions:
        made = made.add_extension(extension, critical)
    signed = made.sign(KEY, hashes.SHA256())
    (HERE / name).write_bytes(signed.public_bytes(serialization.Encoding.DER))


aki = (x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), False)
entries = [
    entry(0x7F01),
    entry(0xF00D, x509.ReasonFlags.key_compromise, NOW - datetime.timedelta(days=2)),
    entry(3, x509.ReasonFlags.certificate_hold),
]
write("crl_full.der", entries, [aki, (x509.CRLNumber(7), False)])
write("crl_empty.der", [], [aki, (x509.CRLNumber(0), False)])
write("crl_delta.der", entries[2:],
      [aki, (x509.CRLNumber(9), False), (x509.DeltaCRLIndicator(7), True)])
point = x509.IssuingDistributionPoint(
    [x509.UniformResourceIdentifier("http://crl.example/3.crl")], None, True, False, None,
    False, False)
write("crl_part.der", entries[:1], [aki, (x509.CRLNumber(8), False), (point, True)])
some = x509.IssuingDistributionPoint(
    None, None, False, False, frozenset([x509.ReasonFlags.key_compromise]), False, False)
write("crl_some_reasons.der", [], [aki, (x509.CRLNumber(8), False), (some, True)])
write("crl_big_number.der", [], [aki, (x509.CRLNumber(1 << 64), False)])
unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
write("crl_unknown_critical.der", [], [aki, (unknown, True)])
