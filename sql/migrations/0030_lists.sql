-- A list begins with what is newest. That of a cooperative goes down its own rows, not down those of the whole village of
-- which it sees few; that of a batch's sales goes down the batch's. The cooperative first for the reason given at
-- batch_slip_once. In an order of their own, which no number needs: whoever asks for it is sure to get these indexes, where
-- the planner would think that the village's keys, in the order of time, find the few as well.
CREATE INDEX batch_newest ON batch (cooperative_id, village_id, number NULLS FIRST);
CREATE INDEX sale_newest ON sale (cooperative_id, village_id, id NULLS FIRST);

DROP INDEX sale_line_batch;
CREATE INDEX sale_line_batch ON sale_line (village_id, batch_number, sale_id);
