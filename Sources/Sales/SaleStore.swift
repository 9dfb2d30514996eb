import Batches
import Database
import Kernel
import Postgres

/// Sales.
public struct SaleStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// Records a sale out of one cooperative's batches. Batches are drawn from in the order of their numbers, so that
    /// two sales of the same batches wait for each other instead of deadlocking.
    public static func record(_ sale: NewSale, today: CivilDay) -> Plan<Sale> {
        { transaction, scope in
            try SaleRules.check(sale, today: today)
            let amounts = try sale.lines.map { try $0.price.amount(for: $0.weight) }
            let numbers = Array(Set(sale.lines.map(\.batch)))
            let answers = try await transaction.query([
                """
                SELECT b.number, b.cooperative_id, c.name AS cooperative, p.name AS product, b.harvested_on,
                    b.in_g - b.out_g AS stock_g
                FROM batch b
                JOIN cooperative c ON c.village_id = b.village_id AND c.id = b.cooperative_id
                JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
                WHERE b.village_id = \(scope.village) AND \(SQL.among(numbers, "b.number"))
                """,
                "SELECT nextval('sale_id_seq') AS id",
            ])
            let batches = try Self.batches(answers[0])
            guard let id: Int64 = try answers[1].first?.decode("id"), let firstLine = sale.lines.first,
                let seller = batches[firstLine.batch]
            else { throw BatchRules.unknownBatch(sale.lines.first?.batch ?? 0) }
            try Self.check(sale, batches)
            let lines = zip(sale.lines, amounts).map { line, amount in
                Sale.Line(
                    batch: line.batch, product: batches[line.batch]?.product ?? "", weight: line.weight,
                    price: line.price, amount: amount)
            }
            let recorded = Sale(
                id: Identifier(id), number: sale.number, cooperative: seller.cooperative, day: sale.day,
                channel: sale.channel, buyer: sale.buyer, paidHow: sale.paidHow, lines: lines)
            return Change(
                recorded, writes: Self.writes(recorded, cooperative: seller.cooperativeID, scope),
                refusals: [
                    // Only when another sale came between the look at the stock and the writes.
                    BatchStore.oversold: BatchRules.notEnough(
                        batch: firstLine.batch, stock: seller.stock, wanted: firstLine.weight),
                    "sale_number_once": Refusal(
                        .conflict, "sale-number-taken", field: "number", zh: "这个单号当年已登记过",
                        en: "a sale with this number is recorded already in that year"),
                ],
                event: Event("sale.record", "\(id)", day: sale.day, .fen(recorded.total)))
        }
    }

    struct Source {
        let cooperativeID: Int
        let cooperative: String
        let product: String
        let harvestedOn: CivilDay
        let stock: Weight
    }

    private static func batches(_ rows: Rows) throws -> [Int64: Source] {
        var found: [Int64: Source] = [:]
        for row in rows {
            found[try row.decode("number")] = Source(
                cooperativeID: try row.decode("cooperative_id"), cooperative: try row.decode("cooperative"),
                product: try row.decode("product"), harvestedOn: try row.decode("harvested_on"),
                stock: try row.decode("stock_g"))
        }
        return found
    }

    /// Every line's batch is there, of one cooperative, harvested by then, and holds what all lines take together.
    private static func check(_ sale: NewSale, _ batches: [Int64: Source]) throws {
        var taken: [Int64: Weight] = [:]
        for (index, line) in sale.lines.enumerated() {
            guard let batch = batches[line.batch] else {
                throw BatchRules.unknownBatch(line.batch).renamed(field: "lines[\(index)].batch")
            }
            guard batch.cooperativeID == batches[sale.lines[0].batch]?.cooperativeID else {
                throw Refusal(
                    .invalid, "several-cooperatives", field: "lines[\(index)].batch",
                    zh: "一笔销售只能出自一个合作社的批次", en: "a sale draws on one cooperative's batches")
            }
            guard sale.day >= batch.harvestedOn else {
                throw SaleRules.beforeHarvest(batch: line.batch, harvested: batch.harvestedOn)
            }
            let sum = (taken[line.batch] ?? Weight(grams: 0)) + line.weight
            guard sum <= batch.stock else {
                throw BatchRules.notEnough(batch: line.batch, stock: batch.stock, wanted: sum)
                    .renamed(field: "lines[\(index)].weight")
            }
            taken[line.batch] = sum
        }
    }

    private static func writes(_ sale: Sale, cooperative: Int, _ scope: Scope) -> [SQL] {
        let id = sale.id.value
        var writes: [SQL] = [
            """
            INSERT INTO sale (village_id, id, cooperative_id, number, sold_on, channel, buyer, paid_how, actor)
            VALUES (\(scope.village), \(id), \(cooperative), \(sale.number), \(sale.day), \(sale.channel),
                \(sale.buyer), \(sale.paidHow), \(scope.actor))
            """
        ]
        for (index, line) in sale.lines.enumerated().sorted(by: { $0.element.batch < $1.element.batch }) {
            writes.append(
                """
                INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,
                    price_basis, basis_g, amount_fen)
                VALUES (\(scope.village), \(id), \(index + 1), \(cooperative), \(line.batch), \(line.weight),
                    \(line.price.fen), \(line.price.basis.rawValue), \(line.price.basisGrams), \(line.amount))
                """)
            writes.append(
                """
                INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, actor)
                VALUES (\(scope.village), \(line.batch), \(cooperative), 'sale', \(-line.weight.grams), \(sale.day),
                    \(id), \(scope.actor))
                """)
            writes.append(BatchStore.takeOut(line.batch, line.weight, scope))
        }
        return writes
    }

    /// - Parameter before: the id of the sale after the last one wanted: newest come first.
    public func list(_ scope: Scope, before: Int64 = .max, batch: Int64? = nil, limit: Int = 50) async throws -> [Sale]
    {
        try await database.transaction(scope) { transaction in
            let rows = try await transaction.query(
                """
                WITH page AS (
                    SELECT * FROM sale s WHERE s.village_id = \(scope.village) AND s.id < \(before)
                        AND (\(batch)::bigint IS NULL OR EXISTS (
                            SELECT FROM sale_line l WHERE l.village_id = s.village_id AND l.sale_id = s.id
                                AND l.batch_number = \(batch)))
                    ORDER BY s.id DESC LIMIT \(limit)
                )
                SELECT s.id, s.number, c.name AS cooperative, s.sold_on, s.channel, s.buyer, s.paid_how,
                    l.batch_number, p.name AS product, l.grams, l.price_fen, l.price_basis, l.basis_g, l.amount_fen
                FROM page s
                JOIN cooperative c ON c.village_id = s.village_id AND c.id = s.cooperative_id
                JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id
                JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number
                JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
                ORDER BY s.id DESC, l.line
                """)
            return try Self.sales(rows)
        }
    }

    private static func sales(_ rows: Rows) throws -> [Sale] {
        var order: [Int64] = []
        var lines: [Int64: [Sale.Line]] = [:]
        var heads: [Int64: Row] = [:]
        for row in rows {
            let id: Int64 = try row.decode("id")
            if heads[id] == nil {
                heads[id] = row
                order.append(id)
            }
            let basis = Price.Basis(rawValue: try row.decode("price_basis")) ?? .jin
            let price = try Price(
                fen: row.decode("price_fen"), basis: basis, boxGrams: basis == .box ? row.decode("basis_g") : nil)
            lines[id, default: []].append(
                Sale.Line(
                    batch: try row.decode("batch_number"), product: try row.decode("product"),
                    weight: try row.decode("grams"), price: price, amount: try row.decode("amount_fen")))
        }
        return try order.compactMap { id in
            guard let row = heads[id] else { return nil }
            return Sale(
                id: Identifier(id), number: try row.decode("number"), cooperative: try row.decode("cooperative"),
                day: try row.decode("sold_on"), channel: try row.decode("channel"), buyer: try row.decode("buyer"),
                paidHow: try row.decode("paid_how"), lines: lines[id] ?? [])
        }
    }
}
