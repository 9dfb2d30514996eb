-- The rows behind every figure of income, each with what it is and the number under which it is shown. Names are not in
-- it: sums are made over numbers, and names are looked up for what is left, which is a few rows instead of a million.
-- A correction has of_day, the day of what it corrects; so has a sale that was recorded anew, and what corrects it.
-- harvested_on tells which household is meant, since a household is called as it was on that day.

-- A sale that was recorded anew stands for the one that it replaces: the day of the first of them all. It is called for
-- few rows, so that its cost must not change the plans of sums over all.
CREATE FUNCTION first_sold_on(in_village int, in_sale bigint) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE COST 1
SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE chain AS (
        SELECT sold_on, replaces FROM public.sale WHERE village_id = in_village AND id = in_sale
        UNION ALL
        SELECT s.sold_on, s.replaces FROM chain c JOIN public.sale s ON s.village_id = in_village AND s.id = c.replaces
    )
    SELECT sold_on FROM chain WHERE replaces IS NULL
$$;
REVOKE ALL ON FUNCTION first_sold_on(int, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION first_sold_on(int, bigint) TO taoyuan_service;

DROP VIEW income_line;
-- Several returns of a line on one day are one row. A tours row of a closed period tells to which day it belongs.
CREATE VIEW income_row WITH (security_invoker = true) AS
SELECT l.village_id, s.sold_on AS day, 'sales' AS source, 'sale' AS kind, l.sale_id AS number, l.line,
    b.product_id, s.cooperative_id, s.channel, b.household_id, b.harvested_on,
    CASE WHEN s.replaces IS NOT NULL THEN first_sold_on(s.village_id, s.id) END AS of_day, l.grams, l.amount_fen
FROM sale_line l
JOIN sale s ON s.village_id = l.village_id AND s.id = l.sale_id
JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number
UNION ALL
SELECT k.village_id, k.day, 'sales', k.kind, k.sale_id, k.line, b.product_id, s.cooperative_id, s.channel,
    b.household_id, b.harvested_on,
    CASE WHEN s.replaces IS NULL THEN s.sold_on ELSE first_sold_on(s.village_id, s.id) END, -k.grams, -k.refund_fen
FROM (
    SELECT village_id, day, kind, sale_id, line, batch_number, sum(grams)::bigint AS grams,
        sum(refund_fen)::bigint AS refund_fen
    FROM sale_correction GROUP BY village_id, day, kind, sale_id, line, batch_number
) k
JOIN sale s ON s.village_id = k.village_id AND s.id = k.sale_id
JOIN batch b ON b.village_id = k.village_id AND b.number = k.batch_number
UNION ALL
SELECT e.village_id, e.day, e.source, CASE WHEN e.corrects IS NULL THEN 'entry' ELSE 'correction' END, e.id, NULL,
    NULL, NULL, NULL, NULL, NULL, o.day, NULL, e.amount_fen
FROM income_entry e
LEFT JOIN income_entry o ON o.village_id = e.village_id AND o.id = e.corrects
UNION ALL
SELECT t.village_id, t.day, 'tours', CASE t.kind WHEN 'adjustment' THEN 'adjustment' ELSE 'booking' END, t.booking_id,
    t.id, NULL, NULL, NULL, NULL, NULL, CASE WHEN t.visit_day <> t.day THEN t.visit_day END, NULL, t.amount_fen
FROM tour_income t;

GRANT SELECT ON income_row TO taoyuan_service;
