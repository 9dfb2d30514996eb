-- What is kept for a time goes when it is over, and months of scans come and go while the program runs. The service may
-- remove nothing by itself: it calls these, which remove what is older than a rule's least and nothing else, by the
-- database's own clock.

-- forgotten_at: when name, phone, e-mail and note of whoever led the visit were removed; the figures stay.
ALTER TABLE tour_booking
    ADD COLUMN forgotten_at timestamptz,
    DROP CONSTRAINT tour_booking_leader_check,
    DROP CONSTRAINT tour_booking_phone_check,
    ADD CONSTRAINT tour_booking_contact CHECK (
        CASE WHEN forgotten_at IS NULL THEN length(leader) BETWEEN 1 AND 60 AND length(phone) BETWEEN 5 AND 30
        ELSE leader = '' AND phone = '' AND email IS NULL AND note IS NULL END);

-- By which villages_with_work finds what is over, however much is not.
CREATE INDEX api_token_over ON api_token (least(revoked_at, expires_at), village_id);
CREATE INDEX tour_booking_remembered ON tour_booking (requested_at, village_id) WHERE forgotten_at IS NULL;

-- Which villages have something for a job to do, so that it need not ask each. at: the moment that the job looks at,
-- which is now or, for what is kept for a time, the end of it. It costs what there is to do: each part begins at an index
-- of that, and counts the rows that belong to one of them instead of joining, which the planner, who knows neither job
-- nor moment, would do by reading whole tables.
CREATE FUNCTION villages_with_work(job text, at timestamptz) RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
    SELECT village_id FROM public.tour_booking WHERE job = 'holds' AND hold_until <= at AND paid_fen = refunded_fen
    UNION SELECT b.village_id FROM public.tour_booking b
        WHERE job = 'holds' AND b.state = 'waitlisted' AND 0 < (
            SELECT count(*) FROM public.tour_booking_session l
            JOIN public.tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
            WHERE l.village_id = b.village_id AND l.booking_id = b.id AND CASE
                WHEN s.starts_at <= at THEN b.paid_fen = b.refunded_fen
                ELSE s.state = 'open' AND s.capacity - s.held - s.booked >= l.headcount END)
    UNION SELECT l.village_id FROM public.tour_booking_session l
        WHERE job = 'reminders' AND l.day = (at AT TIME ZONE 'Asia/Shanghai')::date + 1 AND 0 < (
            SELECT count(*) FILTER (WHERE b.state = 'confirmed') FROM public.tour_booking b
            WHERE b.village_id = l.village_id AND b.id = l.booking_id)
            AND 0 = (
                SELECT count(*) FROM public.message m
                WHERE m.village_id = l.village_id AND m.about = format('booking:%s', l.booking_id)
                    AND m.key = format('reminder:%s:%s', l.booking_id, l.day))
    UNION SELECT village_id FROM public.message
        WHERE job = 'messages' AND due_at <= at AND sent_at IS NULL AND given_up_at IS NULL
    UNION SELECT village_id FROM public.idempotent_answer WHERE job = 'answers' AND created_at < at
    UNION SELECT village_id FROM public.api_token WHERE job = 'tokens' AND least(revoked_at, expires_at) < at
    UNION SELECT b.village_id FROM public.tour_booking b
        WHERE job = 'contacts' AND b.forgotten_at IS NULL AND b.requested_at < at AND 0 = (
            SELECT count(*) FROM public.tour_booking_session l
            WHERE l.village_id = b.village_id AND l.booking_id = b.id
                AND l.day >= (at AT TIME ZONE 'Asia/Shanghai')::date)
$$;

-- How much is open in all villages together, for whoever watches the program.
CREATE FUNCTION open_work(at timestamptz) RETURNS TABLE (kind text, count int, age int) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.state, count(b.state)::int, 0 FROM unnest(ARRAY['requested', 'held', 'waitlisted', 'confirmed']) s (state)
    LEFT JOIN public.tour_booking b ON b.state = s.state
        AND b.state IN ('requested', 'held', 'waitlisted', 'confirmed')
    GROUP BY s.state
    UNION ALL
    SELECT 'message', count(*)::int,
        coalesce(extract(epoch FROM at - min(created_at) FILTER (WHERE due_at <= at)), 0)::int
    FROM public.message WHERE sent_at IS NULL AND given_up_at IS NULL
$$;

-- Answers to requests that may have been sent again. Each of these removes some thousand at most, and tells how many.
CREATE FUNCTION forget_answers(in_village int, hours int) RETURNS int LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM public.idempotent_answer WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM public.idempotent_answer
            WHERE village_id = in_village AND created_at < now() - make_interval(hours => greatest(hours, 24))
            LIMIT 5000))
        RETURNING 1)
    SELECT count(*)::int FROM gone
$$;

-- Sessions and tokens that have ended.
CREATE FUNCTION forget_tokens(in_village int, days int) RETURNS int LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (
        DELETE FROM public.api_token WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM public.api_token
            WHERE village_id = in_village
                AND least(revoked_at, expires_at) < now() - make_interval(days => greatest(days, 7))
            LIMIT 5000))
        RETURNING 1),
    said AS (
        INSERT INTO public.event (village_id, actor, kind, subject, figures)
        SELECT in_village, 'jobs', 'token.forget', 'all', jsonb_build_object('tokens', count(*)) FROM gone
        HAVING count(*) > 0)
    SELECT count(*)::int FROM gone
$$;

-- Who led visits of long ago, and what was told to them.
CREATE FUNCTION forget_contacts(in_village int, days int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until timestamptz := now() - make_interval(days => greatest(days, 365));
    gone bigint[];
BEGIN
    gone := ARRAY(
        SELECT b.id FROM public.tour_booking b
        WHERE b.village_id = in_village AND b.forgotten_at IS NULL AND b.requested_at < until AND NOT EXISTS (
            SELECT FROM public.tour_booking_session l WHERE l.village_id = in_village AND l.booking_id = b.id
                AND l.day >= (until AT TIME ZONE 'Asia/Shanghai')::date)
        LIMIT 1000 FOR UPDATE OF b SKIP LOCKED);
    UPDATE public.tour_booking SET leader = '', phone = '', email = NULL, note = NULL, forgotten_at = now()
    WHERE village_id = in_village AND id = ANY (gone);
    DELETE FROM public.message
    WHERE village_id = in_village AND about = ANY (SELECT 'booking:' || id FROM unnest(gone) u (id));
    IF cardinality(gone) > 0 THEN
        INSERT INTO public.event (village_id, actor, kind, subject, figures)
        VALUES (in_village, 'jobs', 'booking.forget', 'all', jsonb_build_object('bookings', cardinality(gone)));
    END IF;
    RETURN cardinality(gone);
END
$$;

-- Makes a month of scans, and brings in those of its days that fell among the later ones. Answers how many those were,
-- and nothing where the month is there.
DROP FUNCTION scan_months(date, int);
CREATE FUNCTION scan_month(day_of date) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    month date := date_trunc('month', day_of);
    next_month date := date_trunc('month', day_of) + interval '1 month';
    name text := 'scan_' || to_char(day_of, 'YYYY_MM');
    moved bigint;
BEGIN
    -- Two servers may start at the same time.
    PERFORM pg_advisory_xact_lock(7241001);
    IF to_regclass('public.' || name) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.scan_later INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format(
        'WITH gone AS (DELETE FROM public.scan_later WHERE day >= %L AND day < %L RETURNING *)
        INSERT INTO public.%I SELECT * FROM gone', month, next_month, name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format(
        'ALTER TABLE public.scan ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name, month, next_month);
    RETURN moved;
END
$$;

-- Makes the months to come and those of scans that fell outside any, and drops those of which every day is older than
-- may be kept. Answers how many came and went.
CREATE FUNCTION keep_scan_months(months int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this_month date := date_trunc('month', now() AT TIME ZONE 'Asia/Shanghai');
    month date;
    old regclass;
    count int := 0;
BEGIN
    FOR month IN
        SELECT (this_month + make_interval(months => n))::date FROM generate_series(0, 14) n
        UNION (SELECT DISTINCT date_trunc('month', day)::date FROM public.scan_later LIMIT 24)
    LOOP
        IF public.scan_month(month) IS NOT NULL THEN
            count := count + 1;
        END IF;
    END LOOP;
    FOR old IN
        SELECT c.oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.scan'::regclass AND c.relname ~ '^scan_[0-9]{4}_[0-9]{2}$'
            AND to_date(substr(c.relname, 6), 'YYYY_MM')
                < this_month - make_interval(months => greatest(months, 12))
    LOOP
        EXECUTE format('DROP TABLE %s', old);
        count := count + 1;
    END LOOP;
    RETURN count;
END
$$;
