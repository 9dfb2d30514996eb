import Database
import Kernel
import Postgres

/// Sites and the days on which they are closed.
public struct SiteStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// All of them, by name.
    public func list(_ scope: Scope) async throws -> [TourSite] {
        try await database.query(Self.query(scope) + " ORDER BY s.name", scope).map(Self.site)
    }

    /// - Throws: a `Refusal` of kind `notFound`.
    public func show(_ name: String, _ scope: Scope) async throws -> TourSite {
        let rows = try await database.query(Self.query(scope) + " AND s.name = \(name)", scope)
        guard let row = rows.first else { throw SiteRules.unknown(name) }
        return try Self.site(row)
    }

    public static func add(_ details: TourSite.Details) -> Plan<TourSite> {
        { _, scope in
            let details = try SiteRules.check(details)
            return Change(
                TourSite(details: details, closedDays: [], version: 1),
                writes: [
                    """
                    INSERT INTO tour_site (village_id, name, kind, opens_minute, closes_minute, weekdays)
                    VALUES (\(scope.village), \(details.name), \(details.kind.rawValue), \(details.opens.minute),
                        \(details.closes.minute), \(details.weekdays.bits))
                    """
                ],
                refusals: ["tour_site_name_once": SiteRules.taken(details.name)],
                event: Event("tour.site.add", details.name))
        }
    }

    /// Changes what the desk decides of a site. Sessions that are planned already stay as they are.
    /// - Parameter match: is given the version that will be changed.
    public static func change(
        _ name: String, match: @escaping VersionCheck = { _ in },
        _ edit: @escaping @Sendable (inout TourSite.Details) throws -> Void
    ) -> Plan<TourSite> {
        { transaction, scope in
            let (id, site) = try await lock(name, transaction, scope)
            try match(site.version)
            var edited = site.details
            try edit(&edited)
            let details = try SiteRules.check(edited)
            return Change(
                TourSite(details: details, closedDays: site.closedDays, version: site.version + 1),
                writes: [
                    """
                    UPDATE tour_site SET name = \(details.name), kind = \(details.kind.rawValue),
                        opens_minute = \(details.opens.minute), closes_minute = \(details.closes.minute),
                        weekdays = \(details.weekdays.bits), version = version + 1, changed_at = now()
                    WHERE village_id = \(scope.village) AND id = \(id)
                    """
                ],
                refusals: ["tour_site_name_once": SiteRules.taken(details.name)],
                event: Event("tour.site.change", name))
        }
    }

    /// Closes a site on a day, on which it must have no sessions any more.
    public static func closeDay(_ name: String, day: CivilDay, reason: String, today: CivilDay) -> Plan<TourSite> {
        { transaction, scope in
            let reason = try SiteRules.name(reason, field: "reason", max: 200)
            guard day >= today else {
                throw Refusal(
                    .invalid, "day-in-past", field: "day", zh: "\(day) 已经过去", en: "\(day) has passed already")
            }
            // Whoever plans sessions locks the site too, so that none can come in between.
            let (id, site) = try await lock(name, transaction, scope)
            guard !site.closedDays.contains(where: { $0.day == day }) else { throw SiteRules.closedAlready(day) }
            let sessions = try await transaction.query(
                """
                SELECT id FROM tour_session
                WHERE village_id = \(scope.village) AND site_id = \(id) AND day = \(day) AND state <> 'cancelled'
                ORDER BY id
                """
            ).map { try $0.decode("id", as: Int64.self) }
            guard sessions.isEmpty else { throw SiteRules.hasSessions(sessions, on: day) }
            let closedDays = (site.closedDays + [TourSite.ClosedDay(day: day, reason: reason)])
                .sorted { $0.day < $1.day }
            return Change(
                TourSite(details: site.details, closedDays: closedDays, version: site.version + 1),
                writes: [
                    """
                    INSERT INTO tour_site_closure (village_id, site_id, day, reason)
                    VALUES (\(scope.village), \(id), \(day), \(reason))
                    """, bump(id, scope),
                ],
                refusals: ["tour_site_closure_pkey": SiteRules.closedAlready(day)],
                event: Event("tour.site.close", name, day: day, .reason(reason)))
        }
    }

    /// Takes a closed day back.
    /// - Throws: a `Refusal` of kind `notFound` when the site is not closed on it.
    public static func openDay(_ name: String, day: CivilDay) -> Plan<TourSite> {
        { transaction, scope in
            let (id, site) = try await lock(name, transaction, scope)
            guard site.closedDays.contains(where: { $0.day == day }) else {
                throw Refusal(
                    .notFound, "not-closed", field: "day", zh: "\(day) 不是休息日", en: "\(day) is no closed day")
            }
            return Change(
                TourSite(
                    details: site.details, closedDays: site.closedDays.filter { $0.day != day },
                    version: site.version + 1),
                writes: [
                    """
                    DELETE FROM tour_site_closure
                    WHERE village_id = \(scope.village) AND site_id = \(id) AND day = \(day)
                    """, bump(id, scope),
                ],
                event: Event("tour.site.open", name, day: day))
        }
    }

    private static func bump(_ id: Int, _ scope: Scope) -> SQL {
        "UPDATE tour_site SET version = version + 1, changed_at = now() WHERE village_id = \(scope.village) AND id = \(id)"
    }

    private static func lock(
        _ name: String, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (id: Int, site: TourSite) {
        let rows = try await transaction.query([
            // A statement of its own, so that the next one sees what whoever held the lock has done.
            "SELECT id FROM tour_site WHERE village_id = \(scope.village) AND name = \(name) FOR UPDATE",
            query(scope) + " AND s.name = \(name)",
        ])
        guard let row = rows[1].first else { throw SiteRules.unknown(name) }
        return (try row.decode("id"), try site(row))
    }

    private static func query(_ scope: Scope) -> SQL {
        """
        SELECT s.id, s.name, s.kind, s.opens_minute, s.closes_minute, s.weekdays, s.version,
            ARRAY(SELECT c.day::text FROM tour_site_closure c
                WHERE c.village_id = \(scope.village) AND c.site_id = s.id ORDER BY c.day) AS closed,
            ARRAY(SELECT c.reason FROM tour_site_closure c
                WHERE c.village_id = \(scope.village) AND c.site_id = s.id ORDER BY c.day) AS reasons
        FROM tour_site s WHERE s.village_id = \(scope.village)
        """
    }

    private static func site(_ row: Row) throws -> TourSite {
        let closed: [String] = try row.decode("closed")
        let reasons: [String] = try row.decode("reasons")
        return TourSite(
            details: TourSite.Details(
                name: try row.decode("name"), kind: TourSite.Kind(rawValue: try row.decode("kind")) ?? .base,
                opens: TimeOfDay(minute: try row.decode("opens_minute")),
                closes: TimeOfDay(minute: try row.decode("closes_minute")),
                weekdays: Weekdays(bits: try row.decode("weekdays"))),
            closedDays: zip(closed, reasons).compactMap { text, reason in
                CivilDay(iso: text).map { TourSite.ClosedDay(day: $0, reason: reason) }
            },
            version: try row.decode("version"))
    }
}
