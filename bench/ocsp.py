# SPDX-License-Identifier: Apache-2.0
"""OCSP answers a second, signed for each request and from the cache, beside a revocation list of
the same size from the same server over the same kind of request: what a static reply costs."""

import base64
import hashlib
import urllib.parse

from measure import bulk_challenges

CERTS = 100
ROUNDS = 3
CONNECTIONS = 16
GOALS = {"OCSP cached / static reply of the same size": (">=", 0.8)}


def request_der(ca, serial, nonce=None):
    """RFC 6960 4.1.1, one certificate, CertID by SHA-1 as most clients send it."""
    from asn1crypto import ocsp as asn1
    from asn1crypto import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    tbs = x509.Certificate.load(ca.cert.public_bytes(Encoding.DER))["tbs_certificate"]
    key = tbs["subject_public_key_info"]["public_key"].contents[1:]
    cert_id = {
        "hash_algorithm": {"algorithm": "sha1"},
        "issuer_name_hash": hashlib.sha1(tbs["subject"].dump()).digest(),
        "issuer_key_hash": hashlib.sha1(key).digest(),
        "serial_number": serial,
    }
    request = {"request_list": [{"req_cert": cert_id}]}
    if nonce:
        request["request_extensions"] = [{"extn_id": "nonce", "extn_value": nonce}]
    return asn1.OCSPRequest({"tbs_request": request}).dump()


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def post(path, body):
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/ocsp-request\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get_of(der):
    return get("/ocsp/demo/" + urllib.parse.quote(base64.b64encode(der).decode(), safe=""))


def start(load):
    """A daemon that has issued CERTS, and their serial numbers."""
    from daemon import Daemon, endpoint

    daemon = Daemon(
        load.directory / "ocsp",
        endpoints=[
            endpoint("demo", authorisation={"one_time": True}),
            {"name": "crl", "protocol": "crl", "path": "/crl/demo", "ca": "demo"},
            {"name": "ocsp", "protocol": "ocsp", "path": "/ocsp/demo", "ca": "demo"},
        ],
        http_limits={"connections_per_address": 0},
    ).start()
    daemon.admin.ca_init("demo")
    load.run(daemon.url(), daemon.process.pid, bulk_challenges(daemon, 2 * CERTS), 2 * CERTS, 4)
    serials = [c["serial"] for c in daemon.admin.certs(limit=2 * CERTS)]
    return daemon, serials


def pad_list(daemon, size, serials):
    """Revokes until the revocation list is about as long as an OCSP response."""
    from daemon import wait_for

    length = lambda: len(wait_for("list", lambda: fetched(daemon)))  # noqa: E731
    for serial in serials:
        if length() >= size - 15:
            break
        daemon.admin.call("POST", f"/certs/{serial}", {"action": "revoke", "reason": "superseded"})
        daemon.admin.call("POST", "/crls/demo", {})
    return length()


def fetched(daemon):
    status, _, body = daemon.http("GET", "/crl/demo")
    return body if status == 200 else None


def best(load, daemon, requests, count):
    load.replay(daemon.url(), daemon.process.pid, requests, len(requests) * 2, CONNECTIONS)
    runs = [
        load.replay(daemon.url(), daemon.process.pid, requests, count, CONNECTIONS)
        for _ in range(ROUNDS)
    ]
    assert all(r["issued"] == count for r in runs), runs
    return max(runs, key=lambda r: r["per_second"])


def run(options, load):
    daemon, serials = start(load)
    try:
        ca = daemon.authority()
        asked = [request_der(ca, int(s, 16)) for s in serials[:CERTS]]
        nonced = [request_der(ca, int(s, 16), bytes([i]) * 16) for i, s in enumerate(serials[:CERTS])]
        status, _, response = daemon.http("POST", "/ocsp/demo", asked[0])
        assert status == 200, response
        listed = pad_list(daemon, len(response), serials[CERTS:])
        rows = {
            "static (a list)": best(load, daemon, [get("/crl/demo")], options.replies),
            "cached, GET": best(load, daemon, [get_of(d) for d in asked], options.replies),
            "cached, POST": best(load, daemon, [post("/ocsp/demo", d) for d in asked], options.replies),
            "signed each": best(load, daemon, [post("/ocsp/demo", d) for d in nonced], options.replies // 10),
        }
    finally:
        daemon.stop(expect=None)
    static = rows["static (a list)"]["per_second"]
    cached = min(rows[k]["per_second"] for k in ("cached, GET", "cached, POST"))
    return {
        "rows": rows,
        "octets": {"response": len(response), "list": listed},
        "measured": {"OCSP cached / static reply of the same size": cached / static},
    }


def show(result):
    octets = result["octets"]
    print(f"OCSP: response of {octets['response']} octets, list of {octets['list']}; {CONNECTIONS} connections")
    for name, r in result["rows"].items():
        print(
            f"  {name:16} {r['per_second']:8.0f}/s  p50 {r['p50_ms']:.2f} ms  p99 {r['p99_ms']:.2f} ms"
            f"  {r['cpu_us']:.0f} us CPU each"
        )


__all__ = ["GOALS", "run", "show"]
