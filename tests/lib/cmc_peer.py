# SPDX-License-Identifier: Apache-2.0
"""CMC (RFC 5272) as a device speaks it: written with a DER writer of the tests' own, read with asn1crypto and openssl.

    message = signed(pki_data([control(1, "sender_nonce", der.octets(b"n"))], [tcr(9, request.der)]), key)
    answer = Answer(est.call("POST", "fullcmc", base64.encodebytes(message), HEADERS))
"""

import base64
import hashlib
import hmac
import subprocess

from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

import der

HEADERS = {"Content-Type": "application/pkcs7-mime; smime-type=CMC-request"}
PKI_DATA, PKI_RESPONSE = "1.3.6.1.5.5.7.12.2", "1.3.6.1.5.5.7.12.3"
CONTROLS = {
    "status_info": 1,
    "identification": 2,
    "identity_proof": 3,
    "data_return": 4,
    "transaction_id": 5,
    "sender_nonce": 6,
    "recipient_nonce": 7,
    "add_extensions": 8,
    "lra_pop_witness": 11,
    "get_cert": 15,
    "get_crl": 16,
    "revoke_request": 17,
    "reg_info": 18,
    "query_pending": 21,
    "pop_link_random": 22,
    "pop_link_witness": 23,
    "status_info_v2": 25,
    "batch_requests": 28,
    "pop_link_witness_v2": 33,
    "identity_proof_v2": 34,
}
STATUS = {0: "success", 2: "failed", 3: "pending", 4: "noSupport"}
FAIL_INFO = ["badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId", "unsupportedExt", "mustArchiveKeys"]
FAIL_INFO += ["badIdentity", "popRequired", "popFailed", "noKeyReuse", "internalCAError", "tryLater", "authDataFail"]
SHA256 = der.seq(der.oid("2.16.840.1.101.3.4.2.1"), der.NULL)
HMAC_SHA256 = der.seq(der.oid("1.2.840.113549.2.9"), der.NULL)


def control_oid(name):
    return f"1.3.6.1.5.5.7.7.{CONTROLS[name]}"


# ---- a PKIData ----


def control(number, name, *values):
    kind = name if "." in name else control_oid(name)
    return der.seq(der.integer(number), der.oid(kind), der.set_of(*values))


def tcr(number, csr):
    return der.tlv(0xA0, der.integer(number), csr)


def crm(number, key, cn, pop="signature", extensions=(), controls=(), reg_info=()):
    """CRMF (RFC 4211), its proof of possession by another key's signature where pop is that key."""
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, cn)])
    template = [der.tlv(0xA5, name_der(subject)), der.tlv(0xA6, der.split(spki)[1])]
    if extensions:
        template.append(der.tlv(0xA9, *extensions))
    cert_req = der.seq(der.integer(number), der.seq(*template), *([der.seq(*controls)] if controls else []))
    proofs = {"none": [], "ra": [b"\x80\0"], "encryption": [der.tlv(0xA2, b"\x81\1\0")]}
    if pop not in proofs:
        alg, signature = _signature(key if pop == "signature" else pop, cert_req, hashes.SHA256)
        proofs[pop] = [der.tlv(0xA1, alg, der.bits(signature))]
    return der.tlv(0xA1, cert_req, *proofs[pop], *([der.seq(*reg_info)] if reg_info else []))


def orm(number):
    return der.tlv(0xA2, der.integer(number), der.oid("1.2.3.4"), der.octets(b"x"))


def pki_data(controls=(), requests=(), messages=(), others=()):
    return der.seq(der.seq(*controls), der.seq(*requests), der.seq(*messages), der.seq(*others))


def name_der(name):
    return name.public_bytes()


def get_cert(issuer, serial):
    return der.seq(der.tlv(0xA4, name_der(issuer)), der.integer(serial))


def revoke(issuer, serial, reason=1, *more):
    return der.seq(name_der(issuer), der.integer(serial), der.tlv(0x0A, bytes([reason])), *more)


def witness(secret, message, identification="", digest="sha256"):
    key = hashlib.new(digest, (secret + identification).encode()).digest()
    return hmac.new(key, message, digest).digest()


def witness_v2(*args, **options):
    return der.seq(SHA256, HMAC_SHA256, der.octets(witness(*args, **options)))


# ---- in SignedData ----


def key_id(key):
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest


def issuer_and_serial(cert):
    return der.seq(name_der(cert.issuer), der.integer(cert.serial_number))


def _attribute(kind, value):
    return der.seq(der.oid(kind), der.set_of(value))


def _signature(key, message, digest):
    if isinstance(key, rsa.RSAPrivateKey):
        return der.seq(der.oid("1.2.840.113549.1.1.1"), der.NULL), key.sign(message, padding.PKCS1v15(), digest())
    oid = {hashes.SHA256: "1.2.840.10045.4.3.2", hashes.SHA1: "1.2.840.10045.4.1"}[digest]
    return der.seq(der.oid(oid)), key.sign(message, ec.ECDSA(digest()))


def certificate_der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


def signed(content, key=None, cert=None, certs=None, sid=None, digest=hashes.SHA256, kind=PKI_DATA):
    """By the key itself, named by its identifier, or by that of cert, which goes along. key None: by nobody."""
    alg = der.seq(der.oid({hashes.SHA256: "2.16.840.1.101.3.4.2.1", hashes.SHA1: "1.3.14.3.2.26"}[digest]))
    certs = [cert] if certs is None and cert else certs or []
    infos, algs = [], []
    if key:
        hashed = hashes.Hash(digest())
        hashed.update(content)
        attrs = [
            _attribute("1.2.840.113549.1.9.3", der.oid(kind)),
            _attribute("1.2.840.113549.1.9.4", der.octets(hashed.finalize())),
        ]
        to_sign = der.set_of(*attrs)
        sig_alg, signature = _signature(key, to_sign, digest)
        sid = sid or (issuer_and_serial(cert) if cert else der.tlv(0x80, key_id(key)))
        attrs = b"\xa0" + to_sign[1:]
        infos.append(der.seq(der.integer(1 if cert else 3), sid, alg, attrs, sig_alg, der.octets(signature)))
        algs.append(alg)
    parts = [der.integer(3), der.set_of(*algs), der.seq(der.oid(kind), der.tlv(0xA0, der.octets(content)))]
    if certs:
        parts.append(der.tlv(0xA0, *map(certificate_der, certs)))
    return der.seq(der.oid("1.2.840.113549.1.7.2"), der.tlv(0xA0, der.seq(*parts, der.set_of(*infos))))


# ---- the answer ----


class TaggedAttribute(core.Sequence):
    _fields = [("id", core.Integer), ("type", core.ObjectIdentifier), ("values", core.SetOf, {"spec": core.Any})]


class TaggedAttributes(core.SequenceOf):
    _child_spec = TaggedAttribute


class PkiResponse(core.Sequence):
    _fields = [("controls", TaggedAttributes), ("messages", core.SequenceOf, {"spec": core.Any})]
    _fields += [("others", core.SequenceOf, {"spec": core.Any})]


class BodyParts(core.SequenceOf):
    _child_spec = core.Integer


class PendInfo(core.Sequence):
    _fields = [("token", core.OctetString), ("time", core.GeneralizedTime)]


class OtherInfo(core.Choice):
    _alternatives = [("fail_info", core.Integer), ("pend_info", PendInfo)]


class StatusInfo(core.Sequence):
    _fields = [("status", core.Integer), ("bodies", BodyParts), ("text", core.UTF8String, {"optional": True})]
    _fields += [("other", OtherInfo, {"optional": True})]


class Answer:
    """What an EST server answers to fullcmc. Full ones are verified by openssl with the CA's certificate."""

    def __init__(self, answer, ca=None, directory=None):
        self.http, self.headers, self.body = answer
        self.type = self.headers["Content-Type"]
        assert self.type.startswith("application/pkcs7-mime; smime-type="), (self.http, self.type, self.body)
        self.full = self.type.endswith("CMC-response")
        self.der = base64.b64decode(self.body)
        self.cms = cms.ContentInfo.load(self.der, strict=True)["content"]
        self.certs = [x509.load_der_x509_certificate(c.chosen.dump()) for c in self.cms["certificates"] or []]
        self.crls = [c.chosen for c in self.cms["crls"] or []]
        if not self.full:
            assert self.type.endswith("certs-only") and self.http == 200
            assert len(self.cms["signer_infos"]) == 0 and self.cms["encap_content_info"]["content"].native is None
            return
        content = self._verified(ca, directory)
        self.controls = {a["type"].native: a["values"] for a in PkiResponse.load(content, strict=True)["controls"]}

    def _verified(self, ca, directory):
        (directory / "answer").write_bytes(self.der)
        run = subprocess.run(
            ["openssl", "cms", "-verify", "-inform", "DER", "-in", directory / "answer", "-CAfile", ca]
            + ["-binary", "-purpose", "any", "-out", directory / "content"],
            capture_output=True,
        )
        assert run.returncode == 0, run.stderr
        assert self.cms["encap_content_info"]["content_type"].dotted == PKI_RESPONSE
        return (directory / "content").read_bytes()

    def value(self, name):
        values = self.controls.get(control_oid(name))
        return None if values is None else values[0].native

    @property
    def info(self):
        return StatusInfo.load(self.controls[control_oid("status_info_v2")][0].dump(), strict=True)

    @property
    def status(self):
        return STATUS[self.info["status"].native]

    @property
    def bodies(self):
        return self.info["bodies"].native

    @property
    def text(self):
        return self.info["text"].native

    @property
    def fail_info(self):
        other = self.info["other"]
        return FAIL_INFO[other.native] if other.name == "fail_info" else None

    @property
    def pend_info(self):
        other = self.info["other"]
        return other.chosen if other.name == "pend_info" else None

    def certificate_for(self, key):
        """The one that was issued: for that key."""
        (found,) = [c for c in self.certs if c.public_key().public_numbers() == key.public_key().public_numbers()]
        return found
