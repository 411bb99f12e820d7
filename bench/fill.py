# SPDX-License-Identifier: Apache-2.0
"""Makes a store large: certificates as if they had been enrolled, each with its event in the chain,
and revocations. What the daemon issued last is the pattern of all: only what differs from one to the
next is new, in the same places, so rows and indexes are as long and as scattered as real ones.

The server must not run. Indexes are dropped and made again at the end, which is how millions of rows
come in within minutes."""

import hashlib
import os
import sqlite3
import struct

BATCH = 20000
DOMAIN = b"scepter-audit-event-1\0"
EVENT_FIELDS = ["kind", "endpoint", "transaction_id", "ca", "serial", "actor", "reason", "detail"]


def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def latest(db, table):
    names = columns(db, table)
    where = "WHERE id = (SELECT max(id) FROM cert)" if table in ("cert", "event") else ""
    return names, list(db.execute(f"SELECT * FROM {table} {where}").fetchone())


def field(value):
    """docs/audit.md: a field of an event's hash."""
    if value is None:
        return b"\0"
    octets = value.encode() if isinstance(value, str) else value
    return b"\1" + struct.pack(">I", len(octets)) + octets


class Pattern:
    """Rows like the latest ones."""

    def __init__(self, db, count):
        self.count = count
        self.cert_names, self.cert = latest(db, "cert")
        self.event_names, self.event = latest(db, "event")
        cert = dict(zip(self.cert_names, self.cert))
        event = dict(zip(self.event_names, self.event))
        self.der = cert["der"].split(cert["serial"])
        assert len(self.der) >= 2, "the serial number is in the certificate"
        self.places = {n: self.cert_names.index(n) for n in self.cert_names}
        self.event_places = {n: self.event_names.index(n) for n in self.event_names}
        parts = [field(event[n]) for n in EVENT_FIELDS]
        self.head, self.between, self.tail = b"".join(parts[:2]), parts[3], b"".join(parts[5:])
        self.time = struct.pack(">q", event["time"])
        # as if one had been issued a millisecond (ca/issue.h), up to the pattern
        self.begin = int.from_bytes(cert["serial"][:6], "big")

    def rows(self, number, previous):
        """The event and the certificate of that id, and the event's hash."""
        key = hashlib.sha256(b"%d" % number).digest()
        transaction = key.hex().encode()
        serial = (self.begin - self.count + number).to_bytes(6, "big") + os.urandom(10)
        digest = hashlib.sha256(
            b"".join(
                (DOMAIN, previous, struct.pack(">q", number), self.time, self.head,
                 b"\1\0\0\0\x40", transaction, self.between, b"\1\0\0\0\x10", serial, self.tail)
            )
        ).digest()  # fmt: skip
        event, at = self.event.copy(), self.event_places
        event[at["id"]], event[at["transaction_id"]] = number, transaction
        event[at["serial"]], event[at["hash"]] = serial, digest
        cert, at = self.cert.copy(), self.places
        cert[at["id"]], cert[at["serial"]], cert[at["transaction_id"]] = number, serial, transaction
        cert[at["key_hash"]], cert[at["der"]] = key, serial.join(self.der)
        cert[at["transaction_tag"]], cert[at["key_tag"]] = struct.unpack(">qq", key[8:24])
        cert[at["subject"]] = f"CN=device-{number}"
        return event, cert, digest


def insertion(table, n):
    return f"INSERT INTO {table} VALUES ({', '.join('?' * n)})"


def add_certificates(db, count, revoked):
    """The serial numbers of every so many-th, as many as are to be revoked."""
    pattern = Pattern(db, count)
    number, digest = db.execute("SELECT id, hash FROM event ORDER BY id DESC LIMIT 1").fetchone()
    every = max(count // max(revoked, 1), 1)
    picked = []
    add_event = insertion("event", len(pattern.event_names))
    add_cert = insertion("cert", len(pattern.cert_names))
    for begin in range(0, count, BATCH):
        events, certs = [], []
        for i in range(begin, min(begin + BATCH, count)):
            number += 1
            event, cert, digest = pattern.rows(number, digest)
            events.append(event)
            certs.append(cert)
            if i % every == 0 and len(picked) < revoked:
                picked.append(cert[pattern.places["serial"]])
        with db:
            db.executemany(add_event, events)
            db.executemany(add_cert, certs)
    return picked


def add_revocations(db, serials):
    """In the order of the table; as if all had been decided with the latest event."""
    names = columns(db, "revocation")
    ca, time, end, change, generation = db.execute(
        "SELECT ca, issued, not_after, id, generation FROM cert ORDER BY id DESC LIMIT 1"
    ).fetchone()
    values = {"ca": ca, "time": time, "reason": 4, "not_after": end, "changed": change}
    values["generation"] = generation
    serials.sort()
    with db:
        db.executemany(
            insertion("revocation", len(names)),
            ([s if n == "serial" else values.get(n) for n in names] for s in serials),
        )


def fill(path, count, revoked):
    """Serial numbers of some of the certificates that are not revoked."""
    os.environ["SQLITE_TMPDIR"] = str(path.parent)
    db = sqlite3.connect(path)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -500000"):
        db.execute(f"PRAGMA {pragma}").fetchall()
    indexes = db.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name IN ('cert', 'event', 'revocation')"
    ).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    add_revocations(db, add_certificates(db, count, revoked))
    for _, sql in indexes:
        db.execute(sql)
    db.commit()
    good = db.execute(
        "SELECT hex(serial) FROM cert WHERE id > (SELECT max(id) FROM cert) - 5000 AND NOT EXISTS"
        " (SELECT 1 FROM revocation WHERE revocation.ca = cert.ca AND revocation.serial = cert.serial)"
    ).fetchall()
    db.close()
    return [row[0].lower() for row in good]
