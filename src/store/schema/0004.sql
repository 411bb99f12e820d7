-- SPDX-License-Identifier: Apache-2.0
-- The chain over the events (store/chain.h). Those that are there get their hashes right behind
-- this, in the same transaction.

ALTER TABLE event ADD COLUMN hash BLOB CHECK (length(hash) = 32);
