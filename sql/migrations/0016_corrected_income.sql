-- What an entry of income has been corrected by, kept beside it so that a CHECK can guard it: two corrections at one
-- moment can't go below zero together.
ALTER TABLE income_entry ADD COLUMN corrected_fen bigint NOT NULL DEFAULT 0;
UPDATE income_entry e SET corrected_fen = c.fen
FROM (SELECT village_id, corrects, sum(amount_fen)::bigint AS fen FROM income_entry GROUP BY village_id, corrects) c
WHERE c.village_id = e.village_id AND c.corrects = e.id;
ALTER TABLE income_entry ADD CONSTRAINT income_entry_not_below_zero
    CHECK (corrected_fen = 0 OR corrects IS NULL AND amount_fen + corrected_fen >= 0);
CREATE INDEX income_entry_corrections ON income_entry (village_id, corrects) WHERE corrects IS NOT NULL;
-- register_key: an entry that was made by hand is found in a register later.
GRANT UPDATE (corrected_fen, register_key) ON income_entry TO taoyuan_service;

-- The counter is summed again when a transaction that changed it, or that wrote a correction, ends.
CREATE FUNCTION check_income_sum() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.income_entry e
        WHERE e.village_id = NEW.village_id AND e.id = coalesce(NEW.corrects, NEW.id) AND e.corrected_fen <> (
            SELECT coalesce(sum(c.amount_fen), 0) FROM public.income_entry c
            WHERE c.village_id = e.village_id AND c.corrects = e.id))
    THEN
        RAISE EXCEPTION 'what the entry was corrected by is not the sum of its corrections'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'income_entry_summed';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION check_income_sum() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER income_entry_summed AFTER UPDATE OF corrected_fen ON income_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_income_sum();
CREATE CONSTRAINT TRIGGER income_correction_summed AFTER INSERT ON income_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.corrects IS NOT NULL) EXECUTE FUNCTION check_income_sum();
