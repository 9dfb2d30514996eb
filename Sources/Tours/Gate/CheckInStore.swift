import Codes
import Database
import Foundation
import Kernel
import Postgres
import Signing

/// The gate's register.
public struct CheckInStore: Sendable {
    let database: Database
    let keys: KeyRing

    public init(_ database: Database, keys: KeyRing) {
        self.database = database
        self.keys = keys
    }

    /// What was told before: thrown out of the plan, so that its transaction leaves nothing, no audit row either.
    private struct Repeated: Error {
        let answer: CheckInAnswer
    }

    /// Lets a group in. The first check-in of a booking and session counts; another is kept and told as `twice`; the
    /// same again, by its nonce, gives the same answer and changes nothing.
    /// - Parameter offline: whether it comes out of a journal.
    /// - Throws: a `Refusal` that says why they don't come in.
    public func record(
        _ entry: CheckInEntry, offline: Bool = false, now: Date, _ scope: Scope
    ) async throws -> CheckInAnswer {
        try CheckInRules.check(entry, now: now)
        let named = try CheckInRules.read(entry.code, check: keys.check(ticket:))
        do {
            return try await database.change(scope, Self.plan(entry, named, offline: offline, today: CivilDay(of: now)))
        } catch let repeated as Repeated {
            return repeated.answer
        }
    }

    /// The same, where a refusal is an answer too, as for one of several entries.
    /// - Throws: a `Refusal` of kind `unavailable` when the database is away.
    public func result(
        of entry: CheckInEntry, offline: Bool, now: Date, _ scope: Scope
    ) async throws -> CheckInResult {
        do {
            return .answered(try await record(entry, offline: offline, now: now, scope))
        } catch let refusal as Refusal where refusal.kind != .unavailable {
            return .refused(refusal)
        }
    }

    /// Brings the entries of a journal in, each on its own, in their order; harmless when it is done again.
    /// - Throws: a `Refusal` of kind `unavailable` when the database is away: what was done by then stays done.
    public func bringIn(_ entries: [CheckInEntry], now: Date, _ scope: Scope) async throws -> [CheckInResult] {
        var results: [CheckInResult] = []
        for entry in entries { results.append(try await result(of: entry, offline: true, now: now, scope)) }
        return results
    }

    private struct Row: Sendable {
        let session: Int64
        let nonce: String
        let headcount: Int
        let counts: Bool
        let offline: Bool
        let at: Date
        let actor: String

        var earlier: CheckInAnswer.Earlier {
            CheckInAnswer.Earlier(at: at, headcount: headcount, actor: actor, offline: offline)
        }
    }

    private static func plan(
        _ entry: CheckInEntry, _ named: CheckInRules.Named, offline: Bool, today: CivilDay
    ) -> Plan<CheckInAnswer> {
        { transaction, scope in
            let number = try await lock(named, transaction, scope)
            let (booking, rows) = try await read(number, transaction, scope)
            if let known = rows.first(where: { $0.nonce == entry.nonce }) {
                guard known.headcount == entry.headcount,
                    let visit = booking.visits.first(where: { $0.session == known.session })
                else { throw CheckInRules.nonceReused() }
                let first = rows.first { $0.session == known.session && $0.counts }
                throw Repeated(
                    answer: answer(
                        booking, visit, headcount: known.headcount, at: known.at,
                        earlier: known.counts ? nil : first?.earlier, isRepeat: true))
            }
            try CheckInRules.admit(booking.state)
            let visit = try CheckInRules.visit(
                booking.visits, session: entry.session, at: entry.at, anyDay: entry.anyDay)
            guard !offline || CivilDay(of: entry.at) >= visit.day else { throw CheckInRules.tryout(visit) }
            let first = rows.first { $0.session == visit.session && $0.counts }
            if first == nil, CheckInRules.needsRoom(visit, headcount: entry.headcount, state: booking.state) {
                let others = try await others(number, visit.session, transaction, scope)
                try CheckInRules.room(visit, headcount: entry.headcount, others: others)
            }
            let answer = answer(
                booking, visit, headcount: entry.headcount, at: entry.at, earlier: first?.earlier, isRepeat: false)
            return Change(
                answer, writes: writes(answer, entry, booking.state, offline: offline, today: today, scope),
                refusals: ["tour_check_in_nonce_once": CheckInRules.nonceReused()],
                event: Event(
                    first == nil ? "booking.check-in" : "booking.check-in-twice", "\(number)",
                    .number("session", visit.session), .number("people", entry.headcount),
                    .number("booked", visit.headcount)))
        }
    }

    /// Check-ins of one booking wait for each other here, and for whoever changes the booking.
    private static func lock(
        _ named: CheckInRules.Named, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int64 {
        let rows: Rows
        switch named {
        case .booking(let number):
            rows = try await transaction.query(
                """
                SELECT id FROM tour_booking WHERE village_id = \(scope.village) AND id = \(number) FOR NO KEY UPDATE
                """)
        case .reference(let reference):
            rows = try await transaction.query(
                """
                SELECT id FROM tour_booking
                WHERE village_id = \(scope.village) AND reference = \(reference.text) FOR NO KEY UPDATE
                """)
        }
        guard let row = rows.first else { throw BookingReference.unknown.renamed(field: "code") }
        return try row.decode("id")
    }

    private static func read(
        _ number: Int64, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (GateBooking, [Row]) {
        let answers = try await transaction.query([
            GateRows.booking(number, scope),
            """
            SELECT session_id, nonce, headcount, counts, offline, at, actor FROM tour_check_in
            WHERE village_id = \(scope.village) AND booking_id = \(number) ORDER BY id
            """,
        ])
        guard let booking = try GateRows.decode(answers[0]).first else {
            throw BookingReference.unknown.renamed(field: "code")
        }
        let rows = try answers[1].map { row in
            Row(
                session: try row.decode("session_id"), nonce: try row.decode("nonce"),
                headcount: try row.decode("headcount"), counts: try row.decode("counts"),
                offline: try row.decode("offline"), at: try row.decode("at"), actor: try row.decode("actor"))
        }
        return (booking, rows)
    }

    /// Heads of other bookings that came to the session or are still expected. The session is locked meanwhile, so
    /// that two groups can't both take its last room.
    private static func others(
        _ number: Int64, _ session: Int64, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int {
        let answers = try await transaction.query([
            "SELECT id FROM tour_session WHERE village_id = \(scope.village) AND id = \(session) FOR NO KEY UPDATE",
            """
            SELECT coalesce(sum(coalesce(l.arrived, l.headcount)), 0)::int AS others
            FROM tour_booking_session l
            JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
            WHERE l.village_id = \(scope.village) AND l.session_id = \(session) AND l.booking_id <> \(number)
                AND b.state IN ('requested', 'held', 'confirmed', 'arrived', 'completed')
            """,
        ])
        return try answers[1].first?.decode("others") ?? 0
    }

    private static func answer(
        _ booking: GateBooking, _ visit: GateVisit, headcount: Int, at: Date, earlier: CheckInAnswer.Earlier?,
        isRepeat: Bool
    ) -> CheckInAnswer {
        CheckInAnswer(
            outcome: earlier == nil ? .counted : .twice, isRepeat: isRepeat, booking: booking.number,
            reference: booking.reference, unit: booking.unit, session: visit.session, day: visit.day, site: visit.site,
            programme: visit.programme, expected: visit.headcount, headcount: headcount, at: at, earlier: earlier)
    }

    private static func writes(
        _ answer: CheckInAnswer, _ entry: CheckInEntry, _ state: BookingState, offline: Bool, today: CivilDay,
        _ scope: Scope
    ) -> [SQL] {
        let counts = answer.outcome == .counted
        var writes: [SQL] = [
            """
            INSERT INTO tour_check_in (village_id, booking_id, session_id, nonce, headcount, counts, offline, at, actor)
            VALUES (\(scope.village), \(answer.booking), \(answer.session), \(entry.nonce), \(entry.headcount),
                \(counts), \(offline), \(entry.at), \(scope.actor))
            """
        ]
        let arrives = state == .confirmed || state == .noShow
        if counts {
            writes.append(
                """
                UPDATE tour_booking_session SET arrived = \(entry.headcount)
                WHERE village_id = \(scope.village) AND booking_id = \(answer.booking) AND session_id = \(answer.session)
                """)
            if state == .noShow {
                // What the village kept because nobody came is the visit's fee now.
                writes.append(
                    """
                    UPDATE tour_booking_session SET kept_fen = 0
                    WHERE village_id = \(scope.village) AND booking_id = \(answer.booking)
                    """)
            }
            // So is what was to go back of it.
            let step: SQL =
                arrives
                ? """
                previous_state = state, state = 'arrived', kept_fen = 0,
                    refund_due_fen = CASE state WHEN 'no_show' THEN refunded_fen ELSE refund_due_fen END,
                """ : ""
            writes.append(
                """
                UPDATE tour_booking SET version = version + 1, \(step) arrived = (
                        SELECT max(l.arrived) FROM tour_booking_session l
                        WHERE l.village_id = tour_booking.village_id AND l.booking_id = tour_booking.id)
                WHERE village_id = \(scope.village) AND id = \(answer.booking)
                """)
            writes.append(TourEarnings.settle("ARRAY[\(answer.booking)]::bigint[]", on: today, scope))
        }
        let what = counts ? "checked_in" : "checked_in_twice"
        writes.append(
            """
            INSERT INTO tour_booking_event (village_id, booking_id, actor, state, what, detail)
            VALUES (\(scope.village), \(answer.booking), \(scope.actor),
                \((counts && arrives ? BookingState.arrived : state).rawValue), \(what),
                \("session \(answer.session): \(entry.headcount) of \(answer.expected)"))
            """)
        return writes
    }
}
