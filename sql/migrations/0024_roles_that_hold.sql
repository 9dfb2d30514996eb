-- What runs with its owner's rights looks at nothing that its caller can put in its way; the fate of a key only goes on;
-- and what left a batch comes back by movements alone. Who may do what stands in sql/grants.sql.

-- What sql/grants.sql came to when it was run last.
CREATE TABLE schema_grants (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    fingerprint text NOT NULL
);

CREATE OR REPLACE FUNCTION analyze_new_tables() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name regclass;
BEGIN
    FOR name IN
        SELECT oid::regclass FROM pg_catalog.pg_class WHERE relkind = 'r'
            AND relnamespace = 'public'::regnamespace AND relowner = current_user::regrole
            AND pg_relation_size(oid) > 2 * relpages::bigint * current_setting('block_size')::bigint
    LOOP
        EXECUTE format('ANALYZE %s', name);
    END LOOP;
END
$$;

-- A key ends by rows of its own: it was retired on a day, and others may hold it since a day. The earliest counts, so
-- that nothing that is added later takes anything back.
CREATE TABLE signing_key_end (
    village_id int NOT NULL,
    key_id int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('retired', 'compromised')),
    day date NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (village_id, key_id, kind, day),
    FOREIGN KEY (village_id, key_id) REFERENCES signing_key
);
INSERT INTO signing_key_end (village_id, key_id, kind, day, actor)
SELECT village_id, key_id, 'retired', retired_on, 'migration' FROM signing_key WHERE retired_on IS NOT NULL
UNION ALL
SELECT village_id, key_id, 'compromised', compromised_since, 'migration' FROM signing_key
WHERE compromised_since IS NOT NULL;

CREATE OR REPLACE VIEW public_key AS
SELECT k.village_id, k.key_id, k.origin, k.algorithm, k.public_key, k.created_at, (
        SELECT min(e.day) FROM signing_key_end e
        WHERE e.village_id = k.village_id AND e.key_id = k.key_id AND e.kind = 'retired') AS retired_on, (
        SELECT min(e.day) FROM signing_key_end e
        WHERE e.village_id = k.village_id AND e.key_id = k.key_id AND e.kind = 'compromised') AS compromised_since
FROM signing_key k;
ALTER TABLE signing_key DROP COLUMN retired_on, DROP COLUMN compromised_since;

-- Waits for codes that are being recorded under the key, whose foreign key holds it; those that come after wait here, and
-- then see that it has ended.
CREATE FUNCTION end_signing_key() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM public.signing_key WHERE village_id = NEW.village_id AND key_id = NEW.key_id FOR UPDATE;
    RETURN NEW;
END
$$;
CREATE TRIGGER signing_key_ends BEFORE INSERT ON signing_key_end FOR EACH ROW EXECUTE FUNCTION end_signing_key();

-- Once a statement, however many codes it records. What waits for others so as to see what they did sees it only where
-- each statement looks anew: in READ COMMITTED.
CREATE FUNCTION check_written_codes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'codes are recorded in READ COMMITTED' USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF EXISTS (
        SELECT FROM public.signing_key_end e JOIN written w ON w.village_id = e.village_id AND w.key_id = e.key_id)
    THEN
        RAISE EXCEPTION 'the key has been retired or is compromised'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'code_key_signs';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER code_written AFTER INSERT ON code REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION check_written_codes();

-- Grams that come back to a batch have a movement by the end of the transaction, as those have that a correction brings
-- in. What leaves is bounded by what came in, and is not summed: a sale would read all that its batch has seen.
CREATE FUNCTION check_batch_out() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.batch b WHERE b.village_id = NEW.village_id AND b.number = NEW.number AND b.out_g <> (
            SELECT coalesce(-sum(m.grams), 0) FROM public.stock_movement m
            WHERE m.village_id = b.village_id AND m.batch_number = b.number
                AND m.kind NOT IN ('harvest', 'correction')))
    THEN
        RAISE EXCEPTION 'what left the batch is not the sum of its movements'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_out_summed';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER batch_out_summed AFTER UPDATE OF out_g ON batch DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.out_g < OLD.out_g) EXECUTE FUNCTION check_batch_out();
