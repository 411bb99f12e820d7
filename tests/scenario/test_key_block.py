# SPDX-License-Identifier: Apache-2.0
"""A key that was reported as compromised gets no certificate, by whatever way its holder comes."""

import base64
import contextlib
import hashlib
import sqlite3
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import cmc_peer
import est_peer
import scep_peer
from cmc_peer import Answer, HEADERS, pki_data, signed, tcr
from conftest import endpoint, profile
from daemon import AdminError, listed
from scep_peer import Request
from test_est import est_endpoint, make_est

SAYS = "this key was reported as compromised at 20"
ENDPOINTS = [
    endpoint("demo"),
    endpoint("renew", authorisation={"anyone": True, "renewal": True}),
    endpoint("manual", approval="manual"),
    est_endpoint("open", authorisation={"anyone": True, "renewal": True}, est={"full_cmc": True}),
    est_endpoint("manual", approval="manual", est={"retry_after": "1s"}),
    est_endpoint("maker", authorisation={"certificates": True}),
    est_endpoint("keys", est={"server_keys": "plain"}),
]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    directory = tmp_path_factory.mktemp("key-block")
    daemon = make_est(directory, profiles=[profile(renewal={"window": "any"})], endpoints=ENDPOINTS)
    yield daemon
    daemon.stop()


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def digest(key):
    """By Python's cryptography and hashlib."""
    return hashlib.sha256(scep_peer.spki_of(key)).hexdigest()


def hex_of(cert):
    return f"{cert.serial_number:032x}"


def revoke(daemon, cert, reason="keyCompromise"):
    daemon.ctl("cert", "revoke", hex_of(cert), "--reason", reason)


def block(daemon, key, reason="found in a firmware image"):
    return daemon.ctl_json("key", "block", "--sha256", digest(key), "--reason", reason)


def scep(daemon, key, name="demo", **changes):
    request = Request(key=key, **changes)
    return request, daemon.enrol(request, name)


def granted(daemon, key, name="demo", **changes):
    _, reply = scep(daemon, key, name, **changes)
    assert reply.status == "SUCCESS", reply.fail_text
    return reply.cert


def refused(daemon, request, reply, says=SAYS, step="key"):
    """To the device, and as an administrator is told of it."""
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest"), reply.fail_text
    assert says in reply.fail_text
    story = daemon.admin.explain(request.transaction_id.decode())
    event = story["events"][-1]
    assert story["outcome"] == "rejected" and event["kind"] == "enrol.rejected"
    assert says in event["reason"]
    assert any(s["step"] == step and not s["ok"] for s in event["steps"]), event
    assert step != "key" or "have it make a new one" in story["advice"]


def blocked(daemon, key):
    rows = listed(daemon.admin.call("GET", "/blocked-keys?limit=1000"))
    return next((row for row in rows if row["sha256"] == digest(key)), None)


# ---- SCEP ----


@pytest.mark.parametrize("make", [rsa_key, lambda: scep_peer.ec_key(17)], ids=["rsa", "ec"])
def test_scep_after_a_revocation(daemon, make):
    key, words = make(), {"challenge": "of its own"}
    cert = granted(daemon, key, **words)
    assert blocked(daemon, key) is None
    revoke(daemon, cert)
    row = blocked(daemon, key)
    assert (row["ca"], int(row["serial"], 16)) == ("demo", cert.serial_number)
    assert row["reason"] == "keyCompromise" and row["blocked_by"].startswith("uid ")
    (event,) = [e for e in daemon.events("key.blocked") if digest(key) in e["reason"]]
    assert int(event["serial"], 16) == cert.serial_number
    refused(daemon, *scep(daemon, key, **words))
    granted(daemon, rsa_key())  # nobody else suffers


def test_a_repetition_gets_nothing_either(daemon):
    key = rsa_key()
    request, reply = scep(daemon, key)
    assert daemon.enrol(request.again(sender_nonce=b"n" * 16)).cert == reply.cert
    revoke(daemon, reply.cert)
    refused(daemon, request, daemon.enrol(request.again(sender_nonce=b"m" * 16)))


@pytest.mark.parametrize("message_type", ["17", "19"])
def test_another_certificate_of_the_key_renews_nothing(daemon, message_type):
    key = rsa_key()
    lost, kept = (granted(daemon, key, "renew", subject={"common_name": "two"}) for _ in range(2))
    assert lost != kept

    def renewal(to):
        return Request(
            key=to,
            subject={"common_name": "two"},
            signer_key=key,
            signer_cert=kept,
            message_type=message_type,
        )

    assert daemon.enrol(renewal(rsa_key()), "renew").status == "SUCCESS"
    revoke(daemon, lost)
    asked = renewal(rsa_key())
    says = "the key of the certificate that is renewed was reported as compromised"
    refused(daemon, asked, daemon.enrol(asked, "renew"), says, "renewal")
    asked = renewal(key)
    reply = daemon.enrol(asked, "renew")
    assert reply.status == "FAILURE" and "reported as compromised" in reply.fail_text


def test_blocked_while_it_waits(daemon):
    key, request = rsa_key(), None
    request, reply = scep(daemon, key, "manual")
    _, other = scep(daemon, rsa_key(), "manual")
    assert reply.status == other.status == "PENDING"
    tid = request.transaction_id.decode()
    rows = listed(daemon.admin.call("GET", "/requests?limit=1000"))
    number = next(r["id"] for r in rows if r["transaction"] == tid)
    assert next(r["key_sha256"] for r in rows if r["id"] == number) == digest(key)
    block(daemon, key)
    with pytest.raises(AdminError) as error:
        daemon.admin.call("POST", f"/requests/{number}/approve", {})
    assert error.value.status == 409 and "rejected" in str(error.value.body)
    ca = daemon.authority("manual")
    polled = daemon.enrol(request.poll(ca), "manual", ca)
    assert polled.status == "FAILURE" and "reported as compromised" in polled.fail_text
    assert daemon.admin.explain(tid)["outcome"] == "rejected"
    refused(daemon, *scep(daemon, key, "manual"))
    number = next(r["id"] for r in rows if r["id"] != number)
    daemon.admin.call("POST", f"/requests/{number}/approve", {})


# ---- EST ----


def client_file(path, cert, key):
    return est_peer.write_private(path, est_peer.private_pem(key), est_peer.pem(cert))


def test_est(daemon, tmp_path):
    lost = est_peer.Request("sensor-7")
    cert = daemon.est("open").enrol(lost)
    same = daemon.est("open").enrol(est_peer.Request("sensor-8", key=lost.key))
    file = client_file(tmp_path / "same.pem", same, lost.key)
    again = est_peer.Request("sensor-8", key=lost.key)
    daemon.est("open", client=file).enrol(again, operation="simplereenroll")
    revoke(daemon, cert)
    for name in ("sensor-7", "sensor-8", "sensor-9"):
        asked = est_peer.Request(name, key=lost.key)
        status, headers, body = daemon.est("open").call("POST", "simpleenroll", asked.body)
        assert status == 403 and SAYS in body.decode()
        assert "WWW-Authenticate" not in headers  # no password would help
    for key in (lost.key, new_key()):
        asked = est_peer.Request("sensor-8", key=key)
        answer = daemon.est("open", client=file).call("POST", "simplereenroll", asked.body)
        assert answer[0] == 403 and b"was reported as compromised" in answer[2]
    daemon.est("open").enrol(est_peer.Request("sensor-7"))
    event = daemon.events("enrol.rejected")[-1]
    assert "reported as compromised" in event["reason"]


def test_est_makers_certificate(daemon):
    """One of another CA, which nobody has revoked."""
    file = daemon.maker.issue("serial-99")
    daemon.est("maker", client=file).enrol(est_peer.Request("sensor-99"))
    text = daemon.ctl("key", "block", str(file), "--reason", "stolen").stdout
    assert "is blocked" in text
    answer = daemon.est("maker", client=file).call("POST", "simpleenroll", est_peer.Request("s-98").body)
    assert answer[0] == 403 and b"the key of the certificate shown was reported" in answer[2]
    other = daemon.maker.issue("serial-100")
    daemon.est("maker", client=other).enrol(est_peer.Request("sensor-100"))


def test_est_waiting(daemon):
    asked = est_peer.Request("sensor-waits")
    assert daemon.est("manual").call("POST", "simpleenroll", asked.body)[0] == 202
    block(daemon, asked.key)
    status, _, body = daemon.est("manual").call("POST", "simpleenroll", asked.body)
    assert status == 403 and b"reported as compromised" in body


def test_full_cmc(daemon, tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_text(daemon.ctl("ca", "show", "demo", "--pem").stdout)
    asked = est_peer.Request("sensor-cmc")

    def ask():
        message = signed(pki_data(requests=[tcr(1, asked.der)]), asked.key)
        sent = daemon.est("open").call("POST", "fullcmc", base64.encodebytes(message), HEADERS)
        return Answer(sent, ca, tmp_path)

    block(daemon, asked.key)
    answer = ask()
    assert (answer.http, answer.status, answer.fail_info) == (403, "failed", "noKeyReuse")
    assert SAYS in answer.text
    daemon.ctl("key", "unblock", "--sha256", digest(asked.key))
    assert ask().http == 200


def test_a_device_says_so_itself(daemon, tmp_path):
    """revokeRequest, signed with the key that is lost."""
    ca = tmp_path / "ca.pem"
    ca.write_text(daemon.ctl("ca", "show", "demo", "--pem").stdout)
    asked = est_peer.Request("sensor-lost")
    cert = daemon.est("open").enrol(asked)
    words = cmc_peer.revoke(cert.issuer, cert.serial_number)  # keyCompromise
    message = signed(pki_data([cmc_peer.control(3, "revoke_request", words)]), asked.key, cert)
    for _ in range(2):  # with a blocked key, too: it can do no harm by it
        sent = daemon.est("open").call("POST", "fullcmc", base64.encodebytes(message), HEADERS)
        assert Answer(sent, ca, tmp_path).status == "success"
    assert "sensor-lost" in blocked(daemon, asked.key)["blocked_by"]
    status, _, body = daemon.est("open").call("POST", "simpleenroll", asked.body)
    assert status == 403 and SAYS in body.decode()


def test_keys_that_the_server_makes(daemon):
    """The key that signs the request is not certified: it does not matter."""
    asked = est_peer.Request("sensor-keyless")
    block(daemon, asked.key)
    assert daemon.est("keys").call("POST", "serverkeygen", asked.body)[0] == 200


# ---- the commands ----


def openssl(*arguments, text=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, check=True).stdout


def test_files_of_all_kinds(daemon, tmp_path):
    """Made by openssl, named by sha256sum's hash."""
    key = tmp_path / "leaked.key"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    want = hashlib.sha256(openssl("pkey", "-in", key, "-pubout", "-outform", "DER")).hexdigest()
    made = {"private": key}
    for form in ("PEM", "DER"):
        made["pub" + form] = tmp_path / f"pub.{form}"
        openssl("pkey", "-in", key, "-pubout", "-outform", form, "-out", made["pub" + form])
        made["csr" + form] = tmp_path / f"csr.{form}"
        openssl("req", "-new", "-key", key, "-subj", "/CN=x", "-outform", form, "-out", made["csr" + form])
        made["cert" + form] = tmp_path / f"cert.{form}"
        openssl("req", "-new", "-x509", "-key", key, "-subj", "/CN=x", "-outform", form, "-out", made["cert" + form])
    for kind, path in made.items():
        done = daemon.ctl_json("key", "block", str(path), "--reason", kind)
        assert done == {"added": kind == "private", "kept": kind != "private"}
        shown = daemon.ctl_json("key", "show", str(path))
        assert (shown["sha256"], shown["reason"]) == (want, "private")
        assert (shown["ca"], shown["serial"]) == (None, None)
    assert want in daemon.ctl("key", "show", "--sha256", want).stdout
    assert daemon.ctl("key", "unblock", str(key)).stdout == f"key {want} may be certified again\n"
    gone = daemon.ctl("key", "unblock", str(key), check=False)
    assert gone.returncode == 66 and "not blocked" in gone.stderr
    kinds = [e["kind"] for e in daemon.events("key.blocked", "key.unblocked") if want in e["reason"]]
    assert kinds == ["key.blocked", "key.unblocked"]


def test_wrong_files(daemon, tmp_path):
    (tmp_path / "nothing").write_text("-----BEGIN CERTIFICATE-----\n")
    for arguments, says in [
        ((str(tmp_path / "nothing"),), "no certificate, certificate request"),
        (("--sha256", "abc"), "no SHA-256"),
        (("--sha256", "00" * 31), "no SHA-256"),
        ((), "give a FILE, or --sha256"),
        ((str(tmp_path / "nothing"), "--sha256", "00" * 32), "give a FILE, or --sha256"),
    ]:
        run = daemon.ctl("key", "block", *arguments, "--reason", "x", check=False)
        assert run.returncode != 0 and says in run.stderr, run.stderr
    for body in [
        {"sha256": [], "reason": "x"},
        {"sha256": ["00" * 32] * 1001, "reason": "x"},
        {"sha256": ["00" * 32]},
        {"sha256": ["00" * 32], "reason": ""},
        {"sha256": ["00" * 32], "reason": "x" * 201},
        {"sha256": [7], "reason": "x"},
        {"sha256": ["00" * 32], "reason": "x", "more": 1},
    ]:
        with pytest.raises(AdminError) as error:
            daemon.admin.call("POST", "/blocked-keys", body)
        assert error.value.status == 400


def test_import_and_list(daemon, tmp_path):
    key, before = rsa_key(), len(daemon.events("keys.blocked"))
    hashes_ = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(2500)] + [digest(key).upper()]
    file = tmp_path / "weak.txt"
    file.write_text("# published\n\n" + "".join(f"{h}  key-{i}.pub\n" for i, h in enumerate(hashes_)))
    broken = tmp_path / "broken.txt"
    broken.write_text(file.read_text() + "0badhash\n")
    run = daemon.ctl("key", "import", str(broken), "--reason", "weak", check=False)
    assert run.returncode != 0 and 'line 2504: "0badhash"' in run.stderr
    assert blocked(daemon, key) is None  # nothing of it
    assert daemon.ctl("key", "import", str(file), "--reason", "weak").stdout == "2501 keys blocked, 0 were before\n"
    assert daemon.ctl_json("key", "import", str(file), "--reason", "weak") == {"added": 0, "kept": 2501}
    # a commit and an event a thousand; one that changes nothing is none
    assert len(daemon.events("keys.blocked")) + len(
        [e for e in daemon.events("key.blocked") if digest(key) in e["reason"]]
    ) == before + 3
    refused(daemon, *scep(daemon, key))
    seen, page = [], daemon.ctl_json("key", "list", "--limit", "1000")
    while True:
        seen += [row["sha256"] for row in page["keys"]]
        if not page["next"]:
            break
        page = daemon.ctl_json("key", "list", "--limit", "1000", "--cursor", page["next"])
    assert seen == sorted(set(seen)) and set(h.lower() for h in hashes_) <= set(seen)


# ---- reasons ----


def test_only_a_compromised_key(daemon):
    """Superseded, on hold: the key is as good as before. Then it turns out to be lost."""
    key = rsa_key()
    first, second = granted(daemon, key), granted(daemon, key)
    daemon.ctl("cert", "hold", hex_of(first))
    revoke(daemon, second, "superseded")
    assert blocked(daemon, key) is None
    granted(daemon, key)
    revoke(daemon, second)  # later, with the other reason
    status = daemon.ctl_json("cert", "show", hex_of(second))
    assert (status["status"], status["reason"]) == ("revoked", "keyCompromise")
    refused(daemon, *scep(daemon, key))
    again = daemon.ctl("cert", "revoke", hex_of(second), "--reason", "keyCompromise", check=False)
    assert again.returncode == 73
    back = daemon.ctl("cert", "revoke", hex_of(second), "--reason", "superseded", check=False)
    assert back.returncode == 73


# ---- an older store ----


def test_an_upgrade_finds_what_was_revoked(make_daemon):
    daemon = make_daemon()
    lost, kept = rsa_key(), scep_peer.rsa_key(3)
    revoke(daemon, granted(daemon, lost))
    revoke(daemon, granted(daemon, kept), "superseded")
    daemon.stop()
    with contextlib.closing(sqlite3.connect(daemon.directory / "store.db")) as db:
        db.executescript(
            "DROP TABLE blocked_key; DROP INDEX request_pending_key; PRAGMA user_version = 13;"
        )
    daemon.start()
    assert blocked(daemon, lost)["reason"] == "keyCompromise" and blocked(daemon, kept) is None
    refused(daemon, *scep(daemon, lost))
    granted(daemon, kept)
