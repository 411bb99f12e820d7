-- SPDX-License-Identifier: Apache-2.0
-- A CA's key may be its OCSP responder's. SQLite changes no CHECK, so the table is made anew.

CREATE TABLE ca_key_5 (
	ca INTEGER NOT NULL REFERENCES ca (id),
	generation INTEGER NOT NULL,
	role TEXT NOT NULL CHECK (role IN ('ca', 'ra', 'ra-sign', 'ra-encrypt', 'ocsp')),
	key_id TEXT NOT NULL, -- the keeper's name of the private key
	cert BLOB NOT NULL,
	PRIMARY KEY (ca, generation, role)
) STRICT, WITHOUT ROWID;

INSERT INTO ca_key_5 (ca, generation, role, key_id, cert)
	SELECT ca, generation, role, key_id, cert FROM ca_key;
DROP TABLE ca_key;
ALTER TABLE ca_key_5 RENAME TO ca_key;
