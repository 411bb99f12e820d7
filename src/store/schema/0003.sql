-- SPDX-License-Identifier: Apache-2.0
-- Requests that wait for an operator's word, or did.

CREATE TABLE request (
	id INTEGER PRIMARY KEY,
	endpoint TEXT NOT NULL,
	-- As in cert.
	transaction_tag INTEGER NOT NULL,
	key_tag INTEGER NOT NULL,
	transaction_id BLOB NOT NULL,
	key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
	ca TEXT NOT NULL,
	profile TEXT NOT NULL,
	-- What was asked for, without the challenge that came with it.
	subject TEXT NOT NULL,
	subject_der BLOB NOT NULL,
	spki BLOB NOT NULL,
	exts BLOB,
	peer TEXT,
	created INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	needed INTEGER NOT NULL, -- approvals by different operators
	state INTEGER NOT NULL DEFAULT 0, -- 0 pending, 1 issued, 2 rejected, 3 expired
	decided INTEGER, -- time
	reason TEXT
) STRICT;

CREATE INDEX request_by_transaction ON request (transaction_tag, key_tag);
CREATE INDEX request_pending ON request (expires) WHERE state = 0;

CREATE TABLE approval (
	request INTEGER NOT NULL REFERENCES request (id),
	actor TEXT NOT NULL,
	time INTEGER NOT NULL,
	PRIMARY KEY (request, actor)
) STRICT, WITHOUT ROWID;
