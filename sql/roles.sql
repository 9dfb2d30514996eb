-- Who there is. Run before every migration, by whoever migrates; it writes nothing where all is as it should be.
-- taoyuan_owner owns the schema: it is no superuser and never logs in, so that what runs with its rights has no more.
-- taoyuan_service is the program at work: it owns nothing, so row-level security binds it.
-- taoyuan_public answers strangers: it can read the public views and nothing else.
DO $$
DECLARE
    name text;
    -- From version 16 on, whoever makes a role is a member of it that may not become it.
    needed text := CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END;
BEGIN
    FOREACH name IN ARRAY ARRAY['taoyuan_owner', 'taoyuan_service', 'taoyuan_public'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I %s', name, CASE name WHEN 'taoyuan_owner' THEN 'NOLOGIN' ELSE 'LOGIN' END);
        END IF;
        -- Who is no superuser needs membership to become one of them with SET ROLE.
        IF NOT pg_has_role(name, needed) THEN
            EXECUTE format('GRANT %I TO %I', name, current_user);
        END IF;
    END LOOP;
END
$$;

-- What a login has set for itself holds for whoever logs in so after it.
DO $$
DECLARE
    kept record;
BEGIN
    FOR kept IN
        SELECT r.rolname, d.datname FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
        LEFT JOIN pg_database d ON d.oid = s.setdatabase
        WHERE r.rolname IN ('taoyuan_service', 'taoyuan_public')
            AND (s.setdatabase = 0 OR d.datname = current_database())
    LOOP
        EXECUTE format('ALTER ROLE %I %s RESET ALL', kept.rolname,
            coalesce('IN DATABASE ' || quote_ident(kept.datname), ''));
    END LOOP;
END
$$;

DO $$
DECLARE
    thing record;
BEGIN
    IF NOT has_schema_privilege('taoyuan_owner', 'public', 'CREATE') THEN
        GRANT USAGE, CREATE ON SCHEMA public TO taoyuan_owner;
    END IF;
    -- For the extension that 0008 makes.
    IF NOT has_database_privilege('taoyuan_owner', current_database(), 'CREATE') THEN
        EXECUTE format('GRANT CREATE ON DATABASE %I TO taoyuan_owner', current_database());
    END IF;

    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'numbers' AND nspowner <> 'taoyuan_owner'::regrole) THEN
        ALTER SCHEMA numbers OWNER TO taoyuan_owner;
    END IF;
    -- What an older program made, or a dump restored without its roles, belongs to somebody else. A sequence of a column
    -- goes with its table, and what is an extension's stays with it.
    FOR thing IN
        SELECT 'TABLE' AS kind, oid::regclass::text AS name FROM pg_class c
        WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'numbers'))
            AND relowner <> 'taoyuan_owner'::regrole
            AND (relkind IN ('r', 'p', 'v') OR relkind = 'S' AND NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'))
            AND NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        UNION ALL
        SELECT 'ROUTINE', oid::regprocedure::text FROM pg_proc p
        WHERE pronamespace = 'public'::regnamespace AND proowner <> 'taoyuan_owner'::regrole AND NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO taoyuan_owner', thing.kind, thing.name);
    END LOOP;
END
$$;
