import Batches
import Database
import Kernel
import Postgres
import Registers

/// Records 销售流水: each row is a sale of part of one batch, found by its harvest slip.
public struct SaleRegister: RegisterRecorder, Sendable {
    private static let day = Column("日期", also: ["销售日期"])
    private static let number = Column("单号", also: ["销售单号"])
    private static let cooperative = Column("合作社")
    private static let slip = Column("采收单号")
    private static let product = Column("产品", required: false)
    private static let weight = Column("数量斤", also: ["数量", "重量斤"])
    private static let price = Column("单价元每斤", also: ["单价", "单价元/斤"])
    private static let amount = Column("金额元", also: ["金额"], required: false)
    private static let channel = Column("渠道")
    private static let buyer = Column("买方", also: ["客户"])
    private static let paidHow = Column("付款方式", required: false)
    public static let columns = [
        day, number, cooperative, slip, product, weight, price, amount, channel, buyer, paidHow,
    ]

    public static let refusals = [
        "sale_number_once": Refusal(
            .conflict, "sale-number-taken", field: "单号", zh: "导入期间有单号被登记；什么都没有记录，请重试",
            en: "while this ran, a sale's number was recorded by someone else: nothing was recorded, try again")
    ]

    private let today: CivilDay
    private var hasStaging = false
    public let created: [Bilingual] = []

    public init(today: CivilDay) {
        self.today = today
    }

    private struct Source {
        let number: Int64
        let cooperative: Int
        let product: String
        let harvestedOn: CivilDay
        var stock: Weight
    }

    private struct Key: Hashable {
        let cooperative: String
        let number: String
    }

    private struct Entry {
        let key: Key
        let source: Source
        let day: CivilDay
        let weight: Weight
        let price: Price
        let amount: Money
        let channel: String
        let buyer: String
        let paidHow: String?
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        var sources = try await Self.sources(rows, transaction, scope)
        var known = try await Self.known(rows, transaction, scope)
        var outcomes: [RowOutcome] = []
        var entries: [Entry] = []
        for row in rows {
            do {
                let sourceKey = Key(
                    cooperative: try row.text(Self.cooperative, max: 60), number: try row.key(Self.slip))
                let entry = try read(row, sources[sourceKey], sourceKey)
                if let old = known[entry.key] {
                    guard old == entry.amount else {
                        throw Refusal(
                            .conflict, "sale-differs", field: Self.number.name,
                            zh: "单号 \(entry.key.number.shortened) 已登记过，但金额不同",
                            en: "sale \(entry.key.number.shortened) is recorded already, with another amount")
                    }
                    outcomes.append(.already)
                    continue
                }
                guard entry.weight <= entry.source.stock else {
                    throw BatchRules.notEnough(
                        batch: entry.source.number, stock: entry.source.stock, wanted: entry.weight
                    ).renamed(field: Self.weight.name)
                }
                sources[sourceKey]?.stock = entry.source.stock - entry.weight
                known[entry.key] = entry.amount
                entries.append(entry)
                outcomes.append(.recorded)
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        try await write(entries, transaction, scope)
        return outcomes
    }

    private func read(_ row: RegisterRow, _ source: Source?, _ sourceKey: Key) throws -> Entry {
        guard let source else {
            throw Refusal(
                .invalid, "unknown-slip", field: Self.slip.name,
                zh: "“\(sourceKey.cooperative.shortened)”没有采收单号“\(sourceKey.number.shortened)”，请先导入采收登记",
                en: "“\(sourceKey.cooperative.shortened)” has no slip “\(sourceKey.number.shortened)”: import the "
                    + "harvests first")
        }
        if let product = try row.optionalText(Self.product, max: 60), product != source.product {
            throw Refusal(
                .invalid, "product-mismatch", field: Self.product.name, zh: "这个采收单号是\(source.product)",
                en: "this slip is of \(source.product)")
        }
        let day = try row.day(Self.day)
        guard day <= today else {
            throw Refusal(
                .invalid, "sale-in-future", field: Self.day.name, zh: "销售日期在今天之后", en: "the day is in the future")
        }
        guard day >= source.harvestedOn else {
            throw SaleRules.beforeHarvest(batch: source.number, harvested: source.harvestedOn)
                .renamed(field: Self.day.name)
        }
        let weight = try row.weight(Self.weight, unit: 500)
        let price: Price
        let amount: Money
        do {
            price = try Price(fen: row.money(Self.price).fen, basis: .jin)
            amount = try price.amount(for: weight)
        } catch let refusal as Refusal {
            throw refusal.of(field: Self.price.name)
        }
        if let stated = try row.optionalMoney(Self.amount), stated != amount {
            throw Refusal(
                .invalid, "amount-differs", field: Self.amount.name, zh: "金额 \(stated) 与数量×单价 \(amount) 不符",
                en: "the amount \(stated) is not weight × price, \(amount)")
        }
        return Entry(
            key: Key(cooperative: sourceKey.cooperative, number: try row.key(Self.number)), source: source, day: day,
            weight: weight, price: price, amount: amount, channel: try row.text(Self.channel, max: 40),
            buyer: try row.text(Self.buyer), paidHow: try row.optionalText(Self.paidHow, max: 40))
    }

    /// The rows' cooperatives and, of each, the number in `column`.
    private static func keys(_ rows: [RegisterRow], _ column: Column) -> (cooperatives: [String], numbers: [String]) {
        let keys = Set(
            rows.compactMap { row in
                (try? row.text(cooperative, max: 60)).flatMap { name in
                    (try? row.key(column)).map { Key(cooperative: name, number: $0) }
                }
            })
        return (keys.map(\.cooperative), keys.map(\.number))
    }

    /// The batches that the rows draw on, locked until the import ends. LATERAL with LIMIT makes each slip one look into
    /// its index, whatever the planner knows of a table that is being filled.
    private static func sources(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Key: Source] {
        let wanted = keys(rows, slip)
        let numbers = try await transaction.query(
            """
            SELECT b.number FROM unnest(\(wanted.cooperatives)::text[], \(wanted.numbers)::text[]) w (cooperative, slip)
            JOIN cooperative c ON c.village_id = \(scope.village) AND c.name = w.cooperative
            CROSS JOIN LATERAL (
                SELECT b.number FROM batch b WHERE b.village_id = c.village_id AND b.cooperative_id = c.id
                    AND b.slip = w.slip AND b.slip IS NOT NULL LIMIT 1) b
            """
        ).map { try $0.decode("number", as: Int64.self) }
        var found: [Key: Source] = [:]
        for row in try await transaction.query(
            """
            SELECT b.number, b.cooperative_id, c.name AS cooperative, b.slip, p.name AS product, b.harvested_on,
                b.in_g - b.out_g AS stock_g
            FROM batch b
            JOIN cooperative c ON c.village_id = b.village_id AND c.id = b.cooperative_id
            JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
            WHERE b.village_id = \(scope.village) AND b.number = ANY(\(numbers)::bigint[])
            ORDER BY b.number FOR NO KEY UPDATE OF b
            """)
        {
            let key = Key(cooperative: try row.decode("cooperative"), number: try row.decode("slip"))
            found[key] = Source(
                number: try row.decode("number"), cooperative: try row.decode("cooperative_id"),
                product: try row.decode("product"), harvestedOn: try row.decode("harvested_on"),
                stock: try row.decode("stock_g"))
        }
        return found
    }

    /// What is recorded already under the rows' numbers.
    private static func known(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Key: Money] {
        let wanted = keys(rows, number)
        var found: [Key: Money] = [:]
        for row in try await transaction.query(
            """
            SELECT w.cooperative, w.number, (
                SELECT sum(l.amount_fen)::bigint FROM sale_line l
                WHERE l.village_id = \(scope.village) AND l.sale_id = s.id) AS amount_fen
            FROM unnest(\(wanted.cooperatives)::text[], \(wanted.numbers)::text[]) w (cooperative, number)
            JOIN cooperative c ON c.village_id = \(scope.village) AND c.name = w.cooperative
            CROSS JOIN LATERAL (
                SELECT s.id FROM sale s WHERE s.village_id = c.village_id AND s.cooperative_id = c.id
                    AND s.number = w.number AND s.number IS NOT NULL LIMIT 1) s
            """)
        {
            let key = Key(cooperative: try row.decode("cooperative"), number: try row.decode("number"))
            found[key] = try row.decode("amount_fen")
        }
        return found
    }

    private mutating func write(_ entries: [Entry], _ transaction: Transaction, _ scope: Scope) async throws {
        guard !entries.isEmpty else { return }
        if !hasStaging {
            _ = try await transaction.query(SaleStaging.create)
            hasStaging = true
        }
        var rows = CopyBuffer()
        for entry in entries {
            try rows.append(entry.source.cooperative)
            try rows.append(entry.key.number)
            try rows.append(entry.day)
            try rows.append(entry.channel)
            try rows.append(entry.buyer)
            try rows.append(entry.paidHow)
            try rows.append(entry.source.number)
            try rows.append(entry.weight)
            try rows.append(entry.price.fen)
            try rows.append(entry.amount)
            rows.endRow()
        }
        _ = try await transaction.copyIn(SaleStaging.copy, rows.bytes)
        _ = try await transaction.query(SaleStaging.move(scope))
    }
}

/// The way of many sales into the database: copied into a table of this transaction and from there into their own,
/// because COPY does not obey row-level security.
private enum SaleStaging {
    static let create: SQL = """
        CREATE TEMPORARY TABLE sale_staging (
            id bigint DEFAULT nextval('sale_id_seq'), cooperative_id int, number text, sold_on date, channel text,
            buyer text, paid_how text, batch_number bigint, grams bigint, price_fen bigint, amount_fen bigint
        ) ON COMMIT DROP
        """

    static let copy: SQL = """
        COPY sale_staging (cooperative_id, number, sold_on, channel, buyer, paid_how, batch_number, grams, price_fen,
            amount_fen) FROM STDIN
        """

    static func move(_ scope: Scope) -> [SQL] {
        [
            """
            INSERT INTO sale (village_id, id, cooperative_id, number, sold_on, channel, buyer, paid_how, actor)
            SELECT \(scope.village), id, cooperative_id, number, sold_on, channel, buyer, paid_how, \(scope.actor)
            FROM sale_staging
            """,
            """
            UPDATE batch b SET out_g = b.out_g + s.grams
            FROM (SELECT batch_number, sum(grams)::bigint AS grams FROM sale_staging GROUP BY batch_number) s
            WHERE b.village_id = \(scope.village) AND b.number = s.batch_number
            """,
            """
            INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,
                price_basis, basis_g, amount_fen)
            SELECT \(scope.village), id, 1, cooperative_id, batch_number, grams, price_fen, 'jin', 500, amount_fen
            FROM sale_staging
            """,
            """
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, actor)
            SELECT \(scope.village), batch_number, cooperative_id, 'sale', -grams, sold_on, id, \(scope.actor)
            FROM sale_staging
            """,
            "TRUNCATE sale_staging",
        ]
    }
}
