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

-- As before, with events.
CREATE OR REPLACE FUNCTION promote_waiting_within(
    in_village int, wanted bigint[], locked bigint[], moment timestamptz
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    first_fit bigint;
    present int;
    promoted int := 0;
BEGIN
    LOOP
        SELECT b.id INTO first_fit FROM tour_booking b
        WHERE b.village_id = in_village AND b.state = 'waitlisted'
            AND EXISTS (
                SELECT FROM tour_booking_session l
                WHERE l.village_id = b.village_id AND l.booking_id = b.id AND l.session_id = ANY (wanted))
            AND NOT EXISTS (
                SELECT FROM tour_booking_session l
                JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
                WHERE l.village_id = b.village_id AND l.booking_id = b.id
                    AND (s.id <> ALL (locked) OR s.state <> 'open' OR s.starts_at <= moment
                        OR s.capacity - s.held - s.booked < l.headcount))
        ORDER BY b.waiting_since, b.id LIMIT 1
        FOR NO KEY UPDATE OF b SKIP LOCKED;
        EXIT WHEN first_fit IS NULL;

        UPDATE tour_session s SET held = s.held + l.headcount
        FROM tour_booking_session l
        WHERE s.village_id = in_village AND l.village_id = in_village AND l.booking_id = first_fit
            AND s.id = l.session_id;
        UPDATE tour_booking b SET previous_state = b.state, state = 'held', version = b.version + 1, hold_until = (
            SELECT least(moment + make_interval(mins => min(p.hold_minutes)), min(s.starts_at))
            FROM tour_booking_session l
            JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
            JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
            WHERE l.village_id = in_village AND l.booking_id = first_fit)
        WHERE b.village_id = in_village AND b.id = first_fit
        RETURNING b.version INTO present;
        INSERT INTO tour_booking_event (village_id, booking_id, at, actor, state, what)
        VALUES (in_village, first_fit, moment, 'waiting-list', 'held', 'held');
        INSERT INTO message (village_id, key, kind, booking_id)
        VALUES (in_village, format('booking:%s:v%s:held', first_fit, present), 'held', first_fit)
        ON CONFLICT (village_id, key) DO NOTHING;
        INSERT INTO event (village_id, at, actor, kind, subject)
        VALUES (in_village, moment, 'waiting-list', 'booking.hold', first_fit::text);
        promoted := promoted + 1;
    END LOOP;
    RETURN promoted;
END
$$;

CREATE OR REPLACE FUNCTION release_expired(in_village int, wanted bigint[], moment timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    doomed bigint[];
    waiting bigint[];
    freed bigint[];
    seats int[];
BEGIN
    SELECT array_agg(d.id) INTO doomed FROM (
        SELECT b.id FROM tour_booking b
        WHERE b.village_id = in_village AND b.hold_until <= moment
            AND (wanted IS NULL OR EXISTS (
                SELECT FROM tour_booking_session l
                WHERE l.village_id = b.village_id AND l.booking_id = b.id AND l.session_id = ANY (wanted)))
        ORDER BY b.hold_until LIMIT 200
        FOR NO KEY UPDATE SKIP LOCKED
    ) d;
    IF wanted IS NULL THEN
        SELECT array_agg(d.id) INTO waiting FROM (
            SELECT b.id FROM tour_booking b
            WHERE b.village_id = in_village AND b.state = 'waitlisted' AND EXISTS (
                SELECT FROM tour_booking_session l
                JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
                WHERE l.village_id = b.village_id AND l.booking_id = b.id AND s.starts_at <= moment)
            LIMIT 200
            FOR NO KEY UPDATE SKIP LOCKED
        ) d;
    END IF;
    IF doomed IS NULL AND waiting IS NULL THEN
        RETURN 0;
    END IF;

    UPDATE tour_booking b SET previous_state = b.state, state = 'expired', version = b.version + 1, hold_until = NULL
    WHERE b.village_id = in_village AND b.id = ANY (doomed || waiting);
    INSERT INTO tour_booking_event (village_id, booking_id, at, actor, state, what)
    SELECT in_village, d.id, moment, 'clock', 'expired', 'expired' FROM unnest(doomed || waiting) AS d (id);
    INSERT INTO message (village_id, key, kind, booking_id)
    SELECT in_village, format('booking:%s:v%s:expired', b.id, b.version), 'expired', b.id
    FROM tour_booking b WHERE b.village_id = in_village AND b.id = ANY (doomed || waiting)
    ON CONFLICT (village_id, key) DO NOTHING;
    INSERT INTO event (village_id, at, actor, kind, subject)
    SELECT in_village, moment, 'clock', 'booking.expire', d.id::text FROM unnest(doomed || waiting) AS d (id);

    SELECT array_agg(f.session_id), array_agg(-f.seats) INTO freed, seats FROM (
        SELECT l.session_id, sum(l.headcount)::int AS seats FROM tour_booking_session l
        WHERE l.village_id = in_village AND l.booking_id = ANY (doomed)
        GROUP BY l.session_id
    ) f;
    IF freed IS NOT NULL THEN
        PERFORM move_seats(in_village, freed, seats, array_fill(0, ARRAY[cardinality(freed)]), moment);
    END IF;
    RETURN cardinality(doomed || waiting);
END
$$;
