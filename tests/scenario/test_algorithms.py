# SPDX-License-Identifier: Apache-2.0
"""Points 10 to 14: old algorithms behind their switch, missing attributes, odd passwords and attributes."""

import pytest

import der
import scep_peer
from scep_peer import Request


MODERN = [
    ("aes128", "sha256"),
    ("aes192", "sha256"),
    ("aes256", "sha256"),
    ("aes128", "sha384"),
    ("aes256", "sha512"),
]


@pytest.mark.parametrize("cipher,digest", MODERN)
def test_point_10_modern_algorithms_are_mirrored(shared, cipher, digest):
    reply = shared.enrol(Request(cipher=cipher, digest=digest, csr_digest=digest), "open")
    assert reply.status == "SUCCESS"
    assert (reply.cipher, reply.digest) == (cipher, digest)


@pytest.mark.parametrize(
    "name,cipher,digest",
    [
        ("open", "3des", "sha256"),
        ("open", "aes128", "sha1"),
        ("open", "des", "md5"),
        ("legacy-3des", "des", "sha1"),
        ("legacy-3des", "3des", "md5"),
    ],
)
def test_point_10_below_the_floor(shared, name, cipher, digest):
    reply = shared.enrol(Request(cipher=cipher, digest=digest), name)
    assert (reply.status, reply.fail_info) == ("FAILURE", "badAlg")
    assert reply.fail_text


@pytest.mark.parametrize(
    "name,cipher,digest",
    [
        ("legacy-3des", "3des", "sha1"),
        ("legacy-3des", "aes128", "sha256"),
        ("legacy-des", "des", "md5"),
        ("legacy-des", "3des", "sha1"),
    ],
)
def test_point_10_legacy_switch_opens_and_mirrors(shared, name, cipher, digest):
    reply = shared.enrol(Request(cipher=cipher, digest=digest, csr_digest=digest), name)
    assert reply.status == "SUCCESS", reply.attributes
    assert (reply.cipher, reply.digest) == (cipher, digest)
    assert reply.cert.signature_hash_algorithm.name == "sha256"


def test_point_10_legacy_use_is_logged_as_a_warning(shared):
    request = Request(cipher="3des", digest="sha1")
    assert shared.enrol(request, "legacy-3des").status == "SUCCESS"
    lines = [
        line
        for line in shared.log_lines()
        if line.get("transactionID") == request.transaction_id.decode()
    ]
    assert any(line["level"] == "warning" for line in lines), lines


def test_point_10_capabilities_follow_the_switch(shared):
    modern = shared.get("open", "GetCACaps")[2].decode().split()
    legacy = shared.get("legacy-3des", "GetCACaps")[2].decode().split()
    assert {"AES", "POSTPKIOperation", "SHA-256", "SHA-512", "SCEPStandard"} <= set(modern)
    assert not {"DES3", "SHA-1"} & set(modern)
    assert {"DES3", "SHA-1"} <= set(legacy)


@pytest.mark.parametrize(
    "missing",
    [
        {scep_peer.TRANSACTION_ID},
        {scep_peer.SENDER_NONCE},
        {scep_peer.MESSAGE_TYPE},
        {scep_peer.TRANSACTION_ID, scep_peer.SENDER_NONCE, scep_peer.MESSAGE_TYPE},
    ],
    ids=["transactionID", "senderNonce", "messageType", "all"],
)
def test_point_11_missing_attributes_get_a_signed_failure(shared, missing):
    reply = shared.enrol(Request(omit=frozenset(missing)), "open")
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    assert "missing" in reply.fail_text


@pytest.mark.parametrize("message_type", ["99", "3", "0", "", "x" * 40])
def test_point_11_unknown_message_type(shared, message_type):
    reply = shared.enrol(Request(message_type=message_type), "open")
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")


@pytest.mark.parametrize(
    "transaction",
    ["1", "ABC def/+:=?", "x" * 300, "{0a1b-22}", "'--", "\\u00e4%41", '"}{'],
)
def test_point_12_transaction_id_is_any_printable_text(shared, transaction):
    request = Request(transaction_id=transaction, subject={"common_name": "t"})
    reply = shared.enrol(request, "open")
    assert reply.status == "SUCCESS"
    assert shared.admin.explain(transaction)


def test_point_12_transaction_id_too_long(shared):
    reply = shared.enrol(Request(transaction_id="x" * 600), "open")
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")


@pytest.mark.parametrize("kind", ["utf8", "printable", "bmp", "t61", "ia5"])
def test_point_13_challenge_in_every_string_type(shared, kind):
    challenge = shared.admin.challenge()
    reply = shared.enrol(Request(challenge=challenge, challenge_type=kind), "demo")
    assert reply.status == "SUCCESS", reply.attributes


def test_point_13_challenge_of_several_kib_is_read(shared):
    # Nobody vouches for such a blob yet; it must be read and refused, not choked on.
    request = Request(challenge="A1" * 3000, challenge_type="utf8")
    reply = shared.enrol(request, "demo")
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    assert shared.enrol(Request(challenge="A1" * 3000), "open").status == "SUCCESS"


def name_value(name, value):
    pair = der.seq(scep_peer.string("bmp", name), scep_peer.string("bmp", value))
    return scep_peer.attribute(scep_peer.MS_NAME_VALUE_PAIR, pair)


@pytest.mark.parametrize(
    "pair", [("ValidityPeriod", "Years"), ("Years", "ValidityPeriod")], ids=["windows", "android"]
)
def test_point_14_windows_name_value_pairs(shared, pair):
    request = Request(csr_attributes=[name_value(*pair)])
    assert shared.enrol(request, "open").status == "SUCCESS"


@pytest.mark.parametrize(
    "oid", [scep_peer.EXTENSION_REQUEST, scep_peer.MS_EXTENSION_REQUEST, "2.16.840.1.113733.1.9.8"]
)
def test_point_14_extension_request_under_each_of_its_names(shared, oid):
    san = scep_peer.san_extension(dns=["r1.example"])
    reply = shared.enrol(Request(extensions=[san], extension_attribute=oid), "open")
    assert reply.status == "SUCCESS", reply.attributes
    value = reply.cert.extensions.get_extension_for_oid(
        scep_peer.x509.ObjectIdentifier(scep_peer.SUBJECT_ALT_NAME)
    ).value
    assert value.get_values_for_type(scep_peer.x509.DNSName) == ["r1.example"]
