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
    public func list(
        _ scope: Scope, before: Int64 = .max, state: Message.State? = nil, booking: Int64? = nil, limit: Int = 50
    ) async throws -> [Message] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT \(Self.columns) FROM message
                WHERE village_id = \(scope.village) AND id < \(before)
                    AND (\(booking)::bigint IS NULL OR booking_id = \(booking))
                    AND (\(state?.rawValue)::text IS NULL OR \(state?.rawValue)::text = CASE
                        WHEN sent_at IS NOT NULL THEN 'sent' WHEN given_up_at IS NOT NULL THEN 'given_up'
                        ELSE 'waiting' END)
                ORDER BY id DESC LIMIT \(limit)
                """
            ).map(Self.message)
        }
    }

    static let columns: SQL =
        "id, key, kind, booking_id, created_at, due_at, attempts, sent_at, given_up_at, last_error"

    static func message(_ row: Row) throws -> Message {
        Message(
            id: try row.decode("id"), key: try row.decode("key"),
            kind: MessageKind(rawValue: try row.decode("kind")) ?? .changed,
            booking: try row.decode("booking_id"), createdAt: try row.decode("created_at"),
            dueAt: try row.decode("due_at"), attempts: try row.decode("attempts"),
            sentAt: try row.decode("sent_at"), givenUpAt: try row.decode("given_up_at"),
            lastError: try row.decode("last_error"))
    }

    /// Puts in the reminders of tomorrow's sessions, due in the morning; those that are there already stay as they are.
    func remind(now: Date, today: CivilDay, _ scope: Scope) async throws {
        let tomorrow = today.adding(days: 1)
        let due = max(now, MessageRules.morning(of: today))
        _ = try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                INSERT INTO message (village_id, key, kind, booking_id, due_at)
                SELECT b.village_id, k.key, 'reminder', b.id, \(due)
                FROM tour_booking b CROSS JOIN LATERAL (SELECT 'reminder:' || b.id || ':' || \(tomorrow.description) AS key) k
                WHERE b.village_id = \(scope.village) AND b.state = 'confirmed'
                    AND b.id IN (
                        SELECT l.booking_id FROM tour_booking_session l
                        WHERE l.village_id = \(scope.village) AND l.day = \(tomorrow))
                    AND NOT EXISTS (
                        SELECT FROM message m WHERE m.village_id = b.village_id AND m.key = k.key)
                ON CONFLICT (village_id, key) DO NOTHING
                """)
        }
    }

    /// Takes the message that has been due longest, for this sender alone: one attempt more is counted, and nobody
    /// else sees it before its lease is over. A sender that dies in between leaves it to the next after that.
    func claim(now: Date, _ scope: Scope) async throws -> Notice? {
        let until = now.addingTimeInterval(MessageRules.lease)
        return try await database.transaction(scope) { transaction in
            let claimed = try await transaction.query(
                """
                UPDATE message SET attempts = attempts + 1, due_at = \(until)
                WHERE village_id = \(scope.village) AND id = (
                    SELECT id FROM message
                    WHERE village_id = \(scope.village) AND sent_at IS NULL AND given_up_at IS NULL
                        AND due_at <= \(now)
                    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING id, booking_id
                """)
            guard let row = claimed.first else { return nil }
            let id: Int64 = try row.decode("id")
            let booking: Int64 = try row.decode("booking_id")
            let answers = try await transaction.query([
                """
                SELECT m.id, m.key, m.kind, m.attempts, m.created_at, b.id AS booking_id, b.reference, b.unit,
                    b.headcount, b.leader, b.phone, b.email, b.language, b.state, b.hold_until, b.kept_fen,
                    b.refund_due_fen
                FROM message m JOIN tour_booking b ON b.village_id = m.village_id AND b.id = m.booking_id
                WHERE m.village_id = \(scope.village) AND m.id = \(id)
                """,
                """
                SELECT l.day, s.starts_at, s.ends_at, t.name AS site, p.name AS programme
                FROM tour_booking_session l
                JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
                JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
                JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
                WHERE l.village_id = \(scope.village) AND l.booking_id = \(booking)
                ORDER BY s.starts_at, l.session_id
                """,
            ])
            return try answers[0].first.map { try Self.notice($0, answers[1]) }
        }
    }

    private static func notice(_ row: Row, _ sessions: Rows) throws -> Notice {
        let reference: String = try row.decode("reference")
        return Notice(
            id: try row.decode("id"), key: try row.decode("key"),
            kind: MessageKind(rawValue: try row.decode("kind")) ?? .changed, attempts: try row.decode("attempts"),
            createdAt: try row.decode("created_at"), booking: try row.decode("booking_id"),
            reference: [reference.prefix(4), reference.dropFirst(4).prefix(4), reference.dropFirst(8)]
                .joined(separator: "-"),
            unit: try row.decode("unit"), headcount: try row.decode("headcount"), leader: try row.decode("leader"),
            phone: try row.decode("phone"), email: try row.decode("email"),
            language: Language(rawValue: try row.decode("language")) ?? .english, state: try row.decode("state"),
            holdUntil: try row.decode("hold_until"), kept: try row.decode("kept_fen"),
            refundDue: try row.decode("refund_due_fen"),
            sessions: try sessions.map { session in
                Notice.Session(
                    day: try session.decode("day"), startsAt: try session.decode("starts_at"),
                    endsAt: try session.decode("ends_at"), site: try session.decode("site"),
                    programme: try session.decode("programme"))
            })
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

    /// - Parameter again: when to try next; nil gives it up.
    func markFailed(_ id: Int64, why: String, again: Date?, now: Date, _ scope: Scope) async throws {
        _ = try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                UPDATE message SET last_error = \(String(why.prefix(200))), due_at = coalesce(\(again), due_at),
                    given_up_at = CASE WHEN \(again) IS NULL THEN \(now) END
                WHERE village_id = \(scope.village) AND id = \(id) AND sent_at IS NULL
                """)
        }
    }
}
