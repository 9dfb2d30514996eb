import Database
import Foundation
import Kernel
import Postgres

extension SessionStore {
    /// Plans a session, or one on each day of a repetition. On a single day every obstacle is refused; of a repetition
    /// the days that have one are left out and named.
    public static func add(_ new: NewSessions, now: Date) -> Plan<PlannedSessions> {
        { transaction, scope in
            try SessionRules.checkCapacity(new.capacity)
            let asked = try SessionRules.days(new)
            let names = try SessionRules.resources(new.resources)
            let ground = try await ground(of: new, transaction, scope)
            try SessionRules.checkHours(new.time, minutes: ground.minutes, site: ground.site)
            let found = try await ResourceAssignment.find(names, transaction, scope)
            let isAlone = new.until == nil
            var days: [CivilDay] = []
            var leftOut: [PlannedSessions.LeftOut] = []
            for day in asked {
                let obstacle =
                    SessionRules.obstacle(
                        day, new.time, site: ground.site, closed: ground.closed, now: now)
                    ?? ground.existing[day]
                if let obstacle, isAlone { throw obstacle }
                if let obstacle {
                    leftOut.append(PlannedSessions.LeftOut(day: day, reason: obstacle.message))
                } else {
                    days.append(day)
                }
            }
            guard let first = days.first else { throw SessionRules.noDayLeft(leftOut) }
            let times = days.map { day in
                let start = new.time.instant(on: day)
                return (start, start.addingTimeInterval(Double(ground.minutes) * 60))
            }
            try await found.refuseConflicts(times, transaction, scope)
            let ids = try await transaction.query(
                "SELECT own_number('tour_session') AS id FROM generate_series(1, \(days.count)::int)"
            ).map { try $0.decode("id", as: Int64.self) }
            let sessions = zip(ids, zip(days, times)).map { id, when in
                TourSession(
                    id: Identifier(id), site: new.site, programme: new.programme, day: when.0, startsAt: when.1.0,
                    endsAt: when.1.1, capacity: new.capacity, held: 0, booked: 0, state: .open, resources: names,
                    version: 1)
            }
            return Change(
                PlannedSessions(sessions: sessions, leftOut: leftOut),
                writes: [insert(sessions, ground, scope)] + found.assign(to: sessions, scope),
                refusals: [
                    "tour_session_once": SessionRules.exists(0, .open, on: first),
                    ResourceAssignment.constraint: found.taken(on: first),
                ],
                event: Event(
                    "tour.session.add", ids.first.map(String.init) ?? "", day: first,
                    .number("sessions", sessions.count), .text("time", "\(new.time)")))
        }
    }

    /// What stands around sessions to be planned.
    struct Ground {
        let siteID: Int
        let site: TourSite.Details
        let programmeID: Int
        let minutes: Int
        let closed: [CivilDay: String]
        /// The days on which there is such a session already.
        let existing: [CivilDay: Refusal]
    }

    static func ground(
        of new: NewSessions, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Ground {
        let last = new.until ?? new.day
        let answers = try await transaction.query([
            // Locked, so that none of the days is closed in the meantime.
            """
            SELECT id, kind, opens_minute, closes_minute, weekdays FROM tour_site
            WHERE village_id = \(scope.village) AND name = \(new.site) FOR SHARE
            """,
            """
            SELECT id, minutes FROM tour_programme WHERE village_id = \(scope.village) AND name = \(new.programme)
            """,
            """
            SELECT c.day, c.reason FROM tour_site_closure c
            JOIN tour_site t ON t.village_id = c.village_id AND t.id = c.site_id
            WHERE c.village_id = \(scope.village) AND t.name = \(new.site) AND c.day BETWEEN \(new.day) AND \(last)
            """,
            """
            SELECT s.id, s.day, s.starts_at, s.state FROM tour_session s
            JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
            JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
            WHERE s.village_id = \(scope.village) AND t.name = \(new.site) AND p.name = \(new.programme)
                AND s.day BETWEEN \(new.day) AND \(last)
            """,
        ])
        guard let site = answers[0].first else { throw SiteRules.unknown(new.site) }
        guard let programme = answers[1].first else { throw ProgrammeRules.unknown(new.programme) }
        var closed: [CivilDay: String] = [:]
        for row in answers[2] { closed[try row.decode("day")] = try row.decode("reason") }
        var existing: [CivilDay: Refusal] = [:]
        for row in answers[3] where try TimeOfDay(of: row.decode("starts_at")) == new.time {
            let day: CivilDay = try row.decode("day")
            existing[day] = SessionRules.exists(
                try row.decode("id"), TourSession.State(rawValue: try row.decode("state")) ?? .open, on: day)
        }
        return Ground(
            siteID: try site.decode("id"),
            site: TourSite.Details(
                name: new.site, kind: TourSite.Kind(rawValue: try site.decode("kind")) ?? .base,
                opens: TimeOfDay(minute: try site.decode("opens_minute")),
                closes: TimeOfDay(minute: try site.decode("closes_minute")),
                weekdays: Weekdays(bits: try site.decode("weekdays"))),
            programmeID: try programme.decode("id"), minutes: try programme.decode("minutes"), closed: closed,
            existing: existing)
    }

    private static func insert(_ sessions: [TourSession], _ ground: Ground, _ scope: Scope) -> SQL {
        let insert: SQL = """
            INSERT INTO tour_session (village_id, id, site_id, programme_id, day, starts_at, ends_at, capacity)
            SELECT \(scope.village), w.id, \(ground.siteID), \(ground.programmeID), w.day, w.starts_at, w.ends_at, w.capacity
            FROM unnest(\(sessions.map(\.id.value))::bigint[], \(sessions.map(\.day.description))::date[],
                \(sessions.map(\.startsAt)), \(sessions.map(\.endsAt)), \(sessions.map(\.capacity))::int[])
                w (id, day, starts_at, ends_at, capacity)
            """
        return insert.counting
    }
}

/// Guides, rooms and coaches on their way to sessions.
struct ResourceAssignment {
    static let constraint = "tour_resource_in_two_places"

    private let names: [String]
    private let ids: [Int]

    /// - Throws: a `Refusal` that names the first that there is not.
    static func find(_ names: [String], _ transaction: Transaction, _ scope: Scope) async throws -> ResourceAssignment {
        guard !names.isEmpty else { return ResourceAssignment(names: [], ids: []) }
        var ids: [String: Int] = [:]
        for row in try await transaction.query(
            "SELECT id, name FROM tour_resource WHERE village_id = \(scope.village) AND name = ANY(\(names)::text[])")
        {
            ids[try row.decode("name")] = try row.decode("id")
        }
        return ResourceAssignment(
            names: names,
            ids: try names.map { name in
                guard let id = ids[name] else { throw ResourceStore.unknown(name) }
                return id
            })
    }

    /// Names who or what is elsewhere at one of the times.
    /// - Parameter except: the session whose own assignments are no conflict.
    func refuseConflicts(
        _ times: [(start: Date, end: Date)], except: Int64 = 0, _ transaction: Transaction, _ scope: Scope
    ) async throws {
        guard !ids.isEmpty else { return }
        let rows = try await transaction.query(
            """
            SELECT r.name, s.day, a.session_id
            FROM unnest(\(times.map(\.start)), \(times.map(\.end))) w (starts_at, ends_at)
            JOIN tour_session_resource a ON a.village_id = \(scope.village) AND a.resource_id = ANY(\(ids)::int[])
                AND a.during && tstzrange(w.starts_at, w.ends_at) AND a.session_id <> \(except)
            JOIN tour_resource r ON r.village_id = a.village_id AND r.id = a.resource_id
            JOIN tour_session s ON s.village_id = a.village_id AND s.id = a.session_id
            ORDER BY s.starts_at, r.name LIMIT 1
            """)
        guard let row = rows.first else { return }
        throw SessionRules.inTwoPlaces(
            try row.decode("name"), try row.decode("day"), try row.decode("session_id"))
    }

    /// What the constraint tells when someone else was faster.
    func taken(on day: CivilDay) -> Refusal {
        let names = names.joined(separator: ", ")
        return Refusal(
            .conflict, "resource-in-two-places", field: "resource", zh: "\(day) 起的这些时间里刚有人安排了其中之一：\(names.shortened)",
            en: "one of these was given to another session from \(day) on just now: \(names.shortened)")
    }

    func assign(to sessions: [TourSession], _ scope: Scope) -> [SQL] {
        guard !ids.isEmpty else { return [] }
        let insert: SQL = """
            INSERT INTO tour_session_resource (village_id, session_id, resource_id, during)
            SELECT \(scope.village), w.id, r.id, tstzrange(w.starts_at, w.ends_at)
            FROM unnest(\(sessions.map(\.id.value))::bigint[], \(sessions.map(\.startsAt)), \(sessions.map(\.endsAt)))
                w (id, starts_at, ends_at)
            CROSS JOIN unnest(\(ids)::int[]) r (id)
            """
        return [insert.counting]
    }

    /// These take the place of all that the session has.
    func replace(in session: Int64, from start: Date, to end: Date, _ scope: Scope) -> [SQL] {
        let insert: SQL = """
            INSERT INTO tour_session_resource (village_id, session_id, resource_id, during)
            SELECT \(scope.village), \(session), r.id, tstzrange(\(start), \(end)) FROM unnest(\(ids)::int[]) r (id)
            """
        return [
            "DELETE FROM tour_session_resource WHERE village_id = \(scope.village) AND session_id = \(session)",
            insert.counting,
        ]
    }
}
