-- What is harvested, and every gram's way in and out.
-- batch.in_g and out_g are the sums of its movements, kept so that a CHECK can guard them.

-- A batch's number is printed in codes as four bytes, never reused, with gaps allowed: a sequence, so that
-- taking one never waits for somebody else's commit. Each village has its own: batch_number_<village>.
CREATE FUNCTION create_batch_numbers(village int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SEQUENCE IF NOT EXISTS batch_number_%s AS bigint MINVALUE 1 MAXVALUE 4294967295 NO CYCLE',
        village);
    EXECUTE format('GRANT USAGE ON SEQUENCE batch_number_%s TO taoyuan_service', village);
END
$$;
REVOKE ALL ON FUNCTION create_batch_numbers(int) FROM PUBLIC;

-- What a plot may give in a season (a calendar year), and has given.
CREATE TABLE plot_season (
    village_id int NOT NULL,
    plot_id int NOT NULL,
    product_id int NOT NULL,
    season int NOT NULL CHECK (season BETWEEN 1990 AND 2199),
    cooperative_id int NOT NULL,
    harvested_g bigint NOT NULL,
    ceiling_g bigint NOT NULL,
    PRIMARY KEY (village_id, plot_id, product_id, season),
    CONSTRAINT plot_season_within_ceiling CHECK (harvested_g BETWEEN 0 AND ceiling_g),
    FOREIGN KEY (village_id, plot_id, cooperative_id) REFERENCES plot (village_id, id, cooperative_id),
    FOREIGN KEY (village_id, product_id) REFERENCES product
);

-- The committee's recorded exception from a ceiling.
CREATE TABLE ceiling_override (
    village_id int NOT NULL,
    id int GENERATED ALWAYS AS IDENTITY,
    plot_id int NOT NULL,
    product_id int NOT NULL,
    season int NOT NULL,
    extra_g bigint NOT NULL CHECK (extra_g BETWEEN 1 AND 100000000000),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    FOREIGN KEY (village_id, plot_id) REFERENCES plot,
    FOREIGN KEY (village_id, product_id) REFERENCES product
);
CREATE INDEX ceiling_override_plot ON ceiling_override (village_id, plot_id, product_id, season);

CREATE TABLE batch (
    village_id int NOT NULL,
    number bigint NOT NULL CHECK (number BETWEEN 1 AND 4294967295),
    cooperative_id int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('harvest', 'packed', 'blended', 'regraded')),
    plot_id int,
    product_id int NOT NULL,
    variety_id int NOT NULL,
    grade_id int NOT NULL,
    harvested_on date NOT NULL,
    slip text,
    picker text,
    in_g bigint NOT NULL CONSTRAINT batch_in_positive CHECK (in_g BETWEEN 1 AND 100000000000),
    out_g bigint NOT NULL DEFAULT 0,
    labelled_g bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, number),
    UNIQUE (village_id, number, cooperative_id),
    CONSTRAINT batch_not_oversold CHECK (out_g BETWEEN 0 AND in_g),
    CONSTRAINT batch_not_overlabelled CHECK (labelled_g BETWEEN 0 AND in_g),
    CONSTRAINT batch_harvest_has_plot CHECK ((kind = 'harvest') = (plot_id IS NOT NULL)),
    FOREIGN KEY (village_id, plot_id, cooperative_id) REFERENCES plot (village_id, id, cooperative_id),
    FOREIGN KEY (village_id, product_id, variety_id) REFERENCES variety (village_id, product_id, id),
    FOREIGN KEY (village_id, grade_id) REFERENCES grade
);
-- Partial, so that a foreign key's check never takes it for its own index: on a table without statistics, such as one
-- being filled by an import, the planner holds every index that begins with village_id to be as good as any other.
CREATE UNIQUE INDEX batch_slip_once ON batch (village_id, cooperative_id, slip) WHERE slip IS NOT NULL;

-- From which batches a packed, blended or regraded one was made.
CREATE TABLE batch_input (
    village_id int NOT NULL,
    child bigint NOT NULL,
    parent bigint NOT NULL,
    cooperative_id int NOT NULL,
    grams bigint NOT NULL CHECK (grams > 0),
    PRIMARY KEY (village_id, child, parent),
    CHECK (child <> parent),
    FOREIGN KEY (village_id, child, cooperative_id) REFERENCES batch (village_id, number, cooperative_id),
    FOREIGN KEY (village_id, parent, cooperative_id) REFERENCES batch (village_id, number, cooperative_id)
);
CREATE INDEX batch_input_parent ON batch_input (village_id, parent);

CREATE TABLE stock_movement (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    batch_number bigint NOT NULL,
    cooperative_id int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('harvest', 'sale', 'own_use', 'loss', 'gift', 'correction')),
    grams bigint NOT NULL CHECK (grams <> 0),
    day date NOT NULL,
    sale_id bigint,
    reason text,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, batch_number, id),
    CONSTRAINT stock_movement_direction CHECK (kind = 'correction' OR (grams > 0) = (kind = 'harvest')),
    CONSTRAINT stock_movement_sale CHECK ((kind = 'sale') = (sale_id IS NOT NULL)),
    FOREIGN KEY (village_id, batch_number, cooperative_id) REFERENCES batch (village_id, number, cooperative_id)
);

ALTER TABLE plot_season ENABLE ROW LEVEL SECURITY;
CREATE POLICY plot_season_scope ON plot_season USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));
ALTER TABLE batch ENABLE ROW LEVEL SECURITY;
CREATE POLICY batch_scope ON batch USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));
ALTER TABLE batch_input ENABLE ROW LEVEL SECURITY;
CREATE POLICY batch_input_scope ON batch_input USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));
ALTER TABLE stock_movement ENABLE ROW LEVEL SECURITY;
CREATE POLICY stock_movement_scope ON stock_movement USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));

-- No UPDATE or DELETE on history; of a batch only its counters move.
GRANT SELECT, INSERT ON batch, batch_input, stock_movement, ceiling_override TO taoyuan_service;
GRANT UPDATE (out_g, labelled_g) ON batch TO taoyuan_service;
GRANT SELECT, INSERT ON plot_season TO taoyuan_service;
GRANT UPDATE (harvested_g, ceiling_g) ON plot_season TO taoyuan_service;
