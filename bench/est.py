# SPDX-License-Identifier: Apache-2.0
"""The EST part of make bench: simpleenroll with P-256 device keys over TLS 1.3, by name and password, on
connections that are kept and on a new one for each, beside the private-key work that is in it: the CA's
signature, and on a new connection that of the TLS certificate (P-256). A CA of RSA-2048 is what that
ratio says most about: a P-256 signature costs less than anything around it."""

import base64
import os

from measure import median_run

GOALS = {
    "EST, rsa2048 CA, kept: raw / server CPU": (">=", 0.70),
}
USER, PASSWORD = "bench", "swordfish"


def requests(count, prefix):
    """Whole HTTP requests, of a device key and `count` names."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from est_peer import PKCS10, ROOT, Request, basic

    key = ec.generate_private_key(ec.SECP256R1())
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


def run(options, load):
    runs = []
    for key in ("p256", "rsa2048"):
        daemon = serve(load.directory / f"est-{key}", key)
        try:
            load.tls(daemon, requests(50, "warm"), 50, 1)  # the password is checked once, slowly
            for connections, fresh in ((16, False), (1, False), (16, True)):

                def run_once():
                    prefix = f"b{load.runs}-{os.getpid()}"
                    result = load.tls(daemon, requests(options.count, prefix), options.count, connections, fresh)
                    raw = result["raw_us"]
                    work = raw[f"{key}_sign"] + (raw["p256_sign"] if fresh else 0)
                    return dict(result, key=key, work_us=work, ratio=work / result["cpu_us"])

                runs.append(median_run((connections, fresh), run_once, lambda r: r["ratio"]))
        finally:
            daemon.stop(expect=None)
    kept = next(r for r in runs if r["key"] == "rsa2048" and r["connections"] == 16 and not r["fresh"])
    return {"runs": runs, "measured": {"EST, rsa2048 CA, kept: raw / server CPU": kept["ratio"]}}


def show(result):
    print("EST simpleenroll, P-256 device keys, TLS 1.3:")
    for r in result["runs"]:
        shape = f"{r['connections']}{' fresh' if r['fresh'] else ''}"
        print(
            f"  {r['key']:8} CA  {shape:>9}  {r['per_second']:6.0f}/s  p50 {r['p50_ms']:.1f} ms  p99 "
            f"{r['p99_ms']:.1f} ms  CPU {r['cpu_us']:.0f} us, private keys {r['work_us']:.0f}, ratio {r['ratio']:.2f}"
        )
