# SPDX-License-Identifier: Apache-2.0
"""Failed logins are anomalies as refused requests are: at the admin API, at an NDES page, by EST."""

import pytest

import est_peer
from daemon import endpoint, static_hash
from est_peer import Request, basic
from operators import Remote
from test_est import PASSWORD, PROFILES, EstDaemon, est_endpoint
from test_ndes import SCEP, page

ANOMALIES = {"window": "1h", "failures": "5/10m", "failures_per_address": "3/10m"}
MANY = 7


def make(directory, login_failures):
    web = est_peer.Authority(directory, "Web CA")
    daemon = EstDaemon(
        directory / "daemon",
        web,
        web,
        profiles=PROFILES,
        anomalies=ANOMALIES,
        login_failures=login_failures,
        endpoints=[
            endpoint("demo"),
            endpoint("mscep", path=SCEP, authorisation={"one_time": True}),
            page("page", "/page"),
            est_endpoint(authorisation={"accounts": True}),
        ],
    )
    daemon.config["admin"]["listeners"] = ["tls"]
    daemon.config["operators"] += [
        {"name": "root", "password": static_hash(PASSWORD), "roles": ["administrator"]},
        {"name": "mdm", "password": static_hash(PASSWORD), "roles": ["challenge-issuer"]},
    ]
    daemon.write_config()
    daemon.start()
    daemon.admin.ca_init("demo")
    return daemon


@pytest.fixture(params=["1000/s", "2/10m"], ids=["looked-at", "held-off"])
def daemon(request, tmp_path):
    """Passwords are looked at each time; and not any more after two that were wrong."""
    made = make(tmp_path, request.param)
    yield made
    made.stop()


def at_the_api(daemon, password):
    name = ("root", password) if password else None
    return Remote(daemon.tls_port, str(daemon.web.path), password=name).status("GET", "/cas")


def at_the_page(daemon, password):
    return daemon.http("GET", "/page/", headers=basic("mdm", password) if password else {})[0]


def by_est(daemon, password):
    headers = basic("sensor", password) if password else {}
    return daemon.est().call("POST", "simpleenroll", Request().body, headers)[0]


WHERE = [(at_the_api, None, "failed logins"), (at_the_page, "page", "failed logins"),
         (by_est, "est", "refused requests")]  # fmt: skip


def anomalies(daemon):
    return [(e.get("endpoint"), e["reason"], e["actor"]) for e in daemon.events("anomaly.failures")]


@pytest.mark.parametrize("attempt,place,what", WHERE, ids=["api", "ndes", "est"])
def test_failed_logins(daemon, attempt, place, what):
    for _ in range(MANY):
        assert attempt(daemon, None) == 401, "who shows nothing has not failed"
        assert attempt(daemon, PASSWORD) == 200
    assert not anomalies(daemon)
    statuses = {attempt(daemon, f"wrong-{i}") for i in range(MANY)}
    assert statuses <= {401, 429, 503}
    assert anomalies(daemon) == [
        (place, f"more than 3 {what} in 600 seconds by 127.0.0.1", "127.0.0.1"),
        (place, f"more than 5 {what} in 600 seconds", "127.0.0.1"),
    ]
    lines = [line for line in daemon.log_lines() if line["msg"] == "anomaly"]
    assert len(lines) == 2 and {line["level"] for line in lines} == {"warning"}
