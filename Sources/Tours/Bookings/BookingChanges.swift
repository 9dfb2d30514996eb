import Database
import Foundation
import Kernel
import Messages
import Postgres

extension BookingStore {
    /// Changes a booking that has not yet come: who comes, how many, to which sessions, with what. Seats are taken and
    /// given back in one transaction, and what becomes free goes on to those who wait.
    ///
    /// A stranger may do so until the `change_hours` of its terms before the start. Sessions that stay keep
    /// the terms under which they were booked, extras their price.
    public static func change(
        _ key: BookingKey, _ change: BookingChange, seen: Int? = nil, limits: BookingLimits = .usual, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let old = try await read(
                key, seen: seen, from: BookingStep.change.from, transaction, scope)
            var booking = try withContact(old, change)
            let ids = try change.sessions.map { sessions in
                try checkSessions(sessions)
                return sessions.sorted()
            }
            let oldIDs = old.lines.map(\.session)
            var isOnce = false
            let reseats =
                change.headcount ?? old.headcount != old.headcount || ids ?? oldIDs != oldIDs || change.extras != nil
            if reseats || change.language != nil {
                try checkTimes(old, key, now)
                let answers = try await transaction.query([
                    BookingSeats.select(ids ?? oldIDs, scope),
                    BookingExtras.select((change.extras?.map(\.extra) ?? []) + old.extras.map(\.extra), scope),
                    """
                    SELECT f.session_id FROM tour_gate_conflict f
                    WHERE f.village_id = \(scope.village) AND f.booking_id = \(old.id.value)
                        AND f.session_id IS NOT NULL AND NOT EXISTS (
                            SELECT FROM tour_gate_settlement s
                            WHERE s.village_id = \(scope.village) AND s.conflict_id = f.id)
                    """,
                    OpenBooking.select([booking.phone], scope),
                ])
                let sessions = try BookingSeats.sessions(answers[0], wanted: ids ?? oldIDs)
                booking.language = try BookingRules.language(change.language ?? old.language, sessions)
                if reseats {
                    try reseat(&booking, change, sessions, offered: try BookingExtras.offered(answers[1]))
                    let seen = Set(try answers[2].map { try $0.decode("session_id", as: Int64.self) })
                    try checkSessions(
                        sessions, old, booking, seen: key.isStranger ? [] : seen, byStranger: key.isStranger, now)
                    if key.isStranger { try BookingRules.checkFeeIsNotDodged(old, booking, now: now) }
                }
                let moves = BookingSeats.moves(from: old.lines, old.state, to: booking.lines, old.state)
                let needed = Dictionary(uniqueKeysWithValues: moves.map { ($0.session, $0.held + $0.booked) })
                if let short = try await BookingSeats.short(sessions, needed: needed, now: now, transaction, scope) {
                    throw BookingRules.noSeats(short)
                }
                let others = try OpenBooking.all(answers[3]).filter { $0.id != old.id.value }
                isOnce = try checkTwins(others, from: oldIDs, to: ids ?? oldIDs, change, byStranger: key.isStranger)
            }
            if booking.state.holdsSeats, let until = old.holdUntil {
                booking.holdUntil = min(until, booking.startsAt)
            }
            booking.version = old.version + 1
            let isBound = key.isStranger && !limits.areNone && reseats && booking.state != .confirmed
            let check =
                isBound || isOnce
                ? limits.statement(
                    once: isOnce ? [old.id.value] : [], bound: isBound ? [old.id.value] : [], scope) : nil
            return written(
                booking, old, reseats: reseats, check, refusals: limits.refusals, now: now, scope)
        }
    }

    /// Asks about a session that the booking's phone has booked already, where the booking goes to it.
    /// - Returns: whether it must not be the second of its phone in any of its sessions: not where that is meant, or was
    ///   before.
    private static func checkTwins(
        _ others: [OpenBooking], from: [Int64], to: [Int64], _ change: BookingChange, byStranger: Bool
    ) throws -> Bool {
        let new = to.filter { !from.contains($0) }
        guard !change.again, !new.isEmpty else { return false }
        if let twin = others.first(where: { other in new.contains { other.sessions.contains($0) } }) {
            throw BookingRules.bookedAlready(byStranger ? nil : twin)
        }
        return !others.contains { other in to.contains { other.sessions.contains($0) } }
    }

    private static func withContact(_ old: Booking, _ change: BookingChange) throws -> Booking {
        var booking = old
        if let unit = change.unit { booking.unit = try BookingRules.text(unit, field: "unit", max: 200) }
        if let unitKind = change.unitKind { booking.unitKind = unitKind }
        if let leader = change.leader { booking.leader = try BookingRules.text(leader, field: "leader", max: 60) }
        if let phone = change.phone { booking.phone = try BookingRules.phone(phone) }
        if let email = change.email { booking.email = email.trimmed.isEmpty ? nil : try BookingRules.email(email) }
        if let note = change.note {
            booking.note =
                note.trimmed.isEmpty ? nil : try BookingRules.text(note, field: "note", max: 1000, lines: true)
        }
        return booking
    }

    private static func checkTimes(_ old: Booking, _ key: BookingKey, _ now: Date) throws {
        guard !old.extras.contains(where: \.wasSettled) else {
            throw Refusal(
                .conflict, "picked-already", field: "extras", zh: "采摘已经结算，不能再改人数、场次和附加项",
                en: "picking has been settled: heads, sessions and extras can't be changed any more")
        }
        if key.isStranger {
            try BookingRules.checkStrangersTime(old, cancelling: false, now: now)
            if old.hasLapsed(now) { throw BookingRules.notFrom(.expired, byStranger: true) }
        }
    }

    /// Puts the group into its sessions with its extras.
    private static func reseat(
        _ booking: inout Booking, _ change: BookingChange, _ sessions: [BookableSession],
        offered: [BookingExtras.Offered]
    ) throws {
        let old = booking
        booking.headcount = change.headcount ?? old.headcount
        guard (1...10_000).contains(booking.headcount) else { throw BookingRules.headcountOutOfRange }
        booking.lines = sessions.map { session in
            guard var line = old.lines.first(where: { $0.session == session.id }) else {
                return session.line(of: booking.headcount)
            }
            if line.headcount != booking.headcount {
                line.headcount = booking.headcount
                line.amount = Money(fen: line.price.fen * Int64(booking.headcount))
            }
            return line
        }
        // A meal for every head stays one for every head.
        let kept = old.extras.map { extra in
            WantedExtra(
                extra: extra.extra,
                quantity: extra.kind == .meal && extra.quantity == old.headcount ? booking.headcount : extra.quantity,
                session: sessions.contains { $0.id == extra.session } ? extra.session : nil)
        }
        let asBooked = offered.map { offer in
            old.extras.first { $0.extra == offer.id }.map { offer.priced($0.price) } ?? offer
        }
        booking.extras = try BookingExtras.extras(change.extras ?? kept, offered: asBooked, sessions: sessions)
        booking.fee = try BookingRules.fee(booking.lines, booking.extras)
        guard booking.agreed.fen >= 0 else { throw AdjustmentStore.belowZero(old) }
        booking.grantNothingTooMuch()
    }

    /// The rules for the group in its new sessions; what it only leaves or keeps need not be open.
    /// - Parameter seen: sessions to which a gate has let it in, and that it may go back to although they are over.
    private static func checkSessions(
        _ sessions: [BookableSession], _ old: Booking, _ new: Booking, seen: Set<Int64>, byStranger: Bool, _ now: Date
    ) throws {
        try BookingRules.checkHeadcount(new.headcount, sessions, byStranger: byStranger)
        try BookingRules.checkTime(sessions.filter { !seen.contains($0.id) }, byStranger: byStranger, now: now)
        try BookingRules.checkOpen(
            sessions.filter { session in
                let before = old.lines.first { $0.session == session.id }?.headcount ?? 0
                return new.headcount > before
            })
        guard !new.state.holdsSeats || new.startsAt > now else {
            throw Refusal(
                .conflict, "session-over", field: "sessions", zh: "场次已经开始，请先确认预约",
                en: "the session has begun: confirm the booking first")
        }
    }

    private static func written(
        _ booking: Booking, _ old: Booking, reseats: Bool, _ check: SQL?, refusals: [String: Refusal], now: Date,
        _ scope: Scope
    ) -> Change<Booking> {
        let id = booking.id.value
        let (from, to) = (old.lines.map(\.session), booking.lines.map(\.session))
        var figures: [Event.Figure] = []
        if old.headcount != booking.headcount {
            figures += [.number("people", booking.headcount), .number("people_before", old.headcount)]
        }
        if from != to {
            figures += [.text("sessions", list(to)), .text("sessions_before", list(from))]
        }
        var writes = [BookingRows.update(booking, seen: old.version, step: false, scope)]
        var lastWrites: [SQL] = []
        if reseats {
            writes += [
                "DELETE FROM tour_booking_extra WHERE village_id = \(scope.village) AND booking_id = \(id)",
                """
                DELETE FROM tour_booking_session WHERE village_id = \(scope.village) AND booking_id = \(id)
                    AND session_id <> ALL(\(to)::bigint[])
                """,
            ]
            writes += booking.lines.map { BookingRows.upsert($0, of: booking, scope) }
            let extras = BookingExtras.rows(booking, scope)
            if !extras.isEmpty { writes.append(SQL.insert(extras)) }
            // Who waits for fewer seats, or for others, may find them free.
            lastWrites =
                booking.state == .waitlisted
                ? ["SELECT promote_waiting(\(scope.village), \(to)::bigint[], \(now))"]
                : BookingSeats.statements(
                    BookingSeats.moves(from: old.lines, old.state, to: booking.lines, booking.state), now: now, scope)
        }
        writes.append(message(.changed, booking, scope))
        if let check { lastWrites.insert(check, at: 0) }
        return Change(
            booking, writes: writes, lastWrites: lastWrites,
            refusals: BookingSeats.refusals.merging(
                [
                    "tour_session_not_oversold": BookingRules.noSeats
                ]) { $1 }.merging(refusals) { $1 },
            event: .ofBooking(from == to ? "changed" : "moved", booking, figures))
    }

    static func list(_ sessions: [Int64]) -> String {
        sessions.map(String.init).joined(separator: "+")
    }
}

extension BookingExtras.Offered {
    func priced(_ price: Money) -> Self {
        Self(id: id, programmeID: programmeID, kind: kind, name: name, price: price)
    }
}
