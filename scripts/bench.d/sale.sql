-- Records one sale with the statements of the program: SaleStore.record, Database.change.
\set batch random(:first, :last)
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL taoyuan.village = 1;
SET LOCAL taoyuan.cooperative = 0;
SELECT b.number, b.cooperative_id, c.name AS cooperative, p.name AS product, b.harvested_on,
    b.in_g - b.out_g AS stock_g
FROM batch b
JOIN cooperative c ON c.village_id = b.village_id AND c.id = b.cooperative_id
JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
WHERE b.village_id = :village AND b.number = ANY(ARRAY[:batch]::bigint[]) \gset b_
SELECT nextval('sale_id_seq') AS id \gset
INSERT INTO sale (village_id, id, cooperative_id, number, sold_on, channel, buyer, paid_how, actor)
VALUES (:village, :id, :b_cooperative_id, NULL, :day, :channel, :buyer, NULL, :actor);
INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,
    price_basis, basis_g, amount_fen)
VALUES (:village, :id, 1, :b_cooperative_id, :batch, 500, 850, 'jin', 500, 850);
INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, actor)
VALUES (:village, :batch, :b_cooperative_id, 'sale', -500, :day, :id, :actor);
UPDATE batch SET out_g = out_g + 500
WHERE village_id = :village AND number = :batch;
INSERT INTO audit (village_id, actor, cooperative_id, action, subject, detail)
VALUES (:village, :actor, NULL, 'sale.record', :id, '850 fen');
COMMIT;
