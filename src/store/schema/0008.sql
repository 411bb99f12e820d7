-- SPDX-License-Identifier: Apache-2.0
-- Generations of a CA's keys: when each takes over, and what belongs to it beside its keys.

-- The first generation of a CA that signed its own certificate has no row.
CREATE TABLE ca_generation (
	ca INTEGER NOT NULL REFERENCES ca (id),
	generation INTEGER NOT NULL,
	begins INTEGER NOT NULL, -- when it takes over from the one before
	began INTEGER, -- when it did; NULL: not yet
	request BLOB, -- PKCS#10 for the CA above, whose certificate is awaited; NULL: none is
	PRIMARY KEY (ca, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE ca_cert (
	ca INTEGER NOT NULL REFERENCES ca (id),
	generation INTEGER NOT NULL,
	kind TEXT NOT NULL CHECK (kind IN ('chain', 'old-with-new', 'new-with-old')),
	place INTEGER NOT NULL, -- in a chain: from the CA upwards
	cert BLOB NOT NULL,
	PRIMARY KEY (ca, generation, kind, place)
) STRICT, WITHOUT ROWID;

-- A revocation list is of one generation: the certificates that its key has signed.
ALTER TABLE revocation ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
ALTER TABLE crl ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
DROP INDEX crl_by_scope;
CREATE INDEX crl_by_scope ON crl (ca, generation, scope, base IS NULL, number);

-- That a request was made of.
ALTER TABLE request ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
