# SPDX-License-Identifier: Apache-2.0
"""scepterctl status: all at a glance, and what wants attention."""

from daemon import endpoint, profile, wait_for
from scep_peer import Request


def test_all_at_a_glance(make_daemon):
    daemon = make_daemon(
        ca=False,
        profiles=[profile(validity="5d")],
        endpoints=[
            endpoint("demo"),
            endpoint("manual", approval="manual"),
            endpoint("later", ca="later"),
            {"name": "crl", "protocol": "crl", "path": "/crl", "ca": "demo"},
        ],
    )
    said = daemon.ctl("status").stdout
    assert "Attention: endpoint demo waits for its CA: scepterctl ca init demo" in said
    daemon.admin.ca_init("demo", validity="40d", leaf_validity="10d", ra_validity="20d")
    wait_for("the first list", lambda: daemon.http("GET", "/crl")[0] == 200)
    cert = daemon.enrol(Request()).cert
    assert daemon.enrol(Request(), "manual").status == "PENDING"
    daemon.ctl("cert", "revoke", f"{cert.serial_number:032x}")
    daemon.ctl("crl", "rebuild", "demo")
    said = daemon.ctl("status").stdout
    for line in [
        "1 requests for approval",
        "the certificate of CA demo ends in 39 days",
        "an RA certificate of CA demo ends in 19 days",
        "endpoint later waits for its CA",
    ]:
        assert line in said, said
    assert "endpoint demo waits" not in said
    row = next(line for line in said.splitlines() if line.startswith("demo\t")).split("\t")
    assert row[2] == "39" and row[4] == "1"
    status = daemon.ctl_json("status")
    assert status["last_event"]["id"] >= 5 and status["store"]["writes"]
    assert len(status["warnings"]) == 3
