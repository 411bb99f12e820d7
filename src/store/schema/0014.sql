-- SPDX-License-Identifier: Apache-2.0
-- Public keys that are not certified (again). Those of certificates that are revoked for their
-- keys' sake already are put here right behind this, in the same transaction.
CREATE TABLE blocked_key (
	hash BLOB PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256 of the SubjectPublicKeyInfo
	time INTEGER NOT NULL,
	actor TEXT NOT NULL, -- who said it
	reason TEXT NOT NULL,
	ca TEXT, -- of the certificate whose revocation it was; NULL: it was said of the key alone
	serial BLOB
) STRICT, WITHOUT ROWID;

-- Who waits with a key that is blocked waits no more.
CREATE INDEX request_pending_key ON request (key_hash) WHERE state = 0;
