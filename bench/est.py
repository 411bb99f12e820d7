# SPDX-License-Identifier: Apache-2.0
"""The EST part of make bench: simpleenroll over TLS 1.3, by name and password, on connections that are
kept and on a new one for each, beside the private-key work that is in it: the CA's signature, and on
a new connection that of the TLS certificate (P-256). A CA of RSA-2048 is what that ratio says most
about: a P-256 signature costs less than anything around it. The devices' keys are of the CA's kind,
and once of P-256 at a CA of RSA-2048: to verify their requests costs four times as much."""

import base64
import os

from measure import LOAD_HEAD, load_cells, median_run, print_table

JUDGED = "EST, rsa2048 CA, kept: raw / server CPU"
GOALS = {JUDGED: (">=", 0.70)}
USER, PASSWORD = "bench", "swordfish"
KEPT, ALONE, FRESH = (16, False), (1, False), (16, True)  # connections, whether each is a new one
SHAPES = (  # the CA's key, the devices' keys
    ("p256", "p256", (KEPT, ALONE, FRESH)),
    ("rsa2048", "rsa2048", (KEPT, ALONE, FRESH)),
    ("rsa2048", "p256", (KEPT,)),
)


def make_key(kind):
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    return ec.generate_private_key(ec.SECP256R1()) if kind == "p256" else rsa.generate_private_key(65537, 2048)


def requests(count, prefix, key):
    """Whole HTTP requests, of a device key and `count` names."""
    from est_peer import PKCS10, ROOT, Request, basic

    credentials = basic(USER, PASSWORD)["Authorization"]
    out = []
    for i in range(count):
        body = base64.encodebytes(Request(f"{prefix}-{i}", key=key).der)
        head = (
            f"POST {ROOT}/simpleenroll HTTP/1.1\r\nHost: b\r\nAuthorization: {credentials}\r\n"
            f"Content-Type: {PKCS10}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        out.append(head.encode() + body)
    return out


def serve(directory, key):
    """scepterd with a CA of that key and a TLS listener of its own."""
    from daemon import Daemon, endpoint, free_port, profile, static_hash
    from est_peer import ROOT

    daemon = Daemon(
        directory,
        profiles=[profile(), profile("tls", eku=["serverAuth"], other_san="optional")],
        endpoints=[
            endpoint("demo"),
            endpoint("est", protocol="est", path=ROOT, authorisation={"accounts": True}),
        ],
        operators=[{"name": USER, "password": static_hash(PASSWORD), "roles": ["device"]}],
        http_limits={"connections_per_address": 0},
    )
    daemon.tls_port = free_port()
    tls = {"ca": "demo", "profile": "tls", "names": ["localhost", "127.0.0.1"]}
    daemon.config["http"]["listeners"].append(
        {"name": "tls", "address": "127.0.0.1", "port": daemon.tls_port, "tls": tls}
    )
    daemon.write_config()
    daemon.start()
    daemon.admin.ca_init("demo", key=key)
    return daemon


def measure(options, load, daemon, ca, device, shape):
    connections, fresh = shape
    key = make_key(device)

    def run_once():
        whole = requests(options.count, f"b{load.runs}-{os.getpid()}", key)
        result = load.tls(daemon, whole, options.count, connections, fresh)
        raw = result["raw_us"]
        work = raw[f"{ca}_sign"] + (raw["p256_sign"] if fresh else 0)
        return dict(result, key=ca, device=device, work_us=work, ratio=work / result["cpu_us"])

    return median_run(shape, run_once, lambda r: r["ratio"])


def run(options, load):
    runs = []
    for ca, device, shapes in SHAPES:
        daemon = serve(load.directory / f"est-{ca}-{device}", ca)
        try:
            # the password is checked once, slowly
            load.tls(daemon, requests(50, "warm", make_key(device)), 50, 1)
            runs += [measure(options, load, daemon, ca, device, shape) for shape in shapes]
        finally:
            daemon.stop(expect=None)
    judged = next(r for r in runs if (r["key"], r["device"]) == ("rsa2048", "rsa2048"))
    return {"runs": runs, "measured": {JUDGED: judged["ratio"]}}


def show(result):
    print("EST simpleenroll over TLS 1.3:")
    rows = [
        [f"CA {r['key']}, devices {r['device']}", *load_cells(r, r["ratio"]), f"{r['work_us']:.0f}"]
        for r in result["runs"]
    ]
    print_table(["keys", *LOAD_HEAD, "private keys us"], rows)
