import Database
import Kernel
import Orchard
import Postgres

/// Batches and their stock.
public struct BatchStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// - Parameters:
    ///   - before: the number of the batch after the last one wanted: newest come first.
    ///   - inStock: only batches of which something is left.
    public func list(
        _ scope: Scope, before: Int64 = .max, inStock: Bool = false, limit: Int = 50
    ) async throws -> [Batch] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                Self.select(scope)
                    + " AND b.number < \(before) AND (NOT \(inStock) OR b.out_g < b.in_g) ORDER BY b.number DESC LIMIT \(limit)"
            ).map(Self.batch)
        }
    }

    /// - Throws: a `Refusal` of kind `notFound`, for another cooperative's batch too.
    public func show(_ number: Int64, _ scope: Scope) async throws -> (batch: Batch, movements: [StockMovement]) {
        try await database.transaction(scope) { transaction in
            let answers = try await transaction.query([
                Self.select(scope) + " AND b.number = \(number)",
                """
                SELECT kind, grams, day, sale_id, reason, actor, at FROM stock_movement
                WHERE village_id = \(scope.village) AND batch_number = \(number) ORDER BY id LIMIT 1000
                """,
            ])
            guard let row = answers[0].first else { throw BatchRules.unknownBatch(number) }
            return (try Self.batch(row), try answers[1].map(Self.movement))
        }
    }

    /// Takes grams out of a batch for a reason other than a sale, and answers what is left.
    public static func withdraw(
        _ kind: Withdrawal, batch number: Int64, weight: Weight, day: CivilDay, reason: String?, today: CivilDay
    ) -> Plan<Weight> {
        { transaction, scope in
            let rows = try await transaction.query(select(scope) + " AND b.number = \(number)")
            guard let batch = try rows.first.map(Self.batch) else { throw BatchRules.unknownBatch(number) }
            guard day >= batch.harvestedOn, day <= today else {
                throw Refusal(
                    .invalid, "day-out-of-range", field: "day", zh: "日期须在采收日 \(batch.harvestedOn) 与今天之间",
                    en: "the day must lie between the harvest on \(batch.harvestedOn) and today")
            }
            guard weight <= batch.stock else {
                throw BatchRules.notEnough(batch: number, stock: batch.stock, wanted: weight)
            }
            return Change(
                writes: [
                    """
                    INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, reason, actor)
                    SELECT village_id, number, cooperative_id, \(kind.rawValue), \(-weight.grams), \(day), \(reason),
                        \(scope.actor)
                    FROM batch WHERE village_id = \(scope.village) AND number = \(number)
                    """
                ],
                lastWrites: [takeOut(number, weight, scope) + " RETURNING in_g - out_g AS stock_g"],
                refusals: [oversold: BatchRules.notEnough(batch: number, stock: batch.stock, wanted: weight)],
                event: Event("batch.\(kind.rawValue)", "\(number)", day: day, .grams(weight), .reason(reason))
            ) { rows in
                guard let row = rows.first else { throw BatchRules.unknownBatch(number) }
                return try row.decode("stock_g")
            }
        }
    }

    /// The constraint that lets no more leave a batch than came in.
    public static let oversold = "batch_not_oversold"

    /// The statement by which grams leave a batch: the CHECK on the row decides, not a count beforehand.
    public static func takeOut(_ number: Int64, _ weight: Weight, _ scope: Scope) -> SQL {
        """
        UPDATE batch SET out_g = out_g + \(weight)
        WHERE village_id = \(scope.village) AND number = \(number)
        """
    }

    static func select(_ scope: Scope) -> SQL {
        """
        SELECT b.number, b.kind, coalesce(cm.name, c.name) AS cooperative, t.number AS plot, p.name AS product,
            coalesce(vm.name, v.name) AS variety, coalesce(gm.name, g.name) AS grade, b.harvested_on, b.slip, b.picker, b.in_g, b.out_g, b.created_at
        FROM batch b
        JOIN cooperative c ON c.village_id = b.village_id AND c.id = b.cooperative_id
        LEFT JOIN plot_period t ON t.village_id = b.village_id AND t.id = b.plot_period_id
        JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
        JOIN variety v ON v.village_id = b.village_id AND v.id = b.variety_id
        JOIN grade g ON g.village_id = b.village_id AND g.id = b.grade_id
        LEFT JOIN cooperative cm ON cm.village_id = c.village_id AND cm.id = c.merged_into
        LEFT JOIN variety vm ON vm.village_id = v.village_id AND vm.id = v.merged_into
        LEFT JOIN grade gm ON gm.village_id = g.village_id AND gm.id = g.merged_into
        WHERE b.village_id = \(scope.village)
        """
    }

    static func batch(_ row: Row) throws -> Batch {
        Batch(
            number: Identifier(try row.decode("number")),
            kind: Batch.Kind(rawValue: try row.decode("kind")) ?? .harvest,
            cooperative: try row.decode("cooperative"), plot: try row.decode("plot"),
            product: try row.decode("product"), variety: try row.decode("variety"), grade: try row.decode("grade"),
            harvestedOn: try row.decode("harvested_on"), slip: try row.decode("slip"),
            picker: try row.decode("picker"), weightIn: try row.decode("in_g"), weightOut: try row.decode("out_g"),
            registeredAt: try row.decode("created_at"))
    }

    private static func movement(_ row: Row) throws -> StockMovement {
        StockMovement(
            kind: try row.decode("kind"), grams: try row.decode("grams"), day: try row.decode("day"),
            sale: try row.decode("sale_id"), reason: try row.decode("reason"), actor: try row.decode("actor"),
            at: try row.decode("at"))
    }
}
