# SPDX-License-Identifier: Apache-2.0
"""A listener whose TLS certificate the server issues to itself, and renews without a restart."""

import signal
import socket
import ssl
from datetime import timedelta

import est_peer
import pytest
from conftest import endpoint, profile
from cryptography import x509
from daemon import check_config, free_port, wait_for
from est_peer import Est
from test_est import est_endpoint


def make(make_daemon, validity="90d", backdate="1s", names=("localhost", "127.0.0.1"), **options):
    port = free_port()
    daemon = make_daemon(
        start=False,
        profiles=[
            profile(),
            profile("tls", validity=validity, backdate=backdate, eku=["serverAuth"], other_san="optional"),
        ],
        endpoints=[endpoint("demo"), est_endpoint(authorisation={"anyone": True})],
        **options,
    )
    daemon.tls_port = port
    daemon.config["http"]["listeners"].append(
        {
            "name": "tls",
            "address": "127.0.0.1",
            "port": port,
            "tls": {"ca": "demo", "profile": "tls", "names": list(names), "client_certificates": "request"},
        }
    )
    daemon.write_config()
    return daemon.start()


def shown(daemon):
    """The certificate that a new connection is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", daemon.tls_port)) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True))


def ca_file(daemon, directory):
    path = directory / "ca.pem"
    path.write_text(daemon.ctl("ca", "show", "demo", "--pem").stdout)
    return path


def test_it_is_there_as_soon_as_the_ca_is(make_daemon, tmp_path):
    daemon = make(make_daemon)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shown(daemon)
    daemon.admin.ca_init("demo")
    est = Est(daemon.tls_port, ca_file(daemon, tmp_path))
    assert est.enrol(est_peer.Request())
    first = shown(daemon)
    daemon.restart()
    assert shown(daemon) == first
    # it is on record like any other
    (record,) = daemon.admin.certs(subject="localhost")
    assert record["endpoint"] == "listener:tls"


def test_renewed_without_a_restart(make_daemon, tmp_path):
    """In its last third; a connection that is there goes on meanwhile."""
    # two thirds of it are over two seconds after it was issued, and the last lasts for half a minute
    daemon = make(make_daemon, validity="90s", backdate="58s")
    daemon.admin.ca_init("demo")
    est = Est(daemon.tls_port, ca_file(daemon, tmp_path))
    first, pid = shown(daemon), daemon.child("server")
    connection = est.connection()
    assert est.ask(connection, "GET", "cacerts")[0] == 200

    def renewed():
        daemon.process.send_signal(signal.SIGHUP)
        return shown(daemon).serial_number != first.serial_number

    wait_for("renewal", renewed, step=0.3)
    assert shown(daemon).not_valid_before + timedelta(seconds=58) < first.not_valid_after
    assert est.ask(connection, "GET", "cacerts")[0] == 200
    connection.close()
    assert daemon.child("server") == pid


@pytest.mark.parametrize("reason, another", [("superseded", True), ("keyCompromise", False)])
def test_revoked_it_is_another_one(make_daemon, reason, another):
    """At SIGHUP at the latest; but not for a key that is compromised, which the log says."""
    daemon = make(make_daemon)
    daemon.admin.ca_init("demo")
    first = shown(daemon)
    daemon.ctl("cert", "revoke", f"{first.serial_number:x}", "--reason", reason)
    daemon.process.send_signal(signal.SIGHUP)
    said = lambda text: any(text in line["msg"] for line in daemon.log_lines())  # noqa: E731
    wait_for("reload", lambda: said("configuration reloaded"))
    assert (shown(daemon).serial_number != first.serial_number) == another
    assert said("revoked for its key's sake") != another
    if another:
        return
    daemon.stop()
    for path in [*(daemon.directory / "keys").glob("listener-tls.*"), daemon.directory / "tls-tls.pem"]:
        path.unlink()
    daemon.start()
    assert shown(daemon).public_key() != first.public_key()


def test_other_names_are_another_certificate(make_daemon):
    daemon = make(make_daemon)
    daemon.admin.ca_init("demo")
    first = shown(daemon)
    daemon.config["http"]["listeners"][1]["tls"]["names"].append("ca.example")
    daemon.write_config()
    daemon.restart()
    second = shown(daemon)
    assert second.serial_number != first.serial_number
    names = second.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "ca.example" in names.get_values_for_type(x509.DNSName)


def test_settings_that_do_not_go_together(make_daemon, tmp_path):
    daemon = make_daemon(start=False)
    daemon.config["http"]["listeners"][0]["tls"] = {"ca": "demo", "certificate": "x.pem", "profile": "none"}
    daemon.write_config()
    refused = check_config(daemon.config_path).stderr
    assert "remove certificate and key" in refused and "needs profile, and names" in refused
    assert 'no profile is named "none"' in refused
