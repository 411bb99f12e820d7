# SPDX-License-Identifier: Apache-2.0
"""What the server does without being asked: marks what is over, renews its responders, raises alarms."""

import http.client
import time

from cryptography import x509

from daemon import PATIENCE, endpoint, free_port, wait_for
from scep_peer import Request
from test_ocsp import ocsp_endpoint

MANUAL = {"approval": "manual", "authorisation": {"one_time": True}}


def scrape(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/metrics")
    return connection.getresponse().read().decode()


def test_a_request_that_nobody_approves_is_marked_by_itself(make_daemon):
    daemon = make_daemon(endpoints=[endpoint("demo", pending_lifetime="1s", **MANUAL)])
    assert daemon.enrol(Request(challenge=daemon.admin.challenge())).status == "PENDING"
    event = wait_for("the end of the request", lambda: daemon.events("enrol.expired"))[0]
    assert event["reason"] == "no operator approved it in time"


def test_a_responder_has_its_certificate_before_anybody_asks(make_daemon):
    port = free_port()
    daemon = make_daemon(endpoints=[endpoint("demo"), ocsp_endpoint()], metrics={"port": port})
    wait_for("the responder", lambda: 'scepter_certificate_expiry_days{ca="demo",generation="1",role="ocsp"}' in scrape(port))


def test_a_ca_that_ends_is_an_event_once(make_daemon):
    """30, 7 and 1 days before; not again at the next look or start."""
    daemon = make_daemon(
        ca=False, endpoints=[endpoint("demo"), endpoint("week", ca="week"), endpoint("long", ca="long")]
    )
    daemon.admin.ca_init("long", validity="40d", leaf_validity="1d", ra_validity="39d")
    daemon.admin.ca_init("demo", validity="20d", leaf_validity="1d", ra_validity="20d")
    daemon.admin.ca_init("week", validity="5d", leaf_validity="1d", key="rsa2048", ra="none")
    wait_for("three alarms", lambda: len(daemon.events("ca.expiring")) >= 3)
    rows = daemon.events("ca.expiring")
    assert sorted((e["ca"], e["reason"].split(": ")[1]) for e in rows) == [
        ("demo", "within 30 days"),
        ("demo", "within 30 days"),
        ("week", "within 7 days"),
    ]
    assert {e["serial"] for e in rows if e["ca"] == "week"} == {
        f"{daemon.authority('week').cert.serial_number:x}"
    }
    daemon.restart()
    time.sleep(12)
    assert len(daemon.events("ca.expiring")) == 3


def test_a_list_that_cannot_be_made_is_an_alarm_and_its_end(make_daemon):
    daemon = make_daemon(
        start=False,
        endpoints=[endpoint("demo"), {"name": "crl", "protocol": "crl", "path": "/crl/demo", "ca": "demo"}],
    )
    daemon.start()
    folder = daemon.directory / "crl" / "demo"
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("in the way")
    daemon.admin.ca_init("demo")
    event = wait_for("the alarm", lambda: daemon.events("crl.stale"), 60)[0]
    assert event["ca"] == "demo" and "full.crl" in event["reason"] and "could not be made" in event["reason"]
    assert len(daemon.events("crl.stale")) == 1 and not daemon.events("crl.fresh")
    folder.unlink()
    folder.mkdir()
    event = wait_for("its end", lambda: daemon.events("crl.fresh"), 90)[0]
    assert "full.crl" in event["reason"]
    status, _, body = daemon.http("GET", "/crl/demo")
    assert status == 200
    assert x509.load_der_x509_crl(body).issuer == daemon.authority().cert.subject
