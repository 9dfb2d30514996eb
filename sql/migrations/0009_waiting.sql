-- Seats that come back: holds that have passed their time, and who waits for them.
-- What is freed goes on in the transaction that frees it, to the first who fits, which no single statement can do.
-- Bookings are locked first and sessions after them, in the order of their numbers; whoever holds a session's lock
-- passes over bookings that others have locked, so that nobody waits in a circle. The present is an argument.

-- Locks the sessions, and those that bookings waiting for one of them need as well.
CREATE FUNCTION lock_tour_sessions(in_village int, wanted bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    locked bigint[];
BEGIN
    SELECT array_agg(needed.id ORDER BY needed.id) INTO locked FROM (
        SELECT unnest(wanted) AS id
        UNION
        SELECT other.session_id FROM tour_booking b
        JOIN tour_booking_session l ON l.village_id = b.village_id AND l.booking_id = b.id
        JOIN tour_booking_session other ON other.village_id = b.village_id AND other.booking_id = b.id
        WHERE b.village_id = in_village AND b.state = 'waitlisted' AND l.session_id = ANY (wanted)
    ) needed;
    PERFORM FROM tour_session s WHERE s.village_id = in_village AND s.id = ANY (locked)
    ORDER BY s.id FOR NO KEY UPDATE;
    RETURN locked;
END
$$;

-- Gives the free seats of the sessions to those who wait for them: to the first that fits into all its sessions, then
-- to the next. Whoever needs a session that is not among the locked has come since, and is left to the sweeper: locking
-- it now would be out of order. Answers how many bookings got seats.
CREATE FUNCTION promote_waiting_within(
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
        INSERT INTO audit (village_id, actor, action, subject)
        VALUES (in_village, 'waiting-list', 'booking.hold', first_fit::text);
        promoted := promoted + 1;
    END LOOP;
    RETURN promoted;
END
$$;

CREATE FUNCTION promote_waiting(in_village int, wanted bigint[], moment timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    locked bigint[] := lock_tour_sessions(in_village, wanted);
BEGIN
    RETURN promote_waiting_within(in_village, wanted, locked, moment);
END
$$;

-- Adds to the counters of sessions (below zero takes away) and passes on what became free. A session that is closed
-- keeps what comes back: its limit sinks with its seats.
CREATE FUNCTION move_seats(
    in_village int, sessions bigint[], held_by int[], booked_by int[], moment timestamptz
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    locked bigint[] := lock_tour_sessions(in_village, sessions);
BEGIN
    UPDATE tour_session s SET held = s.held + d.held, booked = s.booked + d.booked,
        closed_seats = s.closed_seats + least(d.held + d.booked, 0)
    FROM unnest(sessions, held_by, booked_by) AS d (id, held, booked)
    WHERE s.village_id = in_village AND s.id = d.id;
    RETURN promote_waiting_within(in_village, sessions, locked, moment);
END
$$;

-- Ends holds that have passed their time, of the given sessions or of all, some hundred at once; of all, also the
-- waiting for sessions that have begun. Answers how many bookings expired.
CREATE FUNCTION release_expired(in_village int, wanted bigint[], moment timestamptz) RETURNS int LANGUAGE plpgsql AS $$
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
    INSERT INTO audit (village_id, actor, action, subject)
    SELECT in_village, 'clock', 'booking.expire', d.id::text FROM unnest(doomed || waiting) AS d (id);

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

REVOKE ALL ON FUNCTION lock_tour_sessions(int, bigint[]), promote_waiting(int, bigint[], timestamptz),
    promote_waiting_within(int, bigint[], bigint[], timestamptz), move_seats(int, bigint[], int[], int[], timestamptz),
    release_expired(int, bigint[], timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lock_tour_sessions(int, bigint[]), promote_waiting(int, bigint[], timestamptz),
    promote_waiting_within(int, bigint[], bigint[], timestamptz), move_seats(int, bigint[], int[], int[], timestamptz),
    release_expired(int, bigint[], timestamptz) TO taoyuan_service;
