# SPDX-License-Identifier: Apache-2.0
"""The admin API over HTTPS: who is let in, what each role may do, and what is on record of it."""

import json
import os
import signal
import subprocess

import pytest
from cryptography import x509

from daemon import AdminError, endpoint, program, scepter, static_hash, wait_for
from scep_peer import Request
from operators import Authority, Remote, fingerprint, https_daemon

ROLES = ("administrator", "approver", "auditor", "challenge-issuer")


def account(name, roles, **known_by):
    return {"name": name, "roles": roles, **known_by}


class Scene:
    def __init__(self, directory):
        directory.mkdir()
        self.people = Authority(directory, "people")
        self.foreign = Authority(directory, "foreign")
        self.cert = {role: self.people.issue(role) for role in ROLES}
        self.pinned = self.foreign.issue("pinned")
        self.expired = self.people.issue("auditor", file="expired", start=-5, days=-3)
        named = lambda cn: {"subject": f"CN={cn}", "issuer": "CN=people"}  # noqa: E731
        accounts = [account(r, [r], certificate=named(r)) for r in ROLES]
        accounts += [account("p-" + r, [r], password=static_hash("swordfish")) for r in ROLES]
        accounts += [
            account("nobody", [], password=static_hash("swordfish")),
            account("second", ["approver"], password=static_hash("swordfish")),
            account("pin", ["auditor"], certificate={"sha256": fingerprint(self.pinned[0])}),
        ]
        self.daemon, self.port, server_ca = https_daemon(
            directory,
            accounts,
            tls={"client_certificates": "request", "client_ca": str(self.people.path)},
            endpoints=[
                endpoint("demo"),
                endpoint("two", approval="manual", approvers=2),
            ],
            login_failures="1000/s",
        )
        self.ca = str(server_ca.path)
        self.daemon.start()
        self.daemon.admin.ca_init("demo")

    def by_cert(self, cert):
        return Remote(self.port, self.ca, cert=self.cert[cert] if isinstance(cert, str) else cert)

    def by_password(self, name, password="swordfish", cert=None):
        return Remote(self.port, self.ca, cert=cert, password=(name, password))


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Scene(tmp_path_factory.mktemp("https") / "s")
    yield made
    made.daemon.stop()


# ---- who is let in ----


def test_by_certificate_and_by_password(scene):
    for role in ROLES:
        assert scene.by_cert(role).call("GET", "/status")["keeper"]
        assert scene.by_password("p-" + role).call("GET", "/status")["keeper"]
    assert scene.by_cert(scene.pinned).status("GET", "/audit/events") == 200


def test_curl_with_a_certificate(scene):
    cert, key = scene.cert["auditor"]
    run = subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "--cacert", scene.ca, "--cert", cert, "--key", key,
         f"https://localhost:{scene.port}/v1/cas"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(run.stdout)["cas"][0]["name"] == "demo"


@pytest.mark.parametrize(
    "who, says",
    [
        (lambda s: Remote(s.port, s.ca), "no client certificate"),
        (lambda s: s.by_cert(s.foreign.issue("stranger")), "no operator's"),
        (lambda s: s.by_cert(s.foreign.issue("auditor")), "no operator's"),
        (lambda s: s.by_cert(Authority(s.people.directory.parent, "people").issue("auditor")),
         "leads to no CA"),
        (lambda s: s.by_cert(s.people.issue("somebody")), "no operator's"),
        (lambda s: s.by_cert(s.expired), "its time is over"),
        (lambda s: s.by_password("p-auditor", "Swordfish"), "wrong name or password"),
        (lambda s: s.by_password("auditor"), "wrong name or password"),
        (lambda s: s.by_password("nemo"), "wrong name or password"),
    ],
    ids=["nothing", "foreign", "same-name", "namesake-ca", "unknown", "expired", "wrong-password",
         "no-password", "no-such-name"],
)  # fmt: skip
def test_who_is_not_let_in(scene, who, says):
    status, headers, body = who(scene).raw("GET", "/v1/status")
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Basic realm=")
    answer = json.loads(body)
    assert answer["error"] == "denied" and says in answer["message"]
    if "no client certificate" not in says:
        event = scene.daemon.events("operator.denied")[-1]
        assert event["actor"] == "127.0.0.1" and says in event["reason"]


def test_a_password_counts_where_the_certificate_is_nobodys(scene):
    stranger = scene.people.issue("stranger")
    assert scene.by_password("p-auditor", cert=stranger).status("GET", "/status") == 200


def test_without_client_ca_no_name_counts(tmp_path):
    """Any certificate passes the handshake there: only one that is pinned makes an operator."""
    people = Authority(tmp_path, "people")
    cert = people.issue("auditor")
    accounts = [
        account("named", ["auditor"], certificate={"subject": "CN=auditor", "issuer": "CN=people"}),
    ]
    daemon, port, ca = https_daemon(tmp_path, accounts, tls={"client_certificates": "request"})
    daemon.start()
    try:
        remote = Remote(port, str(ca.path), cert=cert)
        assert remote.status("GET", "/status") == 401
        accounts[0]["certificate"] = {"sha256": fingerprint(cert[0])}
        daemon.config["operators"] = accounts
        daemon.write_config()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for("the new configuration", lambda: remote.status("GET", "/status") == 200)
    finally:
        daemon.stop()


def test_guessers_wait(tmp_path):
    daemon, port, ca = https_daemon(
        tmp_path, [account("a", ["auditor"], password=static_hash("right"))], login_failures="3/h"
    )
    daemon.start()
    try:
        wrong = Remote(port, str(ca.path), password=("a", "wrong"))
        assert [wrong.status("GET", "/status") for _ in range(3)] == [401] * 3
        status, headers, _ = Remote(port, str(ca.path), password=("a", "right")).raw(
            "GET", "/v1/status")  # fmt: skip
        assert status == 429 and int(headers["Retry-After"]) > 0
        assert len(daemon.events("operator.denied")) == 3
    finally:
        daemon.stop()


def test_served_on_its_listeners_only(scene):
    assert scene.daemon.http("GET", "/v1/status")[0] == 404
    assert scene.by_password("p-auditor").raw("GET", "/scep/demo?operation=GetCACaps")[0] == 200


def enrol_operator(daemon, directory, name):
    """Certificate and key of an operator whom our own CA knows."""
    cert, key = directory / f"{name}.pem", directory / f"{name}.key"
    run = scepter("enrol", "--url", daemon.url(), "--subject", f"CN={name}", "--key", key,
                  "--ca-fingerprint", daemon.authority().fingerprint, "--cert", cert)  # fmt: skip
    assert run.returncode == 0, run.stderr
    return cert, key


def test_a_ca_of_ours_vouches_until_it_revokes(tmp_path):
    """client_authority: made while the server runs; no other CA's gets through the handshake."""
    names = {"subject": "CN=boss", "issuer": "CN=demo CA,O=Scepter test"}
    daemon, port, server_ca = https_daemon(
        tmp_path,
        [account("boss", ["auditor"], certificate=names)],
        tls={"client_certificates": "require", "client_authority": "demo"},
    )
    daemon.start()
    try:
        foreign = Authority(tmp_path, "foreign").issue("boss")
        stranger = Remote(port, str(server_ca.path), cert=foreign)
        with pytest.raises(OSError):
            stranger.status("GET", "/status")
        daemon.admin.ca_init("demo")
        cert, key = enrol_operator(daemon, tmp_path, "boss")
        boss = Remote(port, str(server_ca.path), cert=(cert, key))
        assert boss.status("GET", "/status") == 200
        with pytest.raises(OSError):
            stranger.status("GET", "/status")
        daemon.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: "configuration reloaded" in daemon.tail(9000))
        assert boss.status("GET", "/status") == 200
        daemon.ctl("key", "block", str(cert), "--reason", "the laptop is lost")
        status, _, body = boss.raw("GET", "/v1/status")
        assert status == 401 and b"the key of the certificate shown was reported" in body
        daemon.ctl("key", "unblock", str(cert))
        assert boss.status("GET", "/status") == 200
        serial = x509.load_pem_x509_certificate(cert.read_bytes()).serial_number
        daemon.ctl("cert", "revoke", f"{serial:032x}")
        status, _, body = boss.raw("GET", "/v1/status")
        assert status == 401 and b"revoked" in body
    finally:
        daemon.stop()


# ---- what they may do ----


def test_wrong_role_and_no_role(scene):
    status, _, body = scene.by_cert("auditor").raw("POST", "/v1/challenges", {})
    assert status == 403 and json.loads(body)["error"] == "denied"
    event = scene.daemon.events("admin.refused")[-1]
    assert event["actor"] == "auditor"
    assert "POST /v1/challenges from 127.0.0.1 by certificate" in event["reason"]
    assert scene.by_password("nobody").status("GET", "/status") == 403


def test_an_act_is_on_record(scene):
    answer = scene.by_password("p-challenge-issuer").call("POST", "/challenges", {"lifetime": "1h"})
    called, created = scene.daemon.events()[-2:]
    assert (called["kind"], called["actor"]) == ("admin.called", "p-challenge-issuer")
    assert called["reason"] == "POST /v1/challenges from 127.0.0.1 by password"
    assert (created["kind"], created["actor"]) == ("challenge.created", "p-challenge-issuer")
    scene.by_cert("challenge-issuer").call("DELETE", "/challenges/" + answer["id"])
    called = scene.daemon.events("admin.called")[-1]
    assert called["actor"] == "challenge-issuer"
    assert called["reason"].startswith(f"DELETE /v1/challenges/{answer['id']} from 127.0.0.1 by ")


def test_two_persons_are_two_operators(scene):
    """One operator is one person, from wherever and by whatever means he comes."""
    daemon = scene.daemon
    reply = daemon.enrol(Request(), "two")
    assert reply.status == "PENDING"
    row = daemon.admin.call("GET", "/requests")["requests"][-1]
    path = f"/requests/{row['id']}/approve"
    first = scene.by_cert("approver")
    assert first.call("POST", path, {})["approvals"] == 1
    with pytest.raises(AdminError) as again:
        first.call("POST", path, {})
    assert again.value.status == 409
    assert scene.by_password("second").call("POST", path, {})["state"] == "issued"


def test_a_web_page_cannot_act_for_an_operator(scene):
    remote = scene.by_cert("administrator")
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        status, _, body = remote.raw("POST", "/v1/challenges", {}, {"Content-Type": kind})
        assert status == 400 and b"Content-Type" in body


# ---- scepterctl ----


def ctl(scene, *arguments, text=None, env=None):
    return subprocess.run(
        [program("scepterctl"), *map(str, arguments)],
        capture_output=True, text=True, input=text, env={**os.environ, **(env or {})},
    )  # fmt: skip


def test_scepterctl_by_url(scene, tmp_path):
    url = f"https://localhost:{scene.port}"
    cert, key = scene.cert["administrator"]
    by_cert = ["--url", url, "--cert", cert, "--key", key, "--ca", scene.ca]
    run = ctl(scene, *by_cert, "--json", "cert", "list", "--ca", "demo", "--limit", "5")
    assert run.returncode == 0, run.stderr
    assert "certs" in json.loads(run.stdout)
    assert ctl(scene, *by_cert, "ca", "show", "demo").returncode == 0

    password = tmp_path / "password"
    password.write_text("swordfish\n")
    by_name = ["--url", url, "--ca", scene.ca, "--user", "p-challenge-issuer"]
    run = ctl(scene, *by_name, "--password-file", password, "challenge", "new")
    assert run.returncode == 0 and len(run.stdout.strip()) == 26
    run = ctl(scene, *by_name, "--password-file", "-", "cert", "list", text="swordfish\n")
    assert run.returncode == 77 and "no role" in run.stderr
    run = ctl(scene, *by_name, "--password-file", "-", "cert", "list", text="catfish\n")
    assert run.returncode == 77 and "wrong name or password" in run.stderr
    env = {"SCEPTER_URL": url, "SCEPTER_CA": scene.ca, "SCEPTER_USER": "p-auditor",
           "SCEPTER_PASSWORD_FILE": str(password)}  # fmt: skip
    assert ctl(scene, "audit", "tail", env=env).returncode == 0


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--url", "http://localhost:1", "status"], "does not begin with https://"),
        (["--url", "https://localhost:1", "--socket", "x", "status"], "not both"),
        (["--url", "https://localhost:1", "--cert", "x", "status"], "go together"),
        (["--url", "https://localhost:1", "--user", "x", "status"], "go together"),
        (["--cert", "x", "--key", "y", "status"], "are for --url"),
        (["--url", "https://localhost:1", "backup", "x", "--with-keys"], "no server gives its keys"),
    ],
)
def test_scepterctl_options_that_do_not_go_together(scene, arguments, says):
    run = ctl(scene, *arguments)
    assert run.returncode == 64 and says in run.stderr


def test_scepterctl_checks_the_server(scene):
    run = ctl(scene, "--url", f"https://localhost:{scene.port}", "status")
    assert run.returncode == 74 and "not trusted" in run.stderr


def test_backup_by_url(scene, tmp_path):
    cert, key = scene.cert["administrator"]
    by_cert = ["--url", f"https://localhost:{scene.port}", "--cert", cert, "--key", key,
               "--ca", scene.ca]  # fmt: skip
    run = ctl(scene, *by_cert, "backup", tmp_path / "b")
    assert run.returncode == 0, run.stderr
    assert "Without the private keys" in run.stdout
    assert json.loads((tmp_path / "b" / "manifest.json").read_text())["keys"] == []
    begun = scene.daemon.events("backup.begun")[-1]
    assert begun["actor"] == "administrator"
