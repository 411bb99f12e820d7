# SPDX-License-Identifier: Apache-2.0
"""EST as devices speak it, by Python's own TLS and HTTP. Independent of Scepter's code.

    est = Est(daemon.tls_port, authority.path)
    status, headers, body = est.call("POST", "simpleenroll", request(key).body, basic("", challenge))
    certificate(body)
"""

import base64
import contextlib
import datetime
import http.client
import ipaddress
import os
import re
import ssl
import subprocess

from asn1crypto import csr as asn1_csr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import (
    AttributeOID,
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
)

import der
import strict

ROOT = "/.well-known/est"
PKCS10 = "application/pkcs10"
PATIENCE = float(os.environ.get("SCEPTER_PATIENCE", "30"))


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def write_private(path, *parts):
    path.write_bytes(b"".join(parts))
    path.chmod(0o600)
    return path


class Authority:
    """A CA of somebody else: a maker of devices, or whoever issues TLS certificates."""

    def __init__(self, directory, cn):
        self.directory, self.name = directory, name(cn)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self._sign(self.name, self.key.public_key(), ca=True)
        self.path = directory / f"{cn.replace(' ', '-')}.pem"
        self.path.write_bytes(pem(self.cert))

    def _sign(self, subject, public_key, ca=False, sans=(), purposes=(), days=30, age=1, ocsp_url=None):
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=age))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
        if purposes:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if ocsp_url:
            place = x509.UniformResourceIdentifier(ocsp_url)
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        builder = strict.complete(builder, public_key, self.key, ca)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, cn, **options):
        """(path of certificate and key)"""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._sign(name(cn), key.public_key(), **options)
        return write_private(self.directory / f"{cn}.pem", pem(cert), private_pem(key))

    def server(self, **options):
        """(certificate, key) of a server on this machine"""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._sign(
            name("localhost"),
            key.public_key(),
            sans=[x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))],
            purposes=[ExtendedKeyUsageOID.SERVER_AUTH],
            **options,
        )
        (self.directory / "server.pem").write_bytes(pem(cert))
        write_private(self.directory / "server.key", private_pem(key))
        return self.directory / "server.pem", self.directory / "server.key"


class Request:
    """A PKCS#10 request and its key."""

    def __init__(self, cn="sensor-1", key=None, sans=(), ips=(), challenge=None, digest=hashes.SHA256):
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        builder = x509.CertificateSigningRequestBuilder().subject_name(name(cn))
        names = [x509.DNSName(s) for s in sans]
        names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ips]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if challenge is not None:
            builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge)
        self.csr = builder.sign(self.key, hashes.SHA256())
        if digest is not hashes.SHA256:
            self.csr = self.sign_again(digest)
        self.der = self.csr.public_bytes(serialization.Encoding.DER)
        self.body = base64.encodebytes(self.der)

    def sign_again(self, digest):
        """With a digest that newer versions of cryptography sign no requests with."""
        oids = {hashes.SHA1: "1.2.840.10045.4.1", hashes.SHA384: "1.2.840.10045.4.3.3"}
        signature = self.key.sign(self.csr.tbs_certrequest_bytes, ec.ECDSA(digest()))
        return x509.load_der_x509_csr(
            der.seq(self.csr.tbs_certrequest_bytes, der.seq(der.oid(oids[digest])), der.bits(signature))
        )


def request_with(key, attributes, cn="sensor-1", right=True):
    """DER of a request with attributes that the library does not make: OID -> DER of its one value."""
    plain = asn1_csr.CertificationRequest.load(Request(cn, key=key).der)
    info = plain["certification_request_info"]
    values = b"".join(
        der.seq(der.oid(oid), der.tlv(0x31, value)) for oid, value in attributes.items()
    )
    tbs = der.seq(
        info["version"].dump(),
        info["subject"].dump(),
        info["subject_pk_info"].dump(),
        der.tlv(0xA0, values),
    )
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    if not right:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return der.seq(tbs, plain["signature_algorithm"].dump(), der.bits(signature))


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def certificates(body):
    return pkcs7.load_der_pkcs7_certificates(base64.b64decode(body))


def certificate(body):
    certs = certificates(body)
    assert len(certs) == 1, "RFC 7030 4.2.3: only the certificate that was issued"
    return certs[0]


class Est:
    def __init__(self, port, ca, label="", client=None, version=None):
        self.port, self.path = port, ROOT + (f"/{label}" if label else "")
        self.context = ssl.create_default_context(cafile=str(ca))
        if client:
            self.context.load_cert_chain(client)
        if version:
            self.context.minimum_version = self.context.maximum_version = version

    def connection(self):
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=PATIENCE, context=self.context
        )

    def ask(self, connection, method, operation, body=None, headers=None):
        fields = {"Content-Type": PKCS10, "Content-Transfer-Encoding": "base64"} if body else {}
        fields.update(headers or {})
        connection.request(method, f"{self.path}/{operation}", body, fields)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def call(self, method, operation, body=None, headers=None):
        """status, headers, body, on a connection of its own"""
        with contextlib.closing(self.connection()) as connection:
            return self.ask(connection, method, operation, body, headers)

    def enrol(self, request, headers=None, operation="simpleenroll"):
        status, _, body = self.call("POST", operation, request.body, headers)
        assert status == 200, f"{status}: {body}"
        return certificate(body)


class Exporter:
    """A TLS 1.3 connection by openssl s_client, which tells what is exported before it is used."""

    def __init__(self, port, ca, *options):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(ca)]
            + ["-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"]
            + ["-ign_eof", "-verify_return_error", *map(str, options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.binding = self._read_binding()

    def _read_binding(self):
        self.said = b""
        for line in self.process.stdout:
            self.said += line
            found = re.search(rb"Keying material: ([0-9A-F]{64})", line)
            if found:
                return bytes.fromhex(found[1].decode())
        raise AssertionError(self.said.decode(errors="replace"))

    def post(self, path, body):
        """(status, body) of the one request that this connection is good for"""
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Content-Type: {PKCS10}\r\nContent-Length: {len(body)}\r\n\r\n"
        said, _ = self.process.communicate(head.encode() + body, timeout=PATIENCE)
        found = re.search(rb"HTTP/1\.1 (\d+) .*?\r\nContent-Length: (\d+)\r\n.*?\r\n\r\n", said, re.DOTALL)
        assert found, said.decode(errors="replace")
        return int(found[1]), said[found.end() : found.end() + int(found[2])]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
