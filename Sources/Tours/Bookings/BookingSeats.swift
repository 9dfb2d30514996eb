import Database
import Foundation
import Kernel
import Postgres

/// A session as a booking looks at it.
struct BookableSession: Sendable {
    let id: Int64
    let day: CivilDay
    let startsAt: Date
    let endsAt: Date
    let site: String
    let programme: String
    let price: Money
    let languages: String
    let minGroup: Int
    let maxGroup: Int
    let capacity: Int
    var free: Int
    let isOpen: Bool
    let terms: BookingTerms

    init(_ row: Row) throws {
        id = try row.decode("id")
        day = try row.decode("day")
        startsAt = try row.decode("starts_at")
        endsAt = try row.decode("ends_at")
        site = try row.decode("site")
        programme = try row.decode("programme")
        price = try row.decode("price_fen")
        languages = try row.decode("languages")
        minGroup = try row.decode("min_group")
        maxGroup = try row.decode("max_group")
        capacity = try row.decode("capacity")
        free = try row.decode("free")
        isOpen = try row.decode("state", as: String.self) == "open"
        terms = try BookingTerms(row)
    }

    /// By its number, as the desk knows it, and by what a group knows of it.
    var name: Bilingual { SessionRules.name(id, startsAt, programme) }

    func line(of headcount: Int) -> Booking.Line {
        Booking.Line(
            session: id, day: day, startsAt: startsAt, endsAt: endsAt, site: site, programme: programme,
            headcount: headcount, price: price, amount: Money(fen: price.fen * Int64(headcount)), kept: .zero,
            arrived: nil, terms: terms)
    }
}

extension BookingTerms {
    init(_ row: Row) throws {
        programmeID = try row.decode("programme_id")
        minutes = try row.decode("minutes")
        holdMinutes = try row.decode("hold_minutes")
        changeHours = try row.decode("change_hours")
        freeCancelHours = try row.decode("free_cancel_hours")
        lateFeePercent = try row.decode("late_fee_percent")
        noShowFeePercent = try row.decode("no_show_fee_percent")
    }
}

/// The seats of sessions: looked at without locks, taken and given back by statements that the CHECKs on the session's
/// counters decide upon.
enum BookingSeats {
    /// What a step does to a session's counters; below zero gives back.
    struct Move: Sendable {
        let session: Int64
        var held = 0
        var booked = 0
    }

    static func select(_ ids: [Int64], _ scope: Scope) -> SQL {
        """
        SELECT s.id, s.day, s.starts_at, s.ends_at, s.state, s.capacity,
            s.capacity - s.held - s.booked AS free, t.name AS site, p.name AS programme, p.price_fen, p.languages, p.min_group, p.max_group,
            p.id AS programme_id, (extract(epoch FROM s.ends_at - s.starts_at) / 60)::int AS minutes, p.hold_minutes,
            p.change_hours, p.free_cancel_hours, p.late_fee_percent, p.no_show_fee_percent
        FROM tour_session s
        JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
        JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
        WHERE s.village_id = \(scope.village) AND \(SQL.among(ids, "s.id"))
        ORDER BY s.id
        """
    }

    /// The sessions in the order of their numbers.
    /// - Throws: a `Refusal` of kind `notFound` for one that there is not.
    static func sessions(_ rows: Rows, wanted ids: [Int64]) throws -> [BookableSession] {
        let sessions = try rows.map(BookableSession.init)
        try check(sessions, wanted: ids)
        return sessions
    }

    /// - Throws: a `Refusal` of kind `notFound` for one that is wanted and that there is not.
    static func check(_ sessions: [BookableSession], wanted ids: [Int64]) throws {
        if let missing = ids.first(where: { id in !sessions.contains { $0.id == id } }) {
            throw BookingRules.unknownSession(missing)
        }
    }

    /// Sees that the sessions have room. Those that have not are looked at again, when holds that have passed their
    /// time would make enough of it: only then is anything locked.
    /// - Parameter needed: how many seats more are wanted of a session.
    /// - Returns: the session without room, if there is one.
    static func short(
        _ sessions: [BookableSession], needed: [Int64: Int], now: Date, _ transaction: Transaction, _ scope: Scope
    ) async throws -> BookableSession? {
        func lacking(_ sessions: [BookableSession]) -> [BookableSession] {
            sessions.filter { session in
                let needed = needed[session.id] ?? 0
                return needed > 0 && session.free < needed
            }
        }
        let full = lacking(sessions)
        guard !full.isEmpty else { return nil }
        let ids = full.map(\.id)
        var present: [BookableSession] = []
        var released: [BookableSession] = []
        // Of one moment: what somebody gives back in between would count neither as expired nor as free.
        for row in try await transaction.query(
            """
            SELECT s.id, s.capacity - s.held - s.booked AS free, coalesce(e.seats, 0)::int AS expired
            FROM tour_session s
            LEFT JOIN (
                SELECT l.session_id, sum(l.headcount) AS seats FROM tour_booking b
                JOIN tour_booking_session l ON l.village_id = b.village_id AND l.booking_id = b.id
                WHERE b.village_id = \(scope.village) AND b.hold_until <= \(now) AND b.paid_fen = b.refunded_fen
                    AND l.session_id = ANY(\(ids)::bigint[])
                GROUP BY l.session_id) e ON e.session_id = s.id
            WHERE s.village_id = \(scope.village) AND \(SQL.among(ids, "s.id"))
            ORDER BY s.id
            """)
        {
            let id: Int64 = try row.decode("id")
            guard var session = full.first(where: { $0.id == id }) else { continue }
            session.free = try row.decode("free")
            present.append(session)
            session.free += try row.decode("expired", as: Int.self)
            released.append(session)
        }
        let still = lacking(present)
        guard !still.isEmpty else { return nil }
        guard lacking(released).isEmpty else { return still.first }
        // In order with those that are written afterwards.
        let all = Array(Set(sessions.map(\.id) + needed.keys))
        let answers = try await transaction.query([
            "SELECT lock_tour_sessions(\(scope.village), \(all)::bigint[])",
            "SELECT release_expired(\(scope.village), \(ids)::bigint[], \(now))", select(ids, scope),
        ])
        return lacking(try answers[2].map(BookableSession.init)).first
    }

    /// The statements that carry out the moves, to be run last of all. As long as nothing is given back that is one
    /// conditional UPDATE, before which several sessions are locked in the order of their numbers.
    static func statements(_ moves: [Move], now: Date, _ scope: Scope) -> [SQL] {
        let moves = moves.filter { $0.held != 0 || $0.booked != 0 }.sorted { $0.session < $1.session }
        guard moves.allSatisfy({ $0.held + $0.booked >= 0 }) else {
            let (sessions, held, booked) = (moves.map(\.session), moves.map(\.held), moves.map(\.booked))
            return [
                """
                SELECT move_seats(\(scope.village), \(sessions)::bigint[], \(held)::int[], \(booked)::int[], \(now))
                """
            ]
        }
        if let move = moves.first, moves.count == 1 {
            return [
                """
                UPDATE tour_session SET held = held + \(move.held), booked = booked + \(move.booked)
                WHERE village_id = \(scope.village) AND id = \(move.session)
                """
            ]
        }
        guard !moves.isEmpty else { return [] }
        let values = moves.map { "(\($0.session)::bigint, \($0.held)::int, \($0.booked)::int)" as SQL }
        return [
            """
            SELECT FROM tour_session WHERE village_id = \(scope.village) AND \(SQL.among(moves.map(\.session), "id"))
            ORDER BY id FOR NO KEY UPDATE
            """,
            """
            UPDATE tour_session s SET held = s.held + m.held, booked = s.booked + m.booked
            FROM (VALUES \(values.joined(separator: ", "))) m (id, held, booked)
            WHERE s.village_id = \(scope.village) AND s.id = m.id
            """,
        ]
    }

    /// What new bookings take.
    static func moves(of bookings: [Booking]) -> [Move] {
        let all = bookings.flatMap { moves(from: [], nil, to: $0.lines, $0.state) }
        return Dictionary(all.map { ($0.session, $0) }) { one, other in
            Move(session: one.session, held: one.held + other.held, booked: one.booked + other.booked)
        }.values.sorted { $0.session < $1.session }
    }

    /// What a booking's lines do to the counters when its state and its heads change.
    static func moves(
        from old: [Booking.Line], _ oldState: BookingState?, to new: [Booking.Line], _ state: BookingState
    )
        -> [Move]
    {
        var moves: [Int64: Move] = [:]
        func add(_ lines: [Booking.Line], _ state: BookingState, _ sign: Int) {
            for line in lines {
                var move = moves[line.session] ?? Move(session: line.session)
                if state.holdsSeats { move.held += sign * line.headcount }
                if state.ownsSeats { move.booked += sign * line.headcount }
                moves[line.session] = move
            }
        }
        if let oldState { add(old, oldState, -1) }
        add(new, state, 1)
        return moves.values.sorted { $0.session < $1.session }
    }

    /// What the constraints on bookings and sessions tell whoever breaks them.
    static let refusals: [String: Refusal] = [
        "tour_session_not_oversold": BookingRules.soldOut,
        "tour_session_closed_takes_none": BookingRules.sessionClosed(),
        "tour_booking_step": BookingRules.stale,
        // Only when somebody else's change came between the look and the writes.
        "tour_booking_kept": BookingRules.stale,
        "tour_booking_kept_stays": BookingRules.stale,
        "tour_booking_adjusted": BookingRules.stale,
        "tour_booking_refund_within_payment": BookingRules.stale,
        "tour_booking_arrived": BookingRules.stale,
        "tour_booking_hold": BookingRules.stale, "tour_booking_voided": BookingRules.void,
    ]
}
