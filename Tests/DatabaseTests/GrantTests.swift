import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import struct Database.EmbeddedServer

/// Who may do what, as the catalogue has it, and what a migration makes of a database whose grants are lost.
@Suite struct GrantTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func withDatabase(
        on own: Template? = nil, _ body: (Settings, Connection) async throws -> Void
    ) async throws {
        let shared = try await Template.shared.value
        let template = own ?? shared
        let name = "grants_\(UUID().uuidString.prefix(8).lowercased())"
        try await template.createEmpty(name)
        let settings = template.server.settings(database: name)
        do {
            try await Template.found(settings)
            let owner = try await Connection.open(settings)
            try await body(settings, owner)
            await owner.close()
        } catch {
            try await template.drop(name)
            throw error
        }
        try await template.drop(name)
    }

    private static func row(_ cells: String...) -> String { "| " + cells.joined(separator: " | ") + " |" }

    /// docs/PRIVILEGES.md as the catalogue has it.
    private func table(_ owner: Connection) async throws -> String {
        var text = """
            # Who may do what

            Made by a test from the catalogue of a fresh database, and compared with it ever after. `sql/grants.sql` is where it is decided; after
            a change there, `TAOYUAN_WRITE_PRIVILEGES=1 swift test --filter GrantTests` writes this file anew.

            taoyuan_owner owns everything below, is no superuser and can't log in; whoever migrates acts as it. taoyuan_service is the program
            at work, taoyuan_public answers strangers. Nobody else, PUBLIC included, may do anything. A column in brackets is all
            that the privilege is for. Rows: which of them one sees and writes is bounded by row-level security (yes), or not (the test
            `ScopeTests` has each table's reason).

            ## Tables and views

            | name | rows | taoyuan_service | taoyuan_public |
            |---|---|---|---|

            """
        let relations = try await owner.query(
            """
            SELECT c.relname::text AS name, c.relkind IN ('r', 'p') AS is_table, c.relrowsecurity AS bounded, (
                SELECT string_agg(privilege, ', ' ORDER BY place) FROM (
                    SELECT place, CASE WHEN has_table_privilege('taoyuan_service', c.oid, p) THEN p
                        WHEN place <= 3 THEN p || ' (' || nullif(array_to_string(ARRAY(
                            SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                                AND has_column_privilege('taoyuan_service', c.oid, attnum, p) ORDER BY attnum), ', '), '') || ')'
                        END AS privilege
                    FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) WITH ORDINALITY u (p, place)) s
                ) AS service, (
                SELECT string_agg(p, ', ' ORDER BY place)
                FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) WITH ORDINALITY u (p, place)
                WHERE has_table_privilege('taoyuan_public', c.oid, p)
                    OR place <= 3 AND has_any_column_privilege('taoyuan_public', c.oid, p)) AS public
            FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                AND NOT c.relispartition ORDER BY c.relkind = 'v', c.relname
            """)
        for relation in relations {
            let isTable: Bool = try relation.decode("is_table")
            text +=
                Self.row(
                    try relation.decode("name"), isTable ? (try relation.decode("bounded") ? "yes" : "no") : "view",
                    try relation.decode("service", as: String?.self) ?? "",
                    try relation.decode("public", as: String?.self) ?? "") + "\n"
        }
        text += "\n## The rest\n\n| what | taoyuan_service | taoyuan_public | PUBLIC |\n|---|---|---|---|\n"
        let rest = try await owner.query(
            """
            SELECT name, service, public, everybody FROM (
                SELECT 1 AS place, 'database' AS name, pg_temp.of('d', datacl, 'taoyuan_service') AS service,
                    pg_temp.of('d', datacl, 'taoyuan_public') AS public, pg_temp.of('d', datacl, '-') AS everybody
                FROM pg_database WHERE datname = current_database()
                UNION ALL
                SELECT 2, 'schema ' || nspname, pg_temp.of('n', nspacl, 'taoyuan_service'),
                    pg_temp.of('n', nspacl, 'taoyuan_public'), pg_temp.of('n', nspacl, '-')
                FROM pg_namespace WHERE nspname IN ('public', 'numbers')
                UNION ALL
                SELECT 3, 'sequence ' || oid::regclass, pg_temp.of('S', relacl, 'taoyuan_service'),
                    pg_temp.of('S', relacl, 'taoyuan_public'), pg_temp.of('S', relacl, '-')
                FROM pg_class
                WHERE relnamespace::regnamespace::text IN ('public', 'numbers') AND relkind = 'S' AND relacl IS NOT NULL
                UNION ALL
                SELECT 4, 'function ' || oid::regprocedure || CASE WHEN prosecdef THEN ', as its owner' ELSE '' END,
                    pg_temp.of('f', proacl, 'taoyuan_service'), pg_temp.of('f', proacl, 'taoyuan_public'),
                    pg_temp.of('f', coalesce(proacl, acldefault('f', proowner)), '-')
                FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proowner = 'taoyuan_owner'::regrole
            ) t WHERE place <> 3 OR coalesce(service, public, everybody) IS NOT NULL
            ORDER BY place, name COLLATE "C"
            """)
        for thing in rest {
            text +=
                Self.row(
                    try thing.decode("name"), try thing.decode("service", as: String?.self) ?? "",
                    try thing.decode("public", as: String?.self) ?? "",
                    try thing.decode("everybody", as: String?.self) ?? "") + "\n"
        }
        return text
    }

    /// A function for the session that lists a grantee's privileges; `-` is PUBLIC.
    private func prepare(_ owner: Connection) async throws {
        _ = try await owner.query(
            """
            CREATE FUNCTION pg_temp.of(kind "char", acl aclitem[], who text) RETURNS text LANGUAGE sql AS $$
                SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM aclexplode(acl)
                WHERE grantee::regrole::text = who
            $$
            """)
    }

    @Test func `the catalogue grants what the table in the docs says`() async throws {
        try await withDatabase { settings, owner in
            try await prepare(owner)
            let made = try await table(owner)
            let file = Self.root.appending(path: "docs/PRIVILEGES.md")
            if ProcessInfo.processInfo.environment["TAOYUAN_WRITE_PRIVILEGES"] != nil {
                try Data(made.utf8).write(to: file)
            }
            let kept = try String(contentsOf: file, encoding: .utf8)
            #expect(made == kept, "TAOYUAN_WRITE_PRIVILEGES=1 writes it anew")
        }
    }

    @Test func `a migration grants again what was lost, and writes nothing when all is there`() async throws {
        // What is taken from a role in one database is written where all databases of a server write.
        try await withDatabase(on: Template(on: TestServer.start())) { settings, owner in
            try await prepare(owner)
            let migrator = try Migrator.ofThisProgram()
            // A sequence that was made after the grants.
            _ = try await migrator.migrate(using: settings)
            let before = try await table(owner)
            let catalogue: SQL = "SELECT max(xmin::text::bigint) AS newest FROM pg_class WHERE relacl IS NOT NULL"
            let newest: Int64? = try await owner.query(catalogue).first?.decode("newest")
            _ = try await migrator.migrate(using: settings)
            #expect(try await owner.query(catalogue).first?.decode("newest") == newest)

            // As after a restore where the roles were missing: everything belongs to whoever restored, and nobody else
            // has any right.
            _ = try await owner.query("REASSIGN OWNED BY taoyuan_owner TO postgres")
            _ = try await owner.query("DROP OWNED BY taoyuan_owner, taoyuan_service, taoyuan_public")
            _ = try await owner.query("GRANT ALL ON SCHEMA public TO PUBLIC")
            var service = settings
            service.user = "taoyuan_service"
            let lost = await #expect(throws: Refusal.self) { try await migrator.check(using: service) }
            #expect(lost?.code == "schema-closed" || lost?.code == "database-unreachable")
            #expect(try await table(owner) != before)
            #expect(try await migrator.migrate(using: settings).isEmpty)
            try await migrator.check(using: service)
            #expect(try await table(owner) == before)
        }
    }

    @Test func `docker-compose keeps PostgreSQL's log as quiet as the embedded server's`() throws {
        let compose = try String(contentsOf: Self.root.appending(path: "docker-compose.yml"), encoding: .utf8)
        for setting in EmbeddedServer.quietLog { #expect(compose.contains("-c, \(setting)"), "\(setting)") }
    }
}
