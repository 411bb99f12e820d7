-- SPDX-License-Identifier: Apache-2.0
-- Alarms that are raised: each is an event once, until it is over.
CREATE TABLE alarm (
	name TEXT PRIMARY KEY,
	raised INTEGER NOT NULL REFERENCES event (id)
) STRICT, WITHOUT ROWID;
