import Database
import Foundation
import Kernel
import Messages
import Postgres

/// Bookings. Each step of a booking is a plan; which step may follow which is the database's table of steps.
public struct BookingStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// What is looked for in the list of bookings.
    public struct Search: Sendable {
        /// Only bookings with a session on that day.
        public var day: CivilDay?
        public var state: BookingState?
        /// A part of the unit's or the leader's name, of the phone, or of the reference.
        public var text: String?
        /// Only bookings with a session on that day or later.
        public var from: CivilDay?
        /// Only bookings with a session on that day or before.
        public var to: CivilDay?
        public var money: MoneyState?
        /// Only bookings of this phone or e-mail address.
        public var contact: BookingContact?
        /// Only what the desk has not confirmed and nobody has paid.
        public var isUnconfirmed: Bool

        public init(
            day: CivilDay? = nil, state: BookingState? = nil, text: String? = nil, from: CivilDay? = nil,
            to: CivilDay? = nil, money: MoneyState? = nil, contact: BookingContact? = nil, isUnconfirmed: Bool = false
        ) {
            self.day = day
            self.state = state
            self.text = text
            self.from = from
            self.to = to
            self.money = money
            self.contact = contact
            self.isUnconfirmed = isUnconfirmed
        }
    }

    /// What `Booking.money` says, of a row `f`.
    static let money: SQL = """
        CASE WHEN f.refund_due_fen > f.refunded_fen THEN 'due' WHEN f.paid_fen - f.refunded_fen > f.charge_fen THEN 'overpaid'
            WHEN f.paid_fen - f.refunded_fen < f.charge_fen AND f.state <> 'waitlisted' THEN 'open' ELSE 'settled' END
        """

    /// - Parameter before: the number of the booking after the last one wanted: newest come first.
    public func list(
        _ scope: Scope, _ search: Search = Search(), before: Int64 = .max, limit: Int = 50
    ) async throws -> [Booking] {
        if let from = search.from, let to = search.to { try SessionStore.checkPeriod(from, to) }
        let text = search.text?.lowercased()
        let reference = search.text?.uppercased().filter { $0 != "-" }
        let found: SQL = """
            SELECT f.id FROM tour_booking f
            WHERE f.village_id = \(scope.village) AND f.id < \(before)
                AND (\(search.state?.rawValue)::text IS NULL OR f.state = \(search.state?.rawValue))
                AND (\(search.day) IS NULL OR EXISTS (
                    SELECT FROM tour_booking_session d
                    WHERE d.village_id = \(scope.village) AND d.booking_id = f.id AND d.day = \(search.day)))
                AND (coalesce(\(search.from), \(search.to)) IS NULL OR EXISTS (
                    SELECT FROM tour_booking_session d WHERE d.village_id = \(scope.village) AND d.booking_id = f.id
                        AND d.day BETWEEN coalesce(\(search.from), '-infinity') AND coalesce(\(search.to), 'infinity')))
                AND (\(search.money?.rawValue)::text IS NULL OR \(Self.money) = \(search.money?.rawValue))
                AND (\(text)::text IS NULL OR strpos(lower(f.unit), \(text)) > 0 OR strpos(lower(f.leader), \(text)) > 0
                    OR strpos(f.phone, \(text)) > 0 OR strpos(f.reference, \(reference)) > 0)
                AND (\(search.contact?.phone)::text IS NULL OR f.phone = \(search.contact?.phone))
                AND (\(search.contact?.email)::text IS NULL OR lower(f.email) = \(search.contact?.email))
                AND (NOT \(search.isUnconfirmed)::boolean
                    OR f.state IN ('requested', 'held', 'waitlisted') AND f.paid_fen = f.refunded_fen)
            ORDER BY f.id DESC LIMIT \(limit)
            """
        return try await database.transaction(scope) { transaction in
            let ids = try await transaction.query(found).map { try $0.decode("id", as: Int64.self) }
            return try await BookingRows.all(ids, transaction, scope).sorted { $0.id > $1.id }
        }
    }

    /// A booking as it stands.
    /// - Throws: a `Refusal` of kind `notFound`, for a stranger the same one whatever was wrong.
    public func find(_ key: BookingKey, _ scope: Scope) async throws -> Booking {
        try await database.transaction(scope) { try await BookingRows.find(key, $0, scope) }
    }

    /// The statement by which a message of what happened to a booking leaves, once for each of its versions.
    static func message(
        _ kind: MessageKind, _ booking: Booking, after upset: BookingUpset? = nil, _ scope: Scope
    ) -> SQL {
        Outbox.insert(NewMessage(kind, booking, upset), scope)
    }

    /// Reads the booking and sees that it is still what the caller has seen.
    /// - Parameter seen: its version as the caller knows it, if at all.
    static func read(
        _ key: BookingKey, seen: Int?, from states: Set<BookingState>?, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Booking {
        let booking = try await BookingRows.find(key, transaction, scope)
        guard seen ?? booking.version == booking.version else { throw BookingRules.stale }
        if let states, !states.contains(booking.state) {
            throw BookingRules.notFrom(booking.state, byStranger: key.isStranger)
        }
        return booking
    }
}
