import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Database

/// What a PostgreSQL that spreads villages over nodes (Citus) refuses or does slowly, looked for in the catalogue and in
/// the program's statements.
@Suite struct DistributionTests {
    /// Not divided by villages: each node has all of it.
    private static let reference = ["village", "village_origin", "tour_step"]
    /// The migrator's own, which stay where it works.
    private static let local = ["schema_migration", "schema_grants"]

    @Test func `the village leads every key of its tables`() async throws {
        try await withVillage { village in
            let keys = try await village.owner.query(
                """
                SELECT c.relname || '.' || k.conname AS name, (
                    SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = k.conkey[1]) AS first
                FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND k.contype IN ('p', 'u', 'x', 'f')
                    AND (k.confrelid = 0 OR k.confrelid::regclass::text <> ALL(\(Self.reference)::text[]))
                    AND c.relname <> ALL(\(Self.reference + Self.local)::text[])
                UNION ALL
                SELECT c.relname || '.' || i.relname, (
                    SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = x.indkey[0])
                FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
                WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND x.indisunique
                    AND c.relname <> ALL(\(Self.reference + Self.local)::text[])
                """)
            #expect(keys.count > 150)
            for key in keys {
                let (name, first): (String, String?) = (try key.decode("name"), try key.decode("first"))
                #expect(first == "village_id", "\(name)")
            }
        }
    }

    /// But those that keep closed books closed, which `Distribution` takes away.
    @Test func `no policy looks into a table`() async throws {
        try await withVillage { village in
            let policies = try await village.owner.query(
                """
                SELECT p.polname::text AS name, coalesce(pg_get_expr(p.polqual, p.polrelid), '')
                    || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') AS text
                FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'public'::regnamespace
                    AND p.polpermissive
                """)
            #expect(policies.count > 40)
            for policy in policies {
                let (name, text): (String, String) = (try policy.decode("name"), try policy.decode("text"))
                #expect(!text.contains("SELECT"), "\(name)")
            }
        }
    }

    /// A statement of the program, as its source has it.
    private struct Statement {
        let place: String
        let text: String

        func has(_ pattern: String) -> Bool { text.range(of: pattern, options: .regularExpression) != nil }
    }

    private static func statements() throws -> [Statement] {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let literal = try NSRegularExpression(
            pattern: #""""\n(.*?)"""|"((?:[^"\\\n]|\\.)*)""#, options: .dotMatchesLineSeparators)
        var found: [Statement] = []
        let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
        while let file = files?.nextObject() as? URL {
            guard file.pathExtension == "swift" else { continue }
            let source = try String(contentsOf: file, encoding: .utf8)
            let whole = NSRange(source.startIndex..., in: source)
            for match in literal.matches(in: source, range: whole) {
                guard let range = Range(match.range, in: source) else { continue }
                let statement = Statement(place: file.lastPathComponent, text: String(source[range]))
                if statement.has(#"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b"#) { found.append(statement) }
            }
        }
        return found
    }

    @Test func `no statement finds its village in an outer row`() throws {
        let statements = try Self.statements()
        #expect(statements.count > 250)
        for statement in statements {
            // A join's condition is carried on to both sides; a condition inside a subquery is not.
            #expect(
                !statement.has(#"WHERE\s+\w+\.village_id = \w+\.village_id"#), "\(statement.place): \(statement.text)")
        }
    }

    @Test func `no statement asks for the time where it may not be asked`() throws {
        for statement in try Self.statements() {
            #expect(!statement.has(#"(?i)coalesce\([^()]*now\(\)"#), "\(statement.place): \(statement.text)")
            #expect(!statement.has(#"CASE\b(?:(?!\bEND\b)[\s\S])*now\(\)"#), "\(statement.place): \(statement.text)")
        }
    }

    @Test func `what is inserted out of other rows returns something`() throws {
        for statement in try Self.statements() where statement.has(#"INSERT INTO \w+[^;]*?\)\s*(SELECT|WITH)\b"#) {
            #expect(
                statement.has("RETURNING|ON CONFLICT") || Self.returnsElsewhere(statement),
                "\(statement.place): \(statement.text)")
        }
    }

    @Test func `no statement takes a number while it reads rows`() throws {
        for statement in try Self.statements() where statement.has(#"\bown_number\(|nextval"#) {
            // A temporary table's default works where the program does; it reads nothing either.
            #expect(
                !statement.has(#"\b(FROM|JOIN|UPDATE|INTO)\b(?! generate_series\(1, )"#),
                "\(statement.place): \(statement.text)")
        }
    }

    /// The bodies of the functions in which the program writes, which a cluster plans statement by statement. Triggers are
    /// none of them: `Distribution` takes them away.
    @Test func `what functions do follows the same rules`() async throws {
        try await withVillage { village in
            let functions = try await village.owner.query(
                """
                SELECT proname::text AS name, prosrc AS text FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace AND proowner = 'taoyuan_owner'::regrole
                    AND prorettype <> 'trigger'::regtype AND NOT proname LIKE 'check\\_%\\_sum'
                """)
            #expect(functions.count > 25)
            for function in functions {
                let body = Statement(place: try function.decode("name"), text: try function.decode("text"))
                // What goes over all villages goes to all nodes.
                let isOfAll = body.place == "villages_with_work"
                #expect(
                    isOfAll || !body.has(#"WHERE\s+\w+\.village_id = (?!v\.id\b)\w+\.\w+"#),
                    "\(body.place): \(body.text)")
                #expect(!body.has(#"(?i)coalesce\([^()]*now\(\)"#), "\(body.place)")
                for insert in body.text.split(separator: ";").filter({ $0.contains("INSERT INTO") }) {
                    let statement = Statement(place: body.place, text: String(insert))
                    guard statement.has(#"INSERT INTO [\w.]+[^;]*?\)\s*(SELECT|WITH)\b"#) else { continue }
                    #expect(statement.has("RETURNING|ON CONFLICT"), "\(body.place): \(insert)")
                }
            }
        }
    }

    @Test func `strangers need of the tables the columns that their views read, and are given no others`() async throws
    {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.populate(orchard)
            let views = try await village.owner.query(
                """
                SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
                    AND has_table_privilege('taoyuan_public', oid, 'SELECT') ORDER BY relname
                """
            ).map { try $0.decode("name", as: String.self) }
            #expect(views.count >= 8)
            func seen() async throws -> [Int] {
                var counts: [Int] = []
                for view in views {
                    let rows = try await village.database.publicQuery(
                        "SELECT count(*) AS count FROM (SELECT * FROM public.\(identifier: view)) v")
                    counts.append(try rows[0].decode("count"))
                }
                return counts
            }
            let before = try await seen()
            #expect(before.reduce(0, +) > 5)
            // As a node asks: the reader of the view, not its owner.
            for view in views {
                _ = try await village.owner.query("ALTER VIEW public.\(identifier: view) SET (security_invoker = true)")
            }
            await #expect(throws: (any Error).self) { try await seen() }
            try await village.owner.transaction { transaction in
                for granting in try await Distribution.grants(in: transaction) {
                    _ = try await transaction.query(granting)
                }
            }
            #expect(try await seen() == before)
            for (column, table) in [("phone", "household"), ("password_hash", "account"), ("slip", "batch")] {
                await #expect(throws: (any Error).self) {
                    try await village.database.publicQuery("SELECT \(identifier: column) FROM \(identifier: table)")
                }
            }
        }
    }

    /// Statements to which their use adds what they return: `SQL.touching` and `SQL.counting`.
    private static func returnsElsewhere(_ statement: Statement) -> Bool {
        [
            "BookingRegisterTours.swift", "BookingStaging.swift", "SessionPlanning.swift", "IncomeStaging.swift",
            "RecallStore.swift", "TokenStore.swift",
            // The migrator's, whom row-level security does not bind.
            "VillageStore.swift",
        ].contains(statement.place)
    }
}
