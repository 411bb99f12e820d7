# SPDX-License-Identifier: Apache-2.0
"""Hostile variants: renewals, replays, polls and look-ups, by those who have no right to them."""

import datetime
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

import der
import hostile
import scep_peer
from hostile import POLL, Row, world  # noqa: F401
from scep_peer import CERT_POLL, GET_CERT, GET_CRL, Request, ec_key, looking_up, rsa_key

TITLE = "Renewals, replays, polls and look-ups"
RENEWAL, UPDATE, PKCS_REQ = "17", "18", "19"
NOT_OURS = "has not issued"
NOBODY_WAITS = "no request of this key waits under this transactionID"
DOES_NOT_OPEN = "with no key of this CA does the pkcsPKIEnvelope open"


def renewal_of(first, cert, **changes):
    request = {
        "key": first.key,
        "subject": first.subject,
        "extensions": first.extensions,
        "signer_key": first.key,
        "signer_cert": cert,
        "message_type": RENEWAL,
    }
    return Request(**{**request, **changes})


def renewing(name="renew", **changes):
    """Everything as it should be, but for changes."""
    return lambda w: renewal_of(*w.enrolled(name), **changes)


def from_endpoint(name, **changes):
    return lambda w: renewal_of(*w.enrolled(name), **changes)


def forged(cert, key, **changes):
    """What looks like cert, by a CA of the sender's own."""
    new = {"serial": cert.serial_number, "issuer": cert.issuer, "from": cert.not_valid_before, **changes}
    return (
        x509.CertificateBuilder()
        .subject_name(cert.subject)
        .issuer_name(new["issuer"])
        .public_key(key.public_key())
        .serial_number(new["serial"])
        .not_valid_before(new["from"])
        .not_valid_after(new["from"] + datetime.timedelta(days=1000))
        .sign(key, hashes.SHA256())
    )


def forging(message_type=RENEWAL, **changes):
    def send(w):
        _, cert = w.enrolled(subject={"common_name": "victim"})
        mine = rsa_key(5)
        return Request(
            key=mine,
            subject={"common_name": "victim"},
            signer_cert=forged(cert, mine, **changes),
            message_type=message_type,
        )

    return send


def thief(w):
    """Certificates are public: shown by somebody who has another key."""
    first, cert = w.enrolled()
    return renewal_of(first, cert, key=rsa_key(5), signer_key=rsa_key(5))


def ra_certificate(w):
    """The RA's certificate is of this CA, too; its key the sender does not have."""
    return Request(signer_cert=w.ca("renew").sign_cert, message_type=RENEWAL)


def revoked(verb, *options, message_type=RENEWAL):
    def send(w):
        first, cert = w.enrolled()
        w.daemon.ctl("cert", verb, f"{cert.serial_number:x}", *options)
        return renewal_of(first, cert, message_type=message_type)

    return send


def expired(message_type):
    return lambda w: renewal_of(*w.expired(), message_type=message_type)


def captured_under_own(w):
    """The PKCS#10 request of another device, under the sender's own certificate."""
    victim, cert = w.enrolled(subject={"common_name": "victim"})
    own = w.enrolled(key=rsa_key(5), subject={"common_name": "thief"})
    return renewal_of(*own, payload=renewal_of(victim, cert).csr())


RENEWALS = [
    Row("renew_foreign_ca", "another CA's certificate", "badCertId", NOT_OURS, from_endpoint("other"),
        at="renew"),
    Row("renew_namesake_ca", "the certificate of another CA with the same name", "badCertId", NOT_OURS,
        from_endpoint("namesake"), at="renew"),
    Row("renew_self_signed", "a self-signed certificate", "badCertId", NOT_OURS,
        lambda w: Request(message_type=RENEWAL), at="renew"),
    Row("renew_self_signed_update", "a self-signed certificate and UpdateReq", "badCertId", NOT_OURS,
        lambda w: Request(message_type=UPDATE), at="renew"),
    Row("renew_forged", "a forged certificate with a real serial number", "badCertId", "but is another",
        forging(), at="renew"),
    Row("renew_forged_pkcs_req", "the same in a PKCSReq", "badCertId", "but is another",
        forging(PKCS_REQ), at="renew"),
    Row("renew_forged_serial", "a forged certificate with a serial number of its own", "badCertId",
        NOT_OURS, forging(serial=4711), at="renew"),
    Row("renew_forged_future", "a forged certificate that is not valid yet", "badCertId",
        "but is another", forging(**{"from": datetime.datetime(2090, 1, 1)}), at="renew"),
    Row("renew_thief", "a real certificate, shown by who has another key", "badMessageCheck",
        "the signature is not by the signer's key", thief, at="renew"),
    Row("renew_ra", "the RA's certificate, shown by who has another key", "badMessageCheck",
        "the signature is not by the signer's key", ra_certificate, at="renew"),
    Row("renew_not_yet_valid", "a certificate that is not valid yet", "badRequest", "is renewed from",
        lambda w: renewal_of(*w.future), at="renew"),
    Row("renew_expired", "an expired certificate", "badRequest", "expired at", expired(RENEWAL),
        at="brief"),
    Row("renew_expired_pkcs_req", "an expired certificate in a PKCSReq without a challenge",
        "badRequest", "expired at", expired(PKCS_REQ), at="brief"),
    Row("renew_revoked", "a revoked certificate", "badRequest", "is revoked since",
        revoked("revoke", "--reason", "superseded"), at="renew"),
    Row("renew_revoked_pkcs_req", "a revoked certificate in a PKCSReq without a challenge",
        "badRequest", "is revoked since", revoked("revoke", message_type=PKCS_REQ), at="renew"),
    Row("renew_held", "a certificate on hold", "badRequest", "certificateHold", revoked("hold"),
        at="renew"),
    Row("renew_early", "a renewal before the window of the profile", "badRequest", "is renewed from",
        renewing("late"), at="late"),
    Row("renew_never", "a renewal where the endpoint has none", "badRequest", "does not renew",
        renewing("never"), at="never"),
    Row("renew_other_profile", "a certificate of a more generous endpoint", "badRequest",
        'is of profile "device"', from_endpoint("open"), at="renew"),
    Row("renew_other_name", "another subject", "badRequest", "its renewal would be for",
        renewing(subject={"common_name": "admin"}), at="renew"),
    Row("renew_more_name", "the same subject and more", "badRequest", "its renewal would be for",
        renewing(subject={"common_name": "device", "organization_name": "Board"}), at="renew"),
    Row("renew_more_san", "an alternative name that the certificate does not have", "badRequest",
        "other subjectAltNames", renewing(extensions=[scep_peer.san_extension(["admin.example"])]),
        at="renew"),
    Row("renew_old_key", "the same key where a new one is demanded", "badRequest", "wants a new key",
        renewing("new-key"), at="new-key"),
    Row("renew_new_key", "a new key where the old one is demanded", "badRequest",
        "wants the key of the current certificate kept",
        lambda w: renewal_of(*w.enrolled("same-key"), key=rsa_key(5)), at="same-key"),
    Row("renew_captured", "another device's PKCS#10 request under the sender's certificate",
        "badRequest", "its renewal would be for", captured_under_own, at="renew"),
    Row("renew_ca_true", "CA:TRUE in a renewal", "badRequest", "basicConstraints CA:TRUE",
        renewing(extensions=[scep_peer.extension("2.5.29.19", der.seq(b"\x01\x01\xff"))]), at="renew"),
    Row("renew_ec_no_challenge", "an EC key's renewal without a password to answer under",
        "badRequest", "must have a challengePassword",
        lambda w: renewal_of(*w.enrolled(key=ec_key(1))), at="renew"),
]  # fmt: skip


def captured(**changes):
    """The envelope of a request that was granted, around which the sender signs anew."""

    def send(w):
        victim = Request(challenge=w.admin.challenge())
        envelope = victim.envelope(w.ca("demo"), victim.csr())
        first = victim.again(content=envelope)
        assert w.daemon.enrol(first, "demo").status == "SUCCESS"
        return Request(content=envelope, **changes)

    return send


def replayed_elsewhere(w):
    """The message as it was, at another endpoint of the same CA."""
    first = Request(challenge=w.admin.challenge(endpoint="demo"))
    assert w.daemon.enrol(first, "demo").status == "SUCCESS"
    return first.again()


def after_rejection(w):
    request = w.pending()
    w.decide(request, "reject")
    return request.again(sender_nonce=b"r" * 16)


REPLAYS = [
    Row("replay_own_key", "a captured envelope under a new transactionID and the same key",
        "badRequest", "was used already", captured(), at="demo"),
    Row("replay_other_key", "a captured envelope signed by another key", "badRequest",
        "signed with another key", captured(key=rsa_key(5)), at="demo"),
    Row("replay_as_renewal", "a captured envelope as a RenewalReq", "badCertId", NOT_OURS,
        captured(message_type=RENEWAL), at="renew"),
    Row("replay_as_poll", "a captured envelope as a CertPoll", "badRequest", DOES_NOT_OPEN,
        captured(message_type=CERT_POLL), at="demo"),
    Row("replay_elsewhere", "a captured message at another endpoint", "badRequest",
        'is for endpoint "demo"', replayed_elsewhere, at="manual"),
    Row("replay_rejected", "a request again that an operator has rejected", "badRequest",
        "an operator has rejected", after_rejection, at="manual", kind=""),
]  # fmt: skip


def poll_of(w, request, **changes):
    return request.poll(w.ca("manual"), **changes)


def polling(**changes):
    return lambda w: poll_of(w, w.pending(), **changes)


def poll_after(verb):
    def send(w):
        request = w.pending()
        w.decide(request, verb)
        return poll_of(w, request)

    return send


def poll_expired(w):
    request = w.pending("brief-queue")
    time.sleep(1.2)
    return poll_of(w, request)


POLLS = [
    Row("poll_unknown", "a poll for a transaction that there is not", "badCertId", NOBODY_WAITS,
        lambda w: poll_of(w, Request()), at="manual", kind=POLL),
    Row("poll_other_key", "a poll by another key", "badCertId", NOBODY_WAITS, polling(key=rsa_key(5)),
        at="manual", kind=POLL),
    Row("poll_other_transaction", "a poll by the right key under a foreign transactionID", "badCertId",
        NOBODY_WAITS, polling(transaction_id=b"another", key=rsa_key(6)), at="manual", kind=POLL),
    Row("poll_elsewhere", "a poll at another endpoint", "badCertId", NOBODY_WAITS, polling(), at="demo",
        kind=POLL),
    Row("poll_with_csr", "a PKCS#10 request in a CertPoll", "badRequest", DOES_NOT_OPEN,
        polling(payload=None), at="manual"),
    Row("poll_broken_names", "a CertPoll whose names cannot be read", "badRequest", DOES_NOT_OPEN,
        polling(payload=der.seq(der.seq(der.NULL), der.seq(der.NULL))), at="manual"),
    Row("poll_one_name", "a CertPoll of one name", "badRequest", DOES_NOT_OPEN,
        polling(payload=der.seq(scep_peer.name_der({"common_name": "device"}))), at="manual"),
    Row("poll_ec", "a poll by an EC key, which has no password to answer under", "badRequest",
        "has no challengePassword", lambda w: poll_of(w, w.pending(key=ec_key(1))), at="manual"),
    Row("poll_rejected", "a poll for a request that was rejected", "badRequest",
        "an operator has rejected", poll_after("reject"), at="manual", kind=""),
    Row("poll_expired", "a poll for a request that has expired", "badRequest", "has expired",
        poll_expired, at="brief-queue", kind="enrol.expired"),
]  # fmt: skip


def for_ca(message_type, name="demo", serial=4711, **changes):
    return lambda w: looking_up(message_type, w.ca(name).cert.subject, serial, **changes)


def foreign_cert(w):
    _, cert = w.enrolled("other")
    return looking_up(GET_CERT, cert.issuer, cert.serial_number)


def namesakes_cert(w):
    """The issuer's name is right, but the serial number is of the CA that shares it."""
    _, cert = w.enrolled("namesake")
    return looking_up(GET_CERT, cert.issuer, cert.serial_number)


LOOKUPS = [
    Row("get_cert_unknown", "GetCert for a serial number that was never given", "badCertId",
        "has issued no such", for_ca(GET_CERT)),
    Row("get_cert_negative", "GetCert for a negative serial number", "badCertId", "has issued no such",
        for_ca(GET_CERT, serial=-1)),
    Row("get_cert_long_serial", "GetCert for a serial number of 1000 octets", "badCertId",
        "has issued no such", for_ca(GET_CERT, serial=1 << 7990)),
    Row("get_cert_foreign", "GetCert for another CA's certificate", "badCertId", "asks for what",
        foreign_cert),
    Row("get_cert_namesake", "GetCert for the certificate of a CA of the same name", "badCertId",
        "has issued no such", namesakes_cert),
    Row("get_cert_broken", "GetCert that cannot be read", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(message_type=GET_CERT, payload=b"0\0")),
    Row("get_cert_trailing", "GetCert with a field too many", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(message_type=GET_CERT, payload=der.seq(
            w.ca("open").cert.subject.public_bytes(), der.integer(1), der.integer(2)))),
    Row("get_cert_ec", "GetCert by an EC key, which cannot decrypt", "badRequest",
        "has no challengePassword", for_ca(GET_CERT, key=ec_key(1))),
    Row("get_crl_foreign", "GetCRL for another CA", "badCertId", "asks for what",
        for_ca(GET_CRL, "other")),
    Row("get_crl_none", "GetCRL where none is published", "badCertId", "publishes no revocation list",
        for_ca(GET_CRL)),
    Row("get_crl_broken", "GetCRL that cannot be read", "badRequest", DOES_NOT_OPEN,
        lambda w: Request(message_type=GET_CRL, payload=b"\x30\x80")),
]  # fmt: skip

ROWS = RENEWALS + REPLAYS + POLLS + LOOKUPS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_refused(world, row):  # noqa: F811
    hostile.check(world, row)


def test_replayed_as_it_was(world):  # noqa: F811
    """A captured message sent fifty times is no new certificate: the answer is the old one."""
    request = Request()
    ca, before = world.ca("open"), world.issued()
    message = request.build(ca)
    bodies = [world.daemon.post("open", message)[2] for _ in range(50)]
    certs = {hostile.scep_reply.open_reply(b, request, ca).cert.serial_number for b in bodies}
    assert len(certs) == 1
    assert world.issued() == before + 1
