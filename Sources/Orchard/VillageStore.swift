import Database
import Kernel
import Postgres

/// The village itself, and how an empty database becomes one.
public enum VillageStore {
    struct Preset: Sendable {
        let product: String
        let bestBeforeDays: Int
        let jinPerMu: Int64
        let varieties: [String]
    }

    /// What Hancun grows. Ceilings are what its registers were made with: 5,000 斤/亩 and 6,000 斤/亩.
    static let presets = [
        Preset(product: "蟠桃", bestBeforeDays: 7, jinPerMu: 5000, varieties: ["早露蟠桃", "124蟠桃", "瑞蟠21号"]),
        Preset(product: "红薯", bestBeforeDays: 180, jinPerMu: 6000, varieties: ["烟薯25", "西瓜红", "普薯32"]),
    ]
    static let grades = ["特级", "一级", "二级"]

    /// Makes a village with its products and grades.
    /// - Parameters:
    ///   - isFirst: whether it is made only where there is none yet: harmless twice.
    ///   - sharesName: whether another one of the same name is meant to be another one.
    ///   - owner: a pool of whoever may become the schema's owner, since the service may not create a village's number
    ///     sequences.
    /// - Returns: its id; nil where there was one already.
    /// - Throws: a `Refusal` when the origin is or was another village's, or its name another's.
    @discardableResult
    public static func found(
        name: String, brand: String, origin: String, isFirst: Bool = true, sharesName: Bool = false, owner: Pool
    ) async throws -> Int? {
        try await refusingTaken(origin) {
            try await asOwner(owner) { transaction in
                let known = try await transaction.query("SELECT coalesce(max(id), 0) AS last FROM village")
                let id: Int = try known[0].decode("last") + 1
                if isFirst, id > 1 { return nil }
                if !sharesName { try await refuseTaken(name, transaction) }
                _ = try await transaction.query([
                    "INSERT INTO village (id, name, brand) VALUES (\(id), \(name), \(brand))",
                    "INSERT INTO village_origin (origin, village_id) VALUES (\(origin), \(id))",
                    "SELECT create_own_numbers(\(id))",
                ])
                for preset in presets {
                    _ = try await transaction.query(
                        """
                        WITH made AS (
                            INSERT INTO product (village_id, name, best_before_days, ceiling_g_per_mu)
                            VALUES (\(id), \(preset.product), \(preset.bestBeforeDays), \(preset.jinPerMu * 500)) RETURNING id
                        )
                        INSERT INTO variety (village_id, product_id, name)
                        SELECT \(id), made.id, n FROM made, unnest(\(preset.varieties)::text[]) WITH ORDINALITY u (n, place)
                        ORDER BY place
                        """)
                }
                _ = try await transaction.query(
                    "INSERT INTO grade (village_id, name) SELECT \(id), unnest(\(grades)::text[])")
                return id
            }
        }
    }

    /// Gives the village an origin under which it issues from now on.
    /// - Parameter scope: who asks for it, for the audit.
    /// - Throws: a `Refusal` when the origin is or was some village's.
    public static func addOrigin(_ origin: String, _ scope: Scope, owner: Pool) async throws {
        try await refusingTaken(origin) {
            try await asOwner(owner) { transaction in
                _ = try await transaction.query([
                    "INSERT INTO village_origin (origin, village_id) VALUES (\(origin), \(scope.village))",
                    Event("village.origin", origin).insert(by: scope), News.tell(scope),
                ])
            }
        }
    }

    /// Puts right what the village or its brand is called. Codes carry neither; what was drawn up under the old name keeps it.
    /// - Parameters:
    ///   - name: nil leaves it as it is.
    ///   - brand: nil leaves it as it is.
    ///   - sharesName: whether another village may have that name.
    ///   - scope: who asks for it, for the audit.
    public static func rename(
        _ scope: Scope, name: String?, brand: String?, sharesName: Bool = false, owner: Pool
    ) async throws {
        let (name, brand) = (
            try name.map { try CleanText.name($0, field: "name", max: 60) },
            try brand.map { try CleanText.name($0, field: "brand", max: 60) }
        )
        try await asOwner(owner) { transaction in
            let rows = try await transaction.query("SELECT name, brand FROM village WHERE id = \(scope.village)")
            guard let row = rows.first else { throw noVillage }
            let (oldName, oldBrand): (String, String) = (try row.decode("name"), try row.decode("brand"))
            let (name, brand) = (name ?? oldName, brand ?? oldBrand)
            guard (name, brand) != (oldName, oldBrand) else { return }
            if name != oldName, !sharesName { try await refuseTaken(name, transaction) }
            let event = Event(
                "village.change", name, .text("name_before", name == oldName ? nil : oldName),
                .text("brand", brand == oldBrand ? nil : brand),
                .text("brand_before", brand == oldBrand ? nil : oldBrand))
            _ = try await transaction.query([
                "UPDATE village SET name = \(name), brand = \(brand) WHERE id = \(scope.village)",
                event.insert(by: scope), News.tell(scope),
            ])
        }
    }

    private static func refuseTaken(_ name: String, _ transaction: Transaction) async throws {
        let rows = try await transaction.query("SELECT origin FROM public_village WHERE name = \(name) LIMIT 1")
        guard let origin = try rows.first?.decode("origin", as: String.self) else { return }
        throw Refusal(
            .conflict, "village-name-taken", field: "name",
            zh: "已经有一个“\(name)”（\(origin)）；确是另一个同名的村，请加 --same-name",
            en: "there is a \(name) already (\(origin)); if this is another village of that name, add --same-name")
    }

    private static func refusingTaken<Value: Sendable>(
        _ origin: String, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.constraint == "village_origin_pkey" {
            throw Refusal(
                .conflict, "origin-taken", field: "origin", zh: "\(origin) 已经是（或曾是）一个村的站点",
                en: "\(origin) is, or was, a village's origin already")
        }
    }

    /// Whether there is a village.
    /// - Parameter connection: of whoever migrates.
    public static func exists(_ connection: Connection) async throws -> Bool {
        try await !connection.query("SELECT FROM public.village LIMIT 1").isEmpty
    }

    /// Makes the months to come in the table of scans; a job makes later ones.
    public static func prepareScanMonths(from day: CivilDay, owner: Pool) async throws {
        try await asOwner(owner) { transaction in
            _ = try await transaction.query(
                "SELECT scan_month((\(day) + make_interval(months => n))::date) FROM generate_series(0, 14) n")
        }
    }

    /// Makes the number sequences that villages lack, as after a dump was restored, which has none: for a few villages at a
    /// time, since one transaction can't lock those of a county.
    public static func completeNumbers(owner: Pool) async throws {
        while true {
            let made = try await asOwner(owner) { transaction in
                try await transaction.query(
                    """
                    SELECT create_own_numbers(v.id) FROM (
                        SELECT id FROM village LEFT JOIN (
                            SELECT substring(relname FROM '[0-9]+$')::int AS id, count(*) AS kinds FROM pg_class
                            WHERE relnamespace = 'numbers'::regnamespace AND relkind = 'S' GROUP BY 1
                        ) made USING (id)
                        WHERE coalesce(made.kinds, 0) < cardinality(number_kinds()) LIMIT 100) v
                    """
                ).count
            }
            if made == 0 { return }
        }
    }

    /// What is made here belongs to whom the rest of the schema belongs.
    private static func asOwner<Value: Sendable>(
        _ owner: Pool, _ body: @escaping @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        try await owner.transaction { transaction in
            _ = try await transaction.query([
                "SET LOCAL ROLE \(identifier: Migrator.owner)",
                // Two programs may start at the same time, and IF NOT EXISTS does not keep them apart.
                "SELECT pg_advisory_xact_lock(7241001)",
            ])
            return try await body(transaction)
        }
    }

    /// All villages, by id.
    /// - Parameter after: the id of the one before the first wanted.
    public static func list(_ database: Database, after: Int = 0, limit: Int = 500) async throws -> [Village] {
        try await database.queryOutside(
            """
            SELECT village_id, name, brand, origin FROM public_village WHERE village_id > \(after)
            ORDER BY village_id LIMIT \(limit)
            """
        ).map(village)
    }

    /// The village that was founded first.
    /// - Throws: a `Refusal` when there is none.
    public static func first(_ database: Database) async throws -> Int {
        guard let village = try await list(database, limit: 1).first else { throw noVillage }
        return village.id
    }

    /// - Throws: a `Refusal` when there is none of that id.
    public static func load(_ id: Int, _ database: Database) async throws -> Village {
        guard let village = try await list(database, after: id - 1, limit: 1).first, village.id == id else {
            throw noVillage
        }
        return village
    }

    /// Whose an origin is, and which village there is if there is but one.
    public static func at(_ origin: String, _ database: Database) async throws -> (named: Int?, only: Int?) {
        let rows = try await database.queryOutside(
            """
            SELECT (SELECT village_id FROM public_origin WHERE origin = \(origin)) AS named,
                (SELECT min(id) FROM (SELECT id FROM village LIMIT 2) v HAVING count(*) = 1) AS only
            """)
        return (try rows.first?.decode("named"), try rows.first?.decode("only"))
    }

    /// A village by its name or one of its origins.
    /// - Parameter name: nil for the only one.
    /// - Throws: a `Refusal` that lists them when there are several, or none is named so.
    public static func find(_ name: String?, _ database: Database) async throws -> Village {
        let rows = try await database.queryOutside(
            """
            SELECT village_id, name, brand, origin FROM public_village
            WHERE \(name)::text IS NULL OR name = \(name)
                OR village_id = (SELECT o.village_id FROM public_origin o WHERE o.origin = \(name))
            ORDER BY village_id LIMIT 2
            """)
        let found = try rows.map(village)
        if let village = found.first, found.count == 1 { return village }
        let known = try await list(database, limit: 20)
        if known.isEmpty { throw noVillage }
        let names = known.map { "\($0.name) (\($0.origin))" }.joined(separator: ", ")
        guard let name else {
            throw Refusal(
                .invalid, "which-village", field: "village", zh: "这里有几个村，请用 --village 说明是哪个：\(names)",
                en: "there are several villages: say which one by --village: \(names)")
        }
        throw found.isEmpty
            ? Refusal(
                .notFound, "unknown-village", field: "village", zh: "没有“\(name.shortened)”这个村；有：\(names)",
                en: "there is no village “\(name.shortened)”; there are: \(names)")
            : Refusal(
                .invalid, "which-village", field: "village", zh: "有几个村叫“\(name.shortened)”，请给出其站点：\(names)",
                en: "several villages are named “\(name.shortened)”: give the origin: \(names)")
    }

    private static func village(_ row: Row) throws -> Village {
        Village(
            id: try row.decode("village_id"), name: try row.decode("name"), brand: try row.decode("brand"),
            origin: try row.decode("origin"))
    }

    private static let noVillage = Refusal(
        .unavailable, "no-village", zh: "数据库里还没有村庄，请先运行 taoyuan init",
        en: "the database has no village yet: run taoyuan init first")
}
