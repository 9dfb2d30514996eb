import Database
import Kernel
import Postgres

/// How many requests of one phone may be open at once: neither confirmed by the desk nor paid. The desk is not bound.
public struct BookingLimits: Sendable {
    /// 0 is any number.
    public let requests: Int
    /// In several requests together; one alone may have any number. 0 is any number.
    public let seats: Int

    var areNone: Bool { requests == 0 && seats == 0 }

    public static let usual = BookingLimits(requests: 5, seats: 200)

    public init(requests: Int, seats: Int) {
        self.requests = requests
        self.seats = seats
    }
}

/// A booking of a phone that has not yet come to its end.
struct OpenBooking: Sendable {
    let id: Int64
    let reference: String
    let unit: String
    let phone: String
    let state: BookingState
    let isUnpaid: Bool
    var sessions: [Int64]
    /// In all its sessions.
    var seats: Int

    /// Whether it is one of those that a phone may have a few of.
    var isBound: Bool { isUnpaid && state != .confirmed }

    static func select(_ phones: [String], _ scope: Scope) -> SQL {
        "SELECT * FROM open_bookings(\(scope.village), \(phones)::text[])"
    }

    static func all(_ rows: Rows) throws -> [OpenBooking] {
        var found: [Int64: OpenBooking] = [:]
        for row in rows {
            let id: Int64 = try row.decode("id")
            let state: BookingState = try Named(row, "state").value
            var booking =
                try found[id]
                ?? OpenBooking(
                    id: id, reference: try row.decode("reference"), unit: try row.decode("unit"),
                    phone: try row.decode("phone"), state: state, isUnpaid: try row.decode("is_unpaid"), sessions: [],
                    seats: 0)
            booking.sessions.append(try row.decode("session_id"))
            if state != .waitlisted { booking.seats += try row.decode("headcount", as: Int.self) }
            found[id] = booking
        }
        return found.values.sorted { $0.id < $1.id }
    }
}

extension BookingLimits {
    /// Sees that a phone's open bookings allow one more.
    /// - Throws: a `Refusal`.
    func check(_ wanted: NewBooking, beside open: [OpenBooking], byStranger: Bool) throws {
        let twin = open.first { booking in booking.sessions.contains { wanted.sessions.contains($0) } }
        if !wanted.again, let twin { throw BookingRules.bookedAlready(byStranger ? nil : twin) }
        guard byStranger else { return }
        let bound = open.filter(\.isBound)
        guard requests == 0 || bound.count < requests else { throw BookingRules.tooManyOpen(self) }
        let taken = bound.reduce(0) { $0 + $1.seats }
        guard seats == 0 || bound.isEmpty || taken + wanted.headcount * wanted.sessions.count <= seats else {
            throw BookingRules.tooManySeats(self, taken: taken)
        }
    }

    /// The statement that refuses what `check` could not see: bookings that are written at the same moment.
    /// - Parameters:
    ///   - once: the bookings that may not be the second of their phone in a session.
    ///   - bound: those that these limits are for.
    func statement(once: [Int64], bound: [Int64], _ scope: Scope) -> SQL {
        """
        SELECT check_open_bookings(\(scope.village), \(once)::bigint[], \(bound)::bigint[], \(Int64(requests))::int,
            \(Int64(seats))::int)
        """
    }

    /// What its constraints tell.
    var refusals: [String: Refusal] {
        [
            "tour_booking_once": BookingRules.bookedAlready(nil),
            "tour_booking_open_few": BookingRules.tooManyOpen(self),
        ]
    }
}

extension BookingRules {
    public static let bookedAlreadyCode = "booked-already"

    /// - Parameter booking: the one that is there, for the desk; a stranger learns no more than that there is one.
    static func bookedAlready(_ booking: OpenBooking?) -> Refusal {
        let which = booking.map { booking in
            Bilingual(
                zh: "：预约 \(booking.id)，\(booking.unit.shortened)",
                en: ": booking \(booking.id), \(booking.unit.shortened)")
        }
        return Refusal(
            .conflict, bookedAlreadyCode, field: "phone",
            zh: "这个电话已经预约了这一场\(which?.zh ?? "")；确实要再约一个，请注明再约（again）",
            en:
                "this phone has a booking of that session already\(which?.en ?? ""); say that you want another one (again)"
        )
    }

    static func tooManyOpen(_ limits: BookingLimits) -> Refusal {
        let most = [
            limits.requests > 0 ? Bilingual(zh: "\(limits.requests) 个预约", en: "\(limits.requests) requests") : nil,
            limits.seats > 0 ? Bilingual(zh: "\(limits.seats) 个名额", en: "\(limits.seats) seats") : nil,
        ].compactMap(\.self)
        return Refusal(
            .conflict, "too-many-open", field: "phone",
            zh: "一个电话最多有 \(most.map(\.zh).joined(separator: "、"))等待确认；请等接待处确认，或直接联系接待处",
            en:
                "a phone may have \(most.map(\.en).joined(separator: " and ")) that are not confirmed yet; wait for the tour "
                + "desk, or call it")
    }

    static func tooManySeats(_ limits: BookingLimits, taken: Int) -> Refusal {
        Refusal(
            .conflict, "too-many-open", field: "headcount",
            zh: "这个电话等待确认的预约已有 \(taken) 个名额，一共最多 \(limits.seats) 个；请等接待处确认，或直接联系接待处",
            en:
                "the requests of this phone that are not confirmed yet have \(taken) seats, and may have \(limits.seats) "
                + "in all; wait for the tour desk, or call it")
    }
}
