-- Who may touch what. Run before every migration, so it must be harmless twice.
-- taoyuan_service is the program at work: it never owns a table, so row-level security binds it.
-- taoyuan_public answers strangers: it can read the public views and nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'taoyuan_service') THEN
        CREATE ROLE taoyuan_service LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'taoyuan_public') THEN
        CREATE ROLE taoyuan_public LOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL; -- another migrator was faster
END
$$;

-- An owner who is no superuser needs membership to become the service with SET ROLE.
DO $$
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        EXECUTE format('GRANT taoyuan_service, taoyuan_public TO %I', current_user);
    END IF;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO taoyuan_service, taoyuan_public;
