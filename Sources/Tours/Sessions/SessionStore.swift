import Database
import Foundation
import Kernel
import Postgres

/// Sessions: how they are planned, closed and listed. Seats are the bookings' to take.
public struct SessionStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// The desk's timetable from one day to another, both included, by beginning.
    /// - Parameters:
    ///   - site: only sessions there.
    ///   - after: the place of the session before the first one wanted.
    public func list(
        from: CivilDay, to: CivilDay, site: String? = nil, after: SessionPlace = .beginning, limit: Int = 500,
        _ scope: Scope
    ) async throws -> [TourSession] {
        try Self.checkPeriod(from, to)
        return try await database.query(
            Self.query(scope)
                + """
                 AND s.day BETWEEN \(from) AND \(to) AND (\(site)::text IS NULL OR t.name = \(site))
                AND (s.starts_at, s.id) > (\(after.startsAt), \(after.id)::bigint)
                ORDER BY s.starts_at, s.id LIMIT \(limit)
                """, scope
        ).map(Self.session)
    }

    /// - Throws: a `Refusal` of kind `notFound`.
    public func show(_ id: Int64, _ scope: Scope) async throws -> TourSession {
        let rows = try await database.query(Self.query(scope) + " AND s.id = \(id)", scope)
        guard let row = rows.first else { throw SessionRules.unknown(id) }
        return try Self.session(row)
    }

    /// What anyone may see: sessions that take bookings and have not begun.
    /// - Parameters:
    ///   - seats: only sessions with so many free seats.
    ///   - after: the place of the session before the first one wanted.
    public func open(
        from: CivilDay, to: CivilDay, now: Date, seats: Int = 0, after: SessionPlace = .beginning, limit: Int = 50,
        village: Int
    ) async throws -> [OpenSession] {
        try Self.checkPeriod(from, to)
        let rows = try await database.publicQuery(
            """
            SELECT id, day, starts_at, ends_at, site, site_kind, programme_id, programme, minutes, price_fen, languages,
                min_group, max_group, hold_minutes, change_hours, free_cancel_hours, late_fee_percent,
                no_show_fee_percent, capacity, free
            FROM public_tour_session
            WHERE village_id = \(village) AND day BETWEEN \(from) AND \(to) AND starts_at > \(now)
                AND free >= \(seats) AND (starts_at, id) > (\(after.startsAt), \(after.id)::bigint)
            ORDER BY starts_at, id LIMIT \(limit)
            """)
        let programmes = Set(try rows.map { try $0.decode("programme_id", as: Int.self) })
        let extras =
            programmes.isEmpty
            ? [:]
            : try ProgrammeStore.extras(
                try await database.publicQuery(
                    """
                    SELECT programme_id, id, kind, name, price_fen FROM public_tour_extra
                    WHERE village_id = \(village) AND programme_id = ANY(\(Array(programmes))::int[]) ORDER BY name
                    """))
        return try rows.map { row in
            OpenSession(
                id: try row.decode("id"), site: try row.decode("site"),
                siteKind: TourSite.Kind(rawValue: try row.decode("site_kind")) ?? .base,
                programme: try ProgrammeStore.details(row, name: row.decode("programme")),
                extras: try extras[row.decode("programme_id")] ?? [], day: try row.decode("day"),
                startsAt: try row.decode("starts_at"), endsAt: try row.decode("ends_at"),
                capacity: try row.decode("capacity"), free: try row.decode("free"))
        }
    }

    /// Changes a session's capacity or its resources; nil leaves them as they are. Seats that there are more go to those
    /// who wait for them.
    /// - Parameter match: is given the version that will be changed.
    public static func change(
        _ id: Int64, capacity: Int?, resources: [String]?, now: Date, match: @escaping VersionCheck = { _ in }
    ) -> Plan<TourSession> {
        { transaction, scope in
            let session = try await lock(id, servesWaiting: capacity != nil, transaction, scope)
            try match(session.version)
            guard session.state != .cancelled else { throw SessionRules.wrongState(session) }
            if let capacity { try SessionRules.checkCapacity(capacity) }
            let names = try resources.map(SessionRules.resources)
            var writes: [SQL] = [
                """
                UPDATE tour_session SET capacity = \(capacity ?? session.capacity), version = version + 1,
                    changed_at = now()
                WHERE village_id = \(scope.village) AND id = \(id)
                """
            ]
            var refusals = ["tour_session_not_oversold": SessionRules.tooSmall(session)]
            if let names {
                let found = try await ResourceAssignment.find(names, transaction, scope)
                try await found.refuseConflicts(
                    [(session.startsAt, session.endsAt)], except: id, transaction, scope)
                writes += found.replace(in: id, from: session.startsAt, to: session.endsAt, scope)
                refusals[ResourceAssignment.constraint] = found.taken(on: session.day)
            }
            let grows = capacity ?? 0 > session.capacity
            return Change(
                writes: writes, lastWrites: (grows ? [serve(id, now, scope)] : []) + [one(id, scope)],
                refusals: refusals,
                event: Event("tour.session.change", "\(id)", .number("capacity", capacity.map(Int64.init)))
            ) { try changed($0, id) }
        }
    }

    /// Gives a session's free seats to those who wait for them.
    private static func serve(_ id: Int64, _ now: Date, _ scope: Scope) -> SQL {
        "SELECT promote_waiting(\(scope.village), ARRAY[\(id)::bigint], \(now))"
    }

    private static func one(_ id: Int64, _ scope: Scope) -> SQL { query(scope) + " AND s.id = \(id)" }

    private static func changed(_ rows: Rows, _ id: Int64) throws -> TourSession {
        guard let row = rows.first else { throw SessionRules.unknown(id) }
        return try session(row)
    }

    /// Closes a session to new bookings, opens it again for those who wait and for others, or cancels it when no seats of
    /// it are taken. One that has begun is opened for bookings that were cancelled by mistake: nobody books it anew.
    /// - Parameter match: is given the version that will be changed.
    public static func step(
        _ step: SessionStep, _ id: Int64, now: Date, match: @escaping VersionCheck = { _ in }
    ) -> Plan<TourSession> {
        { transaction, scope in
            let session = try await lock(id, servesWaiting: step == .reopen, transaction, scope)
            try match(session.version)
            let own: SQL = "WHERE village_id = \(scope.village) AND id = \(id)"
            let state: TourSession.State
            var writes: [SQL]
            switch step {
            case .close:
                guard session.state == .open else { throw SessionRules.wrongState(session) }
                state = .closed
                writes = [
                    "UPDATE tour_session SET state = 'closed', closed_seats = held + booked, version = version + 1, changed_at = now() "
                        + own
                ]
            case .reopen:
                guard session.state != .open else { throw SessionRules.wrongState(session) }
                if session.startsAt > now { try await refuseClosedDay(session, transaction, scope) }
                state = .open
                writes = [
                    "UPDATE tour_session SET state = 'open', closed_seats = NULL, version = version + 1, changed_at = now() "
                        + own
                ]
            case .cancel:
                guard session.state != .cancelled else { throw SessionRules.wrongState(session) }
                state = .cancelled
                // A cancelled session takes no seats, and the CHECK refuses it while it has some.
                writes = [
                    "UPDATE tour_session SET state = 'cancelled', closed_seats = 0, version = version + 1, changed_at = now() "
                        + own,
                    """
                    DELETE FROM tour_session_resource WHERE village_id = \(scope.village) AND session_id = \(id)
                    """,
                    cancelWaiting(for: id, scope),
                ]
            }
            return Change(
                writes: writes, lastWrites: (state == .open ? [serve(id, now, scope)] : []) + [one(id, scope)],
                refusals: ["tour_session_closed_takes_none": SessionRules.hasSeatsTaken(session)],
                event: Event("tour.session.\(step.rawValue)", "\(id)")
            ) { try changed($0, id) }
        }
    }

    /// Tells those who wait for a session that there will be none.
    static func cancelWaiting(for session: Int64, _ scope: Scope) -> SQL {
        """
        WITH gone AS (
            UPDATE tour_booking b SET previous_state = b.state, state = 'cancelled', version = b.version + 1,
                refund_due_fen = b.paid_fen
            WHERE b.village_id = \(scope.village) AND b.state = 'waitlisted' AND EXISTS (
                SELECT FROM tour_booking_session l WHERE l.village_id = \(scope.village) AND l.booking_id = b.id
                    AND l.session_id = \(session))
            RETURNING b.id
        )
        INSERT INTO event (village_id, actor, kind, subject, figures)
        SELECT \(scope.village), \(scope.actor), 'booking.cancelled', id::text,
            jsonb_build_object('state', 'cancelled', 'session', \(session)::bigint)
        FROM gone WHERE tell_booking(\(scope.village), id, 'cancelled')
        RETURNING 1
        """
    }

    /// A cancelled session may have lost its day to a closure.
    private static func refuseClosedDay(
        _ session: TourSession, _ transaction: Transaction, _ scope: Scope
    ) async throws {
        let rows = try await transaction.query([
            "SELECT id FROM tour_site WHERE village_id = \(scope.village) AND name = \(session.site) FOR SHARE",
            """
            SELECT c.reason FROM tour_site_closure c
            JOIN tour_site t ON t.village_id = c.village_id AND t.id = c.site_id
            WHERE c.village_id = \(scope.village) AND t.name = \(session.site) AND c.day = \(session.day)
            """,
        ])
        guard let reason: String = try rows[1].first?.decode("reason") else { return }
        throw Refusal(
            .conflict, "closed-day", field: "day", zh: "\(session.day) 基地不开放：\(reason)",
            en: "the site is closed on \(session.day): \(reason)")
    }

    static func checkPeriod(_ from: CivilDay, _ to: CivilDay) throws {
        guard from <= to else {
            throw Refusal(
                .invalid, "period-reversed", field: "from", zh: "起始日期在截止日期之后",
                en: "the period begins after it ends")
        }
    }

    /// - Parameter servesWaiting: whether seats will go to those who wait: the other sessions that they need are locked with
    ///   this one, all in the order of their numbers.
    private static func lock(
        _ id: Int64, servesWaiting: Bool = false, _ transaction: Transaction, _ scope: Scope
    ) async throws -> TourSession {
        let all: [SQL] =
            servesWaiting ? ["SELECT lock_tour_sessions(\(scope.village), ARRAY[\(id)::bigint])"] : []
        let mode: SQL = servesWaiting ? "FOR NO KEY UPDATE OF s" : "FOR UPDATE OF s"
        let answers = try await transaction.query(all + [one(id, scope) + " " + mode])
        return try changed(answers[all.count], id)
    }

    static func query(_ scope: Scope) -> SQL {
        """
        SELECT s.id, t.name AS site, p.name AS programme, s.day, s.starts_at, s.ends_at, s.capacity, s.held, s.booked,
            s.state, s.version, ARRAY(
                SELECT r.name FROM tour_session_resource a
                JOIN tour_resource r ON r.village_id = a.village_id AND r.id = a.resource_id
                WHERE a.village_id = \(scope.village) AND a.session_id = s.id ORDER BY r.name) AS resources
        FROM tour_session s
        JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
        JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
        WHERE s.village_id = \(scope.village)
        """
    }

    static func session(_ row: Row) throws -> TourSession {
        TourSession(
            id: Identifier(try row.decode("id")), site: try row.decode("site"),
            programme: try row.decode("programme"), day: try row.decode("day"),
            startsAt: try row.decode("starts_at"), endsAt: try row.decode("ends_at"),
            capacity: try row.decode("capacity"), held: try row.decode("held"), booked: try row.decode("booked"),
            state: TourSession.State(rawValue: try row.decode("state")) ?? .closed,
            resources: try row.decode("resources"), version: try row.decode("version"))
    }
}
