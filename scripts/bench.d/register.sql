-- Registers one harvest with the statements of the program: HarvestStore.prepare, CodeStore.register, Database.change.
\set plot random(1, :plots)
\set grams 1000 * random(1, 1000)
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL taoyuan.village = 1;
SET LOCAL taoyuan.cooperative = 0;
SELECT t.id AS plot, t.cooperative_id, t.area_centimu, t.product_id AS crop, p.name AS crop_name,
    p.best_before_days, p.ceiling_g_per_mu, v.id AS variety, v.product_id AS product, g.id AS grade,
    coalesce(s.harvested_g, 0) AS harvested_g,
    (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
        WHERE o.village_id = t.village_id AND o.plot_id = t.id AND o.product_id = t.product_id
            AND o.season = :season) AS extra_g,
    nextval(:sequence::regclass) AS number
FROM plot t
JOIN product p ON p.village_id = t.village_id AND p.id = t.product_id
LEFT JOIN variety v ON v.village_id = t.village_id AND v.product_id = t.product_id
    AND v.name = :variety AND (NULL::text IS NULL OR p.name = NULL)
LEFT JOIN grade g ON g.village_id = t.village_id AND g.name = :grade
LEFT JOIN plot_season s ON s.village_id = t.village_id AND s.plot_id = t.id
    AND s.product_id = t.product_id AND s.season = :season
WHERE t.village_id = :village AND t.number = :plot \gset h_
INSERT INTO plot_season AS s (village_id, plot_id, product_id, season, cooperative_id, harvested_g, ceiling_g)
VALUES (:village, :h_plot, :h_product, :season, :h_cooperative_id, :grams, :ceiling)
ON CONFLICT (village_id, plot_id, product_id, season)
DO UPDATE SET harvested_g = s.harvested_g + EXCLUDED.harvested_g;
INSERT INTO batch (village_id, number, cooperative_id, kind, plot_id, product_id, variety_id, grade_id,
    harvested_on, picker, in_g)
VALUES (:village, :h_number, :h_cooperative_id, 'harvest', :h_plot, :h_product, :h_variety, :h_grade, :day, NULL, :grams);
INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
VALUES (:village, :h_number, :h_cooperative_id, 'harvest', :grams, :day, :actor);
INSERT INTO code (village_id, batch_number, serial, cooperative_id, key_id, issued_on, best_before, signature)
VALUES (:village, :h_number, '', :h_cooperative_id, :key, :day, :day, :signature);
INSERT INTO audit (village_id, actor, cooperative_id, action, subject, detail)
VALUES (:village, :actor, NULL, 'batch.register', :h_number, :grams);
COMMIT;
