-- SPDX-License-Identifier: Apache-2.0
-- A long list of devices is imported in many commits, and counts from the last one on: until then
-- its import stands here. One that broke off is put away.
CREATE TABLE device_import (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	after INTEGER NOT NULL -- device.id before its first
) STRICT;

ALTER TABLE device ADD COLUMN import INTEGER NOT NULL DEFAULT 0; -- that it came with; 0: none
