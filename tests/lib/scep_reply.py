# SPDX-License-Identifier: Apache-2.0
"""CertRep and GetCACert answers, read and checked with asn1crypto and cryptography only."""

import dataclasses
import hashlib
import hmac

from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding as block_padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, modes

import scep_peer

BY_OID = {
    scep_peer.MESSAGE_TYPE: "messageType",
    scep_peer.PKI_STATUS: "pkiStatus",
    scep_peer.FAIL_INFO: "failInfo",
    scep_peer.FAIL_INFO_TEXT: "failInfoText",
    scep_peer.SENDER_NONCE: "senderNonce",
    scep_peer.RECIPIENT_NONCE: "recipientNonce",
    scep_peer.TRANSACTION_ID: "transactionID",
    scep_peer.CONTENT_TYPE: "contentType",
    scep_peer.MESSAGE_DIGEST: "messageDigest",
}
FAIL_INFO_NAMES = ["badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId"]
CIPHER_BY_OID = {row[0]: (name,) + row[1:] for name, row in scep_peer.CIPHERS.items()}


def der_of(cert):
    return cert.public_bytes(serialization.Encoding.DER)


@dataclasses.dataclass
class Authority:
    """What GetCACert told: the CA, and who encrypts and signs for it."""

    cert: x509.Certificate
    encrypt_cert: x509.Certificate
    sign_cert: x509.Certificate

    @property
    def fingerprint(self):
        return hashlib.sha256(der_of(self.cert)).hexdigest()


def _is_ca(cert):
    try:
        return cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _may(cert, usage):
    try:
        return getattr(cert.extensions.get_extension_for_class(x509.KeyUsage).value, usage)
    except x509.ExtensionNotFound:
        return True


def authority(content_type, body):
    """Of a GetCACert answer, by its media type (RFC 8894 4.2.1)."""
    if content_type == "application/x-x509-ca-cert":
        ca = x509.load_der_x509_certificate(body)
        return Authority(ca, ca, ca)
    assert content_type == "application/x-x509-ca-ra-cert", content_type
    certs = degenerate(body)
    ca = next(c for c in certs if _is_ca(c))
    ras = [c for c in certs if not _is_ca(c)]
    return Authority(
        ca,
        next(c for c in ras if _may(c, "key_encipherment")),
        next(c for c in ras if _may(c, "digital_signature")),
    )


def degenerate(body):
    """Certificates of a degenerate SignedData, in the order in which they stand."""
    info = cms.ContentInfo.load(body, strict=True)
    assert info["content_type"].native == "signed_data"
    signed = info["content"]
    assert len(signed["signer_infos"]) == 0
    assert len(body) == len(info.dump())
    return [x509.load_der_x509_certificate(c.dump()) for c in signed["certificates"]]


@dataclasses.dataclass
class CertRep:
    attributes: dict  # by name: octets or text
    digest: str
    signature_algorithm: str
    signer: x509.Certificate
    envelope: object = None  # asn1crypto EnvelopedData
    certs: list = dataclasses.field(default_factory=list)

    @property
    def status(self):
        return {"0": "SUCCESS", "2": "FAILURE", "3": "PENDING"}[self.attributes["pkiStatus"]]

    @property
    def fail_info(self):
        return FAIL_INFO_NAMES[int(self.attributes["failInfo"])]

    @property
    def fail_text(self):
        return self.attributes.get("failInfoText", "")

    @property
    def cert(self):
        return self.certs[0]

    @property
    def cipher(self):
        algorithm = self.envelope["encrypted_content_info"]["content_encryption_algorithm"]
        return CIPHER_BY_OID[algorithm["algorithm"].dotted][0]

    @property
    def transport(self):
        return self.envelope["recipient_infos"][0].chosen["key_encryption_algorithm"]


def _attributes(signer_info):
    out = {}
    for attribute in signer_info["signed_attrs"]:
        name = BY_OID.get(attribute["type"].dotted, attribute["type"].dotted)
        assert name not in out, f"attribute {name} twice"
        assert len(attribute["values"]) == 1, f"attribute {name} with several values"
        value = core.load(attribute["values"][0].dump())
        out[name] = value.native
    return out


def verify(cert, digest, signature, message):
    algorithm = scep_peer.DIGESTS[digest][1]()
    if isinstance(cert.public_key(), rsa.RSAPublicKey):
        cert.public_key().verify(signature, message, padding.PKCS1v15(), algorithm)
    else:
        cert.public_key().verify(signature, message, ec.ECDSA(algorithm))


def parse_reply(body, ca):
    """Reads a CertRep and verifies its signature with the CA's signing certificate."""
    info = cms.ContentInfo.load(body, strict=True)
    assert info["content_type"].native == "signed_data"
    signed = info["content"]
    assert len(signed["signer_infos"]) == 1
    signer_info = signed["signer_infos"][0]
    digest = signer_info["digest_algorithm"]["algorithm"].native
    issuer_serial = signer_info["sid"].chosen
    assert issuer_serial["issuer"].dump() == ca.sign_cert.issuer.public_bytes()
    assert issuer_serial["serial_number"].native == ca.sign_cert.serial_number
    attributes = _attributes(signer_info)
    content = signed["encap_content_info"]["content"].native or b""
    hasher = hashes.Hash(scep_peer.DIGESTS[digest][1]())
    hasher.update(content)
    assert attributes["messageDigest"] == hasher.finalize(), "messageDigest"
    covered = b"\x31" + signer_info["signed_attrs"].dump()[1:]
    verify(ca.sign_cert, digest, signer_info["signature"].native, covered)
    reply = CertRep(
        attributes,
        digest,
        signer_info["signature_algorithm"]["algorithm"].dotted,
        ca.sign_cert,
    )
    if content:
        inner = cms.ContentInfo.load(content, strict=True)
        assert inner["content_type"].native == "enveloped_data"
        reply.envelope = inner["content"]
    return reply


def open_reply(body, request, ca):
    """parse_reply, then the rules of every answer to `request`, then the certificates inside."""
    reply = parse_reply(body, ca)
    attributes = reply.attributes
    assert attributes["messageType"] == "3"
    if scep_peer.TRANSACTION_ID not in request.omit:
        assert attributes["transactionID"].encode() == request.transaction_id
    if scep_peer.SENDER_NONCE not in request.omit and request.sender_nonce:
        assert attributes["recipientNonce"] == request.sender_nonce
    assert len(attributes["senderNonce"]) == 16
    assert attributes["senderNonce"] != request.sender_nonce
    if reply.status == "SUCCESS":
        reply.certs = degenerate(decrypt(reply.envelope, request))
    else:
        assert reply.envelope is None
    return reply


def decrypt(envelope, request):
    encrypted = envelope["encrypted_content_info"]
    algorithm = encrypted["content_encryption_algorithm"]
    _, _, iv_size, cipher = CIPHER_BY_OID[algorithm["algorithm"].dotted]
    assert len(envelope["recipient_infos"]) == 1
    recipient = envelope["recipient_infos"][0]
    if recipient.name == "ktri":
        key = _unwrap_rsa(recipient.chosen, request)
    else:
        key = _unwrap_password(recipient.chosen, request)
    decryptor = Cipher(cipher(key), modes.CBC(algorithm["parameters"].native)).decryptor()
    padded = decryptor.update(encrypted["encrypted_content"].native) + decryptor.finalize()
    unpadder = block_padding.PKCS7(iv_size * 8).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _unwrap_rsa(info, request):
    algorithm = info["key_encryption_algorithm"]
    scheme = padding.PKCS1v15()
    if algorithm["algorithm"].native == "rsaes_oaep":
        parameters = algorithm["parameters"]
        digest = scep_peer.DIGESTS[parameters["hash_algorithm"]["algorithm"].native][1]
        mgf = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
        scheme = padding.OAEP(padding.MGF1(scep_peer.DIGESTS[mgf][1]()), digest(), None)
    key = request.signer_key or request.key
    return key.decrypt(info["encrypted_key"].native, scheme)


def _unwrap_password(info, request):
    """RFC 3211 key unwrap under PBKDF2 of the challenge password."""
    kdf = info["key_derivation_algorithm"]
    assert kdf["algorithm"].native == "pbkdf2"
    parameters = kdf["parameters"]
    wrap = info["key_encryption_algorithm"]
    assert wrap["algorithm"].dotted == "1.2.840.113549.1.9.16.3.9"
    inner = cms.EncryptionAlgorithm.load(wrap["parameters"].dump())
    _, key_size, size, cipher = CIPHER_BY_OID[inner["algorithm"].dotted]
    prf = parameters["prf"]["algorithm"].native.replace("hmac_", "").replace("hmac-", "")
    kek = hashlib.pbkdf2_hmac(
        prf,
        request.challenge.encode(),
        parameters["salt"].chosen.native,
        parameters["iteration_count"].native,
        key_size,
    )
    iv, wrapped = inner["parameters"].native, info["encrypted_key"].native

    def cbc(iv, data):
        decryptor = Cipher(cipher(kek), modes.CBC(iv)).decryptor()
        return decryptor.update(data) + decryptor.finalize()

    # The last block, decrypted with the one before it as IV, is the IV of the outer pass.
    last_iv = wrapped[-2 * size : -size]
    last = cbc(last_iv, wrapped[-size:])
    first_pass = cbc(last, wrapped[:-size]) + last
    plain = cbc(iv, first_pass)
    count, check, rest = plain[0], plain[1:4], plain[4:]
    assert hmac.compare_digest(check, bytes(b ^ 0xFF for b in rest[:3])), "RFC 3211 check octets"
    return rest[:count]
