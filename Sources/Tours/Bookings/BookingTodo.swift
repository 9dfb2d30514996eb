import Database
import Foundation
import Kernel
import Postgres

/// Something that the desk has to see to.
public struct BookingTask: Sendable {
    public enum Kind: Int, Sendable, CaseIterable {
        /// Its seats are kept until it is confirmed, which is soon over.
        case lapsing = 1
        /// It waits to be confirmed.
        case confirm
        /// Its sessions are over, and nobody has said what became of it.
        case unresolved
        /// Money is to go back.
        case refund
        /// More was paid than it comes to, and nobody has decided what becomes of that.
        case overpaid
        /// What a gate saw and the books contradict waits to be settled.
        case conflict

        public var name: String {
            switch self {
            case .lapsing: "lapsing"
            case .confirm: "confirm"
            case .unresolved: "unresolved"
            case .refund: "refund"
            case .overpaid: "overpaid"
            case .conflict: "conflict"
            }
        }

        public var label: Bilingual {
            switch self {
            case .lapsing: Bilingual(zh: "即将过期", en: "about to lapse")
            case .confirm: Bilingual(zh: "待确认", en: "to confirm")
            case .unresolved: Bilingual(zh: "已过未结", en: "past and unresolved")
            case .refund: Bilingual(zh: "待退款", en: "refund due")
            case .overpaid: Bilingual(zh: "多收未定", en: "overpaid")
            case .conflict: Bilingual(zh: "签到不符", en: "gate conflict")
            }
        }
    }

    /// Where a task stands among all.
    public struct Place: Sendable, CustomStringConvertible {
        let kind: Int
        let booking: Int64

        public static let beginning = Place(kind: 0, booking: 0)

        init(kind: Int, booking: Int64) {
            self.kind = kind
            self.booking = booking
        }

        /// Reads the description of one.
        public init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, let kind = Int(parts[0]), let booking = Int64(parts[1]), (0...9).contains(kind)
            else {
                return nil
            }
            self.init(kind: kind, booking: booking)
        }

        public var description: String { "\(kind).\(booking)" }
    }

    public let kind: Kind
    public let booking: Booking

    public var place: Place { Place(kind: kind.rawValue, booking: booking.id.value) }
}

extension BookingStore {
    /// How long before its end a hold is about to lapse.
    private static let soon: Double = 24 * 3600

    /// What the desk has to see to, kind by kind, the oldest bookings first; a booking may be there for several reasons.
    public func todo(
        after place: BookingTask.Place = .beginning, limit: Int = 50, now: Date, _ scope: Scope
    ) async throws -> [BookingTask] {
        let found: SQL = """
            SELECT t.kind, t.id FROM (
                SELECT CASE WHEN b.paid_fen = b.refunded_fen AND b.hold_until <= \(now.addingTimeInterval(Self.soon))
                    THEN \(BookingTask.Kind.lapsing.rawValue)::int ELSE \(BookingTask.Kind.confirm.rawValue)::int END AS kind, b.id
                FROM tour_booking b WHERE b.village_id = \(scope.village) AND b.hold_until IS NOT NULL
                    AND (b.hold_until > \(now) OR b.paid_fen <> b.refunded_fen)
                UNION ALL
                SELECT \(BookingTask.Kind.unresolved.rawValue)::int, b.id
                FROM tour_booking b WHERE b.village_id = \(scope.village)
                    AND b.state IN ('requested', 'held', 'waitlisted', 'confirmed')
                    AND \(now) > ALL (
                        SELECT s.ends_at FROM tour_booking_session l
                        JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
                        WHERE l.village_id = \(scope.village) AND l.booking_id = b.id)
                UNION ALL
                SELECT \(BookingTask.Kind.refund.rawValue)::int, b.id
                FROM tour_booking b WHERE b.village_id = \(scope.village) AND b.refund_due_fen > b.refunded_fen
                UNION ALL
                SELECT \(BookingTask.Kind.overpaid.rawValue)::int, f.id
                FROM tour_booking f WHERE f.village_id = \(scope.village) AND \(Self.money) = \(MoneyState.overpaid.rawValue)
                UNION
                SELECT \(BookingTask.Kind.conflict.rawValue)::int, f.booking_id
                FROM tour_gate_conflict f WHERE f.village_id = \(scope.village) AND NOT EXISTS (
                    SELECT FROM tour_gate_settlement s WHERE s.village_id = \(scope.village) AND s.conflict_id = f.id)
            ) t
            WHERE (t.kind, t.id) > (\(place.kind)::int, \(place.booking)::bigint) ORDER BY t.kind, t.id LIMIT \(limit)
            """
        return try await database.transaction(scope) { transaction in
            let rows = try await transaction.query(found).map { row in
                (try row.decode("kind", as: Int.self), try row.decode("id", as: Int64.self))
            }
            let bookings = try await BookingRows.all(Array(Set(rows.map(\.1))), transaction, scope)
            let known = Dictionary(uniqueKeysWithValues: bookings.map { ($0.id.value, $0) })
            return rows.compactMap { kind, id in
                guard let kind = BookingTask.Kind(rawValue: kind), let booking = known[id] else { return nil }
                return BookingTask(kind: kind, booking: booking)
            }
        }
    }
}
