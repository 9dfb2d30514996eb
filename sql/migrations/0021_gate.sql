-- The gate keeps what it saw: people who come in several parts add up, what was entered by mistake is undone by a row
-- that points at it, and what conflicts with the books is kept for the desk to settle.
-- And what happens to a booking is told once, as an event, instead of once for the audit and once for its story.

-- The story's prose as figures, where it is plain.
CREATE FUNCTION booking_figures(what text, detail text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    part text[];
BEGIN
    IF detail IS NULL THEN
        RETURN '{}';
    ELSIF what IN ('requested', 'held', 'confirmed', 'waitlisted', 'completed') AND detail ~ '^\d{1,9}$' THEN
        RETURN jsonb_build_object('people', detail::int);
    ELSIF what IN ('changed', 'moved') THEN
        part := regexp_match(detail, '^(?:(\d{1,9}) → (\d{1,9}))?(?:, )?(?:session ([\d+]+) → ([\d+]+))?$');
        IF coalesce(part[1], part[3]) IS NOT NULL THEN
            RETURN jsonb_strip_nulls(jsonb_build_object('people_before', part[1]::int, 'people', part[2]::int,
                'sessions_before', part[3], 'sessions', part[4]));
        END IF;
    ELSIF what IN ('cancelled', 'no_show') THEN
        part := regexp_match(detail, '^kept (\d{1,15}) fen(?:: (.*))?$');
        IF part IS NOT NULL THEN
            RETURN jsonb_strip_nulls(jsonb_build_object('kept_fen', part[1]::bigint, 'reason', part[2]));
        END IF;
        RETURN jsonb_build_object('reason', detail);
    ELSIF what IN ('paid', 'refunded', 'refund_decided') THEN
        part := regexp_match(detail, '^(\d{1,15}) fen(?: (.+))?$');
        IF part IS NOT NULL THEN
            RETURN jsonb_strip_nulls(jsonb_build_object('fen', part[1]::bigint, 'how', part[2]));
        END IF;
    ELSIF what = 'picked' THEN
        part := regexp_match(detail, '^sale (\d{1,15}): (\d{1,15}) g, (\d{1,15}) fen$');
        IF part IS NOT NULL THEN
            RETURN jsonb_build_object('sale', part[1]::bigint, 'grams', part[2]::bigint, 'fen', part[3]::bigint);
        END IF;
    ELSIF what IN ('checked_in', 'checked_in_twice') THEN
        part := regexp_match(detail, '^session (\d{1,15}): (\d{1,9}) of (\d{1,9})$');
        IF part IS NOT NULL THEN
            RETURN jsonb_build_object('session', part[1]::bigint, 'people', part[2]::int, 'booked', part[3]::int);
        END IF;
    END IF;
    RETURN jsonb_build_object('detail', detail);
END
$$;

-- What the audit called differently.
CREATE FUNCTION booking_what(kind text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE kind WHEN 'change' THEN 'changed' WHEN 'check-in' THEN 'checked_in'
        WHEN 'check-in-twice' THEN 'checked_in_twice' WHEN 'hold' THEN 'held' WHEN 'expire' THEN 'expired' ELSE kind END
$$;

-- The audit's row and the story's row of one thing become one. Both tell a booking's things in their order; the last ones
-- are each other's, because the beginning of newer bookings stands in the audit alone. What only the story told follows.
WITH heard AS (
    SELECT e.village_id, e.id, e.subject, booking_what(substr(e.kind, 9)) AS what,
        row_number() OVER (PARTITION BY e.village_id, e.subject, booking_what(substr(e.kind, 9)) ORDER BY e.id DESC) AS place
    FROM event e WHERE e.kind LIKE 'booking.%'
), told AS (
    SELECT t.*, row_number() OVER (PARTITION BY t.village_id, t.booking_id, replace(t.what, 'moved', 'changed')
        ORDER BY t.id DESC) AS place
    FROM tour_booking_event t
), joined AS (
    SELECT h.village_id, h.id, coalesce(t.what, h.what) AS what, t.detail, t.id AS story, t.booking_id,
        coalesce(t.state, CASE WHEN h.what IN ('requested', 'held', 'confirmed', 'waitlisted', 'expired', 'cancelled',
            'no_show', 'arrived', 'completed') THEN h.what END) AS state
    FROM heard h
    LEFT JOIN told t ON t.village_id = h.village_id AND t.booking_id::text = h.subject AND t.place = h.place
        AND replace(t.what, 'moved', 'changed') = h.what
), folded AS (
    UPDATE event e SET kind = 'booking.' || j.what,
        figures = CASE WHEN e.figures - 'detail' <> '{}' THEN e.figures - 'detail'
            ELSE booking_figures(j.what, coalesce(j.detail, e.figures ->> 'detail')) END
            || jsonb_strip_nulls(jsonb_build_object('state', j.state))
    FROM joined j WHERE e.village_id = j.village_id AND e.id = j.id
)
INSERT INTO event (village_id, at, actor, kind, subject, figures)
SELECT t.village_id, t.at, t.actor, 'booking.' || t.what, t.booking_id::text,
    booking_figures(t.what, t.detail) || jsonb_build_object('state', t.state)
FROM tour_booking_event t
WHERE NOT EXISTS (SELECT FROM joined j WHERE j.village_id = t.village_id AND j.booking_id = t.booking_id AND j.story = t.id)
ORDER BY t.id;

-- How many a booking began with stood in its own row.
UPDATE event e SET figures = e.figures || jsonb_build_object('people', b.began_with)
FROM tour_booking b
WHERE e.kind = 'booking.' || b.began_as AND e.village_id = b.village_id AND e.subject = b.id::text
    AND NOT e.figures ? 'people' AND b.began_with IS NOT NULL AND NOT EXISTS (
        SELECT FROM event f WHERE f.village_id = e.village_id AND f.subject = e.subject AND f.kind LIKE 'booking.%'
            AND f.id < e.id);
INSERT INTO event (village_id, at, actor, kind, subject, figures)
SELECT b.village_id, b.requested_at, b.actor, 'booking.' || b.began_as, b.id::text,
    jsonb_strip_nulls(jsonb_build_object('people', b.began_with, 'state', b.began_as))
FROM tour_booking b
WHERE b.began_as IS NOT NULL AND NOT EXISTS (
    SELECT FROM event e WHERE e.village_id = b.village_id AND e.subject = b.id::text
        AND e.kind = 'booking.' || b.began_as)
ORDER BY b.id;

DROP FUNCTION booking_figures(text, text);
DROP FUNCTION booking_what(text);
DROP TABLE tour_booking_event;
ALTER TABLE tour_booking DROP COLUMN began_as, DROP COLUMN began_with;
CREATE INDEX event_of_booking ON event (village_id, subject, id) WHERE kind LIKE 'booking.%';

-- Steps back, by hand and with a reason; and a group that was let in although its booking was cancelled or had expired.
INSERT INTO tour_step VALUES
    ('arrived', 'confirmed'), ('arrived', 'no_show'), ('arrived', 'cancelled'), ('arrived', 'expired'),
    ('completed', 'arrived'), ('completed', 'confirmed'), ('no_show', 'confirmed'),
    ('cancelled', 'requested'), ('cancelled', 'held'), ('cancelled', 'confirmed'), ('cancelled', 'waitlisted'),
    ('cancelled', 'arrived'), ('expired', 'arrived'),
    ('completed', 'cancelled'), ('no_show', 'cancelled'), ('cancelled', 'cancelled');

-- A row of a register that was wrong is taken back whole: nothing of it is kept, charged or paid, and nobody came.
ALTER TABLE tour_booking
    ADD COLUMN voided boolean NOT NULL GENERATED ALWAYS AS (
        state = 'cancelled' AND previous_state IN ('completed', 'no_show', 'cancelled')) STORED,
    ADD CONSTRAINT tour_booking_voided CHECK (
        NOT voided OR (register_key IS NOT NULL AND kept_fen = 0 AND register_paid_fen = 0));

-- Every check-in of a group counts now; counts is false of older ones that came twice. after: how many of the group the
-- gate knew to have come in before, NULL where it did not say. certain: the gate or the desk said that these are more
-- people, however many were counted. unlisted: they came in by their ticket's signature alone.
ALTER TABLE tour_check_in ADD COLUMN day date, ADD COLUMN after int CHECK (after >= 0),
    ADD COLUMN certain boolean NOT NULL DEFAULT false, ADD COLUMN unlisted boolean NOT NULL DEFAULT false;
UPDATE tour_check_in c SET day = s.day FROM tour_session s WHERE s.village_id = c.village_id AND s.id = c.session_id;
ALTER TABLE tour_check_in ALTER COLUMN day SET NOT NULL;
DROP INDEX tour_check_in_counts_once;
-- A booking whose check-in was a mistake may go to another session.
ALTER TABLE tour_check_in DROP CONSTRAINT tour_check_in_village_id_booking_id_session_id_fkey,
    ADD FOREIGN KEY (village_id, booking_id) REFERENCES tour_booking,
    ADD FOREIGN KEY (village_id, session_id) REFERENCES tour_session;
CREATE UNIQUE INDEX tour_check_in_number_once ON tour_check_in (village_id, id) WHERE id IS NOT NULL;
CREATE INDEX tour_check_in_day ON tour_check_in (day, village_id);

-- A check-in that was a mistake counts no longer; once.
CREATE TABLE tour_check_in_undo (
    village_id int NOT NULL,
    booking_id bigint NOT NULL,
    check_in_id bigint NOT NULL,
    day date NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tour_check_in_undone_once PRIMARY KEY (village_id, booking_id, check_in_id),
    FOREIGN KEY (village_id, booking_id, check_in_id) REFERENCES tour_check_in
);

-- What a gate saw and the books contradict: whom it let in counts when the desk has accepted it. at: by the gate's clock.
-- session_id: where the gate let them in, which need not be the booking's session any more. check_in_id: a check-in that
-- counted until an earlier scan of another gate came to light.
CREATE TABLE tour_gate_conflict (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    booking_id bigint NOT NULL,
    session_id bigint,
    check_in_id bigint,
    day date NOT NULL,
    nonce text NOT NULL CHECK (length(nonce) BETWEEN 8 AND 64),
    headcount int NOT NULL CHECK (headcount BETWEEN 1 AND 10000),
    why text NOT NULL CHECK (why IN (
        'twice', 'cancelled', 'expired', 'unconfirmed', 'waitlisted', 'moved', 'wrong_day', 'early', 'future', 'closed')),
    offline boolean NOT NULL,
    at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    PRIMARY KEY (village_id, id),
    CONSTRAINT tour_gate_conflict_nonce_once UNIQUE (village_id, nonce),
    FOREIGN KEY (village_id, booking_id) REFERENCES tour_booking,
    FOREIGN KEY (village_id, session_id) REFERENCES tour_session,
    FOREIGN KEY (village_id, booking_id, check_in_id) REFERENCES tour_check_in
);
CREATE INDEX tour_gate_conflict_booking ON tour_gate_conflict (booking_id, village_id);
CREATE INDEX tour_gate_conflict_day ON tour_gate_conflict (day, village_id);

-- What the desk found; once.
CREATE TABLE tour_gate_settlement (
    village_id int NOT NULL,
    conflict_id bigint NOT NULL,
    accepted boolean NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tour_gate_settled_once PRIMARY KEY (village_id, conflict_id),
    FOREIGN KEY (village_id, conflict_id) REFERENCES tour_gate_conflict
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tour_check_in_undo', 'tour_gate_conflict', 'tour_gate_settlement'] LOOP
        EXECUTE format($policy$
            ALTER TABLE %1$I ENABLE ROW LEVEL SECURITY;
            CREATE POLICY %2$I ON %1$I USING (
                village_id = nullif(current_setting('taoyuan.village', true), '')::int
                AND current_setting('taoyuan.cooperative', true) = '0');
            GRANT SELECT, INSERT ON %1$I TO taoyuan_service
            $policy$, name, name || '_scope');
    END LOOP;
    -- What counts on a day is that day's income: not after its books are closed.
    FOREACH name IN ARRAY ARRAY['tour_check_in', 'tour_check_in_undo'] LOOP
        EXECUTE format($policy$
            CREATE POLICY %2$I ON %1$I AS RESTRICTIVE FOR INSERT WITH CHECK (
                coalesce(day > (
                    SELECT max(through) FROM books_closing
                    WHERE village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)), true)
                OR refuse_closed_books())
            $policy$, name, name || '_open_books');
    END LOOP;
END
$$;
