import Batches
import Database
import Kernel
import Orchard
import Postgres

/// Sales.
public struct SaleStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// Records a sale out of one cooperative's batches.
    /// - Throws: a `Refusal`; what the sale is asked about, and was not confirmed, comes last.
    public static func record(_ sale: NewSale, today: CivilDay) -> Plan<Sale> {
        { transaction, scope in
            let sale = try SaleRules.checked(sale, today: today)
            let amounts = try sale.lines.map { try $0.price.amount(for: $0.weight) }
            let numbers = Array(Set(sale.lines.map(\.batch)))
            let answers = try await transaction.query([
                ClosedBooks.numbered("sale", scope),
                """
                SELECT b.number, b.cooperative_id, c.name AS cooperative, b.product_id, p.name AS product, p.usual_fen,
                    b.harvested_on, b.in_g - b.out_g AS stock_g, b.voided, b.recalls > 0 AS recalled, k.best_before
                FROM batch b
                JOIN cooperative_meant c ON c.village_id = b.village_id AND c.id = b.cooperative_id
                JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
                LEFT JOIN code k ON k.village_id = b.village_id AND k.batch_number = b.number AND k.serial = ''
                WHERE b.village_id = \(scope.village) AND \(SQL.among(numbers, "b.number"))
                """,
                """
                SELECT \(SaleNames.meant(.channel, by: sale.channel, scope)) AS channel,
                    \(SaleNames.meant(.buyer, by: sale.buyer, scope)) AS buyer,
                    (\(ClosedBooks.through(scope))) AS closed
                """,
            ])
            let batches = try Self.batches(answers[1])
            guard let known = answers[2].first, let own = answers[0].first, let firstLine = sale.lines.first,
                let seller = batches[firstLine.batch]
            else { throw BatchRules.unknownBatch(sale.lines.first?.batch ?? 0) }
            let id: Int64 = try own.decode("number")
            let (channel, buyer): (String?, String?) = (try known.decode("channel"), try known.decode("buyer"))
            try ClosedBooks.check(sale.day, through: known.decode("closed"))
            try await Self.check(sale, batches, transaction, scope)
            let replaced = try await Self.replaced(by: sale, cooperative: seller.cooperativeID, transaction, scope)
            try SaleRules.ask(sale, batches)
            if channel == nil, !sale.confirmed.contains(.newChannel) {
                try await NewChannel.ask(sale.channel, transaction, scope)
            }
            let usual = try await UsualPrice.ask(sale, batches, transaction, scope)
            let lines = zip(sale.lines, amounts).enumerated().map { index, line in
                Sale.Line(
                    number: index + 1, batch: line.0.batch, product: batches[line.0.batch]?.product ?? "",
                    weight: line.0.weight, price: line.0.price, amount: line.1, returned: Weight(grams: 0),
                    refunded: .zero, isReversed: false)
            }
            let recorded = Sale(
                id: Identifier(id), number: sale.number ?? replaced, cooperative: seller.cooperative, day: sale.day,
                channel: channel ?? sale.channel, buyer: buyer ?? sale.buyer, paidHow: sale.paidHow,
                replaces: sale.replaces, replacedBy: nil, lines: lines)
            let new: [(NameKind, String)] =
                (channel == nil ? [(.channel, sale.channel)] : []) + (buyer == nil ? [(.buyer, sale.buyer)] : [])
            return Change(
                recorded,
                writes: usual + SaleWriter.statements(Self.rows(recorded, cooperative: seller.cooperativeID), scope),
                lastWrites: SaleNames.record(new, scope), refusals: Self.refusals,
                event: Event(
                    "sale.record", "\(id)", day: sale.day, .fen(recorded.total), .number("replaces", sale.replaces))
            ).holdingBooks
        }
    }

    /// What tells of a batch whose stock was taken, or whose recall was opened, again and again while a sale of it was
    /// being recorded; otherwise the sale looks again and names what it finds.
    private static let refusals = [
        BatchStore.oversold: Refusal(
            .conflict, "not-enough-stock", field: "lines", zh: "库存刚被别的销售用掉，不够了；请再看一次",
            en: "others have just taken of the stock: there is not enough left; look again"),
        BatchStore.underRecall: Refusal(
            .conflict, "batch-recalled", field: "lines", zh: "批次刚开始召回，不能销售",
            en: "a recall of the batch has just been opened: it can't be sold"),
        "sale_number_once": Refusal(
            .conflict, "sale-number-taken", field: "number", zh: "这个单号当年已登记过",
            en: "a sale with this number is recorded already in that year"),
        "sale_replaced_once": Refusal(
            .conflict, "replaced-already", field: "replaces", zh: "这笔销售已经重新登记过",
            en: "that sale has been recorded anew already"),
        SQL.rowsTouched: Refusal(
            .conflict, "named-meanwhile", field: "buyer", zh: "这个渠道或买方刚被别人用另一种写法登记，请再试一次",
            en: "somebody else has just recorded this channel or buyer in another spelling: try again"),
    ]

    struct Source {
        let cooperativeID: Int
        let cooperative: String
        let productID: Int
        let product: String
        /// Around what the product sells at, in fen a kilogram, if that has been seen.
        let usualFen: Int64?
        let harvestedOn: CivilDay
        let stock: Weight
        let isVoid: Bool
        let isRecalled: Bool
        let bestBefore: CivilDay?
    }

    private static func batches(_ rows: Rows) throws -> [Int64: Source] {
        var found: [Int64: Source] = [:]
        for row in rows {
            found[try row.decode("number")] = Source(
                cooperativeID: try row.decode("cooperative_id"), cooperative: try row.decode("cooperative"),
                productID: try row.decode("product_id"), product: try row.decode("product"),
                usualFen: try row.decode("usual_fen"), harvestedOn: try row.decode("harvested_on"),
                stock: try row.decode("stock_g"), isVoid: try row.decode("voided"),
                isRecalled: try row.decode("recalled"), bestBefore: try row.decode("best_before"))
        }
        return found
    }

    /// Every line's batch is there, of one cooperative, harvested by then, under no recall, and holds what all lines take
    /// together.
    private static func check(
        _ sale: NewSale, _ batches: [Int64: Source], _ transaction: Transaction, _ scope: Scope
    ) async throws {
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
            guard !batch.isVoid else { throw BatchRules.void(line.batch).renamed(field: "lines[\(index)].batch") }
            if batch.isRecalled {
                let recall = try await BatchStore.recall(over: line.batch, transaction, scope)
                throw BatchRules.recalled(line.batch, recall).renamed(field: "lines[\(index)].batch")
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

    /// The number of the sale that is recorded anew, which must have been reversed, all of it.
    private static func replaced(
        by sale: NewSale, cooperative: Int, _ transaction: Transaction, _ scope: Scope
    ) async throws -> String? {
        guard let replaces = sale.replaces else { return nil }
        let rows = try await transaction.query(
            """
            SELECT s.number, s.cooperative_id, bool_and(l.returned_g = l.grams AND l.refunded_fen = l.amount_fen) AS over
            FROM sale s JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id
            WHERE s.village_id = \(scope.village) AND s.id = \(replaces) GROUP BY s.number, s.cooperative_id
            """)
        guard let row = rows.first, try row.decode("cooperative_id", as: Int.self) == cooperative else {
            throw SaleRules.unknownSale(replaces).renamed(field: "replaces")
        }
        guard try row.decode("over", as: Bool.self) else {
            throw Refusal(
                .conflict, "not-reversed", field: "replaces", zh: "销售 \(replaces) 还没有全部冲销，先冲销再重新登记",
                en: "sale \(replaces) is not reversed: reverse it before it is recorded anew")
        }
        let number: String? = try row.decode("number")
        guard sale.number == nil || sale.number == number else {
            throw Refusal(
                .invalid, "another-number", field: "number", zh: "重新登记的销售沿用原来的单号 \(number ?? "—")",
                en: "a sale that is recorded anew keeps its number, \(number ?? "none")")
        }
        return number
    }

    private static func rows(_ sale: Sale, cooperative: Int) -> [SaleWriter.Row] {
        sale.lines.map { line in
            SaleWriter.Row(
                sale: sale.id.value, cooperative: cooperative, number: sale.number, day: sale.day,
                channel: sale.channel, buyer: sale.buyer, paidHow: sale.paidHow, replaces: sale.replaces,
                line: line.number, batch: line.batch, weight: line.weight, price: line.price, amount: line.amount)
        }
    }
}
