# SPDX-License-Identifier: Apache-2.0
"""Full PKI Requests (RFC 5272) that the server refuses, and what our decoder shows of them."""

import json

import pytest
from cryptography.hazmat.primitives import hashes

import cmc_peer
import der
from cmc_peer import control, pki_data, signed, tcr
from daemon import scepter
from est_peer import Request
from test_est import refusal
from test_full_cmc import ask, est, nonce, refused, send  # noqa: F401


# ---- what is refused ----


def test_where_it_is_off_there_is_none(est):
    request = Request()
    answer = send(est, signed(pki_data(requests=[tcr(1, request.der)]), request.key), "off")
    refusal(answer, 404, "RFC 7030 4.3")


def not_cms():
    return der.seq(der.integer(1))


@pytest.mark.parametrize(
    "message, word",
    [
        (lambda: Request().der, "SignedData"),
        (not_cms, "SignedData"),
        (lambda: signed(b"\x04\x00", Request().key), "PKIData"),
        (lambda: signed(pki_data(), Request().key, kind="1.2.840.113549.1.7.1"), "id-cct-PKIData"),
        (lambda: signed(pki_data([control(1, "sender_nonce", der.octets(b"a")), control(2, "sender_nonce", der.octets(b"b"))])), "two controls"),
        (lambda: signed(pki_data([control(1, "sender_nonce", der.octets(b"a"))], [tcr(1, Request().der)])), "twice"),
        (lambda: signed(pki_data([control(0, "sender_nonce", der.octets(b"a"))])), "3.2.2"),
        (lambda: signed(pki_data([control(i + 1, f"1.2.3.{i}", der.NULL) for i in range(40)])), "more than 32"),
    ],
)
def test_what_is_no_full_request_is_answered_in_text(est, message, word):
    """RFC 7030 4.3.1: rejected. There is no CMC to answer, and nothing is signed for it."""
    answer = send(est, message(), "open")
    assert answer[0] in (400, 413)
    refusal(answer, answer[0], word)


def test_other_content_types_are_refused(est):
    refusal(est.est("open").call("POST", "fullcmc", Request().body), 415, "application/pkcs7-mime")


def two_requests():
    one, two = Request("one"), Request("two")
    return signed(pki_data([nonce()], [tcr(11, one.der), tcr(12, two.der)]), one.key)


def unknown_controls(*names):
    request = Request()
    controls = [control(i + 1, name, der.NULL) for i, name in enumerate(names)]
    return signed(pki_data(controls, [tcr(9, request.der)]), request.key)


def flipped():
    request = Request()
    message = bytearray(signed(pki_data([nonce()], [tcr(9, request.der)]), request.key))
    message[-1] ^= 1
    return bytes(message)


def of_another_key():
    request = Request()
    return signed(pki_data([nonce()], [tcr(9, request.der)]), Request().key)


def borrowed_key_id():
    request, other = Request(), Request()
    sid = der.tlv(0x80, cmc_peer.key_id(request.key))
    return signed(pki_data([nonce()], [tcr(9, request.der)]), other.key, sid=sid)


def broken_possession():
    request = Request()
    csr = bytearray(request.der)
    csr[-1] ^= 1
    return signed(pki_data([nonce()], [tcr(9, bytes(csr))]), request.key)


@pytest.mark.parametrize(
    "message, fail_info, words, bodies",
    [
        (two_requests, "badRequest", ["2 things"], [11, 12]),
        (lambda: signed(pki_data([nonce()]), Request().key), "badRequest", ["nothing"], [0]),
        (lambda: unknown_controls("1.2.3.4", "batch_requests"), "badRequest", ["1.2.3.4"], [1, 2]),
        (lambda: unknown_controls("add_extensions"), "badRequest", ["id-cmc-addExtensions"], [1]),
        (lambda: unknown_controls("lra_pop_witness"), "popFailed", ["id-cmc-lraPOPWitness"], [1]),
        (flipped, "badMessageCheck", ["RFC 5652 5.6"], [9]),
        (of_another_key, "badMessageCheck", ["subjectKeyIdentifier"], [9]),
        (borrowed_key_id, "badMessageCheck", ["RFC 5652 5.6"], [9]),
        (broken_possession, "popFailed", ["CSR signature"], [9]),
        (lambda: signed(pki_data([nonce()], [tcr(9, der.seq(der.integer(1)))]), Request().key), "badRequest", ["PKCS#10", "CertificationRequest"], [9]),
        (lambda: signed(pki_data([nonce()], [tcr(9, Request().der)])), "badMessageCheck", ["no signature"], [9]),
    ],
)
def test_refusals_are_signed_and_say_what_disagreed(est, message, fail_info, words, bodies):
    before = len(est.events("enrol.rejected"))
    answer = ask(est, message(), "open")
    assert answer.http == 400 and (answer.status, answer.fail_info) == ("failed", fail_info), answer.text
    assert any(word in answer.text for word in words), answer.text
    assert answer.bodies == bodies
    assert len(est.events("enrol.rejected")) == before + 1


def test_sha1_is_refused_but_where_it_is_allowed(est):
    request = Request()
    message = signed(pki_data([nonce()], [tcr(9, request.der)]), request.key, digest=hashes.SHA1)
    refused(ask(est, message, "open"), 400, "badAlg", "SHA-1")
    assert ask(est, message, "old").status == "success"


def test_other_kinds_of_request_have_no_support(est):
    answer = ask(est, signed(pki_data([nonce()], [cmc_peer.orm(4)]), Request().key), "open")
    assert (answer.http, answer.status, answer.bodies) == (400, "noSupport", [4])


# ---- our decoder ----


def shown(directory, message):
    (directory / "message").write_bytes(message)
    run = scepter("decode", "--json", directory / "message")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_our_decoder_shows_what_is_in_a_message(est, tmp_path):
    request = Request("shown")
    revoke = cmc_peer.revoke(est.ca.subject, 4711, 4, der.tlv(0x0C, b"the river"))
    controls = [nonce(), control(5, "revoke_request", revoke), control(6, "1.2.3.4", der.tlv(0x0C, b"x"))]
    requests = [tcr(9, request.der), cmc_peer.crm(10, request.key, "shown"), cmc_peer.orm(11)]
    message = signed(pki_data(controls, requests), request.key)
    tree = shown(tmp_path, der.ber_signed(message, size=50))
    assert tree["type"] == "CMC Full PKI Request"
    content = tree["content"]
    assert content["controls"][0]["type"] == "id-cmc-senderNonce"
    assert content["controls"][1]["reason"] == "superseded" and content["controls"][1]["comment"] == "the river"
    assert "1.2.3.4" in content["controls"][2]["type"]
    for shown_request in content["requests"][:2]:
        assert shown_request["subject"] == "CN=shown"
        assert shown_request["proofOfPossession"] == "the signature verifies"
        assert shown_request["signatureOfTheMessage"] == "verifies with this key"
    assert content["requests"][2]["error"]
    answer = ask(est, message, "open")
    tree = shown(tmp_path, answer.der)
    assert tree["type"] == "CMC Full PKI Response"
    assert tree["content"]["failInfo"] == "badRequest (2)" and "1.2.3.4" in tree["content"]["statusString"]
    assert tree["content"]["bodyList"] == [{"bodyPartID": 6}]
    assert "verifies" in tree["signer"]["signature"]
