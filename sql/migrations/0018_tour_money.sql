-- The money of tours: what was agreed stays with the booking, what it comes to can be adjusted, what was entered by
-- mistake can be reversed, and what of it is income is written down with its day, so that a closed year stays as it is.

-- The terms under which a session was booked, whatever its programme asks by now.
ALTER TABLE tour_booking_session
    ADD COLUMN minutes int CHECK (minutes BETWEEN 1 AND 1440),
    ADD COLUMN hold_minutes int CHECK (hold_minutes BETWEEN 5 AND 43200),
    ADD COLUMN change_hours int CHECK (change_hours BETWEEN 0 AND 8760),
    ADD COLUMN free_cancel_hours int CHECK (free_cancel_hours BETWEEN 0 AND 8760),
    ADD COLUMN late_fee_percent int CHECK (late_fee_percent BETWEEN 0 AND 100),
    ADD COLUMN no_show_fee_percent int CHECK (no_show_fee_percent BETWEEN 0 AND 100),
    -- the village has moved or cancelled a session of the booking, which the group has not accepted: it may cancel for nothing
    ADD COLUMN upset boolean NOT NULL DEFAULT false;
UPDATE tour_booking_session l SET minutes = extract(epoch FROM s.ends_at - s.starts_at)::int / 60,
    hold_minutes = p.hold_minutes, change_hours = p.change_hours, free_cancel_hours = p.free_cancel_hours,
    late_fee_percent = p.late_fee_percent, no_show_fee_percent = p.no_show_fee_percent
FROM tour_session s JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
WHERE s.village_id = l.village_id AND s.id = l.session_id;
ALTER TABLE tour_booking_session
    ALTER COLUMN minutes SET NOT NULL, ALTER COLUMN hold_minutes SET NOT NULL,
    ALTER COLUMN change_hours SET NOT NULL, ALTER COLUMN free_cancel_hours SET NOT NULL,
    ALTER COLUMN late_fee_percent SET NOT NULL, ALTER COLUMN no_show_fee_percent SET NOT NULL;

-- adjusted_fen is the sum of the adjustments of the fee. register_paid_fen is what a register of past years told as
-- charged and paid, part of paid_fen although no payment of ours tells of it.
-- granted_fen is what of refund_due_fen was granted: decided after the group had come, and not because too much was paid.
-- Once it goes back, after all else that does, it lowers what the visit came to; other money that goes back may be paid again.
-- charge_fen is what the booking comes to: its fee as adjusted, and lowered so; of one that did not come what is kept;
-- nothing of one that expired. What was paid and has not gone back is to become that: less is still to be paid, more was
-- paid too much.
ALTER TABLE tour_booking
    DROP CONSTRAINT tour_booking_kept, DROP COLUMN payment, DROP COLUMN refund,
    ADD COLUMN adjusted_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN granted_fen bigint NOT NULL DEFAULT 0,
    ADD COLUMN register_paid_fen bigint NOT NULL DEFAULT 0;
-- Until now a refund did not say why: of one that was paid after the visit or is still to be, what was not too much was granted.
UPDATE tour_booking b SET granted_fen = greatest(0, least(fee_fen - paid_fen + refund_due_fen, refund_due_fen - (
    SELECT coalesce(sum(p.amount_fen), 0)::bigint FROM tour_payment p
    WHERE p.village_id = b.village_id AND p.booking_id = b.id AND p.kind = 'refund' AND p.day < (
        SELECT max(l.day) FROM tour_booking_session l
        WHERE l.village_id = b.village_id AND l.booking_id = b.id))))
WHERE state IN ('arrived', 'completed') AND refund_due_fen > 0;

-- Until now what cancelled bookings had paid went back only when somebody thought of it: where nobody has decided, all
-- that isn't kept is due. Where more was decided than was left, what is kept is less by that.
UPDATE tour_booking SET refund_due_fen = greatest(refunded_fen, paid_fen - kept_fen)
WHERE state IN ('cancelled', 'no_show') AND refund_due_fen = 0 AND paid_fen > kept_fen;
WITH less AS (
    UPDATE tour_booking SET kept_fen = paid_fen - refund_due_fen
    WHERE state IN ('cancelled', 'no_show') AND refund_due_fen > greatest(refunded_fen, paid_fen - kept_fen)
    RETURNING village_id, id, kept_fen
)
UPDATE tour_booking_session l SET kept_fen = CASE WHEN l.session_id = (
    SELECT min(f.session_id) FROM tour_booking_session f
    WHERE f.village_id = l.village_id AND f.booking_id = l.booking_id) THEN less.kept_fen ELSE 0 END
FROM less WHERE l.village_id = less.village_id AND l.booking_id = less.id;

UPDATE tour_booking SET register_paid_fen = told.fen, paid_fen = paid_fen + told.fen
FROM (
    SELECT village_id AS village, id AS booking, greatest(0,
        CASE WHEN state IN ('cancelled', 'no_show') THEN kept_fen ELSE fee_fen END - paid_fen + refunded_fen) AS fen
    FROM tour_booking WHERE register_key IS NOT NULL
) told
WHERE village_id = told.village AND id = told.booking AND told.fen > 0;

ALTER TABLE tour_booking
    ADD COLUMN charge_fen bigint NOT NULL GENERATED ALWAYS AS (
        CASE WHEN state IN ('cancelled', 'no_show') THEN kept_fen WHEN state = 'expired' THEN 0
            WHEN state IN ('arrived', 'completed')
                THEN fee_fen + adjusted_fen - greatest(0, refunded_fen - (refund_due_fen - granted_fen))
            ELSE fee_fen + adjusted_fen END
    ) STORED,
    -- Nothing is both granted and too much.
    ADD CONSTRAINT tour_booking_granted CHECK (granted_fen BETWEEN 0 AND refund_due_fen AND (granted_fen = 0
        OR state NOT IN ('cancelled', 'no_show') AND paid_fen - refund_due_fen + granted_fen <= fee_fen + adjusted_fen)),
    ADD CONSTRAINT tour_booking_adjusted CHECK (fee_fen + adjusted_fen BETWEEN 0 AND 1000000000000),
    ADD CONSTRAINT tour_booking_register_paid CHECK (register_paid_fen BETWEEN 0 AND paid_fen),
    ADD CONSTRAINT tour_booking_kept CHECK (
        kept_fen BETWEEN 0 AND fee_fen + adjusted_fen AND (kept_fen = 0 OR state IN ('cancelled', 'no_show'))),
    ADD CONSTRAINT tour_booking_kept_stays CHECK (
        state NOT IN ('cancelled', 'no_show') OR refund_due_fen <= greatest(refunded_fen, paid_fen - kept_fen));
-- Those that still have to pay for what they are charged.
CREATE INDEX tour_booking_claim ON tour_booking (village_id, id)
    WHERE charge_fen > paid_fen - refunded_fen AND state IN ('arrived', 'completed', 'cancelled', 'no_show');

-- What changes the fee that was agreed: fewer came, more came, a discount. Of a booking that nobody came for it changes
-- what is kept (kept_fen of its sessions follows), and then is told here and summed nowhere.
CREATE TABLE tour_adjustment (
    village_id int NOT NULL,
    booking_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    touches text NOT NULL CHECK (touches IN ('fee', 'kept')),
    amount_fen bigint NOT NULL CHECK (amount_fen <> 0 AND abs(amount_fen) <= 1000000000000),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 200),
    day date NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, booking_id, id),
    FOREIGN KEY (village_id, booking_id) REFERENCES tour_booking
);
CREATE INDEX tour_adjustment_day ON tour_adjustment (day, village_id);

-- A payment or a refund that was entered by mistake is taken back by a row that is its mirror image, once. Both are
-- original rows or their reversals, never reversals of reversals.
ALTER TABLE tour_payment
    ADD COLUMN reverses bigint,
    ADD COLUMN reason text CHECK (length(reason) BETWEEN 1 AND 200),
    ADD COLUMN is_original boolean NOT NULL GENERATED ALWAYS AS (reverses IS NULL) STORED,
    ADD COLUMN reverses_original boolean GENERATED ALWAYS AS (CASE WHEN reverses IS NOT NULL THEN true END) STORED,
    ADD CONSTRAINT tour_payment_reversal_says_why CHECK ((reverses IS NULL) = (reason IS NULL)),
    ADD CONSTRAINT tour_payment_as_it_was
        UNIQUE (village_id, booking_id, id, kind, amount_fen, paid_how, is_original),
    ADD CONSTRAINT tour_payment_reversal
        FOREIGN KEY (village_id, booking_id, reverses, kind, amount_fen, paid_how, reverses_original)
        REFERENCES tour_payment (village_id, booking_id, id, kind, amount_fen, paid_how, is_original);
CREATE UNIQUE INDEX tour_payment_reversed_once ON tour_payment (village_id, booking_id, reverses)
    WHERE reverses IS NOT NULL;
CREATE INDEX tour_payment_day ON tour_payment (day, village_id);

-- Income of tours as it was written down, row by row; nothing of it is changed, what changes later is another row.
-- visit_day is the day that an amount belongs to, day the one on which it counts: the same, or where the books were
-- closed through it by then, the day on which it was entered. number is the booking's, an adjustment's or a refund's.
CREATE TABLE tour_earning (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    booking_id bigint NOT NULL,
    session_id bigint,
    visit_day date NOT NULL,
    day date NOT NULL,
    unit_kind text NOT NULL CHECK (unit_kind IN ('party_school', 'government', 'school', 'company', 'society')),
    kind text NOT NULL CHECK (kind IN ('booking', 'adjustment', 'refund')),
    number bigint NOT NULL,
    amount_fen bigint NOT NULL CHECK (amount_fen <> 0),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    CONSTRAINT tour_earning_not_before_visit CHECK (day >= visit_day),
    CONSTRAINT tour_earning_session CHECK ((session_id IS NOT NULL) = (kind = 'booking')),
    FOREIGN KEY (village_id, booking_id) REFERENCES tour_booking
);
CREATE INDEX tour_earning_day ON tour_earning (day, village_id);
CREATE INDEX tour_earning_booking ON tour_earning (booking_id, village_id);

-- People who came, written down in the same way: a booking's heads count once a day, however many sessions they saw.
ALTER VIEW tour_visit RENAME TO tour_visit_now;
CREATE TABLE tour_visit (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    booking_id bigint NOT NULL,
    visit_day date NOT NULL,
    day date NOT NULL,
    unit_kind text NOT NULL CHECK (unit_kind IN ('party_school', 'government', 'school', 'company', 'society')),
    groups int NOT NULL CHECK (groups BETWEEN -1 AND 1),
    people int NOT NULL CHECK (abs(people) <= 10000),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    CONSTRAINT tour_visit_changes_something CHECK (groups <> 0 OR people <> 0),
    CONSTRAINT tour_visit_not_before_visit CHECK (day >= visit_day),
    FOREIGN KEY (village_id, booking_id) REFERENCES tour_booking
);
CREATE INDEX tour_visit_day ON tour_visit (day, village_id);
CREATE INDEX tour_visit_booking ON tour_visit (booking_id, village_id);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tour_adjustment', 'tour_earning', 'tour_visit']
    LOOP
        EXECUTE format($policy$
            ALTER TABLE %1$I ENABLE ROW LEVEL SECURITY;
            CREATE POLICY %2$I ON %1$I USING (
                village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)
                AND (SELECT current_setting('taoyuan.cooperative', true)) = '0');
            CREATE POLICY %3$I ON %1$I AS RESTRICTIVE FOR INSERT WITH CHECK (
                coalesce(day > (
                    SELECT max(through) FROM books_closing
                    WHERE village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)), true)
                OR refuse_closed_books())
            $policy$, name, name || '_scope', name || '_open_books');
    END LOOP;
END
$$;
GRANT SELECT, INSERT ON tour_adjustment, tour_earning, tour_visit TO taoyuan_service;

-- What of the bookings is income as they stand: of a visit that took place what it was booked for, its adjustments, and
-- what went back of it because it was granted; of one that did not come what is kept, as far as it was paid, the
-- first sessions first. The one place where this is defined.
CREATE VIEW tour_income_now WITH (security_invoker = true) AS
SELECT l.village_id, l.booking_id, l.session_id, l.day AS visit_day, b.unit_kind, 'booking' AS kind,
    l.booking_id AS number, l.amount_fen + coalesce((
        SELECT sum(x.amount_fen) FROM tour_booking_extra x
        WHERE x.village_id = l.village_id AND x.booking_id = l.booking_id AND x.session_id = l.session_id
    ), 0)::bigint AS amount_fen
FROM tour_booking_session l
JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
WHERE b.state IN ('arrived', 'completed')
UNION ALL
SELECT a.village_id, a.booking_id, NULL, (
        SELECT max(l.day) FROM tour_booking_session l WHERE l.village_id = a.village_id AND l.booking_id = a.booking_id),
    b.unit_kind, 'adjustment', a.id, a.amount_fen
FROM tour_adjustment a
JOIN tour_booking b ON b.village_id = a.village_id AND b.id = a.booking_id
WHERE b.state IN ('arrived', 'completed') AND a.touches = 'fee'
UNION ALL
SELECT b.village_id, b.id, NULL, (
        SELECT max(l.day) FROM tour_booking_session l WHERE l.village_id = b.village_id AND l.booking_id = b.id),
    b.unit_kind, 'refund', NULL, b.charge_fen - b.fee_fen - b.adjusted_fen
FROM tour_booking b
WHERE b.state IN ('arrived', 'completed') AND b.charge_fen <> b.fee_fen + b.adjusted_fen
UNION ALL
SELECT k.village_id, k.booking_id, k.session_id, k.day, k.unit_kind, 'booking', k.booking_id,
    least(k.kept_fen, greatest(0, k.net_fen - k.before_fen))
FROM (
    SELECT l.village_id, l.booking_id, l.session_id, l.day, b.unit_kind, l.kept_fen,
        b.paid_fen - b.refunded_fen AS net_fen, (sum(l.kept_fen) OVER (
            PARTITION BY l.village_id, l.booking_id ORDER BY l.session_id))::bigint - l.kept_fen AS before_fen
    FROM tour_booking_session l
    JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
    WHERE b.state IN ('cancelled', 'no_show') AND b.kept_fen > 0
) k;

-- Writes down what has changed of bookings' income and people since it was written down last: to be called wherever a booking that
-- has been visited, was cancelled or didn't come changes, after all else. The lock is the one that a closing of the
-- books waits for, so that the day is still open when the row is committed.
-- entered: the day that counts where the visit's own is closed.
CREATE FUNCTION settle_tours(in_village int, bookings bigint[], entered date, by_actor text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    closed date;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7241003, in_village);
    SELECT max(through) INTO closed FROM books_closing WHERE village_id = in_village;
    INSERT INTO tour_earning (village_id, booking_id, session_id, visit_day, day, unit_kind, kind, number, amount_fen, actor)
    SELECT in_village, d.booking_id, d.session_id, d.visit_day,
        CASE WHEN d.visit_day <= closed THEN entered ELSE d.visit_day END, d.unit_kind, d.kind,
        coalesce(d.number, (
            SELECT max(p.id) FROM tour_payment p
            WHERE p.village_id = in_village AND p.booking_id = d.booking_id AND p.kind = 'refund')),
        d.amount_fen, by_actor
    FROM (
        SELECT s.booking_id, s.session_id, s.visit_day, s.unit_kind, s.kind, s.number,
            sum(s.amount_fen)::bigint AS amount_fen
        FROM (
            SELECT n.booking_id, n.session_id, n.visit_day, n.unit_kind, n.kind, n.number, n.amount_fen
            FROM tour_income_now n WHERE n.village_id = in_village AND n.booking_id = ANY (bookings)
            UNION ALL
            SELECT e.booking_id, e.session_id, e.visit_day, e.unit_kind, e.kind,
                CASE WHEN e.kind <> 'refund' THEN e.number END, -e.amount_fen
            FROM tour_earning e WHERE e.village_id = in_village AND e.booking_id = ANY (bookings)
        ) s
        GROUP BY s.booking_id, s.session_id, s.visit_day, s.unit_kind, s.kind, s.number
        HAVING sum(s.amount_fen) <> 0
    ) d
    ORDER BY d.booking_id, d.visit_day, d.kind DESC, d.session_id, d.number
    ON CONFLICT DO NOTHING;
    INSERT INTO tour_visit (village_id, booking_id, visit_day, day, unit_kind, groups, people, actor)
    SELECT in_village, s.booking_id, s.visit_day, CASE WHEN s.visit_day <= closed THEN entered ELSE s.visit_day END,
        s.unit_kind, sum(s.groups)::int, sum(s.people)::int, by_actor
    FROM (
        SELECT n.booking_id, n.day AS visit_day, n.unit_kind, 1 AS groups, n.people
        FROM tour_visit_now n WHERE n.village_id = in_village AND n.booking_id = ANY (bookings)
        UNION ALL
        SELECT v.booking_id, v.visit_day, v.unit_kind, -v.groups, -v.people
        FROM tour_visit v WHERE v.village_id = in_village AND v.booking_id = ANY (bookings)
    ) s
    GROUP BY s.booking_id, s.visit_day, s.unit_kind
    HAVING sum(s.groups) <> 0 OR sum(s.people) <> 0
    ORDER BY s.booking_id, s.visit_day
    ON CONFLICT DO NOTHING;
END
$$;
REVOKE ALL ON FUNCTION settle_tours(int, bigint[], date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settle_tours(int, bigint[], date, text) TO taoyuan_service;

SELECT settle_tours(v.id, ARRAY(SELECT b.id FROM tour_booking b WHERE b.village_id = v.id),
    (now() AT TIME ZONE 'Asia/Shanghai')::date, 'migration')
FROM village v;

CREATE OR REPLACE VIEW tour_income WITH (security_invoker = true) AS
SELECT village_id, day, booking_id, unit_kind, amount_fen, kind, number, visit_day, session_id, id
FROM tour_earning;


-- What is charged and not paid, on the visit's day: of visits that took place it is part of their income, of what is
-- kept of others it is not yet. Out of a closed period it is carried forward to the first day that is open.
CREATE VIEW tour_claim WITH (security_invoker = true) AS
SELECT b.village_id, greatest((
        SELECT max(l.day) FROM tour_booking_session l WHERE l.village_id = b.village_id AND l.booking_id = b.id), (
        SELECT max(c.through) + 1 FROM books_closing c WHERE c.village_id = b.village_id)) AS day,
    b.id AS booking_id, b.charge_fen - b.paid_fen + b.refunded_fen AS amount_fen
FROM tour_booking b
WHERE b.charge_fen > b.paid_fen - b.refunded_fen AND b.state IN ('arrived', 'completed', 'cancelled', 'no_show');
GRANT SELECT ON tour_income_now, tour_claim TO taoyuan_service;
