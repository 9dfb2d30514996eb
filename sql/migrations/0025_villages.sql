-- One database serves many villages. No table of a village's shows or takes rows of another one: not the catalogue, not the
-- accounts, not the keys. And no number that is shown tells how much others do: each village counts its own.
DO $$
DECLARE
    own text := $q$nullif(village_id = nullif(current_setting('taoyuan.village', true), '')::int, false) IS NOT NULL$q$;
    tenant text;
BEGIN
    FOR tenant IN
        SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'village_id'
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND NOT c.relrowsecurity
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant);
        EXECUTE format('CREATE POLICY %I ON %I USING (%s)', tenant || '_scope', tenant, own);
    END LOOP;
END
$$;

-- The kinds of which people see the numbers.
CREATE FUNCTION number_kinds() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['batch', 'api_token', 'message', 'sale', 'sale_correction', 'income_entry', 'livelihood_report',
        'tour_session', 'tour_extra', 'tour_booking', 'tour_payment', 'tour_check_in', 'tour_gate_conflict']
$$;

-- A sequence a kind and village, so that numbers are taken without waiting for one another. They lie apart from what
-- dumps and grants go through: a county has more of them than one transaction can lock.
CREATE SCHEMA numbers;
GRANT USAGE ON SCHEMA numbers TO taoyuan_service;

-- The next number of one kind of the village for which the transaction acts. Without a path of its own it becomes part of
-- the statement that asks, which is faster.
CREATE FUNCTION own_number(kind text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.nextval(pg_catalog.format('numbers.%s_%s', kind,
        pg_catalog.current_setting('taoyuan.village', true))::pg_catalog.regclass)
$$;

-- Makes those of a village that are missing. told: how far it had counted by kind, where that is known of a backup.
CREATE FUNCTION create_own_numbers(village int, told jsonb DEFAULT '{}') RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text;
    last bigint;
BEGIN
    FOREACH kind IN ARRAY public.number_kinds() LOOP
        CONTINUE WHEN to_regclass(format('numbers.%s_%s', kind, village)) IS NOT NULL;
        EXECUTE format('SELECT coalesce(max(%I), 0) FROM public.%I WHERE village_id = $1',
            CASE kind WHEN 'batch' THEN 'number' ELSE 'id' END, kind) INTO last USING village;
        last := greatest(last, (told->>kind)::bigint);
        -- What is printed in codes and tickets has four bytes there.
        EXECUTE format('CREATE SEQUENCE numbers.%s_%s START %s MAXVALUE %s', kind, village, last + 1,
            CASE WHEN kind IN ('batch', 'tour_booking') THEN 4294967295 ELSE 9223372036854775807 END);
        EXECUTE format('GRANT USAGE ON SEQUENCE numbers.%s_%s TO taoyuan_service', kind, village);
    END LOOP;
END
$$;
DROP FUNCTION create_batch_numbers(int);

DO $$
DECLARE
    batches text;
    kind text;
BEGIN
    FOR batches IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' AND relname ~ '^batch_number_[0-9]+$'
    LOOP
        EXECUTE format('ALTER SEQUENCE public.%I SET SCHEMA numbers', batches);
        EXECUTE format('ALTER SEQUENCE numbers.%I RENAME TO %I', batches, replace(batches, '_number', ''));
    END LOOP;
    FOREACH kind IN ARRAY array_remove(number_kinds(), 'batch') LOOP
        EXECUTE format('ALTER TABLE %I ALTER id DROP IDENTITY', kind);
        EXECUTE format('ALTER TABLE %I ALTER id SET DEFAULT own_number(%L)', kind, kind);
    END LOOP;
    PERFORM create_own_numbers(id) FROM village;
END
$$;

-- As before, but that what a statement asks of itself is asked before: its number, and what looks into other tables.
CREATE OR REPLACE FUNCTION tell_booking(in_village int, in_booking bigint, in_kind text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    number bigint := own_number('message');
    told jsonb := booking_message_content(in_village, in_booking);
    pointless timestamptz := CASE
        WHEN in_kind NOT IN ('cancelled', 'no_show') THEN booking_message_until(in_village, in_booking) END;
BEGIN
    INSERT INTO message (village_id, id, key, kind, about, name, phone, email, language, content, until)
    SELECT in_village, number, format('booking:%s:v%s:%s', b.id, b.version, in_kind), in_kind, 'booking:' || b.id,
        b.leader, b.phone, b.email, b.language, told, pointless
    FROM tour_booking b WHERE b.village_id = in_village AND b.id = in_booking
    ON CONFLICT (village_id, key) DO NOTHING;
    RETURN true;
END
$$;
