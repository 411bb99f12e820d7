# SPDX-License-Identifier: Apache-2.0
"""Revocation lists of makers' CAs that are fetched by HTTP: lists by openssl, from a web server of the test's own."""

import datetime
import http.server
import pathlib
import signal
import threading
import time

import pytest
from cryptography import x509

from daemon import check_config, free_port, wait_for
from est_peer import Authority, private_pem, write_private
from openssl_crl import Lists
from test_est import refusal
from test_foreign_crl import Makers, scenes_of
from test_metrics import scrape


CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


class Web(http.server.ThreadingHTTPServer):
    """Answers with what `says` has, (status, bytes or an iterable of them), and counts. `names`: a field
    that tells versions apart, ETag or Last-Modified, and its value; who shows it again gets 304."""

    daemon_threads = True

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.server.asked.append((self.path, time.time()))
            status, body = self.server.says
            field, value = self.server.names
            if value and self.headers[CONDITIONS[field]] == value:
                status, body = 304, b""
                self.server.spared += 1
            self.send_response(status)
            if value:
                self.send_header(field, value)
            if isinstance(body, bytes):
                self.send_header("Content-Length", str(len(body)))
                body = [body]
            self.end_headers()
            try:
                for part in body:
                    self.wfile.write(part)
            except OSError:
                pass

    def __init__(self, port=None):
        super().__init__(("127.0.0.1", port or free_port()), self.Handler)
        self.asked, self.says, self.names, self.spared = [], (404, b""), ("ETag", None), 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/maker.crl"

    def stop(self):
        self.shutdown()
        self.server_close()


class Scene(Makers):
    def __init__(self, directory, start=True, **settings):
        self.web = Web()
        super().__init__(directory, metrics={"port": free_port()})
        self.daemon.metrics_port = self.daemon.config["metrics"]["port"]
        self.tls.update(client_crl=[self.web.url], **settings)
        self.daemon.write_config()
        if start:
            self.start()

    def stop(self):
        super().stop()
        self.web.stop()

    def list(self, **options):
        return self.lists[self.maker].write(self.directory / "made.crl", **options).read_bytes()

    def publish(self, **options):
        self.web.says = (200, self.list(**options))
        return self.web.says[1]

    def fetch_again(self):
        """A reload fetches at once."""
        n = len(self.web.asked)
        self.daemon.process.send_signal(signal.SIGHUP)
        wait_for("the list to be fetched", lambda: len(self.web.asked) > n)

    def heard_of(self, file, status):
        wait_for(f"{status} for the device", lambda: self.ask(file)[0] == status)

    def said(self, words):
        wait_for(f"the log to say {words}", lambda: words in self.daemon.tail(100000))

    def metric(self, name):
        labels = {"listener": "tls", "setting": "tls", "url": self.web.url}
        return scrape(self.daemon).get(f"scepter_client_crl_{name}", **labels)

    def kept(self):
        return [p.read_bytes() for p in (pathlib.Path(self.daemon.config["data"]) / "client-crl").glob("*")]


scene = scenes_of(Scene)


@pytest.mark.parametrize("der", [False, True])
def test_a_revoked_device_of_a_maker(scene, der):
    s = scene(start=False)
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    published = s.publish(der=der)
    s.start()
    s.heard_of(good, 200)
    assert s.ask(bad)[0] == 200
    assert s.kept() == [published]
    s.lists[s.maker].revoke(bad)
    published = s.publish(der=der)
    s.fetch_again()
    s.heard_of(bad, 403)
    refusal(s.ask(bad), 403, "RFC 7030 3.3.2", "revoked")
    assert s.ask(good)[0] == 200
    assert s.kept() == [published]
    crl = x509.load_der_x509_crl(published) if der else x509.load_pem_x509_crl(published)
    until = crl.next_update.replace(tzinfo=datetime.timezone.utc).timestamp()
    assert (s.metric("next_update_timestamp_seconds"), s.metric("fetch_failures")) == (until, 0)


def test_until_it_is_fetched_nobody_counts(scene):
    s = scene()
    good = s.maker.issue("serial-1")
    s.said("a revocation list cannot be fetched")
    refusal(s.ask(good), 403, "there is no list of its CA")
    wait_for("a failure", lambda: s.metric("fetch_failures"))
    assert s.metric("next_update_timestamp_seconds") is None
    s.publish()
    s.heard_of(good, 200)  # by itself, before long
    wait_for("no failure", lambda: s.metric("fetch_failures") == 0)


def test_a_url_beside_a_file(scene):
    """What cannot be fetched costs its own CA's devices only."""
    s = scene(start=False)
    file = s.lists[s.other].write(s.directory / "other.crl")
    s.tls["client_crl"].append(str(file))
    s.daemon.write_config()
    s.start()
    assert s.ask(s.other.issue("serial-2"))[0] == 200
    refusal(s.ask(s.maker.issue("serial-1")), 403, "there is no list of its CA")


def test_a_restart_has_what_was_fetched(scene):
    s = scene(start=False)
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    s.lists[s.maker].revoke(bad)
    s.publish()
    s.start()
    s.heard_of(good, 200)
    s.daemon.stop()
    s.web.says = (500, b"")
    s.daemon.start()
    assert s.ask(good)[0] == 200
    refusal(s.ask(bad), 403, "revoked")
    wait_for("an attempt", lambda: s.metric("fetch_failures"))
    assert s.metric("next_update_timestamp_seconds") > time.time()


def test_it_is_fetched_ahead_of_its_end(scene):
    s = scene(start=False)
    end = time.time() + 14
    s.publish(seconds=14)
    good = s.maker.issue("serial-1")
    s.start()
    s.heard_of(good, 200)
    s.publish(seconds=3600)
    wait_for("its successor", lambda: (s.metric("next_update_timestamp_seconds") or 0) > end + 3000)
    assert s.web.asked[-1][1] < end
    n = len(s.web.asked)
    time.sleep(2)
    assert len(s.web.asked) == n, "and then left alone"


@pytest.mark.parametrize("expired", ["refuse", "accept"])
def test_the_former_holds_until_it_ends(scene, expired):
    s = scene(start=False, client_crl_expired=expired)
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    s.lists[s.maker].revoke(bad)
    end = time.time() + 12
    s.publish(seconds=12)
    s.start()
    s.heard_of(good, 200)
    s.web.says = (503, b"")
    s.said("a revocation list cannot be fetched")
    status = s.ask(good)[0]
    assert status == 200 or time.time() >= end - 1
    time.sleep(max(0, end + 1.5 - time.time()))
    refusal(s.ask(bad), 403, "revoked")
    if expired == "accept":
        assert s.ask(good)[0] == 200
    else:
        refusal(s.ask(good), 403, "is not known", "ended at")
        s.publish()
        s.fetch_again()
        s.heard_of(good, 200)


def test_what_is_no_list_of_the_maker_is_not_kept(scene):
    """The one who answers may be anyone; and an old list, sent again, would let the revoked in."""
    s = scene(start=False)
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    before = s.publish()
    s.lists[s.maker].revoke(bad)
    time.sleep(1.1)  # thisUpdate has seconds
    kept = s.publish()
    s.start()
    s.heard_of(good, 200)
    (s.directory / "foreign").mkdir()
    fake = Authority(s.directory / "foreign", "Maker CA")
    fakes = Lists(s.directory / "fakes", fake.path, write_private(s.directory / "fake.key", private_pem(fake.key)))
    for status, body, words in (
        (200, b"nonsense", "neither DER nor PEM"),
        (200, b"", "neither DER nor PEM"),
        (200, kept[:-40], "PEM"),
        (200, fakes.write(s.directory / "fake.crl").read_bytes(), "none of the client_ca has signed"),
        (200, before, "older than the one that there is"),
        (404, kept, "HTTP status 404"),
        (302, kept, "HTTP status 302"),
    ):
        at = len(s.daemon.log_path.read_text())
        s.web.says = (status, body)
        s.fetch_again()
        wait_for(words, lambda: words in s.daemon.log_path.read_text()[at:])  # noqa: B023
        assert s.kept() == [kept]
        assert s.ask(good)[0] == 200
        refusal(s.ask(bad), 403, "revoked")


def test_a_list_without_end_is_cut(scene):
    s = scene(start=False)
    s.web.says = (200, (b"\0" * (1 << 20) for _ in range(80)))
    s.start()
    s.said(f"the reply is larger than the limit of {64 << 20} bytes")
    assert s.kept() == [] and s.metric("fetch_failures") == 1


def test_a_server_that_hangs_does_not_hold_the_daemon(scene):
    ended = threading.Event()

    def trickle():
        while not ended.wait(0.2):
            yield b"\0"

    s = scene(start=False)
    s.web.says = (200, trickle())
    s.start()
    wait_for("the question", lambda: s.web.asked)
    refusal(s.ask(s.maker.issue("serial-1")), 403, "there is no list of its CA")
    s.daemon.stop()  # it ends, and the server has not
    ended.set()


@pytest.mark.parametrize("names", [("ETag", '"one"'), ("Last-Modified", "Sun, 22 Nov 2026 09:00:00 GMT")])
def test_what_has_not_changed_is_not_sent_again(scene, names):
    """RFC 9110 13.1; whether it changes later is heard all the same."""
    s = scene(start=False)
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    kept = s.publish(seconds=13)
    s.web.names = names
    s.start()
    s.heard_of(good, 200)
    wait_for("a condition", lambda: s.web.spared)
    wait_for("no failure", lambda: s.metric("fetch_failures") == 0)
    assert s.kept() == [kept]
    wait_for("nothing but conditions", lambda: len(s.web.asked) == 1 + s.web.spared)
    s.lists[s.maker].revoke(bad)
    kept = s.publish()
    s.web.names = (names[0], names[1].replace("one", "two").replace("09:00", "10:00"))
    s.heard_of(bad, 403)
    assert s.kept() == [kept] and s.ask(good)[0] == 200


def test_what_is_gone_is_fetched_whole(scene):
    s = scene(start=False)
    good = s.maker.issue("serial-1")
    kept = s.publish(seconds=14)
    s.web.names = ("ETag", '"one"')
    s.start()
    s.heard_of(good, 200)
    for path in (pathlib.Path(s.daemon.config["data"]) / "client-crl").glob("*"):
        path.unlink()
    wait_for("a condition", lambda: s.web.spared)
    s.said("which is gone")
    wait_for("the list", lambda: s.kept() == [kept])
    s.web.names = ("ETag", None)
    s.publish()
    s.heard_of(good, 200)


def test_a_304_that_nobody_asked_for_is_a_failure(scene):
    s = scene(start=False)
    s.web.says = (304, b"")
    s.start()
    s.said("HTTP status 304")


def test_lists_that_are_slow_keep_no_others_waiting(scene):
    """Three of them, each of which would take two minutes to be given up."""
    ended = threading.Event()

    def trickle():
        while not ended.wait(0.2):
            yield b"\0"

    s = scene(start=False)
    good = s.maker.issue("serial-1")
    s.publish()
    slow = [Web() for _ in range(3)]
    for web in slow:
        web.says = (200, trickle())
    s.tls["client_crl"] = [*(web.url for web in slow), s.web.url]
    s.daemon.write_config()
    try:
        s.start()
        s.heard_of(good, 200)
        assert all(web.asked for web in slow)
        s.daemon.stop()
    finally:
        ended.set()
        for web in slow:
            web.stop()


def test_behind_a_proxy(tmp_path):
    from test_tls_proxy import Proxied, certificate_of, own

    daemon, web = Proxied(tmp_path), Web()
    good, bad = daemon.maker.issue("serial-13"), daemon.maker.issue("serial-14")
    key = write_private(tmp_path / "maker.key", private_pem(daemon.maker.key))
    lists = Lists(tmp_path / "lists", daemon.maker.path, key)
    lists.revoke(bad)
    web.says = (200, lists.write(tmp_path / "made.crl").read_bytes())
    daemon.config["http"]["listeners"][1]["tls_proxy"]["client_crl"] = [web.url]
    daemon.write_config()
    daemon.begin()
    try:
        wait_for("the list", lambda: daemon.enrol(own(certificate_of(good)))[0] == 200)
        status, _, body = daemon.enrol(own(certificate_of(bad)))
        assert status == 403 and "revoked" in body, body
    finally:
        daemon.stop()
        web.stop()


@pytest.mark.parametrize(
    "urls, words",
    [
        (["https://maker.example/maker.crl"], "is fetched by http:// only"),
        (["ldap://maker.example/maker.crl"], "is fetched by http:// only"),
        (["http://maker.example/a b"], "is no URL"),
        (["http://"], "is no URL"),
        (["http://maker.example/" + "x" * 1100], "is no URL"),
        (["http://maker.example/a", "http://maker.example/a"], "client_crl[1]: stands there twice"),
        (["maker.crl"], "no such file"),
    ],
)
def test_what_is_configured_is_looked_at(scene, urls, words):
    s = scene(start=False)
    s.tls["client_crl"] = urls
    s.daemon.write_config()
    run = check_config(s.daemon.config_path)
    assert run.returncode != 0 and words in run.stderr, run.stderr
