# SPDX-License-Identifier: Apache-2.0
"""Hostile variants: the signature, SCEP's attributes and the envelope of a message."""

import os

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import der
import hostile
import odd_keys
import scep_peer
import scep_reply
from hostile import Row, world  # noqa: F401
from odd_keys import OddRsa, modulus
from scep_peer import Request, ec_key, rsa_key

TITLE = "Signatures, attributes and envelopes"
TID, NONCE, TYPE = scep_peer.TRANSACTION_ID, scep_peer.SENDER_NONCE, scep_peer.MESSAGE_TYPE
BAD_SIGNATURE = "RFC 5652 5.6: the signature is not by the signer's key"
DOES_NOT_OPEN = "with no key of this CA does the pkcsPKIEnvelope open"


def knobs(**values):
    return lambda w: Request(**values)


def algorithm(oid, *parameters):
    return der.seq(der.oid(oid), *parameters)


def cert_der(key):
    return Request(key=key).signer_certificate().public_bytes(serialization.Encoding.DER)


def as_signer(make):
    """A request that is for the odd key, and signed with it."""
    return lambda w: Request(key=make())


def raw_type(text, tag="printable"):
    return knobs(raw_attributes={TYPE: [scep_peer.string(tag, text)]})


def ecdsa_zero():
    return der.seq(der.integer(0), der.integer(0))


SIGNATURES = [
    Row("broken_signature", "an octet of the signature changed", "badMessageCheck",
        BAD_SIGNATURE, knobs(break_signature=True)),
    Row("other_content", "another messageDigest than the content's", "badMessageCheck",
        "messageDigest", knobs(break_digest=True)),
    Row("no_message_digest", "no messageDigest", "badMessageCheck", "messageDigest is missing",
        knobs(omit={scep_peer.MESSAGE_DIGEST})),
    Row("wrong_content_type", "a contentType attribute that contradicts eContentType",
        "badMessageCheck", "contentType attribute differs", knobs(content_type=scep_peer.SIGNED_DATA)),
    Row("wrong_signer", "a signature by another key than the certificate's", "badMessageCheck",
        BAD_SIGNATURE,
        lambda w: Request(signer_key=rsa_key(1), signer_cert=Request().signer_certificate())),
    Row("no_certificate", "no certificate of the signer", "badMessageCheck",
        "none of the 0 certificates", knobs(certificates=[])),
    Row("strangers_certificates", "only certificates of others", "badMessageCheck",
        "none of the 2 certificates",
        lambda w: Request(certificates=[cert_der(rsa_key(5)), cert_der(rsa_key(6))])),
    Row("certificate_unreadable", "a certificate that is none", "badRequest", "certificate",
        knobs(certificates=[der.seq(der.NULL)])),
    Row("signature_empty", "an empty signature", "badMessageCheck", BAD_SIGNATURE,
        knobs(signature=b"")),
    Row("signature_zero", "an RSA signature of zero", "badMessageCheck", BAD_SIGNATURE,
        knobs(signature=b"\0" * 256)),
    Row("signature_too_large", "an RSA signature above the modulus", "badMessageCheck",
        BAD_SIGNATURE, knobs(signature=b"\xff" * 256)),
    Row("signature_longer", "an RSA signature of more octets than the key has", "badMessageCheck",
        BAD_SIGNATURE, knobs(signature=b"\1" * 4096)),
    Row("ecdsa_zero", "an ECDSA signature with r = s = 0 (psychic)", "badMessageCheck",
        BAD_SIGNATURE,
        lambda w: Request(key=ec_key(), challenge="x", signature=ecdsa_zero())),
    Row("md5_signature", "MD5", "badAlg", "MD5", knobs(digest="md5")),
    Row("sha1_signature", "SHA-1 where the endpoint has no legacy", "badAlg", "SHA-1",
        knobs(digest="sha1")),
    Row("md5_on_legacy", "MD5 where only SHA-1 and 3DES are let in", "badAlg", "MD5",
        knobs(digest="md5"), at="legacy"),
    Row("sha1_in_signature_only", "SHA-1 in signatureAlgorithm alone", "badAlg", "SHA-1",
        knobs(signature_id=algorithm("1.2.840.113549.1.1.5", der.NULL))),
    Row("digests_differ", "SHA-512 in signatureAlgorithm, SHA-256 in digestAlgorithm", "badAlg",
        "signatureAlgorithm has SHA-512",
        knobs(signature_id=algorithm("1.2.840.113549.1.1.13", der.NULL))),
    Row("ecdsa_with_rsa_key", "ECDSA named for a signature by RSA", "badAlg", "the key is RSA",
        knobs(signature_id=algorithm(scep_peer.ECDSA["sha256"]))),
    Row("digest_unknown", "an unknown digestAlgorithm", "badAlg", "digestAlgorithm",
        knobs(digest_id=algorithm("1.3.6.1.4.1.99999.1"))),
    Row("signature_unknown", "an unknown signatureAlgorithm", "badAlg", "signatureAlgorithm",
        knobs(signature_id=algorithm("1.3.6.1.4.1.99999.2"))),
]  # fmt: skip

KEYS = [
    Row("rsa_e_1", "a signer's RSA key with e = 1, whose signature everyone can make", "badAlg",
        "exponent", as_signer(lambda: OddRsa(modulus(2048), 1))),
    Row("rsa_e_even", "an even exponent", "badAlg", "exponent",
        as_signer(lambda: OddRsa(modulus(2048), 4))),
    Row("rsa_e_zero", "an exponent of 0", "badAlg", "exponent",
        as_signer(lambda: OddRsa(modulus(2048), 0))),
    Row("rsa_e_2048_bits", "an exponent of 2048 bits, to keep the server busy", "badAlg", "exponent",
        as_signer(lambda: OddRsa(modulus(2048), modulus(2048)))),
    Row("rsa_even_modulus", "an even modulus", "badAlg", "modulus is even",
        as_signer(lambda: OddRsa(modulus(2048, 0), 65537))),
    Row("rsa_zero_modulus", "a modulus of 0", "badAlg", "modulus",
        as_signer(lambda: OddRsa(0, 65537))),
    Row("rsa_negative_modulus", "a negative modulus", "badRequest", "negative",
        as_signer(lambda: OddRsa(-modulus(2048), 65537))),
    Row("rsa_512", "an RSA key of 512 bits", "badAlg", "1024",
        as_signer(lambda: OddRsa(modulus(512), 65537))),
    Row("rsa_16384", "an RSA key of 16384 bits", "badAlg", "8192",
        as_signer(lambda: OddRsa(modulus(16384), 65537))),
    Row("ec_off_curve", "a point that is not on the curve", "badAlg", "not usable",
        as_signer(lambda: odd_keys.ec_with_point(lambda p: p[:-1] + bytes([p[-1] ^ 1])))),
    Row("ec_zero_point", "the point (0, 0)", "badAlg", "not usable",
        as_signer(lambda: odd_keys.ec_with_point(lambda p: b"\4" + bytes(64)))),
    Row("ec_infinity", "the point at infinity", "badAlg", "point of 1 octets",
        as_signer(lambda: odd_keys.ec_with_point(lambda p: b"\0"))),
    Row("ec_compressed", "a compressed point", "badAlg", "not uncompressed",
        as_signer(lambda: odd_keys.ec_with_point(lambda p: bytes([2 + (p[-1] & 1)]) + p[1:33]))),
    Row("ec_hybrid", "a hybrid point", "badAlg", "not uncompressed",
        as_signer(lambda: odd_keys.ec_with_point(lambda p: bytes([6 + (p[-1] & 1)]) + p[1:]))),
    Row("ec_explicit", "a curve of the sender's own, written out (CVE-2020-0601)", "badAlg",
        "namedCurve", as_signer(odd_keys.ec_explicit)),
    Row("ec_p224", "a key on P-224", "badAlg", "curve is none of",
        as_signer(lambda: odd_keys.ec_on(ec.SECP224R1(), odd_keys.P224))),
    Row("ec_secp256k1", "a key on secp256k1", "badAlg", "curve is none of",
        as_signer(lambda: odd_keys.ec_on(ec.SECP256K1(), odd_keys.SECP256K1))),
    Row("dsa", "a DSA key", "badAlg", "1.2.840.10040.4.1", as_signer(odd_keys.dsa_key)),
    Row("x25519", "a key that cannot sign (X25519)", "badAlg", "1.3.101.110",
        as_signer(odd_keys.x25519_key)),
    Row("ed25519_short", "an Ed25519 key of 31 octets", "badRequest", "Ed25519 key of 31 octets",
        as_signer(lambda: odd_keys.OddKey(algorithm(odd_keys.ED25519), bytes(31)))),
]  # fmt: skip

ATTRIBUTES = [
    Row("no_transaction", "no transactionID", "badRequest", "transactionID missing",
        knobs(omit={TID})),
    Row("empty_transaction", "an empty transactionID", "badRequest", "transactionID missing",
        knobs(transaction_id=b"")),
    Row("long_transaction", "a transactionID of 513 octets", "badRequest",
        "transactionID of 513 octets", knobs(transaction_id="x" * 513)),
    Row("no_type", "no messageType", "badRequest", "messageType missing", knobs(message_type=None)),
    Row("empty_type", "an empty messageType", "badRequest", "messageType missing", raw_type("")),
    Row("word_as_type", "a messageType in words", "badRequest", "no decimal number", raw_type("PKCSReq")),
    Row("negative_type", "messageType -1", "badRequest", "no decimal number", raw_type("-1", "utf8")),
    Row("huge_type", "messageType 4294967315, which is 19 in 32 bits", "badRequest",
        "no decimal number", raw_type("4294967315")),
    Row("unknown_type", "messageType 42", "badRequest", "messageType 42 is no request", raw_type("42")),
    Row("reply_as_request", "a CertRep", "badRequest", "messageType 3 is no request", raw_type("3")),
    Row("integer_type", "a messageType of INTEGER 19", "badRequest", "messageType",
        knobs(raw_attributes={TYPE: [core.Integer(19).dump()]})),
    Row("no_nonce", "no senderNonce", "badRequest", "senderNonce missing", knobs(omit={NONCE})),
    Row("empty_nonce", "an empty senderNonce", "badRequest", "senderNonce missing",
        knobs(sender_nonce=b"")),
]  # fmt: skip


def other_recipient(w):
    """Encrypted for the sender's own certificate."""
    own = Request().signer_certificate()
    ca = scep_reply.Authority(w.ca("open").cert, own, w.ca("open").sign_cert)
    request = Request()
    return request.again(content=request.envelope(ca, request.csr()))


def of_other_ca(w):
    """Encrypted for the RA of another CA of the same server."""
    request = Request()
    return request.again(content=request.envelope(w.ca("other"), request.csr()))


def envelope_changed(change):
    def make(w):
        request = Request()
        return request.again(content=change(request.envelope(w.ca("open"), request.csr())))

    return make


def transport(change):
    """The KeyTransRecipientInfo's fields, changed."""

    def make(w):
        request = Request()
        info = request.recipient_info(w.ca("open"), os.urandom(16))
        return request.again(recipients=[der.seq(*change(der.children(der.split(info)[1])))])

    return make


def many_recipients(n):
    def make(w):
        request = Request()
        info = request.recipient_info(w.ca("open"), os.urandom(16))
        return request.again(recipients=[info] * n)

    return make


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at:][1:]


PASSWORD = der.tlv(0xA3, der.integer(0), algorithm("1.2.840.113549.1.9.16.3.9", algorithm(
    scep_peer.CIPHERS["aes128"][0], der.octets(bytes(16)))), der.octets(bytes(32)))  # fmt: skip
WRAPPED_BY = algorithm("1.3.132.1.11.1", algorithm("2.16.840.1.101.3.4.1.5"))
ORIGINATOR = der.tlv(0xA0, der.tlv(0xA1, algorithm("1.2.840.10045.2.1"), der.bits(b"\4" + bytes(64))))
KEY_BY_SKI = der.seq(der.seq(der.tlv(0xA0, der.octets(bytes(20))), der.octets(bytes(24))))
AGREEMENT = der.tlv(0xA1, der.integer(3), ORIGINATOR, WRAPPED_BY, KEY_BY_SKI)
AES128 = scep_peer.CIPHERS["aes128"][0]

ENVELOPES = [
    Row("no_envelope", "no envelope", "badRequest", "without a pkcsPKIEnvelope",
        knobs(envelope_empty=True)),
    Row("csr_in_clear", "a PKCS#10 request in the place of the envelope", "badRequest",
        "pkcsPKIEnvelope", lambda w: Request(content=Request().csr())),
    Row("envelope_random", "random octets in the place of the envelope", "badRequest",
        "pkcsPKIEnvelope", lambda w: Request(content=os.urandom(900))),
    Row("envelope_trailing", "an octet behind the envelope", "badRequest", "trailing",
        envelope_changed(lambda e: e + b"\0")),
    Row("envelope_nested", "nested indefinite lengths within the envelope", "badRequest", "nested",
        lambda w: Request(content=b"\x30\x80" * 5000 + b"\0\0" * 5000)),
    Row("for_self", "encrypted for the sender itself", "badRequest", DOES_NOT_OPEN, other_recipient),
    Row("for_other_ca", "encrypted for another CA of this server", "badRequest", DOES_NOT_OPEN,
        of_other_ca),
    Row("no_recipient", "an envelope for nobody", "badRequest", "among 0 recipients",
        knobs(recipients=[])),
    Row("password_recipient", "a password in the place of the CA's key", "badRequest",
        "no KeyTransRecipientInfo", knobs(recipients=[PASSWORD])),
    Row("agreement_recipient", "key agreement in the place of key transport", "badRequest",
        "no KeyTransRecipientInfo", knobs(recipients=[AGREEMENT])),
    Row("agreement_cut", "key agreement without an originator", "badRequest", "originator",
        knobs(recipients=[der.tlv(0xA1, der.integer(3), der.NULL)])),
    Row("recipients_17", "seventeen recipients", "badRequest", "more than 16 recipients",
        many_recipients(17)),
    Row("recipients_16_wrong", "sixteen recipients that all name the CA and are wrong", "badRequest",
        DOES_NOT_OPEN, many_recipients(16)),
    Row("transport_unknown", "an unknown key transport", "badAlg", "keyEncryptionAlgorithm",
        transport(lambda f: [*f[:2], algorithm("1.3.6.1.4.1.99999.3"), f[3]])),
    Row("key_flipped", "an octet of the encrypted key changed", "badRequest", DOES_NOT_OPEN,
        transport(lambda f: [*f[:3], der.octets(flip(der.split(f[3])[1], 100))])),
    Row("key_empty", "an empty encrypted key", "badRequest", DOES_NOT_OPEN,
        transport(lambda f: [*f[:3], der.octets(b"")])),
    Row("key_above_modulus", "an encrypted key above the modulus", "badRequest", DOES_NOT_OPEN,
        transport(lambda f: [*f[:3], der.octets(b"\xff" * 256)])),
    Row("key_wrong_size", "a content key of 32 octets for AES-128", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(content_key=os.urandom(32))),
    Row("des", "single DES", "badAlg", "DES", knobs(cipher="des")),
    Row("triple_des", "3DES where the endpoint has no legacy", "badAlg", "DES-EDE3-CBC",
        knobs(cipher="3des")),
    Row("des_on_legacy", "single DES where only SHA-1 and 3DES are let in", "badAlg", "DES-CBC",
        knobs(cipher="des"), at="legacy"),
    Row("cipher_unknown", "an unknown cipher", "badAlg", "contentEncryptionAlgorithm",
        knobs(cipher_id=algorithm("1.2.840.113549.3.2", der.octets(bytes(8))))),
    Row("cipher_null", "the null cipher of the sender's invention", "badAlg",
        "contentEncryptionAlgorithm", knobs(cipher_id=algorithm("1.3.6.1.4.1.99999.4"))),
    Row("iv_short", "an IV of 8 octets for AES", "badRequest", "contentEncryptionAlgorithm",
        knobs(cipher_id=algorithm(AES128, der.octets(bytes(8))))),
    Row("iv_missing", "no IV", "badRequest", "contentEncryptionAlgorithm",
        knobs(cipher_id=algorithm(AES128))),
    Row("ciphertext_odd", "ciphertext that is no multiple of the block", "badRequest", DOES_NOT_OPEN,
        knobs(encrypted=os.urandom(33))),
    Row("ciphertext_empty", "no ciphertext", "badRequest", DOES_NOT_OPEN, knobs(encrypted=b"")),
    Row("ciphertext_random", "ciphertext of random octets", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(encrypted=os.urandom(1024))),
    Row("padding_flipped", "the last octet of the ciphertext changed (padding oracle)", "badRequest",
        DOES_NOT_OPEN, envelope_changed(lambda e: flip(e, len(e) - 1))),
    Row("block_flipped", "the last block but one changed (padding oracle)", "badRequest",
        DOES_NOT_OPEN, envelope_changed(lambda e: flip(e, len(e) - 17))),
]  # fmt: skip

ROWS = SIGNATURES + KEYS + ATTRIBUTES + ENVELOPES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_refused(world, row):  # noqa: F811
    hostile.check(world, row)
