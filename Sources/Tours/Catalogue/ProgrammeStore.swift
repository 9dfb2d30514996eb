import Database
import Kernel
import Postgres

/// Programmes and their extras.
public struct ProgrammeStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// All of them, by name.
    public func list(_ scope: Scope) async throws -> [TourProgramme] {
        let rows = try await database.transaction(scope) {
            try await $0.query([Self.query(scope) + " ORDER BY p.name", Self.extrasQuery(scope) + " ORDER BY name"])
        }
        let extras = try Self.extras(rows[1])
        return try rows[0].map { try Self.programme($0, extras[$0.decode("id")] ?? []) }
    }

    /// - Throws: a `Refusal` of kind `notFound`.
    public func show(_ name: String, _ scope: Scope) async throws -> TourProgramme {
        try await database.transaction(scope) { try await Self.find(name, $0, scope).programme }
    }

    public static func add(_ details: TourProgramme.Details) -> Plan<TourProgramme> {
        { _, scope in
            let details = try ProgrammeRules.check(details)
            return Change(
                TourProgramme(details: details, extras: [], version: 1),
                writes: [
                    """
                    INSERT INTO tour_programme (village_id, name, minutes, price_fen, languages, min_group, max_group,
                        hold_minutes, change_hours, free_cancel_hours, late_fee_percent, no_show_fee_percent)
                    VALUES (\(scope.village), \(details.name), \(details.minutes), \(details.price),
                        \(details.languages.joined(separator: ",")), \(details.minGroup), \(details.maxGroup),
                        \(details.holdMinutes), \(details.changeHours), \(details.freeCancelHours),
                        \(details.lateFeePercent), \(details.noShowFeePercent))
                    """
                ],
                refusals: ["tour_programme_name_once": SiteRules.taken(details.name)],
                event: Event("tour.programme.add", details.name, .fen(details.price)))
        }
    }

    /// Changes what the desk decides of a programme. Bookings and sessions that are there keep their price and length.
    /// - Parameter match: is given the version that will be changed.
    public static func change(
        _ name: String, match: @escaping VersionCheck = { _ in },
        _ edit: @escaping @Sendable (inout TourProgramme.Details) throws -> Void
    ) -> Plan<TourProgramme> {
        { transaction, scope in
            let (id, programme) = try await find(name, transaction, scope, locking: true)
            try match(programme.version)
            var edited = programme.details
            try edit(&edited)
            let details = try ProgrammeRules.check(edited)
            return Change(
                TourProgramme(details: details, extras: programme.extras, version: programme.version + 1),
                writes: [
                    """
                    UPDATE tour_programme SET name = \(details.name), minutes = \(details.minutes),
                        price_fen = \(details.price), languages = \(details.languages.joined(separator: ",")),
                        min_group = \(details.minGroup), max_group = \(details.maxGroup),
                        hold_minutes = \(details.holdMinutes), change_hours = \(details.changeHours),
                        free_cancel_hours = \(details.freeCancelHours), late_fee_percent = \(details.lateFeePercent),
                        no_show_fee_percent = \(details.noShowFeePercent), version = version + 1, changed_at = now()
                    WHERE village_id = \(scope.village) AND id = \(id)
                    """
                ],
                refusals: ["tour_programme_name_once": SiteRules.taken(details.name)],
                event: Event("tour.programme.change", name, .fen(details.price)))
        }
    }

    public static func addExtra(_ extra: TourExtra, to name: String) -> Plan<TourProgramme> {
        { transaction, scope in
            let extra = try ProgrammeRules.check(extra)
            let (id, programme) = try await find(name, transaction, scope, locking: true)
            return Change(
                TourProgramme(
                    details: programme.details, extras: (programme.extras + [extra]).sorted { $0.name < $1.name },
                    version: programme.version + 1),
                writes: [
                    """
                    INSERT INTO tour_extra (village_id, programme_id, kind, name, price_fen)
                    VALUES (\(scope.village), \(id), \(extra.kind.rawValue), \(extra.name), \(extra.price))
                    """, bump(id, scope),
                ],
                refusals: ["tour_extra_name_once": SiteRules.taken(extra.name)],
                event: Event("tour.extra.add", name, .text("extra", extra.name), .fen(extra.price)))
        }
    }

    /// Takes back an extra that no booking has.
    public static func removeExtra(_ extra: String, from name: String) -> Plan<TourProgramme> {
        { transaction, scope in
            let (id, programme) = try await find(name, transaction, scope, locking: true)
            guard programme.extras.contains(where: { $0.name == extra }) else {
                throw Refusal(
                    .notFound, "unknown-extra", field: "extra", zh: "没有名为“\(extra.shortened)”的附加项目",
                    en: "there is no extra “\(extra.shortened)”")
            }
            return Change(
                TourProgramme(
                    details: programme.details, extras: programme.extras.filter { $0.name != extra },
                    version: programme.version + 1),
                writes: [
                    """
                    DELETE FROM tour_extra
                    WHERE village_id = \(scope.village) AND programme_id = \(id) AND name = \(extra)
                    """, bump(id, scope),
                ],
                refusals: [
                    "tour_booking_extra_village_id_extra_id_fkey": Refusal(
                        .conflict, "extra-in-use", field: "extra", zh: "已有预约选了“\(extra.shortened)”，不能删除",
                        en: "there are bookings with “\(extra.shortened)”: it can't be removed")
                ],
                event: Event("tour.extra.remove", name, .text("extra", extra)))
        }
    }

    private static func bump(_ id: Int, _ scope: Scope) -> SQL {
        "UPDATE tour_programme SET version = version + 1, changed_at = now() WHERE village_id = \(scope.village) AND id = \(id)"
    }

    private static func find(
        _ name: String, _ transaction: Transaction, _ scope: Scope, locking: Bool = false
    ) async throws -> (id: Int, programme: TourProgramme) {
        let own = query(scope) + " AND p.name = \(name)"
        let rows = try await transaction.query([
            locking ? own + " FOR UPDATE" : own,
            extrasQuery(scope)
                + """
                 AND programme_id = (
                    SELECT id FROM tour_programme WHERE village_id = \(scope.village) AND name = \(name)) ORDER BY name
                """,
        ])
        guard let row = rows[0].first else { throw ProgrammeRules.unknown(name) }
        let id: Int = try row.decode("id")
        return (id, try programme(row, extras(rows[1])[id] ?? []))
    }

    private static func query(_ scope: Scope) -> SQL {
        """
        SELECT p.id, p.name, p.minutes, p.price_fen, p.languages, p.min_group, p.max_group, p.hold_minutes,
            p.change_hours, p.free_cancel_hours, p.late_fee_percent, p.no_show_fee_percent, p.version
        FROM tour_programme p WHERE p.village_id = \(scope.village)
        """
    }

    private static func extrasQuery(_ scope: Scope) -> SQL {
        "SELECT programme_id, id, kind, name, price_fen FROM tour_extra WHERE village_id = \(scope.village)"
    }

    /// By programme.
    static func extras(_ rows: Rows) throws -> [Int: [TourExtra]] {
        var found: [Int: [TourExtra]] = [:]
        for row in rows {
            found[try row.decode("programme_id"), default: []].append(
                TourExtra(
                    id: try row.decode("id"), kind: TourExtra.Kind(rawValue: try row.decode("kind")) ?? .gift,
                    name: try row.decode("name"), price: try row.decode("price_fen")))
        }
        return found
    }

    private static func programme(_ row: Row, _ extras: [TourExtra]) throws -> TourProgramme {
        TourProgramme(
            details: try details(row, name: row.decode("name")), extras: extras, version: try row.decode("version"))
    }

    /// What a programme's row and the public's view of it have in common.
    static func details(_ row: Row, name: String) throws -> TourProgramme.Details {
        var details = TourProgramme.Details(
            name: name, minutes: try row.decode("minutes"), price: try row.decode("price_fen"))
        details.languages = try row.decode("languages", as: String.self).split(separator: ",").map(String.init)
        details.minGroup = try row.decode("min_group")
        details.maxGroup = try row.decode("max_group")
        details.holdMinutes = try row.decode("hold_minutes")
        details.changeHours = try row.decode("change_hours")
        details.freeCancelHours = try row.decode("free_cancel_hours")
        details.lateFeePercent = try row.decode("late_fee_percent")
        details.noShowFeePercent = try row.decode("no_show_fee_percent")
        return details
    }
}
