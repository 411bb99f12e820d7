# SPDX-License-Identifier: Apache-2.0
"""The current certificate in the place of a challenge: whose, how, and what comes of it."""

import datetime
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

import scep_peer
from daemon import Daemon, endpoint, profile
from scep_peer import Request, ec_key, rsa_key
from scep_reply import parse_reply

RENEWAL, UPDATE, PKCS_REQ = "17", "18", "19"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """'demo' renews any time, 'late' in the last 30 of 90 days only, 'new' for new keys only."""
    def renewing(name, **changes):
        rules = {"one_time": True, "renewal": True}
        return endpoint(name, authorisation=rules, profile=name, **changes)

    daemon = Daemon(
        tmp_path_factory.mktemp("renewal"),
        profiles=[
            profile("demo", renewal={"window": "any"}),
            profile("late"),
            profile("new", renewal={"window": "any", "new_key": "required"}),
            profile("free", renewal={"window": "any", "same_names": False}),
            profile("device"),
        ],
        endpoints=[
            *(renewing(name) for name in ("demo", "late", "new", "free")),
            endpoint("other", ca="other", authorisation={"one_time": True}),
            endpoint("never", authorisation={"one_time": True}),
            endpoint("anyone", profile="device"),
        ],
    ).start()
    daemon.admin.ca_init("demo")
    daemon.admin.ca_init("other", subject="CN=demo CA,O=Scepter test")
    yield daemon
    daemon.stop()


def enrolled(daemon, name="demo", key=None, **changes):
    """A request that was granted, and the certificate."""
    challenge = daemon.admin.challenge() if name != "anyone" else "for EC keys"
    first = Request(key=key, challenge=challenge, **changes)
    reply = daemon.enrol(first, name)
    assert reply.status == "SUCCESS", reply.fail_text
    return first, reply.cert


def renewal_of(first, cert, key=None, **changes):
    """By RenewalReq, unless changes say otherwise."""
    return Request(
        key=key or first.key,
        subject=first.subject,
        extensions=first.extensions,
        signer_key=first.key,
        signer_cert=cert,
        **{"message_type": RENEWAL, **changes},
    )


def renewed(daemon, request, name="demo"):
    reply = daemon.enrol(request, name)
    assert reply.status == "SUCCESS", reply.fail_text
    assert scep_peer.spki_of(request.key) == scep_peer.spki_of(reply.cert)
    return reply.cert


def refused(daemon, request, fail_info, says, name="demo"):
    """Exactly so, on record, and nothing issued."""
    before = len(daemon.admin.certs(limit=1000))
    reply = daemon.enrol(request, name)
    assert (reply.status, reply.fail_info) == ("FAILURE", fail_info), reply.fail_text
    assert says in reply.fail_text
    story = daemon.admin.explain(request.transaction_id.decode())
    assert story["outcome"] == "rejected"
    assert says in story["events"][-1]["reason"]
    assert len(daemon.admin.certs(limit=1000)) == before


@pytest.mark.parametrize("message_type", [RENEWAL, UPDATE, PKCS_REQ])
@pytest.mark.parametrize("key", [0, 5], ids=["same key", "new key"])
def test_point_20_renewal_without_a_challenge(daemon, message_type, key):
    first, cert = enrolled(daemon)
    request = renewal_of(first, cert, rsa_key(key), message_type=message_type)
    after = renewed(daemon, request)
    assert after.subject == cert.subject and after.serial_number != cert.serial_number
    story = daemon.admin.explain(request.transaction_id.decode())
    assert story["outcome"] == "renewed"
    event = story["events"][-1]
    assert event["kind"] == "enrol.renewed"
    assert event["serial"] == f"{after.serial_number:x}"
    assert f"renews {cert.serial_number:x}" in event["reason"]


def test_names_are_kept(daemon):
    san = scep_peer.san_extension(dns=["router7.example"])
    first, cert = enrolled(daemon, subject={"common_name": "router7"}, extensions=[san])
    after = renewed(daemon, renewal_of(first, cert))
    names = after.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["router7.example"]


def test_an_ec_device_renews_under_a_password_of_its_own(daemon):
    first, cert = enrolled(daemon, key=ec_key(1))
    renewed(daemon, renewal_of(first, cert, ec_key(2), challenge="made up for this once"))
    refused(daemon, renewal_of(first, cert), "badRequest", "must have a challengePassword")


def test_point_19_one_renewal_is_one_certificate(daemon):
    """Under the transactionID of the enrolment, too, which many devices derive from their key."""
    first, cert = enrolled(daemon)
    request = renewal_of(first, cert, transaction_id=first.transaction_id)
    after = renewed(daemon, request)
    assert after != cert
    assert renewed(daemon, request.again(sender_nonce=b"n" * 16)) == after
    second = renewal_of(first, after, transaction_id=first.transaction_id)
    assert renewed(daemon, second) not in (cert, after)


def test_capability(daemon):
    assert "Renewal" in daemon.get("demo", "GetCACaps")[2].decode().split()
    assert "Renewal" not in daemon.get("never", "GetCACaps")[2].decode().split()


def test_certificates_of_others(daemon):
    """Another CA's, of the same name too; one that only says it is ours; none at all."""
    first, foreign = enrolled(daemon, "other")
    refused(daemon, renewal_of(first, foreign), "badCertId", "has not issued")
    _, cert = enrolled(daemon)
    mine = rsa_key(5)
    forged = (
        x509.CertificateBuilder()
        .subject_name(cert.subject)
        .issuer_name(cert.issuer)
        .public_key(mine.public_key())
        .serial_number(cert.serial_number)
        .not_valid_before(cert.not_valid_before)
        .not_valid_after(cert.not_valid_after)
        .sign(mine, hashes.SHA256())
    )
    liar = Request(key=mine, signer_cert=forged, message_type=RENEWAL)
    refused(daemon, liar, "badCertId", "but is another")
    refused(daemon, Request(message_type=RENEWAL), "badCertId", "has not issued")
    refused(daemon, liar.again(message_type=PKCS_REQ), "badCertId", "but is another")


def test_certificate_shown_by_another_key(daemon):
    """Certificates are public: who shows one must sign with its key."""
    first, cert = enrolled(daemon)
    thief = renewal_of(first, cert, rsa_key(5))
    thief.signer_key = rsa_key(5)
    before = len(daemon.admin.certs(limit=1000))
    ca = daemon.authority()
    reply = daemon.post("demo", thief.build(ca))[2]
    assert parse_reply(reply, ca).fail_info == "badMessageCheck"
    assert len(daemon.admin.certs(limit=1000)) == before


def test_other_names(daemon):
    first, cert = enrolled(daemon, subject={"common_name": "mine"})
    other = renewal_of(first, cert).again(subject={"common_name": "yours"})
    refused(daemon, other, "badRequest", 'is for "CN=mine", its renewal would be for "CN=yours"')
    san = renewal_of(first, cert).again(extensions=[scep_peer.san_extension(dns=["a.example"])])
    refused(daemon, san, "badRequest", "other subjectAltNames")
    first, cert = enrolled(daemon, "free", subject={"common_name": "mine"})
    renewed(daemon, renewal_of(first, cert).again(subject={"common_name": "yours"}), "free")


def test_too_early_and_not_here(daemon):
    first, cert = enrolled(daemon, "late")
    from_day = cert.not_valid_after - datetime.timedelta(days=30)
    refused(daemon, renewal_of(first, cert), "badRequest", f"renewed from {from_day:%Y-%m-%d}", "late")
    first, cert = enrolled(daemon, "never")
    refused(daemon, renewal_of(first, cert), "badRequest", "does not renew", "never")


def test_same_key_where_a_new_one_is_wanted(daemon):
    first, cert = enrolled(daemon, "new")
    refused(daemon, renewal_of(first, cert), "badRequest", "wants a new key", "new")
    renewed(daemon, renewal_of(first, cert, rsa_key(5)), "new")


def test_a_generous_endpoint_leads_nowhere_else(daemon):
    """Same CA, other profile: what anyone may get does not renew into what wants a challenge."""
    first, cert = enrolled(daemon, "anyone")
    refused(daemon, renewal_of(first, cert), "badRequest", 'is of profile "device"')


def test_captured_envelope_under_another_certificate(daemon):
    """A device wraps the request of another anew, under its own certificate and transactionID."""
    victim, cert = enrolled(daemon, subject={"common_name": "victim"})
    thief, own = enrolled(daemon, key=rsa_key(5), subject={"common_name": "thief"})
    captured = renewal_of(victim, cert).csr()
    again = renewal_of(thief, own, payload=captured)
    refused(daemon, again, "badRequest", "its renewal would be for")


def test_expired_and_grace(make_daemon):
    """Certificates of a few seconds: after their end refused, or taken within the grace."""
    rules = {"one_time": True, "renewal": True}
    brief = {"validity": "4s", "backdate": "0s"}
    daemon = make_daemon(
        profiles=[profile("brief", **brief), profile("kind", renewal={"grace": "1h"}, **brief)],
        endpoints=[
            endpoint("demo", profile="brief", authorisation=rules),
            endpoint("kind", profile="kind", authorisation=rules),
        ],
    )
    made = {name: enrolled(daemon, name) for name in ("demo", "kind")}
    time.sleep(5.1)
    refused(daemon, renewal_of(*made["demo"]), "badRequest", "expired at")
    # who comes with a challenge as well may enrol anew
    both = renewal_of(*made["demo"], message_type=PKCS_REQ, challenge=daemon.admin.challenge())
    renewed(daemon, both)
    late = renewal_of(*made["kind"])
    renewed(daemon, late, "kind")
    steps = daemon.admin.explain(late.transaction_id.decode())["events"][-1]["steps"]
    assert any("within the grace period" in s["text"] for s in steps if s["step"] == "renewal")
