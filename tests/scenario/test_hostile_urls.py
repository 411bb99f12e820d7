# SPDX-License-Identifier: Apache-2.0
"""Hostile variants: methods, queries and what calls itself a message."""

import base64
import os
import urllib.parse

import pytest
from cryptography.hazmat.primitives import serialization

import der
import hostile
import scep_peer
from hostile import Http, Row, world  # noqa: F401
from scep_peer import Request

TITLE = "URLs, and bytes that are no message"


def get(message, **changes):
    return Http(method="GET", query=f"operation=PKIOperation&message={message}", **changes)


def message_of(w, **knobs):
    return Request(**knobs).build(w.ca("open"))


def text_of(w):
    return urllib.parse.quote(base64.b64encode(message_of(w)).decode(), safe="")


def query(text, method="GET"):
    return lambda w: Http(method=method, query=text)


def with_body(make):
    """A POST of whatever make() makes of a good message."""
    return lambda w: Http(make(message_of(w)))


def length_of(size, claimed):
    return lambda m: b"\x30" + bytes([0x80 | size]) + claimed.to_bytes(size, "big") + m[4:]


def outer(message):
    """contentType and the fields of SignedData, of a good message."""
    kind, explicit = der.children(der.split(message)[1])
    return kind, der.children(der.split(der.split(explicit)[1])[1])


def rebuilt(change):
    """SignedData with its list of fields changed."""

    def make(message):
        kind, fields = outer(message)
        return der.seq(kind, der.tlv(0xA0, der.seq(*change(fields))))

    return make


def with_signer_fields(change):
    def fields(signed):
        signer = der.children(der.split(signed[-1])[1])[0]
        changed = change(der.children(der.split(signer)[1]))
        return [*signed[:-1], der.set_of(der.seq(*changed))]

    return rebuilt(fields)


def attributes(**knobs):
    return lambda w: Http(message_of(w, **knobs))


def twice(oid, *values):
    return attributes(more_attributes=[scep_peer.attribute(oid, *values)])


def printable(text):
    return scep_peer.string("printable", text)


TID, NONCE, TYPE = scep_peer.TRANSACTION_ID, scep_peer.SENDER_NONCE, scep_peer.MESSAGE_TYPE

URLS = [
    Row("no_operation", "a GET without `operation=`", "400", "the URL lacks ?operation=", query("x=1")),
    Row("unknown_operation", "an operation that SCEP does not have", "400",
        'operation "Drop" is unknown', query("operation=Drop")),
    Row("operation_with_nul", "an operation with NUL in it", "400", "operation \"PKIOperation?\" is unknown",
        query("operation=PKIOperation%00")),
    Row("operation_with_markup", "markup in the place of an operation", "400", "is unknown",
        query("operation=%3Cscript%3E%22")),
    Row("operation_twice", "two operations", "400", "operation= stands twice",
        query("operation=GetCACert&operation=PKIOperation")),
    Row("message_twice", "two messages", "400", "message= stands twice",
        query("operation=PKIOperation&message=MA==&message=MA==")),
    Row("get_without_message", "a PKIOperation GET without `message=`", "400",
        "PKIOperation without a message", query("operation=PKIOperation")),
    Row("get_with_empty_message", "an empty `message=`", "400",
        "PKIOperation without a message", lambda w: get("")),
    Row("post_without_body", "a POST without a body", "400",
        "PKIOperation without a message", query("operation=PKIOperation", "POST")),
    Row("method_put", "a message that is PUT", "405", "SCEP uses GET and POST",
        lambda w: Http(message_of(w), method="PUT")),
    Row("method_delete", "DELETE", "405", "SCEP uses GET and POST",
        query("operation=GetCACert", "DELETE")),
    Row("method_unknown", "a method of the sender's invention", "405", "SCEP uses GET and POST",
        query("operation=GetCACert", "ENROL")),
    Row("base64_marks", "marks that base64 does not have", "400", "unexpected byte 0x21",
        lambda w: get("MII!" + text_of(w)[4:])),
    Row("base64_nul", "NUL within base64", "400", "unexpected byte 0x00", lambda w: get("MII%00" + text_of(w)[4:])),
    Row("base64_padding_within", "padding in the middle of base64", "400", "unexpected byte 0x4d",
        lambda w: get("MA%3D%3D" + text_of(w))),
    Row("base64_lone_character", "a lone character at the end of base64", "400", "ends within a character group",
        lambda w: get("MAAAA")),
    Row("base64_encoded_twice", "percent-encoding done twice", "400", "unexpected byte 0x25",
        lambda w: get(urllib.parse.quote(text_of(w) + "%3D"))),
]  # fmt: skip

BYTES = [
    Row("random", "random octets", "400", "pkiMessage", lambda w: Http(b"\x30" + os.urandom(2000))),
    Row("text", "JSON", "400", "length 34 exceeds", lambda w: Http(b'{"csr": "please"}')),
    Row("pem", "PEM armour", "400", "length 45 exceeds",
        with_body(lambda m: b"-----BEGIN PKCS7-----\n" + base64.encodebytes(m) + b"-----END PKCS7-----\n")),
    Row("empty_sequence", "an empty SEQUENCE", "400", "contentType: missing", lambda w: Http(b"\x30\x00")),
    Row("csr_alone", "a PKCS#10 request without any envelope", "400", "contentType: tag 0x30",
        lambda w: Http(Request().csr())),
    Row("cut_off", "the last octet missing", "400", "exceeds the", with_body(lambda m: m[:-1])),
    Row("trailing_octet", "an octet behind the message", "400", "1 trailing bytes",
        with_body(lambda m: m + b"\0")),
    Row("trailing_message", "a second message behind the first", "400", "trailing bytes",
        with_body(lambda m: m + m)),
    Row("trailing_behind_ber", "octets behind end-of-contents", "400", "2 trailing bytes",
        lambda w: Http(message_of(w, ber=True) + b"\0\0")),
    Row("length_4_gib", "a length of 4 GiB", "400", "length 4294967295 exceeds", with_body(length_of(4, 0xFFFFFFFF))),
    Row("length_2_to_64", "a length of eight octets of ones", "400", "length 18446744073709551615 exceeds",
        with_body(length_of(8, 2**64 - 1))),
    Row("length_126_octets", "a length of 126 octets", "400", "length of 126 octets",
        with_body(length_of(126, 1))),
    Row("length_reserved", "the reserved length 0xFF", "400", "length of 127 octets",
        with_body(lambda m: b"\x30\xff" + m[4:])),
    Row("nested_indefinite", "ten thousand nested indefinite lengths", "400", "nested deeper than 32",
        lambda w: Http(b"\x30\x80" * 10000 + b"\0\0" * 10000)),
    Row("nested_indefinite_open", "the same, never closed", "400", "nested deeper than 32",
        lambda w: Http(b"\x30\x80" * 10000)),
    Row("nested_octet_strings", "constructed octet strings in each other", "400", "nested deeper than 32",
        lambda w: Http(b"\x24\x80" * 200 + b"\x04\x01x" + b"\0\0" * 200)),
    Row("primitive_indefinite", "an indefinite length on a primitive", "400", "primitive element of indefinite length",
        lambda w: Http(b"\x30\x80\x04\x80\0\0\0\0")),
    Row("many_chunks", "an octet string in a hundred thousand pieces", "400", "more than 4096 elements",
        lambda w: Http(b"\x30\x80\x24\x80" + b"\x04\x01x" * 100000 + b"\0\0\0\0")),
    Row("tag_of_many_octets", "a tag number of ten octets", "400", "tag number above 30",
        with_body(lambda m: b"\x3f" + b"\xff" * 9 + b"\x01" + m[1:])),
    Row("enveloped_outside", "EnvelopedData where SignedData belongs", "400", "contentType is id-envelopedData",
        lambda w: Http(Request().envelope(w.ca("open"), b"0\0"))),
    Row("no_signer", "a degenerate SignedData", "400", "no signerInfo",
        with_body(rebuilt(lambda f: [*f[:-1], b"\x31\x00"]))),
    Row("two_signers", "two SignerInfos", "400", "more than one SignerInfo",
        lambda w: Http(message_of(w, signers=2))),
    Row("version_huge", "SignedData of version 200", "400", "SignedData.version",
        with_body(rebuilt(lambda f: [der.integer(200), *f[1:]]))),
    Row("version_negative", "SignedData of version -1", "400", "SignedData.version",
        with_body(rebuilt(lambda f: [der.integer(-1), *f[1:]]))),
    Row("signer_version_huge", "a SignerInfo of version 200", "400", "SignerInfo.version",
        with_body(with_signer_fields(lambda f: [der.integer(200), *f[1:]]))),
    Row("field_behind_signers", "a field behind the SignerInfos", "400", "SignedData: 2 trailing bytes",
        with_body(rebuilt(lambda f: [*f, der.NULL]))),
    Row("attributes_empty", "an empty set of signed attributes", "400", "signedAttrs is empty",
        with_body(with_signer_fields(lambda f: [*f[:3], b"\xa0\x00", *f[4:]]))),
    Row("too_many_attributes", "a hundred signed attributes", "400", "more than 32 signed attributes",
        attributes(more_attributes=[
            scep_peer.attribute(f"1.3.6.1.4.1.99999.{i}", der.NULL) for i in range(100)])),
    Row("too_many_certificates", "a hundred certificates", "400", "more than 32 certificates",
        lambda w: Http(message_of(w, certificates=[
            Request().signer_certificate().public_bytes(serialization.Encoding.DER)] * 100))),
    Row("oid_endless", "an attribute whose OID is 3000 octets", "400", "OBJECT IDENTIFIER of 3000 octets",
        attributes(more_attributes=[
            der.seq(b"\x06\x82\x0b\xb8" + b"\x81" * 2999 + b"\x01", der.set_of(der.NULL))])),
    Row("transaction_twice", "two transactionIDs", "400", "transactionID stands there twice",
        twice(TID, printable("another"))),
    Row("transaction_two_values", "a transactionID of two values", "400", "transactionID: 5 trailing",
        attributes(raw_attributes={TID: [printable("one"), printable("two")]})),
    Row("transaction_no_value", "a transactionID without a value", "400", "transactionID: missing",
        attributes(raw_attributes={TID: []})),
    Row("transaction_no_string", "a transactionID that is a SEQUENCE", "400",
        "transactionID is no string", attributes(raw_attributes={TID: [der.seq(der.NULL)]})),
    Row("transaction_100_kib", "a transactionID of 100 KiB", "400", "transactionID has",
        attributes(raw_attributes={TID: [printable("x" * 102400)]})),
    Row("type_twice", "two messageTypes", "400", "messageType stands there twice",
        twice(TYPE, printable("17"))),
    Row("type_two_values", "a messageType of two values", "400", "messageType: 4 trailing",
        attributes(raw_attributes={TYPE: [printable("17"), printable("19")]})),
    Row("nonce_twice", "two senderNonces", "400", "senderNonce stands there twice",
        twice(NONCE, der.octets(b"n" * 16))),
    Row("nonce_1000", "a senderNonce of 1000 octets", "400", "senderNonce has",
        attributes(sender_nonce=b"n" * 1000)),
]  # fmt: skip

ROWS = URLS + BYTES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_refused(world, row):  # noqa: F811
    hostile.check(world, row)
