# SPDX-License-Identifier: Apache-2.0
"""What fetches challenges from Microsoft's NDES fetches them here, and devices enrol with them."""

import base64
import hashlib
import re
import subprocess

import pytest

import scep_reply
from conftest import endpoint
from daemon import Daemon, static_hash
from scep_peer import Request

SCEP = "/certsrv/mscep/mscep.dll"
PAGE = "/certsrv/mscep_admin"


def basic(name="mdm", password="swordfish"):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def page(name, path, **settings):
    return {
        "name": name,
        "protocol": "ndes",
        "path": path,
        "ca": "demo",
        "ndes": {"endpoint": "mscep", "allow_plain": True, **settings},
    }


def operator(name, **changes):
    return {"name": name, "password": static_hash("swordfish"), **changes}


@pytest.fixture(scope="module")
def ndes(tmp_path_factory):
    daemon = Daemon(
        tmp_path_factory.mktemp("ndes"),
        operators=[operator("mdm", roles=["challenge-issuer"]), operator("clerk")],
        endpoints=[
            endpoint("demo"),
            endpoint("mscep", path=SCEP, authorisation={"one_time": True}),
            page("admin", PAGE, maximum=1000),
            page("utf8", "/utf8", encoding="utf-8", maximum=1000),
            page("long", "/long", challenge="hex-128", lifetime="90m", maximum=1000),
            page("full", "/full", maximum=2),
            page("single", "/single", challenge="hex-128", reusable=True),
            page("tls", "/tls", allow_plain=False),
        ],
    ).start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


def fetch(daemon, path=PAGE + "/", headers=None, method="GET"):
    return daemon.http(method, path, headers=basic() if headers is None else headers)


def read(daemon, path=PAGE + "/", headers=None):
    status, _, body = fetch(daemon, path, headers)
    assert status == 200, body
    return body.decode("utf-16" if body[:2] == b"\xff\xfe" else "utf-8")


def enrol(daemon, challenge, path=SCEP):
    """A new device shows the challenge."""
    _, headers, body = daemon.http("GET", path + "?operation=GetCACert")
    ca = scep_reply.authority(headers["Content-Type"], body)
    request = Request(challenge=challenge)
    status, _, body = daemon.http("POST", path + "?operation=PKIOperation", request.build(ca))
    assert status == 200
    return scep_reply.open_reply(body, request, ca).status


# ---- the programs that read the page, each in its own way ----


def fleet(body):
    """A byte order mark, a '<' with a zero, or zeros at nearly all odd offsets; then a regex."""
    assert body[:2] == b"\xff\xfe"
    text = body[2:].decode("utf-16-le")
    return re.search(
        r"(?i)The enrollment challenge password is: <B> (?P<password>\S*)", text
    ).group("password")


def fleet_old(body):
    """Big-endian unless the mark says otherwise."""
    order = "utf-16-le" if body[:2] == b"\xff\xfe" else "utf-16-be"
    return re.search(
        r"(?i)The enrollment challenge password is: <B> (?P<password>\S*)", body.decode(order)
    ).group("password")


def zentral(body):
    return re.search(r"challenge password is: <B> ([A-Z0-9]{16,32}) </B>", body.decode("utf-16"))[1]


def okta_style(body):
    return re.search(
        r"challenge password is: <B> ([a-zA-Z0-9_\-]+) </B>", body.decode("windows-1252")
    )[1]


def manage_engine(body):
    text = body.decode("utf-16" if body[:2] == b"\xff\xfe" else "utf-8")
    start = "The enrollment challenge password is: <B> "
    begin = text.index(start) + len(start)
    return text[begin : text.index(" </B> <P> This password can be used only once", begin)]


def geinos(body):
    parts = body.decode("utf-16" if body[:2] == b"\xff\xfe" else "utf-8").split(">")
    found = {}
    for before, after in zip(parts, parts[1:]):
        for what in ("thumbprint (hash value) for the CA certificate", "enrollment challenge password"):
            if before.startswith(f" The {what} is: <B"):
                found[what] = after.split("<")[0].strip()
    thumbprint = found["thumbprint (hash value) for the CA certificate"]
    assert re.fullmatch(r"([0-9A-F]{8} ){3}[0-9A-F]{8}", thumbprint)
    return found["enrollment challenge password"]


def awk(body):
    """macOS: curl piped into awk."""
    script = ["awk", "-v", "FS=(password is: <B> | </B>)", "/password is:/ {print $3}"]
    return subprocess.run(script, input=body, capture_output=True, check=True).stdout.decode().strip()


@pytest.mark.parametrize(
    "path, scrape",
    [
        (PAGE, fleet),
        (PAGE, fleet_old),
        (PAGE, zentral),
        (PAGE, manage_engine),
        (PAGE, geinos),
        ("/utf8", okta_style),
        ("/utf8", manage_engine),
        ("/utf8", geinos),
        ("/utf8", awk),
        ("/long", zentral),
    ],
)
def test_scraped_challenge_enrols_once(ndes, path, scrape):
    status, headers, body = fetch(ndes, path + "/")
    assert status == 200
    assert headers["Cache-Control"] == "no-store"
    challenge = scrape(body)
    assert re.fullmatch(r"[0-9A-F]{32}" if path == "/long" else r"[0-9A-F]{16}", challenge)
    assert enrol(ndes, challenge) == "SUCCESS"
    assert enrol(ndes, challenge) == "FAILURE"


def test_thumbprint_is_md5_of_the_ca_certificate(ndes):
    pem = ndes.admin.call("GET", "/cas/demo")["certificates"][0]["certificate"]
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    digest = hashlib.md5(der).hexdigest().upper()
    groups = " ".join(digest[i : i + 8] for i in range(0, 32, 8))
    assert f"for the CA certificate is: <B> {groups} </B>" in read(ndes)


def test_lifetime_is_told(ndes):
    assert "will expire within 60 minutes." in read(ndes)
    assert "will expire within 90 minutes." in read(ndes, "/long/")


# ---- the way there ----


def test_paths_have_no_case(ndes):
    assert enrol(ndes, zentral(fetch(ndes, "/CertSrv/MSCEP_admin/")[2]),
                 "/CERTSRV/mscep/MSCEP.DLL/pkiclient.exe") == "SUCCESS"


def test_the_slash_is_added(ndes):
    status, headers, _ = fetch(ndes, "/CertSrv/mscep_admin")
    assert (status, headers["Location"]) == (301, PAGE + "/")
    assert fetch(ndes, PAGE + "/x")[0] == 404


@pytest.mark.parametrize(
    "headers",
    [{}, basic(password="Swordfish"), basic(name="nobody"), {"Authorization": "NTLM TlRMTVNTUAAB"}],
)
def test_who_is_unknown_is_asked(ndes, headers):
    before = len(ndes.admin.call("GET", "/challenges?limit=1000")["challenges"])
    status, got, body = fetch(ndes, headers=headers)
    assert status == 401
    assert got["WWW-Authenticate"].startswith("Basic realm=")
    assert b"password is" not in body
    assert len(ndes.admin.call("GET", "/challenges?limit=1000")["challenges"]) == before


def test_without_the_role(ndes):
    text = read(ndes, headers=basic("clerk"))
    assert (
        "<P> You do not have sufficient permission to enroll with SCEP.  "
        "Please contact your system administrator. </P>" in text
    )
    assert "password is" not in text


def test_not_in_the_clear(ndes):
    status, _, body = fetch(ndes, "/tls/")
    assert status == 403
    assert b"https" in body
    assert "WWW-Authenticate" not in fetch(ndes, "/tls/", headers={})[1]


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
def test_get_alone(ndes, method):
    assert fetch(ndes, method=method)[0] == 405


def test_cache_full_until_one_is_used(ndes):
    first = zentral(fetch(ndes, "/full/")[2])
    read(ndes, "/full/")
    text = read(ndes, "/full/")
    assert "<P> The password cache is full. <P> Network Device Enrollment Service stores" in text
    assert "<P>Use one of the existing passwords." in text
    assert enrol(ndes, first) == "SUCCESS"
    assert "challenge password is: <B> " in read(ndes, "/full/")
    assert "cache is full" in read(ndes, "/full/")


def test_single_password(ndes):
    text = read(ndes, "/single/")
    assert " </B> <P> This password can be used multiple times and will not expire." in text
    challenge = re.search(r"password is: <B> ([0-9A-F]{32}) </B>", text)[1]
    assert read(ndes, "/single/") == text
    for _ in range(3):
        assert enrol(ndes, challenge) == "SUCCESS"
    ndes.restart()
    assert read(ndes, "/single/") == text
    assert enrol(ndes, challenge) == "SUCCESS"
    made = [c for c in ndes.admin.call("GET", "/challenges?limit=1000")["challenges"]
            if c["expires"].startswith("9999")]
    assert len(made) == 1
    ndes.admin.call("DELETE", f"/challenges/{made[0]['id']}")
    assert enrol(ndes, challenge) == "FAILURE"
    assert challenge not in read(ndes, "/single/")


def refusals(daemon):
    found = daemon.events("operator.denied", "challenge.refused")
    return [(e["kind"], e["actor"], e["endpoint"]) for e in found]


def test_refusals_are_on_record(make_daemon):
    """A wrong password, a missing role, a full cache: each an event. Nobody asked yet: none."""
    daemon = make_daemon(
        operators=[operator("mdm", roles=["challenge-issuer"]), operator("clerk")],
        endpoints=[
            endpoint("demo"),
            endpoint("mscep", path=SCEP, authorisation={"one_time": True}),
            page("admin", PAGE, maximum=1),
        ],
    )
    fetch(daemon, headers={})
    assert refusals(daemon) == []
    fetch(daemon, headers=basic(password="Swordfish"))
    fetch(daemon, headers=basic("clerk"))
    fetch(daemon)
    fetch(daemon)
    assert refusals(daemon) == [
        ("operator.denied", "127.0.0.1", "admin"),
        ("challenge.refused", "clerk", "admin"),
        ("challenge.refused", "mdm", "admin"),
    ]
    listed = daemon.ctl_json("challenge", "list")["challenges"]
    assert [c["source"] for c in listed] == ["admin"]


def test_guessing_ends_soon(make_daemon):
    """After so many wrong passwords nobody from that address is listened to for a while."""
    daemon = make_daemon(
        login_failures="3/10m",
        operators=[operator("mdm", roles=["challenge-issuer"])],
        endpoints=[
            endpoint("demo"),
            endpoint("mscep", path=SCEP, authorisation={"one_time": True}),
            page("admin", PAGE),
        ],
    )
    for _ in range(3):
        assert fetch(daemon, headers=basic(password="guess"))[0] == 401
    for headers in (basic(password="guess"), basic()):
        status, got, body = fetch(daemon, headers=headers)
        assert status == 429
        assert 100 < int(got["Retry-After"]) <= 200
        assert b"password is" not in body
    assert len(refusals(daemon)) == 3


def test_is_on_record_and_not_in_the_log(ndes):
    challenge = zentral(fetch(ndes)[2])
    event = ndes.events("challenge.created")[-1]
    assert (event["actor"], event["endpoint"]) == ("mdm", "mscep")
    log = ndes.log_path.read_text()
    assert challenge not in log
    assert "swordfish" not in log and basic()["Authorization"][6:] not in log
