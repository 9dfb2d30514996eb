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
    public let kind: String
    public let subject: String
    /// The day that it was entered for, where it has one.
    public let day: CivilDay?
    /// An object in JSON: figures and words of the event by their names, such as `{"fen": 850, "reason": "…"}`.
    public let figures: String
}

/// Which entries of the audit are wanted.
public struct AuditFilter: Sendable {
    /// As it is recorded, or an account's name or token's number alone: `account:li` or `li`.
    public let actor: String?
    /// Noun and verb, or the noun for all that was done with it: `sale.record` or `sale`.
    public let kind: String?
    public let subject: String?
    /// Civil days on which it was entered.
    public let from: CivilDay?
    public let to: CivilDay?

    public init(
        actor: String? = nil, kind: String? = nil, subject: String? = nil, from: CivilDay? = nil, to: CivilDay? = nil
    ) {
        self.actor = actor
        self.kind = kind
        self.subject = subject
        self.from = from
        self.to = to
    }
}

/// Reads the audit, which is what the events tell.
public struct AuditStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// - Parameter before: the id of the entry after the last one wanted: newest come first.
    public func list(
        _ scope: Scope, _ filter: AuditFilter = AuditFilter(), before: Int64 = .max, limit: Int = 50
    ) async throws -> [AuditEntry] {
        let (actor, kind) = (filter.actor, filter.kind)
        return try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT id, at, actor, kind, subject, day, figures FROM event
                WHERE village_id = \(scope.village) AND id < \(before)
                    AND (\(actor)::text IS NULL OR \(actor) IN (actor, split_part(actor, ':', 2)))
                    AND (\(kind)::text IS NULL OR kind = \(kind) OR starts_with(kind, \(kind) || '.'))
                    AND (\(filter.subject)::text IS NULL OR subject = \(filter.subject))
                    AND (\(filter.from)::date IS NULL OR at >= \(filter.from)::timestamp AT TIME ZONE 'Asia/Shanghai')
                    AND (\(filter.to)::date IS NULL OR at < (\(filter.to) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai')
                ORDER BY id DESC LIMIT \(limit)
                """
            ).map { row in
                AuditEntry(
                    id: Identifier(try row.decode("id")), at: try row.decode("at"), actor: try row.decode("actor"),
                    kind: try row.decode("kind"), subject: try row.decode("subject"), day: try row.decode("day"),
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
