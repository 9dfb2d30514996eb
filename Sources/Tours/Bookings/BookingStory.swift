import Database
import Foundation
import Kernel
import Postgres

/// One thing that happened to a booking.
public struct BookingEvent: Sendable {
    public let at: Date
    public let actor: String
    /// Where the booking stood afterwards.
    public let state: BookingState
    /// Such as `requested`, `changed`, `paid`.
    public let what: String
    /// The day that it was entered for, where it has one.
    public let day: CivilDay?
    /// An object in JSON, as `AuditEntry` has it.
    public let figures: String
}

/// A booking with all that happened to it.
public struct BookingHistory: Sendable {
    public let booking: Booking
    public let events: [BookingEvent]
    public let payments: [BookingPayment]
    public let adjustments: [BookingAdjustment]
    /// In the order of their times.
    public let checkIns: [GateCheckIn]
    /// What the gates saw and the books contradict, the oldest first.
    public let conflicts: [GateConflict]
}

extension Event {
    /// What happened to a booking, whose number is the subject.
    static func ofBooking(
        _ what: String, _ booking: Booking, day: CivilDay? = nil, _ figures: [Figure] = []
    ) -> Event {
        ofBooking(what, booking.id.value, booking.state, day: day, figures)
    }

    /// - Parameter state: where it stands afterwards.
    static func ofBooking(
        _ what: String, _ number: Int64, _ state: BookingState, day: CivilDay? = nil, _ figures: [Figure] = []
    ) -> Event {
        Event("booking.\(what)", "\(number)", day: day, figures: [.text("state", state.rawValue)] + figures)
    }
}

/// The events of bookings as they are read.
enum BookingStory {
    /// - Parameter which: a condition on `e`, such as its subject.
    static func select(_ which: SQL, _ scope: Scope) -> SQL {
        // The rows of registers that were brought in by an older program may stand behind what followed.
        """
        SELECT e.at, e.actor, e.day, substr(e.kind, 9) AS what, e.figures ->> 'state' AS state,
            (e.figures - 'state')::text AS figures, (e.figures ->> 'kept_fen')::bigint AS kept_fen,
            (e.figures ->> 'due_fen')::bigint AS due_fen,
            CASE e.kind WHEN 'booking.adjusted' THEN (e.figures ->> 'fen')::bigint END AS adjusted_fen
        FROM event e
        WHERE e.village_id = \(scope.village) AND e.kind LIKE 'booking.%' AND \(which)
        ORDER BY e.subject, e.kind = 'booking.imported' DESC, e.id LIMIT 1000
        """
    }

    static func events(_ rows: Rows) throws -> [BookingEvent] {
        var last = BookingState.requested
        return try rows.map { row in
            let told: String? = try row.decode("state")
            last = told.flatMap(BookingState.init) ?? last
            return BookingEvent(
                at: try row.decode("at"), actor: try row.decode("actor"), state: last, what: try row.decode("what"),
                day: try row.decode("day"), figures: try row.decode("figures"))
        }
    }

    /// A state in which a booking has been, and what was kept of its fee there.
    struct Stand: Sendable, Hashable {
        let state: BookingState
        var kept: Money = .zero
    }

    /// Whether it stands that money is to go back: it was decided, and no cancellation or no-show for which it was to go
    /// back has been taken back since.
    static func isRefundDecided(_ rows: Rows) throws -> Bool {
        var isDecided = false
        var hadEnded = false
        for row in rows {
            let due: Int64 = try row.decode("due_fen") ?? 0
            let what: String = try row.decode("what")
            let told: String? = try row.decode("state")
            let hasEnded = told.flatMap(BookingState.init).map { $0 == .cancelled || $0 == .noShow } ?? hadEnded
            if hadEnded && !hasEnded { isDecided = false }
            if what == "refund_decided" || due > 0 { isDecided = true }
            hadEnded = hasEnded
        }
        return isDecided
    }

    /// The way that a booking has come, one state after another, without what was taken back.
    static func way(_ rows: Rows) throws -> [Stand] {
        var way: [Stand] = []
        for row in rows {
            let told: String? = try row.decode("state")
            guard let state = told.flatMap(BookingState.init) else { continue }
            let kept: Money? = try (row.decode("kept_fen") as Int64?).map { Money(fen: $0) }
            let what: String = try row.decode("what")
            if let last = way.last, last.state == state {
                let adjusted: Int64 = try row.decode("adjusted_fen") ?? 0
                way[way.count - 1].kept = kept ?? Money(fen: last.kept.fen + adjusted)
            } else if ["undone", "check_in_undone"].contains(what) {
                if way.contains(where: { $0.state == state }) {
                    while way.last?.state != state { way.removeLast() }
                } else {
                    // Who came after it was completed: it has never stood there before.
                    way = way.dropLast() + [Stand(state: state)]
                }
            } else {
                way.append(Stand(state: state, kept: kept ?? .zero))
            }
        }
        return way
    }
}

extension BookingStore {
    /// A booking with what happened to it.
    /// - Throws: a `Refusal` of kind `notFound`.
    public func show(_ key: BookingKey, _ scope: Scope) async throws -> BookingHistory {
        try await database.transaction(scope) { transaction in
            let booking = try await BookingRows.find(key, transaction, scope)
            let number = booking.id.value
            let answers = try await transaction.query([
                BookingStory.select("e.subject = \("\(number)")", scope),
                BookingPayment.select(of: number, scope), AdjustmentStore.select(of: number, scope),
                GateRecords.checkIns("c.booking_id = \(number)", scope),
                GateRecords.conflicts("f.booking_id = \(number) ORDER BY f.id", scope),
            ])
            return BookingHistory(
                booking: booking, events: try BookingStory.events(answers[0]),
                payments: try answers[1].map(BookingPayment.init),
                adjustments: try answers[2].map(BookingAdjustment.init),
                checkIns: try answers[3].map(GateRecords.checkIn),
                conflicts: try answers[4].map(GateRecords.conflict))
        }
    }
}
