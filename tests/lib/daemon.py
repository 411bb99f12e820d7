# SPDX-License-Identifier: Apache-2.0
"""Starts the real scepterd on free loopback ports, asks it things, and holds it to account.

    daemon = Daemon(directory)        # writes the configuration
    daemon.start()                    # returns when it answers
    daemon.admin.ca_init("demo")
    daemon.stop()                     # fails on a bad exit or on a sanitizer's report
"""

import base64
import contextlib
import functools
import hashlib
import http.client
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

from cryptography import x509

import scep_reply

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SCEPTER_BUILD", ROOT / "build")).resolve()
# Sanitizers and slow machines stretch what a test waits for, never what it demands of limits.
PATIENCE = float(os.environ.get("SCEPTER_PATIENCE", "30"))
SANITIZER = re.compile(rb"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:)")


def program(name):
    path = BUILD / name
    assert path.exists(), f"{path} is not built"
    return str(path)


class Ports:
    """Loopback ports for servers that are told which: a block of them that is this process's alone,
    below those that the kernel gives to whoever does not care. Nobody takes one between its choice
    and its use: no other test process, and no client's end of a connection."""

    SIZE = 128

    def __init__(self):
        top = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        blocks = list(range(10240, top if top > 16384 else 32768, self.SIZE))
        random.SystemRandom().shuffle(blocks)
        self.mark = socket.socket(socket.AF_UNIX)  # an abstract name, which ends with the process
        self.next = itertools.cycle(range(self.SIZE)).__next__
        self.first = next(b for b in blocks if self.is_ours(b))

    def is_ours(self, block):
        with contextlib.suppress(OSError):
            self.mark.bind(f"\0scepter-test-ports-{block}")
            return True
        return False

    def take(self):
        return next(port for port in iter(self.turn, None) if is_free(port))

    def turn(self):
        """One after the other, so that what was just used comes again last."""
        return self.first + self.next()


def is_free(port):
    with contextlib.suppress(OSError), socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        return True
    return False


def unread(here, there):
    """How much the one who has port `here` of a connection on loopback has not read yet."""
    rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = [f"{here:04X}", f"{there:04X}"]
    (row,) = [r for r in rows if [r[1].split(":")[1], r[2].split(":")[1]] == ends]
    return int(row[4].split(":")[1], 16)


@functools.cache
def _ports():
    return Ports()


def free_port():
    return _ports().take()


def wait_for(what, check, seconds=PATIENCE, step=0.02):
    deadline = time.monotonic() + seconds
    while True:
        late = time.monotonic() >= deadline  # if the machine stood still until then, it looks once more
        value = check()
        if value:
            return value
        if late:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(step)


def undisturbed(seconds, attempt, tries=8, between=0):
    """What attempt() gives, which holds only where it takes less than so many seconds: if it fails and
    the machine was slower than that, it has shown nothing, and is made anew, `between` seconds later."""
    for _ in range(tries):
        begun = time.monotonic()
        try:
            return attempt()
        except AssertionError:
            if time.monotonic() - begun < seconds:
                raise
        time.sleep(between)
    raise AssertionError(f"the machine stalls: {tries} times it took more than {seconds} s")


def static_hash(challenge, ln=10):
    """A static challenge as it stands in the configuration (cheap parameters: it is a test)."""
    salt = os.urandom(16)
    key = hashlib.scrypt(
        challenge.encode(), salt=salt, n=1 << ln, r=8, p=1, dklen=32, maxmem=1 << 27
    )
    b64 = lambda b: base64.b64encode(b).decode()  # noqa: E731
    return f"$scrypt$ln={ln},r=8,p=1${b64(salt)}${b64(key)}"


def profile(name="device", **changes):
    return {
        "name": name,
        "validity": "90d",
        "key_usage": ["digitalSignature", "keyEncipherment"],
        "eku": ["clientAuth"],
        "keys": [{"kind": "rsa", "min_bits": 2048, "max_bits": 4096}, {"kind": "p256"}, {"kind": "p384"}],
        "subject": [
            {"type": "CN", "choice": "required", "pattern": "[A-Za-z0-9._ -]{1,64}"},
            {"type": "O", "choice": "optional"},
        ],
        "other_subject": "drop",
        "san": [{"type": "DNS", "choice": "optional", "pattern": "[a-z0-9.-]+"}],
        "other_san": "forbid",
        **changes,
    }


def endpoint(name, **changes):
    return {
        "name": name,
        "protocol": "scep",
        "path": f"/scep/{name}",
        "ca": "demo",
        "profile": "device",
        "authorisation": {"anyone": True},
        **changes,
    }


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class AdminError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


class Admin:
    """The admin API over its Unix socket."""

    def __init__(self, path):
        self.path = path

    def call(self, method, path, body=None):
        connection = UnixConnection(self.path)
        with contextlib.closing(connection):
            text = json.dumps(body) if body is not None else None
            headers = {"Content-Type": "application/json"} if text else {}
            connection.request(method, "/v1" + path, text, headers)
            answer = connection.getresponse()
            raw = answer.read()
        value = json.loads(raw) if raw else None
        if answer.status >= 400:
            raise AdminError(answer.status, value)
        return value

    def ca_init(self, name, **changes):
        return self.call(
            "POST",
            "/cas",
            {
                "name": name,
                "subject": f"CN={name} CA,O=Scepter test",
                "key": "p256",
                "ra": "one",
                "ra_key": "rsa2048",
                **changes,
            },
        )

    def challenge(self, **changes):
        return self.call("POST", "/challenges", {"lifetime": "1h", **changes})["challenge"]

    def certs(self, **query):
        return listed(self.call("GET", "/certs?" + urllib.parse.urlencode(query)))

    def explain(self, transaction):
        return self.call("GET", "/transactions/" + urllib.parse.quote(transaction, safe=""))


def listed(value):
    """A list answer, whether bare or under its own name."""
    if isinstance(value, dict):
        value = next(v for v in value.values() if isinstance(v, list))
    return value


class Daemon:
    def __init__(self, directory, profiles=None, endpoints=None, http_limits=None, **changes):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.log_path = self.directory / "scepterd.log"
        self.config_path = self.directory / "scepterd.yaml"
        self.admin = Admin(self.directory / "admin.sock")
        self.environment = {}
        self.process = None
        self.config = {
            "data": str(self.directory),
            "log": {"level": "info", "access": True},
            "admin": {"socket": str(self.admin.path)},
            "http": {
                "listeners": [{"name": "plain", "address": "127.0.0.1", "port": self.port}],
                "limits": http_limits or {},
            },
            "profiles": profiles or [profile()],
            "endpoints": endpoints or [endpoint("demo")],
            **changes,
        }
        if not http_limits:
            del self.config["http"]["limits"]
        self.write_config()

    # ---- life ----

    def write_config(self):
        # JSON is YAML, and needs no library.
        self.config_path.write_text(json.dumps(self.config, indent=1) + "\n")

    def spawn(self, *arguments, **options):
        environment = dict(os.environ, **self.environment)
        environment["ASAN_OPTIONS"] = f"log_path={self.directory}/asan:detect_leaks=1:exitcode=99"
        environment["UBSAN_OPTIONS"] = f"log_path={self.directory}/ubsan:print_stacktrace=1"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program("scepterd"), "--config", str(self.config_path), *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
                **options,
            )
        return self

    def start(self, **options):
        self.spawn(**options)
        wait_for("first answer of scepterd", self.answers)
        return self

    def answers(self):
        assert self.process.poll() is None, f"scepterd ended: {self.tail()}"
        try:
            self.get("demo", "GetCACaps")
            self.admin.call("GET", "/status")
            return True
        except (OSError, http.client.HTTPException):
            return False

    def stop(self, expect=0, sig=signal.SIGTERM):
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(sig)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"scepterd did not end on {sig!r}: {self.tail()}") from None
        self.check_sanitizers()
        if expect is not None:
            assert code == expect, f"scepterd exit code {code}: {self.tail()}"

    def kill_all(self):
        """For the crash test: nothing of it is left."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def check_sanitizers(self):
        for path in list(self.directory.glob("asan.*")) + list(self.directory.glob("ubsan.*")):
            raise AssertionError(f"{path.name}: {path.read_text(errors='replace')[:4000]}")
        found = SANITIZER.search(self.log_path.read_bytes())
        assert not found, f"{found.group(0)}: {self.tail(8000)}"

    def tail(self, n=2000):
        return self.log_path.read_text(errors="replace")[-n:]

    def log_lines(self):
        lines = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
        return lines

    def events(self, *kinds):
        """What is on record, all pages of it; of these kinds, if any is named."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.admin.call("GET", f"/audit/events?limit=1000{cursor}")
            found += page["events"]
            cursor = page["next"] and f"&cursor={page['next']}"
        return [e for e in found if not kinds or e["kind"] in kinds]

    # ---- processes ----

    def children(self):
        """role -> pid of the parent's children, by the names that they give themselves."""
        out = {}
        for pid in _children_of(self.process.pid):
            with contextlib.suppress(OSError):
                comm = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
                out["keeper" if "keeper" in comm else "server"] = pid
        return out

    def child(self, role):
        return wait_for(f"process {role}", lambda: self.children().get(role))

    def pid_of(self, role):
        return self.process.pid if role == "parent" else self.child(role)

    # ---- requests ----

    def url(self, name="demo", suffix=""):
        return f"http://127.0.0.1:{self.port}/scep/{name}{suffix}"

    def http(self, method, target, body=None, headers=None):
        """status, headers, body"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def get(self, name, operation, message=None, suffix=""):
        query = f"?operation={operation}" + (f"&message={message}" if message is not None else "")
        return self.http("GET", f"/scep/{name}{suffix}{query}")

    def post(self, name, message, suffix="", content_type="application/x-pki-message"):
        headers = {"Content-Type": content_type} if content_type else {}
        target = f"/scep/{name}{suffix}?operation=PKIOperation"
        return self.http("POST", target, message, headers)

    def authority(self, name="demo"):
        status, headers, body = self.get(name, "GetCACert")
        assert status == 200, body
        return scep_reply.authority(headers["Content-Type"], body)

    def enrol(self, request, name="demo", ca=None):
        """The opened CertRep to request, over POST."""
        ca = ca or self.authority(name)
        status, headers, body = self.post(name, request.build(ca))
        assert status == 200, f"{status}: {body[:300]}"
        assert headers["Content-Type"] == "application/x-pki-message"
        return scep_reply.open_reply(body, request, ca)

    def enrol_by_client(self, directory, name):
        """The certificate that our client gets."""
        cert = directory / f"{name}.pem"
        run = scepter(
            "enrol", "--protocol", "scep", "--url", self.url(), "--subject", f"CN={name}",
            "--ca-fingerprint", self.authority().fingerprint,
            "--key", directory / f"{name}.key", "--cert", cert,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        return x509.load_pem_x509_certificate(cert.read_bytes())

    # ---- scepterctl ----

    def ctl(self, *arguments, check=True, text=None):
        run = subprocess.run(
            [program("scepterctl"), "--socket", str(self.admin.path), *arguments],
            capture_output=True,
            text=True,
            input=text,
            timeout=PATIENCE * 2,
        )
        if check:
            assert run.returncode == 0, f"scepterctl {arguments}: {run.returncode}: {run.stderr}"
        return run

    def ctl_json(self, *arguments):
        return json.loads(self.ctl("--json", *arguments).stdout)


def _children_of(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def check_config(path):
    """scepterd --check"""
    return subprocess.run(
        [program("scepterd"), "--config", str(path), "--check"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def scepter(*arguments, **options):
    """Runs our client."""
    return subprocess.run(
        [program("scepter"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        **options,
    )


def have(*programs):
    return all(shutil.which(p) or os.path.exists(p) for p in programs)
