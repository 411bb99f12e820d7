-- SPDX-License-Identifier: Apache-2.0
-- Lists of devices that may enrol. Ids are never used again: a decision under way may have one.
CREATE TABLE device (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	list TEXT NOT NULL,
	type TEXT NOT NULL, -- 'serialNumber', 'MAC', 'DNS', '1.2.3.4'...
	key TEXT NOT NULL, -- the value in the form in which it is compared
	value TEXT NOT NULL, -- as it was written
	once INTEGER NOT NULL, -- good for one transaction
	note TEXT,
	created INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	bound_to BLOB CHECK (length(bound_to) = 32), -- as in challenge
	used INTEGER NOT NULL DEFAULT 0 -- 0: not yet
) STRICT;

CREATE UNIQUE INDEX device_by_key ON device (key, list, type);
CREATE INDEX device_by_list ON device (list);
