# SPDX-License-Identifier: Apache-2.0
"""A CA in several generations: who is next, who has signed, and what its lists and statuses say."""

import datetime
import subprocess

from asn1crypto import cms
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

import scep_reply
from daemon import wait_for
from scep_peer import Request

UTC = datetime.timezone.utc


def now():
    return datetime.datetime.now(UTC).replace(tzinfo=None)


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def caps(daemon):
    return daemon.get("demo", "GetCACaps")[2].decode().split()


def next_authority(daemon, name="demo"):
    """GetNextCACert: signed by the CA's own key; inside, what GetCACert will answer."""
    status, headers, body = daemon.get(name, "GetNextCACert")
    assert (status, headers["Content-Type"]) == (200, "application/x-x509-next-ca-cert"), body
    info = cms.ContentInfo.load(body, strict=True)["content"]
    signer_info = info["signer_infos"][0]
    sid = signer_info["sid"].chosen
    signer = next(
        c
        for c in map(lambda c: x509.load_der_x509_certificate(c.dump()), info["certificates"])
        if c.serial_number == sid["serial_number"].native
    )
    current = daemon.authority(name)
    assert signer == current.cert
    content = info["encap_content_info"]["content"].native
    attributes = {a["type"].native: a["values"][0].native for a in signer_info["signed_attrs"]}
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    assert attributes["message_digest"] == digest.finalize()
    signed = b"\x31" + signer_info["signed_attrs"].dump()[1:]
    scep_reply.verify(signer, "sha256", signer_info["signature"].native, signed)
    return scep_reply.authority("application/x-x509-ca-ra-cert", content)


def is_by(cert, ca):
    try:
        digest = cert.signature_hash_algorithm.name
        scep_reply.verify(ca, digest, cert.signature, cert.tbs_certificate_bytes)
        return True
    except InvalidSignature:
        return False


def switch_time(daemon):
    ca = daemon.admin.call("GET", "/cas/demo")
    begins = next(g["begins"] for g in ca["generations"] if g["number"] == 2)
    return datetime.datetime.strptime(begins, "%Y-%m-%dT%H:%M:%SZ")


def enrol(daemon, name, key, ca):
    reply = daemon.enrol(Request(subject={"common_name": name}, key=key), ca=ca)
    assert reply.status == "SUCCESS", reply.fail_text
    return reply.cert


def switched(daemon):
    return next(iter(daemon.events("ca.switched")), None)


def fetch_list(daemon, path):
    status, _, body = daemon.http("GET", path)
    return x509.load_der_x509_crl(body) if status == 200 else None


def ask_ocsp(daemon, cert, ca):
    request = ocsp.OCSPRequestBuilder().add_certificate(cert, ca, hashes.SHA1()).build()
    status, _, body = daemon.http(
        "POST",
        "/ocsp/demo",
        request.public_bytes(serialization.Encoding.DER),
        {"Content-Type": "application/ocsp-request"},
    )
    assert status == 200
    return ocsp.load_der_ocsp_response(body)


def check_old_and_new(daemon, tmp_path, *pairs):
    """Lists and statuses of either generation, by the key of that generation."""
    for cert, _ in pairs:
        daemon.ctl("cert", "revoke", f"{cert.serial_number:032x}", "--reason", "superseded")
    for i, (cert, authority) in enumerate(pairs):
        path = "/crl/demo/full.crl" if i == 0 else "/crl/demo/2/full.crl"
        points = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
        url = points[0].full_name[0].value
        assert url == "http://crl.example" + path.replace("/crl", "", 1)
        found = wait_for(
            f"list of {path}",
            lambda: (lambda c: c and len(list(c)) == 1 and c)(fetch_list(daemon, path)),
        )
        assert found.is_signature_valid(authority.cert.public_key())
        assert [r.serial_number for r in found] == [cert.serial_number]
        response = ask_ocsp(daemon, cert, authority.cert)
        assert response.certificate_status == ocsp.OCSPCertStatus.REVOKED
        assert is_by(response.certificates[0], authority.cert)
        verify_with_openssl(tmp_path, i, authority, found, cert)
    # the other generation's key says nothing of it
    stranger = ask_ocsp(daemon, pairs[0][0], pairs[1][1].cert)
    assert stranger.certificate_status == ocsp.OCSPCertStatus.UNKNOWN


def verify_with_openssl(tmp_path, i, authority, crl, revoked):
    files = {"ca": pem(authority.cert), "crl": crl.public_bytes(serialization.Encoding.PEM),
             "ra": pem(authority.sign_cert), "leaf": pem(revoked)}  # fmt: skip
    for name, data in files.items():
        (tmp_path / f"{i}{name}.pem").write_bytes(data)
    common = ["openssl", "verify", "-crl_check", "-CAfile", tmp_path / f"{i}ca.pem",
              "-CRLfile", tmp_path / f"{i}crl.pem"]  # fmt: skip
    good = subprocess.run([*common, tmp_path / f"{i}ra.pem"], capture_output=True, text=True)
    assert good.returncode == 0, good.stderr
    bad = subprocess.run([*common, tmp_path / f"{i}leaf.pem"], capture_output=True, text=True)
    assert bad.returncode != 0 and "revoked" in bad.stderr
