import Database
import Foundation
import Kernel
import Postgres

/// One line of the audit: who did what to what, and when.
public struct AuditEntry: Sendable {
    public let id: Identifier<AuditEntry>
    public let at: Date
    public let actor: String
    /// Noun and verb, such as `sale.record`.
    public let action: String
    public let subject: String
    /// The day that it was entered for, where it has one.
    public let day: CivilDay?
    /// An object in JSON: figures and words of the event by their names, such as `{"fen": 850, "reason": "…"}`.
    public let figures: String
}

/// Reads the audit, which is what the events tell.
public struct AuditStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// - Parameter before: the id of the entry after the last one wanted: newest come first.
    public func list(_ scope: Scope, before: Int64 = .max, limit: Int = 50) async throws -> [AuditEntry] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT id, at, actor, kind, subject, day, figures FROM event
                WHERE village_id = \(scope.village) AND id < \(before) ORDER BY id DESC LIMIT \(limit)
                """
            ).map { row in
                AuditEntry(
                    id: Identifier(try row.decode("id")), at: try row.decode("at"), actor: try row.decode("actor"),
                    action: try row.decode("kind"), subject: try row.decode("subject"), day: try row.decode("day"),
                    figures: try row.decode("figures"))
            }
        }
    }

    /// Whether anybody else has entered anything into the books; accounts, tokens and keys are none of them.
    public func hasEntries(besides actor: String, _ scope: Scope) async throws -> Bool {
        try await database.transaction(scope) { transaction in
            let rows = try await transaction.query(
                """
                SELECT EXISTS (
                    SELECT FROM event WHERE village_id = \(scope.village) AND actor <> \(actor)
                        AND split_part(kind, '.', 1) NOT IN ('account', 'token', 'key', 'session')
                ) AS found
                """)
            return try rows.first?.decode("found") ?? false
        }
    }
}
