# SPDX-License-Identifier: Apache-2.0
"""A request linked with its TLS 1.3 connection (RFC 9266 tls-exporter), as openssl s_client exports it."""

import base64
import subprocess

import pytest

import est_peer
from est_peer import Exporter, Request
from test_est import make_est

PATH = f"{est_peer.ROOT}/linked/simpleenroll"


@pytest.fixture(scope="module")
def est(tmp_path_factory):
    daemon = make_est(tmp_path_factory.mktemp("exporter"))
    yield daemon
    daemon.stop()


def linked(daemon, challenge, *options):
    """(status, body) of a request whose challengePassword is challenge(exported value)."""
    with Exporter(daemon.tls_port, daemon.web.path, *options) as connection:
        request = Request("exported", challenge=challenge(connection.binding))
        return connection.post(PATH, request.body)


def test_the_exported_value_links(est):
    status, body = linked(est, base64.b64encode)
    assert status == 200, body
    assert est_peer.certificate(body).subject == est_peer.name("exported")


@pytest.mark.parametrize("challenge", [
    lambda b: base64.b64encode(bytes(32)),
    lambda b: base64.b64encode(b[:31] + bytes([b[31] ^ 1])),
    lambda b: base64.b64encode(b[:12]),
    lambda b: b.hex().encode(),
])  # fmt: skip
def test_any_other_value_is_refused(est, challenge):
    status, body = linked(est, challenge)
    assert status == 400 and b"another TLS connection" in body, body


def test_none_is_refused(est):
    status, body = linked(est, lambda b: None)
    assert status == 400 and b"challengePassword is missing" in body, body


def test_a_value_belongs_to_its_connection(est):
    with Exporter(est.tls_port, est.web.path) as first:
        status, body = linked(est, lambda b: base64.b64encode(first.binding))
        assert status == 400 and b"another TLS connection" in body, body
        assert first.post(PATH, Request(challenge=base64.b64encode(first.binding)).body)[0] == 200


def test_on_tls12_it_is_not_the_binding(est):
    """There RFC 7030's tls-unique is: what is exported by the same label does not do."""
    status, body = linked(est, base64.b64encode, "-tls1_2")
    assert status == 400 and b"another TLS connection" in body, body


def test_a_resumed_session_has_a_value_of_its_own(est, tmp_path):
    session = tmp_path / "session.pem"
    status, _ = linked(est, base64.b64encode, "-sess_out", session)
    assert status == 200
    with Exporter(est.tls_port, est.web.path, "-sess_in", session) as again:
        assert b"Reused, TLSv1.3" in again.said
        status, body = again.post(PATH, Request(challenge=base64.b64encode(again.binding)).body)
        assert status == 200, body


def test_a_request_made_by_openssl(est, tmp_path):
    """The whole of it by the openssl command: key, request with challengePassword, connection."""
    with Exporter(est.tls_port, est.web.path) as connection:
        config = tmp_path / "req.cnf"
        config.write_text(
            "[req]\nprompt=no\ndistinguished_name=dn\nattributes=attrs\n[dn]\nCN=by-openssl\n[attrs]\n"
            f"challengePassword={base64.b64encode(connection.binding).decode()}\n"
        )
        made = subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", tmp_path / "key.pem", "-config", config, "-outform", "DER"],
            capture_output=True,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        status, body = connection.post(PATH, base64.b64encode(made.stdout))
    assert status == 200, body
