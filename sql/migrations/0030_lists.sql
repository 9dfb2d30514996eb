-- A list begins with what is newest. That of a cooperative goes down its own rows, not down those of the whole village of
-- which it sees few; that of a batch's sales goes down the batch's. The cooperative first for the reason given at
-- batch_slip_once. In an order of their own, which no number needs: whoever asks for it is sure to get these indexes, where
-- the planner would think that the village's keys, in the order of time, find the few as well.
CREATE UNIQUE INDEX batch_newest ON batch (cooperative_id, village_id, number NULLS FIRST);
CREATE UNIQUE INDEX sale_newest ON sale (cooperative_id, village_id, id NULLS FIRST);

-- They are what keys of rows of the same cooperative point at, too: an index less to keep with each row.
DO $$
DECLARE
    keys text[];
    key text;
BEGIN
    SELECT array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)))
    INTO keys FROM pg_constraint
    WHERE contype = 'f' AND conindid IN
        ('batch_village_id_number_cooperative_id_key'::regclass, 'sale_village_id_id_cooperative_id_key'::regclass);
    ALTER TABLE batch DROP CONSTRAINT batch_village_id_number_cooperative_id_key CASCADE;
    ALTER TABLE sale DROP CONSTRAINT sale_village_id_id_cooperative_id_key CASCADE;
    FOREACH key IN ARRAY keys LOOP
        EXECUTE key;
    END LOOP;
END
$$;

DROP INDEX sale_line_batch;
CREATE INDEX sale_line_batch ON sale_line (village_id, batch_number, sale_id);
