-- SPDX-License-Identifier: Apache-2.0
-- Times are seconds since 1970 UTC. Ids rise and are never used again, for rows are never deleted.
-- docs/store.md tells why the indexes are what they are.

CREATE TABLE ca (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	created INTEGER NOT NULL
) STRICT;

CREATE TABLE ca_key (
	ca INTEGER NOT NULL REFERENCES ca (id),
	generation INTEGER NOT NULL,
	role TEXT NOT NULL CHECK (role IN ('ca', 'ra', 'ra-sign', 'ra-encrypt')),
	key_id TEXT NOT NULL, -- the keeper's name of the private key
	cert BLOB NOT NULL,
	PRIMARY KEY (ca, generation, role)
) STRICT, WITHOUT ROWID;

-- Complete in itself: it names things by their names and outlives them.
CREATE TABLE event (
	id INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	kind TEXT NOT NULL,
	endpoint TEXT,
	-- As in cert, but NULL for the event of an issuance, which is found through its certificate.
	transaction_tag INTEGER,
	transaction_id BLOB,
	ca TEXT,
	serial BLOB,
	actor TEXT,
	reason TEXT,
	detail TEXT
) STRICT;

CREATE INDEX event_by_transaction ON event (transaction_tag) WHERE transaction_tag IS NOT NULL;

CREATE TABLE cert (
	-- The event that records the issuance: no certificate without one.
	id INTEGER PRIMARY KEY REFERENCES event (id),
	ca INTEGER NOT NULL REFERENCES ca (id),
	generation INTEGER NOT NULL,
	serial BLOB NOT NULL, -- content octets of the INTEGER
	profile TEXT NOT NULL,
	endpoint TEXT NOT NULL,
	-- Hash of transaction_id and first octets of key_hash: where to look; the columns decide.
	transaction_tag INTEGER NOT NULL,
	key_tag INTEGER NOT NULL,
	transaction_id BLOB NOT NULL,
	key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
	subject TEXT NOT NULL,
	not_before INTEGER NOT NULL,
	not_after INTEGER NOT NULL,
	issued INTEGER NOT NULL,
	der BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX cert_by_serial ON cert (serial, ca);
CREATE INDEX cert_by_transaction ON cert (transaction_tag, key_tag);

CREATE TABLE challenge (
	id INTEGER PRIMARY KEY,
	handle TEXT NOT NULL UNIQUE,
	hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	endpoint TEXT NOT NULL, -- '': any
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	subject BLOB, -- NULL: any
	san BLOB,     -- NULL: any
	revoked INTEGER NOT NULL DEFAULT 0,
	bound_to BLOB CHECK (length(bound_to) = 32), -- NULL: not bound yet
	used INTEGER NOT NULL DEFAULT 0              -- 0: not used yet
) STRICT;
