#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scep_oracle.py FILE: what asn1crypto reads in a pkiMessage, a line an attribute, for test_scep_message."""
import sys

from asn1crypto import cms

NAMES = {f"2.16.840.1.113733.1.9.{n}": name for n, name in enumerate(
    ("messageType", "pkiStatus", "failInfo", "senderNonce", "recipientNonce", "transactionID"), 2)}
NAMES["1.3.6.1.5.5.7.24.1"] = "failInfoText"

with open(sys.argv[1], "rb") as f:
    info = cms.ContentInfo.load(f.read(), strict=True)
signed = info["content"]
signer = signed["signer_infos"][0]
for attribute in sorted(signer["signed_attrs"], key=lambda a: a["type"].dotted):
    name = NAMES.get(attribute["type"].dotted)
    if not name:
        continue
    for value in attribute["values"]:
        parsed = value.parsed if hasattr(value, "parsed") else value
        native = parsed.native
        text = native.hex() if isinstance(native, bytes) else native
        print(f"{name} {type(parsed).__name__} {text}")
content = signed["encap_content_info"]["content"]
print("content", "absent" if content.native is None else content.native.hex())
print("certificates", len(signed["certificates"]))
print("signature", signer["signature_algorithm"]["algorithm"].native, signer["digest_algorithm"]["algorithm"].native)
