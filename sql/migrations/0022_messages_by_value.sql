-- Messages hold by value what they tell, and to whom: what is sent is what was true when it was told, and the outbox
-- knows nothing of tours. Calendars get what tells one version of a session from the next, phones a limit of open
-- requests, and what a group picked as many sales as there are cooperatives.

-- about: what a message is about, such as booking:166. Of those that supersede, only the newest about a thing is still
-- true: older ones that have not been sent never are. until: when there is no point in it any more.
-- refused: a server has said no for good.
ALTER TABLE message
    ADD COLUMN about text CHECK (length(about) BETWEEN 1 AND 100),
    ADD COLUMN supersedes boolean NOT NULL DEFAULT true,
    ADD COLUMN name text CHECK (length(name) BETWEEN 1 AND 200),
    ADD COLUMN phone text CHECK (length(phone) BETWEEN 1 AND 60),
    ADD COLUMN email text CHECK (length(email) BETWEEN 3 AND 200),
    ADD COLUMN language text CHECK (language ~ '^[a-z]{2}$'),
    ADD COLUMN content jsonb CHECK (jsonb_typeof(content) = 'object'),
    ADD COLUMN until timestamptz,
    ADD COLUMN refused boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT message_kind_check,
    ADD CONSTRAINT message_kind CHECK (kind ~ '^[a-z]+(_[a-z]+)*$' AND length(kind) <= 40);

-- What a message of a booking tells, as the program writes it too.
CREATE FUNCTION booking_message_content(in_village int, in_booking bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'booking', b.id, 'reference', substr(b.reference, 1, 4) || '-' || substr(b.reference, 5, 4) || '-' || substr(b.reference, 9),
        'unit', b.unit, 'headcount', b.headcount, 'leader', b.leader, 'state', b.state,
        'holdUntil', to_char(b.hold_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'paid', jsonb_build_object('fen', b.paid_fen), 'kept', jsonb_build_object('fen', b.kept_fen),
        'refundDue', jsonb_build_object('fen', b.refund_due_fen),
        'refunded', jsonb_build_object('fen', b.refunded_fen),
        'sessions', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'day', l.day, 'startsAt', to_char(s.starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'endsAt', to_char(s.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'site', t.name, 'programme', p.name) ORDER BY s.starts_at, s.id), '[]')
            FROM tour_booking_session l
            JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
            JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
            JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
            WHERE l.village_id = in_village AND l.booking_id = b.id)))
    FROM tour_booking b WHERE b.village_id = in_village AND b.id = in_booking
$$;

-- When the last of a booking's days is over.
CREATE FUNCTION booking_message_until(in_village int, in_booking bigint) RETURNS timestamptz LANGUAGE sql AS $$
    SELECT (max(l.day) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai' FROM tour_booking_session l
    WHERE l.village_id = in_village AND l.booking_id = in_booking
$$;

-- Messages that were sent told what was true then, which nobody knows any more. Those that wait, or that somebody may
-- try again, tell from now on what is true now, as they would have when they were sent.
UPDATE message m SET about = 'booking:' || m.booking_id, supersedes = m.kind <> 'reminder', name = b.leader,
    phone = b.phone, email = b.email, language = b.language,
    kind = CASE WHEN m.kind = 'expired' AND m.sent_at IS NULL AND b.previous_state = 'waitlisted' THEN 'no_seats'
        ELSE m.kind END,
    content = CASE WHEN m.sent_at IS NOT NULL THEN '{}'
        WHEN m.kind = 'reminder' THEN
            booking_message_content(b.village_id, b.id) || jsonb_build_object('day', split_part(m.key, ':', 3))
        ELSE booking_message_content(b.village_id, b.id) END,
    until = CASE m.kind WHEN 'cancelled' THEN NULL
        WHEN 'reminder' THEN (split_part(m.key, ':', 3)::date + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
        ELSE booking_message_until(b.village_id, b.id) END
FROM tour_booking b WHERE b.village_id = m.village_id AND b.id = m.booking_id;
ALTER TABLE message
    ALTER COLUMN about SET NOT NULL, ALTER COLUMN name SET NOT NULL, ALTER COLUMN language SET NOT NULL,
    ALTER COLUMN content SET NOT NULL, DROP COLUMN booking_id;
GRANT UPDATE (refused) ON message TO taoyuan_service;
CREATE INDEX message_about ON message (village_id, about, id);

-- Tells whoever booked how the booking stands now, once for each of its versions. Answers true, so that a statement can
-- call it for each row that it writes.
CREATE FUNCTION tell_booking(in_village int, in_booking bigint, in_kind text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO message (village_id, key, kind, about, name, phone, email, language, content, until)
    SELECT b.village_id, format('booking:%s:v%s:%s', b.id, b.version, in_kind), in_kind, 'booking:' || b.id, b.leader,
        b.phone, b.email, b.language, booking_message_content(b.village_id, b.id),
        CASE WHEN in_kind NOT IN ('cancelled', 'no_show') THEN booking_message_until(b.village_id, b.id) END
    FROM tour_booking b WHERE b.village_id = in_village AND b.id = in_booking
    ON CONFLICT (village_id, key) DO NOTHING;
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION booking_message_content(int, bigint), booking_message_until(int, bigint),
    tell_booking(int, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION booking_message_content(int, bigint), booking_message_until(int, bigint),
    tell_booking(int, bigint, text) TO taoyuan_service;

-- When what a calendar shows was last changed; taking seats changes nothing of it.
ALTER TABLE tour_session ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE tour_site ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE tour_programme ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();
CREATE OR REPLACE VIEW public_tour_calendar AS
SELECT s.village_id, s.id, s.day, s.starts_at, s.ends_at, t.name AS site, p.name AS programme,
    s.state = 'cancelled' AS is_cancelled, s.version, s.version + t.version + p.version - 3 AS sequence,
    greatest(s.changed_at, t.changed_at, p.changed_at) AS changed_at
FROM tour_session s
JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id;

-- Bookings that are open, by the phone that made them.
CREATE INDEX tour_booking_open ON tour_booking (village_id, phone)
    WHERE state IN ('requested', 'held', 'waitlisted', 'confirmed');

-- What phones have open, a row for each session. This and the next say how they go through the indexes (LATERAL with
-- OFFSET is not rearranged), whatever the planner believes of tables that have just begun to fill: in a rush it took all
-- bookings of the village for fewer than those of one phone.
CREATE FUNCTION open_bookings(in_village int, phones text[]) RETURNS TABLE (
    id bigint, reference text, unit text, phone text, state text, is_unpaid boolean, session_id bigint, headcount int
) LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    SELECT b.id, b.reference, b.unit, b.phone, b.state, b.paid_fen = b.refunded_fen, l.session_id, l.headcount
    FROM (SELECT DISTINCT unnest(phones) AS phone) asked
    CROSS JOIN LATERAL (
        SELECT * FROM tour_booking b WHERE b.village_id = in_village AND b.phone = asked.phone
            AND b.state IN ('requested', 'held', 'waitlisted', 'confirmed') OFFSET 0) b
    CROSS JOIN LATERAL (
        SELECT * FROM tour_booking_session l WHERE l.village_id = in_village AND l.booking_id = b.id OFFSET 0) l
$$;
REVOKE ALL ON FUNCTION open_bookings(int, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_bookings(int, text[]) TO taoyuan_service;

-- Refuses bookings that are there twice, or too many of one phone, where several were written at once. once: those that
-- may not be the second of their phone in one of their sessions. bound: those whose phone may have so many requests and
-- seats that are not paid; one alone may have any number of seats. 0 is no limit. Whoever adds to a phone's bookings
-- waits here for whoever else does.
CREATE FUNCTION check_open_bookings(
    in_village int, once bigint[], bound bigint[], most_requests int, most_seats int
) RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7241004, p.hash) FROM (
        SELECT DISTINCT hashtext(b.phone) AS hash FROM unnest(once || bound) asked (id)
        CROSS JOIN LATERAL (
            SELECT phone FROM tour_booking WHERE village_id = in_village AND id = asked.id OFFSET 0) b
        ORDER BY hash
    ) p;
    IF EXISTS (
        SELECT FROM unnest(once) asked (id)
        CROSS JOIN LATERAL (
            SELECT b.phone, (
                SELECT array_agg(session_id) FROM tour_booking_session
                WHERE village_id = in_village AND booking_id = asked.id) AS sessions
            FROM tour_booking b WHERE b.village_id = in_village AND b.id = asked.id OFFSET 0) mine
        CROSS JOIN LATERAL (
            SELECT (
                SELECT array_agg(session_id) FROM tour_booking_session
                WHERE village_id = in_village AND booking_id = o.id) AS sessions
            FROM tour_booking o WHERE o.village_id = in_village AND o.phone = mine.phone AND o.id <> asked.id
                AND o.state IN ('requested', 'held', 'waitlisted', 'confirmed') OFFSET 0) other
        WHERE mine.sessions && other.sessions
    ) THEN
        RAISE EXCEPTION 'booked already' USING ERRCODE = 'check_violation', CONSTRAINT = 'tour_booking_once';
    END IF;
    IF EXISTS (
        SELECT FROM unnest(bound) asked (id)
        CROSS JOIN LATERAL (
            SELECT phone FROM tour_booking WHERE village_id = in_village AND id = asked.id OFFSET 0) b
        CROSS JOIN LATERAL (
            SELECT count(*) AS requests, coalesce(sum(CASE WHEN o.state = 'waitlisted' THEN 0 ELSE (
                SELECT sum(l.headcount) FROM tour_booking_session l
                WHERE l.village_id = in_village AND l.booking_id = o.id) END), 0) AS seats
            FROM tour_booking o
            WHERE o.village_id = in_village AND o.phone = b.phone
                AND o.state IN ('requested', 'held', 'waitlisted') AND o.paid_fen = o.refunded_fen
        ) open
        WHERE open.requests > most_requests AND most_requests > 0
            OR open.requests > 1 AND open.seats > most_seats AND most_seats > 0
    ) THEN
        RAISE EXCEPTION 'too many open bookings' USING ERRCODE = 'check_violation', CONSTRAINT = 'tour_booking_open_few';
    END IF;
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION check_open_bookings(int, bigint[], bigint[], int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION check_open_bookings(int, bigint[], bigint[], int, int) TO taoyuan_service;

-- What a group picked, a sale for each cooperative whose fruit it was.
ALTER TABLE tour_booking_extra ADD CONSTRAINT tour_booking_extra_kind UNIQUE (village_id, booking_id, session_id, extra_id, kind);
CREATE TABLE tour_picking_sale (
    village_id int NOT NULL,
    sale_id bigint NOT NULL,
    booking_id bigint NOT NULL,
    session_id bigint NOT NULL,
    extra_id int NOT NULL,
    kind text NOT NULL DEFAULT 'picking' CHECK (kind = 'picking'),
    -- of its writing, not of its transaction's beginning: later than every reversal that whoever wrote it has seen
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (village_id, sale_id),
    FOREIGN KEY (village_id, booking_id, session_id, extra_id, kind)
        REFERENCES tour_booking_extra (village_id, booking_id, session_id, extra_id, kind),
    FOREIGN KEY (village_id, sale_id) REFERENCES sale
);
CREATE INDEX tour_picking_sale_booking ON tour_picking_sale (booking_id, village_id);
INSERT INTO tour_picking_sale (village_id, sale_id, booking_id, session_id, extra_id)
SELECT village_id, sale_id, booking_id, session_id, extra_id FROM tour_booking_extra WHERE sale_id IS NOT NULL;
ALTER TABLE tour_booking_extra DROP COLUMN sale_id;
ALTER TABLE tour_picking_sale ENABLE ROW LEVEL SECURITY;
CREATE POLICY tour_picking_sale_scope ON tour_picking_sale USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND current_setting('taoyuan.cooperative', true) = '0');
GRANT SELECT, INSERT ON tour_picking_sale TO taoyuan_service;

-- As before, with events and messages by value, and by the terms under which it was booked; what has money paid does not
-- expire. Nothing calls them between the migrations that made this necessary.
CREATE OR REPLACE FUNCTION promote_waiting_within(
    in_village int, wanted bigint[], locked bigint[], moment timestamptz
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    first_fit bigint;
    promoted int := 0;
BEGIN
    LOOP
        SELECT b.id INTO first_fit FROM tour_booking b
        WHERE b.village_id = in_village AND b.state = 'waitlisted'
            AND EXISTS (
                SELECT FROM tour_booking_session l
                WHERE l.village_id = in_village AND l.booking_id = b.id AND l.session_id = ANY (wanted))
            AND NOT EXISTS (
                SELECT FROM tour_booking_session l
                JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
                WHERE l.village_id = in_village AND l.booking_id = b.id
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
            SELECT least(moment + make_interval(mins => min(l.hold_minutes)), min(s.starts_at))
            FROM tour_booking_session l
            JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
            WHERE l.village_id = in_village AND l.booking_id = first_fit)
        WHERE b.village_id = in_village AND b.id = first_fit;
        PERFORM tell_booking(in_village, first_fit, 'held');
        INSERT INTO event (village_id, actor, kind, subject, figures)
        VALUES (in_village, 'waiting-list', 'booking.held', first_fit::text, '{"state": "held"}');
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
        WHERE b.village_id = in_village AND b.hold_until <= moment AND b.paid_fen = b.refunded_fen
            AND (wanted IS NULL OR EXISTS (
                SELECT FROM tour_booking_session l
                WHERE l.village_id = in_village AND l.booking_id = b.id AND l.session_id = ANY (wanted)))
        ORDER BY b.hold_until LIMIT 200
        FOR NO KEY UPDATE SKIP LOCKED
    ) d;
    IF wanted IS NULL THEN
        SELECT array_agg(d.id) INTO waiting FROM (
            SELECT b.id FROM tour_booking b
            WHERE b.village_id = in_village AND b.state = 'waitlisted' AND b.paid_fen = b.refunded_fen AND EXISTS (
                SELECT FROM tour_booking_session l
                JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
                WHERE l.village_id = in_village AND l.booking_id = b.id AND s.starts_at <= moment)
            LIMIT 200
            FOR NO KEY UPDATE SKIP LOCKED
        ) d;
    END IF;
    IF doomed IS NULL AND waiting IS NULL THEN
        RETURN 0;
    END IF;

    UPDATE tour_booking b SET previous_state = b.state, state = 'expired', version = b.version + 1, hold_until = NULL
    WHERE b.village_id = in_village AND b.id = ANY (doomed || waiting);
    PERFORM tell_booking(in_village, d.id, 'expired') FROM unnest(doomed) AS d (id);
    PERFORM tell_booking(in_village, d.id, 'no_seats') FROM unnest(waiting) AS d (id);
    INSERT INTO event (village_id, actor, kind, subject, figures)
    SELECT in_village, 'clock', 'booking.expired', d.id::text, '{"state": "expired"}'
    FROM unnest(doomed || waiting) AS d (id) ON CONFLICT DO NOTHING;

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
