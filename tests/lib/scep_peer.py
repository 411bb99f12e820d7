# SPDX-License-Identifier: Apache-2.0
"""SCEP requests as devices make them, each habit a knob. Independent of Scepter's code.

    request = Request(key=rsa_key(), subject={"common_name": "r1"}, challenge="...")
    reply = scep_reply.open_reply(post(url, request.build(ca)), request, ca)
"""

import base64
import dataclasses
import datetime
import functools
import hashlib
import os
import urllib.parse

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding as block_padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import der
import odd_keys

SCEP = "2.16.840.1.113733.1.9."
MESSAGE_TYPE, PKI_STATUS, FAIL_INFO = SCEP + "2", SCEP + "3", SCEP + "4"
SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION_ID = SCEP + "5", SCEP + "6", SCEP + "7"
FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
DATA, SIGNED_DATA, ENVELOPED_DATA = (
    "1.2.840.113549.1.7.1",
    "1.2.840.113549.1.7.2",
    "1.2.840.113549.1.7.3",
)
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
MS_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14"
MS_NAME_VALUE_PAIR = "1.3.6.1.4.1.311.13.2.1"
SUBJECT_ALT_NAME = "2.5.29.17"

CERT_POLL, GET_CERT, GET_CRL = "20", "21", "22"

DIGESTS = {
    "md5": ("1.2.840.113549.2.5", hashes.MD5, "1.2.840.113549.1.1.4"),
    "sha1": ("1.3.14.3.2.26", hashes.SHA1, "1.2.840.113549.1.1.5"),
    "sha256": ("2.16.840.1.101.3.4.2.1", hashes.SHA256, "1.2.840.113549.1.1.11"),
    "sha384": ("2.16.840.1.101.3.4.2.2", hashes.SHA384, "1.2.840.113549.1.1.12"),
    "sha512": ("2.16.840.1.101.3.4.2.3", hashes.SHA512, "1.2.840.113549.1.1.13"),
}
ECDSA = {
    "sha1": "1.2.840.10045.4.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
# name: OID, key octets, IV octets, algorithm (a TripleDES key of 8 octets is plain DES)
CIPHERS = {
    "des": ("1.3.14.3.2.7", 8, 8, algorithms.TripleDES),
    "3des": ("1.2.840.113549.3.7", 24, 8, algorithms.TripleDES),
    "aes128": ("2.16.840.1.101.3.4.1.2", 16, 16, algorithms.AES),
    "aes192": ("2.16.840.1.101.3.4.1.22", 24, 16, algorithms.AES),
    "aes256": ("2.16.840.1.101.3.4.1.42", 32, 16, algorithms.AES),
}
STRING_TAGS = {"utf8": 0x0C, "printable": 0x13, "t61": 0x14, "ia5": 0x16, "bmp": 0x1E}


@functools.lru_cache(maxsize=None)
def rsa_key(index=0, bits=2048):
    """Keys are slow to make: the same index gives the same key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@functools.lru_cache(maxsize=None)
def ec_key(index=0, curve="p256"):
    return ec.generate_private_key(ec.SECP384R1() if curve == "p384" else ec.SECP256R1())


def spki_of(key):
    if isinstance(key, odd_keys.OddKey):
        return key.spki
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def name_der(subject):
    """Of {"common_name": ...} in asn1crypto's words; bytes pass as they are."""
    return subject if isinstance(subject, bytes) else asn1_x509.Name.build(subject).dump()


def string(kind, text):
    raw = {"bmp": "utf-16-be", "t61": "latin-1", "utf8": "utf-8"}.get(kind, "ascii")
    return der.tlv(STRING_TAGS[kind], text if isinstance(text, bytes) else text.encode(raw))


def san_extension(dns=(), ips=(), critical=False):
    names = [der.tlv(0x82, d.encode()) for d in dns] + [der.tlv(0x87, ip) for ip in ips]
    return extension(SUBJECT_ALT_NAME, der.seq(*names), critical)


def extension(oid, value, critical=False):
    return der.seq(der.oid(oid), *([b"\x01\x01\xff"] if critical else []), der.octets(value))


def attribute(oid, *values):
    return der.seq(der.oid(oid), der.set_of(*values))


def sign(key, digest, message):
    if isinstance(key, odd_keys.OddKey):
        return key.sign(digest, message)
    algorithm = DIGESTS[digest][1]()
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), algorithm)
    return key.sign(message, ec.ECDSA(algorithm))


def is_rsa(key):
    return isinstance(key, rsa.RSAPrivateKey) or getattr(key, "is_rsa", False)


def signature_algorithm(key, digest):
    if is_rsa(key):
        return der.seq(der.oid(DIGESTS[digest][2]), der.NULL)
    return der.seq(der.oid(ECDSA[digest]))


@dataclasses.dataclass
class Request:
    key: object = None
    subject: object = None  # dict or Name DER
    challenge: object = None  # text or octets; None: no attribute
    challenge_type: str = "printable"
    extensions: list = dataclasses.field(default_factory=list)
    extension_attribute: str = EXTENSION_REQUEST
    csr_attributes: list = dataclasses.field(default_factory=list)  # whole Attributes
    csr_digest: str = "sha256"
    csr_key: object = None  # signs the CSR; default: the key in it
    break_csr: bool = False  # spoil the proof of possession

    message_type: object = "19"  # None: no attribute
    transaction_id: object = None  # octets or text; None: from the key; see also omit
    sender_nonce: bytes = None
    omit: frozenset = frozenset()  # OIDs of signed attributes to leave out
    digest: str = "sha256"
    rsa_encryption: bool = True  # signatureAlgorithm rsaEncryption, not sha256WithRSAEncryption
    reverse_attributes: bool = False  # send the SET in descending order...
    sign_as_sent: bool = False  # ...and sign it so, not in its DER order
    break_signature: bool = False
    break_digest: bool = False
    ber: bool = False
    signer_subject: object = None  # default: the CSR's
    signer_days: tuple = (-1, 30)  # validity of the self-signed certificate around today
    signer_extensions: list = dataclasses.field(default_factory=list)  # (x509.ExtensionType, critical)
    signer_key: object = None  # default: the CSR's key
    signer_cert: object = None  # default: a self-signed one, as the knobs above say
    envelope_empty: bool = False
    content: bytes = None  # instead of the envelope
    content_type: str = DATA  # eContentType
    raw_attributes: dict = dataclasses.field(default_factory=dict)  # OID -> values, whole
    more_attributes: list = dataclasses.field(default_factory=list)  # whole Attributes
    certificates: list = None  # DER, instead of the signer's
    signature: bytes = None  # instead of a good one
    signature_id: bytes = None  # AlgorithmIdentifier, the same
    digest_id: bytes = None
    signers: int = 1  # how often the SignerInfo stands there

    cipher: str = "aes128"
    transport: str = "pkcs1"  # pkcs1, oaep-sha1, oaep-sha256
    recipient: str = "issuer"  # issuer, ski, reversed (RDN order), ca (the CA's own name and serial)
    payload: bytes = None  # instead of the CSR
    recipients: list = None  # whole RecipientInfos, instead of the one for the CA
    cipher_id: bytes = None  # AlgorithmIdentifier, instead of the cipher's own
    encrypted: bytes = None  # instead of what the cipher makes
    content_key: bytes = None  # as transported, instead of the one that was used

    def __post_init__(self):
        self.key = self.key or rsa_key()
        self.subject = self.subject or {"common_name": "device"}
        if self.transaction_id is None:
            self.transaction_id = hashlib.sha256(spki_of(self.key) + os.urandom(8)).hexdigest()
        if isinstance(self.transaction_id, str):
            self.transaction_id = self.transaction_id.encode()
        self.sender_nonce = os.urandom(16) if self.sender_nonce is None else self.sender_nonce

    def again(self, **changes):
        """The same request with other knobs; key, transactionID and challenge stay."""
        return dataclasses.replace(self, **changes)

    def poll(self, ca, **changes):
        """CertPoll (RFC 8894 3.3.3): what has become of this request?"""
        names = der.seq(ca.cert.subject.public_bytes(), name_der(self.subject))
        return self.again(**{"message_type": CERT_POLL, "payload": names, "sender_nonce": b"p" * 16, **changes})

    # ---- CSR ----

    def csr(self):
        attributes = list(self.csr_attributes)
        if self.challenge is not None:
            attributes.append(
                attribute(CHALLENGE_PASSWORD, string(self.challenge_type, self.challenge))
            )
        if self.extensions:
            attributes.append(attribute(self.extension_attribute, der.seq(*self.extensions)))
        info = der.seq(
            der.integer(0),
            name_der(self.subject),
            spki_of(self.key),
            der.tlv(0xA0, *attributes),
        )
        signed = info[:-1] + bytes([info[-1] ^ 1]) if self.break_csr else info
        return der.seq(
            info,
            signature_algorithm(self.key, self.csr_digest),
            der.bits(sign(self.csr_key or self.key, self.csr_digest, signed)),
        )

    # ---- EnvelopedData ----

    def envelope(self, ca, plain):
        oid, key_size, iv_size, algorithm = CIPHERS[self.cipher]
        key, iv = os.urandom(key_size), os.urandom(iv_size)
        padder = block_padding.PKCS7(iv_size * 8).padder()
        padded = padder.update(plain) + padder.finalize()
        encryptor = Cipher(algorithm(key), modes.CBC(iv)).encryptor()
        encrypted = encryptor.update(padded) + encryptor.finalize()
        encrypted = encrypted if self.encrypted is None else self.encrypted
        recipients = self.recipients
        if recipients is None:
            recipients = [self.recipient_info(ca, self.content_key or key)]
        return der.seq(
            der.oid(ENVELOPED_DATA),
            der.tlv(
                0xA0,
                der.seq(
                    der.integer(2 if self.recipient == "ski" else 0),
                    der.set_of(*recipients),
                    der.seq(
                        der.oid(DATA),
                        self.cipher_id or der.seq(der.oid(oid), der.octets(iv)),
                        der.tlv(0x80, encrypted),
                    ),
                ),
            ),
        )

    def recipient_info(self, ca, content_key):
        cert = ca.encrypt_cert
        if self.transport == "pkcs1":
            scheme = padding.PKCS1v15()
            algorithm = der.seq(der.oid("1.2.840.113549.1.1.1"), der.NULL)
        else:
            digest = self.transport.split("-")[1]
            hash_oid, hash_class, _ = DIGESTS[digest]
            scheme = padding.OAEP(padding.MGF1(hash_class()), hash_class(), None)
            hash_id = der.seq(der.oid(hash_oid), der.NULL)
            mgf = der.seq(der.oid("1.2.840.113549.1.1.8"), hash_id)
            parameters = [] if digest == "sha1" else [der.tlv(0xA0, hash_id), der.tlv(0xA1, mgf)]
            algorithm = der.seq(der.oid("1.2.840.113549.1.1.7"), der.seq(*parameters))
        return der.seq(
            der.integer(2 if self.recipient == "ski" else 0),
            self._recipient_id(ca),
            algorithm,
            der.octets(cert.public_key().encrypt(content_key, scheme)),
        )

    def _recipient_id(self, ca):
        if self.recipient == "ski":
            ski = ca.encrypt_cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            return der.tlv(0x80, ski.value.digest)
        cert = ca.cert if self.recipient == "ca" else ca.encrypt_cert
        issuer = cert.issuer.public_bytes()
        if self.recipient == "reversed":
            issuer = der.seq(*reversed(der.children(der.split(issuer)[1])))
        return der.seq(issuer, der.integer(cert.serial_number))

    # ---- SignedData ----

    def signer_certificate(self):
        if self.signer_cert is not None:
            return self.signer_cert
        key = self.signer_key or self.key
        if isinstance(key, odd_keys.OddKey):
            return odd_keys.Certificate(name_der(self.signer_subject or self.subject), key)
        now = datetime.datetime.utcnow()
        subject = x509.Name(_rdns(self.signer_subject or self.subject))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=self.signer_days[0]))
            .not_valid_after(now + datetime.timedelta(days=self.signer_days[1]))
        )
        for value, critical in self.signer_extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(key, hashes.SHA256())

    def signed_attributes(self, content):
        digest = hashes.Hash(DIGESTS[self.digest][1]())
        digest.update(content + b"x" if self.break_digest else content)
        attributes = {
            CONTENT_TYPE: der.oid(DATA),
            MESSAGE_DIGEST: der.octets(digest.finalize()),
            TRANSACTION_ID: string("printable", self.transaction_id),
            SENDER_NONCE: der.octets(self.sender_nonce),
        }
        if self.message_type is not None:
            attributes[MESSAGE_TYPE] = string("printable", self.message_type)
        whole = {oid: attribute(oid, v) for oid, v in attributes.items() if oid not in self.omit}
        whole.update({oid: attribute(oid, *v) for oid, v in self.raw_attributes.items()})
        return sorted([*whole.values(), *self.more_attributes])

    def build(self, ca):
        """The pkiMessage for the CA (a scep_reply.Authority) as it goes over the wire."""
        content = self.content or b""
        if not self.envelope_empty and self.content is None:
            content = self.envelope(ca, self.payload if self.payload is not None else self.csr())
            content = der.ber_enveloped(content) if self.ber else content
        message = self._signed_data(content)
        return der.ber_signed(message) if self.ber else message

    def _signed_data(self, content):
        key = self.signer_key or self.key
        certificate = self.signer_certificate()
        attributes = self.signed_attributes(content)
        sent = list(reversed(attributes)) if self.reverse_attributes else attributes
        covered = der.tlv(0x31, *(sent if self.sign_as_sent else attributes))
        signature = sign(key, self.digest, covered)
        if self.break_signature:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        signature = signature if self.signature is None else self.signature
        digest_id = self.digest_id or der.seq(der.oid(DIGESTS[self.digest][0]), der.NULL)
        if is_rsa(key) and self.rsa_encryption:
            sig_id = der.seq(der.oid("1.2.840.113549.1.1.1"), der.NULL)
        else:
            sig_id = signature_algorithm(key, self.digest)
        signer_info = der.seq(
            der.integer(1),
            der.seq(certificate.issuer.public_bytes(), der.integer(certificate.serial_number)),
            digest_id,
            der.tlv(0xA0, *sent),
            self.signature_id or sig_id,
            der.octets(signature),
        )
        encap = [der.tlv(0xA0, der.octets(content))] if content else []
        certificates = self.certificates
        if certificates is None:
            certificates = [certificate.public_bytes(serialization.Encoding.DER)]
        return der.seq(
            der.oid(SIGNED_DATA),
            der.tlv(
                0xA0,
                der.seq(
                    der.integer(1),
                    der.set_of(digest_id),
                    der.seq(der.oid(self.content_type), *encap),
                    *([der.tlv(0xA0, *certificates)] if certificates else []),
                    der.set_of(*[signer_info] * self.signers),
                ),
            ),
        )


def _rdns(subject):
    if isinstance(subject, bytes):
        try:
            subject = asn1_x509.Name.load(subject).native
        except ValueError:  # no name at all: whose certificate shows it hardly matters
            subject = {"common_name": "device"}
    oids = {"common_name": x509.NameOID.COMMON_NAME, "organization_name": x509.NameOID.ORGANIZATION_NAME}
    return [
        x509.NameAttribute(oids.get(k, x509.NameOID.COMMON_NAME), str(v), _validate=False)
        for k, v in subject.items()
    ]


# ---- how the message travels in a GET (point 1 of the field's habits) ----


def get_forms(message):
    """name -> the text behind `message=` for every base64 form that devices are known to send."""
    text = base64.b64encode(message).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64)) + "\n"
    return {
        "percent-encoded": urllib.parse.quote(text, safe=""),
        "newlines": urllib.parse.quote(lines, safe=""),
        "crlf": urllib.parse.quote(lines.replace("\n", "\r\n"), safe=""),
        "raw-plus-slash": text.replace("=", "%3D"),
        "spaces-for-plus": urllib.parse.quote(text.replace("+", " "), safe="/"),
        "url-alphabet": base64.urlsafe_b64encode(message).decode().replace("=", "%3D"),
        "no-padding": urllib.parse.quote(text.rstrip("="), safe=""),
    }


def looking_up(message_type, issuer, serial, **changes):
    """GetCert or GetCRL (RFC 8894 3.3.4, 3.3.5): what issuer, a Name, has issued."""
    payload = der.seq(issuer.public_bytes(), der.integer(serial))
    return Request(message_type=message_type, payload=payload, **changes)
