# SPDX-License-Identifier: Apache-2.0
"""Certificates of other CAs, devices' and operators', that these have revoked are refused: lists by openssl."""

import signal

import pytest

from conftest import endpoint, profile
from daemon import check_config, wait_for
from est_peer import Authority, Request, private_pem, write_private
from openssl_crl import Lists
from operators import Authority as People
from operators import Remote, fingerprint, https_daemon
from test_est import PROFILES, EstDaemon, est_endpoint, refusal

ENDPOINTS = [endpoint("demo"), est_endpoint("maker", authorisation={"certificates": True})]


class Makers:
    """A daemon that trusts two makers."""

    def __init__(self, directory, **daemon):
        self.directory = directory
        self.maker, self.other = Authority(directory, "Maker CA"), Authority(directory, "Other CA")
        self.lists = {ca: self.lists_of(ca) for ca in (self.maker, self.other)}
        web = Authority(directory, "Web CA")
        self.daemon = EstDaemon(directory / "daemon", self.maker, web, profiles=PROFILES, endpoints=ENDPOINTS, **daemon)
        both = directory / "client-ca.pem"
        both.write_bytes(self.maker.path.read_bytes() + self.other.path.read_bytes())
        self.tls = self.daemon.config["http"]["listeners"][-1]["tls"]
        self.tls["client_ca"] = str(both)

    def start(self):
        self.daemon.start()
        self.daemon.admin.ca_init("demo")

    def stop(self):
        self.daemon.stop()

    def lists_of(self, ca, name=None, **options):
        key = write_private(self.directory / f"{ca.path.stem}.key", private_pem(ca.key))
        return Lists(self.directory / (name or f"lists-{ca.path.stem}"), ca.path, key, **options)

    def ask(self, file):
        return self.daemon.est("maker", client=file).call("POST", "simpleenroll", Request().body)


class Scene(Makers):
    """What the first has revoked is in a file."""

    def __init__(self, directory, expired=None, both=False, der=False):
        super().__init__(directory)
        self.file = directory / "maker.crl"
        self.lists[self.maker].write(self.file, der=der)
        self.tls["client_crl"] = [str(self.file)]
        if both:
            self.tls["client_crl"].append(str(self.lists[self.other].write(directory / "other.crl")))
        if expired:
            self.tls["client_crl_expired"] = expired
        self.daemon.write_config()
        self.start()

    def revoke(self, file, **options):
        self.lists[self.maker].revoke(file)
        self.lists[self.maker].write(self.file, **options)

    def heard_of(self, file, status=403):
        wait_for("the list to be read again", lambda: self.ask(file)[0] == status)


def scenes_of(kind):
    """A fixture that makes such scenes, and stops them."""

    @pytest.fixture
    def scene(tmp_path):
        scenes = []

        def make(**options):
            scenes.append(kind(tmp_path, **options))
            return scenes[-1]

        yield make
        for made in scenes:
            made.stop()

    return scene


scene = scenes_of(Scene)


@pytest.mark.parametrize("der", [False, True])
def test_a_revoked_device_of_a_maker(scene, der):
    s = scene(der=der)
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    assert s.ask(good)[0] == 200 and s.ask(bad)[0] == 200
    s.revoke(bad, der=der)  # without a signal
    s.heard_of(bad)
    refusal(s.ask(bad), 403, "RFC 7030 3.3.2", "revoked")
    assert s.ask(good)[0] == 200
    assert "is revoked" in s.daemon.events("enrol.rejected")[-1]["reason"]


def test_a_connection_that_is_there_is_asked_again(scene):
    s = scene()
    bad = s.maker.issue("serial-1")
    est = s.daemon.est("maker", client=bad)
    connection = est.connection()
    assert est.ask(connection, "POST", "simpleenroll", Request().body)[0] == 200
    s.revoke(bad)
    ask = lambda: est.ask(connection, "POST", "simpleenroll", Request().body)  # noqa: E731
    answer = wait_for("another answer", lambda: (lambda a: a[0] != 200 and a)(ask()), step=0.2)
    refusal(answer, 403, "revoked")
    connection.close()


def test_a_ca_without_a_list_fails_closed(scene):
    s = scene()
    refusal(s.ask(s.other.issue("serial-1")), 403, "there is no list of its CA")
    # its list and another signal: now it is asked of it, too
    s.tls["client_crl"].append(str(s.lists[s.other].write(s.directory / "other.crl")))
    s.daemon.write_config()
    s.daemon.process.send_signal(signal.SIGHUP)
    wait_for("the new configuration", lambda: s.ask(s.other.issue("serial-2"))[0] == 200)


def test_a_namesake_of_the_ca_has_no_list(scene):
    """As after a change of its key: the list by the one says nothing of what the other has issued."""
    s = scene()
    (s.directory / "later").mkdir()
    later = Authority(s.directory / "later", "Maker CA")
    with open(s.tls["client_ca"], "ab") as trusted:
        trusted.write(later.path.read_bytes())
    s.daemon.process.send_signal(signal.SIGHUP)
    file = later.issue("serial-1")
    wait_for("the CA to be trusted", lambda: b"there is no list of its CA" in s.ask(file)[2])
    assert s.ask(s.maker.issue("serial-2"))[0] == 200


def test_an_expired_list_fails_closed(scene):
    s = scene()
    file = s.maker.issue("serial-1")
    s.lists[s.maker].write(s.file, expired=True)
    s.heard_of(file)
    refusal(s.ask(file), 403, "is not known", "ended at")
    s.lists[s.maker].write(s.file)
    s.heard_of(file, status=200)


def test_an_expired_list_may_do(scene):
    s = scene(expired="accept")
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    s.revoke(bad, expired=True)
    s.heard_of(bad)
    assert s.ask(good)[0] == 200


def test_a_file_that_is_wrong_leaves_what_was_read(scene):
    s = scene()
    good, bad = s.maker.issue("serial-1"), s.maker.issue("serial-2")
    s.revoke(bad)
    s.heard_of(bad)
    # a list by somebody who only has the maker's name
    fake = Authority(s.directory / "daemon", "Maker CA")
    for n, wrong in enumerate((
        b"nonsense",
        s.file.read_bytes()[:-40],
        s.lists_of(fake, "fake").write(s.directory / "fake.crl").read_bytes(),
    ), 1):  # fmt: skip
        s.file.write_bytes(wrong)
        wait_for("the complaint", lambda: s.ask(good)[0] == 200 and complaints(s) == n)  # noqa: B023
        assert s.ask(good)[0] == 200
        refusal(s.ask(bad), 403, "revoked")
    assert complaints(s) == 3


def complaints(s):
    return s.daemon.tail(100000).count("what was read before holds")


def test_two_makers(scene):
    s = scene(both=True)
    first, second = s.maker.issue("serial-1"), s.other.issue("serial-2")
    assert s.ask(first)[0] == 200 and s.ask(second)[0] == 200
    s.revoke(first)
    s.heard_of(first)
    assert s.ask(second)[0] == 200


def test_what_is_configured_is_looked_at(tmp_path):
    maker, web = Authority(tmp_path, "Maker CA"), Authority(tmp_path, "Web CA")
    key = write_private(tmp_path / "maker.key", private_pem(maker.key))
    part = "issuingDistributionPoint = @point\n[point]\nonlyAA = TRUE"
    daemon = EstDaemon(tmp_path / "daemon", maker, web, profiles=PROFILES, endpoints=ENDPOINTS)
    tls = daemon.config["http"]["listeners"][-1]["tls"]
    good = Lists(tmp_path / "good", maker.path, key).write(tmp_path / "good.crl")
    partial = Lists(tmp_path / "part", maker.path, key, exts=part).write(tmp_path / "part.crl")
    for change, words in (
        ({"client_crl": [str(tmp_path / "none.crl")]}, "no such file"),
        ({"client_crl": [str(maker.path)]}, "neither DER nor PEM of a revocation list"),
        ({"client_crl": [str(good), str(partial)]}, "client_crl[1]"),
        ({"client_crl": [str(partial)]}, "the complete one is needed"),
        ({"client_crl": [str(good)], "client_ca": None}, "needs client_ca"),
    ):
        before = dict(tls)
        tls.update(change)
        for gone in [k for k, v in tls.items() if v is None]:
            del tls[gone]
        daemon.write_config()
        run = check_config(daemon.config_path)
        assert run.returncode != 0 and words in run.stderr, run.stderr
        tls.clear()
        tls.update(before)


# ---- operators ----


def test_a_revoked_operator(tmp_path):
    people, foreign = People(tmp_path, "people"), People(tmp_path, "foreign")
    key = write_private(tmp_path / "people.key", private_pem(people.key))
    lists = Lists(tmp_path / "lists", people.path, key)
    file = lists.write(tmp_path / "people.crl")
    pinned = foreign.issue("pinned")
    named = lambda cn: {"subject": f"CN={cn}", "issuer": "CN=people"}  # noqa: E731
    daemon, port, server_ca = https_daemon(
        tmp_path,
        [
            {"name": "auditor", "roles": ["auditor"], "certificate": named("auditor")},
            {"name": "second", "roles": ["auditor"], "certificate": named("second")},
            {"name": "pin", "roles": ["auditor"], "certificate": {"sha256": fingerprint(pinned[0])}},
        ],
        tls={
            "client_certificates": "request",
            "client_ca": str(people.path),
            "client_crl": [str(file)],
        },
        profiles=[profile()],
        endpoints=[endpoint("demo")],
        login_failures="1000/s",
    )
    try:
        daemon.start()
        status = lambda cert: Remote(port, str(server_ca.path), cert=cert).raw("GET", "/v1/audit/events")  # noqa: E731
        first, second = people.issue("auditor"), people.issue("second")
        assert [status(c)[0] for c in (first, second, pinned)] == [200, 200, 200]
        lists.revoke(first[0])
        lists.write(file)
        wait_for("the list to be read again", lambda: status(first)[0] == 401)
        assert b"revoked" in status(first)[2]
        # who is known by his certificate alone, of a CA that nobody has lists of, stays so
        assert [status(c)[0] for c in (second, pinned)] == [200, 200]
        lists.write(file, expired=True)
        wait_for("the list to be read again", lambda: status(second)[0] == 401)
        assert b"ended at" in status(second)[2] and status(pinned)[0] == 200
    finally:
        daemon.stop()
