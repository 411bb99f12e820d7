# SPDX-License-Identifier: Apache-2.0
"""Keys in a PKCS#11 token (SoftHSM): made, used, pulled and put back."""

import concurrent.futures
import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from daemon import check_config, endpoint, free_port, wait_for
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


def test_pss_and_tls(make_with, hsm, tmp_path):
    """A TLS listener's key in the token: RSA with TLS 1.3 (PSS) and 1.2, and P-256."""
    for name, kind in [("rsa", "rsa:2048"), ("ec", "EC:prime256v1")]:
        hsm.tool("--keypairgen", "--key-type", kind, "--label", f"tls-{name}", "--id", "0102" + name.encode().hex())
        public = tmp_path / f"{name}.pub"
        hsm.tool("--read-object", "--type", "pubkey", "--label", f"tls-{name}", "-o", public)
        openssl("pkey", "-pubin", "-inform", "DER", "-in", public, "-out", tmp_path / f"{name}.pub.pem")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "any.key",
                "-subj", "/CN=any", "-out", tmp_path / "any.pem")  # fmt: skip
        # a certificate over the token's public key, by another's key
        openssl("x509", "-new", "-force_pubkey", tmp_path / f"{name}.pub.pem", "-subj", "/CN=localhost",
                "-CA", tmp_path / "any.pem", "-CAkey", tmp_path / "any.key", "-out",
                tmp_path / f"{name}.pem")  # fmt: skip
    ports = {name: free_port() for name in ("plain", "rsa", "ec")}
    listeners = [{"name": "plain", "address": "127.0.0.1", "port": ports["plain"]}] + [
        {"name": name, "address": "127.0.0.1", "port": ports[name],
         "tls": {"certificate": str(tmp_path / f"{name}.pem"), "key": hsm.uri(f"object=tls-{name}")}}
        for name in ("rsa", "ec")
    ]  # fmt: skip
    daemon = make_with(start=False)
    daemon.config["http"]["listeners"] = listeners
    daemon.port = ports["plain"]
    daemon.write_config()
    daemon.start()
    for name in ("rsa", "ec"):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version = context.maximum_version = version
            with context.wrap_socket(socket.create_connection(("127.0.0.1", ports[name]))) as s:
                assert s.version()


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
    assert daemon.process.wait(30) == 78
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
