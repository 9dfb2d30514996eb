-- The village and what stands still in it: cooperatives, households, plots, products.
-- village_id leads every key, so that a county can spread villages over nodes without a rewrite.
-- Weight is grams, money is fen, an area is hundredths of a mu; no floating point anywhere.

CREATE TABLE village (
    id int PRIMARY KEY CHECK (id > 0),
    name text NOT NULL,
    brand text NOT NULL,
    origin text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cooperative (
    village_id int NOT NULL REFERENCES village,
    id int GENERATED ALWAYS AS IDENTITY CHECK (id > 0),
    name text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, name)
);

CREATE TABLE product (
    village_id int NOT NULL REFERENCES village,
    id int GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> ''),
    unit text NOT NULL DEFAULT '斤',
    best_before_days int CHECK (best_before_days BETWEEN 1 AND 3650),
    ceiling_g_per_mu bigint NOT NULL CHECK (ceiling_g_per_mu BETWEEN 1 AND 100000000),
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, name)
);

CREATE TABLE variety (
    village_id int NOT NULL,
    id int GENERATED ALWAYS AS IDENTITY,
    product_id int NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, product_id, name),
    UNIQUE (village_id, product_id, id),
    FOREIGN KEY (village_id, product_id) REFERENCES product
);

CREATE TABLE grade (
    village_id int NOT NULL REFERENCES village,
    id int GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, name)
);

CREATE TABLE household (
    village_id int NOT NULL,
    id int GENERATED ALWAYS AS IDENTITY,
    cooperative_id int NOT NULL,
    number text NOT NULL CHECK (number <> ''),
    head text NOT NULL,
    grid_cell text NOT NULL,
    support_class text NOT NULL,
    people int NOT NULL CHECK (people BETWEEN 1 AND 50),
    phone text,
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, number),
    UNIQUE (village_id, id, cooperative_id),
    FOREIGN KEY (village_id, cooperative_id) REFERENCES cooperative
);

CREATE TABLE plot (
    village_id int NOT NULL,
    id int GENERATED ALWAYS AS IDENTITY,
    cooperative_id int NOT NULL,
    household_id int NOT NULL,
    product_id int NOT NULL,
    number text NOT NULL CHECK (number <> ''),
    name text NOT NULL,
    area_centimu int NOT NULL CHECK (area_centimu BETWEEN 1 AND 10000000),
    longitude numeric(9, 6) CHECK (longitude BETWEEN -180 AND 180),
    latitude numeric(8, 6) CHECK (latitude BETWEEN -90 AND 90),
    PRIMARY KEY (village_id, id),
    UNIQUE (village_id, number),
    UNIQUE (village_id, id, cooperative_id),
    FOREIGN KEY (village_id, household_id, cooperative_id) REFERENCES household (village_id, id, cooperative_id),
    FOREIGN KEY (village_id, product_id) REFERENCES product
);
CREATE INDEX plot_household ON plot (village_id, household_id);

-- A row belongs to whom the transaction acts for: SET LOCAL taoyuan.village and taoyuan.cooperative.
-- Cooperative 0 stands for the whole village (committee, administrator, auditor, the public desk);
-- a transaction that sets nothing sees nothing.
ALTER TABLE household ENABLE ROW LEVEL SECURITY;
CREATE POLICY household_scope ON household USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));
ALTER TABLE plot ENABLE ROW LEVEL SECURITY;
CREATE POLICY plot_scope ON plot USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));

GRANT SELECT, INSERT, UPDATE ON village, cooperative, product, variety, grade, household, plot TO taoyuan_service;

-- A server checks at its start that schema and program fit.
GRANT SELECT ON public.schema_migration TO taoyuan_service;
