#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A foreign CA's certificate for a TLS server, and OCSP responses about it, good and hostile, by
python3-cryptography. Keys are made anew. Run in this folder."""
import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 11, 21, 20, 44)
HOUR = datetime.timedelta(hours=1)
DER = serialization.Encoding.DER
STATUS = ocsp.OCSPCertStatus


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def name(text):
    return x509.Name.from_rfc4514_string(f"CN={text}")


def certificate(subject, key, issuer, signer, *extensions, ends=NOW + 24 * HOUR):
    made = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 2 * HOUR).not_valid_after(ends))
    for extension in extensions:
        made = made.add_extension(extension, critical=False)
    return made.sign(signer, hashes.SHA256())


def access(method, url):
    return x509.AccessDescription(method, x509.UniformResourceIdentifier(url))


SIGNS_OCSP = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
ISSUERS, OCSP = AuthorityInformationAccessOID.CA_ISSUERS, AuthorityInformationAccessOID.OCSP
ca_key, other_key, key, delegate_key = new_key(), new_key(), new_key(), new_key()
ca = certificate("Foreign CA", ca_key, "Foreign CA", ca_key)
other_ca = certificate("Foreign CA", other_key, "Foreign CA", other_key)
leaf = certificate("server", key, "Foreign CA", ca_key, x509.AuthorityInformationAccess([
    access(ISSUERS, "http://ca.example/ca.crt"), access(OCSP, "https://ocsp.example/"),
    access(OCSP, "http://ocsp.example/a"), access(OCSP, "http://ocsp.example/b")]))
sibling = certificate("sibling", key, "Foreign CA", ca_key)
delegate = certificate("responder", delegate_key, "Foreign CA", ca_key, SIGNS_OCSP)
no_purpose = certificate("responder", delegate_key, "Foreign CA", ca_key)
too_old = certificate("responder", delegate_key, "Foreign CA", ca_key, SIGNS_OCSP, ends=NOW - HOUR)
foreign = certificate("responder", delegate_key, "Foreign CA", other_key, SIGNS_OCSP)


def put(file, made):
    (HERE / f"staple_{file}.der").write_bytes(made.public_bytes(DER))


def response(file, status=STATUS.GOOD, cert=leaf, issuer=ca, signer=ca_key, by=None, who=None,
             begins=NOW, ends=NOW + HOUR, algorithm=hashes.SHA1):
    made = ocsp.OCSPResponseBuilder().add_response(
        cert=cert, issuer=issuer, algorithm=algorithm(), cert_status=status, this_update=begins,
        next_update=ends, revocation_time=NOW if status == STATUS.REVOKED else None,
        revocation_reason=None).responder_id(ocsp.OCSPResponderEncoding.HASH, by or who or issuer)
    if by:
        made = made.certificates([by])
    put(file, made.sign(signer, hashes.SHA256()))


put("ca", ca)
put("cert", leaf)
response("good")
response("delegated", by=delegate, signer=delegate_key)
response("revoked", STATUS.REVOKED)
response("no_next", ends=None)
response("unknown", STATUS.UNKNOWN)
response("other_cert", cert=sibling)
response("other_ca", issuer=other_ca, signer=other_key)
response("forged", signer=other_key, who=other_ca)
response("other_hash", algorithm=hashes.SHA256)
response("early", begins=NOW + HOUR, ends=NOW + 2 * HOUR)
response("late", begins=NOW - HOUR, ends=NOW)
response("no_purpose", by=no_purpose, signer=delegate_key)
response("delegate_over", by=too_old, signer=delegate_key)
response("delegate_foreign", by=foreign, signer=delegate_key)
put("try_later", ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER))
