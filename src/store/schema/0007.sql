-- SPDX-License-Identifier: Apache-2.0
-- Challenges that are over are deleted after a while: in the order in which they end.
CREATE INDEX challenge_by_end ON challenge (expires);
