import Database
import Foundation
import Kernel
import Messages
import Postgres

/// How a new booking comes to be, which `BookingIntake` sees to.
extension BookingStore {
    /// The plan that makes a booking upon what a look found.
    /// - Parameter wanted: as `checked` gave it back.
    static func book(
        _ wanted: NewBooking, on ground: BookingGround, as state: BookingState, byStranger: Bool,
        limits: BookingLimits, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            try check(wanted, on: ground, byStranger: byStranger, limits: limits, now: now)
            let needed = Dictionary(uniqueKeysWithValues: ground.sessions.map { ($0.id, wanted.headcount) })
            let short = try await BookingSeats.short(ground.sessions, needed: needed, now: now, transaction, scope)
            if let short, !wanted.waitlist { throw BookingRules.soldOut(short) }
            let extras = try await extras(wanted, ground.sessions, transaction, scope)
            let booking = try booking(
                wanted, extras, on: ground, as: short == nil ? state : .waitlisted, now: now, actor: scope.actor)
            let new = Made(booking, isOnce: !wanted.again, isBound: byStranger && !limits.areNone)
            return change(making: [new], limits: limits, now: now, scope).map { _ in booking }
        }
    }

    /// - Throws: a `Refusal` for what may not be booked, whether there are seats or not.
    static func check(
        _ wanted: NewBooking, on ground: BookingGround, byStranger: Bool, limits: BookingLimits, now: Date
    ) throws {
        try BookingSeats.check(ground.sessions, wanted: wanted.sessions)
        try BookingRules.checkHeadcount(wanted.headcount, ground.sessions, byStranger: byStranger)
        try BookingRules.checkTime(ground.sessions, byStranger: byStranger, now: now)
        try BookingRules.checkOpen(ground.sessions)
        try limits.check(wanted, beside: ground.open, byStranger: byStranger)
    }

    /// The booking as it begins.
    static func booking(
        _ wanted: NewBooking, _ extras: [Booking.Extra], on ground: BookingGround, as state: BookingState, now: Date,
        actor: String
    ) throws -> Booking {
        let sessions = ground.sessions
        let lines = sessions.map { $0.line(of: wanted.headcount) }
        // The desk that keeps seats for a group has seen it; a request it has not.
        let minutes =
            state == .requested
            ? BookingRules.holdMinutes(sessions, headcount: wanted.headcount)
            : sessions.map(\.terms.holdMinutes).min() ?? 0
        let until = BookingRules.holdUntil(
            now, minutes: minutes, startsAt: sessions.map(\.startsAt).min() ?? now)
        guard !state.holdsSeats || until > now else {
            throw Refusal(
                .conflict, "session-over", field: "sessions", zh: "场次已经开始，只能直接确认",
                en: "the session has begun: the booking can only be confirmed at once")
        }
        return Booking(
            id: Identifier(ground.number), reference: try BookingReference.random(), unit: wanted.unit,
            unitKind: wanted.unitKind, headcount: wanted.headcount, leader: wanted.leader, phone: wanted.phone,
            email: wanted.email, language: try BookingRules.language(wanted.language, sessions), note: wanted.note,
            state: state, version: 1, holdUntil: state.holdsSeats ? until : nil,
            waitingSince: state == .waitlisted ? now : nil, arrived: nil, fee: try BookingRules.fee(lines, extras),
            adjusted: .zero, kept: .zero, paid: .zero, refundDue: .zero, refunded: .zero, granted: .zero,
            requestedAt: now,
            actor: actor,
            lines: lines, extras: extras)
    }

    /// A booking to be written.
    struct Made: Sendable {
        let booking: Booking
        /// Whether it may not be the second of its phone in a session.
        let isOnce: Bool
        /// Whether its phone may have a few open ones only.
        let isBound: Bool

        init(_ booking: Booking, isOnce: Bool, isBound: Bool) {
            self.booking = booking
            self.isOnce = isOnce
            self.isBound = isBound
        }
    }

    /// The change that makes all of the bookings.
    static func change(
        making new: [Made], limits: BookingLimits, now: Date, _ scope: Scope
    ) -> Change<[Booking]> {
        let bookings = new.map(\.booking)
        let once = new.filter(\.isOnce).map(\.booking.id.value)
        let bound = new.filter(\.isBound).map(\.booking.id.value)
        // Before the sessions' counters, which many more wait for than for a phone.
        let guards = once.isEmpty && bound.isEmpty ? [] : [limits.statement(once: once, bound: bound, scope)]
        return Change(
            bookings, rows: bookings.flatMap { rows($0, scope) },
            lastWrites: guards + BookingSeats.statements(BookingSeats.moves(of: bookings), now: now, scope),
            refusals: BookingSeats.refusals.merging(limits.refusals) { $1 },
            events: bookings.map { booking in
                .ofBooking(booking.state.rawValue, booking, [.number("people", booking.headcount)])
            })
    }

    private static func rows(_ booking: Booking, _ scope: Scope) -> [NewRow] {
        let kind = MessageKind(rawValue: booking.state.rawValue) ?? .requested
        return [BookingRows.row(booking, scope)]
            + booking.lines.map { BookingRows.row($0, of: booking, scope) }
            + BookingExtras.rows(booking, scope)
            + [Outbox.row(NewMessage(kind, booking), scope)]
    }

    private static func extras(
        _ wanted: NewBooking, _ sessions: [BookableSession], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Booking.Extra] {
        guard !wanted.extras.isEmpty else { return [] }
        let offered = try await transaction.query(BookingExtras.select(wanted.extras.map(\.extra), scope))
        return try BookingExtras.extras(
            wanted.extras, offered: try BookingExtras.offered(offered), sessions: sessions)
    }

    /// The texts of a booking as they are kept.
    static func checked(_ new: NewBooking) throws -> NewBooking {
        try checkSessions(new.sessions)
        guard (1...10_000).contains(new.headcount) else { throw BookingRules.headcountOutOfRange }
        return NewBooking(
            unit: try BookingRules.text(new.unit, field: "unit", max: 200), unitKind: new.unitKind,
            headcount: new.headcount, leader: try BookingRules.text(new.leader, field: "leader", max: 60),
            phone: try BookingRules.phone(new.phone), email: try new.email.map(BookingRules.email),
            language: new.language,
            note: try new.note.map { try BookingRules.text($0, field: "note", max: 1000, lines: true) },
            sessions: new.sessions, extras: new.extras, waitlist: new.waitlist, again: new.again)
    }

    static func checkSessions(_ sessions: [Int64]) throws {
        guard (1...10).contains(sessions.count), Set(sessions).count == sessions.count else {
            throw Refusal(
                .invalid, "bad-sessions", field: "sessions", zh: "一个预约须有 1 到 10 个不同的场次",
                en: "a booking has 1 to 10 different sessions")
        }
    }
}
