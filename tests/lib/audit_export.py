# SPDX-License-Identifier: Apache-2.0
"""Verifies an export of the audit record. Written from docs/audit.md alone: an oracle of its own.

    verify(lines, public_key_pem)     # the whole file's octets; raises Bad
"""

import datetime
import hashlib
import json
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TEXTS = ("kind", "endpoint", "ca", "actor", "reason", "detail")
FIELDS = ("kind", "endpoint", "transaction", "ca", "serial", "actor", "reason", "detail")
SEAL = ("first", "prev", "last", "hash", "time", "key", "signature")


class Bad(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Bad(text)


def seconds(text):
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return int(moment.replace(tzinfo=datetime.timezone.utc).timestamp())


def as_text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def strict(line, what):
    def pairs(items):
        need(len({k for k, _ in items}) == len(items), f"{what}: a field stands twice")
        return dict(items)

    try:
        value = json.loads(line.decode(), object_pairs_hook=pairs)
    except ValueError as e:
        raise Bad(f"{what}: {e}") from None
    need(isinstance(value, dict), f"{what}: no object")
    return value


def octets(text, what):
    need(isinstance(text, str) and text == text.lower() and text.isascii(), f"{what}: no octets")
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raise Bad(f"{what}: no hexadecimal") from None
    need(raw.hex() == text, f"{what}: white space")
    return raw


def canonical(line):
    """json.dumps escapes as the format does, but writes \\u00xx with lower-case digits."""
    out, i = bytearray(), 0
    while i < len(line):
        if line[i : i + 1] == b"\\":
            piece = line[i : i + 6] if line[i + 1 : i + 2] == b"u" else line[i : i + 2]
            if piece[1:2] == b"u":
                need(piece[2:] == piece[2:].upper(), "an escape in lower case")
                piece = b"\\u" + piece[2:].lower()
            out += piece
            i += len(piece)
        else:
            out += line[i : i + 1]
            i += 1
    return bytes(out)


def field(event, name):
    if name in event:
        value = event[name]
        return value.encode() if name in TEXTS else octets(value, name)
    if name in TEXTS and name + "_hex" in event:
        raw = octets(event[name + "_hex"], name)
        try:
            raw.decode()
        except UnicodeDecodeError:
            return raw
        raise Bad(f"{name}_hex is UTF-8")
    return None


def event_hash(event, before):
    message = b"scepter-audit-event-1\0" + before
    message += struct.pack(">Qq", event["id"], seconds(event["time"]))
    for name in FIELDS:
        value = field(event, name)
        if value is None or (name not in TEXTS and not value):
            need(value is None, f"{name} is empty")
            message += b"\0"
        else:
            message += b"\1" + struct.pack(">I", len(value)) + value
    return hashlib.sha256(message).digest()


def check_names(event, what):
    order = ["id", "time"]
    order += [n if n in event or n + "_hex" not in event else n + "_hex" for n in FIELDS] + ["hash"]
    need(list(event) == [n for n in order if n in event], f"{what}: fields or their order")


def check_seal(seal, key, what):
    need(tuple(seal) == SEAL, f"{what}: fields of the seal or their order")
    message = b"scepter-audit-seal-1\0" + struct.pack(">Q", seal["first"])
    message += octets(seal["prev"], what) + struct.pack(">Q", seal["last"])
    message += octets(seal["hash"], what) + struct.pack(">q", seconds(seal["time"]))
    try:
        key.verify(octets(seal["signature"], what), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Bad(f"{what}: signature") from None


def fingerprint(key):
    spki = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()


def verify(data, public_key_pem):
    """The events, when all is well."""
    try:
        return verify_all(data, public_key_pem)
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as e:
        raise Bad(f"a field is missing or of another kind: {e}") from None


def verify_all(data, public_key_pem):
    key = serialization.load_pem_public_key(public_key_pem)
    need(data.endswith(b"\n"), "the last line has no end")
    lines = data[:-1].split(b"\n")
    head = strict(lines[0], "head")
    need(list(head) == ["scepter_audit", "seal"] and head["scepter_audit"] == 1, "head")
    need(as_text(head) == canonical(lines[0]), "head: its text")
    seal = head["seal"]
    check_seal(seal, key, "head")
    need(seal["key"] == fingerprint(key), "head: key")
    before, events, all_hashes = octets(seal["prev"], "head"), [], {}
    for line in lines[1:]:
        want = seal["first"] + len(events)
        event = strict(line, f"event {want}")
        need(event.get("id") == want, f"event {want} is not where it should be")
        check_names(event, f"event {want}")
        need(as_text(event) == canonical(line), f"event {want}: its text")
        before = event_hash(event, before)
        need(event["hash"] == before.hex(), f"event {want}: hash")
        all_hashes[want] = event["hash"]
        events.append(event)
        if event["kind"] == "audit.checkpoint":
            check_checkpoint(event, key, all_hashes)
    need(len(events) == seal["last"] - seal["first"] + 1, "events are missing or added")
    need(before.hex() == seal["hash"], "the last hash is not the sealed one")
    return events


def check_checkpoint(event, key, all_hashes):
    what = f"checkpoint {event['id']}"
    seal = strict(event["detail"].encode(), what)
    if seal["key"] != fingerprint(key) or seal["last"] not in all_hashes:
        return
    check_seal(seal, key, what)
    need(all_hashes[seal["last"]] == seal["hash"], f"{what}: another event was sealed")
