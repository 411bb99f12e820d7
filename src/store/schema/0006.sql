-- SPDX-License-Identifier: Apache-2.0
-- Challenges that a page gives out: which page, for its maximum, and whether one may be used again.
ALTER TABLE challenge ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE challenge ADD COLUMN reusable INTEGER NOT NULL DEFAULT 0;
CREATE INDEX challenge_outstanding ON challenge (source, expires)
	WHERE source <> '' AND used = 0 AND revoked = 0 AND bound_to IS NULL;
