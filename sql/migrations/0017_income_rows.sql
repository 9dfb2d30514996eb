-- The rows behind every figure of income, each with what it is and the number under which it is shown. Names are not in
-- it: sums are made over numbers, and names are looked up for what is left, which is a few rows instead of a million.
-- of_day is the day of what a correction corrects.
CREATE VIEW income_row WITH (security_invoker = true) AS
SELECT l.village_id, s.sold_on AS day, 'sales' AS source, 'sale' AS kind, l.sale_id AS number, l.line,
    b.product_id, s.cooperative_id, s.channel, b.household_id, NULL::date AS of_day, l.grams, l.amount_fen, b.harvested_on
FROM sale_line l
JOIN sale s ON s.village_id = l.village_id AND s.id = l.sale_id
JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number
UNION ALL
SELECT e.village_id, e.day, e.source, CASE WHEN e.corrects IS NULL THEN 'entry' ELSE 'correction' END, e.id, NULL,
    NULL, NULL, NULL, NULL, o.day, NULL, e.amount_fen, NULL
FROM income_entry e
LEFT JOIN income_entry o ON o.village_id = e.village_id AND o.id = e.corrects
UNION ALL
SELECT t.village_id, t.day, 'tours', 'booking', t.booking_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, t.amount_fen, NULL
FROM tour_income t;

GRANT SELECT ON income_row TO taoyuan_service;
