-- SPDX-License-Identifier: Apache-2.0
-- A generation that is planned may be cancelled. Its number is not given out again.
ALTER TABLE ca ADD COLUMN last_generation INTEGER NOT NULL DEFAULT 1;
UPDATE ca SET last_generation = coalesce((SELECT max(generation) FROM ca_key WHERE ca_key.ca = ca.id), 1);

-- That it has issued certificates before it is in charge: then it has to come.
ALTER TABLE ca_generation ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
UPDATE ca_generation SET asked = 1 WHERE began IS NULL AND request IS NULL;
