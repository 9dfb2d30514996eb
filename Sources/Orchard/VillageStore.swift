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

    /// Makes the village, its products and its grades in a database that has no village yet. Harmless twice.
    /// - Parameter owner: a pool of whoever may become the schema's owner, since the service may not create a village's
    ///   number sequence.
    public static func found(name: String, brand: String, origin: String, owner: Pool) async throws {
        try await asOwner(owner) { transaction in
            guard try await transaction.query("SELECT id FROM village").isEmpty else { return }
            _ = try await transaction.query([
                "INSERT INTO village (id, name, brand) VALUES (1, \(name), \(brand))",
                "INSERT INTO village_origin (origin, village_id) VALUES (\(origin), 1)",
            ])
            _ = try await transaction.query("SELECT create_own_numbers(1)")
            for preset in presets {
                _ = try await transaction.query(
                    """
                    WITH made AS (
                        INSERT INTO product (village_id, name, best_before_days, ceiling_g_per_mu)
                        VALUES (1, \(preset.product), \(preset.bestBeforeDays), \(preset.jinPerMu * 500)) RETURNING id
                    )
                    INSERT INTO variety (village_id, product_id, name)
                    SELECT 1, made.id, n FROM made, unnest(\(preset.varieties)::text[]) WITH ORDINALITY u (n, place)
                    ORDER BY place
                    """)
            }
            _ = try await transaction.query(
                "INSERT INTO grade (village_id, name) SELECT 1, unnest(\(grades)::text[])")
        }
    }

    /// Gives the village an origin under which it issues from now on.
    /// - Parameter scope: who asks for it, for the audit.
    /// - Throws: a `Refusal` when the origin is or was some village's.
    public static func addOrigin(_ origin: String, _ scope: Scope, owner: Pool) async throws {
        do {
            try await asOwner(owner) { transaction in
                _ = try await transaction.query([
                    "INSERT INTO village_origin (origin, village_id) VALUES (\(origin), \(scope.village))",
                    Event("village.origin", origin).insert(by: scope),
                ])
            }
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

    /// What is made here belongs to whom the rest of the schema belongs.
    private static func asOwner(
        _ owner: Pool, _ body: @escaping @Sendable (Transaction) async throws -> Void
    ) async throws {
        try await owner.transaction { transaction in
            _ = try await transaction.query([
                "SET LOCAL ROLE \(identifier: Migrator.owner)",
                // Two programs may start at the same time, and IF NOT EXISTS does not keep them apart.
                "SELECT pg_advisory_xact_lock(7241001)",
            ])
            try await body(transaction)
        }
    }

    /// The village that the program serves.
    /// - Throws: a `Refusal` when the database has none.
    public static func load(_ database: Database) async throws -> Village {
        let rows = try await database.queryOutside(
            "SELECT village_id AS id, name, brand, origin FROM public_village ORDER BY village_id LIMIT 1")
        guard let row = rows.first else {
            throw Refusal(
                .unavailable, "no-village", zh: "数据库里还没有村庄，请先运行 taoyuan init",
                en: "the database has no village yet: run taoyuan init first")
        }
        return Village(
            id: try row.decode("id"), name: try row.decode("name"), brand: try row.decode("brand"),
            origin: try row.decode("origin"))
    }
}
