import Database
import Foundation
import Kernel
import Messages
import Postgres
import Signing

/// The messages of bookings, for their sender: the words, the reminders, and what has overtaken them.
public struct BookingMessages: MessageSource {
    private let database: Database
    private let scope: Scope
    private let brand: String
    private let origin: Origin

    /// - Parameters:
    ///   - brand: whose tours they are.
    ///   - origin: the village's own, where a booking's pages are.
    public init(_ database: Database, village: Int, brand: String, origin: Origin) {
        self.database = database
        scope = Scope(village: village, cooperative: nil, actor: "messages")
        self.brand = brand
        self.origin = origin
    }

    public func text(_ message: OutgoingMessage, today: CivilDay) throws -> MessageText {
        guard let kind = MessageKind(rawValue: message.kind) else { throw UnknownKind() }
        return BookingMessageText(
            kind, try BookingMessage(message.content), language: message.language, brand: brand, origin: origin,
            today: today
        ).text
    }

    /// Whether the booking has gone on to something else, such as arrived, which has no message of its own.
    public func isOvertaken(_ message: OutgoingMessage) async throws -> Bool {
        guard let kind = MessageKind(rawValue: message.kind), let booking = message.booking else { return false }
        // A reminder is of a day that its booking still has.
        let day = kind == .reminder ? try? BookingMessage(message.content).day : nil
        let rows = try await database.transaction(scope) { [scope] transaction in
            try await transaction.query(
                """
                SELECT b.state, \(day)::text IS NULL OR EXISTS (
                    SELECT FROM tour_booking_session l
                    WHERE l.village_id = \(scope.village) AND l.booking_id = b.id AND l.day = \(day)::text::date) AS stands
                FROM tour_booking b WHERE b.village_id = \(scope.village) AND b.id = \(booking)
                """)
        }
        guard let row = rows.first, let state = BookingState(rawValue: try row.decode("state")) else { return true }
        return try !kind.states.contains(state) || !row.decode("stands", as: Bool.self)
    }

    /// Puts in the reminders of tomorrow's sessions in the morning.
    public func putDue(now: Date, today: CivilDay) async throws -> Int {
        guard now >= today.morning else { return 0 }
        let tomorrow = today.adding(days: 1)
        return try await database.transaction(scope) { [scope] transaction in
            try await transaction.query(
                """
                INSERT INTO message (village_id, key, kind, about, supersedes, name, phone, email, language, content,
                    until)
                SELECT b.village_id, k.key, 'reminder', 'booking:' || b.id, false, b.leader, b.phone, b.email,
                    b.language, booking_message_content(b.village_id, b.id)
                        || jsonb_build_object('day', \(tomorrow.description)::text),
                    (\(tomorrow) + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'
                FROM tour_booking b
                CROSS JOIN LATERAL (SELECT 'reminder:' || b.id || ':' || \(tomorrow.description)::text AS key) k
                WHERE b.village_id = \(scope.village) AND b.state = 'confirmed'
                    AND b.id IN (
                        SELECT l.booking_id FROM tour_booking_session l
                        WHERE l.village_id = \(scope.village) AND l.day = \(tomorrow))
                    AND NOT EXISTS (
                        SELECT FROM message m WHERE m.village_id = \(scope.village) AND m.key = k.key)
                ON CONFLICT (village_id, key) DO NOTHING RETURNING 1
                """
            ).count
        }
    }

    private struct UnknownKind: Error {}
}

extension OutgoingMessage {
    fileprivate var booking: Int64? { BookingMessage.booking(about) }
}
