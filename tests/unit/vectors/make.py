#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the vectors of the certificate, CSR and CMS tests: run by hand, the results are committed.

Makers are the openssl command, python3-cryptography and python3-asn1crypto; never our own code.
Keys are made once (rsa.pem, p256.pem, ed25519.pem) and kept, so that a second run changes little.
"""
import datetime
import hashlib
import ipaddress
import os
import subprocess

from asn1crypto import algos, cms, core, x509 as ax509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import (AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID,
                                   ObjectIdentifier)

HERE = os.path.dirname(os.path.abspath(__file__))
os.chdir(HERE)

NOT_BEFORE = datetime.datetime(2026, 1, 1)
NOT_AFTER = datetime.datetime(2056, 1, 1)
PASSWORD = b"pass phrase 42"
PLAIN = b"what only the recipient may read\n"


def save(name, data):
    with open(name, "wb") as f:
        f.write(data)


def key(name, make):
    if not os.path.exists(name):
        save(name, make().private_bytes(serialization.Encoding.PEM,
                                        serialization.PrivateFormat.PKCS8,
                                        serialization.NoEncryption()))
    with open(name, "rb") as f:
        return serialization.load_pem_private_key(f.read(), None)


RSA = key("rsa.pem", lambda: rsa.generate_private_key(65537, 2048))
P256 = key("p256.pem", lambda: ec.generate_private_key(ec.SECP256R1()))
ED = key("ed25519.pem", ed25519.Ed25519PrivateKey.generate)


def der(thing):
    return thing.public_bytes(serialization.Encoding.DER)


def spki(k):
    return k.public_key().public_bytes(serialization.Encoding.DER,
                                       serialization.PublicFormat.SubjectPublicKeyInfo)


def name(cn, org="Example"):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
                      x509.NameAttribute(NameOID.ORGANIZATION_NAME, org),
                      x509.NameAttribute(NameOID.COMMON_NAME, cn)])


SAN = x509.SubjectAlternativeName([
    x509.DNSName("router7.example"),
    x509.IPAddress(ipaddress.ip_address("192.0.2.7")),
    x509.IPAddress(ipaddress.ip_address("2001:db8::7")),
    x509.UniformResourceIdentifier("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    x509.RFC822Name("admin@router7.example"),
    x509.OtherName(ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"),
                   core.UTF8String("ad\u00e9le@corp.example").dump()),
    x509.DirectoryName(name("dir")),
    x509.RegisteredID(ObjectIdentifier("1.2.3.4")),
])


def usage(**bits):
    every = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{b: bits.get(b, False) for b in every})


def certificate(serial, subject, public, issuer, signer, digest, exts):
    b = (x509.CertificateBuilder().serial_number(serial).subject_name(subject)
         .issuer_name(issuer).public_key(public).not_valid_before(NOT_BEFORE)
         .not_valid_after(NOT_AFTER))
    for ext, critical in exts:
        b = b.add_extension(ext, critical)
    return b.sign(signer, digest)


def make_certs():
    ca = certificate(0x7fff00112233, name("Example CA"), P256.public_key(), name("Example CA"),
                     P256, hashes.SHA256(), [
        (x509.BasicConstraints(True, 0), True),
        (usage(key_cert_sign=True, crl_sign=True), True),
        (x509.SubjectKeyIdentifier.from_public_key(P256.public_key()), False),
    ])
    save("cert_ca.der", der(ca))
    leaf = certificate(0x80aabbccddeeff, name("router7"), RSA.public_key(), ca.subject, P256,
                       hashes.SHA256(), [
        (x509.BasicConstraints(False, None), True),
        (usage(digital_signature=True, key_encipherment=True), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH,
                                ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(RSA.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(P256.public_key()), False),
        (SAN, False),
        (x509.CRLDistributionPoints([x509.DistributionPoint(
            [x509.UniformResourceIdentifier("http://pki.example/ca.crl"),
             x509.UniformResourceIdentifier("ldap://pki.example/cn=ca")], None, None, None)]),
         False),
        (x509.AuthorityInformationAccess([
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP,
                                   x509.UniformResourceIdentifier("http://ocsp.example/")),
            x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS,
                                   x509.UniformResourceIdentifier("http://pki.example/ca.cer")),
        ]), False),
    ])
    save("cert_leaf.der", der(leaf))
    device = certificate(1, name("device"), RSA.public_key(), name("device"), RSA,
                         hashes.SHA1(), [])
    save("cert_rsa_sha1.der", der(device))
    ed = certificate(2, name("ed"), ED.public_key(), name("ed"), ED, None, [])
    save("cert_ed25519.der", der(ed))
    return ca, leaf, device


def make_odd_certs(device):
    """What devices and other authorities make: version 1, unique identifiers, PSS."""
    tbs = ax509.Certificate.load(der(device))["tbs_certificate"]
    v1 = ax509.TbsCertificate({"version": "v1", "serial_number": -5,
                               "signature": {"algorithm": "sha256_rsa"},
                               "issuer": tbs["issuer"], "validity": tbs["validity"],
                               "subject": tbs["subject"],
                               "subject_public_key_info": tbs["subject_public_key_info"]})
    save("cert_v1.der", sign_rsa(ax509.Certificate, "tbs_certificate", v1,
                                 "signature_algorithm", "signature_value"))
    v2 = ax509.TbsCertificate({"version": "v2", "serial_number": 5,
                               "signature": {"algorithm": "sha256_rsa"},
                               "issuer": tbs["issuer"], "validity": tbs["validity"],
                               "subject": tbs["subject"],
                               "subject_public_key_info": tbs["subject_public_key_info"],
                               "issuer_unique_id": b"x"})
    save("cert_v2.der", sign_rsa(ax509.Certificate, "tbs_certificate", v2,
                                 "signature_algorithm", "signature_value"))
    run("req", "-x509", "-new", "-key", "rsa.pem", "-subj", "/CN=pss", "-days", "3650",
        "-sigopt", "rsa_padding_mode:pss", "-outform", "DER", "-out", "cert_pss.der")


def sign_rsa(cls, field, tbs, alg, sig):
    signature = RSA.sign(tbs.dump(), padding.PKCS1v15(), hashes.SHA256())
    return cls({field: tbs, alg: {"algorithm": "sha256_rsa"}, sig: signature}).dump()


def run(*args, text=None):
    return subprocess.run(["openssl", *args], input=text, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


CHALLENGE = ObjectIdentifier("1.2.840.113549.1.9.7")


def make_csrs():
    for label, k, digest in (("rsa", RSA, hashes.SHA256()), ("p256", P256, hashes.SHA256()),
                             ("ed25519", ED, None), ("rsa_sha1", RSA, hashes.SHA1())):
        b = (x509.CertificateSigningRequestBuilder().subject_name(name("router7"))
             .add_attribute(CHALLENGE, "s\u00e9same-123".encode())
             .add_extension(SAN, False)
             .add_extension(usage(digital_signature=True), True))
        save("csr_%s.der" % label, der(b.sign(k, digest)))
    plain = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    save("csr_empty.der", der(plain.sign(P256, hashes.SHA256())))



def csr_of(attrs, version=0):
    """A CSR by RSA with attributes as given: a list of (OID, value DER...), or None for no [0]."""
    subject = ax509.Name.build({"common_name": "odd"}).dump()
    info = core.Integer(version).dump() + subject + spki(RSA)
    if attrs is not None:
        body = b"".join(seq(core.ObjectIdentifier(oid).dump() + tlv(0x31, b"".join(values)))
                        for oid, *values in attrs)
        info += tlv(0xa0, body)
    info = seq(info)
    alg = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}).dump()
    return seq(info + alg + core.BitString(bits(
        RSA.sign(info, padding.PKCS1v15(), hashes.SHA256()))).dump())


def bits(octets):
    return tuple(int(b) for o in octets for b in format(o, "08b"))


def tlv(tag, content):
    n = len(content)
    if n < 0x80:
        return bytes([tag, n]) + content
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def seq(content):
    return tlv(0x30, content)


def make_odd_csrs():
    challenge = "1.2.840.113549.1.9.7"
    request = "1.2.840.113549.1.9.14"
    microsoft = "1.3.6.1.4.1.311.2.1.14"
    scep = "2.16.840.1.113733.1.9.8"
    pairs = "1.3.6.1.4.1.311.13.2.1"
    exts = seq(ax509.Extension({"extn_id": "key_usage", "critical": True,
                                    "extn_value": ax509.KeyUsage({"digital_signature"})}).dump())
    other = seq(ax509.Extension({"extn_id": "key_usage", "critical": True,
                                     "extn_value": ax509.KeyUsage({"key_agreement"})}).dump())
    twice = tlv(0x30, exts[2:] * 2)
    bmp = core.BMPString("p\u00e4ss").dump()
    pair = seq(core.BMPString("ValidityPeriod").dump() + core.BMPString("Years").dump())
    rows = {
        "no_attrs": None,
        "ms": [(challenge, bmp), (microsoft, exts), (pairs, pair)],
        "scep_exts": [(challenge, core.PrintableString("abc").dump()), (scep, exts)],
        "t61": [(challenge, tlv(0x14, b"p\xe4ss"))],
        "both_same": [(request, exts), (microsoft, exts)],
        "both_differ": [(request, exts), (microsoft, other)],
        "two_challenges": [(challenge, bmp), (challenge, bmp)],
        "two_values": [(challenge, bmp, bmp)],
        "twice": [(request, twice)],
        "no_value": [(challenge,)],
        "long": [(challenge, core.UTF8String("x" * 5000).dump())],
        "too_long": [(challenge, core.UTF8String("x" * 16385).dump())],
    }
    for label, attrs in rows.items():
        save("csr_odd_%s.der" % label, csr_of(attrs))
    save("csr_odd_version.der", csr_of([], version=1))


def attribute(kind, value):
    return cms.CMSAttribute({"type": kind, "values": [value]}).dump()


def attributes(content, digest="sha256"):
    return [attribute("content_type", "data"),
            attribute("message_digest", hashlib.new(digest, content).digest()),
            cms.CMSAttribute({"type": "2.16.840.1.113733.1.9.7",
                              "values": [core.PrintableString("transaction 7")]}).dump()]


def signed_data(cert, attrs, signed, content=PLAIN, sid=None, sig_alg="rsassa_pkcs1v15",
                null=True, certs=None, digest="sha256"):
    """SignedData by RSA: attrs as they are sent, signed as the signature has them."""
    x = ax509.Certificate.load(der(cert))
    sid = sid or seq(x.issuer.dump() + core.Integer(x.serial_number).dump())
    digest_alg = algos.DigestAlgorithm({"algorithm": digest}).dump()
    if not null:
        digest_alg = seq(core.ObjectIdentifier(algos.DigestAlgorithmId.unmap(digest)).dump())
    message = tlv(0x31, b"".join(signed)) if signed else content
    signature = RSA.sign(message, padding.PKCS1v15(), {"sha256": hashes.SHA256(),
                                                       "sha1": hashes.SHA1()}[digest])
    algorithm = core.ObjectIdentifier(algos.SignedDigestAlgorithmId.unmap(sig_alg)).dump()
    signer = seq(core.Integer(1).dump() + sid + digest_alg +
                 (tlv(0xa0, b"".join(attrs)) if attrs else b"") +
                 seq(algorithm + (core.Null().dump() if null else b"")) +
                 core.OctetString(signature).dump())
    encap = seq(core.ObjectIdentifier("1.2.840.113549.1.7.1").dump() +
                tlv(0xa0, core.OctetString(content).dump()))
    certs = [der(cert)] if certs is None else certs
    body = seq(core.Integer(1).dump() + tlv(0x31, digest_alg) + encap +
               (tlv(0xa0, b"".join(certs)) if certs else b"") + tlv(0x31, signer))
    return seq(core.ObjectIdentifier("1.2.840.113549.1.7.2").dump() + tlv(0xa0, body))


def make_signed(ca, leaf):
    attrs = attributes(PLAIN)
    in_order = sorted(attrs)
    reverse = sorted(attrs, reverse=True)
    wrong = attributes(b"something else")
    x = ax509.Certificate.load(der(leaf))
    reordered = ax509.Name(name="", value=ax509.RDNSequence(list(x.issuer.chosen)[::-1]))
    elsewhere = seq(ax509.Name.build({"common_name": "nobody"}).dump() + core.Integer(99).dump())
    rows = {
        "asn1crypto": dict(attrs=in_order, signed=in_order),
        "unsorted": dict(attrs=reverse, signed=reverse),
        "unsorted_der": dict(attrs=reverse, signed=in_order),
        "sha256rsa": dict(attrs=in_order, signed=in_order, sig_alg="sha256_rsa"),
        "no_params": dict(attrs=in_order, signed=in_order, null=False),
        "sha1": dict(attrs=sorted(attributes(PLAIN, "sha1")),
                     signed=sorted(attributes(PLAIN, "sha1")), digest="sha1"),
        "mixed_digests": dict(attrs=in_order, signed=in_order, sig_alg="sha1_rsa"),
        "wrong_sid": dict(attrs=in_order, signed=in_order, sid=elsewhere),
        "wrong_sid_two_certs": dict(attrs=in_order, signed=in_order, sid=elsewhere,
                                    certs=[der(ca), der(leaf)]),
        "reordered_sid": dict(attrs=in_order, signed=in_order, certs=[der(ca), der(leaf)],
                              sid=seq(reordered.dump() + core.Integer(x.serial_number).dump())),
        "wrong_digest": dict(attrs=sorted(wrong), signed=sorted(wrong)),
        "wrong_signature": dict(attrs=in_order, signed=sorted(wrong)),
        "no_attrs": dict(attrs=None, signed=None),
        "no_digest_attr": dict(attrs=attrs[:1], signed=attrs[:1]),
        "no_type_attr": dict(attrs=attrs[1:2], signed=attrs[1:2]),
        "wrong_type_attr": dict(attrs=[attribute("content_type", "signed_data"), attrs[1]],
                                signed=[attribute("content_type", "signed_data"), attrs[1]]),
        "twice_attr": dict(attrs=in_order + [attrs[1]], signed=in_order + [attrs[1]]),
        "unknown_digest": dict(attrs=in_order, signed=in_order, sig_alg="sha224_rsa"),
    }
    for label, args in rows.items():
        save("signed_%s.der" % label, signed_data(leaf, **args))


def make_signed_by_openssl():
    run("x509", "-inform", "DER", "-in", "cert_leaf.der", "-out", "leaf.tmp")
    run("x509", "-inform", "DER", "-in", "cert_ca.der", "-out", "ca.tmp")
    sign = ["cms", "-sign", "-binary", "-nodetach", "-outform", "DER"]
    by_rsa = ["-signer", "leaf.tmp", "-inkey", "rsa.pem"]
    for label, args in {
        "openssl": by_rsa,
        "openssl_keyid": [*by_rsa, "-keyid"],
        "openssl_sha512": [*by_rsa, "-md", "sha512", "-certfile", "ca.tmp"],
        "openssl_p256": ["-signer", "ca.tmp", "-inkey", "p256.pem"],
        "openssl_stream": [*by_rsa, "-stream"],
    }.items():
        save("signed_%s.der" % label, run(*sign, *args, text=PLAIN))
    save("degenerate.der", run("crl2pkcs7", "-nocrl", "-certfile", "leaf.tmp", "-certfile",
                               "ca.tmp", "-outform", "DER"))


def make_enveloped():
    encrypt = ["cms", "-encrypt", "-binary", "-outform", "DER"]
    to = ["-recip", "leaf.tmp"]
    oaep = [*to, "-keyopt", "rsa_padding_mode:oaep"]
    word = ["-pwri_password", PASSWORD.decode()]
    for label, args in {
        "aes128": ["-aes128", *to],
        "aes192": ["-aes192", *to],
        "aes256": ["-aes256", *to],
        "des3": ["-des3", *to],
        "keyid": ["-aes128", *to, "-keyid"],
        "oaep": ["-aes128", *oaep],
        "oaep_sha256": ["-aes128", *oaep, "-keyopt", "rsa_oaep_md:sha256"],
        "pwri": ["-aes256", *word],
        "pwri_des3": ["-des3", *word],
        "pwri_and_cert": ["-aes128", *word, *to],
        "stream": ["-aes128", *to, "-stream"],
    }.items():
        save("enveloped_%s.der" % label, run(*encrypt, *args, text=PLAIN))


def main():
    ca, leaf, device = make_certs()
    make_odd_certs(device)
    make_csrs()
    make_odd_csrs()
    make_signed(ca, leaf)
    make_signed_by_openssl()
    make_enveloped()
    for f in ("leaf.tmp", "ca.tmp"):
        os.remove(f)


main()
