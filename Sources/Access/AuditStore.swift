import Database
import Foundation
import Kernel
import Postgres

/// One line of the audit: who did what to what, and when.
public struct AuditEntry: Sendable {
    public let id: Identifier<AuditEntry>
    public let at: Date
    public let actor: String
    public let action: String
    public let subject: String
    public let detail: String?
}

/// Reads the audit; whoever changes something writes it.
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
                SELECT id, at, actor, action, subject, detail FROM audit
                WHERE village_id = \(scope.village) AND id < \(before) ORDER BY id DESC LIMIT \(limit)
                """
            ).map { row in
                AuditEntry(
                    id: Identifier(try row.decode("id")), at: try row.decode("at"), actor: try row.decode("actor"),
                    action: try row.decode("action"), subject: try row.decode("subject"),
                    detail: try row.decode("detail"))
            }
        }
    }
}
