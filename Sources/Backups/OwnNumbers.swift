import Database
import Foundation
import Kernel
import Postgres

/// How far each village has counted what people see the numbers of.
///
/// They are sequences, thirteen a village: a dump that brought a county's would lock more than a server takes in one
/// transaction, so they travel beside it.
struct OwnNumbers: Sendable {
    /// Where the sequences are, each named by its kind and village.
    static let schema = "numbers"
    /// Sequences that one transaction locks, far below what a server takes as it is delivered (6,400).
    private static let width = 1000
    private static let widthInVillages = 50

    /// By village and kind.
    private(set) var counted: [Int: [String: Int64]] = [:]

    /// Hands out lines such as `sale_7 1234`, some thousand at a time.
    /// - Parameter connection: of a user who may read them.
    static func read(
        on connection: Connection, _ take: (_ number: Int, _ lines: [String]) throws -> Void
    ) async throws {
        var (last, number) = ("", 0)
        while true {
            let rows = try await connection.query(
                """
                SELECT name, nullif(coalesce(pg_sequence_last_value(oid), (
                    SELECT seqstart - 1 FROM pg_sequence WHERE seqrelid = oid)), 0) AS last FROM (
                    SELECT c.oid, c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = \(Self.schema) AND c.relkind = 'S' AND c.relname > \(last)::name
                    ORDER BY c.relname LIMIT \(Self.width) OFFSET 0) s
                """)
            guard let newest = rows.last else { return }
            last = try newest.decode("name")
            let lines = try rows.compactMap { row in
                let (name, count): (String, Int64?) = (try row.decode("name"), try row.decode("last"))
                return count.map { "\(name) \($0)" }
            }
            guard !lines.isEmpty else { continue }
            number += 1
            try take(number, lines)
        }
    }

    /// Takes in lines as `read` gave them.
    mutating func add(_ lines: String) throws {
        for line in lines.split(separator: "\n") {
            guard let found = line.wholeMatch(of: /([a-z_]+)_([1-9][0-9]{0,8}) ([0-9]{1,19})/),
                let village = Int(found.2), let count = Int64(found.3)
            else { throw Refusal.damagedBackup }
            counted[village, default: [:]][String(found.1)] = count
        }
    }

    /// Makes the sequences of villages that have counted, going on where they were; those of the others a migration makes.
    func make(on connection: Connection) async throws {
        guard !counted.isEmpty else { return }
        _ = try await connection.query("SET ROLE \(identifier: Migrator.owner)")
        let encoder = JSONEncoder()
        let villages = counted.keys.sorted()
        for start in stride(from: 0, to: villages.count, by: Self.widthInVillages) {
            let some = Array(villages[start..<min(start + Self.widthInVillages, villages.count)])
            let told = try some.map { String(decoding: try encoder.encode(counted[$0] ?? [:]), as: UTF8.self) }
            _ = try await connection.query(
                """
                SELECT public.create_own_numbers(village, told::jsonb)
                FROM unnest(\(some)::int[], \(told)::text[]) u (village, told)
                """)
        }
    }

    /// Takes the sequences away, some at a time.
    static func drop(on connection: Connection) async throws {
        while true {
            let rows = try await connection.query(
                """
                SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = \(Self.schema) AND c.relkind = 'S' LIMIT \(Self.width)
                """)
            let names: [SQL] = try rows.map { "\(identifier: Self.schema).\(identifier: try $0.decode("name"))" }
            guard let first = names.first else { return }
            let list = names.dropFirst().reduce(first) { "\($0), \($1)" }
            _ = try await connection.query("DROP SEQUENCE \(list)")
        }
    }
}
