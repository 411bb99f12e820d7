# SPDX-License-Identifier: Apache-2.0
"""Limits and framing: what a client does wrong costs nobody but itself."""

import contextlib
import socket
import threading
import time

import pytest

import scep_reply
from daemon import PATIENCE, endpoint, wait_for
from scep_peer import Request

GET = b"GET /scep/demo?operation=GetCACaps HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(daemon, source="127.0.0.1", timeout=PATIENCE):
    s = socket.create_connection(("127.0.0.1", daemon.port), timeout, (source, 0))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def answer_to(daemon, data):
    """What comes back until the server closes or is silent; b'' where it just closed."""
    with connect(daemon) as s:
        s.sendall(data)
        return received(s)


def received(s):
    got = b""
    with contextlib.suppress(OSError):
        while b"\r\n\r\n" not in got:
            chunk = s.recv(65536)
            if not chunk:
                break
            got += chunk
    return got


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer else None


def is_served(daemon, source="127.0.0.1"):
    """Who finds all places taken is sent away at once, and not left to wait."""
    with contextlib.suppress(OSError), connect(daemon, source) as s:
        s.sendall(GET)
        return status_of(received(s)) in (200, 503)
    return False


def closed(s):
    """Does the server close it?"""
    s.settimeout(PATIENCE)
    try:
        while s.recv(4096):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def trickle(s, data):
    """A byte every 100 ms, for as long as the other side takes it."""
    with contextlib.suppress(OSError):
        for byte in data:
            s.sendall(bytes([byte]))
            time.sleep(0.1)


@pytest.mark.parametrize("part", ["header", "body"])
def test_slow_client_cannot_hold_a_place(make_daemon, part):
    """Eight slow clients take all eight places; they lose them when the deadline comes."""
    limits = {
        "connections": 8,
        "connections_per_address": 0,
        "header_seconds": 2,
        "body_seconds": 2,
    }
    daemon = make_daemon(ca=False, http_limits=limits)
    head = b"POST /scep/demo?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"
    octets = b"GET /" + b"a" * (20 * int(PATIENCE))  # they last for longer than anybody waits here
    slow = []

    def all_places_are_taken():
        if is_served(daemon):
            s = connect(daemon)
            slow.append(s)
            with contextlib.suppress(OSError):
                s.sendall(head if part == "body" else b"")
            threading.Thread(target=trickle, args=(s, octets), daemon=True).start()
            return False
        return True

    wait_for("slow clients in all places", all_places_are_taken, step=0)
    wait_for("a place for an honest client", lambda: is_served(daemon))
    for s in slow:
        assert closed(s)
        s.close()


def test_idle_connection_is_closed(make_daemon):
    daemon = make_daemon(ca=False, http_limits={"idle_seconds": 1})
    with connect(daemon) as s:
        begin = time.monotonic()
        s.sendall(GET)
        assert received(s)
        assert closed(s)
        assert time.monotonic() - begin > 0.5


def test_connections_per_address(make_daemon):
    daemon = make_daemon(ca=False, http_limits={"connections_per_address": 4})
    held = [connect(daemon, "127.0.0.2") for _ in range(4)]
    wait_for("the limit", lambda: not is_served(daemon, "127.0.0.2"))
    assert is_served(daemon, "127.0.0.3")
    held.pop().close()
    wait_for("the freed place", lambda: is_served(daemon, "127.0.0.2"))
    for s in held:
        s.close()


def test_full_queue_answers_503_with_retry_after(make_daemon):
    daemon = make_daemon(endpoints=[endpoint("demo")], http_limits={"queue": 1})
    daemon.stop()
    daemon.config["http"].update(workers=1, loops=1)
    daemon.write_config()
    daemon.start()
    ca = daemon.authority()
    message = Request().build(ca)
    answers = []

    def device():
        status, headers, _ = daemon.post("demo", message)
        answers.append((status, headers["Retry-After"]))

    for _ in range(5):
        threads = [threading.Thread(target=device) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    statuses = {status for status, _ in answers}
    assert statuses == {200, 503}, statuses
    assert all(int(after) > 0 for status, after in answers if status == 503)


def post(headers, body=b"xx", target=b"/scep/open?operation=PKIOperation"):
    return b"POST " + target + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n" + body


FRAMING = {
    "two lengths": post(b"Content-Length: 2\r\nContent-Length: 3"),
    "the same length twice": post(b"Content-Length: 2\r\nContent-Length: 2"),
    "signed length": post(b"Content-Length: +2"),
    "negative length": post(b"Content-Length: -1"),
    "hexadecimal length": post(b"Content-Length: 0x2"),
    "list of lengths": post(b"Content-Length: 2, 2"),
    "huge length": post(b"Content-Length: 99999999999999999999"),
    "length and chunks": post(b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "blank before the colon": post(b"Content-Length : 2"),
    "folded header": post(b"X-A: 1\r\n 2\r\nContent-Length: 2"),
    "no Host": b"POST /scep/open?operation=PKIOperation HTTP/1.1\r\nContent-Length: 2\r\n\r\nxx",
    "unknown coding": post(b"Transfer-Encoding: gzip", b""),
    "bad version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("what", FRAMING)
def test_framing_is_strict(shared, what):
    status = status_of(answer_to(shared, FRAMING[what]))
    assert status is None or 400 <= status < 500 or status in (501, 505), status


def test_body_and_headers_too_large(make_daemon):
    daemon = make_daemon(ca=False, http_limits={"body_bytes": 4096, "header_bytes": 2048})
    assert status_of(answer_to(daemon, post(b"Content-Length: 5000", b""))) in (None, 400, 413)
    long_get = b"GET /scep/demo?operation=GetCACaps&message=" + b"a" * 4000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    assert status_of(answer_to(daemon, long_get)) in (None, 400, 414, 431)
    assert is_served(daemon)


def test_keep_alive_and_pipelining(shared):
    with connect(shared) as s:
        for _ in range(3):
            s.sendall(GET.replace(b"demo", b"open"))
            assert status_of(received(s)) == 200


def test_client_that_goes_away_finds_its_certificate_later(shared):
    """The decision outlives the connection: the retry gets the certificate of the first try."""
    request = Request(challenge=shared.admin.challenge(), transaction_id="gone-away")
    ca = shared.authority("demo")
    message = request.build(ca)
    head = (
        b"POST /scep/demo?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        % len(message)
    )
    for _ in range(5):
        with connect(shared) as s:
            s.sendall(head + message)
    reply = scep_reply.open_reply(shared.post("demo", message)[2], request, ca)
    assert reply.status == "SUCCESS"
    assert len(shared.admin.certs(serial=f"{reply.cert.serial_number:x}")) == 1


def test_access_log_tells_one_story(shared):
    """Every line about a request carries its transactionID; the access line has status and time."""
    request = Request(transaction_id="story-1")
    shared.enrol(request, "open")
    lines = [x for x in shared.log_lines() if x.get("transactionID") == "story-1"]
    assert lines
    assert any(x.get("endpoint") == "open" for x in lines)
    access = [x for x in shared.log_lines() if x.get("path", "").startswith("/scep/open")]
    assert access and {"method", "status"} <= set(access[-1])
