# SPDX-License-Identifier: Apache-2.0
"""What certificates of each generation name (lists, statuses, their CA) is of that generation, and EST
leads from either to the other: judged by openssl with what was fetched, before and after the switch."""

import signal
import subprocess
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import AuthorityInformationAccessOID

import est_peer
from daemon import Daemon, check_config, endpoint, profile, wait_for
from life import endpoints
from rollover import caps, enrol, is_by, next_authority, pem
from scep_peer import rsa_key
from test_est import EstDaemon, est_endpoint


def with_urls(daemon):
    base = f"http://127.0.0.1:{daemon.port}"
    return profile(
        crl_urls=[f"{base}/crl/demo/full.crl"],
        ocsp_urls=[f"{base}/ocsp/demo"],
        ca_issuer_urls=[f"{base}/crl/demo/ca.cer"],
    )


@pytest.fixture
def daemon(tmp_path):
    web = est_peer.Authority(tmp_path, "Web CA")
    daemon = EstDaemon(tmp_path / "daemon", web, web, endpoints=[*endpoints(), est_endpoint()])
    daemon.config["profiles"] = [with_urls(daemon)]
    daemon.config["cas"] = [{"name": "demo", "auto_rollover": "1d"}]
    daemon.write_config()
    daemon.start()
    daemon.admin.ca_init("demo")
    yield daemon
    daemon.stop()


def fetch(daemon, url):
    """An answer of 200, once there is one: a list comes a moment after its CA."""
    path = urllib.parse.urlparse(url).path
    return wait_for(url, lambda: (lambda r: r[0] == 200 and r)(daemon.http("GET", path)))


def access(cert, method):
    value = cert.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (url,) = (a.access_location.value for a in value if a.access_method == method)
    return url


def openssl(tmp_path, *arguments):
    run = subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, text=True)
    return run.returncode == 0, run.stdout + run.stderr


def check_urls(daemon, tmp_path, cert, ca):
    """From the certificate alone: its CA, its list and its status."""
    _, headers, body = fetch(daemon, access(cert, AuthorityInformationAccessOID.CA_ISSUERS))
    assert headers["Content-Type"] == "application/pkix-cert" and "max-age" in headers["Cache-Control"]
    fetched = x509.load_der_x509_certificate(body)
    assert fetched == ca.cert and is_by(cert, fetched)
    point = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0]
    crl = x509.load_der_x509_crl(fetch(daemon, point.full_name[0].value)[2])
    assert crl.is_signature_valid(fetched.public_key())
    (tmp_path / "u-ca.pem").write_bytes(pem(fetched))
    (tmp_path / "u-leaf.pem").write_bytes(pem(cert))
    (tmp_path / "u-crl.pem").write_bytes(crl.public_bytes(serialization.Encoding.PEM))
    good, said = openssl(tmp_path, "verify", "-x509_strict", "-crl_check", "-CAfile", "u-ca.pem",
                         "-CRLfile", "u-crl.pem", "u-leaf.pem")  # fmt: skip
    assert good, said
    good, said = openssl(tmp_path, "ocsp", "-issuer", "u-ca.pem", "-cert", "u-leaf.pem", "-CAfile",
                         "u-ca.pem", "-url", access(cert, AuthorityInformationAccessOID.OCSP))  # fmt: skip
    assert good and "Response verify OK" in said and "u-leaf.pem: good" in said, said


def cross_certificates(daemon):
    certs = est_peer.certificates(daemon.est().call("GET", "cacerts")[2])
    return [c for c in certs if c.issuer == c.subject and not is_by(c, c)]


def verifies(daemon, tmp_path, anchor, leaf):
    """By one generation's certificate alone and what EST's cacerts gives besides roots."""
    (tmp_path / "bundle.pem").write_bytes(b"".join(map(pem, cross_certificates(daemon))))
    (tmp_path / "anchor.pem").write_bytes(pem(anchor.cert))
    (tmp_path / "leaf.pem").write_bytes(pem(leaf))
    return openssl(tmp_path, "verify", "-x509_strict", "-CAfile", "anchor.pem", "-untrusted",
                   "bundle.pem", "leaf.pem")[0]  # fmt: skip


def test_each_generation_leads_to_its_own(daemon, tmp_path):
    old = daemon.authority()
    first = enrol(daemon, "first", rsa_key(0), old)
    assert access(first, AuthorityInformationAccessOID.CA_ISSUERS).endswith("/crl/demo/ca.cer")
    check_urls(daemon, tmp_path, first, old)
    assert not cross_certificates(daemon)
    daemon.ctl("ca", "rollover", "demo", "--at", "+15s")
    new = next_authority(daemon)
    ahead = enrol(daemon, "ahead", rsa_key(1), new)
    assert access(ahead, AuthorityInformationAccessOID.CA_ISSUERS).endswith("/crl/demo/2/ca.cer")
    by_est = daemon.est().enrol(est_peer.Request("by-est"))
    assert is_by(by_est, old.cert)
    check_urls(daemon, tmp_path, by_est, old)
    check_urls(daemon, tmp_path, first, old)
    # before the switch the next CA is announced, with the way to it
    assert len(cross_certificates(daemon)) == 2
    wait_for("the switch", lambda: daemon.authority().cert == new.cert)
    after = daemon.est().enrol(est_peer.Request("after"))
    assert is_by(after, new.cert)
    for cert, ca in ((first, old), (by_est, old), (ahead, new), (after, new)):
        check_urls(daemon, tmp_path, cert, ca)
    assert len(cross_certificates(daemon)) == 2
    for anchor in (old, new):
        assert all(verifies(daemon, tmp_path, anchor, leaf) for leaf in (first, by_est, ahead, after))
    daemon.restart()
    assert verifies(daemon, tmp_path, old, after) and verifies(daemon, tmp_path, new, first)
    for name in ("ca.cer", "full.crl", ""):
        status, _, body = daemon.http("GET", f"/crl/demo/3/{name}")
        assert status == 404, body


def test_a_list_that_will_be_is_told_from_one_that_will_not(make_daemon):
    """503 until it is made, where the generation is known; 404 where there is none of that number."""
    lists = {"name": "lists", "protocol": "crl", "path": "/crl/demo", "ca": "demo", "crl": {}}
    later = {"name": "later", "protocol": "crl", "path": "/crl/later", "ca": "later", "crl": {}}
    daemon = make_daemon(profiles=[profile()], endpoints=[endpoint("demo"), lists, later])
    wait_for("the list", lambda: daemon.http("GET", "/crl/demo")[0] == 200)
    for path in ("/crl/demo/2/full.crl", "/crl/demo/9999/full.crl", "/crl/demo/none.crl"):
        assert daemon.http("GET", path)[0] == 404, path
    assert b"has no generation 2" in daemon.http("GET", "/crl/demo/2/full.crl")[2]
    status, headers, _ = daemon.http("GET", "/crl/later/2/full.crl")
    assert status == 503 and headers["Retry-After"]


@pytest.mark.parametrize("setting,url", [
    ("ca_issuer_urls", "ldap://ldap.example/cn=demo"),
    ("ca_issuer_urls", "http://ca.example/get?ca=demo.cer"),
    ("crl_urls", "http://crl.example/demo.crl"),
])  # fmt: skip
def test_urls_that_do_not_follow_are_refused(make_daemon, setting, url):
    """With auto_rollover the configuration must tell the generations apart."""
    daemon = make_daemon(start=False, profiles=[profile(**{setting: [url]})], endpoints=endpoints())
    assert check_config(daemon.config_path).returncode == 0
    daemon.config["cas"] = [{"name": "demo", "auto_rollover": "30d"}]
    daemon.write_config()
    run = check_config(daemon.config_path)
    assert run.returncode == 78, run.stderr
    said = f'cas[0].auto_rollover: profile "device" has {setting} "{url}"'
    assert said in run.stderr and "{generation}" in run.stderr
    text = daemon.config_path.read_text().replace(url, url.replace("demo", "{generation}"))
    daemon.config_path.write_text(text)
    assert check_config(daemon.config_path).returncode == 0


ASTRAY = "http://crl.example/demo.crl"


def test_a_rollover_by_command_asks_for_urls_that_follow(make_daemon):
    """Refused with the remedy; and where the CA has a later generation already, a warning at each
    start, at each reload and in the status."""
    daemon = make_daemon(profiles=[profile(crl_urls=[ASTRAY])], endpoints=endpoints())
    run = daemon.ctl("ca", "rollover", "demo", check=False)
    assert run.returncode != 0
    for word in ('profile "device"', f'crl_urls "{ASTRAY}"', "{generation}"):
        assert word in run.stderr, run.stderr
    assert "GetNextCACert" not in caps(daemon)

    change(daemon, ASTRAY.replace("demo.crl", "{generation}.crl"))
    assert "crl.example" not in str(daemon.admin.call("GET", "/status")["warnings"])
    daemon.ctl("ca", "rollover", "demo")
    assert not warnings(daemon)
    change(daemon, ASTRAY)
    assert any(ASTRAY in w for w in daemon.admin.call("GET", "/status")["warnings"])
    wait_for("a warning of the reload", lambda: len(warnings(daemon)) == 1)
    daemon.restart()
    wait_for("a warning of the start", lambda: len(warnings(daemon)) == 2)


def change(daemon, url):
    daemon.config["profiles"] = [profile(crl_urls=[url])]
    daemon.write_config()
    reloads = lambda: [x for x in daemon.log_lines() if x["msg"] == "configuration reloaded"]  # noqa: E731
    before = len(reloads())
    daemon.process.send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: len(reloads()) > before)


def warnings(daemon):
    said = "certificates of this CA name what is of another generation"
    return [x for x in daemon.log_lines() if x["msg"] == said and ASTRAY in x["reason"]]


def test_urls_of_a_listener_count_too(tmp_path):
    """By its profile the CA issues to the server itself."""
    daemon = Daemon(tmp_path / "d", profiles=[profile(), profile("tls", crl_urls=[ASTRAY])])
    tls = {"ca": "demo", "profile": "tls", "names": ["localhost"]}
    daemon.config["http"]["listeners"].append({"name": "tls", "address": "127.0.0.1", "port": 0, "tls": tls})
    daemon.config["cas"] = [{"name": "demo", "auto_rollover": "30d"}]
    daemon.write_config()
    run = check_config(daemon.config_path)
    assert run.returncode == 78 and f'profile "tls" has crl_urls "{ASTRAY}"' in run.stderr, run.stderr


def test_a_known_list_whose_key_is_away_comes_later(make_daemon):
    """503 with Retry-After, and the list itself when the key is back."""
    daemon = make_daemon()
    daemon.stop()
    (key,) = (daemon.directory / "keys").glob("demo-ca-*.key")
    key.rename(key.with_suffix(".away"))
    daemon.config["endpoints"] += [x for x in endpoints() if x["protocol"] == "crl"]
    daemon.write_config()
    daemon.start()
    for name in ("", "/full.crl"):
        status, headers, body = daemon.http("GET", f"/crl/demo{name}")
        assert (status, headers["Retry-After"]) == (503, "5"), body
        assert b"has not made this revocation list yet" in body
    assert daemon.http("GET", "/crl/demo/2/full.crl")[0] == 404
    key.with_suffix(".away").rename(key)
    daemon.restart()
    _, _, body = fetch(daemon, "/crl/demo/full.crl")
    assert x509.load_der_x509_crl(body).issuer == daemon.authority().cert.subject
