# SPDX-License-Identifier: Apache-2.0
"""scepterd --check: a wrong configuration is refused with file, line and remedy."""

import json

import pytest

from daemon import check_config, endpoint, profile

GOOD = """\
data: {data}
admin: {{socket: {data}/admin.sock}}
http:
  listeners:
    - {{name: plain, address: 127.0.0.1, port: 8080}}
profiles:
  - name: device
    validity: 1y
    key_usage: [digitalSignature, keyEncipherment]
    eku: [clientAuth]
    keys: [{{kind: rsa, min_bits: 2048, max_bits: 4096}}, {{kind: p256}}]
    subject: [{{type: CN, choice: required, pattern: "[a-z0-9]+"}}]
endpoints:
  - name: demo
    protocol: scep
    path: /scep/demo
    ca: demo
    profile: device
    authorisation: {{one_time: true}}
"""

# what is wrong: (text to replace, by what, words of the complaint)
BAD = {
    "unknown key": ("data:", "dta:", ["dta"]),
    "unknown nested key": ("validity: 1y", "validty: 1y", ["validty"]),
    "not YAML": ("http:", "http: [", []),
    "wrong type": ("port: 8080", "port: many", ["port"]),
    "port out of range": ("port: 8080", "port: 80800", ["port"]),
    "unknown duration": ("validity: 1y", "validity: soon", ["validity"]),
    "negative duration": ("validity: 1y", "validity: -1d", ["validity"]),
    "unknown key usage": ("keyEncipherment", "keyEncryption", ["keyEncryption"]),
    "unknown EKU": ("clientAuth", "clientauthentication", ["clientauthentication"]),
    "unknown kind of key": ("kind: p256", "kind: p255", ["p255"]),
    "bad pattern": ('"[a-z0-9]+"', '"[a-z0-9"', ["pattern"]),
    "unknown subject attribute": ("type: CN", "type: NC", ["NC"]),
    "unknown choice": ("choice: required", "choice: wanted", ["wanted"]),
    "no such profile": ("profile: device", "profile: server", ["server"]),
    "path without slash": ("path: /scep/demo", "path: scep/demo", ["path"]),
    "unknown protocol": ("protocol: scep", "protocol: cmpx", ["cmpx"]),
    "no way to be authorised": ("one_time: true", "one_time: false", ["authorisation"]),
    "broken static hash": ("{one_time: true}", '{static: ["secret"]}', ["static"]),
    "anyone beside a challenge": ("one_time: true", "one_time: true, anyone: true", ["anyone"]),
    "unknown listener": ("ca: demo", "ca: demo\n    listeners: [secure]", ["secure"]),
    "unknown legacy": ("ca: demo", "ca: demo\n    legacy: rc4", ["rc4"]),
    "min above max": ("min_bits: 2048", "min_bits: 8192", ["min_bits"]),
}


def check(tmp_path, text):
    path = tmp_path / "scepterd.yaml"
    path.write_text(text)
    return check_config(path)


def test_good_configuration(tmp_path):
    run = check(tmp_path, GOOD.format(data=tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("what", BAD)
def test_bad_configuration(tmp_path, what):
    old, new, words = BAD[what]
    text = GOOD.format(data=tmp_path)
    assert old in text
    run = check(tmp_path, text.replace(old, new, 1))
    complaint = run.stdout + run.stderr
    assert run.returncode != 0, "it was accepted"
    assert "scepterd.yaml:" in complaint, complaint
    for word in words:
        assert word in complaint, complaint


def test_line_of_the_fault_is_named(tmp_path):
    text = GOOD.format(data=tmp_path)
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "validity" in row)
    run = check(tmp_path, text.replace("validity: 1y", "validty: 1y"))
    assert f"scepterd.yaml:{line}" in run.stdout + run.stderr


def test_two_endpoints_of_one_path_or_name(tmp_path):
    base = {
        "data": str(tmp_path),
        "admin": {"socket": str(tmp_path / "admin.sock")},
        "http": {"listeners": [{"name": "plain", "address": "127.0.0.1", "port": 8080}]},
        "profiles": [profile()],
    }
    for changes in ({"path": "/scep/a"}, {"name": "a"}):
        config = dict(base, endpoints=[endpoint("a"), {**endpoint("b"), **changes}])
        run = check(tmp_path, json.dumps(config, indent=1))
        assert run.returncode != 0


def test_missing_file(tmp_path):
    run = check_config(tmp_path / "nowhere.yaml")
    assert run.returncode != 0
    assert "nowhere.yaml" in run.stderr
