# SPDX-License-Identifier: Apache-2.0
"""Certificates are revoked, held and released; other people's programs learn it from the lists."""

import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from daemon import PATIENCE, check_config, endpoint, profile, wait_for

LISTS = "/crl/demo"


def crl_endpoint(**settings):
    made = {"name": "crl", "protocol": "crl", "path": LISTS, "ca": "demo"}
    return {**made, "crl": settings} if settings else made


@pytest.fixture
def made(make_daemon, tmp_path):
    """A daemon with lists, and its CA certificate in a file."""
    daemon = make_daemon(
        endpoints=[
            endpoint("demo"),
            crl_endpoint(url="http://crl.example/crl/demo", delta="1h", parts=2),
        ]
    )
    pem = daemon.authority().cert.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "ca.pem").write_bytes(pem)
    return daemon


def serial(cert):
    return f"{cert.serial_number:032x}"


def fetch(daemon, name="full.crl", expect=200):
    status, headers, body = daemon.http("GET", f"{LISTS}/{name}")
    assert status == expect, body
    return headers, body


def fetch_list(daemon, name="full.crl"):
    return x509.load_der_x509_crl(fetch(daemon, name)[1])


def listed(daemon, cert, name="full.crl"):
    return fetch_list(daemon, name).get_revoked_certificate_by_serial_number(cert.serial_number)


def await_list(daemon):
    wait_for("the first list", lambda: daemon.http("GET", LISTS)[0] == 200)


def verify(daemon, tmp_path, name):
    (tmp_path / "full.der").write_bytes(fetch(daemon)[1])
    subprocess.run(["openssl", "crl", "-inform", "DER", "-in", tmp_path / "full.der",
                    "-out", tmp_path / "full.pem"], check=True)  # fmt: skip
    run = subprocess.run(
        ["openssl", "verify", "-crl_check", "-x509_strict", "-CAfile", tmp_path / "ca.pem",
         "-CRLfile", tmp_path / "full.pem", tmp_path / f"{name}.pem"],
        capture_output=True, text=True,
    )  # fmt: skip
    return run.returncode == 0, run.stderr


def test_a_revoked_certificate_is_refused_by_openssl(made, tmp_path):
    """enrol two, revoke one: `openssl verify -crl_check` takes the one and not the other."""
    good, bad = made.enrol_by_client(tmp_path, "good"), made.enrol_by_client(tmp_path, "bad")
    await_list(made)
    assert verify(made, tmp_path, "bad")[0]
    made.ctl("cert", "revoke", serial(bad), "--reason", "keyCompromise")
    # the delta list follows by itself, the complete one when it is asked for
    wait_for("the delta list", lambda: listed(made, bad, "delta.crl"))
    made.ctl("crl", "rebuild", "demo")
    ok, said = verify(made, tmp_path, "bad")
    assert not ok and "certificate revoked" in said
    assert verify(made, tmp_path, "good")[0]
    entry = listed(made, bad)
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason == x509.ReasonFlags.key_compromise
    assert listed(made, good) is None
    assert made.ctl_json("cert", "show", serial(bad))["status"] == "revoked"
    assert made.ctl_json("cert", "show", serial(good))["status"] == "good"


def test_hold_and_release(made, tmp_path):
    cert = made.enrol_by_client(tmp_path, "lost")
    made.ctl("cert", "hold", serial(cert))
    made.ctl("crl", "rebuild", "demo")
    assert not verify(made, tmp_path, "lost")[0]
    assert made.ctl("cert", "hold", serial(cert), check=False).returncode != 0
    made.ctl("cert", "release", serial(cert))
    made.ctl("crl", "rebuild", "demo")
    assert verify(made, tmp_path, "lost")[0]
    removed = listed(made, cert, "delta.crl").extensions.get_extension_for_class(x509.CRLReason)
    assert removed.value.reason == x509.ReasonFlags.remove_from_crl
    again = made.ctl("cert", "release", serial(cert), check=False)
    assert again.returncode != 0 and "not on hold" in again.stderr


def test_parts_make_up_the_whole(made, tmp_path):
    certs = [made.enrol_by_client(tmp_path, f"d{i}") for i in range(6)]
    for cert in certs:
        made.ctl("cert", "revoke", serial(cert), "--reason", "superseded")
    made.ctl("crl", "rebuild", "demo")
    parts = [fetch_list(made, f"{i}.crl") for i in range(2)]
    seen = [{e.serial_number for e in part} for part in parts]
    assert seen[0].isdisjoint(seen[1])
    assert seen[0] | seen[1] == {c.serial_number for c in certs}
    for i, part in enumerate(parts):
        point = part.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert point.critical
        assert point.value.full_name[0].value == f"http://crl.example/crl/demo/{i}.crl"
    numbers = [
        crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for crl in [*parts, fetch_list(made)]
    ]
    assert len(set(numbers)) == 3


def test_a_certificate_names_its_part(make_daemon, tmp_path):
    """Its distribution point is the URL that the part's list says of itself."""
    url = "http://crl.example/crl/demo"
    daemon = make_daemon(
        profiles=[profile(crl_urls=[url + "/{part}.crl"], crl_parts=8)],
        endpoints=[endpoint("demo"), crl_endpoint(url=url, parts=8)],
    )
    cert = daemon.enrol_by_client(tmp_path, "device")
    points = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert len(points) == 1
    named = points[0].full_name[0].value
    daemon.ctl("cert", "revoke", serial(cert))
    daemon.ctl("crl", "rebuild", "demo")
    part = fetch_list(daemon, named.rsplit("/", 1)[1])
    assert part.get_revoked_certificate_by_serial_number(cert.serial_number)
    idp = part.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    assert idp.full_name[0].value == named


def test_caches_are_told(made):
    await_list(made)
    headers, body = fetch(made, "")
    assert headers["Content-Type"] == "application/pkix-crl"
    assert "max-age=900" in headers["Cache-Control"]
    assert headers["Expires"]
    date = wait_for("the list to have settled", lambda: fetch(made, "")[0]["Last-Modified"])
    for known, code in (
        ({"If-None-Match": headers["ETag"]}, 304),
        ({"If-None-Match": f'"other", W/{headers["ETag"]}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Modified-Since": date}, 304),
        ({"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 200),
        ({"If-Modified-Since": ""}, 200),
        ({"If-None-Match": '"other"', "If-Modified-Since": date}, 200),  # RFC 9110 13.1.3
    ):
        status, told, sent = made.http("GET", f"{LISTS}/full.crl", headers=known)
        assert (status, sent) == (code, b"" if code == 304 else body), known
        assert told["ETag"] == headers["ETag"]
    status, head, nothing = made.http("HEAD", f"{LISTS}/full.crl")
    assert (status, head["Content-Length"], nothing) == (200, str(len(body)), b"")
    assert made.http("POST", LISTS, b"x")[0] == 405
    fetch(made, "7.crl", expect=404)
    fetch(made, "..%2fstore.db", expect=404)


def test_lists_outlive_a_restart(made, tmp_path):
    cert = made.enrol_by_client(tmp_path, "gone")
    made.ctl("cert", "revoke", serial(cert))
    made.ctl("crl", "rebuild", "demo")
    before = fetch(made)[1]
    made.restart()
    wait_for("the list", lambda: made.http("GET", LISTS)[0] == 200)
    assert fetch(made)[1] == before
    exported = made.ctl("crl", "export", "demo").stdout
    assert x509.load_pem_x509_crl(exported.encode()).public_bytes(
        serialization.Encoding.DER) == before
    rows = made.ctl_json("crl", "list")["crls"]
    assert {(r["part"], r["delta"]) for r in rows} == {
        ("", False), ("", True), ("0/2", False), ("1/2", False)}  # fmt: skip


def test_lists_begin_with_a_reload(make_daemon):
    """An endpoint for lists may be added while the server runs."""
    daemon = make_daemon(endpoints=[endpoint("demo")])
    assert daemon.ctl("crl", "rebuild", "demo", check=False).returncode != 0
    daemon.config["endpoints"].append(crl_endpoint())
    daemon.write_config()
    daemon.process.send_signal(signal.SIGHUP)
    wait_for("the list", lambda: daemon.http("GET", LISTS)[0] == 200, PATIENCE)
    fetch(daemon, "delta.crl", expect=404)


@pytest.mark.parametrize("full_after", [None, "1h"])
def test_the_complete_list_beside_a_delta_list(make_daemon, tmp_path, full_after):
    """By default a revocation is in both within seconds; full_after lets the complete one wait."""
    crl = {"url": "http://crl.example/crl/demo", "delta": "1h"}
    if full_after:
        crl["full_after"] = full_after
    daemon = make_daemon(endpoints=[endpoint("demo"), crl_endpoint(**crl)])
    (tmp_path / "ca.pem").write_text(daemon.ctl("ca", "show", "demo", "--pem").stdout)
    cert = daemon.enrol_by_client(tmp_path, "device")
    await_list(daemon)
    base = fetch_list(daemon).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    daemon.ctl("cert", "revoke", serial(cert))
    wait_for("the delta list", lambda: listed(daemon, cert, "delta.crl"))
    assert (listed(daemon, cert) is None) == bool(full_after)
    if full_after:
        daemon.config["endpoints"][1]["crl"]["full_after"] = "1s"
        daemon.write_config()
        daemon.restart()
    wait_for("the complete list", lambda: listed(daemon, cert))
    ok, said = verify(daemon, tmp_path, "device")
    assert not ok and "certificate revoked" in said
    delta = fetch_list(daemon, "delta.crl").extensions
    assert delta.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number == base


@pytest.mark.parametrize("crl,says", [
    ({"full_after": "15m"}, "goes with crl.delta and without crl.parts"),
    ({"delta": "1h", "parts": 2, "full_after": "15m"}, "goes with crl.delta and without crl.parts"),
    ({"delta": "1h", "full_after": "soon"}, "is not a duration"),
])  # fmt: skip
def test_full_after_that_is_refused(make_daemon, crl, says):
    crl["url"] = "http://crl.example/crl/demo"
    daemon = make_daemon(start=False, endpoints=[endpoint("demo"), crl_endpoint(**crl)])
    run = check_config(daemon.config_path)
    assert run.returncode == 78 and "crl.full_after" in run.stderr and says in run.stderr
