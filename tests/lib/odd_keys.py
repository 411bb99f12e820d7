# SPDX-License-Identifier: Apache-2.0
"""Public keys that no honest library makes, with signatures by them where there can be one."""

import datetime
import hashlib
import math
import os
import secrets

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, x25519

import der

RSA, EC, DSA, ED25519 = (
    "1.2.840.113549.1.1.1",
    "1.2.840.10045.2.1",
    "1.2.840.10040.4.1",
    "1.3.101.112",
)
P256, P224, SECP256K1 = "1.2.840.10045.3.1.7", "1.3.132.0.33", "1.3.132.0.10"
PRIME_FIELD = "1.2.840.10045.1.1"
SMALL_PRIMES = [p for p in range(2, 168) if all(p % d for d in range(2, p))]
# DigestInfo before the digest (RFC 8017 9.2)
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class OddKey:
    """spki, and sign(digest, message); is_rsa says which signature algorithm goes with it."""

    is_rsa = False

    def __init__(self, algorithm, public, signer=None):
        self.spki = der.seq(algorithm, der.bits(public))
        self._signer = signer or (lambda digest, message: b"\x30\x06\x02\x01\x01\x02\x01\x01")

    def sign(self, digest, message):
        return self._signer(digest, message)


class OddRsa(OddKey):
    """n, e and d as given: with e = d = 1 everybody can sign."""

    is_rsa = True

    def __init__(self, n, e, d=1):
        self.n, self.e, self.d = n, e, d
        public = der.seq(der.integer(n), der.integer(e))
        super().__init__(der.seq(der.oid(RSA), der.NULL), public)

    def sign(self, digest, message):
        size = (abs(self.n).bit_length() + 7) // 8 or 256
        info = SHA256_PREFIX + hashlib.sha256(message).digest()
        padded = b"\0\1" + b"\xff" * max(8, size - len(info) - 3) + b"\0" + info
        value = pow(int.from_bytes(padded, "big"), self.d, abs(self.n) or 2**2048)
        return value.to_bytes(size, "big")


def is_prime(n, rounds=20):
    """Miller-Rabin."""
    if any(n % p == 0 for p in SMALL_PRIMES):
        return n in SMALL_PRIMES
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(rounds):
        x = pow(secrets.randbelow(n - 3) + 2, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def _prime(candidate):
    while True:
        n = candidate()
        if is_prime(n):
            return n


def _rsa_of(p, q, e=65537):
    return OddRsa(p * q, e, pow(e, -1, (p - 1) * (q - 1)))


def roca_key(bits=2048):
    """With primes as Infineon's library made them (CVE-2017-15361): k * M + (65537^a mod M)."""
    m = math.prod(SMALL_PRIMES)
    half = bits // 2

    def candidate():
        k = (3 << (half - 2) | secrets.randbits(half - 2)) // m
        return k * m + pow(65537, secrets.randbelow(m), m)

    return _rsa_of(_prime(candidate), _prime(candidate))


def small_factor_key(p=7, bits=2048):
    """A key that works, one of whose primes everybody finds."""
    n = bits - p.bit_length()
    while True:
        q = _prime(lambda: 7 << (n - 2) | secrets.randbits(n - 2) | 1)
        if math.gcd(65537, (p - 1) * (q - 1)) == 1:
            return _rsa_of(p, q)


def modulus(bits, low=1):
    """Random, with the highest bit set and that lowest one: no key belongs to it."""
    n = int.from_bytes(os.urandom(bits // 8), "big") | 1 << (bits - 1)
    return n & ~1 | low


def _ecdsa(key):
    return lambda digest, message: key.sign(message, ec.ECDSA(hashes.SHA256()))


def _point(key):
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def ec_algorithm(curve=P256):
    return der.seq(der.oid(EC), der.oid(curve))


def ec_with_point(change):
    """A P-256 key whose point went through change()."""
    key = ec.generate_private_key(ec.SECP256R1())
    return OddKey(ec_algorithm(), change(_point(key)), _ecdsa(key))


def ec_on(curve, oid):
    key = ec.generate_private_key(curve)
    return OddKey(ec_algorithm(oid), _point(key), _ecdsa(key))


def ec_explicit():
    """The curve's parameters written out, with a generator of the sender's own (CVE-2020-0601)."""
    key = ec.generate_private_key(ec.SECP256R1())
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    parameters = der.seq(
        der.integer(1),
        der.seq(der.oid(PRIME_FIELD), der.integer(p)),
        der.seq(der.octets(b"\0" * 32), der.octets(b"\1" * 32)),
        der.octets(_point(key)),
        der.integer(p - 2),
        der.integer(1),
    )
    return OddKey(der.seq(der.oid(EC), parameters), _point(key), _ecdsa(key))


def of_library(key):
    """A key of a kind that is no good here: DSA, X25519."""
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    odd = OddKey(b"", b"")
    odd.spki = spki
    return odd


def dsa_key():
    return of_library(dsa.generate_private_key(2048))


def x25519_key():
    return of_library(x25519.X25519PrivateKey.generate())


class Certificate:
    """Self-signed around an odd key; as much of x509.Certificate's manners as the peer needs."""

    def __init__(self, subject, key, serial=1):
        self.serial_number = serial
        self._subject = subject
        today = datetime.datetime.utcnow()
        times = [today + datetime.timedelta(days=d) for d in (-1, 30)]
        algorithm = der.seq(der.oid("1.2.840.113549.1.1.11"), der.NULL)
        tbs = der.seq(
            der.tlv(0xA0, der.integer(2)),
            der.integer(serial),
            algorithm,
            subject,
            der.seq(*(der.tlv(0x17, t.strftime("%y%m%d%H%M%SZ").encode()) for t in times)),
            subject,
            key.spki,
        )
        self._der = der.seq(tbs, algorithm, der.bits(key.sign("sha256", tbs)))

    @property
    def issuer(self):
        return self

    def public_bytes(self, encoding=None):
        """Of the certificate with an encoding, of the issuer's name without."""
        return self._der if encoding else self._subject
