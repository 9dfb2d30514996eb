import Database
import Foundation
import Kernel
import Postgres

/// A booking with all that its gates have told, read under the booking's lock: what is decided upon it holds until the
/// transaction ends.
struct GateLedger: Sendable {
    let booking: GateBooking
    /// In the order of their times, as the gates' clocks told them.
    let checkIns: [GateCheckIn]
    let conflicts: [GateConflict]
    /// Through which day the books are closed.
    let closed: CivilDay?

    /// Check-ins of one booking wait for each other here, and for whoever changes the booking.
    static func lock(
        _ named: CheckInRules.Named, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int64 {
        let which: SQL =
            switch named {
            case .ticket(let body): "id = \(Int64(body.booking))"
            case .number(let number): "id = \(number)"
            case .reference(let reference): "reference = \(reference.text)"
            }
        guard let number = try await lock(which, transaction, scope) else {
            throw BookingReference.unknown.renamed(field: "code")
        }
        return number
    }

    /// - Parameter which: a condition on the booking.
    static func lock(_ which: SQL, _ transaction: Transaction, _ scope: Scope) async throws -> Int64? {
        let answers = try await transaction.query([
            ClosedBooks.hold(scope),
            "SELECT id FROM tour_booking WHERE village_id = \(scope.village) AND \(which) FOR NO KEY UPDATE",
        ])
        return try answers[1].first?.decode("id")
    }

    static func read(_ number: Int64, _ transaction: Transaction, _ scope: Scope) async throws -> GateLedger {
        let answers = try await transaction.query([
            GateRows.booking(number, scope), GateRecords.checkIns("c.booking_id = \(number)", scope),
            GateRecords.conflicts("f.booking_id = \(number)", scope), ClosedBooks.through(scope),
        ])
        guard let booking = try GateRows.decode(answers[0]).first else {
            throw BookingReference.unknown.renamed(field: "code")
        }
        return GateLedger(
            booking: booking, checkIns: try answers[1].map(GateRecords.checkIn),
            conflicts: try answers[2].map(GateRecords.conflict), closed: try answers[3].first?.decode("through"))
    }

    /// Those whose heads came to a session.
    func counted(_ session: Int64) -> [GateCheckIn] { checkIns.filter { $0.session == session && $0.counts } }

    /// The day for which what is found of a visit now is entered: its own, or today where its books are closed.
    func entryDay(_ day: CivilDay, _ now: Date) -> CivilDay {
        ClosedBooks.entryDay(day, through: closed, today: BookingRules.today(now))
    }

    func visit(_ session: Int64?) -> GateVisit? { booking.visits.first { $0.session == session } }

    /// Heads of other bookings that came to the session or are still expected. The session is locked meanwhile, so
    /// that two groups can't both take its last room.
    func others(_ session: Int64, _ transaction: Transaction, _ scope: Scope) async throws -> Int {
        let answers = try await transaction.query([
            "SELECT id FROM tour_session WHERE village_id = \(scope.village) AND id = \(session) FOR NO KEY UPDATE",
            """
            SELECT coalesce(sum(coalesce(l.arrived, l.headcount)), 0)::int AS others
            FROM tour_booking_session l
            JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
            WHERE l.village_id = \(scope.village) AND l.session_id = \(session) AND l.booking_id <> \(booking.number)
                AND b.state IN ('requested', 'held', 'confirmed', 'arrived', 'completed')
            """,
        ])
        return try answers[1].first?.decode("others") ?? 0
    }

    /// The answer to what was told before under the same nonce.
    /// - Throws: a `Refusal` when the nonce was used for another check-in.
    func answer(toSame entry: CheckInEntry) throws -> CheckInAnswer? {
        if let known = checkIns.first(where: { $0.nonce == entry.nonce }) {
            guard known.headcount == entry.headcount else { throw CheckInRules.nonceReused() }
            let visit = visit(known.session)
            let counted = counted(known.session)
            // It counted until an earlier scan came to light, or is one of the older ones that never did.
            let conflict = conflicts.first { $0.checkIn == known.id }
            guard known.counted, conflict == nil else {
                return answer(
                    .twice, conflict?.id, why: .twice, visit, entry, at: known.at, isRepeat: true,
                    isOpen: conflict.map { $0.settlement == nil } ?? false, earlier: counted.first?.earlier)
            }
            let before = counted.last { ($0.at, $0.nonce) < (known.at, known.nonce) }
            var answer = answer(
                .counted, known.id, visit, entry, at: known.at, isRepeat: true, earlier: before?.earlier)
            if known.undone != nil { answer.warnings.append(.undone) }
            return answer
        }
        guard let known = conflicts.first(where: { $0.nonce == entry.nonce }) else { return nil }
        guard known.headcount == entry.headcount else { throw CheckInRules.nonceReused() }
        return answer(
            known.why == .twice ? .twice : .conflict, known.id, why: known.why, visit(known.session), entry,
            at: known.at, day: known.day, isRepeat: true, isOpen: known.settlement == nil,
            earlier: known.why == .twice ? known.session.flatMap { counted($0).first?.earlier } : nil)
    }

    func answer(
        _ outcome: CheckInAnswer.Outcome, _ number: Int64? = nil, why: GateConflict.Why? = nil, _ visit: GateVisit?,
        _ entry: CheckInEntry, at: Date, day: CivilDay? = nil, isRepeat: Bool = false,
        isOpen: Bool? = nil, arrived: Int? = nil, earlier: CheckInAnswer.Earlier?, warnings: [GateWarning] = []
    ) -> CheckInAnswer {
        let present = visit.map { counted($0.session).reduce(0) { $0 + $1.headcount } }
        return CheckInAnswer(
            outcome: outcome, isRepeat: isRepeat, number: number, why: why, booking: booking.number,
            reference: booking.reference, unit: booking.unit, session: visit?.session ?? entry.session,
            day: day ?? visit?.day ?? CivilDay(of: at), site: visit?.site, programme: visit?.programme,
            expected: visit?.headcount, headcount: entry.headcount, arrived: arrived ?? present, at: at,
            earlier: earlier, warnings: warnings, isOpen: isOpen ?? (outcome != .counted))
    }
}

/// The statements that write what came of a check-in.
enum GateWrites {
    /// - Parameter day: the one that it is entered for; nil is the visit's.
    static func checkIn(
        _ entry: CheckInEntry, booking: Int64, _ visit: GateVisit, day: CivilDay? = nil, after: Int, offline: Bool,
        _ scope: Scope
    ) -> SQL {
        """
        INSERT INTO tour_check_in (village_id, booking_id, session_id, day, nonce, headcount, counts, after, certain,
            offline, unlisted, at, actor)
        VALUES (\(scope.village), \(booking), \(visit.session), \(day ?? visit.day), \(entry.nonce),
            \(entry.headcount), true, \(after), \(entry.more), \(offline), \(entry.unlisted), \(entry.at), \(scope.actor))
        """
    }

    static func undo(_ checkIn: GateCheckIn, day: CivilDay, reason: String, _ scope: Scope) -> SQL {
        """
        INSERT INTO tour_check_in_undo (village_id, booking_id, check_in_id, day, reason, actor)
        VALUES (\(scope.village), \(checkIn.booking), \(checkIn.id), \(day), \(reason), \(scope.actor))
        """
    }

    /// - Parameter checkIn: what counted until now.
    static func conflict(
        _ why: GateConflict.Why, _ entry: CheckInEntry, booking: Int64, session: Int64?, day: CivilDay,
        checkIn: Int64? = nil, offline: Bool, _ scope: Scope
    ) -> SQL {
        """
        INSERT INTO tour_gate_conflict (village_id, booking_id, session_id, check_in_id, day, nonce, headcount, why,
            offline, at, actor)
        VALUES (\(scope.village), \(booking), (
                SELECT id FROM tour_session WHERE village_id = \(scope.village) AND id = \(session)::bigint),
            \(checkIn), \(day), \(entry.nonce), \(entry.headcount), \(why.rawValue), \(offline), \(entry.at),
            \(scope.actor))
        """
    }

    /// Adds up who came to a session; with a step, and its income, where the group was not there before.
    static func arrive(_ booking: GateBooking, _ session: Int64, on today: CivilDay, _ scope: Scope) -> [SQL] {
        var writes: [SQL] = [
            """
            UPDATE tour_booking_session l SET arrived = (
                SELECT sum(c.headcount)::int FROM tour_check_in c
                WHERE c.village_id = \(scope.village) AND c.booking_id = l.booking_id AND c.session_id = l.session_id
                    AND c.counts AND NOT EXISTS (
                        SELECT FROM tour_check_in_undo u WHERE u.village_id = \(scope.village)
                            AND u.booking_id = c.booking_id AND u.check_in_id = c.id))
            WHERE l.village_id = \(scope.village) AND l.booking_id = \(booking.number) AND l.session_id = \(session)
            """
        ]
        if booking.state == .noShow {
            // What the village kept because nobody came is the visit's fee now, and none of it goes back.
            writes.append(
                """
                UPDATE tour_booking_session SET kept_fen = 0
                WHERE village_id = \(scope.village) AND booking_id = \(booking.number)
                """)
        }
        let step: SQL =
            switch booking.state {
            case .noShow:
                "previous_state = state, state = 'arrived', kept_fen = 0, refund_due_fen = refunded_fen, "
            case .confirmed: "previous_state = state, state = 'arrived', "
            default: ""
            }
        writes.append(
            """
            UPDATE tour_booking SET version = version + 1, \(step)arrived = (
                    SELECT max(l.arrived) FROM tour_booking_session l
                    WHERE l.village_id = \(scope.village) AND l.booking_id = tour_booking.id)
            WHERE village_id = \(scope.village) AND id = \(booking.number)
            """)
        writes.append(TourEarnings.settle("ARRAY[\(booking.number)]::bigint[]", on: today, scope))
        return writes
    }
}
