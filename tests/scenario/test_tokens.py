# SPDX-License-Identifier: Apache-2.0
"""Keys in a PKCS#11 token (SoftHSM): made, used, pulled and put back."""

import concurrent.futures
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from daemon import PATIENCE, check_config, endpoint, free_port, profile, wait_for
from life import Life, endpoints, openssl
from scep_peer import Request
from softhsm import PIN, SoftHsm


@pytest.fixture
def hsm(tmp_path):
    return SoftHsm(tmp_path / "hsm")


@pytest.fixture
def make_with(make_daemon, hsm):
    """make_with(...): a daemon that can use the token."""

    def make(start=True, environment=None, keys=None, **options):
        options.setdefault("endpoints", endpoints() + [endpoint("files", ca="files")])
        daemon = make_daemon(start=False, keys=keys or hsm.keys(), **options)
        daemon.environment.update(hsm.environment, **(environment or {}))
        return daemon.start() if start else daemon

    return make


def init(daemon, hsm, name="demo", *options, check=True):
    return daemon.ctl("ca", "init", name, "--key-store", hsm.uri(), *options, check=check)


def objects(hsm):
    return hsm.tool("--list-objects")


def files(daemon, suffix):
    return sorted(p.name for p in (daemon.directory / "keys").glob("*" + suffix))


def test_from_the_first_to_the_last_certificate(make_with, hsm, tmp_path):
    """CA and RA in the token: issue, list, answer; restart; again. The PIN is nowhere."""
    daemon = make_with()
    init(daemon, hsm, "demo", "--key", "p384", "--ra-key-store", hsm.uri())
    life = Life(daemon, tmp_path)
    life.live("one")
    daemon.restart()
    life.live("two")
    listed = objects(hsm)
    assert listed.count("never extractable") == 2
    # the RA's alone decrypts
    assert listed.count("Private Key Object; EC") == 1
    tokens = [name.rpartition(".")[0] for name in files(daemon, ".token")]
    assert len(tokens) == 2 and not any("demo-ca" in n or "demo-ra" in n for n in files(daemon, ".key"))
    for path in [daemon.log_path, *(daemon.directory / "keys").iterdir()]:
        assert PIN.encode() not in path.read_bytes()


@pytest.mark.parametrize("kind", ["p256", "p521", "rsa2048", "ed25519"])
def test_kinds_of_keys(make_with, hsm, tmp_path, kind):
    daemon = make_with()
    run = init(daemon, hsm, "demo", "--key", kind, check=False)
    if kind == "ed25519" and "no such algorithm" in run.stderr:
        pytest.skip("this SoftHSM has no Ed25519")
    assert run.returncode == 0, run.stderr
    Life(daemon, tmp_path).live("one")


def certify(hsm, directory, name, kind):
    """A key in the token, and a certificate over its public key, by another's."""
    hsm.tool("--keypairgen", "--key-type", kind, "--label", f"tls-{name}", "--id", "0102" + name.encode().hex())
    public = directory / f"{name}.pub"
    hsm.tool("--read-object", "--type", "pubkey", "--label", f"tls-{name}", "-o", public)
    openssl("pkey", "-pubin", "-inform", "DER", "-in", public, "-out", directory / f"{name}.pub.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory / "any.key",
            "-subj", "/CN=any", "-out", directory / "any.pem")  # fmt: skip
    openssl("x509", "-new", "-force_pubkey", directory / f"{name}.pub.pem", "-subj", "/CN=localhost",
            "-CA", directory / "any.pem", "-CAkey", directory / "any.key", "-out",
            directory / f"{name}.pem")  # fmt: skip


def tls_listener(name, certificate, key):
    tls = {"certificate": str(certificate), "key": str(key)}
    return {"name": name, "address": "127.0.0.1", "port": free_port(), "tls": tls}


def shake_hands(port, version=None):
    """The certificate that is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as tls:
        return tls.getpeercert(binary_form=True)


def hands_are_shaken(port):
    try:
        return shake_hands(port)
    except (ssl.SSLError, ConnectionError):
        return None


def test_pss_and_tls(make_with, hsm, tmp_path):
    """A TLS listener's key in the token: RSA with TLS 1.3 (PSS) and 1.2, and P-256."""
    daemon = make_with(start=False)
    for name, kind in [("rsa", "rsa:2048"), ("ec", "EC:prime256v1")]:
        certify(hsm, tmp_path, name, kind)
        daemon.config["http"]["listeners"].append(
            tls_listener(name, tmp_path / f"{name}.pem", hsm.uri(f"object=tls-{name}"))
        )
    daemon.write_config()
    daemon.start()
    for listener in daemon.config["http"]["listeners"][1:]:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            assert shake_hands(listener["port"], version)


def readiness(daemon):
    """(status, what is not ready)"""
    url = f"http://127.0.0.1:{daemon.config['metrics']['port']}/readyz"
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, json.load(answer)["not_ready"]
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)["not_ready"]


def test_listener_whose_token_is_missing_from_the_start(make_with, hsm, tmp_path):
    """The others serve; an alarm and readiness say so; it serves when the token is there."""
    certify(hsm, tmp_path, "ec", "EC:prime256v1")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "file.key",
            "-subj", "/CN=file", "-out", tmp_path / "file.pem")  # fmt: skip
    daemon = make_with(start=False, endpoints=[endpoint("demo")], metrics={"port": free_port()})
    # in this order: what is wrong with the first key is not the second one's matter
    token = tls_listener("token", tmp_path / "ec.pem", hsm.uri("object=tls-ec"))
    file = tls_listener("file", tmp_path / "file.pem", tmp_path / "file.key")
    daemon.config["http"]["listeners"] += [token, file]
    daemon.write_config()
    hsm.pull()
    daemon.start()
    daemon.admin.ca_init("demo")
    assert daemon.enrol(Request()).status == "SUCCESS"
    assert shake_hands(file["port"])
    assert hands_are_shaken(token["port"]) is None
    (event,) = wait_for("alarm", lambda: daemon.events("tls.unavailable"), step=0.3)
    assert "listener token" in event["reason"] and "not there" in event["reason"]
    status, missing = readiness(daemon)
    assert status == 503 and [(m["what"], m["name"]) for m in missing] == [("listener", "token")]
    hsm.plug()
    shown = wait_for("the token's return", lambda: hands_are_shaken(token["port"]), step=0.5)
    assert x509.load_der_x509_certificate(shown).subject.rfc4514_string() == "CN=localhost"
    wait_for("all-clear", lambda: daemon.events("tls.available"), step=0.3)
    assert readiness(daemon)[0] == 200
    assert len(daemon.events("tls.unavailable")) == 1


def test_own_certificate_whose_token_is_missing(make_with, hsm, tmp_path):
    """From the start: an alarm says so; pulled later: within a minute. It is there again with the token."""
    daemon = make_with(start=False, keys=hsm.keys(store=hsm.uri()), endpoints=[endpoint("demo")],
                       profiles=[profile(), profile("tls", eku=["serverAuth"])])  # fmt: skip
    port = free_port()
    daemon.config["http"]["listeners"].append(
        {"name": "own", "address": "127.0.0.1", "port": port,
         "tls": {"ca": "demo", "profile": "tls", "names": ["localhost"]}}
    )  # fmt: skip
    daemon.write_config()
    daemon.start()
    daemon.admin.ca_init("demo")
    first = wait_for("certificate", lambda: hands_are_shaken(port), step=0.3)
    alarms = lambda: (len(daemon.events("tls.unavailable")), len(daemon.events("tls.available")))  # noqa: E731
    hsm.pull()
    daemon.restart()
    assert hands_are_shaken(port) is None
    wait_for("alarm", lambda: alarms() == (1, 0), step=0.3)
    hsm.plug()
    assert wait_for("the token's return", lambda: hands_are_shaken(port), step=0.5) == first
    wait_for("all-clear", lambda: alarms() == (1, 1), step=0.5)
    hsm.pull()
    wait_for("alarm", lambda: alarms() == (2, 1), seconds=90, step=1)
    hsm.plug()
    wait_for("all-clear", lambda: alarms() == (2, 2), step=1)
    assert hands_are_shaken(port) == first


def test_a_wrong_key_is_refused_all_the_same(make_with, hsm, tmp_path):
    certify(hsm, tmp_path, "ec", "EC:prime256v1")
    certify(hsm, tmp_path, "other", "EC:prime256v1")
    daemon = make_with(start=False)
    daemon.config["http"]["listeners"].append(
        tls_listener("token", tmp_path / "ec.pem", hsm.uri("object=tls-other"))
    )
    daemon.write_config()
    daemon.spawn()
    assert daemon.process.wait(PATIENCE) == 78
    daemon.process = None
    assert "is not the private key of" in daemon.tail(9000)


def test_many_at_once(make_with, hsm, tmp_path):
    daemon = make_with()
    init(daemon, hsm, "demo", "--ra-key-store", hsm.uri())
    life = Life(daemon, tmp_path)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        runs = list(pool.map(life.ask, [f"device{i}" for i in range(36)]))
    assert all(run.returncode == 0 for run in runs), [run.stderr for run in runs]


def test_token_that_is_pulled_and_put_back(make_with, hsm, tmp_path):
    """Its CA answers 503, says why, and comes back by itself; another CA never notices."""
    daemon = make_with()
    init(daemon, hsm, "demo", "--ra-key-store", hsm.uri())
    daemon.admin.ca_init("files")
    life = Life(daemon, tmp_path)
    life.live("one")

    def other_goes_on():
        assert daemon.enrol(Request(), "files").status == "SUCCESS"

    hsm.pull()
    run = life.ask("two")
    assert run.returncode == 75 and "503" in run.stderr
    reasons = [line.get("reason", "") for line in daemon.log_lines()]
    assert 'token "scepter": decrypting: it is not there' in reasons
    other_goes_on()
    # and when it is missing from the start
    daemon.restart()
    assert [line for line in daemon.log_lines() if line["msg"].startswith("key cannot be used")]
    assert life.ask("two").returncode == 75
    other_goes_on()
    hsm.plug()
    wait_for("the token's return", lambda: life.ask("two").returncode == 0, step=0.3)
    life.live("three")


def test_key_that_is_there_already(make_with, hsm, tmp_path):
    """`--key-store` with the URI of a key uses it, if it is of the kind that was asked for."""
    hsm.tool("--keypairgen", "--key-type", "EC:secp384r1", "--label", "root", "--id", "aa01")
    daemon = make_with()
    init_at = lambda name, *o: daemon.ctl("ca", "init", name, *o, check=False)  # noqa: E731
    run = init_at("demo", "--key-store", hsm.uri("object=root"))
    assert run.returncode != 0 and "the key in the token is P-384 of 384 bits, not P-256" in run.stderr
    run = init_at("demo", "--key", "p384", "--key-store", hsm.uri("object=root"))
    assert run.returncode == 0, run.stderr
    Life(daemon, tmp_path).live("one")
    public = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes()).public_key()
    assert isinstance(public.curve, ec.SECP384R1)
    assert objects(hsm).count("Private Key Object") == 1
    hsm.tool("--keypairgen", "--key-type", "EC:secp384r1", "--label", "root", "--id", "aa02")
    run = init_at("files", "--key", "p384", "--key-store", hsm.uri("object=root"))
    assert run.returncode != 0 and "several private keys like this; add object= or id=" in run.stderr


def test_all_keys_in_the_token(make_with, hsm, tmp_path):
    """keys.store: CA, RA, responder and the record's; not one key file."""
    daemon = make_with(keys=hsm.keys(store=hsm.uri()))
    daemon.admin.ca_init("demo")
    Life(daemon, tmp_path).live("one")
    assert not files(daemon, ".key") and len(files(daemon, ".token")) == 4
    assert objects(hsm).count("Private Key Object") == 4
    daemon.restart()
    Life(daemon, tmp_path).live("two")


def test_pin_by_the_uri(make_with, hsm, tmp_path):
    keys = hsm.keys()
    del keys["pkcs11"]["pin"]
    daemon = make_with(keys=keys)
    uri = hsm.uri() + f"?pin-source=file:{hsm.pin_file}"
    daemon.ctl("ca", "init", "demo", "--key-store", uri)
    Life(daemon, tmp_path).live("one")
    daemon.restart()
    Life(daemon, tmp_path).live("two")


def test_wrong_pin(make_with, hsm, tmp_path):
    """It is said, and not tried again; the rest goes on."""
    daemon = make_with()
    init(daemon, hsm)
    daemon.admin.ca_init("files")
    daemon.stop()
    hsm.pin_file.write_text("wide-of-the-mark")
    daemon.start()
    said = [line for line in daemon.log_lines() if line["msg"].startswith("key cannot be used")]
    assert "refuses the PIN, which is not tried again before a restart" in said[-1]["reason"]
    assert Life(daemon, tmp_path).ask("one").returncode == 75
    assert "wide-of-the-mark" not in daemon.log_path.read_text()
    hsm.pin_file.write_text(PIN)
    daemon.restart()
    Life(daemon, tmp_path).live("two")


REFUSALS = [
    ({"store": "pkcs11:token=t"}, "keys.store: is in a PKCS#11 token; set keys.pkcs11.module"),
    ({"store": "tpm:"}, "keys.store: is in a TPM; set keys.tpm.tcti"),
    ({"store": "vault:x"}, 'keys.store: "vault:x" is none of file, pkcs11:..., tpm:...'),
    ({"store": "pkcs11:token=t?pin-value=1234"}, "keys.store: PKCS#11 URI: pin-value: a PIN stands in no"),
    ({"pkcs11": {"module": "softhsm.so"}}, 'keys.pkcs11.module: "softhsm.so" is no absolute path'),
    ({"pkcs11": {"module": "/nonexistent.so"}}, "keys.pkcs11.module: /nonexistent.so: No such file"),
    ({"pkcs11": {"module": "/bin/sh", "pin": "1234"}}, "keys.pkcs11.pin: says where it comes from"),
]


@pytest.mark.parametrize("keys,says", REFUSALS)
def test_configuration_that_is_refused(make_daemon, keys, says):
    daemon = make_daemon(start=False, keys=keys)
    run = check_config(daemon.config_path)
    assert run.returncode == 78 and says in run.stderr, run.stderr
    assert "1234" not in run.stderr


def test_module_that_is_none_is_refused_at_start(make_daemon):
    daemon = make_daemon(start=False, keys={"pkcs11": {"module": "/bin/sh"}})
    daemon.spawn()
    assert daemon.process.wait(PATIENCE) == 78
    daemon.process = None
    assert "keys.pkcs11.module: /bin/sh" in daemon.tail(9000)


@pytest.mark.skipif(not shutil.which("p11-kit"), reason="p11-kit is not here")
def test_token_behind_a_socket(make_with, hsm, tmp_path):
    """p11-kit's remoting, as with a network HSM: the server dies, comes back, and so does the CA."""
    module = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so"
    if not os.path.exists(module):
        pytest.skip("p11-kit-client.so (Debian: p11-kit-modules) is not here")
    address = tmp_path / "p11.sock"
    running = []

    def serve():
        address.unlink(missing_ok=True)
        command = ["p11-kit", "server", "-f", "-n", str(address), "--provider", hsm.module, hsm.uri()]
        running.append(subprocess.Popen(command, env=dict(os.environ, **hsm.environment),
                                        stdout=subprocess.DEVNULL, start_new_session=True))  # fmt: skip
        wait_for("p11-kit server", address.exists)

    def kill():
        os.killpg(running[-1].pid, signal.SIGKILL)
        running.pop().wait()

    serve()
    try:
        keys = hsm.keys()
        keys["pkcs11"]["module"] = module
        daemon = make_with(keys=keys, environment={"P11_KIT_SERVER_ADDRESS": f"unix:path={address}"})
        init(daemon, hsm, "demo", "--ra-key-store", hsm.uri())
        life = Life(daemon, tmp_path)
        life.live("one")
        kill()
        assert life.ask("two").returncode == 75
        serve()
        wait_for("the token's return", lambda: life.ask("two").returncode == 0, step=0.3)
        daemon.stop()
    finally:
        while running:
            kill()
