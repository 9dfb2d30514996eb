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

-- The next number of one kind of the village for which the transaction acts. Without a path of its own it becomes part of
-- the statement that asks, which is faster.
CREATE FUNCTION own_number(kind text) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.nextval(pg_catalog.format('public.%s_number_%s', kind,
        pg_catalog.current_setting('taoyuan.village', true))::pg_catalog.regclass)
$$;

-- The kinds whose numbers people see: a sequence each, so that numbers are taken without waiting for one another.
CREATE FUNCTION create_own_numbers(village int) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text;
    last bigint;
BEGIN
    FOREACH kind IN ARRAY ARRAY['batch', 'api_token', 'message', 'sale', 'sale_correction', 'income_entry', 'livelihood_report',
        'tour_session', 'tour_extra', 'tour_booking', 'tour_payment', 'tour_check_in', 'tour_gate_conflict']
    LOOP
        CONTINUE WHEN to_regclass(format('public.%s_number_%s', kind, village)) IS NOT NULL;
        EXECUTE format('SELECT coalesce(max(%I), 0) FROM public.%I WHERE village_id = $1',
            CASE kind WHEN 'batch' THEN 'number' ELSE 'id' END, kind) INTO last USING village;
        -- What is printed in codes and tickets has four bytes there.
        EXECUTE format('CREATE SEQUENCE public.%s_number_%s START %s MAXVALUE %s', kind, village, last + 1,
            CASE WHEN kind IN ('batch', 'tour_booking') THEN 4294967295 ELSE 9223372036854775807 END);
        EXECUTE format('GRANT USAGE ON SEQUENCE public.%s_number_%s TO taoyuan_service', kind, village);
    END LOOP;
END
$$;
DROP FUNCTION create_batch_numbers(int);

DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['api_token', 'message', 'sale', 'sale_correction', 'income_entry', 'livelihood_report',
        'tour_session', 'tour_extra', 'tour_booking', 'tour_payment', 'tour_check_in', 'tour_gate_conflict']
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER id DROP IDENTITY', kind);
        EXECUTE format('ALTER TABLE %I ALTER id SET DEFAULT own_number(%L)', kind, kind);
    END LOOP;
    PERFORM create_own_numbers(id) FROM village;
END
$$;
