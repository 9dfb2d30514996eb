-- The rows behind every figure of income, each with what it is and the number under which it is shown. Names are not in
-- it: sums are made over numbers, and names are looked up for what is left, which is a few rows instead of a million.
-- A correction has of_day, the day of what it corrects. harvested_on tells which household is meant, since a household
-- is called as it was on that day.

DROP VIEW income_line;
-- Several returns of a line on one day are one row. A tours row of a closed period tells to which day it belongs.
CREATE VIEW income_row WITH (security_invoker = true) AS
SELECT l.village_id, s.sold_on AS day, 'sales' AS source, 'sale' AS kind, l.sale_id AS number, l.line,
    b.product_id, s.cooperative_id, s.channel, b.household_id, b.harvested_on, NULL::date AS of_day, l.grams,
    l.amount_fen
FROM sale_line l
JOIN sale s ON s.village_id = l.village_id AND s.id = l.sale_id
JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number
UNION ALL
SELECT k.village_id, k.day, 'sales', k.kind, k.sale_id, k.line, b.product_id, s.cooperative_id, s.channel,
    b.household_id, b.harvested_on, s.sold_on, -k.grams, -k.refund_fen
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
