# SPDX-License-Identifier: Apache-2.0
"""Every operation of docs/openapi.json is called, and its answer is what the file says."""

import datetime
import hashlib
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jsonschema import Draft202012Validator, RefResolver

from conftest import endpoint
from daemon import UnixConnection, wait_for
from scep_peer import Request

FILE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
API = json.loads(FILE.read_text())


def test_the_file_is_sound():
    """Each schema is one, each reference leads somewhere, and each path's arguments are told."""
    Draft202012Validator.check_schema(API["components"]["schemas"])
    resolver = RefResolver("", API)
    stack = [API]
    while stack:
        node = stack.pop()
        if isinstance(node, dict) and "$ref" in node:
            resolver.resolve(node["$ref"])
        stack += node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    ids = [o["operationId"] for p in API["paths"].values() for o in p.values()]
    assert len(ids) == len(set(ids))
    for path, operations in API["paths"].items():
        for operation in operations.values():
            told = {p["name"] for p in operation.get("parameters", []) if p.get("in") == "path"}
            assert told == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def validator():
    """The command of OpenAPI's own validator: of Debian 13, or where a venv of PyPI's has it."""
    command = os.environ.get("OPENAPI_SPEC_VALIDATOR") or shutil.which("openapi-spec-validator")
    if command:
        return [command]
    if importlib.util.find_spec("openapi_spec_validator"):
        return [sys.executable, "-m", "openapi_spec_validator"]
    return None


@pytest.mark.skipif(
    not validator(),
    reason="openapi-spec-validator is not here (Debian 13: python3-openapi-spec-validator; "
    "or OPENAPI_SPEC_VALIDATOR=VENV/bin/openapi-spec-validator)",
)
def test_a_validator_takes_the_file(tmp_path):
    """And it is one that sees what is wrong."""
    spoilt = tmp_path / "spoilt.json"
    text = FILE.read_text().replace('"in": "path"', '"in": "way"', 1)
    spoilt.write_text(text)
    for path, good in ((FILE, True), (spoilt, False)):
        run = subprocess.run([*validator(), str(path)], capture_output=True, text=True)
        assert (run.returncode == 0) == good, run.stdout + run.stderr


def signed_above(request):
    """The request signed by a root of our own, and that root."""
    key = ec.generate_private_key(ec.SECP256R1())
    root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Above")])
    csr = x509.load_pem_x509_csr(request.encode())
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = dict.fromkeys(
        ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "encipher_only", "decipher_only"], False,
    )  # fmt: skip
    pem = ""
    for subject, public in [(csr.subject, csr.public_key()), (root, key.public_key())]:
        cert = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=900))
            .add_extension(x509.BasicConstraints(True, None), True)
            .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), True)
            .sign(key, hashes.SHA256())
        )
        pem += cert.public_bytes(serialization.Encoding.PEM).decode()
    return pem


def check(schema, value, what):
    errors = list(Draft202012Validator(schema, resolver=RefResolver("", API)).iter_errors(value))
    assert not errors, f"{what}: {errors[0].message} at {list(errors[0].path)}"


class Caller:
    """Calls by operationId and holds question and answer against the file."""

    def __init__(self, daemon):
        self.daemon, self.called = daemon, set()
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in API["paths"].items()
            for method, operation in methods.items()
        }

    def ask(self, method, path, body):
        connection = UnixConnection(self.daemon.admin.path)
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        return answer.status, answer.headers["Content-Type"], raw

    def __call__(self, operation_id, *args, query="", body=None, fails=None):
        method, path, operation = self.operations[operation_id]
        for arg in args:
            path = path.replace(path[path.index("{") : path.index("}") + 1], str(arg), 1)
        assert (body is None) == ("requestBody" not in operation)
        if body is not None and not fails:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            check(schema, body, f"question {operation_id}")
        status, kind, raw = self.ask(method, path + query, body)
        responses = operation["responses"]
        if fails:
            assert status == fails, f"{operation_id}: {status}: {raw[:200]}"
            check({"$ref": "#/components/schemas/Error"}, json.loads(raw), operation_id)
            return None
        assert str(status) in responses, f"{operation_id}: {status}: {raw[:200]}"
        self.called.add(operation_id)
        content = responses[str(status)]["content"]
        assert kind in content or not raw
        if kind != "application/json":
            return raw
        value = json.loads(raw)
        check(content[kind]["schema"], value, f"answer {operation_id}")
        return value


@pytest.fixture
def daemon(make_daemon):
    return make_daemon(
        ca=False,
        endpoints=[
            endpoint("demo"),
            endpoint("manual", approval="manual"),
            {"name": "ocsp", "protocol": "ocsp", "path": "/ocsp", "ca": "demo"},
            {"name": "crl", "protocol": "crl", "path": "/crl", "ca": "demo"},
        ],
    )


def done(backup):
    return backup if backup["state"] == "done" else None


def test_answers_are_as_described(daemon):
    api = Caller(daemon)
    assert api("getDescription") == API
    api("getStatus")
    api("createCa", body={"name": "demo", "subject": "CN=Demo", "ra": "split", "validity": "5y"})
    api("createCa", body={"name": "demo", "subject": "CN=Demo"}, fails=409)
    api("createCa", body={"name": "other"}, fails=400)
    api("listCas")
    api("getCa", "demo")
    api("getCa", "none", fails=404)
    below = api("createCa", body={"name": "below", "subject": "CN=Below", "subordinate": True})
    api("importCa", "below", body={"chain": "nothing"}, fails=400)
    api("importCa", "below", body={"chain": signed_above(below["generations"][0]["request"])})
    api("rollCa", "demo", body={"at": "+1h", "key": "p384"})
    api("rollCa", "demo", body={}, fails=409)
    api("moveRollover", "demo", body={"at": "+2h"})
    api("cancelRollover", "demo")
    api("moveRollover", "demo", body={"at": "+2h"}, fails=409)
    api("importCa", "demo", body={"chain": "nothing"}, fails=409)
    api("getStatus")

    made = api("createChallenge", body={"lifetime": "1h", "subject": "CN=a", "san": ["DNS:a.example"]})
    api("createChallenge", body={"lifetime": "soon"}, fails=400)
    api("listChallenges", query="?all=1")
    api("revokeChallenge", made["id"])
    api("revokeChallenge", "none", fails=404)

    api("importDevices", "routers", body={"csv": "serialNumber,use\nFTX1,once\n", "keep_existing": True})
    api("importDevices", "routers", body={"csv": "price\n1\n"}, fails=400)
    api("importDevices", "routers", body={"csv": "serialNumber\nftx1\n"}, fails=409)
    api("addDevice", body={"list": "phones", "type": "mac", "value": "00:1a:2b:3c:4d:5e", "note": "x"})
    api("addDevice", body={"list": "no name", "type": "CN", "value": "a"}, fails=400)
    api("listDeviceLists")
    listed = api("listDevices", query="?list=phones")["devices"][0]
    api("listDevices", query="?type=MAC", fails=400)
    api("getDevice", listed["id"])
    api("removeDevice", listed["id"])
    api("getDevice", listed["id"], fails=404)

    request = Request()
    assert daemon.enrol(request).status == "SUCCESS"
    assert daemon.enrol(Request(challenge="wrong"), "manual").status == "PENDING"
    assert daemon.enrol(Request(), "manual").status == "PENDING"
    cert = api("listCerts")["certs"][0]
    api("getCert", cert["serial"])
    api("getCert", "00ff", fails=404)
    api("changeCert", cert["serial"], body={"action": "hold"})
    api("changeCert", cert["serial"], body={"action": "release"})
    api("changeCert", cert["serial"], body={"action": "revoke", "reason": "superseded"})
    api("changeCert", cert["serial"], body={"action": "eat"}, fails=400)
    api("getCert", cert["serial"])
    api("explainTransaction", cert["transaction"])
    api("explainTransaction", "none", fails=404)

    waiting = api("listRequests")["requests"]
    api("getRequest", waiting[0]["id"])
    api("approveRequest", waiting[0]["id"], body={})
    api("rejectRequest", waiting[1]["id"], body={"reason": "unknown device"})
    api("rejectRequest", 999999, body={}, fails=404)
    api("listRequests", query="?all=1")

    key = {"sha256": ["AB" * 32, "cd" * 32], "reason": "stolen"}
    assert api("blockKeys", body=key) == {"added": 2, "kept": 0}
    api("blockKeys", body={**key, "reason": ""}, fails=400)
    api("changeCert", cert["serial"], body={"action": "revoke", "reason": "keyCompromise"})
    (row,) = [k for k in api("listBlockedKeys")["keys"] if k["serial"] == cert["serial"]]
    assert api("getBlockedKey", row["sha256"]) == row
    api("unblockKey", "ab" * 32)
    api("getBlockedKey", "ab" * 32, fails=404)
    api("unblockKey", "none", fails=400)

    api("rebuildCrls", "demo", body={})
    api("rebuildCrls", "none", body={}, fails=404)
    api("listCrls")
    api("getCrl", "demo")

    api("listEvents")
    api("listEvents", query="?newest=1&limit=3")
    api("getAuditKey")
    api("createSeal", body={"from": "1"})
    made = api("createBackup", body={})
    made = wait_for("the copy", lambda: done(api("getBackup", made["id"])))
    copy = api("readBackup", made["id"]) + api("readBackup", made["id"], query="?offset=4194304")
    assert hashlib.sha256(copy).hexdigest() == made["sha256"] and len(copy) == made["bytes"]
    api("removeBackup", made["id"])
    api("readBackup", made["id"], fails=404)
    api("getStatus")
    assert api.called == set(api.operations), "not called: " + ", ".join(
        set(api.operations) - api.called
    )


def test_lists_in_pages_while_rows_are_added(daemon):
    """1,100 challenges by 97s: each that was there comes once, whatever is added meanwhile."""
    daemon.admin.ca_init("demo")
    api = Caller(daemon)
    there = [api("createChallenge", body={})["id"] for _ in range(1100)]
    seen, query = [], "?limit=97"
    while query:
        answer = api("listChallenges", query=query)
        seen += [c["id"] for c in answer["challenges"]]
        api("createChallenge", body={})
        query = answer["next"] and f"?limit=97&cursor={answer['next']}"
    assert len(seen) == len(set(seen))
    assert set(there) <= set(seen)

    # the record, oldest first, grows at its end; its rows are numbered without a gap
    events, query = [], "?limit=89"
    while query:
        answer = api("listEvents", query=query)
        events += [e["id"] for e in answer["events"]]
        if answer["next"]:
            api("createChallenge", body={})
        query = answer["next"] and f"?limit=89&cursor={answer['next']}"
    assert events == list(range(1, len(events) + 1)) and len(events) > 1100
    follow = api("listEvents", query=f"?cursor={answer['position']}")
    assert follow["events"] == [] and follow["next"] is None
    made = api("createChallenge", body={})["id"]
    assert made in api("listEvents", query=f"?cursor={follow['position']}")["events"][0]["reason"]
    api("listCas", query="?limit=1")
    api("listCas", query=f"?cursor={answer['position']}", fails=400)


def test_newest_first_lists_in_pages(daemon):
    """Certificates come newest first: what is added stays before the first page."""
    daemon.admin.ca_init("demo")
    api = Caller(daemon)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: daemon.enrol(Request()), range(30)))
    there = {c["serial"] for c in api("listCerts")["certs"]}
    seen, query = [], "?limit=7"
    while query:
        answer = api("listCerts", query=query)
        seen += [c["serial"] for c in answer["certs"]]
        daemon.enrol(Request())
        query = answer["next"] and f"?limit=7&cursor={answer['next']}"
    assert len(seen) == 30 and set(seen) == there
