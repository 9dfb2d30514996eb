import Foundation
import Kernel

/// What the village does to bookings by what it does to a session of theirs.
struct BookingUpset: Sendable {
    enum What: String, Sendable {
        case cancelled, moved
        /// The session was cancelled, and the booking keeps its others.
        case dropped
    }

    let what: What
    let reason: String?
}

extension Booking {
    /// With one of its sessions at another time. Nobody pays for not liking that: until the group has accepted it, by
    /// being confirmed or by paying, it may cancel for nothing. One that has been to another of them can't be cancelled.
    func moved(session: Int64, to day: CivilDay, _ start: Date, _ end: Date) -> Booking {
        var booking = self
        for index in booking.lines.indices where booking.lines[index].session == session {
            booking.lines[index].day = day
            booking.lines[index].startsAt = start
            booking.lines[index].endsAt = end
        }
        booking.upset()
        booking.holdUntil = holdUntil.map { min($0, booking.startsAt) }
        return booking
    }

    /// Without one of its sessions and what belongs to it; what was paid beyond the rest is to go back. nil where no
    /// booking is left: it has no other session, has picked in this one, or its discounts are more than the rest costs.
    func without(session: Int64) -> Booking? {
        var booking = self
        booking.lines.removeAll { $0.session == session }
        booking.extras.removeAll { $0.session == session }
        booking.fee = booking.lines.map(\.amount).reduce(.zero, +) + booking.extras.map(\.amount).reduce(.zero, +)
        guard !booking.lines.isEmpty, booking.agreed.fen >= 0,
            !extras.contains(where: { $0.session == session && $0.wasSettled })
        else { return nil }
        booking.upset()
        booking.grantNothingTooMuch()
        booking.refundDue = max(refundDue, Money(fen: paid.fen - booking.agreed.fen))
        return booking
    }

    private mutating func upset() {
        if !hasCome {
            for index in lines.indices { lines[index].isUpset = true }
        }
        version += 1
    }

    /// The group has accepted what the village made of its sessions.
    mutating func accept() {
        for index in lines.indices { lines[index].isUpset = false }
    }
}
