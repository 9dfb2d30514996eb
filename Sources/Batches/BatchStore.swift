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
            let page = scope.newest(
                "batch", by: "number", before: before, where: inStock ? "r.out_g < r.in_g" : "true", limit: limit)
            return try await transaction.query([
                LocalSetting.keepingPlan.statement, Self.select(from: "(\(page))", scope) + " ORDER BY b.number DESC",
            ])[1].map(Self.batch)
        }
    }

    /// A batch with its newest movements and what has been put right of it.
    /// - Parameters:
    ///   - before: the number of the movement after the last one wanted: newest come first.
    ///   - limit: how many movements at most.
    /// - Throws: a `Refusal` of kind `notFound`, for another cooperative's batch too.
    public func show(
        _ number: Int64, _ scope: Scope, before: Int64 = .max, limit: Int = 50
    ) async throws -> BatchHistory {
        try await database.transaction(scope) { transaction in
            let answers = try await transaction.query([
                Self.select(scope) + " AND b.number = \(number)",
                """
                SELECT m.id, m.kind, m.grams, m.day, m.sale_id, m.reason, m.actor, m.at, o.withdrawal AS undoes,
                    u.movement AS undone_by, count(*) OVER () AS count
                FROM stock_movement m
                LEFT JOIN withdrawal_undo u ON u.village_id = m.village_id AND u.batch_number = m.batch_number
                    AND u.withdrawal = m.id AND m.kind IN ('own_use', 'loss', 'gift')
                LEFT JOIN withdrawal_undo o ON o.village_id = m.village_id AND o.batch_number = m.batch_number
                    AND o.movement = m.id AND m.kind = 'undo'
                WHERE m.village_id = \(scope.village) AND m.batch_number = \(number) AND m.id < \(before)
                ORDER BY m.id DESC LIMIT \(limit)
                """,
                BatchCorrection.select(number, scope), Self.openRecall(over: number, scope),
            ])
            guard let row = answers[0].first else { throw BatchRules.unknownBatch(number) }
            let count: Int = try answers[1].first?.decode("count") ?? 0
            return BatchHistory(
                batch: try Self.batch(row), recall: try answers[3].first.map(OpenRecall.init),
                corrections: try answers[2].map(BatchCorrection.init), movements: try answers[1].map(Self.movement),
                older: count - answers[1].count)
        }
    }

    /// Takes grams out of a batch for a reason other than a sale, and answers what is left. Under a recall they can only
    /// be destroyed.
    public static func withdraw(
        _ kind: Withdrawal, batch number: Int64, weight: Weight, day: CivilDay, reason: String?, today: CivilDay
    ) -> Plan<MovedStock> {
        { transaction, scope in
            let reason = try reason.map(CleanText.reason)
            let answers = try await transaction.query([
                select(scope) + " AND b.number = \(number)", ClosedBooks.through(scope),
            ])
            guard let batch = try answers[0].first.map(Self.batch) else { throw BatchRules.unknownBatch(number) }
            try ClosedBooks.check(day, through: answers[1].first?.decode("through"))
            guard !batch.isVoid else { throw BatchRules.void(number) }
            if batch.isRecalled, kind != .loss {
                throw BatchRules.recalled(number, try await recall(over: number, transaction, scope))
            }
            guard day >= batch.harvestedOn, day <= today else {
                throw Refusal(
                    .invalid, "day-out-of-range", field: "day", zh: "日期须在采收日 \(batch.harvestedOn) 与今天之间",
                    en: "the day must lie between the harvest on \(batch.harvestedOn) and today")
            }
            guard weight <= batch.stock else {
                throw BatchRules.notEnough(batch: number, stock: batch.stock, wanted: weight)
            }
            return Change(
                lastWrites: [
                    """
                    WITH moved AS (
                        INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, reason,
                            actor)
                        SELECT village_id, number, cooperative_id, \(kind.rawValue), \(-weight.grams), \(day),
                            \(reason), \(scope.actor)
                        FROM batch WHERE village_id = \(scope.village) AND number = \(number) RETURNING id
                    ), taken AS (
                        UPDATE batch SET out_g = out_g + \(weight),
                            frozen_g = frozen_g + CASE \(kind.rawValue)::text WHEN 'loss' THEN \(weight)::bigint ELSE 0 END
                        WHERE village_id = \(scope.village) AND number = \(number) RETURNING in_g - out_g AS stock_g
                    )
                    SELECT moved.id, taken.stock_g FROM moved, taken
                    """
                ],
                refusals: [
                    oversold: BatchRules.notEnough(batch: number, stock: batch.stock, wanted: weight),
                    underRecall: BatchRules.recalled(number, nil),
                ],
                event: Event("batch.\(kind.rawValue)", "\(number)", day: day, .grams(weight), .reason(reason))
            ) { rows in
                guard let row = rows.first else { throw BatchRules.unknownBatch(number) }
                return MovedStock(movement: try row.decode("id"), stock: try row.decode("stock_g"))
            }
        }
    }

    /// The constraint that lets no more leave a batch than came in.
    public static let oversold = "batch_not_oversold"
    /// The constraint that lets nothing leave a batch under recall.
    public static let underRecall = "batch_under_recall"

    /// Locks batches in the order of their numbers.
    public static func lock(_ numbers: [Int64], _ scope: Scope) -> SQL {
        """
        SELECT FROM batch WHERE village_id = \(scope.village) AND \(SQL.among(numbers, "number"))
        ORDER BY number FOR NO KEY UPDATE
        """
    }

    /// The statement by which grams come back to a batch. What came back under a recall stays.
    public static func putBack(_ number: Int64, _ weight: Weight, _ scope: Scope) -> SQL {
        """
        UPDATE batch SET out_g = out_g - \(weight), frozen_g = frozen_g - \(weight)
        WHERE village_id = \(scope.village) AND number = \(number)
        """
    }

    /// The recall that a batch is under, its own or that of a batch that it was made from.
    public static func recall(
        over number: Int64, _ transaction: Transaction, _ scope: Scope
    ) async throws -> OpenRecall? {
        try await transaction.query(openRecall(over: number, scope)).first.map(OpenRecall.init)
    }

    public static func openRecall(over number: Int64, _ scope: Scope) -> SQL {
        """
        WITH RECURSIVE line (number) AS (
            SELECT number FROM batch WHERE village_id = \(scope.village) AND number = \(number) AND recalls > 0
            UNION
            SELECT i.parent FROM batch_input i JOIN line ON i.child = line.number WHERE i.village_id = \(scope.village)
        )
        SELECT r.batch_number, r.reason, r.at FROM line CROSS JOIN LATERAL (
            SELECT * FROM recall r WHERE r.village_id = \(scope.village) AND r.batch_number = line.number
            ORDER BY r.id DESC LIMIT 1) r
        WHERE r.step = 'open' ORDER BY r.id LIMIT 1
        """
    }

    /// - Parameter source: the batches among which they are.
    static func select(from source: SQL = "batch", _ scope: Scope) -> SQL {
        """
        SELECT b.number, b.kind, coalesce(cm.name, c.name) AS cooperative, t.number AS plot, p.name AS product,
            coalesce(vm.name, v.name) AS variety, coalesce(gm.name, g.name) AS grade, b.harvested_on, b.slip, b.picker,
            b.in_g, b.out_g, b.voided, b.recalls > 0 AS recalled, b.created_at
        FROM \(source) b
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
            isVoid: try row.decode("voided"), isRecalled: try row.decode("recalled"),
            registeredAt: try row.decode("created_at"))
    }

    private static func movement(_ row: Row) throws -> StockMovement {
        StockMovement(
            number: try row.decode("id"), kind: try row.decode("kind"), grams: try row.decode("grams"),
            day: try row.decode("day"),
            sale: try row.decode("sale_id"), undoes: try row.decode("undoes"), undoneBy: try row.decode("undone_by"),
            reason: try row.decode("reason"), actor: try row.decode("actor"),
            at: try row.decode("at"))
    }
}

extension OpenRecall {
    /// A row of `BatchStore.openRecall`.
    public init(_ row: Row) throws {
        self.init(batch: try row.decode("batch_number"), reason: try row.decode("reason"), at: try row.decode("at"))
    }
}
