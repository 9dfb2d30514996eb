-- What imports of a hundred thousand rows have taught.

-- A table that was analysed while it was empty counts as known and empty, and its joins were planned as such after the
-- rows came; so what counts is how much a table has grown since.
CREATE OR REPLACE FUNCTION analyze_new_tables() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    name regclass;
BEGIN
    FOR name IN
        SELECT oid::regclass FROM pg_class WHERE relkind = 'r'
            AND relnamespace = 'public'::regnamespace AND relowner = current_user::regrole
            AND pg_relation_size(oid) > 2 * relpages::bigint * current_setting('block_size')::bigint
    LOOP
        EXECUTE format('ANALYZE %s', name);
    END LOOP;
END
$$;

-- The settings that row-level security reads are read once a statement and not once a row: of an import's time in the
-- database they were a tenth.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['household', 'plot', 'plot_season', 'batch', 'batch_input', 'stock_movement', 'code',
        'code_revocation', 'recall', 'sale', 'sale_line']
    LOOP
        EXECUTE format($policy$
            ALTER POLICY %I ON %I USING (
                village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)
                AND (SELECT nullif(current_setting('taoyuan.cooperative', true), '')::int) IN (0, cooperative_id))
            $policy$, name || '_scope', name);
    END LOOP;
END
$$;

-- What a stranger may know of a code, without the names: those are few and are read apart, so that a code costs two
-- looks into two indexes. Harvest batches have no parents, so the common case needs no recursion.
DROP VIEW public_code;
CREATE VIEW public_code AS
SELECT c.village_id, c.batch_number, c.serial, c.key_id, c.issued_on, c.best_before,
    EXISTS (
        SELECT FROM code_revocation r
        WHERE r.village_id = c.village_id AND r.batch_number = c.batch_number AND r.serial IN ('', c.serial)
    ) AS revoked,
    CASE WHEN b.kind = 'harvest' THEN coalesce((
        SELECT r.step = 'open' FROM recall r
        WHERE r.village_id = b.village_id AND r.batch_number = b.number ORDER BY r.id DESC LIMIT 1), false)
    ELSE EXISTS (
        WITH RECURSIVE line (number) AS (
            SELECT b.number
            UNION
            SELECT i.parent FROM batch_input i JOIN line ON i.village_id = b.village_id AND i.child = line.number
        )
        SELECT FROM line WHERE 'open' = (
            SELECT r.step FROM recall r
            WHERE r.village_id = b.village_id AND r.batch_number = line.number ORDER BY r.id DESC LIMIT 1)
    ) END AS recalled,
    b.product_id, b.variety_id, b.grade_id, b.harvested_on, b.cooperative_id
FROM code c
JOIN batch b ON b.village_id = c.village_id AND b.number = c.batch_number;

CREATE VIEW public_name AS
SELECT village_id, 'product' AS kind, id, name FROM product
UNION ALL SELECT village_id, 'variety', id, name FROM variety
UNION ALL SELECT village_id, 'grade', id, name FROM grade
UNION ALL SELECT village_id, 'cooperative', id, name FROM cooperative;

GRANT SELECT ON public_code, public_name TO taoyuan_public;
