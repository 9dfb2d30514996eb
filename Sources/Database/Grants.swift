import Kernel
import Postgres

/// Who may do what in the schema: `sql/grants.sql`, run where the catalogue says something else than after its last run.
struct Grants: Sendable {
    let script: String

    /// Only what differs is written: each grant is a new row of the catalogue, and the program of an embedded database
    /// comes by at every command.
    func apply(on connection: Connection) async throws {
        guard !script.isEmpty else { return }
        let stored = try await connection.query("SELECT fingerprint FROM public.schema_grants").first
        guard try stored?.decode("fingerprint", as: String.self) != (try await fingerprint(on: connection)) else {
            return
        }
        try await connection.changingRoles(script)
        let now = try await fingerprint(on: connection)
        _ = try await connection.query(
            """
            INSERT INTO public.schema_grants (fingerprint) VALUES (\(now))
            ON CONFLICT (only_one) DO UPDATE SET fingerprint = excluded.fingerprint
            """)
    }

    /// A digest of the script and of all that the catalogue says of privileges. Parts of the table of scans come and go,
    /// and are reached through it alone.
    private func fingerprint(on connection: Connection) async throws -> String {
        let rows = try await connection.query(
            """
            SELECT encode(sha256(convert_to(\(script) || coalesce(string_agg(line, E'\\n' ORDER BY line), ''), 'UTF8')), 'hex')
                AS digest
            FROM (
                SELECT format('relation %s %s', relname, relacl) FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND NOT relispartition
                UNION ALL
                SELECT format('column %s.%s %s', attrelid::regclass, attname, attacl) FROM pg_attribute
                WHERE attacl IS NOT NULL AND attrelid IN (
                    SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
                UNION ALL
                SELECT format('routine %s %s', oid::regprocedure, proacl) FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace AND proowner = 'taoyuan_owner'::regrole
                UNION ALL
                SELECT format('schema %s %s', nspname, nspacl) FROM pg_namespace WHERE nspname IN ('public', 'numbers')
                UNION ALL
                SELECT format('database %s', datacl) FROM pg_database WHERE datname = current_database()
            ) l (line)
            """)
        guard let row = rows.first else { throw NothingReturned() }
        return try row.decode("digest")
    }
}
