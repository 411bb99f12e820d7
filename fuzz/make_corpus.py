#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of fuzz/corpus/ with the tests' own peer, which is independent of our codecs."""

import base64
import datetime
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "lib"))

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes  # noqa: E402

import cmc_peer  # noqa: E402
import der  # noqa: E402
import est_peer  # noqa: E402
import scep_peer  # noqa: E402
import scep_reply  # noqa: E402


def authority():
    key = scep_peer.rsa_key(9)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Seed CA")])
    start = datetime.datetime(2026, 1, 1)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(77)
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2036))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    return scep_reply.Authority(cert, cert, cert)


def requests():
    san = scep_peer.san_extension(dns=["seed.example"], ips=[b"\x7f\0\0\1"])
    knobs = {
        "plain": dict(challenge="CHALLENGE"),
        "ber": dict(ber=True, challenge="CHALLENGE", challenge_type="bmp"),
        "oaep": dict(transport="oaep-sha256", extensions=[san], recipient="ski"),
        "ec": dict(key=scep_peer.ec_key(), challenge="CHALLENGE"),
        "missing": dict(omit=frozenset({scep_peer.TRANSACTION_ID, scep_peer.SENDER_NONCE})),
        "legacy": dict(cipher="3des", digest="sha1", reverse_attributes=True),
    }
    return {name: scep_peer.Request(**options) for name, options in knobs.items()}


def proxy_headers():
    signature = b"\r\n\r\n\0\r\nQUIT\n"
    tcp4 = bytes([203, 0, 113, 7, 198, 51, 100, 1]) + b"\xdc\x04\x01\xbb"
    return {
        "text": b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n",
        "unknown": b"PROXY UNKNOWN\r\n",
        "local": signature + b"\x20\x00\x00\x00",
        "tcp4": signature + b"\x21\x11\x00\x18" + tcp4 + b"\1\0\2h2\3\0\4\xe1\x24\x98\xad",
        "tcp6": signature + b"\x21\x21\x00\x24" + tcp4 * 3,
    }


def csr_attributes():
    """Bodies as RFC 7030 and RFC 8951 have them: in lines, in one, and with nothing in it."""
    attributes = der.seq(
        der.oid("1.2.840.113549.1.9.7"),
        der.seq(der.oid("1.2.840.10045.2.1"), der.set_of(der.oid("1.3.132.0.34"))),
        der.oid("1.2.840.10045.4.3.3"),
    )
    return {
        "lines": base64.encodebytes(attributes),
        "one-line": base64.b64encode(attributes),
        "empty": base64.b64encode(der.seq()),
    }


def cmc_messages():
    request, control = est_peer.Request("seed"), cmc_peer.control
    issuer = est_peer.name("Seed CA")
    requests = [cmc_peer.tcr(9, request.der)]
    secret = cmc_peer.witness_v2("secret", der.seq(*requests))
    enrol = [
        control(1, "transaction_id", der.integer(7)),
        control(2, "sender_nonce", der.octets(b"nonce")),
        control(3, "identification", der.tlv(0x0C, b"seed")),
        control(4, "identity_proof_v2", secret),
    ]
    lists = [
        control(1, "get_cert", cmc_peer.get_cert(issuer, 7)),
        control(2, "get_crl", der.seq(cmc_peer.name_der(issuer), der.tlv(0x18, b"20260101000000Z"))),
        control(3, "revoke_request", cmc_peer.revoke(issuer, 7, 1, der.octets(b"s"), der.tlv(0x0C, b"c"))),
        control(4, "query_pending", der.octets(b"token")),
    ]
    status = der.seq(
        der.integer(3),
        der.seq(der.integer(9)),
        der.tlv(0x0C, b"later"),
        der.seq(der.octets(b"token"), der.tlv(0x18, b"20260101000000Z")),
    )
    response = der.seq(der.seq(control(1, "status_info_v2", status), *enrol[:2]), der.seq(), der.seq())
    message = cmc_peer.signed(cmc_peer.pki_data(enrol, requests), request.key)
    return {
        "enrol": message,
        "ber": der.ber_signed(message, size=50),
        "crmf": cmc_peer.signed(cmc_peer.pki_data(requests=[cmc_peer.crm(9, request.key, "seed")])),
        "ask": cmc_peer.signed(cmc_peer.pki_data(lists)),
        "response": cmc_peer.signed(response, kind=cmc_peer.PKI_RESPONSE),
    }


def device_lists():
    return {
        "serials": b"serialNumber,use,note\r\nFOC1234,once,\"first, of many\"\r\nFOC1235,ever,\r\n",
        "macs": b"\xef\xbb\xbfMAC;note\n00:1B:44:11:3a:b7;a\n001b.4411.3ab8;b\n",
        "types": b"type,value\nCN,router-1\nDNS,router-1.example\n",
    }


def main():
    ca = authority()
    seeds = {"der": {}, "csr": {}, "cms": {}, "scep_message": {}, "scep_query": {}}
    seeds["proxy_header"] = proxy_headers()
    seeds["est"] = csr_attributes()
    seeds["cmc"] = cmc_messages()
    seeds["device_csv"] = device_lists()
    for name, request in requests().items():
        csr, message = request.csr(), request.build(ca)
        seeds["csr"][name] = csr
        seeds["cms"]["envelope-" + name] = request.envelope(ca, csr)
        seeds["scep_message"][name] = message
        seeds["der"][name] = message if name == "ber" else csr
        if name != "ber":
            seeds["cms"]["signed-" + name] = message
    seeds["cms"]["degenerate"] = der.seq(
        der.oid(scep_peer.SIGNED_DATA),
        der.tlv(
            0xA0,
            der.seq(
                der.integer(1),
                der.set_of(),
                der.seq(der.oid(scep_peer.DATA)),
                der.tlv(0xA0, scep_reply.der_of(ca.cert)),
                der.set_of(),
            ),
        ),
    )
    for form, text in scep_peer.get_forms(b"\x30\x82\x01\xfb" + bytes(range(256)) * 2).items():
        seeds["scep_query"][form] = f"operation=PKIOperation&message={text}".encode()
    seeds["scep_query"]["caps"] = b"AES\nPOSTPKIOperation\r\nSHA-256\n\nSCEPStandard"
    seeds["scep_query"]["getca"] = b"operation=GetCACert&message=trust-point%20a"
    for target, files in seeds.items():
        directory = HERE / "corpus" / target
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (directory / name).write_bytes(data)


if __name__ == "__main__":
    main()
