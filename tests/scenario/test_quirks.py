# SPDX-License-Identifier: Apache-2.0
"""Devices of a make, imitated with all their habits, at an endpoint with the quirks of that make."""

import dataclasses
import datetime
import socket
import urllib.parse

import pytest
from cryptography import x509

import der
import scep_peer
import scep_reply
from daemon import Daemon, endpoint, listed, profile, scepter
from scep_peer import Request

NONCE = scep_peer.SENDER_NONCE
MS_NAME_VALUE = scep_peer.MS_NAME_VALUE_PAIR


def validity(period, units):
    """As in Microsoft's enrolment attributes: two pairs, an attribute each."""

    def pair(name, value):
        both = der.seq(scep_peer.string("bmp", name), scep_peer.string("bmp", value))
        return scep_peer.attribute(MS_NAME_VALUE, both)

    return [pair("ValidityPeriod", period), pair("ValidityPeriodUnits", units)]


@dataclasses.dataclass
class Device:
    """What it appends to the URL, how it names the CA, how it sends, and what is in the message."""

    suffix: str = ""
    identifier: str = ""
    send: str = "post"
    knobs: dict = dataclasses.field(default_factory=dict)
    endpoint: dict = dataclasses.field(default_factory=dict)  # settings beside quirks
    with_ca: bool = False
    days: int = 90


CRITICAL_AKI = (x509.AuthorityKeyIdentifier(b"\1" * 20, None, None), True)

DEVICES = {
    "android": Device(knobs={"csr_attributes": validity("20", "Days")}, days=20),
    "apple": Device(send="raw-plus-slash", knobs={"ber": True, "omit": {NONCE}}),
    "cisco-ios": Device(
        "/pkiclient.exe", "trustpoint", "http-1.0",
        {"digest": "md5", "cipher": "des", "csr_digest": "md5", "signer_subject": {"common_name": "asa"}},
        {"legacy": "md5-des"}, with_ca=True,
    ),
    "fortinet": Device("/", knobs={"digest": "sha1", "csr_digest": "sha1", "cipher": "3des"},
                       endpoint={"legacy": "sha1-3des"}),
    "juniper": Device("", "ca-ident", knobs={"transaction_id": "srx 1 (re-enrol)"}),
    "lancom": Device(endpoint={"approval": "manual"}),
    "mikrotik": Device(knobs={"omit": {NONCE}, "challenge_type": "utf8"}),
    "palo-alto": Device("", "CA-IDENT 1", "percent-encoded"),
    "windows": Device(
        "/pkiclient.exe", "default",
        knobs={"omit": {NONCE}, "signer_extensions": [CRITICAL_AKI], "transport": "oaep-sha1",
               "extension_attribute": scep_peer.MS_EXTENSION_REQUEST,
               "extensions": [scep_peer.san_extension(["pc7.example"])],
               "csr_attributes": validity("Days", "30")},
        days=30,
    ),
}  # fmt: skip


def endpoints():
    one_time = {"authorisation": {"one_time": True}}
    return [
        endpoint("demo"),
        *(endpoint(name, quirks=name, **one_time, **d.endpoint) for name, d in DEVICES.items()),
        endpoint("no-post", offer_post=False),
        endpoint("juniper-with-ca", quirks="juniper", include_ca=True),
        endpoint("windows-strict", quirks="windows", require_nonce=True, asked_validity=False),
    ]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    directory = tmp_path_factory.mktemp("quirks")
    daemon = Daemon(directory, profiles=[profile()], endpoints=endpoints()).start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


def http_1_0(daemon, target):
    """As IOS does: no Host, and nothing kept alive."""
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as s:
        agent = "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)"
        s.sendall(f"GET {target} HTTP/1.0\r\nUser-Agent: {agent}\r\n\r\n".encode())
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    head, body = answer.split(b"\r\n\r\n", 1)
    return int(head.split(b" ")[1]), body


def ask(daemon, name, device, operation, text=None):
    """A GET in the device's manner."""
    target = f"/scep/{name}{device.suffix}?operation={operation}"
    target += f"&message={text}" if text is not None else ""
    if device.send == "http-1.0":
        return http_1_0(daemon, target)
    status, _, body = daemon.http("GET", target)
    return status, body


def exchange(daemon, name, device, request, ca):
    message = request.build(ca)
    if device.send == "post":
        status, _, body = daemon.post(name, message, suffix=device.suffix)
    else:
        form = "newlines" if device.send == "http-1.0" else device.send
        status, body = ask(daemon, name, device, "PKIOperation", scep_peer.get_forms(message)[form])
    assert status == 200, body
    return scep_reply.open_reply(body, request, ca)


def approve(daemon, request):
    (row,) = listed(daemon.admin.call("GET", "/requests"))
    assert row["transaction"] == request.transaction_id.decode()
    daemon.admin.call("POST", f"/requests/{row['id']}/approve", {})


def lifetime(cert):
    """In days from now, as asked."""
    return round((cert.not_valid_after - datetime.datetime.utcnow()) / datetime.timedelta(days=1))


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_of_the_make(daemon, name):
    """Capabilities, certificates, the request, and for one that has to wait the poll."""
    device = DEVICES[name]
    identifier = urllib.parse.quote(device.identifier) if device.identifier else None
    status, caps = ask(daemon, name, device, "GetCACaps", identifier)
    assert status == 200 and b"AES" in caps
    status, certs = ask(daemon, name, device, "GetCACert", identifier)
    assert status == 200
    ca = scep_reply.authority("application/x-x509-ca-ra-cert", certs)
    request = Request(challenge=daemon.admin.challenge(), **device.knobs)
    reply = exchange(daemon, name, device, request, ca)
    if device.endpoint.get("approval"):
        assert reply.status == "PENDING"
        assert exchange(daemon, name, device, request.poll(ca), ca).status == "PENDING"
        approve(daemon, request)
        reply = exchange(daemon, name, device, request.poll(ca), ca)
    assert reply.status == "SUCCESS", reply.fail_text
    assert scep_peer.spki_of(reply.cert) == scep_peer.spki_of(request.key)
    assert reply.certs == ([reply.cert, ca.cert] if device.with_ca else [reply.cert])
    assert ("recipientNonce" in reply.attributes) == (NONCE not in request.omit)
    assert reply.digest == request.digest and reply.cipher == request.cipher
    assert lifetime(reply.cert) == device.days
    assert daemon.admin.explain(request.transaction_id.decode())["outcome"] == "issued"


def refused(daemon, name, request, says):
    reply = daemon.enrol(request, name)
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest"), reply.status
    assert says in reply.fail_text


@pytest.mark.parametrize("name", ["demo", "juniper", "windows-strict"])
def test_a_nonce_is_wanted_elsewhere(daemon, name):
    refused(daemon, name, Request(omit={NONCE}, challenge="x"), "senderNonce missing")


def test_a_validity_asked_for_is_a_wish(daemon):
    """Shorter than the profile's it is granted, longer not, elsewhere it is not looked at."""
    def days(name, *wish):
        challenge = daemon.admin.challenge()
        reply = daemon.enrol(Request(challenge=challenge, csr_attributes=validity(*wish)), name)
        assert reply.status == "SUCCESS", reply.fail_text
        return lifetime(reply.cert)

    assert days("windows", "Weeks", "2") == 14
    assert days("windows", "Years", "10") == 90
    assert days("windows-strict", "Days", "30") == 90
    assert days("demo", "Days", "30") == 90
    wish = Request(challenge=daemon.admin.challenge(), csr_attributes=validity("Days", "soon"))
    refused(daemon, "windows", wish, "are no length of time")


def test_a_setting_beside_the_make_counts(daemon):
    reply = daemon.enrol(Request(), "juniper-with-ca")
    assert reply.certs == [reply.cert, daemon.authority().cert]


def test_no_post(daemon, tmp_path):
    """Whoever believes GetCACaps sends GET then; POST is taken all the same."""
    caps = daemon.get("no-post", "GetCACaps")[2].decode().split()
    assert not {"POSTPKIOperation", "SCEPStandard"} & set(caps)
    assert {"POSTPKIOperation", "SCEPStandard"} <= set(daemon.get("demo", "GetCACaps")[2].decode().split())
    run = scepter(
        "enrol", "--url", daemon.url("no-post"), "--ca-fingerprint", daemon.authority().fingerprint,
        "--subject", "CN=gets", "--key", tmp_path / "key", "--cert", tmp_path / "cert",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    lines = [line for line in daemon.log_lines() if line.get("path", "").startswith("/scep/no-post")]
    assert lines and all(line["method"] == "GET" for line in lines), lines
    assert daemon.enrol(Request(), "no-post").status == "SUCCESS"
