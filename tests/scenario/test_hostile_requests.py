# SPDX-License-Identifier: Apache-2.0
"""Hostile variants: what a PKCS#10 request asks for, and what it shows as its right to it."""

import os
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import der
import hostile
import odd_keys
import scep_peer
from hostile import STATIC, Row, world  # noqa: F401
from odd_keys import OddRsa, modulus
from scep_peer import Request, ec_key, rsa_key

TITLE = "Requests: names, extensions, keys and challenges"
BASIC_CONSTRAINTS, KEY_USAGE, SAN = "2.5.29.19", "2.5.29.15", scep_peer.SUBJECT_ALT_NAME
CN, O, SERIAL = "2.5.4.3", "2.5.4.10", "2.5.4.5"
DOES_NOT_OPEN = "open to what a PKCSReq holds"


def knobs(**values):
    return lambda w: Request(**values)


def asking(*extensions):
    return knobs(extensions=list(extensions))


def rdn(oid, tag, value):
    return der.set_of(der.seq(der.oid(oid), der.tlv(tag, value)))


def named(*rdns):
    return knobs(subject=der.seq(*rdns))


def common_name(value, tag=0x0C):
    return named(rdn(CN, tag, value))


def san(*names):
    return asking(scep_peer.extension(SAN, der.seq(*names)))


def dns(value):
    return der.tlv(0x82, value)


def key_usage(unused, *bits):
    return scep_peer.extension(KEY_USAGE, der.tlv(3, bytes([unused, *bits])), True)


def ca_true(*more):
    return scep_peer.extension(BASIC_CONSTRAINTS, der.seq(b"\x01\x01\xff", *more), True)


def extension_request(*extensions):
    return scep_peer.attribute(scep_peer.EXTENSION_REQUEST, der.seq(*extensions))


def csr_changed(change):
    def make(w):
        request = Request()
        return request.again(payload=change(request.csr()))

    return make


def csr_fields(change):
    """CertificationRequestInfo's fields, changed behind the signature's back."""

    def changed(csr):
        info, alg, signature = der.children(der.split(csr)[1])
        return der.seq(der.seq(*change(der.children(der.split(info)[1]))), alg, signature)

    return csr_changed(changed)


SHAPES = [
    Row("payload_random", "random octets for a PKCS#10 request", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(payload=os.urandom(500))),
    Row("payload_empty", "nothing for a PKCS#10 request", "badRequest", DOES_NOT_OPEN,
        knobs(payload=b"")),
    Row("payload_certificate", "a certificate for a PKCS#10 request", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(payload=Request().signer_certificate().public_bytes(
            scep_peer.serialization.Encoding.DER))),
    Row("csr_trailing", "an octet behind the PKCS#10 request", "badRequest", DOES_NOT_OPEN,
        csr_changed(lambda c: c + b"\0")),
    Row("csr_cut_off", "a PKCS#10 request cut off", "badRequest", DOES_NOT_OPEN,
        csr_changed(lambda c: c[:-1])),
    Row("csr_version", "a PKCS#10 request of version 3", "badRequest", DOES_NOT_OPEN,
        csr_fields(lambda f: [der.integer(3), *f[1:]])),
    Row("csr_without_key", "no key in the PKCS#10 request", "badRequest", DOES_NOT_OPEN,
        csr_fields(lambda f: [*f[:2], *f[3:]])),
    Row("broken_possession", "a proof of possession with an octet changed", "badRequest",
        "CSR signature by the key asked for", knobs(break_csr=True)),
    Row("possession_by_another", "a PKCS#10 request signed by another key than its own",
        "badRequest", "CSR signature by the key asked for", lambda w: Request(csr_key=rsa_key(1))),
    Row("name_swapped", "a name swapped behind the signature", "badRequest",
        "CSR signature by the key asked for",
        csr_fields(lambda f: [f[0], scep_peer.name_der({"common_name": "admin"}), *f[2:]])),
    Row("another_keys_csr", "a PKCS#10 request of another key than the signer's", "badRequest",
        "signed with another key", lambda w: Request(key=rsa_key(0), signer_key=rsa_key(1))),
    Row("csr_sha1", "a proof of possession with SHA-1", "badAlg", "PKCS#10 signature with SHA-1",
        knobs(csr_digest="sha1")),
    Row("csr_md5", "a proof of possession with MD5", "badAlg", "PKCS#10 signature with MD5",
        knobs(csr_digest="md5"), at="legacy"),
    Row("challenge_twice", "two challengePasswords", "badRequest", DOES_NOT_OPEN,
        knobs(challenge="one", csr_attributes=[scep_peer.attribute(
            scep_peer.CHALLENGE_PASSWORD, scep_peer.string("printable", "two"))])),
    Row("challenge_two_values", "a challengePassword of two values", "badRequest", DOES_NOT_OPEN,
        knobs(csr_attributes=[scep_peer.attribute(
            scep_peer.CHALLENGE_PASSWORD, *(scep_peer.string("printable", t) for t in "ab"))])),
    Row("extensions_differ", "two extension requests that differ", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(csr_attributes=[extension_request(scep_peer.san_extension(["a.example"])),
                                          extension_request(scep_peer.san_extension(["b.example"]))])),
    Row("extension_twice", "the same extension twice", "badRequest", DOES_NOT_OPEN,
        asking(scep_peer.san_extension(["a.example"]), scep_peer.san_extension(["b.example"]))),
    Row("extensions_100", "a hundred extensions", "badRequest", DOES_NOT_OPEN,
        asking(*(scep_peer.extension(f"1.3.6.1.4.1.99999.{i}", der.NULL) for i in range(100)))),
]  # fmt: skip

EXTENSIONS = [
    Row("ca_true", "CA:TRUE", "badRequest", "basicConstraints CA:TRUE", asking(ca_true())),
    Row("ca_true_path", "CA:TRUE with a path length", "badRequest", "basicConstraints CA:TRUE",
        asking(ca_true(der.integer(3)))),
    Row("ca_true_microsoft", "CA:TRUE under Microsoft's attribute", "badRequest",
        "basicConstraints CA:TRUE",
        knobs(extensions=[ca_true()], extension_attribute=scep_peer.MS_EXTENSION_REQUEST)),
    Row("ca_broken", "basicConstraints that cannot be read", "badRequest", "basicConstraints",
        asking(scep_peer.extension(BASIC_CONSTRAINTS, der.seq(der.octets(b"TRUE"))))),
    Row("key_cert_sign", "keyUsage keyCertSign", "badRequest", "keyUsage keyCertSign",
        asking(key_usage(2, 0x04))),
    Row("key_cert_sign_among", "keyCertSign among usages of a device", "badRequest",
        "keyUsage keyCertSign", asking(key_usage(2, 0xA4))),
    Row("crl_sign", "keyUsage cRLSign", "badRequest", "keyUsage cRLSign", asking(key_usage(1, 0x02))),
    Row("key_usage_broken", "a keyUsage that cannot be read", "badRequest", "keyUsage",
        asking(scep_peer.extension(KEY_USAGE, der.octets(b"all")))),
    Row("san_wildcard", "a wildcard", "badRequest", 'DNS "*.example" does not match',
        san(dns(b"*.example"))),
    Row("san_nul", "a DNS name with NUL (good.example\\\\0.evil)", "badRequest", "subjectAltName",
        san(dns(b"good.example\0.evil"))),
    Row("san_newline", "a DNS name with a line feed", "badRequest", "subjectAltName",
        san(dns(b"good.example\nDNS:evil"))),
    Row("san_utf8", "a DNS name beyond ASCII", "badRequest", "subjectAltName",
        san(dns("münchen.example".encode()))),
    Row("san_empty_dns", "an empty DNS name", "badRequest", "subjectAltName", san(dns(b""))),
    Row("san_long", "a DNS name of 5000 octets", "badRequest", "not in the preferred name syntax",
        san(dns(b"a" * 5000))),
    Row("san_too_many", "nine DNS names where eight are allowed", "badRequest", "more often than",
        san(*(dns(b"d%d.example" % i) for i in range(9)))),
    Row("san_300", "three hundred names", "badRequest", "subjectAltName",
        san(*(dns(b"d%d.example" % i) for i in range(300)))),
    Row("san_ip_forbidden", "an address where only DNS names are allowed", "badRequest",
        "IP is not allowed", san(der.tlv(0x87, bytes([10, 0, 0, 1])))),
    Row("san_ip_odd", "an address of five octets", "badRequest", "subjectAltName",
        san(der.tlv(0x87, bytes(5)))),
    Row("san_email_forbidden", "a mail address where only DNS names are allowed", "badRequest",
        "email is not allowed", san(der.tlv(0x81, b"root@example"))),
    Row("san_uri_forbidden", "a URI where only DNS names are allowed", "badRequest",
        "URI is not allowed", san(der.tlv(0x86, b"https://example/admin"))),
    Row("san_upn_forbidden", "a Windows user's name (UPN)", "badRequest", "is not allowed",
        san(der.tlv(0xA0, der.oid("1.3.6.1.4.1.311.20.2.3"),
                    der.tlv(0xA0, der.tlv(0x0C, b"administrator@example"))))),
    Row("san_dir_forbidden", "a directory name", "badRequest", "is not allowed",
        san(der.tlv(0xA4, scep_peer.name_der({"common_name": "admin"})))),
    Row("san_empty", "a subjectAltName without a name", "badRequest", "subjectAltName", san()),
    Row("san_broken", "a subjectAltName that cannot be read", "badRequest", "subjectAltName",
        asking(scep_peer.extension(SAN, b"\x30\x05\x82\x20a"))),
]  # fmt: skip

NAMES = [
    Row("cn_missing", "no CN where one is required", "badRequest", "CN is missing",
        knobs(subject={"organization_name": "Example"})),
    Row("name_empty", "an empty name", "badRequest", "CN is missing", named()),
    Row("cn_empty", "an empty CN", "badRequest", "CN is missing", common_name(b"")),
    Row("cn_twice", "two CNs", "badRequest", "CN is sent more often",
        named(rdn(CN, 0x0C, b"good"), rdn(CN, 0x0C, b"evil"))),
    Row("cn_65", "a CN of 65 characters (ub-common-name)", "badRequest", "does not match",
        common_name(b"x" * 65)),
    Row("cn_100_kib", "a CN of 100 KiB", "badRequest", DOES_NOT_OPEN, common_name(b"x" * 102400)),
    Row("rdns_1000", "a thousand attributes", "badRequest", DOES_NOT_OPEN,
        named(*(rdn(O, 0x0C, b"o%d" % i) for i in range(1000)))),
    Row("cn_nul", "NUL in the CN", "badRequest", "subject: CN: ", common_name(b"good\0evil")),
    Row("cn_newline", "a line feed in the CN", "badRequest", "control characters",
        common_name(b"good\nevil")),
    Row("cn_escape", "a terminal's escape sequence in the CN", "badRequest", "control characters",
        common_name(b"\x1b[2Jevil")),
    Row("cn_wildcard", "a wildcard in the CN", "badRequest", "does not match",
        common_name(b"*.example")),
    Row("cn_slashes", "a CN that looks like a whole name", "badRequest", "does not match",
        common_name(b"x/O=Root CA/CN=admin")),
    Row("cn_bad_utf8", "a CN that is no UTF-8", "badRequest", "subject: CN: ", common_name(b"\xff\xfe\x80")),
    Row("cn_overlong_utf8", "overlong UTF-8 in the CN", "badRequest", "subject: CN: ",
        common_name(b"\xc0\xaf\xe0\x80\xaf")),
    Row("cn_surrogate", "a surrogate in UTF-8", "badRequest", "subject: CN: ", common_name(b"\xed\xa0\x80")),
    Row("cn_bmp_odd", "a BMPString of an odd length", "badRequest", "subject: CN: ",
        common_name(b"\0a\0", 0x1E)),
    Row("cn_rtl", "a right-to-left override", "badRequest", "does not match",
        common_name("abc\u202egpj".encode())),
    Row("cn_integer", "a CN that is an INTEGER", "badRequest", "subject: CN: ", common_name(b"\x07", 0x02)),
    Row("cn_sequence", "a CN that is a SEQUENCE", "badRequest", "subject: CN: ", common_name(b"\x05\x00", 0x30)),
    Row("rdn_empty", "an RDN without an attribute", "badRequest", DOES_NOT_OPEN,
        named(der.set_of(), rdn(CN, 0x0C, b"x"))),
    Row("attribute_forbidden", "an attribute that the profile forbids", "badRequest",
        "serialNumber is not allowed",
        knobs(subject={"common_name": "x", "serial_number": "1"}), at="strict"),
    Row("attribute_unknown", "an attribute of the sender's invention", "badRequest",
        "1.3.6.1.4.1.99999.9 is not allowed",
        named(rdn(CN, 0x0C, b"x"), rdn("1.3.6.1.4.1.99999.9", 0x0C, b"x")), at="strict"),
]  # fmt: skip


def new_key(make):
    """Asked for in a renewal, so that a good key signs the message and a bad one is in it."""

    def send(w):
        first, cert = w.enrolled()
        key = make()
        return Request(key=key, signer_key=first.key, signer_cert=cert, message_type="17")

    return send


KEYS = [
    Row("key_rsa_1024", "an RSA key of 1024 bits", "badAlg", "RSA 1024 is not allowed",
        lambda w: Request(key=rsa_key(0, 1024))),
    Row("key_rsa_5120", "an RSA key larger than the profile takes", "badAlg",
        "RSA 5120 is not allowed", lambda w: Request(key=rsa_key(0, 5120))),
    Row("key_p521", "a curve that the profile does not take", "badAlg", "P-521 is not allowed",
        lambda w: Request(key=ec.generate_private_key(ec.SECP521R1()), challenge="x")),
    Row("key_roca", "a key of a library whose keys can be factored (ROCA, CVE-2017-15361)", "badAlg",
        "CVE-2017-15361", lambda w: Request(key=odd_keys.roca_key())),
    Row("key_small_factor", "a key that works, with a modulus divisible by 7", "badAlg",
        "divisible by 7", lambda w: Request(key=odd_keys.small_factor_key())),
    Row("new_key_e_1", "e = 1 for the new key of a renewal", "badAlg", "exponent",
        new_key(lambda: OddRsa(modulus(2048), 1)), at="renew"),
    Row("new_key_even", "an even modulus for the new key", "badAlg", "modulus is even",
        new_key(lambda: OddRsa(modulus(2048, 0), 65537)), at="renew"),
    Row("new_key_16384", "16384 bits for the new key", "badAlg", "8192",
        new_key(lambda: OddRsa(modulus(16384), 65537)), at="renew"),
    Row("new_key_no_possession", "a new key that the sender does not have", "badRequest",
        "CSR signature by the key asked for", new_key(lambda: OddRsa(modulus(2048), 65537)),
        at="renew"),
    Row("new_key_off_curve", "a new key off its curve", "badAlg", "not usable",
        new_key(lambda: odd_keys.ec_with_point(lambda p: p[:-1] + bytes([p[-1] ^ 1]))), at="renew"),
    Row("new_key_infinity", "the point at infinity for the new key", "badAlg", "point of 1 octets",
        new_key(lambda: odd_keys.ec_with_point(lambda p: b"\0")), at="renew"),
    Row("new_key_dsa", "a new key of a kind that is no good (DSA)", "badAlg", "1.2.840.10040.4.1",
        new_key(odd_keys.dsa_key), at="renew"),
]  # fmt: skip


def shown(**challenge):
    """A challenge made with these settings."""
    return lambda w: Request(challenge=w.admin.challenge(**challenge))


def expired(w):
    challenge = w.admin.challenge(lifetime="1s")
    time.sleep(1.1)
    return Request(challenge=challenge)


def revoked(w):
    made = w.admin.call("POST", "/challenges", {"lifetime": "1h"})
    w.admin.call("DELETE", f"/challenges/{made['id']}")
    return Request(challenge=made["challenge"])


def used(**changes):
    """One that has bought a certificate, under a new transactionID."""

    def send(w):
        challenge = w.admin.challenge()
        assert w.daemon.enrol(Request(challenge=challenge), "demo").status == "SUCCESS"
        return Request(challenge=challenge, **changes)

    return send


def bound_by_refusal(w):
    """Shown first with a request that breaks the profile, then with another key."""
    challenge = w.admin.challenge()
    first = Request(challenge=challenge, subject={"organization_name": "no CN"})
    assert w.daemon.enrol(first, "demo").status == "FAILURE"
    return Request(challenge=challenge, key=rsa_key(1))


def used_while_pending(w):
    return Request(challenge=w.pending().challenge)


CHALLENGES = [
    Row("challenge_none", "no challenge", "badRequest", "challengePassword missing", knobs(), at="demo"),
    Row("challenge_empty", "an empty challenge", "badRequest", "challengePassword missing",
        knobs(challenge=""), at="demo"),
    Row("challenge_wrong", "a challenge that was never made", "badRequest", "not one that this server made",
        knobs(challenge="A" * 26), at="demo"),
    Row("challenge_sql", "SQL for a challenge", "badRequest", "not one that this server made",
        knobs(challenge="' OR 1=1 --"), at="demo"),
    Row("challenge_17_kib", "a challenge of 17 KiB", "badRequest", DOES_NOT_OPEN,
        knobs(challenge="x" * 17000), at="demo"),
    Row("challenge_nul", "a challenge with NUL in it", "badRequest", "challengePassword",
        knobs(challenge=b"abc\0def", challenge_type="utf8"), at="demo"),
    Row("challenge_bad_utf8", "a challenge that is no UTF-8", "badRequest", "challengePassword",
        knobs(challenge=b"\xff\xfe", challenge_type="utf8"), at="demo"),
    Row("challenge_expired", "an expired challenge", "badRequest", "expired at", expired, at="demo"),
    Row("challenge_revoked", "a revoked challenge", "badRequest", "was revoked", revoked, at="demo"),
    Row("challenge_used", "a used challenge under a new transactionID", "badRequest",
        "was used already", used(), at="demo"),
    Row("challenge_used_by_another", "a used challenge shown by another key", "badRequest",
        "was used already", used(key=rsa_key(1)), at="demo"),
    Row("challenge_bound", "a challenge that a refused request of another key has bound", "badRequest",
        "was used already", bound_by_refusal, at="demo"),
    Row("challenge_pending", "the challenge of a request that waits for approval", "badRequest",
        "was used already", used_while_pending, at="manual"),
    Row("challenge_foreign", "a challenge of another endpoint", "badRequest", 'is for endpoint "manual"',
        shown(endpoint="manual"), at="demo"),
    Row("challenge_other_subject", "a challenge bound to another subject", "badRequest",
        "only for subject", shown(subject="CN=router7"), at="demo"),
    Row("challenge_other_san", "a challenge bound to other alternative names", "badRequest",
        "only for other subjectAltNames", shown(san=["DNS:r7.example"]), at="demo"),
    Row("challenge_one_time_at_static", "a one-time challenge where only static ones are taken",
        "badRequest", "wrong for endpoint", shown(), at="static"),
    Row("challenge_static_at_one_time", "a static challenge where only one-time ones are taken",
        "badRequest", "not one that this server made", knobs(challenge=STATIC), at="demo"),
    Row("challenge_static_wrong", "a static challenge with a letter more", "badRequest",
        "wrong for endpoint", knobs(challenge=STATIC + "x"), at="static"),
    Row("challenge_none_ec", "an EC key without a challenge to answer under", "badRequest",
        "P-256 key cannot decrypt the reply", lambda w: Request(key=ec_key())),
]  # fmt: skip

ROWS = SHAPES + EXTENSIONS + NAMES + KEYS + CHALLENGES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_refused(world, row):  # noqa: F811
    hostile.check(world, row)
