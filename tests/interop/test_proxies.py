# SPDX-License-Identifier: Apache-2.0
"""nginx and HAProxy terminate TLS in front of our server, and tell it of curl's client certificate."""

import subprocess
import sys
import pathlib

import pytest
from cryptography import x509

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scenario"))

import est_peer  # noqa: E402
from daemon import PATIENCE, free_port, have, wait_for  # noqa: E402
from est_peer import Authority, Request  # noqa: E402
from test_tls_proxy import Proxied, binary  # noqa: E402

NGINX = """
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_verify_client optional_no_ca;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
        }}
    }}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend tls
    bind 127.0.0.1:{port} ssl crt {both} verify optional ca-file {maker} crt-ignore-err all ca-ignore-err all
    {rules}
    default_backend est
backend est
    server scepter 127.0.0.1:{behind}
"""
DER_RULES = "http-request set-header X-SSL-Client-Cert %[ssl_c_der,base64]"
RFC9440_RULES = """http-request del-header Client-Cert
    http-request del-header Client-Cert-Chain
    http-request set-header Client-Cert :%[ssl_c_der,base64]: if { ssl_c_used }"""


class Front:
    """The proxy's process, the server behind it, and curl."""

    def __init__(self, directory, name, template, rules="", **tls_proxy):
        self.daemon = Proxied(directory, **tls_proxy).begin()
        self.directory, self.port = directory, free_port()
        self.log = (directory / "proxy.out").open("w")
        cert, key = directory / "server.pem", directory / "server.key"
        both = est_peer.write_private(directory / "both.pem", cert.read_bytes(), key.read_bytes())
        path = directory / f"{name}.cfg"
        path.write_text(template.format(
            dir=directory, port=self.port, cert=cert, key=key, both=both, rules=rules,
            behind=self.daemon.behind, maker=self.daemon.maker.path,
        ))  # fmt: skip
        command = {"nginx": ["nginx", "-p", directory, "-c", path], "haproxy": ["haproxy", "-f", path]}
        self.process = subprocess.Popen(list(map(str, command[name])), stdout=self.log, stderr=self.log)
        wait_for(name, self.answers)

    def answers(self):
        assert self.process.poll() is None, (self.directory / "proxy.out").read_text()
        return self.curl("cacerts")[0] == 200

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.log.close()
        self.daemon.stop()

    def curl(self, path, *options, stdin=None):
        """status, body"""
        run = subprocess.run(
            ["curl", "-s", "--cacert", self.daemon.web.path, "-w", "\n%{http_code}", *options,
             f"https://localhost:{self.port}{est_peer.ROOT}/{path}"],
            input=stdin, capture_output=True, timeout=PATIENCE,
        )  # fmt: skip
        body, _, status = run.stdout.rpartition(b"\n")
        return int(status), body

    def enrol(self, label, request, *options, operation="simpleenroll"):
        fields = ["-H", f"Content-Type: {est_peer.PKCS10}", "--data-binary", "@-"]
        path = f"{label}/{operation}" if label else operation
        return self.curl(path, *fields, *options, stdin=request.body)


FRONTS = {
    "nginx-pem": ("nginx", NGINX, "", {"format": "pem", "header": "X-SSL-Client-Cert"}),
    "haproxy-der": ("haproxy", HAPROXY, DER_RULES, {"format": "der", "header": "X-SSL-Client-Cert"}),
    "haproxy-rfc9440": ("haproxy", HAPROXY, RFC9440_RULES, {}),
}


@pytest.fixture(scope="module", params=FRONTS)
def front(request, tmp_path_factory):
    name, template, rules, settings = FRONTS[request.param]
    if not have(name, f"/usr/sbin/{name}"):
        pytest.fail(f"{name} is not installed: make deps-test")
    front = Front(tmp_path_factory.mktemp(request.param), name, template, rules, **settings)
    front.header = settings.get("header", "Client-Cert")
    yield front
    front.stop()


def test_a_device_of_a_maker_enrols(front):
    device = front.daemon.maker.issue("serial-1")
    status, body = front.enrol("maker", Request("sensor-1"), "--cert", device)
    assert status == 200, body
    cert = est_peer.certificate(body)
    assert cert.subject == est_peer.name("sensor-1")


def test_renewal_with_our_own_certificate(front, tmp_path):
    request = Request("sensor-2")
    status, body = front.enrol("", request, "-u", "sensor:swordfish")
    assert status == 200, body
    cert = est_peer.certificate(body)
    file = est_peer.write_private(tmp_path / "c.pem", est_peer.pem(cert), est_peer.private_pem(request.key))
    status, body = front.enrol("", Request("sensor-2"), "--cert", file, operation="simplereenroll")
    assert status == 200, body
    assert est_peer.certificate(body).serial_number != cert.serial_number
    front.daemon.ctl("cert", "revoke", f"{cert.serial_number:x}", "--reason", "superseded")
    status, body = front.enrol("", Request("sensor-2"), "--cert", file, operation="simplereenroll")
    assert status == 403 and b"revoked" in body


def test_a_stranger_enrols_nothing(front, tmp_path):
    foreign = Authority(tmp_path, "Foreign CA").issue("serial-2")
    status, body = front.enrol("maker", Request(), "--cert", foreign)
    assert status == 403 and b"RFC 7030 3.3.2" in body
    assert front.enrol("maker", Request())[0] in (401, 403)


def test_what_a_client_writes_itself_is_replaced(front):
    """With the header of another device's certificate, and none of its own."""
    cert = x509.load_pem_x509_certificate(front.daemon.maker.issue("serial-3").read_bytes())
    status, body = front.enrol("maker", Request(), "-H", f"{front.header}: {binary(cert)}")
    assert status in (401, 403), body
