-- SPDX-License-Identifier: Apache-2.0
-- Certificates that count against a quota, as long as they do.
CREATE TABLE quota_use (
	key BLOB NOT NULL CHECK (length(key) = 32), -- SHA-256 of endpoint, kind and whose quota it is
	time INTEGER NOT NULL,
	cert INTEGER NOT NULL REFERENCES cert (id),
	PRIMARY KEY (key, time, cert)
) STRICT, WITHOUT ROWID;

CREATE INDEX quota_use_by_time ON quota_use (time);
