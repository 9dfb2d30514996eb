-- Whose rows a transaction sees and writes, said without a look into tables: preparing such looks cost each statement a
-- quarter of its time, and registering and selling are short statements. taoyuan.cooperative is 0 for the whole village,
-- or a cooperative and the other spellings of its name (3,7), so that it sees what was recorded under those too.
--
-- The planner takes a bare comparison for rare, and sorts a whole village for one page; that something is not null it takes
-- for usual, which a policy is: whoever asks names the own village.
DO $$
DECLARE
    village text := $q$village_id = nullif(current_setting('taoyuan.village', true), '')::int$q$;
    everything text := $q$current_setting('taoyuan.cooperative', true) = '0'$q$;
    own text := $q$cooperative_id = ANY (string_to_array(current_setting('taoyuan.cooperative', true), ',')::int[])$q$;
    scoped record;
BEGIN
    FOR scoped IN
        SELECT c.relname AS name, p.polname AS policy, pg_get_expr(p.polqual, c.oid) ~ 'cooperative_id' AS has_cooperatives
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        WHERE c.relnamespace = 'public'::regnamespace AND p.polname IN (c.relname || '_scope', 'event_read')
    LOOP
        EXECUTE format('ALTER POLICY %I ON %I USING (nullif(%s AND %s, false) IS NOT NULL)', scoped.policy, scoped.name, village,
            CASE WHEN scoped.has_cooperatives THEN format('(%s OR %s)', everything, own) ELSE everything END);
    END LOOP;
END
$$;

-- What a plot gives in a season is counted once, whoever of its cooperatives harvests it: each sees the season of a plot
-- that is or was its own. A function with a path of its own is not taken apart into the statement.
CREATE FUNCTION is_own_plot(in_village int, in_plot int) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM public.plot_period p WHERE p.village_id = in_village AND p.plot_id = in_plot)
$$;
REVOKE ALL ON FUNCTION is_own_plot(int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_own_plot(int, int) TO taoyuan_service;
ALTER POLICY plot_season_scope ON plot_season USING (
    nullif(village_id = nullif(current_setting('taoyuan.village', true), '')::int
        AND (current_setting('taoyuan.cooperative', true) = '0'
            OR cooperative_id = ANY (string_to_array(current_setting('taoyuan.cooperative', true), ',')::int[])
            OR is_own_plot(village_id, plot_id)), false) IS NOT NULL);
