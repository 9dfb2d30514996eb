-- Under which names codes are issued. A village's newest origin signs; the others go on being verified, and no other
-- village ever gets one of them.
CREATE TABLE village_origin (
    origin text PRIMARY KEY,
    village_id int NOT NULL REFERENCES village,
    id int NOT NULL GENERATED ALWAYS AS IDENTITY,
    since timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE village_origin ENABLE ROW LEVEL SECURITY;
CREATE POLICY village_origin_scope ON village_origin
    USING (nullif(village_id = nullif(current_setting('taoyuan.village', true), '')::int, false) IS NOT NULL);
CREATE INDEX village_origin_newest ON village_origin (village_id, id);
INSERT INTO village_origin (origin, village_id)
SELECT DISTINCT k.origin, k.village_id FROM signing_key k JOIN village v ON v.id = k.village_id AND v.origin <> k.origin;
INSERT INTO village_origin (origin, village_id) SELECT origin, id FROM village ORDER BY id;

CREATE OR REPLACE VIEW public_village AS
SELECT v.id AS village_id, v.name, v.brand, (
        SELECT o.origin FROM village_origin o WHERE o.village_id = v.id ORDER BY o.id DESC LIMIT 1) AS origin
FROM village v;
ALTER TABLE village DROP COLUMN origin;

-- Whose a host is, for whoever answers under it.
CREATE VIEW public_origin AS SELECT origin, village_id FROM village_origin;
