#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""OCSP messages by python3-cryptography and asn1crypto; the key is p256.pem. Run in this folder."""
import datetime
import pathlib

from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 11, 21, 20, 44)
KEY = serialization.load_pem_private_key((HERE / "p256.pem").read_bytes(), None)
NAME = x509.Name.from_rfc4514_string("CN=Responder,O=Example")
DER = serialization.Encoding.DER


def certificate(serial):
    return (x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME)
            .public_key(KEY.public_key()).serial_number(serial).not_valid_before(NOW)
            .not_valid_after(NOW + datetime.timedelta(days=30)).sign(KEY, hashes.SHA256()))


issuer, cert = certificate(1), certificate(0xF00D)
one = ocsp.OCSPRequestBuilder().add_certificate(cert, issuer, hashes.SHA256())
one = one.add_extension(x509.OCSPNonce(b"nonce of 17 bytes"), critical=False).build()
(HERE / "ocsp_request.der").write_bytes(one.public_bytes(DER))


def cert_id(algorithm, serial):
    return {"req_cert": {"hash_algorithm": {"algorithm": algorithm}, "issuer_name_hash": b"n" * 20,
                         "issuer_key_hash": b"k" * 20, "serial_number": serial}}


many = asn1_ocsp.OCSPRequest({"tbs_request": {
    "requestor_name": asn1_ocsp.GeneralName("dns_name", "client.example"),
    "request_list": [cert_id("sha1", 3), cert_id("sha224", -5), cert_id("sha1", 1 << 100)],
    "request_extensions": [{"extn_id": "1.3.6.1.5.5.7.48.1.4", "critical": False,
                            "extn_value": ["1.3.6.1.5.5.7.48.1.1"]}],
}})
(HERE / "ocsp_request_many.der").write_bytes(many.dump())


def response(name, status, responder, revoked=None, reason=None):
    made = ocsp.OCSPResponseBuilder().add_response(
        cert=cert, issuer=issuer, algorithm=hashes.SHA256(), cert_status=status, this_update=NOW,
        next_update=NOW + datetime.timedelta(hours=1), revocation_time=revoked,
        revocation_reason=reason).responder_id(responder, issuer).certificates([issuer])
    made = made.add_extension(x509.OCSPNonce(b"nonce of 17 bytes"), critical=False)
    (HERE / name).write_bytes(made.sign(KEY, hashes.SHA256()).public_bytes(DER))


response("ocsp_good.der", ocsp.OCSPCertStatus.GOOD, ocsp.OCSPResponderEncoding.HASH)
response("ocsp_revoked.der", ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPResponderEncoding.NAME, NOW,
         x509.ReasonFlags.superseded)
response("ocsp_unknown.der", ocsp.OCSPCertStatus.UNKNOWN, ocsp.OCSPResponderEncoding.HASH)
