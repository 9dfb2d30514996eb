import Database
import Foundation
import Kernel
import Messages
import Postgres

/// What was a mistake is taken back by an entry of its own, with a reason; what was taken back stays visible.
extension BookingStore {
    /// Takes the booking's last step back: arrived with all its check-ins, completed, no-show, or cancelled. Its seats are
    /// its own again if they are still free, and what was kept or was to go back follows. A register's row, which began
    /// where it ended, is taken back whole.
    public static func undo(
        _ key: BookingKey, reason: String, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let reason = try BookingRules.text(reason, field: "reason", max: 200)
            let (old, ledger) = try await lockToUndo(key, transaction, scope)
            guard seen ?? old.version == old.version else { throw BookingRules.stale }
            guard !old.isVoid else { throw BookingRules.void }
            guard BookingStep.undo.from.contains(old.state) else { throw nothingToUndo(old.state) }
            let counted = ledger.checkIns.filter(\.counts)
            guard var before = try await stand(before: old, transaction, scope) else {
                return try void(old, counted, through: ledger.closed, reason: reason, now: now, scope)
            }
            // Whoever was checked in, before it was completed or after, was there; without them nobody was.
            if old.state == .completed { before = .init(state: counted.isEmpty ? .confirmed : .arrived) }
            let undone = old.state == .arrived ? counted : []
            var booking = try await back(old, to: before, now: now, transaction, scope)
            booking.count(before.state == .arrived ? counted : [])
            let days = Dictionary(old.lines.map { ($0.session, $0.day) }) { first, _ in first }
            return step(
                from: old, to: booking, what: "undone", message: message(after: old, booking.state, now),
                day: old.lines.first.map { ledger.entryDay($0.day, now) },
                figures: [.text("undone", old.state.rawValue), .reason(reason)],
                more: undone.map {
                    let day = ledger.entryDay(days[$0.session] ?? CivilDay(of: $0.at), now)
                    return GateWrites.undo($0, day: day, reason: reason, scope)
                }, refusals: undoRefusals, now: now, scope)
        }
    }

    /// Takes one check-in back. When nobody of the group is left, it goes back to where it stood before it came.
    /// - Parameters:
    ///   - key: nil is the check-in's own.
    ///   - id: the check-in's number.
    public static func undoCheckIn(
        _ id: Int64, of key: BookingKey? = nil, reason: String, seen: Int? = nil, now: Date
    ) -> Plan<Booking> {
        { transaction, scope in
            let reason = try BookingRules.text(reason, field: "reason", max: 200)
            let own: Int64? = try await transaction.query(
                "SELECT booking_id FROM tour_check_in WHERE village_id = \(scope.village) AND id = \(id)"
            ).first?.decode("booking_id")
            guard let own else { throw unknownCheckIn(id) }
            let (old, ledger) = try await lockToUndo(key ?? .number(own), transaction, scope)
            guard seen ?? old.version == old.version else { throw BookingRules.stale }
            guard let checkIn = ledger.checkIns.first(where: { $0.id == id }),
                let line = old.lines.first(where: { $0.session == checkIn.session })
            else { throw unknownCheckIn(id) }
            guard checkIn.counts else { throw undoneAlready }
            let left = ledger.checkIns.filter { $0.counts && $0.id != id }
            guard old.state == .arrived || !left.isEmpty else {
                throw Refusal(
                    .conflict, "completed-already", field: "checkIn", zh: "预约已登记完成，请先撤销完成（booking undo）",
                    en: "the visit has been completed: take that back first (booking undo)")
            }
            let day = ledger.entryDay(line.day, now)
            var booking = old
            if left.isEmpty {
                guard let before = try await stand(before: old, transaction, scope) else {
                    throw nothingBefore(old.state)
                }
                booking = try await back(old, to: before, now: now, transaction, scope)
            }
            booking.count(left)
            return step(
                from: old, to: booking, what: "check_in_undone", message: nil, day: day,
                figures: [
                    .number("check_in", id), .number("session", checkIn.session),
                    .number("people", checkIn.headcount), .number("arrived", booking.arrived.map(Int64.init)),
                    .reason(reason),
                ], more: [GateWrites.undo(checkIn, day: day, reason: reason, scope)], refusals: undoRefusals,
                now: now, scope)
        }
    }

    private static func lockToUndo(
        _ key: BookingKey, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (Booking, GateLedger) {
        let number = try await BookingRows.find(key, transaction, scope).id.value
        _ = try await GateLedger.lock("id = \(number)", transaction, scope)
        let ledger = try await GateLedger.read(number, transaction, scope)
        return (try await BookingRows.find(.number(number), transaction, scope), ledger)
    }

    /// Where the booking stood before it came to where it stands; nil of a register's row that has stood nowhere else.
    private static func stand(
        before booking: Booking, _ transaction: Transaction, _ scope: Scope
    ) async throws -> BookingStory.Stand? {
        let answers = try await transaction.query([
            BookingStory.select("e.subject = \("\(booking.id)")", scope),
            """
            SELECT previous_state, register_key IS NOT NULL AS is_registered FROM tour_booking
            WHERE village_id = \(scope.village) AND id = \(booking.id.value)
            """,
        ])
        let way = try BookingStory.way(answers[0])
        var before = way.last?.state == booking.state ? way.dropLast().last : nil
        // Of what was recorded without a story the row itself tells one step.
        if before == nil, let row = answers[1].first {
            before = BookingState(rawValue: try row.decode("previous_state")).map { .init(state: $0) }
        }
        if let before, BookingStep.undo.targets(from: booking.state).contains(before.state) { return before }
        guard try answers[1].first?.decode("is_registered") ?? false else { throw nothingBefore(booking.state) }
        return nil
    }

    private static func nothingBefore(_ state: BookingState) -> Refusal {
        Refusal(
            .conflict, "nothing-before", field: "booking", zh: "这个预约一登记就是“\(state.label.zh)”，之前没有可以退回的状态",
            en: "the booking has been \(state.label.en) from its beginning: there is nothing to go back to")
    }

    /// The booking as it was: what is kept, held and to go back follows from its state.
    private static func back(
        _ old: Booking, to before: BookingStory.Stand, now: Date, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Booking {
        var booking = old
        booking.state = before.state
        booking.keep(
            booking.endedWithoutVisit ? BookingRules.spread(before.kept, over: old) : old.lines.map { _ in .zero })
        if booking.endedWithoutVisit {
            booking.refundWhatIsNotKept()
        } else if old.endedWithoutVisit {
            booking.refund(due: old.refunded)
        }
        guard old.state == .cancelled else { return booking }
        if before.state.holdsSeats {
            let until = BookingRules.holdUntil(
                now, minutes: old.lines.map(\.terms.holdMinutes).min() ?? 0, startsAt: old.startsAt)
            if until > now {
                booking.holdUntil = until
            } else {
                // Nothing is kept for a session that has begun: whether the group has come is said next.
                booking.state = .confirmed
            }
        }
        if before.state != .waitlisted {
            let ids = old.lines.map(\.session)
            let sessions = try BookingSeats.sessions(
                try await transaction.query(BookingSeats.select(ids, scope)), wanted: ids)
            if let closed = sessions.first(where: { !$0.isOpen }) { throw toBeReopened(closed) }
            let needed = Dictionary(uniqueKeysWithValues: old.lines.map { ($0.session, $0.headcount) })
            if let short = try await BookingSeats.short(sessions, needed: needed, now: now, transaction, scope) {
                throw BookingRules.noSeats(short)
            }
        }
        return booking
    }

    /// What the group is told: that it is not cancelled after all, while it can still come.
    private static func message(after old: Booking, _ state: BookingState, _ now: Date) -> MessageKind? {
        old.state == .cancelled && old.startsAt > now ? MessageKind(rawValue: state.rawValue) : nil
    }

    private static func toBeReopened(_ session: BookableSession) -> Refusal {
        let refusal = BookingRules.sessionClosed(session)
        return Refusal(
            .conflict, refusal.code, field: refusal.field,
            zh: "\(refusal.message.zh)；请先重新开放（tour session reopen \(session.id)）",
            en: "\(refusal.message.en): open it again first (tour session reopen \(session.id))")
    }

    private static func nothingToUndo(_ state: BookingState) -> Refusal {
        Refusal(
            .conflict, "nothing-to-undo", field: "booking",
            zh: "预约现在是“\(state.label.zh)”；可以撤销的是已到、已完成、未到和已取消",
            en: "the booking is \(state.label.en); what can be taken back is arrived, completed, no-show and cancelled")
    }

    static func unknownCheckIn(_ id: Int64) -> Refusal {
        Refusal(
            .notFound, "unknown-check-in", field: "checkIn", zh: "没有签到 \(id)；编号见 booking show",
            en: "there is no check-in \(id); booking show lists them")
    }

    private static let undoneAlready = Refusal(
        .conflict, "undone-already", field: "checkIn", zh: "这次签到没有计入，或已经撤销",
        en: "this check-in does not count, or has been taken back already")

    private static let undoRefusals = [
        "tour_check_in_undone_once": undoneAlready, "tour_session_not_oversold": BookingRules.noSeats,
    ]
}

extension Booking {
    /// Adds up who came, session by session.
    mutating func count(_ checkIns: [GateCheckIn]) {
        let sums = Dictionary(checkIns.map { ($0.session, $0.headcount) }) { $0 + $1 }
        for index in lines.indices { lines[index].arrived = sums[lines[index].session] }
        arrived = sums.values.max()
    }
}

extension BookingRules {
    /// An amount that is kept in all, session by session: of none more than it and its extras cost.
    static func spread(_ kept: Money, over booking: Booking) -> [Money] {
        var left = kept
        return booking.lines.map { line in
            let extras = booking.extras.filter { $0.session == line.session }.map(\.amount.fen).reduce(0, +)
            let part = min(left, Money(fen: line.amount.fen + extras))
            left = Money(fen: left.fen - part.fen)
            return part
        }
    }
}
