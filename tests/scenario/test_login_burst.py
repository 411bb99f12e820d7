# SPDX-License-Identifier: Apache-2.0
"""Many devices with one account begin at once, as after a power cut: none is sent away, whoever guesses meanwhile."""

import concurrent.futures
import contextlib
import threading

import pytest

from conftest import endpoint
from daemon import static_hash
from est_peer import Request, basic
from test_est import PROFILES, est_endpoint, make_est

RIGHT = "swordfish"
MANY = 32


@pytest.fixture
def est(tmp_path):
    daemon = make_est(
        tmp_path,
        profiles=PROFILES,
        endpoints=[
            endpoint("demo"),
            est_endpoint(authorisation={"accounts": True}),
            est_endpoint("static", authorisation={"static": [static_hash(RIGHT, ln=16)]}),
        ],
    )
    yield daemon
    daemon.stop()


def costly(est):
    """Accounts whose password takes a while to check, and no bound on wrong ones but that."""
    est.config["operators"] = [
        {"name": "sensor", "password": static_hash(RIGHT, ln=16), "roles": ["device"]}
    ]
    est.config["login_failures"] = "100000/s"
    est.write_config()
    est.restart()


def post(est, label, password, address):
    peer = est.est(label)
    connection = peer.connection()
    connection.source_address = (address, 0)
    with contextlib.closing(connection):
        return peer.ask(connection, "POST", "simpleenroll", Request().body, basic("sensor", password))[0]


@pytest.mark.parametrize("label", ["", "static"])
def test_all_who_show_the_right_password_at_once_get_in(est, label):
    costly(est)
    start = threading.Barrier(MANY)

    def one(_):
        start.wait()
        return post(est, label, RIGHT, "127.0.0.1")

    with concurrent.futures.ThreadPoolExecutor(MANY) as pool:
        assert list(pool.map(one, range(MANY))) == [200] * MANY


@pytest.mark.parametrize("label", ["", "static"])
def test_who_guesses_keeps_nobody_out(est, label):
    costly(est)
    over = threading.Event()
    tries = []

    def guess(n):
        while not over.is_set():
            tries.append(post(est, label, f"guess {n} {len(tries)} {threading.get_ident()}", "127.0.0.66"))

    with concurrent.futures.ThreadPoolExecutor(8 + MANY) as pool:
        guessing = [pool.submit(guess, n) for n in range(8)]
        while len(tries) < 8:
            over.wait(0.05)
        start = threading.Barrier(MANY)

        def one(n):
            start.wait()
            return post(est, label, RIGHT, f"127.0.0.{n % 4 + 1}")

        try:
            assert list(pool.map(one, range(MANY))) == [200] * MANY
        finally:
            over.set()
        for g in guessing:
            g.result()
    assert set(tries) <= {401, 503} and 401 in tries
