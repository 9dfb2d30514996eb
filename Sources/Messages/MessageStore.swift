import Database
import Foundation
import Kernel
import Postgres

/// The outbox.
public struct MessageStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// - Parameters:
    ///   - before: the id of the message after the last one wanted: newest come first.
    ///   - state: only those in this state.
    ///   - about: only those about this, such as `booking:17`.
    public func list(
        _ scope: Scope, before: Int64 = .max, state: Message.State? = nil, about: String? = nil, limit: Int = 50
    ) async throws -> [Message] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT \(Self.columns) FROM message
                WHERE village_id = \(scope.village) AND id < \(before)
                    AND (\(about)::text IS NULL OR about = \(about))
                    AND (\(state?.rawValue)::text IS NULL OR \(state?.rawValue)::text = CASE
                        WHEN sent_at IS NOT NULL THEN 'sent' WHEN given_up_at IS NULL THEN 'waiting'
                        WHEN last_error = ANY(\(MessageRules.unmissed)::text[]) THEN 'not_sent' ELSE 'given_up' END)
                ORDER BY id DESC LIMIT \(limit)
                """
            ).map(Self.message)
        }
    }

    static let columns: SQL =
        "id, key, kind, about, created_at, due_at, attempts, sent_at, given_up_at, last_error"

    static func message(_ row: Row) throws -> Message {
        Message(
            id: try row.decode("id"), key: try row.decode("key"), kind: try row.decode("kind"),
            about: try row.decode("about"), createdAt: try row.decode("created_at"),
            dueAt: try row.decode("due_at"), attempts: try row.decode("attempts"),
            sentAt: try row.decode("sent_at"), givenUpAt: try row.decode("given_up_at"),
            lastError: try row.decode("last_error"))
    }

    /// Takes the message that has been due longest, for this sender alone: one attempt more is counted, and nobody
    /// else sees it before its lease is over. A sender that dies in between leaves it to the next after that.
    /// - Parameter hosts: those that have mails enough on their way.
    func claim(
        _ lane: MessageLane, notTo hosts: [String] = [], now: Date, _ scope: Scope
    ) async throws -> OutgoingMessage? {
        let until = now.addingTimeInterval(MessageRules.lease)
        let isOfLane: SQL =
            switch lane {
            case .all: "true"
            case .withAddress: "email IS NOT NULL"
            case .withoutAddress: "email IS NULL"
            }
        return try await database.transaction(scope) { transaction in
            let claimed = try await transaction.query(
                """
                UPDATE message m SET attempts = attempts + 1, due_at = \(until)
                WHERE village_id = \(scope.village) AND id = (
                    SELECT id FROM message
                    WHERE village_id = \(scope.village) AND sent_at IS NULL AND given_up_at IS NULL
                        AND due_at <= \(now) AND \(isOfLane)
                        AND (email IS NULL OR lower(split_part(email, '@', -1)) <> ALL(\(hosts)::text[]))
                    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING id, key, kind, about, name, phone, email, language, content::text AS content, attempts,
                    created_at, until, supersedes AND EXISTS (
                        SELECT FROM message newer WHERE newer.village_id = \(scope.village) AND newer.about = m.about
                            AND newer.id > m.id AND newer.supersedes) AS is_superseded
                """)
            return try claimed.first.map(Self.outgoing)
        }
    }

    private static func outgoing(_ row: Row) throws -> OutgoingMessage {
        OutgoingMessage(
            id: try row.decode("id"), key: try row.decode("key"), kind: try row.decode("kind"),
            about: try row.decode("about"),
            to: NewMessage.Recipient(
                name: try row.decode("name"), phone: try row.decode("phone", as: String?.self) ?? "",
                email: try row.decode("email"), language: try row.decode("language")),
            content: try row.decode("content"), attempts: try row.decode("attempts"),
            createdAt: try row.decode("created_at"), until: try row.decode("until"),
            isSuperseded: try row.decode("is_superseded"))
    }

    /// How many went within 24 hours to the message's phone, or to its e-mail address where those are more. What somebody
    /// took up before this one, and is on its way or about to be tried again, counts as gone: of several at one moment
    /// no more go than may.
    func goneCount(toWhomGets message: OutgoingMessage, now: Date, _ scope: Scope) async throws -> Int {
        func count(_ isToSame: SQL) -> SQL {
            """
            (SELECT count(*) FROM message
                WHERE village_id = \(scope.village) AND \(isToSame) AND sent_at > \(now.addingTimeInterval(-86_400)))
            + (SELECT count(*) FROM message
                WHERE village_id = \(scope.village) AND \(isToSame) AND sent_at IS NULL AND given_up_at IS NULL
                    AND attempts > 0 AND due_at > \(now) AND (due_at, id) < (
                        SELECT own.due_at, own.id FROM message own
                        WHERE own.village_id = \(scope.village) AND own.id = \(message.id)))
            """
        }
        let (phone, email): (SQL, SQL) = ("phone = \(message.phone)", "lower(email) = lower(\(message.email))")
        let gone: SQL = "SELECT greatest(\(count(phone)), \(count(email))) AS gone"
        return try await database.query(gone, scope).first?.decode("gone") ?? 0
    }

    func markSent(_ id: Int64, now: Date, _ scope: Scope) async throws {
        _ = try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                UPDATE message SET sent_at = \(now), last_error = NULL
                WHERE village_id = \(scope.village) AND id = \(id) AND sent_at IS NULL
                """)
        }
    }

    /// - Parameters:
    ///   - forGood: a server has said no for good.
    ///   - again: when to try next; nil gives it up.
    func markFailed(
        _ id: Int64, why: String, forGood: Bool = false, again: Date?, now: Date, _ scope: Scope
    ) async throws {
        _ = try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                UPDATE message SET last_error = \(String(why.prefix(200))), refused = \(forGood), due_at = coalesce(\(again), due_at),
                    given_up_at = CASE WHEN \(again) IS NULL THEN \(now) END
                WHERE village_id = \(scope.village) AND id = \(id) AND sent_at IS NULL
                """)
        }
    }
}
