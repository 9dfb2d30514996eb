-- Registers one harvest with the statements of the program: HarvestStore.prepare, HarvestWriter, Database.change.
\set plot random(1, :plots)
\set grams 1000 * random(1, 1000)
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL taoyuan.village = 1;
SET LOCAL taoyuan.cooperative = 0;
SELECT t.id AS plot, d.id AS period, d.household_id, d.cooperative_id, d.area_centimu, d.product_id AS crop,
    p.name AS crop_name, p.best_before_days, p.ceiling_g_per_mu, v.id AS variety, v.product_id AS product,
    g.id AS grade, coalesce(s.harvested_g, 0) AS harvested_g,
    (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
        WHERE o.village_id = t.village_id AND o.plot_id = t.id AND o.product_id = d.product_id
            AND o.season = :season) AS extra_g,
    CASE WHEN d.id IS NULL THEN (
        SELECT min(e.from_day) FROM plot_period e WHERE e.village_id = t.village_id AND e.plot_id = t.id
    ) END AS known_from,
    nextval(:sequence::regclass) AS number
FROM plot t
LEFT JOIN LATERAL (
    SELECT * FROM plot_period d WHERE d.village_id = t.village_id AND d.plot_id = t.id AND d.from_day <= :day::date
    ORDER BY d.from_day DESC, d.id DESC LIMIT 1) d ON true
LEFT JOIN product p ON p.village_id = t.village_id AND p.id = d.product_id
LEFT JOIN variety v ON v.village_id = t.village_id AND v.product_id = d.product_id
    AND v.name = :variety AND (NULL::text IS NULL OR p.name = NULL)
LEFT JOIN grade g ON g.village_id = t.village_id AND g.name = :grade
LEFT JOIN plot_season s ON s.village_id = t.village_id AND s.plot_id = t.id
    AND s.product_id = d.product_id AND s.season = :season
WHERE t.village_id = :village AND t.number = :plot \gset h_
SELECT pg_advisory_xact_lock_shared(7241003, :village);
WITH s (number, cooperative_id, plot_id, plot_period_id, household_id, product_id, variety_id, grade_id, harvested_on,
    best_before, grams, slip, picker, allowed_g, signature) AS (
    VALUES (:h_number::bigint, :h_cooperative_id::int, :h_plot::int, :h_period::int, :h_household_id::int,
        :h_product::int, :h_variety::int, :h_grade::int, :day::date, :day::date, :grams::bigint, NULL::text, NULL::text,
        :ceiling::bigint, :signature::bytea)), season AS (
    INSERT INTO plot_season AS p (village_id, plot_id, product_id, season, cooperative_id, harvested_g, ceiling_g)
    SELECT :village, plot_id, product_id, extract(year FROM harvested_on)::int AS season, min(cooperative_id),
        sum(grams)::bigint, max(allowed_g)
    FROM s GROUP BY plot_id, product_id, season ORDER BY plot_id, product_id, season
    ON CONFLICT (village_id, plot_id, product_id, season)
    DO UPDATE SET harvested_g = p.harvested_g + EXCLUDED.harvested_g,
        ceiling_g = greatest(p.ceiling_g, EXCLUDED.ceiling_g)
), moved AS (
    INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
    SELECT :village, number, cooperative_id, 'harvest', grams, harvested_on, :actor FROM s
), coded AS (
    INSERT INTO code (village_id, batch_number, cooperative_id, key_id, issued_on, best_before, signature)
    SELECT :village, number, cooperative_id, :key, :day, best_before, signature FROM s
)
INSERT INTO batch (village_id, number, cooperative_id, kind, plot_id, household_id, plot_period_id, product_id,
    variety_id, grade_id, harvested_on, slip, picker, in_g)
SELECT :village, number, cooperative_id, 'harvest', plot_id, household_id, plot_period_id, product_id, variety_id,
    grade_id, harvested_on, slip, picker, grams
FROM s;
INSERT INTO event (village_id, actor, cooperative_id, kind, subject, day, figures)
VALUES (:village, :actor, NULL, 'batch.register', :h_number::text, :day::date,
    jsonb_strip_nulls(jsonb_build_object('grams', :grams::bigint)));
COMMIT;
