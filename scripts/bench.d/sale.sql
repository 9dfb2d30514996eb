-- Records one sale with the statements of the program: SaleStore.record, SaleWriter, Database.change.
\set batch random(:first, :last)
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL taoyuan.village = 1;
SET LOCAL taoyuan.cooperative = 0;
SELECT b.number, b.cooperative_id, c.name AS cooperative, b.product_id, p.name AS product, p.usual_fen, b.harvested_on,
    b.in_g - b.out_g AS stock_g, b.voided, b.recalls > 0 AS recalled, k.best_before
FROM batch b
JOIN cooperative_meant c ON c.village_id = b.village_id AND c.id = b.cooperative_id
JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
LEFT JOIN code k ON k.village_id = b.village_id AND k.batch_number = b.number AND k.serial = ''
WHERE b.village_id = :village AND b.number IN (:batch) \gset b_
SELECT own_number('sale') AS id,
    (SELECT coalesce(w.meant, n.name) FROM sale_name n
    LEFT JOIN spelling w ON w.village_id = n.village_id AND w.kind = n.kind AND w.name = n.name
    WHERE n.village_id = :village AND n.kind = 'channel' AND n.form = :channel) AS channel,
    (SELECT coalesce(w.meant, n.name) FROM sale_name n
    LEFT JOIN spelling w ON w.village_id = n.village_id AND w.kind = n.kind AND w.name = n.name
    WHERE n.village_id = :village AND n.kind = 'buyer' AND n.form = :buyer) AS buyer,
    (SELECT max(through) AS through FROM books_closing WHERE village_id = :village) AS closed \gset
SELECT pg_advisory_xact_lock_shared(7241003, :village);
WITH s (id, cooperative_id, number, sold_on, channel, buyer, paid_how, replaces, line, batch_number, grams, price_fen,
    price_basis, basis_g, amount_fen) AS (
    VALUES (:id::bigint, :b_cooperative_id::int, NULL::text, :day::date, :channel::text, :buyer::text, NULL::text,
        NULL::bigint, 1::int, :batch::bigint, 500::bigint, 850::bigint, 'jin'::text, 500::bigint, 850::bigint)), taken AS (
    UPDATE batch b SET out_g = b.out_g + t.grams
    FROM (SELECT batch_number, sum(grams)::bigint AS grams FROM s GROUP BY batch_number) t
    WHERE b.village_id = :village AND b.number = t.batch_number
), moved AS (
    INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, actor)
    SELECT :village, batch_number, cooperative_id, 'sale', -grams, sold_on, id, :actor FROM s
), sold AS (
    INSERT INTO sale (village_id, id, cooperative_id, number, sold_on, channel, buyer, paid_how, replaces, actor)
    SELECT :village, id, cooperative_id, number, sold_on, channel, buyer, paid_how, replaces, :actor
    FROM s WHERE line = 1
)
INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen, price_basis, basis_g,
    amount_fen)
SELECT :village, id, line, cooperative_id, batch_number, grams, price_fen, price_basis, basis_g, amount_fen FROM s;
INSERT INTO event (village_id, actor, cooperative_id, kind, subject, day, figures)
VALUES (:village, :actor, NULL, 'sale.record', :id::text, :day::date,
    jsonb_strip_nulls(jsonb_build_object('fen', 850::bigint, 'replaces', NULL::bigint)));
COMMIT;
