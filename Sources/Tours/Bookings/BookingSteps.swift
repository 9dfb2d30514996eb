import Database
import Foundation
import Kernel
import Messages
import Postgres

/// The steps of a booking after its beginning. `seen` is the version that whoever takes the step has before them: the
/// step is refused as `booking-changed` when somebody else has taken one since, known beforehand or not.
extension BookingStore {
    /// Requested or held becomes confirmed: its seats are its own.
    public static func confirm(_ key: BookingKey, seen: Int? = nil, now: Date) -> Plan<Booking> {
        { transaction, scope in
            let old = try await read(key, seen: seen, from: BookingStep.confirm.from, transaction, scope)
            var booking = old
            booking.state = .confirmed
            booking.holdUntil = nil
            booking.accept()
            return step(from: old, to: booking, message: .confirmed, now: now, scope)
        }
    }

    /// Keeps the seats of a request or a hold anew, or takes seats for one that waits.
    /// - Parameter minutes: from now on; the programmes' own time unless told. Never beyond the first session's start.
    public static func hold(_ key: BookingKey, minutes: Int? = nil, seen: Int? = nil, now: Date) -> Plan<Booking> {
        { transaction, scope in
            let old = try await read(key, seen: seen, from: BookingStep.hold.from, transaction, scope)
            guard (1...525_600).contains(minutes ?? 1) else {
                throw Refusal(
                    .invalid, "bad-minutes", field: "minutes", zh: "保留时间须在 1 到 525600 分钟之间",
                    en: "seats are kept for 1 to 525,600 minutes")
            }
            if old.state == .waitlisted {
                let ids = old.lines.map(\.session)
                let sessions = try BookingSeats.sessions(
                    try await transaction.query(BookingSeats.select(ids, scope)), wanted: ids)
                try BookingRules.checkOpen(sessions)
                let needed = Dictionary(uniqueKeysWithValues: old.lines.map { ($0.session, $0.headcount) })
                if let short = try await BookingSeats.short(sessions, needed: needed, now: now, transaction, scope) {
                    throw BookingRules.noSeats(short)
                }
            }
            var booking = old
            booking.state = .held
            let until = BookingRules.holdUntil(
                now, minutes: minutes ?? old.lines.map(\.terms.holdMinutes).min() ?? 0, startsAt: old.startsAt)
            guard until > now else {
                throw Refusal(
                    .conflict, "session-over", field: "minutes", zh: "场次已经开始，不能再保留名额",
                    en: "the session has begun: no seats are kept any more")
            }
            booking.holdUntil = until
            return step(from: old, to: booking, message: .held, now: now, scope)
        }
    }

    /// Cancels. What the village keeps follows the terms of the booking; what was paid beyond that is to go back.
    /// - Parameters:
    ///   - waive: the desk keeps nothing.
    ///   - byVillage: it is the village that can't receive the group, and keeps nothing.
    ///   - reason: a note for the desk.
    public static func cancel(
        _ key: BookingKey, waive: Bool = false, byVillage: Bool = false, reason: String? = nil, seen: Int? = nil,
        now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await read(key, seen: seen, from: BookingStep.cancel.from, transaction, scope)
            if key.isStranger { try BookingRules.checkStrangersTime(old, cancelling: true, now: now) }
            let reason = try reason.map { try BookingRules.text($0, field: "reason", max: 200) }
            var booking = old
            booking.state = .cancelled
            booking.holdUntil = nil
            if !waive && !byVillage {
                booking.keep(BookingRules.kept(of: old) { BookingRules.lateFeePercent($0, old.state, now: now) })
            }
            booking.refundWhatIsNotKept()
            return step(
                from: old, to: booking, message: .cancelled,
                figures: [
                    .fen(booking.kept, "kept_fen"), .fen(booking.refundDue, "due_fen"),
                    .text("by", byVillage ? "village" : nil), .reason(reason),
                ], now: now, scope)
        }
    }

    /// Notes that a confirmed group did not come, once the last of its sessions has begun. What the village keeps is income on each session's day as far as it was
    /// paid; what was paid beyond it is to go back.
    public static func noShow(
        _ key: BookingKey, waive: Bool = false, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await read(key, seen: seen, from: BookingStep.noShow.from, transaction, scope)
            if let last = old.lines.map(\.startsAt).max(), last > now { throw notBegun(last.minute) }
            var booking = old
            booking.state = .noShow
            if !waive { booking.keep(BookingRules.kept(of: old, percent: \.terms.noShowFeePercent)) }
            booking.refundWhatIsNotKept()
            return step(
                from: old, to: booking, message: .noShow, day: try await entryDay(of: old, now, transaction, scope),
                figures: [.fen(booking.kept, "kept_fen"), .fen(booking.refundDue, "due_fen")], now: now, scope)
        }
    }

    /// Notes that the visit is over.
    /// - Parameter arrived: how many came; needed where nobody was checked in at the gate.
    public static func complete(
        _ key: BookingKey, arrived: Int? = nil, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await read(key, seen: seen, from: BookingStep.complete.from, transaction, scope)
            if let day = old.lines.map(\.day).max(), day > BookingRules.today(now) { throw notBegun("\(day)") }
            guard let came = arrived ?? old.arrived else {
                throw Refusal(
                    .invalid, "arrived-missing", field: "arrived", zh: "没有签到记录，请给出实到人数",
                    en: "nobody was checked in: say how many came")
            }
            guard (1...10_000).contains(came) else {
                throw Refusal(
                    .invalid, "bad-headcount", field: "arrived", zh: "人数须在 1 到 10000 之间；没有人来请登记为未到",
                    en: "the headcount must lie between 1 and 10,000; a group that did not come is a no-show")
            }
            var booking = old
            booking.state = .completed
            booking.arrived = came
            // Without a number those count whom the gate has let in, session by session.
            if arrived != nil {
                for index in booking.lines.indices { booking.lines[index].arrived = came }
            }
            return step(
                from: old, to: booking, message: nil, day: try await entryDay(of: old, now, transaction, scope),
                figures: [.number("people", came)], now: now, scope)
        }
    }

    /// The day for which what became of a visit is entered now: its last, or today where the books of that are closed.
    private static func entryDay(
        of booking: Booking, _ now: Date, _ transaction: Transaction, _ scope: Scope
    ) async throws -> CivilDay? {
        guard let day = booking.lines.map(\.day).max() else { return nil }
        let answers = try await transaction.query([ClosedBooks.hold(scope), ClosedBooks.through(scope)])
        return ClosedBooks.entryDay(
            day, through: try answers[1].first?.decode("through"), today: BookingRules.today(now))
    }

    /// - Parameter moment: when it does.
    private static func notBegun(_ moment: String) -> Refusal {
        Refusal(
            .conflict, "session-not-begun", field: "state", zh: "场次在 \(moment)，还没有到",
            en: "the session is on \(moment), not yet")
    }

    /// The change by which a booking goes into its new state.
    /// - Parameters:
    ///   - what: what happened, where the state that it leads to does not tell.
    ///   - more: what else is written with it.
    ///   - refusals: what the constraints on it tell besides.
    static func step(
        from old: Booking, to new: Booking, what: String? = nil, message: MessageKind?, day: CivilDay? = nil,
        figures: [Event.Figure] = [], more: [SQL] = [], refusals: [String: Refusal] = [:], now: Date, _ scope: Scope
    ) -> Change<Booking> {
        var booking = new
        booking.version = old.version + 1
        let isStep = old.state != booking.state || booking.state == .held || booking.isVoid
        var writes = [BookingRows.update(booking, seen: old.version, step: isStep, scope)]
        for (before, after) in zip(old.lines, booking.lines)
        where before.kept != after.kept || before.arrived != after.arrived || before.isUpset != after.isUpset {
            writes.append(BookingRows.upsert(after, of: booking, scope))
        }
        if old.earns || booking.earns {
            writes.append(TourEarnings.settle([booking], on: BookingRules.today(now), scope))
        }
        if let message { writes.append(Self.message(message, booking, scope)) }
        return Change(
            booking, writes: writes + more,
            lastWrites: BookingSeats.statements(
                BookingSeats.moves(from: old.lines, old.state, to: booking.lines, booking.state), now: now, scope),
            refusals: BookingSeats.refusals.merging(["tour_session_not_oversold": BookingRules.noSeats]) { $1 }
                .merging(refusals) { $1 },
            event: .ofBooking(what ?? booking.state.rawValue, booking, day: day, figures))
    }
}
