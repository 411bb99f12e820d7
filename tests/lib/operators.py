# SPDX-License-Identifier: Apache-2.0
"""Operators of the admin API over HTTPS: their certificates, and a client that is none of ours."""

import base64
import contextlib
import datetime
import http.client
import ipaddress
import json
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import strict
from daemon import PATIENCE, AdminError, Daemon, free_port

DAY = datetime.timedelta(days=1)


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """A CA of its own in a folder: DIR/NAME.pem, and NAME.key beside what it signs."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self._sign(name, self.key.public_key(), ca=True)
        self.path = directory / f"{name}.pem"
        self.path.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    def _sign(self, common_name, public_key, ca=False, start=-1, days=2, server=False):
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(_name(self.name))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + start * DAY)
            .not_valid_after(now + days * DAY)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        if server:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = strict.complete(builder, public_key, self.key, ca)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, common_name, file=None, **options):
        """Paths of certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._sign(common_name, key.public_key(), **options)
        stem = f"{self.name}-{file or common_name}"
        cert_path, key_path = self.directory / f"{stem}.pem", self.directory / f"{stem}.key"
        cert_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        key_path.chmod(0o600)
        return cert_path, key_path


def fingerprint(path):
    return x509.load_pem_x509_certificate(path.read_bytes()).fingerprint(hashes.SHA256()).hex()


class Remote:
    """The admin API over HTTPS, by Python's own client."""

    def __init__(self, port, ca, cert=None, password=None):
        self.port, self.password = port, password
        self.context = ssl.create_default_context(cafile=ca)
        if cert:
            self.context.load_cert_chain(*cert)

    def raw(self, method, path, body=None, headers=None):
        """status, headers, body"""
        headers = dict(headers or {})
        if self.password:
            token = base64.b64encode(":".join(self.password).encode()).decode()
            headers["Authorization"] = "Basic " + token
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        connection = http.client.HTTPSConnection(
            "localhost", self.port, timeout=PATIENCE, context=self.context
        )
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def call(self, method, path, body=None):
        status, _, raw = self.raw(method, "/v1" + path, body)
        value = json.loads(raw)
        if status >= 400:
            raise AdminError(status, value)
        return value

    def status(self, method, path, body=None):
        return self.raw(method, "/v1" + path, body)[0]


def https_daemon(directory, operators, tls=None, admin=("secure",), **options):
    """A daemon, not started, with a listener `secure` for the admin API: (daemon, port, server CA)."""
    server_ca = Authority(directory, "server-ca")
    certificate, key = server_ca.issue("localhost", server=True)
    daemon = Daemon(directory / "daemon", operators=operators, **options)
    port = free_port()
    daemon.config["http"]["listeners"].append(
        {
            "name": "secure",
            "address": "127.0.0.1",
            "port": port,
            "tls": {"certificate": str(certificate), "key": str(key), **(tls or {})},
        }
    )
    daemon.config["admin"]["listeners"] = list(admin)
    daemon.write_config()
    return daemon, port, server_ca
