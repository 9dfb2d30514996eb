-- The register of what was really issued: a good signature that stands not here was made with a stolen key.

-- Public halves only; the private ones lie encrypted in files.
CREATE TABLE signing_key (
    village_id int NOT NULL REFERENCES village,
    key_id int NOT NULL CHECK (key_id BETWEEN 0 AND 65535),
    origin text NOT NULL,
    algorithm text NOT NULL CHECK (algorithm IN ('ed25519', 'sm2')),
    public_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_on date,
    compromised_since date,
    PRIMARY KEY (village_id, key_id)
);

-- serial is empty for a batch's own code, 5 random bytes for an item's.
CREATE TABLE code (
    village_id int NOT NULL,
    batch_number bigint NOT NULL,
    serial bytea NOT NULL DEFAULT '' CHECK (octet_length(serial) IN (0, 5)),
    cooperative_id int NOT NULL,
    key_id int NOT NULL,
    issued_on date NOT NULL,
    best_before date,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    PRIMARY KEY (village_id, batch_number, serial),
    FOREIGN KEY (village_id, batch_number, cooperative_id) REFERENCES batch (village_id, number, cooperative_id),
    FOREIGN KEY (village_id, key_id) REFERENCES signing_key
);

-- An empty serial revokes all codes of the batch.
CREATE TABLE code_revocation (
    village_id int NOT NULL,
    batch_number bigint NOT NULL,
    serial bytea NOT NULL DEFAULT '',
    cooperative_id int NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT code_revocation_once PRIMARY KEY (village_id, batch_number, serial),
    FOREIGN KEY (village_id, batch_number, serial) REFERENCES code
);

-- A recall is opened and ended by rows of their own; the newest one counts.
CREATE TABLE recall (
    village_id int NOT NULL,
    id int GENERATED ALWAYS AS IDENTITY,
    batch_number bigint NOT NULL,
    cooperative_id int NOT NULL,
    step text NOT NULL CHECK (step IN ('open', 'end')),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, id),
    FOREIGN KEY (village_id, batch_number, cooperative_id) REFERENCES batch (village_id, number, cooperative_id)
);
CREATE INDEX recall_batch ON recall (village_id, batch_number, id);

-- Scans: the day, a coarse place if given, and a hash whose key is thrown away every day. No address, no time of day.
-- By month, so that old ones are dropped as a table; later months come with scan_months().
CREATE TABLE scan (
    village_id int NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    day date NOT NULL,
    batch_number bigint NOT NULL,
    serial bytea NOT NULL DEFAULT '',
    place text CHECK (length(place) <= 40),
    visitor bytea NOT NULL CHECK (octet_length(visitor) = 16),
    PRIMARY KEY (village_id, day, id),
    CONSTRAINT scan_once_a_day UNIQUE (village_id, day, batch_number, serial, visitor),
    FOREIGN KEY (village_id, batch_number, serial) REFERENCES code
) PARTITION BY RANGE (day);
CREATE TABLE scan_later PARTITION OF scan DEFAULT;

CREATE FUNCTION scan_months(first date, months int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month date;
BEGIN
    FOR n IN 0..months - 1 LOOP
        month := date_trunc('month', first) + make_interval(months => n);
        EXECUTE format('CREATE TABLE IF NOT EXISTS scan_%s PARTITION OF scan FOR VALUES FROM (%L) TO (%L)',
            to_char(month, 'YYYY_MM'), month, month + interval '1 month');
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION scan_months(date, int) FROM PUBLIC;

CREATE TABLE scan_key (
    village_id int NOT NULL REFERENCES village,
    day date NOT NULL,
    key bytea NOT NULL CHECK (octet_length(key) = 32),
    PRIMARY KEY (village_id, day)
);

ALTER TABLE code ENABLE ROW LEVEL SECURITY;
CREATE POLICY code_scope ON code USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));
ALTER TABLE code_revocation ENABLE ROW LEVEL SECURITY;
CREATE POLICY code_revocation_scope ON code_revocation USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));
ALTER TABLE recall ENABLE ROW LEVEL SECURITY;
CREATE POLICY recall_scope ON recall USING (
    village_id = nullif(current_setting('taoyuan.village', true), '')::int
    AND (current_setting('taoyuan.cooperative', true) = '0'
        OR cooperative_id = nullif(current_setting('taoyuan.cooperative', true), '')::int));

GRANT SELECT, INSERT ON code, code_revocation, recall, scan TO taoyuan_service;
GRANT SELECT, INSERT, DELETE ON scan_key TO taoyuan_service;
GRANT SELECT, INSERT ON signing_key TO taoyuan_service;
GRANT UPDATE (retired_on, compromised_since) ON signing_key TO taoyuan_service;

-- What a stranger may know of a code. Harvest batches have no parents, so the common case needs no recursion.
CREATE VIEW public_code AS
SELECT c.village_id, c.batch_number, c.serial, c.key_id, c.issued_on, c.best_before,
    EXISTS (
        SELECT FROM code_revocation r
        WHERE r.village_id = c.village_id AND r.batch_number = c.batch_number AND r.serial IN ('', c.serial)
    ) AS revoked,
    CASE WHEN b.kind = 'harvest' THEN coalesce((
        SELECT r.step = 'open' FROM recall r
        WHERE r.village_id = b.village_id AND r.batch_number = b.number ORDER BY r.id DESC LIMIT 1), false)
    ELSE EXISTS (
        WITH RECURSIVE line (number) AS (
            SELECT b.number
            UNION
            SELECT i.parent FROM batch_input i JOIN line ON i.village_id = b.village_id AND i.child = line.number
        )
        SELECT FROM line WHERE 'open' = (
            SELECT r.step FROM recall r
            WHERE r.village_id = b.village_id AND r.batch_number = line.number ORDER BY r.id DESC LIMIT 1)
    ) END AS recalled,
    p.name AS product, v.name AS variety, g.name AS grade, b.harvested_on, o.name AS cooperative
FROM code c
JOIN batch b ON b.village_id = c.village_id AND b.number = c.batch_number
JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
JOIN variety v ON v.village_id = b.village_id AND v.id = b.variety_id
JOIN grade g ON g.village_id = b.village_id AND g.id = b.grade_id
JOIN cooperative o ON o.village_id = b.village_id AND o.id = b.cooperative_id;

CREATE VIEW public_key AS
SELECT village_id, key_id, origin, algorithm, public_key, created_at, retired_on, compromised_since FROM signing_key;

CREATE VIEW public_village AS SELECT id AS village_id, name, brand, origin FROM village;

GRANT SELECT ON public_code, public_key, public_village TO taoyuan_public;
