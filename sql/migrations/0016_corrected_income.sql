-- What an entry of income has been corrected by, kept beside it so that a CHECK can guard it: two corrections at one
-- moment can't go below zero together.
ALTER TABLE income_entry ADD COLUMN corrected_fen bigint NOT NULL DEFAULT 0;
UPDATE income_entry e SET corrected_fen = c.fen
FROM (SELECT village_id, corrects, sum(amount_fen)::bigint AS fen FROM income_entry GROUP BY village_id, corrects) c
WHERE c.village_id = e.village_id AND c.corrects = e.id;
ALTER TABLE income_entry ADD CONSTRAINT income_entry_not_below_zero
    CHECK (corrected_fen = 0 OR corrects IS NULL AND amount_fen + corrected_fen >= 0);
CREATE INDEX income_entry_corrections ON income_entry (village_id, corrects) WHERE corrects IS NOT NULL;
GRANT UPDATE (corrected_fen) ON income_entry TO taoyuan_service;
