-- What is recorded of goods can be put right, by rows that point at what they put right; nothing is rewritten. Counters
-- beside them let a CHECK bound them. And a batch under recall gives up nothing any more.

-- A harvest's correction, with all of it before and after.
CREATE TABLE batch_correction (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    batch_number bigint NOT NULL,
    cooperative_id int NOT NULL,
    -- void: the harvest never was
    kind text NOT NULL CHECK (kind IN ('correct', 'void')),
    day date NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    grams_before bigint NOT NULL,
    grams_after bigint NOT NULL,
    grade_before int NOT NULL,
    grade_after int NOT NULL,
    slip_before text,
    slip_after text,
    picker_before text,
    picker_after text,
    -- by which the grams came or went; NULL where the weight was right
    movement bigint,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    CONSTRAINT batch_correction_void CHECK ((kind = 'void') = (grams_after = 0)),
    CONSTRAINT batch_correction_changes CHECK (
        (grams_before, grade_before, slip_before, picker_before)
            IS DISTINCT FROM (grams_after, grade_after, slip_after, picker_after)),
    CONSTRAINT batch_correction_moves CHECK ((grams_before = grams_after) = (movement IS NULL)),
    FOREIGN KEY (village_id, batch_number, cooperative_id) REFERENCES batch (village_id, number, cooperative_id),
    FOREIGN KEY (village_id, batch_number, movement) REFERENCES stock_movement,
    FOREIGN KEY (village_id, grade_after) REFERENCES grade
);
-- The batch first for the reason given at batch_slip_once.
CREATE INDEX batch_correction_batch ON batch_correction (batch_number, village_id);
CREATE INDEX batch_correction_slip ON batch_correction (slip_before, cooperative_id, village_id)
    WHERE slip_before IS NOT NULL;
CREATE UNIQUE INDEX batch_void_once ON batch_correction (village_id, batch_number) WHERE kind = 'void';

-- recalls: how many recalls are open of the batch and of those that it was made from; whoever makes a batch of others
-- counts theirs. frozen_g: what had left when the first of them was opened, and nothing more may leave but what is
-- destroyed, which moves both.
ALTER TABLE batch
    ADD COLUMN voided boolean NOT NULL DEFAULT false,
    ADD COLUMN recalls int NOT NULL DEFAULT 0,
    ADD COLUMN frozen_g bigint,
    DROP CONSTRAINT batch_in_positive,
    ADD CONSTRAINT batch_in_positive CHECK (in_g BETWEEN 1 AND 100000000000 OR (voided AND in_g = 0)),
    ADD CONSTRAINT batch_void_is_empty CHECK (NOT voided OR in_g = 0),
    ADD CONSTRAINT batch_recalls_counted CHECK (recalls >= 0 AND (recalls > 0) = (frozen_g IS NOT NULL)),
    ADD CONSTRAINT batch_under_recall CHECK (out_g <= frozen_g);

-- A void batch's slip is free again.
DROP INDEX batch_slip_once;
CREATE UNIQUE INDEX batch_slip_once ON batch (village_id, cooperative_id, slip, (extract(year FROM harvested_on)::int))
    WHERE slip IS NOT NULL AND NOT voided;

-- A harvest without a slip may be a row of the register that comes later.
CREATE INDEX batch_without_slip ON batch (plot_id, harvested_on, village_id) WHERE slip IS NULL AND NOT voided;

UPDATE batch b SET recalls = o.recalls, frozen_g = b.out_g
FROM (
    WITH RECURSIVE line (village_id, number, recalled) AS (
        SELECT r.village_id, r.batch_number, r.batch_number FROM recall r
        WHERE r.step = 'open' AND r.id = (
            SELECT max(n.id) FROM recall n WHERE n.village_id = r.village_id AND n.batch_number = r.batch_number)
        UNION
        SELECT i.village_id, i.child, line.recalled
        FROM batch_input i JOIN line ON i.village_id = line.village_id AND i.parent = line.number
    )
    SELECT village_id, number, count(DISTINCT recalled) AS recalls FROM line GROUP BY village_id, number
) o
WHERE b.village_id = o.village_id AND b.number = o.number;

-- How much of a line came back, and how much of its money went back.
ALTER TABLE sale_line
    ADD COLUMN returned_g bigint NOT NULL DEFAULT 0,
    ADD COLUMN refunded_fen bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT sale_line_returned CHECK (returned_g BETWEEN 0 AND grams),
    ADD CONSTRAINT sale_line_refunded CHECK (refunded_fen BETWEEN 0 AND amount_fen);

-- A sale that was recorded anew, after the one that it replaces was reversed, may carry its number.
ALTER TABLE sale
    ADD COLUMN replaces bigint,
    ADD FOREIGN KEY (village_id, replaces, cooperative_id) REFERENCES sale (village_id, id, cooperative_id);
CREATE UNIQUE INDEX sale_replaced_once ON sale (village_id, replaces) WHERE replaces IS NOT NULL;
DROP INDEX sale_number_once;
CREATE UNIQUE INDEX sale_number_once ON sale (village_id, cooperative_id, number, (extract(year FROM sold_on)::int))
    WHERE number IS NOT NULL AND replaces IS NULL;

-- A reversal takes back all that is left of a line, a return some of it.
CREATE TABLE sale_correction (
    village_id int NOT NULL,
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    sale_id bigint NOT NULL,
    line int NOT NULL,
    cooperative_id int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reversal', 'return')),
    goods text NOT NULL CHECK (goods IN ('back', 'scrapped', 'regraded')),
    grams bigint NOT NULL CHECK (grams >= 0),
    refund_fen bigint NOT NULL CHECK (refund_fen >= 0),
    batch_number bigint NOT NULL,
    -- by which the grams came back, and by which those that were scrapped left again
    movement bigint,
    scrapping bigint,
    day date NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    CONSTRAINT sale_correction_does_something CHECK (grams > 0 OR (kind = 'reversal' AND refund_fen > 0)),
    CONSTRAINT sale_correction_reversal CHECK (kind = 'return' OR goods = 'back'),
    CONSTRAINT sale_correction_moves CHECK (
        (grams = 0) = (movement IS NULL) AND (goods = 'scrapped') = (scrapping IS NOT NULL)),
    FOREIGN KEY (village_id, sale_id, line) REFERENCES sale_line,
    FOREIGN KEY (village_id, sale_id, cooperative_id) REFERENCES sale (village_id, id, cooperative_id),
    FOREIGN KEY (village_id, batch_number, movement) REFERENCES stock_movement,
    FOREIGN KEY (village_id, batch_number, scrapping) REFERENCES stock_movement
);
CREATE INDEX sale_correction_line ON sale_correction (sale_id, line, village_id);
CREATE INDEX sale_correction_batch ON sale_correction (batch_number, village_id);
CREATE UNIQUE INDEX sale_reversed_once ON sale_correction (village_id, sale_id, line) WHERE kind = 'reversal';
CREATE INDEX sale_correction_day ON sale_correction (day, village_id);

-- return: grams that came back from a sale; undo: grams that had not left after all. What they belong to stands in the
-- tables of corrections, so that the many movements that are none have no more keys to be looked up.
ALTER TABLE stock_movement
    DROP CONSTRAINT stock_movement_kind_check,
    ADD CONSTRAINT stock_movement_kind_check CHECK (
        kind IN ('harvest', 'sale', 'own_use', 'loss', 'gift', 'correction', 'return', 'undo')),
    DROP CONSTRAINT stock_movement_direction,
    ADD CONSTRAINT stock_movement_direction CHECK (
        kind = 'correction' OR (grams > 0) = (kind IN ('harvest', 'return', 'undo'))),
    DROP CONSTRAINT stock_movement_sale,
    ADD CONSTRAINT stock_movement_sale CHECK ((kind IN ('sale', 'return')) = (sale_id IS NOT NULL));
-- A withdrawal is found by its number alone.
CREATE INDEX stock_movement_withdrawal ON stock_movement (id, village_id) WHERE kind IN ('own_use', 'loss', 'gift');

-- A withdrawal that was not: undone at most once, by a movement of its own, which has day, reason and actor.
CREATE TABLE withdrawal_undo (
    village_id int NOT NULL,
    batch_number bigint NOT NULL,
    withdrawal bigint NOT NULL,
    cooperative_id int NOT NULL,
    movement bigint NOT NULL,
    CONSTRAINT withdrawal_undone_once PRIMARY KEY (village_id, batch_number, withdrawal),
    FOREIGN KEY (village_id, batch_number, withdrawal) REFERENCES stock_movement,
    FOREIGN KEY (village_id, batch_number, movement) REFERENCES stock_movement,
    FOREIGN KEY (village_id, batch_number, cooperative_id) REFERENCES batch (village_id, number, cooperative_id)
);
DO $$
DECLARE
    village text := '(SELECT nullif(current_setting(''taoyuan.village'', true), '''')::int)';
    own text := '(SELECT nullif(current_setting(''taoyuan.cooperative'', true), '''')::int)';
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['batch_correction', 'sale_correction', 'withdrawal_undo']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$
            CREATE POLICY %1$I ON %2$I USING (village_id = %3$s AND %4$s IN (0, cooperative_id))
            $policy$, name || '_scope', name, village, own);
    END LOOP;
    -- The undoing of a withdrawal has its day in its movement.
    FOREACH name IN ARRAY ARRAY['batch_correction', 'sale_correction']
    LOOP
        EXECUTE format($policy$
            CREATE POLICY %I ON %I AS RESTRICTIVE FOR INSERT WITH CHECK (
                coalesce(day > (SELECT max(through) FROM books_closing WHERE village_id = %s), true)
                OR refuse_closed_books())
            $policy$, name || '_open_books', name, village);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON batch_correction, sale_correction, withdrawal_undo TO taoyuan_service;
GRANT USAGE ON SEQUENCE sale_correction_id_seq TO taoyuan_service;
GRANT UPDATE (in_g, grade_id, slip, picker, voided, recalls, frozen_g) ON batch TO taoyuan_service;
GRANT UPDATE (returned_g, refunded_fen) ON sale_line TO taoyuan_service;
-- A sale that was recorded without a number gets that of its row when the register comes, and how it was paid.
GRANT UPDATE (number, paid_how) ON sale TO taoyuan_service;

-- Around what a product sells at, in fen a kilogram: what is far from it is looked at more closely.
ALTER TABLE product ADD COLUMN usual_fen bigint CHECK (usual_fen > 0);
GRANT UPDATE (usual_fen) ON product TO taoyuan_service;

-- As before, with the batch's own count of the recalls that it is under.
CREATE OR REPLACE VIEW public_code AS
SELECT c.village_id, c.batch_number, c.serial, c.key_id, c.issued_on, c.best_before,
    EXISTS (
        SELECT FROM code_revocation r
        WHERE r.village_id = c.village_id AND r.batch_number = c.batch_number AND r.serial IN ('', c.serial)
    ) AS revoked,
    b.recalls > 0 AS recalled,
    b.product_id, b.variety_id, b.grade_id, b.harvested_on, b.cooperative_id
FROM code c
JOIN batch b ON b.village_id = c.village_id AND b.number = c.batch_number;

-- Numbers stand once a year in a cooperative however it is spelt: the unique indexes know it by its row alone. Where no
-- names were merged there is nothing to look for. Of two who write one number under two spellings at the same moment the
-- second waits for the first.
CREATE FUNCTION check_slip_spellings(in_village int, in_cooperative int, in_slip text, harvested date)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.cooperative n
        JOIN public.cooperative c ON c.village_id = n.village_id AND c.id <> n.id
            AND coalesce(c.merged_into, c.id) = coalesce(n.merged_into, n.id)
        JOIN public.batch b ON b.village_id = c.village_id AND b.cooperative_id = c.id
        WHERE n.village_id = in_village AND n.id = in_cooperative AND b.slip = in_slip AND b.slip IS NOT NULL
            AND NOT b.voided AND extract(year FROM b.harvested_on)::int = extract(year FROM harvested)::int)
    THEN
        RAISE EXCEPTION 'the slip stands under another spelling of the cooperative'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'batch_slip_once';
    END IF;
END
$$;
CREATE FUNCTION check_sale_number_spellings(in_village int, in_cooperative int, in_number text, sold date)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.cooperative n
        JOIN public.cooperative c ON c.village_id = n.village_id AND c.id <> n.id
            AND coalesce(c.merged_into, c.id) = coalesce(n.merged_into, n.id)
        JOIN public.sale s ON s.village_id = c.village_id AND s.cooperative_id = c.id
        WHERE n.village_id = in_village AND n.id = in_cooperative AND s.number = in_number AND s.number IS NOT NULL
            AND s.replaces IS NULL AND extract(year FROM s.sold_on)::int = extract(year FROM sold)::int)
    THEN
        RAISE EXCEPTION 'the number stands under another spelling of the cooperative'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'sale_number_once';
    END IF;
END
$$;

CREATE FUNCTION check_written_slips() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.cooperative WHERE merged_into IS NOT NULL) THEN
        PERFORM pg_advisory_xact_lock(7241006, village_id)
        FROM (SELECT DISTINCT village_id FROM written WHERE slip IS NOT NULL) v;
        PERFORM public.check_slip_spellings(village_id, cooperative_id, slip, harvested_on)
        FROM written WHERE slip IS NOT NULL;
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION check_corrected_slip() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.cooperative WHERE merged_into IS NOT NULL) THEN
        PERFORM pg_advisory_xact_lock(7241006, NEW.village_id);
        PERFORM public.check_slip_spellings(NEW.village_id, NEW.cooperative_id, NEW.slip, NEW.harvested_on);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION check_written_sale_numbers() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM public.cooperative WHERE merged_into IS NOT NULL) THEN
        PERFORM pg_advisory_xact_lock(7241006, village_id)
        FROM (SELECT DISTINCT village_id FROM written WHERE number IS NOT NULL AND replaces IS NULL) v;
        PERFORM public.check_sale_number_spellings(village_id, cooperative_id, number, sold_on)
        FROM written WHERE number IS NOT NULL AND replaces IS NULL;
    END IF;
    RETURN NULL;
END
$$;
-- A sale that has no number may be given one, once.
CREATE FUNCTION check_numbered_sale() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.number IS NOT NULL OR OLD.paid_how IS DISTINCT FROM NEW.paid_how AND OLD.paid_how IS NOT NULL THEN
        RAISE EXCEPTION 'a sale keeps its number, and how it was paid' USING ERRCODE = 'check_violation', CONSTRAINT = 'sale_number_kept';
    END IF;
    IF NEW.replaces IS NULL AND EXISTS (SELECT FROM public.cooperative WHERE merged_into IS NOT NULL) THEN
        PERFORM pg_advisory_xact_lock(7241006, NEW.village_id);
        PERFORM public.check_sale_number_spellings(NEW.village_id, NEW.cooperative_id, NEW.number, NEW.sold_on);
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION check_slip_spellings(int, int, text, date),
    check_sale_number_spellings(int, int, text, date), check_written_slips(), check_corrected_slip(),
    check_written_sale_numbers(), check_numbered_sale() FROM PUBLIC;
CREATE TRIGGER batch_written_slips AFTER INSERT ON batch REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION check_written_slips();
CREATE TRIGGER batch_corrected_slip AFTER UPDATE OF slip ON batch
    FOR EACH ROW WHEN (NEW.slip IS DISTINCT FROM OLD.slip AND NEW.slip IS NOT NULL)
    EXECUTE FUNCTION check_corrected_slip();
CREATE TRIGGER sale_written_numbers AFTER INSERT ON sale REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION check_written_sale_numbers();
CREATE TRIGGER sale_numbered AFTER UPDATE OF number, paid_how ON sale
    FOR EACH ROW WHEN ((NEW.number, NEW.paid_how) IS DISTINCT FROM (OLD.number, OLD.paid_how))
    EXECUTE FUNCTION check_numbered_sale();

-- What corrections add to counters is summed again when their transaction ends, so that neither is changed without the
-- other. What leaves a batch (out_g) is not: a sale would read all that its batch has seen.
CREATE FUNCTION check_batch_sum() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted bigint;
BEGIN
    IF TG_TABLE_NAME = 'batch' THEN
        wanted := NEW.number;
    ELSE
        wanted := NEW.batch_number;
    END IF;
    IF EXISTS (
        SELECT FROM public.batch b WHERE b.village_id = NEW.village_id AND b.number = wanted AND b.in_g <> (
            SELECT coalesce(sum(m.grams), 0) FROM public.stock_movement m
            WHERE m.village_id = b.village_id AND m.batch_number = b.number AND m.kind IN ('harvest', 'correction')))
    THEN
        RAISE EXCEPTION 'what came into the batch is not the sum of its movements'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_in_summed';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION check_sale_line_sum() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.sale_line l
        WHERE l.village_id = NEW.village_id AND l.sale_id = NEW.sale_id AND l.line = NEW.line
            AND (l.returned_g, l.refunded_fen) <> (
                SELECT coalesce(sum(k.grams), 0), coalesce(sum(k.refund_fen), 0) FROM public.sale_correction k
                WHERE k.village_id = l.village_id AND k.sale_id = l.sale_id AND k.line = l.line))
    THEN
        RAISE EXCEPTION 'what came back of the line is not the sum of its corrections'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'sale_line_summed';
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION check_batch_sum(), check_sale_line_sum() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER batch_summed AFTER UPDATE OF in_g ON batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_batch_sum();
CREATE CONSTRAINT TRIGGER stock_movement_summed AFTER INSERT ON stock_movement DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.kind = 'correction') EXECUTE FUNCTION check_batch_sum();
CREATE CONSTRAINT TRIGGER sale_line_summed AFTER UPDATE OF returned_g, refunded_fen ON sale_line
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_sale_line_sum();
CREATE CONSTRAINT TRIGGER sale_correction_summed AFTER INSERT ON sale_correction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_sale_line_sum();
