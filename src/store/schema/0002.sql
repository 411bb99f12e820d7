-- SPDX-License-Identifier: Apache-2.0
-- What has become of certificates, and the lists that tell it.

-- Few columns, no index but the order of the changes: a CA may have millions.
CREATE TABLE revocation (
	ca INTEGER NOT NULL REFERENCES ca (id),
	serial BLOB NOT NULL, -- as in cert
	time INTEGER NOT NULL, -- revocationDate
	-- CRLReason; removeFromCRL (8): it was on hold and is good again.
	reason INTEGER NOT NULL,
	invalid_since INTEGER, -- invalidityDate; NULL: none
	not_after INTEGER NOT NULL, -- of the certificate
	changed INTEGER NOT NULL REFERENCES event (id), -- the latest decision
	PRIMARY KEY (ca, serial)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocation_by_change ON revocation (ca, changed);

CREATE TABLE crl_number (
	ca INTEGER PRIMARY KEY REFERENCES ca (id),
	last INTEGER NOT NULL -- given out; a list that failed leaves a gap
) STRICT;

CREATE TABLE crl (
	id INTEGER PRIMARY KEY REFERENCES event (id),
	ca INTEGER NOT NULL REFERENCES ca (id),
	scope TEXT NOT NULL, -- '': complete; '3/8': the fourth of eight parts
	base INTEGER, -- NULL: not a delta list
	number INTEGER NOT NULL,
	this_update INTEGER NOT NULL,
	next_update INTEGER NOT NULL,
	change INTEGER NOT NULL, -- the latest of revocation.changed that it tells
	entries INTEGER NOT NULL,
	size INTEGER NOT NULL,
	sha256 BLOB NOT NULL CHECK (length(sha256) = 32)
) STRICT;

CREATE INDEX crl_by_scope ON crl (ca, scope, base IS NULL, number);
