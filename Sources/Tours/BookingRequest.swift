import Database
import Foundation
import Kernel
import Messages
import Postgres

extension BookingStore {
    /// Makes a booking: one look without locks, then everything in one round trip, the sessions' counters last.
    ///
    /// A booking that finds no seats is refused as `sold-out`, or waits for some when it says so. Between the look and
    /// the counters somebody else may take the last seats: that is `sold-out` too, and `takingTurns` looks again.
    /// - Parameters:
    ///   - state: `requested`, or by the desk `held` or `confirmed`.
    ///   - byStranger: whether the programmes' rules for the public bind.
    public static func book(
        _ new: NewBooking, as state: BookingState = .requested, byStranger: Bool, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let wanted = try checked(new)
            let ids = Array(Set(new.sessions)).sorted()
            let answers = try await transaction.query(
                [BookingSeats.select(ids, scope, forNewBooking: true)]
                    + (wanted.extras.isEmpty ? [] : [BookingExtras.select(wanted.extras.map(\.extra), scope)]))
            let sessions = try BookingSeats.sessions(answers[0], wanted: ids)
            try BookingRules.checkHeadcount(wanted.headcount, sessions, byStranger: byStranger)
            try BookingRules.checkTime(sessions, byStranger: byStranger, now: now)
            try BookingRules.checkOpen(sessions)
            guard let first = sessions.first, let id: Int64 = try answers[0].first?.decode("booking_id") else {
                throw BookingRules.unknownSession(0)
            }
            let needed = Dictionary(uniqueKeysWithValues: ids.map { ($0, wanted.headcount) })
            let short = try await BookingSeats.short(sessions, needed: needed, now: now, transaction, scope)
            if let short, !new.waitlist { throw BookingRules.soldOut(short) }

            let startsAt = sessions.map(\.startsAt).min() ?? first.startsAt
            let lines = sessions.map { $0.line(of: wanted.headcount) }
            let extras = try BookingExtras.extras(
                wanted.extras, offered: try answers.dropFirst().flatMap(BookingExtras.offered), sessions: sessions)
            let state = short == nil ? state : .waitlisted
            let until = BookingRules.holdUntil(
                now, minutes: sessions.map(\.terms.holdMinutes).min() ?? 0, startsAt: startsAt)
            guard !state.holdsSeats || until > now else {
                throw Refusal(
                    .conflict, "session-over", field: "sessions", zh: "场次已经开始，只能直接确认",
                    en: "the session has begun: the booking can only be confirmed at once")
            }
            let booking = Booking(
                id: Identifier(id), reference: try BookingReference.random(), unit: wanted.unit,
                unitKind: new.unitKind, headcount: wanted.headcount, leader: wanted.leader, phone: wanted.phone,
                email: wanted.email, language: try BookingRules.language(new.language, sessions), note: wanted.note,
                state: state, version: 1, holdUntil: state.holdsSeats ? until : nil,
                waitingSince: state == .waitlisted ? now : nil, arrived: nil, fee: try BookingRules.fee(lines, extras),
                kept: .zero, paid: .zero, refundDue: .zero, refunded: .zero, requestedAt: now, actor: scope.actor,
                lines: lines, extras: extras)
            return Change(
                booking, inserts: try inserts(booking, scope),
                lastWrites: BookingSeats.statements(
                    BookingSeats.moves(from: [], nil, to: lines, state), now: now, scope),
                refusals: BookingSeats.refusals,
                audit: Audit("booking.\(state.rawValue)", "\(id)", detail: "\(booking.headcount)"))
        }
    }

    private static func inserts(_ booking: Booking, _ scope: Scope) throws -> [SQL] {
        [BookingRows.insert(booking, scope)]
            + booking.lines.map { BookingRows.insert($0, of: booking, scope) }
            + BookingExtras.inserts(booking, scope)
            + [message(MessageKind(rawValue: booking.state.rawValue) ?? .requested, booking, scope, isFirst: true)]
    }

    /// The texts of a booking as they are kept.
    private static func checked(_ new: NewBooking) throws -> NewBooking {
        try checkSessions(new.sessions)
        guard (1...10_000).contains(new.headcount) else { throw BookingRules.headcountOutOfRange }
        return NewBooking(
            unit: try BookingRules.text(new.unit, field: "unit", max: 200), unitKind: new.unitKind,
            headcount: new.headcount, leader: try BookingRules.text(new.leader, field: "leader", max: 60),
            phone: try BookingRules.phone(new.phone), email: try new.email.map(BookingRules.email),
            language: new.language,
            note: try new.note.map { try BookingRules.text($0, field: "note", max: 1000, lines: true) },
            sessions: new.sessions, extras: new.extras, waitlist: new.waitlist)
    }

    static func checkSessions(_ sessions: [Int64]) throws {
        guard (1...10).contains(sessions.count), Set(sessions).count == sessions.count else {
            throw Refusal(
                .invalid, "bad-sessions", field: "sessions", zh: "一个预约须有 1 到 10 个不同的场次",
                en: "a booking has 1 to 10 different sessions")
        }
    }

    /// Carries out a request again that lost its seats between the look and the grasp although it would wait for some.
    /// - Parameter mayWait: whether the booking may go on the waiting list.
    public static func takingTurns<Value: Sendable>(
        mayWait: Bool, _ body: @Sendable () async throws -> Value
    ) async throws -> Value {
        for _ in 0..<4 where mayWait {
            do {
                return try await body()
            } catch let refusal as Refusal where refusal.code == BookingRules.soldOutCode {}
        }
        return try await body()
    }
}
