# SPDX-License-Identifier: Apache-2.0
"""Syslog collectors for tests, and a strict reader of RFC 5424 messages."""

import contextlib
import datetime
import ipaddress
import re
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from daemon import free_port

HEADER = re.compile(
    rb"<(0|[1-9]\d{0,2})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) ([!-~]{1,255})"
    rb" ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) "
)
SD_NAME = rb"[!#-<>-\\^-~]{1,32}"
PARAM = re.compile(rb" (" + SD_NAME + rb')="((?:[^"\\\]]|\\["\\\]])*)"')


class Message:
    def __init__(self, raw):
        self.raw = raw
        head = HEADER.match(raw)
        assert head, raw
        assert int(head[1]) <= 191, raw
        self.facility, self.severity = divmod(int(head[1]), 8)
        self.time, self.host, self.app, self.pid, self.id = (g.decode() for g in head.groups()[1:])
        rest = raw[head.end() :]
        element = re.match(rb"\[(" + SD_NAME + rb")((?:" + PARAM.pattern + rb")*)\]", rest)
        assert element, raw
        assert element[1] == b"scepter@32473", raw
        self.data = {}
        for name, value in PARAM.findall(element[2]):
            assert name not in self.data, raw
            self.data[name.decode()] = re.sub(rb"\\(.)", rb"\1", value).decode()
        rest = rest[element.end() :]
        assert rest.startswith(b" \xef\xbb\xbf"), raw
        self.text = rest[4:].decode()


class Collector:
    """Keeps what it gets. mode: read, or deaf (reads nothing). most: connections, then it refuses."""

    def __init__(self, transport, context=None, port=0, mode="read", most=None):
        self.messages, self.errors = [], []
        self.context, self.mode, self.most, self.stopping = context, mode, most, False
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if mode == "deaf":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = port or free_port()  # nobody else's after its end, so that another may take its place
        self.socket.bind(("127.0.0.1", self.port))
        self.connections = []
        run = self.datagrams if transport == "udp" else self.streams
        if transport != "udp":
            self.socket.listen()
        threading.Thread(target=run, daemon=True).start()

    def datagrams(self):
        while not self.stopping:
            try:
                self.messages.append(Message(self.socket.recv(65536)))
            except OSError:
                return
            except AssertionError as e:
                self.errors.append(e)

    def streams(self):
        while not self.stopping:
            try:
                connection, _ = self.socket.accept()
                self.connections.append(connection)
            except OSError:
                return
            if self.mode == "read":
                threading.Thread(target=self.stream, args=(connection,), daemon=True).start()
            if len(self.connections) == self.most:
                self.socket.close()

    def stream(self, connection):
        """RFC 5425 4.3, which is RFC 6587 3.4.1: MSG-LEN SP SYSLOG-MSG."""
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            f = connection.makefile("rb")
            while True:
                digits = b""
                while (c := f.read(1)).isdigit():
                    digits += c
                if not c:
                    assert not digits
                    return
                assert c == b" " and digits and not digits.startswith(b"0"), (digits, c)
                self.messages.append(Message(f.read(int(digits))))
        except OSError as e:
            self.errors.append(e)
        except AssertionError as e:
            self.errors.append(e)

    def close(self):
        """Also what other threads wait on: closing alone would leave it open for them."""
        self.stopping = True
        for s in (self.socket, *self.connections):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def ids(self):
        return [m.id for m in self.messages]


def certificate(directory, address="127.0.0.1"):
    """A self-signed server certificate: its path, and a context that has it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
    now = datetime.datetime.utcnow()
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path, key_path = directory / "collector.pem", directory / "collector.key"
    path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    return path, context
