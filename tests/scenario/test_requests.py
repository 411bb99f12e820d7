# SPDX-License-Identifier: Apache-2.0
"""Points 1 to 9 of the field's habits: whatever way a device asks, it gets its certificate."""

import os
import socket
import threading

import pytest
from cryptography import x509

import der
import scep_peer
import scep_reply
from scep_peer import Request


def issued(daemon, request, name="open", ca=None):
    reply = daemon.enrol(request, name, ca)
    assert reply.status == "SUCCESS", f"{reply.attributes}"
    assert scep_peer.spki_of(request.key) == scep_peer.spki_of(_Public(reply.cert))
    return reply


class _Public:
    """Lets spki_of take a certificate."""

    def __init__(self, cert):
        self.public_key = cert.public_key


FORMS = ["percent-encoded", "newlines", "crlf", "raw-plus-slash", "spaces-for-plus", "url-alphabet", "no-padding"]


@pytest.mark.parametrize("form", FORMS)
def test_point_01_get_in_every_base64_form(shared, form):
    ca = shared.authority("open")
    request = Request()
    message = request.build(ca)
    while "+" not in scep_peer.base64.b64encode(message).decode():
        message = request.build(ca)
    status, headers, body = shared.get("open", "PKIOperation", scep_peer.get_forms(message)[form])
    assert status == 200, body
    assert headers["Content-Type"] == "application/x-pki-message"
    assert scep_reply.open_reply(body, request, ca).status == "SUCCESS"


def test_point_01_get_that_is_no_base64_is_a_client_error(shared):
    status, _, _ = shared.get("open", "PKIOperation", "%21%21not*base64")
    assert 400 <= status < 500


@pytest.mark.parametrize(
    "identifier", ["CAIdentifier", "default", "trust-point", "0", "", "%C3%A4%20b/c", "x" * 500]
)
@pytest.mark.parametrize("operation", ["GetCACert", "GetCACaps"])
def test_point_02_any_ca_identifier(shared, operation, identifier):
    status, _, body = shared.get("demo", operation, identifier)
    assert status == 200
    assert body == shared.get("demo", operation)[2]


SUFFIXES = [
    "",
    "/",
    "/pkiclient.exe",
    "/cgi-bin/pkiclient.exe",
    "/certsrv/mscep/mscep.dll/pkiclient.exe",
    "/certsrv/mscep/mscep.dll",
]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_point_03_any_path_suffix(shared, suffix):
    request = Request()
    ca = shared.authority("open")
    assert shared.get("open", "GetCACaps", suffix=suffix)[0] == 200
    status, _, body = shared.post("open", request.build(ca), suffix=suffix)
    assert status == 200
    assert scep_reply.open_reply(body, request, ca).status == "SUCCESS"


def test_point_03_another_name_with_the_same_beginning_is_no_suffix(shared):
    assert shared.http("GET", "/scep/openly?operation=GetCACaps")[0] == 404


@pytest.mark.parametrize("operation", ["getcacaps", "GETCACAPS", "GetCaCaps"])
def test_point_03_operation_without_case(shared, operation):
    assert shared.get("open", operation)[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /scep/open/pkiclient.exe?operation=GetCACaps&message=tp HTTP/1.0\r\n\r\n",
        b"GET /scep/open?operation=GetCACaps HTTP/1.1\r\n\r\n",
        b"GET /scep/open?operation=GetCACaps HTTP/1.0\r\nHost: x\r\n\r\n",
    ],
    ids=["1.0 without Host", "1.1 without Host", "1.0"],
)
def test_point_03_http_1_0_and_no_host(shared, head):
    with socket.create_connection(("127.0.0.1", shared.port), 10) as s:
        s.sendall(head)
        answer = s.recv(4096)
    assert answer.split(b" ")[1] == b"200", answer


def test_point_03_post_without_host_is_refused(shared):
    with socket.create_connection(("127.0.0.1", shared.port), 10) as s:
        s.sendall(b"POST /scep/open?operation=PKIOperation HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
        assert s.recv(4096).split(b" ")[1] == b"400"


@pytest.mark.parametrize("content_type", [None, "application/octet-stream", "application/x-pki-message"])
def test_point_03_content_type_of_the_request_does_not_matter(shared, content_type):
    request = Request()
    ca = shared.authority("open")
    status, _, body = shared.post("open", request.build(ca), content_type=content_type)
    assert status == 200
    assert scep_reply.open_reply(body, request, ca).status == "SUCCESS"


def test_point_04_ber_with_indefinite_lengths(shared):
    issued(shared, Request(ber=True))


def test_point_04_ber_in_a_get(shared):
    ca = shared.authority("open")
    request = Request(ber=True)
    form = scep_peer.get_forms(request.build(ca))["percent-encoded"]
    _, _, body = shared.get("open", "PKIOperation", form)
    assert scep_reply.open_reply(body, request, ca).status == "SUCCESS"


@pytest.mark.parametrize("days", [(-900, -300), (300, 900)], ids=["expired", "in the future"])
def test_point_05_signer_certificate_with_a_wrong_clock(shared, days):
    issued(shared, Request(signer_days=days))


def test_point_05_signer_certificate_with_odd_extensions(shared):
    extensions = [
        (x509.AuthorityKeyIdentifier(b"\1" * 20, None, None), True),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), True),
    ]
    issued(shared, Request(signer_extensions=extensions))


def test_point_06_signer_subject_differs_from_the_csr(shared):
    issued(shared, Request(signer_subject={"common_name": "asa.example"}))


def test_point_06_signer_with_another_key_is_refused(shared):
    reply = shared.enrol(
        Request(key=scep_peer.rsa_key(0), signer_key=scep_peer.rsa_key(1)), "open"
    )
    assert reply.status == "FAILURE"
    assert reply.fail_info in ("badRequest", "badMessageCheck")


@pytest.mark.parametrize("as_sent", [False, True], ids=["signed in DER order", "signed as sent"])
def test_point_07_unsorted_signed_attributes(shared, as_sent):
    issued(shared, Request(reverse_attributes=True, sign_as_sent=as_sent))


@pytest.mark.parametrize("rsa_encryption", [True, False])
def test_point_07_signature_algorithm_identifiers(shared, rsa_encryption):
    reply = issued(shared, Request(rsa_encryption=rsa_encryption))
    assert reply.signature_algorithm == "1.2.840.113549.1.1.1"


def test_point_08_pkcs1_is_mirrored(shared):
    reply = issued(shared, Request(transport="pkcs1"))
    assert reply.transport["algorithm"].native == "rsaes_pkcs1v15"


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_point_08_oaep_is_mirrored(shared, digest):
    # SHA-1 inside OAEP is no signature: it is not below the floor.
    reply = issued(shared, Request(transport=f"oaep-{digest}"))
    assert reply.transport["algorithm"].native == "rsaes_oaep"
    parameters = reply.transport["parameters"]
    assert parameters["hash_algorithm"]["algorithm"].native == digest


@pytest.mark.parametrize("recipient", ["issuer", "ski", "reversed", "ca"])
@pytest.mark.parametrize("name", ["open", "split"])
def test_point_09_recipient_identifiers(shared, name, recipient):
    issued(shared, Request(recipient=recipient), name)


def test_point_09_recipient_identifier_by_name_and_ski_without_ra(shared):
    for recipient in ("issuer", "ski", "reversed"):
        issued(shared, Request(recipient=recipient), "lone")


def test_point_09_encrypted_for_a_stranger(shared):
    stranger = scep_peer.rsa_key(7)
    ca = shared.authority("open")
    request = Request(key=stranger)
    own = request.signer_certificate()
    wrong = scep_reply.Authority(ca.cert, own, ca.sign_cert)
    reply = shared.enrol(request, "open", wrong)
    assert reply.status == "FAILURE"
    assert reply.fail_info in ("badMessageCheck", "badRequest", "badCertId")


def test_many_devices_at_once(shared):
    """Sixteen devices at the same time get sixteen certificates."""
    ca = shared.authority("open")
    serials, failures = [], []

    def device(index):
        try:
            request = Request(key=scep_peer.rsa_key(index % 4), subject={"common_name": f"d{index}"})
            serials.append(issued(shared, request, ca=ca).cert.serial_number)
        except Exception as e:  # noqa: BLE001: reported below
            failures.append(e)

    threads = [threading.Thread(target=device, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    assert len(set(serials)) == 16


def test_payload_that_is_no_csr(shared):
    for payload in (b"", b"\x30\x00", os.urandom(64), der.seq(der.integer(1))):
        reply = shared.enrol(Request(payload=payload), "open")
        assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
