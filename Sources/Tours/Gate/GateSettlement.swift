import Database
import Foundation
import Kernel
import Postgres

/// What the desk finds of what a gate saw.
extension GateConflictStore {
    /// Settles a conflict, once. Accepted, its people came: they count and their booking has arrived, whatever it stood at;
    /// one that was cancelled or had expired takes its seats again. Dismissed, nothing counts.
    /// - Parameter session: where they came to, of a booking's sessions; nil is where the gate let them in.
    public static func settle(
        _ id: Int64, accept: Bool, session: Int64? = nil, reason: String, now: Date
    ) -> Plan<GateConflict> {
        { transaction, scope in
            let reason = try BookingRules.text(reason, field: "reason", max: 200)
            let which: SQL = "f.id = \(id)"
            guard
                let found = try await transaction.query(GateRecords.conflicts(which, scope)).first.map(
                    GateRecords.conflict)
            else {
                throw Refusal(
                    .notFound, "unknown-conflict", field: "conflict", zh: "没有待处理项 \(id)；见 booking conflicts",
                    en: "there is no conflict \(id); booking conflicts lists them")
            }
            _ = try await GateLedger.lock("id = \(found.booking)", transaction, scope)
            let ledger = try await GateLedger.read(found.booking, transaction, scope)
            guard let conflict = ledger.conflicts.first(where: { $0.id == id }), conflict.settlement == nil else {
                throw settledAlready
            }
            let settlement: SQL = """
                INSERT INTO tour_gate_settlement (village_id, conflict_id, accepted, reason, actor)
                VALUES (\(scope.village), \(id), \(accept), \(reason), \(scope.actor))
                """
            let settled = conflict.settled(accepted: accept, reason: reason, by: scope.actor, at: now)
            guard accept else {
                return Change(
                    settled, writes: [settlement], refusals: ["tour_gate_settled_once": settledAlready],
                    event: .ofBooking(
                        "gate_settled", conflict.booking, ledger.booking.state,
                        [.number("conflict", id), .text("verdict", "dismissed"), .reason(reason)]))
            }
            let visit = try place(conflict, session, ledger, now: now)
            let old = try await BookingRows.find(.number(conflict.booking), transaction, scope)
            guard !old.isVoid else { throw BookingRules.void }
            return accepted(conflict, visit, old, ledger, settlement, reason, now: now, scope).map { booking in
                settled.standing(booking.state)
            }
        }
    }

    /// Where the people of a conflict came to.
    private static func place(
        _ conflict: GateConflict, _ session: Int64?, _ ledger: GateLedger, now: Date
    ) throws -> GateVisit {
        if !BookingStep.admit.from.contains(ledger.booking.state) { try CheckInRules.admit(ledger.booking.state) }
        let only = ledger.booking.visits.count == 1 && conflict.session == nil ? ledger.booking.visits.first : nil
        guard let visit = ledger.visit(session ?? conflict.session) ?? (session == nil ? only : nil) else {
            let names = ledger.booking.visits.map(\.name)
            throw Refusal(
                .conflict, "not-its-session", field: "session",
                zh:
                    "预约现在订的是\(names.map(\.zh).joined(separator: "、"))；请先把它改回来的那一场（booking move），或用 --session 指明计入哪一场，或不予认可",
                en:
                    "the booking is for \(names.map(\.en).joined(separator: ", ")) now: move it back to the one that they came to "
                    + "(booking move), name the one to count them for (--session), or dismiss it")
        }
        guard visit.day <= BookingRules.today(now) else {
            throw Refusal(
                .conflict, "session-not-begun", field: "session", zh: "场次在 \(visit.day)，还没有到",
                en: "the session is on \(visit.day), not yet")
        }
        return visit
    }

    private static func accepted(
        _ conflict: GateConflict, _ visit: GateVisit, _ old: Booking, _ ledger: GateLedger, _ settlement: SQL,
        _ reason: String, now: Date, _ scope: Scope
    ) -> Change<Booking> {
        let entry = CheckInEntry(
            code: "", headcount: conflict.headcount, nonce: "conflict-\(conflict.id)", at: conflict.at, more: true)
        let before = ledger.counted(visit.session).reduce(0) { $0 + $1.headcount }
        let day = ledger.entryDay(visit.day, now)
        var booking = old
        if old.state != .completed { booking.state = .arrived }
        if old.state != .completed && old.state != .arrived {
            // What was kept because nobody came is the visit's fee now, and none of it goes back.
            booking.keep(old.lines.map { _ in .zero })
            booking.refund(due: old.refunded)
        }
        for index in booking.lines.indices where booking.lines[index].session == visit.session {
            booking.lines[index].arrived = before + conflict.headcount
        }
        booking.arrived = booking.lines.compactMap(\.arrived).max()
        return BookingStore.step(
            from: old, to: booking, what: "gate_settled", message: nil, day: day,
            figures: [
                .number("conflict", conflict.id), .text("verdict", "accepted"), .number("session", visit.session),
                .number("people", conflict.headcount), .number("arrived", before + conflict.headcount),
                .reason(reason),
            ],
            more: [
                GateWrites.checkIn(
                    entry, booking: conflict.booking, visit, day: day, after: before, offline: conflict.offline, scope),
                settlement,
            ],
            refusals: [
                "tour_gate_settled_once": settledAlready, "tour_check_in_nonce_once": settledAlready,
                "tour_session_not_oversold": noRoom, "tour_session_closed_takes_none": noRoom,
            ], now: now, scope)
    }

    private static let settledAlready = Refusal(
        .conflict, "settled-already", field: "conflict", zh: "这一项已经处理过了", en: "this conflict has been settled already")

    private static let noRoom = Refusal(
        .conflict, "sold-out", field: "conflict",
        zh: "预约的名额已给了别人；认可他们入场，请先调大容量（tour session change --capacity）或重新开放场次",
        en: "the booking's seats have gone to others: to accept them, raise the session's capacity first (tour session "
            + "change --capacity), or open it again")
}

extension GateConflict {
    fileprivate func settled(accepted: Bool, reason: String, by actor: String, at: Date) -> GateConflict {
        with(state, Settlement(accepted: accepted, reason: reason, actor: actor, at: at))
    }

    fileprivate func standing(_ state: BookingState) -> GateConflict { with(state, settlement) }

    private func with(_ state: BookingState, _ settlement: Settlement?) -> GateConflict {
        GateConflict(
            id: id, booking: booking, reference: reference, unit: unit, state: state, session: session, day: day,
            headcount: headcount, why: why, offline: offline, at: at, receivedAt: receivedAt, actor: actor,
            settlement: settlement, nonce: nonce, checkIn: checkIn)
    }
}
