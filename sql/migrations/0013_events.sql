-- What happened, one append-only row each: kind, subject, day, who, and figures as fields instead of prose. The audit,
-- exchange formats and counts are read from it.

CREATE TABLE event (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    -- its place among those that are committed, without gaps; given afterwards by number_events()
    number bigint,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    cooperative_id int,
    kind text NOT NULL CHECK (kind ~ '^[a-z_.-]+$'),
    subject text NOT NULL,
    -- the day that it is entered for, where it has one
    day date,
    figures jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(figures) = 'object'),
    PRIMARY KEY (village_id, id),
    CONSTRAINT event_number_positive CHECK (number > 0)
);
CREATE UNIQUE INDEX event_number_once ON event (village_id, number) WHERE number IS NOT NULL;
CREATE INDEX event_without_number ON event (village_id, id) WHERE number IS NULL;

ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY event_write ON event FOR INSERT
    WITH CHECK (village_id = nullif(current_setting('taoyuan.village', true), '')::int);
CREATE POLICY event_read ON event FOR SELECT USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND current_setting('taoyuan.cooperative', true) = '0');

INSERT INTO event (village_id, id, at, actor, cooperative_id, kind, subject, figures)
OVERRIDING SYSTEM VALUE
SELECT village_id, id, at, actor, cooperative_id, action, subject, jsonb_strip_nulls(jsonb_build_object('detail', detail))
FROM audit ORDER BY id;
SELECT setval(pg_get_serial_sequence('event', 'id'), greatest((SELECT max(id) FROM event), 1), (SELECT max(id) FROM event) IS NOT NULL);
DROP TABLE audit;

-- Numbers what has been committed since: whoever has read up to a number has missed nothing before it, which ids can't
-- promise, because they are taken before the commit. One at a time; the lock also keeps numbers in the order of calls.
CREATE FUNCTION number_events(in_village int) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7241002, in_village);
    SELECT coalesce(max(number), 0) INTO last FROM public.event WHERE village_id = in_village AND number IS NOT NULL;
    UPDATE public.event e SET number = last + n.place
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM public.event
        WHERE village_id = in_village AND number IS NULL
    ) n
    WHERE e.village_id = in_village AND e.id = n.id;
    RETURN (SELECT max(number) FROM public.event WHERE village_id = in_village AND number IS NOT NULL);
END
$$;
REVOKE ALL ON FUNCTION number_events(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION number_events(int) TO taoyuan_service;

-- A change says of its writes how many rows each touches; one that touches others ends its transaction.
CREATE FUNCTION check_touched(touched bigint, expected bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF touched <> expected THEN
        RAISE EXCEPTION 'a write touched % rows, not %', touched, expected
            USING ERRCODE = 'check_violation', CONSTRAINT = 'rows_touched';
    END IF;
    RETURN touched;
END
$$;
REVOKE ALL ON FUNCTION check_touched(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION check_touched(bigint, bigint) TO taoyuan_service;

GRANT SELECT, INSERT ON event TO taoyuan_service;
-- Where an answer is what the writes return, its key is taken first and the answer follows, in one transaction.
GRANT UPDATE (answer) ON idempotent_answer TO taoyuan_service;
