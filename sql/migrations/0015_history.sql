-- History by value: whose harvest a batch was stands with the batch, and what a household and a plot were holds from a
-- day on. So the figures of a year stay as they are when a plot changes hands or a household its support class, and
-- registers may begin again at 1 every January.

-- What holds of a household from a day on, until the next day of which something else is recorded; of several rows of
-- one day the newest counts. household keeps the present beside it. The number never changes; it stands here so that
-- a cooperative knows whose harvest it was after the household has left it.
ALTER TABLE household ADD UNIQUE (village_id, id, number);
CREATE TABLE household_period (
    village_id int NOT NULL,
    id int GENERATED ALWAYS AS IDENTITY,
    household_id int NOT NULL,
    from_day date NOT NULL,
    cooperative_id int NOT NULL,
    number text NOT NULL,
    head text NOT NULL,
    grid_cell text NOT NULL,
    support_class text NOT NULL,
    people int NOT NULL CHECK (people BETWEEN 1 AND 50),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    FOREIGN KEY (village_id, household_id, number) REFERENCES household (village_id, id, number),
    FOREIGN KEY (village_id, cooperative_id) REFERENCES cooperative
);
CREATE INDEX household_period_day ON household_period (village_id, household_id, from_day DESC, id DESC);

-- The same of a plot: whose it was, what grew there, how large it was.
ALTER TABLE plot ADD UNIQUE (village_id, id, number);
CREATE TABLE plot_period (
    village_id int NOT NULL,
    id int GENERATED ALWAYS AS IDENTITY,
    plot_id int NOT NULL,
    from_day date NOT NULL,
    cooperative_id int NOT NULL,
    household_id int NOT NULL,
    product_id int NOT NULL,
    number text NOT NULL,
    area_centimu int NOT NULL CHECK (area_centimu BETWEEN 1 AND 10000000),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, id, plot_id, household_id, cooperative_id),
    FOREIGN KEY (village_id, plot_id, number) REFERENCES plot (village_id, id, number),
    FOREIGN KEY (village_id, cooperative_id) REFERENCES cooperative,
    FOREIGN KEY (village_id, household_id) REFERENCES household,
    FOREIGN KEY (village_id, product_id) REFERENCES product
);
CREATE INDEX plot_period_day ON plot_period (village_id, plot_id, from_day DESC, id DESC);

-- What the books say today has held from the beginning, as far as they know.
INSERT INTO household_period (village_id, household_id, from_day, cooperative_id, number, head, grid_cell,
    support_class, people, actor, at)
SELECT h.village_id, h.id, '1900-01-01', h.cooperative_id, h.number, h.head, h.grid_cell, h.support_class, h.people,
    'local', v.created_at
FROM household h JOIN village v ON v.id = h.village_id ORDER BY h.village_id, h.id;
INSERT INTO plot_period (village_id, plot_id, from_day, cooperative_id, household_id, product_id, number, area_centimu,
    actor, at)
SELECT t.village_id, t.id, '1900-01-01', t.cooperative_id, t.household_id, t.product_id, t.number, t.area_centimu,
    'local', v.created_at
FROM plot t JOIN village v ON v.id = t.village_id ORDER BY t.village_id, t.id;

-- A batch points to what held of its plot when it was registered, and repeats of it what its cooperative and its
-- household are: the foreign key lets nothing else stand there.
ALTER TABLE batch ADD COLUMN household_id int, ADD COLUMN plot_period_id int;
UPDATE batch b SET household_id = p.household_id, plot_period_id = p.id
FROM plot_period p WHERE p.village_id = b.village_id AND p.plot_id = b.plot_id;
ALTER TABLE batch
    DROP CONSTRAINT batch_village_id_plot_id_cooperative_id_fkey,
    ADD CONSTRAINT batch_harvest_has_household CHECK (
        (kind = 'harvest') = (household_id IS NOT NULL) AND (kind = 'harvest') = (plot_period_id IS NOT NULL)),
    ADD CONSTRAINT batch_plot_period FOREIGN KEY (village_id, plot_period_id, plot_id, household_id, cooperative_id)
        REFERENCES plot_period (village_id, id, plot_id, household_id, cooperative_id);

-- A household may leave its cooperative, and a plot its household, from a day on: what is no longer the same for ever
-- is no longer part of a key.
ALTER TABLE plot_season
    DROP CONSTRAINT plot_season_village_id_plot_id_cooperative_id_fkey,
    ADD FOREIGN KEY (village_id, plot_id) REFERENCES plot;
ALTER TABLE plot
    DROP CONSTRAINT plot_village_id_household_id_cooperative_id_fkey,
    DROP CONSTRAINT plot_village_id_id_cooperative_id_key,
    ADD FOREIGN KEY (village_id, household_id) REFERENCES household;
ALTER TABLE household DROP CONSTRAINT household_village_id_id_cooperative_id_key;

ALTER TABLE household_period ENABLE ROW LEVEL SECURITY;
CREATE POLICY household_period_scope ON household_period USING (
    village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)
    AND (SELECT nullif(current_setting('taoyuan.cooperative', true), '')::int) IN (0, cooperative_id));
ALTER TABLE plot_period ENABLE ROW LEVEL SECURITY;
CREATE POLICY plot_period_scope ON plot_period USING (
    village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)
    AND (SELECT nullif(current_setting('taoyuan.cooperative', true), '')::int) IN (0, cooperative_id));
-- What a plot gives in a season is counted once, whoever of its cooperatives harvests it.
ALTER POLICY plot_season_scope ON plot_season USING (
    village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)
    AND ((SELECT nullif(current_setting('taoyuan.cooperative', true), '')::int) IN (0, cooperative_id) OR EXISTS (
        SELECT FROM plot_period p WHERE p.village_id = plot_season.village_id AND p.plot_id = plot_season.plot_id
            AND p.cooperative_id = (SELECT nullif(current_setting('taoyuan.cooperative', true), '')::int))));

-- Nothing is said any more of what held in a closed period.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['household_period', 'plot_period']
    LOOP
        EXECUTE format($policy$
            CREATE POLICY %1$I ON %2$I AS RESTRICTIVE FOR INSERT WITH CHECK (
                coalesce(from_day > (
                    SELECT max(through) FROM books_closing
                    WHERE village_id = (SELECT nullif(current_setting('taoyuan.village', true), '')::int)), true)
                OR refuse_closed_books())
            $policy$, name || '_open_books', name);
    END LOOP;
END
$$;

GRANT SELECT, INSERT ON household_period, plot_period TO taoyuan_service;

-- Each period with the day on which it ends; one that was replaced on its own first day has no days.
CREATE VIEW household_span WITH (security_invoker = true) AS
SELECT village_id, household_id, from_day,
    lead(from_day, 1, 'infinity') OVER (PARTITION BY village_id, household_id ORDER BY from_day, id) AS until_day,
    cooperative_id, number, head, grid_cell, support_class, people
FROM household_period;
GRANT SELECT ON household_span TO taoyuan_service;

-- A household as it was on the day of the harvest.
CREATE OR REPLACE VIEW income_line WITH (security_invoker = true) AS
SELECT s.village_id, s.sold_on AS day, 'sales' AS source, p.name AS product, c.name AS cooperative, s.channel,
    h.number || ' ' || h.head AS household, l.grams, l.amount_fen
FROM sale s
JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id
JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number
JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
JOIN cooperative c ON c.village_id = s.village_id AND c.id = s.cooperative_id
LEFT JOIN household_span h ON h.village_id = b.village_id AND h.household_id = b.household_id
    AND h.from_day <= b.harvested_on AND b.harvested_on < h.until_day
UNION ALL
SELECT e.village_id, e.day, e.source, NULL, NULL, NULL, NULL, NULL, e.amount_fen
FROM income_entry e
UNION ALL
SELECT t.village_id, t.day, 'tours', NULL, NULL, NULL, NULL, NULL, t.amount_fen
FROM tour_income t;

-- Registers begin again at 1 every January. The slip and the number come before the year, so that one look finds a
-- slip of any year. Partial for the reason given at batch_slip_once before.
DROP INDEX batch_slip_once;
CREATE UNIQUE INDEX batch_slip_once ON batch (village_id, cooperative_id, slip, (extract(year FROM harvested_on)::int))
    WHERE slip IS NOT NULL;
DROP INDEX sale_number_once;
CREATE UNIQUE INDEX sale_number_once ON sale (village_id, cooperative_id, number, (extract(year FROM sold_on)::int))
    WHERE number IS NOT NULL;
