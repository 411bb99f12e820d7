# SPDX-License-Identifier: Apache-2.0
"""Point 19: a retry gets the same certificate again, whatever happened in between."""

import threading

import pytest

import scep_peer
from scep_peer import Request


def same(first, second):
    assert first.status == second.status == "SUCCESS"
    assert first.cert == second.cert


@pytest.mark.parametrize("name", ["open", "demo", "static"])
def test_point_19_same_transaction_and_key(shared, name):
    challenge = {"demo": shared.admin.challenge, "static": lambda: "an-old-habit"}.get(name)
    request = Request(challenge=challenge and challenge())
    first = shared.enrol(request, name)
    same(first, shared.enrol(request, name))
    # a device that made a new message: another nonce, another content key
    same(first, shared.enrol(request.again(sender_nonce=b"n" * 16), name))


def test_point_19_with_a_challenge_that_nobody_has_used(shared):
    """The commit alone finds the earlier certificate, when another one is made and half answered."""
    request = Request(challenge=shared.admin.challenge())
    first = shared.enrol(request)
    same(first, shared.enrol(request.again(challenge=shared.admin.challenge())))


def test_point_19_replayed_message_makes_one_certificate(shared):
    """One captured message, sent 200 times by eight connections."""
    request = Request(challenge=shared.admin.challenge())
    ca = shared.authority("demo")
    message = request.build(ca)
    bodies = []

    def replay():
        for _ in range(25):
            bodies.append(shared.post("demo", message)[2])

    threads = [threading.Thread(target=replay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 200
    certs = {scep_peer_cert(body, request, ca) for body in bodies}
    assert len(certs) == 1
    found = shared.admin.certs(serial=f"{certs.pop().serial_number:x}")
    assert len(found) == 1


def scep_peer_cert(body, request, ca):
    import scep_reply

    return scep_reply.open_reply(body, request, ca).cert


def test_point_19_across_a_restart(make_daemon):
    daemon = make_daemon(endpoints=[_one_time()])
    request = Request(challenge=daemon.admin.challenge())
    first = daemon.enrol(request)
    daemon.restart()
    same(first, daemon.enrol(request))
    assert len(daemon.admin.certs()) == 1


def _one_time():
    from daemon import endpoint

    return endpoint("demo", authorisation={"one_time": True})


def test_point_19_same_transaction_with_another_key_is_another_request(shared):
    first = Request(transaction_id="t-19-keys", key=scep_peer.rsa_key(0))
    second = Request(transaction_id="t-19-keys", key=scep_peer.rsa_key(1))
    a, b = shared.enrol(first, "open"), shared.enrol(second, "open")
    assert a.status == b.status == "SUCCESS"
    assert a.cert != b.cert
    same(a, shared.enrol(first, "open"))


def test_point_19_another_transaction_is_another_certificate(shared):
    a, b = shared.enrol(Request(), "open"), shared.enrol(Request(), "open")
    assert a.cert.serial_number != b.cert.serial_number


def test_point_19_transactions_of_two_endpoints_are_apart(shared):
    request = Request(transaction_id="t-19-endpoints")
    a, b = shared.enrol(request, "open"), shared.enrol(request, "lone")
    assert a.cert.issuer != b.cert.issuer
