import Foundation
import Kernel

/// A booking as the gate and the desk's sheet see it: who comes, to which sessions.
public struct GateBooking: Sendable {
    /// The booking's number.
    public let number: Int64
    public let reference: BookingReference
    public let unit: String
    public let kind: UnitKind
    public let headcount: Int
    public let leader: String
    public let phone: String
    public let language: Language
    public let note: String?
    public let state: BookingState
    /// What the booking comes to.
    public let fee: Money
    public let paid: Money
    public let refundDue: Money
    public let refunded: Money
    /// In the order of their times.
    public let visits: [GateVisit]
}

/// A booking's part in one session.
public struct GateVisit: Sendable {
    public let session: Int64
    public let day: CivilDay
    public let startsAt: Date
    public let endsAt: Date
    public let site: String
    public let programme: String
    /// Of the session.
    public let capacity: Int
    /// Booked.
    public let headcount: Int
    /// Who came; nil before anybody did.
    public let arrived: Int?

    public init(
        session: Int64, day: CivilDay, startsAt: Date, endsAt: Date, site: String, programme: String, capacity: Int,
        headcount: Int, arrived: Int?
    ) {
        self.session = session
        self.day = day
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.site = site
        self.programme = programme
        self.capacity = capacity
        self.headcount = headcount
        self.arrived = arrived
    }

    /// By its number, as the desk knows it, and by what a group knows of it.
    var name: Bilingual { SessionRules.name(session, startsAt, programme) }

    /// Such as `09:00–11:30`, in Asia/Shanghai.
    public var hours: String { TimeOfDay.hours(startsAt, endsAt) }
}
