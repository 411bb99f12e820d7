# SPDX-License-Identifier: Apache-2.0
"""What may stand in an EST request: passwords and links as attributes of their own (RFC 7894), old digests."""

import base64

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

import est_peer
from conftest import endpoint, profile
from daemon import check_config, static_hash
from est_peer import Request, basic
from test_est import PROFILES, TLS12, est_endpoint, make_est, refusal

OTP_CHALLENGE = "1.2.840.113549.1.9.16.2.56"
IDENTITY_LINKING = "1.2.840.113549.1.9.16.2.58"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"
STATIC = "an-old-habit"


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    ways = {"authorisation": {"one_time": True, "static": [static_hash(STATIC)]}}
    daemon = make_est(
        tmp_path_factory.mktemp("est-requests"),
        profiles=PROFILES,
        endpoints=[
            endpoint("demo"),
            est_endpoint(**ways),
            est_endpoint("linked", est={"channel_binding": "required"}, **ways),
            est_endpoint("old", legacy="sha1-3des"),
            est_endpoint("new"),
        ],
    )
    yield daemon
    daemon.stop()


def text(value, kind=core.UTF8String):
    return kind(value).dump()


def send(est, attributes, label="", connection=None, headers=None):
    body = base64.encodebytes(est_peer.request_with(ec.generate_private_key(ec.SECP256R1()), attributes))
    peer = est.est(label, version=TLS12)
    if connection:
        return peer.ask(connection, "POST", "simpleenroll", body)
    return peer.call("POST", "simpleenroll", body, headers)


# ---- RFC 7894 ----


@pytest.mark.parametrize("kind", [core.UTF8String, core.PrintableString])
def test_otp_challenge_is_a_password_once(est, kind):
    challenge = est.admin.challenge(endpoint="est")
    body = base64.encodebytes(
        est_peer.request_with(ec.generate_private_key(ec.SECP256R1()), {OTP_CHALLENGE: text(challenge, kind)})
    )
    first = est.est().call("POST", "simpleenroll", body)
    assert first[0] == 200, first[2]
    assert est.est().call("POST", "simpleenroll", body)[2] == first[2]
    answer = send(est, {OTP_CHALLENGE: text(challenge, kind)})
    refusal(answer, 401, "used already")
    assert challenge not in est.ctl("audit", "export", "-").stdout


def test_otp_challenge_that_is_wrong(est):
    refusal(send(est, {OTP_CHALLENGE: text("guessed")}), 401, "challenge")
    refusal(send(est, {OTP_CHALLENGE: core.Integer(7).dump()}), 400, "otpChallenge")
    refusal(send(est, {OTP_CHALLENGE: text("a") + text("b")}), 400, "otpChallenge")
    assert send(est, {OTP_CHALLENGE: text(STATIC)})[0] == 200


def test_otp_challenge_comes_before_challenge_password(est):
    """RFC 7894 3.1: an attribute of its own, so that challengePassword is free for the link."""
    assert send(est, {CHALLENGE_PASSWORD: text("no password"), OTP_CHALLENGE: text(STATIC)})[0] == 200
    refusal(send(est, {CHALLENGE_PASSWORD: text(STATIC), OTP_CHALLENGE: text("guessed")}), 401)
    # and behind HTTP's own
    assert send(est, {OTP_CHALLENGE: text("guessed")}, headers=basic("", STATIC))[0] == 200


@pytest.mark.parametrize("link", [IDENTITY_LINKING, CHALLENGE_PASSWORD])
def test_a_password_and_a_link_in_one_request(est, link):
    def ask(binding, password):
        peer = est.est("linked", version=TLS12)
        connection = peer.connection()
        connection.connect()
        own = base64.b64encode(connection.sock.get_channel_binding("tls-unique")).decode()
        attributes = {OTP_CHALLENGE: text(password)}
        if binding is not None:
            attributes[link] = text(binding or own)
        answer = send(est, attributes, "linked", connection)
        connection.close()
        return answer

    assert ask("", STATIC)[0] == 200
    refusal(ask("", "guessed"), 401, "challenge")
    refusal(ask(base64.b64encode(bytes(12)).decode(), STATIC), 400, "RFC 7030 3.5", "another TLS connection")
    refusal(ask(None, STATIC), 400, "RFC 7030 3.5")


# ---- digests ----


def test_sha1_is_refused_unless_the_endpoint_takes_it(est):
    answer = est.est("new").call("POST", "simpleenroll", Request(digest=hashes.SHA1).body)
    refusal(answer, 400, "RFC 7030 4.2.1", "SHA-1", '"est-new" takes SHA-256 or better')
    assert "SHA-1" in est.events("enrol.rejected")[-1]["reason"]
    cert = est.est("old").enrol(Request(digest=hashes.SHA1))
    assert isinstance(cert.signature_hash_algorithm, hashes.SHA256)
    assert est.est("old").enrol(Request(digest=hashes.SHA384))
    # a wrong signature is one, whatever its digest
    broken = bytearray(Request(digest=hashes.SHA1).der)
    broken[-1] ^= 1
    refusal(est.est("old").call("POST", "simpleenroll", base64.encodebytes(bytes(broken))), 400, "signature")


def test_md5_is_never_taken(make_daemon):
    daemon = make_daemon(start=False, profiles=[profile()])
    daemon.config["endpoints"].append(est_endpoint(legacy="md5-des"))
    daemon.write_config()
    assert "EST takes requests signed with SHA-1 at the least" in check_config(daemon.config_path).stderr
