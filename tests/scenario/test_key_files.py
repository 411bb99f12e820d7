# SPDX-License-Identifier: Apache-2.0
"""The keeper's key files are encrypted, and their passphrase comes from where an administrator has it."""

import fcntl
import os
import pathlib
import pty
import subprocess
import termios

import pytest
from cryptography.hazmat.primitives import serialization

from daemon import PATIENCE, program, wait_for
from life import Life, endpoints, openssl

PASSPHRASE = "correct horse battery staple"
SEALED = "-----BEGIN ENCRYPTED PRIVATE KEY-----"
PLAIN = "-----BEGIN PRIVATE KEY-----"


def key_files(daemon):
    return sorted((daemon.directory / "keys").glob("*.key"))


def heads(daemon):
    return {path.read_text().splitlines()[0] for path in key_files(daemon)}


def said_nowhere(daemon, *secrets):
    """Neither log nor command line nor environment of any of its processes has it."""
    texts = [daemon.log_path.read_bytes()]
    for pid in [daemon.process.pid, *daemon.children().values()]:
        for name in ("cmdline", "environ"):
            texts.append(pathlib.Path(f"/proc/{pid}/{name}").read_bytes())
    return not any(secret.encode() in text for secret in secrets for text in texts)


def give_credential(daemon, text, name="scepter-keys"):
    directory = daemon.directory / "credentials"
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text)
    daemon.environment["CREDENTIALS_DIRECTORY"] = str(directory)


def refused(daemon, **options):
    """What it says when it does not start."""
    daemon.spawn(**options)
    code = daemon.process.wait(PATIENCE)
    daemon.process = None
    assert code == 78, daemon.tail()
    return daemon.tail()


@pytest.fixture
def by_credential(make_daemon):
    """A daemon with encrypted keys and a CA."""
    daemon = make_daemon(start=False, endpoints=endpoints(),
                         keys={"passphrase": "credential:scepter-keys"})  # fmt: skip
    give_credential(daemon, PASSPHRASE + "\n")
    daemon.start()
    daemon.admin.ca_init("demo")
    return daemon


def test_credential(by_credential, tmp_path):
    """issue, restart, issue again: all key files are encrypted, and the passphrase is nowhere."""
    life = Life(by_credential, tmp_path)
    life.live("one")
    assert heads(by_credential) == {SEALED}
    assert said_nowhere(by_credential, PASSPHRASE)
    by_credential.restart()
    life.live("two")


def test_others_open_the_files(by_credential):
    """openssl and python3-cryptography: PBES2 with scrypt and AES-256."""
    assert len(key_files(by_credential)) >= 3  # CA, RA, audit record
    for path in key_files(by_credential):
        key = serialization.load_pem_private_key(path.read_bytes(), PASSPHRASE.encode())
        assert key.key_size
        structure = openssl("asn1parse", "-in", path)
        assert ":PBES2" in structure and ":scrypt" in structure
        assert ":aes-256-cbc" in structure
        openssl("pkey", "-in", path, "-passin", "pass:wrong", "-noout", good=False)


def test_keeper_that_is_killed_comes_back(by_credential, tmp_path):
    """The passphrase is asked for once, and the next keeper has it all the same."""
    (by_credential.directory / "credentials" / "scepter-keys").unlink()
    os.kill(by_credential.child("keeper"), 9)
    life = Life(by_credential, tmp_path)
    wait_for("an answer by the new keeper", lambda: life.ask("again").returncode == 0)


def test_the_server_cannot_get_at_the_passphrase(by_credential):
    """It has neither the memory nor the credential open."""
    server = by_credential.child("server")
    open_files = [os.readlink(p) for p in pathlib.Path(f"/proc/{server}/fd").iterdir()]
    assert not [name for name in open_files if "memfd" in name]
    keeper = by_credential.child("keeper")
    assert [n for n in pathlib.Path(f"/proc/{keeper}/fd").iterdir() if "memfd" in os.readlink(n)]


def test_wrong_passphrase_is_refused_at_start(by_credential):
    by_credential.stop()
    give_credential(by_credential, "wide of the mark")
    said = refused(by_credential)
    assert "the key is encrypted, and the passphrase of keys.passphrase is not its" in said
    assert ".key" in said and "wide of the mark" not in said
    give_credential(by_credential, "")
    assert "keys.passphrase: the passphrase of the keys is empty" in refused(by_credential)
    give_credential(by_credential, PASSPHRASE)
    by_credential.start()


def test_no_passphrase_is_refused_at_start(by_credential):
    by_credential.stop()
    del by_credential.environment["CREDENTIALS_DIRECTORY"]
    said = refused(by_credential)
    assert "$CREDENTIALS_DIRECTORY is not set" in said and "LoadCredential=scepter-keys" in said
    del by_credential.config["keys"]
    by_credential.write_config()
    assert "set keys.passphrase to where its passphrase is" in refused(by_credential)


def test_descriptor(make_daemon, tmp_path):
    """fd:N, a pipe: read once, by a start and not by its keeper's restart."""
    daemon = make_daemon(start=False, endpoints=endpoints(), keys={"passphrase": "fd:7"})

    def start():
        read, write = os.pipe()
        os.write(write, PASSPHRASE.encode() + b"\nwhat follows is not its\n")
        os.close(write)
        # pass_fds keeps the number, so let it be 7
        daemon.start(preexec_fn=lambda: os.dup2(read, 7), close_fds=False)
        os.close(read)

    start()
    daemon.admin.ca_init("demo")
    assert heads(daemon) == {SEALED} and said_nowhere(daemon, PASSPHRASE)
    life = Life(daemon, tmp_path)
    life.live("one")
    os.kill(daemon.child("keeper"), 9)
    wait_for("an answer by the new keeper", lambda: life.ask("again").returncode == 0)
    daemon.stop()
    assert "descriptor 7, which scepterd must be started with" in refused(daemon)
    start()
    life.live("two")


class Terminal:
    """A pseudo-terminal that scepterd has for its own."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.seen = b""

    def options(self):
        return {
            "preexec_fn": lambda: fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0),
            "pass_fds": (self.slave,),
        }

    def answer(self, question, text):
        while question.encode() not in self.seen:
            self.seen += os.read(self.master, 1024)
        wait_for("no echo", lambda: not self.echoes())
        self.seen = b""
        os.write(self.master, text.encode() + b"\n")

    def echoes(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)


def test_prompt(make_daemon, tmp_path):
    """A new passphrase is asked for twice, a known one once; what is typed is not shown."""
    daemon = make_daemon(start=False, endpoints=endpoints(), keys={"passphrase": "prompt"})
    terminal = Terminal()
    daemon.spawn(**terminal.options())
    terminal.answer("scepterd: new passphrase of the keys: ", PASSPHRASE)
    terminal.answer("scepterd: once more, the new passphrase of the keys: ", PASSPHRASE)
    wait_for("first answer of scepterd", daemon.answers)
    daemon.admin.ca_init("demo")
    assert heads(daemon) == {SEALED} and said_nowhere(daemon, PASSPHRASE)
    Life(daemon, tmp_path).live("one")
    daemon.stop()
    assert terminal.echoes() and PASSPHRASE.encode() not in terminal.seen

    terminal = Terminal()
    daemon.spawn(**terminal.options())
    terminal.answer("scepterd: passphrase of the keys: ", PASSPHRASE)
    wait_for("first answer of scepterd", daemon.answers)
    Life(daemon, tmp_path).live("two")


def test_prompt_that_is_interrupted(make_daemon):
    """SIGTERM, as by a service manager, ends it; the terminal echoes again."""
    daemon = make_daemon(start=False, keys={"passphrase": "prompt"})
    terminal = Terminal()
    daemon.spawn(**terminal.options())
    wait_for("the question", lambda: not terminal.echoes())
    daemon.process.terminate()
    assert daemon.process.wait(PATIENCE) == 78
    daemon.process = None
    wait_for("echo", terminal.echoes)


def test_prompt_without_terminal(make_daemon):
    daemon = make_daemon(start=False, keys={"passphrase": "prompt"})
    said = refused(daemon)
    assert "there is no terminal to ask at" in said and "credential:NAME" in said


def test_different_answers_are_refused(make_daemon):
    daemon = make_daemon(start=False, keys={"passphrase": "prompt"})
    terminal = Terminal()
    daemon.spawn(**terminal.options())
    terminal.answer("new passphrase of the keys: ", "one")
    terminal.answer("once more", "another")
    assert daemon.process.wait(PATIENCE) == 78
    daemon.process = None
    assert "the two are not the same" in daemon.tail()


def protect(daemon, *arguments, **options):
    return subprocess.run(
        [program("scepterd"), "--config", str(daemon.config_path), "--protect-keys", *arguments],
        capture_output=True, text=True, env=dict(os.environ, **daemon.environment), **options,
    )  # fmt: skip


def test_plain_keys_become_encrypted(make_daemon, tmp_path):
    """--protect-keys; what was plain goes on to work before and after."""
    daemon = make_daemon(endpoints=endpoints())
    life = Life(daemon, tmp_path)
    life.live("before")
    assert heads(daemon) == {PLAIN}
    daemon.stop()
    assert "has no keys.passphrase" in protect(daemon).stderr

    daemon.config["keys"] = {"passphrase": "credential:scepter-keys"}
    daemon.write_config()
    give_credential(daemon, PASSPHRASE)
    daemon.start()
    warning = [line for line in daemon.log_lines() if "--protect-keys" in line.get("msg", "")]
    assert warning and warning[0]["plain"] == len(key_files(daemon))
    life.live("meanwhile")
    daemon.stop()

    plain = len([path for path in key_files(daemon) if path.read_text().startswith(PLAIN)])
    run = protect(daemon)
    assert run.returncode == 0, run.stderr
    assert f"{plain} keys encrypted" in run.stdout
    assert heads(daemon) == {SEALED}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in key_files(daemon))
    daemon.start()
    life.live("after")


def test_passphrase_is_changed(by_credential, tmp_path):
    by_credential.stop()
    before = {path: path.read_bytes() for path in key_files(by_credential)}
    give_credential(by_credential, "another")
    old = tmp_path / "old"
    old.write_text("not the old one")
    run = protect(by_credential, "--old-passphrase", f"file:{old}")
    assert run.returncode != 0 and "the passphrase does not open it" in run.stderr, run.stderr
    # none is changed where not all can be
    assert before == {path: path.read_bytes() for path in key_files(by_credential)}
    old.write_text(PASSPHRASE)
    run = protect(by_credential, "--old-passphrase", f"file:{old}")
    assert run.returncode == 0, run.stderr
    by_credential.start()
    Life(by_credential, tmp_path).live("after")


def test_a_passphrase_in_the_configuration_is_refused(make_daemon):
    daemon = make_daemon(start=False, keys={"passphrase": PASSPHRASE})
    run = subprocess.run([program("scepterd"), "--config", daemon.config_path, "--check"],
                         capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 78
    assert "keys.passphrase: says where it comes from, not what it is" in run.stderr
    assert PASSPHRASE not in run.stderr
