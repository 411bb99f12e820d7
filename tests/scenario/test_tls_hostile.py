# SPDX-License-Identifier: Apache-2.0
"""What a TLS listener has to put up with: many half-open handshakes, slow ones, huge and slow bodies,
renegotiation. Meanwhile others enrol."""

import contextlib
import itertools
import pathlib
import resource
import socket
import ssl
import subprocess
import time

import pytest

import est_peer
from daemon import BUILD, PATIENCE, wait_for
from est_peer import Request
from test_est import make_est

HALF_OPEN = 10000
PATH = f"{est_peer.ROOT}/open/simpleenroll"
SLACK = 500  # descriptors that are not such connections
MEMORY = 80 << 10  # of the server process, for each connection: 47 KiB are measured, 455 MiB for 10,000


def client_hello(**options):
    """The first octets of a handshake that nobody goes on with."""
    context = ssl.create_default_context()
    inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(inside, outside, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outside.read()


OPENINGS = {"beginning": lambda hello: hello[:11], "hello": lambda hello: hello}


@pytest.fixture
def files():
    """How many connections this process may have: 10,000, unless the machine sets a lower limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(HALF_OPEN, hard - SLACK)
    resource.setrlimit(resource.RLIMIT_NOFILE, (n + SLACK, hard))
    yield n
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def hard_pressed(tmp_path):
    """hard_pressed(...limits): a daemon with an endpoint `open` over TLS."""
    made = []

    def make(**limits):
        made.append(make_est(tmp_path, http_limits=limits))
        return made[-1]

    yield make
    for daemon in made:
        daemon.stop()


def connections_of(pid):
    return sum(1 for _ in pathlib.Path(f"/proc/{pid}/fd").iterdir())


def memory_of(pid):
    (line,) = [x for x in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS")]
    return int(line.split()[1]) << 10


def is_sanitized():
    return "asan" in BUILD.name


def assert_others_enrol(daemon):
    assert daemon.est("open").enrol(Request())


def is_cut(s, seconds=PATIENCE):
    """The connection ends, whatever comes before that."""
    s.settimeout(seconds)
    try:
        while s.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@pytest.mark.parametrize("opening", OPENINGS)
def test_half_open_handshakes_keep_nobody_out(hard_pressed, files, opening, record_property):
    """10,000 of them: the server has them all, others enrol, and they are cut when their time is up."""
    daemon = hard_pressed(connections=20000, connections_per_address=0, header_seconds=60 if is_sanitized() else 20)
    pid = daemon.child("server")
    before, octets = memory_of(pid), OPENINGS[opening](client_hello())
    held = []
    try:
        for _ in range(files):
            s = socket.create_connection(("127.0.0.1", daemon.tls_port))
            s.sendall(octets)
            held.append(s)
        wait_for(f"{files} connections", lambda: connections_of(pid) >= files, step=0.2)
        if opening == "hello":
            # the server's answer to the last is there: all have been signed for
            held[-1].settimeout(PATIENCE)
            assert held[-1].recv(1)
        each = (memory_of(pid) - before) // files
        record_property("octets_each", each)
        print(f"{files} x {opening}: {each} octets of memory each, {each * files >> 20} MiB in all")
        assert is_sanitized() or each < MEMORY
        assert_others_enrol(daemon)
        assert not is_cut(held[-1], 0.1), "others enrol while these are there, not when they have been cut"
        assert is_cut(held[0], 90)
        wait_for("their end", lambda: connections_of(pid) < SLACK, seconds=90, step=0.5)
        assert_others_enrol(daemon)
    finally:
        for s in held:
            s.close()


def is_cut_while_sending(s, parts):
    """A part now and then: they would last for longer than anybody waits here."""
    until = time.monotonic() + PATIENCE
    try:
        for part in parts:
            s.sendall(part)
            time.sleep(0.05)
            if time.monotonic() > until:
                return False
    except OSError:
        return True
    return False


def test_a_handshake_that_trickles_is_cut(hard_pressed):
    """A byte now and then does not help: the time is absolute."""
    daemon = hard_pressed(header_seconds=2)
    with socket.create_connection(("127.0.0.1", daemon.tls_port)) as s:
        assert is_cut_while_sending(s, (bytes([octet]) for octet in client_hello()))
    assert_others_enrol(daemon)


def test_a_head_that_trickles_is_cut(hard_pressed):
    daemon = hard_pressed(header_seconds=2)
    connection = daemon.est("open").connection()
    connection.connect()
    connection.sock.sendall(b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: a\r\n")
    assert is_cut_while_sending(connection.sock, itertools.repeat(b"X"))
    connection.close()
    assert_others_enrol(daemon)


def begin_post(daemon, *fields):
    connection = daemon.est("open").connection()
    connection.connect()
    head = [f"POST {PATH} HTTP/1.1", "Host: a", f"Content-Type: {est_peer.PKCS10}", *fields, "", ""]
    connection.sock.sendall("\r\n".join(head).encode())
    return connection.sock


@pytest.mark.parametrize("fields, octets", [
    (["Content-Length: 1000"], b"A"),
    (["Transfer-Encoding: chunked"], b"1\r\nA\r\n"),
])  # fmt: skip
def test_a_slow_body_is_cut(hard_pressed, fields, octets):
    daemon = hard_pressed(body_seconds=2)
    with begin_post(daemon, *fields) as s:
        assert is_cut_while_sending(s, itertools.repeat(octets))
    assert_others_enrol(daemon)


@pytest.mark.parametrize("fields, wrap", [
    ([f"Content-Length: {1 << 40}"], lambda block: block),
    (["Transfer-Encoding: chunked"], lambda block: b"%x\r\n%s\r\n" % (len(block), block)),
])  # fmt: skip
def test_a_huge_body_is_refused_early(hard_pressed, fields, wrap):
    """413, as soon as it is clear, and nothing is kept of what comes behind it."""
    daemon = hard_pressed(body_bytes=65536)
    pid = daemon.child("server")
    before, block = memory_of(pid), wrap(b"A" * 16384)
    with begin_post(daemon, *fields) as s:
        sent, said = 0, b""
        s.settimeout(0.01)
        with contextlib.suppress(OSError):
            while sent < 64 << 20 and b"\r\n" not in said:
                with contextlib.suppress(TimeoutError):
                    sent += s.send(block)
                with contextlib.suppress(TimeoutError):
                    said += s.recv(4096)
        assert said.startswith(b"HTTP/1.1 413"), said
        assert sent < 8 << 20
    assert is_sanitized() or memory_of(pid) - before < 8 << 20
    assert_others_enrol(daemon)


def test_renegotiation_is_refused(hard_pressed):
    """TLS 1.2: the server says no_renegotiation; TLS 1.3 has none, and a key update does no harm."""
    daemon = hard_pressed()
    address = f"127.0.0.1:{daemon.tls_port}"
    run = lambda *o, text: subprocess.run(  # noqa: E731
        ["openssl", "s_client", "-connect", address, *o], input=text, capture_output=True, timeout=PATIENCE
    )
    answer = run("-tls1_2", text=b"R\nGET / HTTP/1.1\nHost: x\n\n")
    assert b"RENEGOTIATING" in answer.stderr and b"no renegotiation" in answer.stderr
    # by its own means the client sees that the server knows of RFC 5746
    assert b"Secure Renegotiation IS supported" in answer.stdout
    answer = run("-tls1_3", text=b"K\n")
    assert b"KEYUPDATE" in answer.stderr and b"alert" not in answer.stderr
    assert_others_enrol(daemon)


def unsent(daemon, s):
    """How much of what the server has written on that connection still lies there."""
    ends = ["%04X" % daemon.tls_port, "%04X" % s.getsockname()[1]]
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    (row,) = [r for r in rows if [r[1].split(":")[1], r[2].split(":")[1]] == ends]
    return int(row[4].split(":")[0], 16)


def wait_until_stuck(daemon, s):
    """Much of it has been written, and then no more is."""
    wait_for("a full buffer", lambda: unsent(daemon, s) > 1 << 20)
    before = -1
    while before != (before := unsent(daemon, s)):
        time.sleep(0.5)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_replies_wait_for_a_client_that_does_not_read(hard_pressed, version):
    """More of them than all buffers hold: the record that did not go out in one piece is gone on with."""
    daemon = hard_pressed()
    buffers = int(pathlib.Path("/proc/sys/net/ipv4/tcp_wmem").read_text().split()[2])
    one = f"GET {est_peer.ROOT}/open/cacerts HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    context = daemon.est("open", version=version).context
    with socket.socket() as bare:
        bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        bare.connect(("127.0.0.1", daemon.tls_port))
        with context.wrap_socket(bare, server_hostname="127.0.0.1") as s:
            s.settimeout(PATIENCE)
            s.sendall(one)
            length = len(s.recv(16384))
            count = (buffers + (1 << 20)) // length
            s.sendall(one * count)
            wait_until_stuck(daemon, s)
            got = b""
            while len(got) < count * length:
                block = s.recv(1 << 20)
                assert block, len(got)
                got += block
    assert len(got) == count * length
    assert got.count(b"HTTP/1.1 200 OK\r\n") == count
    assert_others_enrol(daemon)
