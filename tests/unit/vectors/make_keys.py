#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes keys.* here: private keys in every form, signatures and key transport by them, by python3-cryptography."""

import os

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

HERE = os.path.dirname(os.path.abspath(__file__))
MESSAGE = b"what is to be signed"
CONTENT_KEY = bytes(range(24))
PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
PKCS8 = serialization.PrivateFormat.PKCS8
OLD = serialization.PrivateFormat.TraditionalOpenSSL
PLAIN = serialization.NoEncryption()
SEALED = serialization.BestAvailableEncryption(b"open sesame")


def put(name, data):
    with open(os.path.join(HERE, name), "wb") as out:
        out.write(data)


def spki(key):
    return key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def raw_rsa(key, block):
    numbers = key.public_key().public_numbers()
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(256, "big")


def transport(key):
    public = key.public_key()
    put("keys.rsa.pkcs1", public.encrypt(CONTENT_KEY, padding.PKCS1v15()))
    for name, digest, mgf in (
        ("sha1", hashes.SHA1(), hashes.SHA1()),
        ("sha256", hashes.SHA256(), hashes.SHA256()),
        ("sha256-sha1", hashes.SHA256(), hashes.SHA1()),
        ("sha512", hashes.SHA512(), hashes.SHA512()),
    ):
        oaep = padding.OAEP(padding.MGF1(mgf), digest, None)
        put("keys.rsa.oaep-" + name, public.encrypt(CONTENT_KEY, oaep))
    fill = b"\x55" * (256 - 3 - len(CONTENT_KEY))
    put("keys.rsa.raw-good", raw_rsa(key, b"\x00\x02" + fill + b"\x00" + CONTENT_KEY))
    put("keys.rsa.raw-type1", raw_rsa(key, b"\x00\x01" + fill + b"\x00" + CONTENT_KEY))
    put("keys.rsa.raw-no-zero", raw_rsa(key, b"\x00\x02" + b"\x55" * 254))
    put("keys.rsa.raw-short", raw_rsa(key, b"\x00\x02" + b"\x55" * 7 + b"\x00" + b"\x55" * 246))


def main():
    key = rsa.generate_private_key(65537, 2048)
    put("keys.rsa.pem", key.private_bytes(PEM, PKCS8, PLAIN))
    put("keys.rsa.der", key.private_bytes(DER, PKCS8, PLAIN))
    put("keys.rsa.sealed.pem", key.private_bytes(PEM, PKCS8, SEALED))
    put("keys.rsa.sealed.der", key.private_bytes(DER, PKCS8, SEALED))
    put("keys.rsa.old.pem", key.private_bytes(PEM, OLD, PLAIN))
    put("keys.rsa.old.der", key.private_bytes(DER, OLD, PLAIN))
    put("keys.rsa.old-sealed.pem", key.private_bytes(PEM, OLD, SEALED))
    put("keys.rsa.spki", spki(key))
    transport(key)
    for name, digest in (
        ("sha1", hashes.SHA1()),
        ("sha256", hashes.SHA256()),
        ("sha384", hashes.SHA384()),
        ("sha512", hashes.SHA512()),
    ):
        put("keys.rsa." + name, key.sign(MESSAGE, padding.PKCS1v15(), digest))
    for name, curve, digest in (
        ("p256", ec.SECP256R1(), hashes.SHA256()),
        ("p384", ec.SECP384R1(), hashes.SHA384()),
        ("p521", ec.SECP521R1(), hashes.SHA512()),
    ):
        key = ec.generate_private_key(curve)
        put("keys.%s.pem" % name, key.private_bytes(PEM, PKCS8, PLAIN))
        put("keys.%s.spki" % name, spki(key))
        put("keys.%s.sig" % name, key.sign(MESSAGE, ec.ECDSA(digest)))
        if name == "p256":
            old = key.private_bytes(PEM, OLD, PLAIN)
            # as `openssl ecparam -genkey` writes it: parameters in a block of their own
            block = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
            put("keys.p256.old.pem", block + old)
    key = ed25519.Ed25519PrivateKey.generate()
    put("keys.ed25519.pem", key.private_bytes(PEM, PKCS8, PLAIN))
    put("keys.ed25519.spki", spki(key))
    put("keys.ed25519.sig", key.sign(MESSAGE))


main()
