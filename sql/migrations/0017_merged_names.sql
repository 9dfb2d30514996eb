-- Two spellings of one name are made one without rewriting what was recorded under either: the one that is given up
-- points to the one that is meant, and whoever looks for either finds both.

ALTER TABLE cooperative ADD COLUMN merged_into int,
    ADD CONSTRAINT cooperative_merged FOREIGN KEY (village_id, merged_into) REFERENCES cooperative,
    ADD CONSTRAINT cooperative_not_merged_into_itself CHECK (merged_into <> id);
ALTER TABLE variety ADD COLUMN merged_into int,
    ADD CONSTRAINT variety_merged FOREIGN KEY (village_id, product_id, merged_into)
        REFERENCES variety (village_id, product_id, id),
    ADD CONSTRAINT variety_not_merged_into_itself CHECK (merged_into <> id);
ALTER TABLE grade ADD COLUMN merged_into int,
    ADD CONSTRAINT grade_merged FOREIGN KEY (village_id, merged_into) REFERENCES grade,
    ADD CONSTRAINT grade_not_merged_into_itself CHECK (merged_into <> id);

-- Each cooperative under the number and the name that are meant.
CREATE VIEW cooperative_meant WITH (security_invoker = true) AS
SELECT c.village_id, c.id, coalesce(m.id, c.id) AS meant_id, coalesce(m.name, c.name) AS name
FROM cooperative c
LEFT JOIN cooperative m ON m.village_id = c.village_id AND m.id = c.merged_into;
GRANT SELECT ON cooperative_meant TO taoyuan_service;

-- For each, the one that it means, and all others that mean that one.
CREATE VIEW cooperative_spelled WITH (security_invoker = true) AS
SELECT c.village_id, c.id, coalesce(c.merged_into, c.id) AS meant, ARRAY(
    SELECT o.id FROM cooperative o WHERE o.village_id = c.village_id AND o.merged_into = coalesce(c.merged_into, c.id)
    ORDER BY o.id) AS spellings
FROM cooperative c;
GRANT SELECT ON cooperative_spelled TO taoyuan_service;

-- Channels and buyers are texts of sales.
CREATE TABLE spelling (
    village_id int NOT NULL REFERENCES village,
    kind text NOT NULL CHECK (kind IN ('channel', 'buyer')),
    name text NOT NULL,
    meant text NOT NULL,
    PRIMARY KEY (village_id, kind, name),
    CONSTRAINT spelling_means_another CHECK (name <> meant)
);
CREATE INDEX spelling_meant ON spelling (village_id, kind, meant);

-- One chooses once what a name means; what it means may later be given up itself.
GRANT SELECT, INSERT ON spelling TO taoyuan_service;
GRANT UPDATE (name, meant) ON spelling TO taoyuan_service;

-- The names of channels and buyers: of texts that differ only in width, brackets, blanks or invisible characters the one
-- that was recorded first. `form` is the text without these differences, as the program works it out.
CREATE TABLE sale_name (
    village_id int NOT NULL REFERENCES village,
    kind text NOT NULL CHECK (kind IN ('channel', 'buyer')),
    form text NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    CONSTRAINT sale_name_once PRIMARY KEY (village_id, kind, form)
);
GRANT SELECT, INSERT ON sale_name TO taoyuan_service;

WITH said (village_id, kind, name, first) AS (
    SELECT village_id, 'channel', channel, min(id) FROM sale GROUP BY village_id, channel
    UNION ALL
    SELECT village_id, 'buyer', buyer, min(id) FROM sale GROUP BY village_id, buyer
), formed AS (
    SELECT village_id, kind, name, first, regexp_replace(normalize(name, NFKC),
        '[\u0001-\u0020()<>\[\]{}\u007F\u0085\u00AD\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\u3008-\u3011\u3014-\u301B\uFEFF]',
        '', 'g') AS form
    FROM said
), named AS (
    INSERT INTO sale_name (village_id, kind, form, name)
    SELECT DISTINCT ON (village_id, kind, form) village_id, kind, form, name FROM formed
    ORDER BY village_id, kind, form, first
    RETURNING village_id, kind, form, name
)
INSERT INTO spelling (village_id, kind, name, meant)
SELECT f.village_id, f.kind, f.name, n.name
FROM formed f JOIN named n ON (n.village_id, n.kind, n.form) = (f.village_id, f.kind, f.form) AND n.name <> f.name;

-- What strangers read calls things by the names that are meant.
CREATE OR REPLACE VIEW public_name AS
SELECT village_id, 'product' AS kind, id, name FROM product
UNION ALL
SELECT v.village_id, 'variety', v.id, coalesce(m.name, v.name) FROM variety v
LEFT JOIN variety m ON m.village_id = v.village_id AND m.id = v.merged_into
UNION ALL
SELECT g.village_id, 'grade', g.id, coalesce(m.name, g.name) FROM grade g
LEFT JOIN grade m ON m.village_id = g.village_id AND m.id = g.merged_into
UNION ALL
SELECT c.village_id, 'cooperative', c.id, coalesce(m.name, c.name) FROM cooperative c
LEFT JOIN cooperative m ON m.village_id = c.village_id AND m.id = c.merged_into;

-- The one spelling that is meant by a channel's or a buyer's name, and all that mean the same.
CREATE FUNCTION spelling_meant(in_village int, in_kind text, in_name text) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((
        SELECT meant FROM public.spelling WHERE village_id = in_village AND kind = in_kind AND name = in_name), in_name)
$$;
CREATE FUNCTION spellings(in_village int, in_kind text, in_name text) RETURNS text[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(name) || public.spelling_meant(in_village, in_kind, in_name) FROM public.spelling
    WHERE village_id = in_village AND kind = in_kind
        AND meant = public.spelling_meant(in_village, in_kind, in_name)
$$;
-- The cooperative of that name, whichever of its spellings, and those that were merged into it.
CREATE FUNCTION cooperatives_named(in_village int, in_name text) RETURNS int[] LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(c.id) FROM public.cooperative c
    JOIN public.cooperative n ON n.village_id = c.village_id
        AND coalesce(n.merged_into, n.id) = coalesce(c.merged_into, c.id)
    WHERE c.village_id = in_village AND n.name = in_name
$$;
REVOKE ALL ON FUNCTION spelling_meant(int, text, text), spellings(int, text, text), cooperatives_named(int, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION spelling_meant(int, text, text), spellings(int, text, text), cooperatives_named(int, text)
    TO taoyuan_service;
