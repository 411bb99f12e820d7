# SPDX-License-Identifier: Apache-2.0
"""What RFC 5280 wants in a certificate beside the rest, and newer versions of Python's ssl insist on."""

from cryptography import x509


def complete(builder, public_key, issuer_key, ca=False):
    """The builder with key identifiers, and with a CA's keyUsage."""
    ski = x509.SubjectKeyIdentifier.from_public_key(public_key)
    builder = builder.add_extension(ski, critical=False)
    if not ca:
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        return builder.add_extension(aki, critical=False)
    usage = dict.fromkeys(
        ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "encipher_only", "decipher_only"], False,
    )  # fmt: skip
    usage = x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage)
    return builder.add_extension(usage, critical=True)
