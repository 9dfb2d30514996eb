import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

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
