import Batches
import Database
import Kernel
import Orchard
import Postgres
import Registers

/// Records 销售流水: each row is a sale of part of one batch, found by its harvest slip.
public struct SaleRegister: RegisterRecorder, Sendable {
    static let day = Column("日期", also: ["销售日期"])
    static let number = Column("单号", also: ["销售单号"])
    static let cooperative = Column("合作社")
    static let slip = Column("采收单号")
    static let product = Column("产品", required: false)
    static let weight = Column("数量斤", also: ["数量", "重量斤"])
    static let price = Column("单价元每斤", also: ["单价", "单价元/斤"])
    static let amount = Column("金额元", also: ["金额"], required: false)
    static let channel = Column("渠道")
    static let buyer = Column("买方", also: ["客户"])
    static let paidHow = Column("付款方式", required: false)
    public static let columns = [
        day, number, cooperative, slip, product, weight, price, amount, channel, buyer, paidHow,
    ]
    public static let numbering: Numbering? = Numbering(number, within: [cooperative], yearOf: day)

    public static let refusals = [
        "sale_number_once": Refusal(
            .conflict, "sale-number-taken", field: "单号", zh: "导入期间有单号被登记；什么都没有记录，请重试",
            en: "while this ran, a sale's number was recorded by someone else: nothing was recorded, try again"),
        BatchStore.underRecall: Refusal(
            .conflict, "batch-recalled", field: "采收单号", zh: "导入期间有批次开始召回；什么都没有记录，请重试",
            en: "while this ran, a recall of a batch was opened: nothing was recorded, try again"),
    ]

    let today: CivilDay
    var context = ImportContext.none
    var catalogue = Catalogue()
    private var hasStaging = false
    public let created: [Bilingual] = []

    public init(today: CivilDay) {
        self.today = today
    }

    struct Source {
        let number: Int64
        let cooperative: Int
        let product: String
        let harvestedOn: CivilDay
        let recall: OpenRecall?
        var stock: Weight
    }

    struct Key: Hashable {
        let cooperative: String
        let number: String
    }

    /// A sale: numbers begin again at 1 every January.
    struct SaleKey: Hashable {
        let key: Key
        let year: Int
    }

    struct Entry {
        let key: SaleKey
        let source: Source
        let day: CivilDay
        let weight: Weight
        let price: Price
        let amount: Money
        let channel: String
        let buyer: String
        let paidHow: String?

        var recorded: Recorded {
            Recorded(
                day: day, batch: source.number, weight: weight, price: price.fen, amount: amount, channel: channel,
                buyer: buyer, paidHow: paidHow)
        }

        func says(_ old: Recorded) -> Bool {
            do {
                try check(against: old)
                return true
            } catch {
                return false
            }
        }

        func check(against old: Recorded) throws {
            var row = RecordedRow()
            row.compare(SaleRegister.day, recorded: old.day, said: day)
            row.compare(SaleRegister.slip, recorded: old.batch, said: source.number) { "批次 \($0)" }
            row.compare(SaleRegister.weight, recorded: old.weight, said: weight)
            row.compare(SaleRegister.price, recorded: old.price, said: price.fen) { "\(Money(fen: $0))" }
            row.compare(SaleRegister.amount, recorded: old.amount, said: amount)
            row.compare(SaleRegister.channel, recorded: old.channel, said: channel)
            row.compare(SaleRegister.buyer, recorded: old.buyer, said: buyer)
            row.compare(SaleRegister.paidHow, recorded: old.paidHow, said: paidHow)
            try row.check(
                "sale-differs", Bilingual(zh: "单号 \(key.key.number.shortened) ", en: "sale \(key.key.number.shortened)")
            )
        }
    }

    /// What the books hold of a sale.
    struct Recorded {
        let day: CivilDay
        /// nil when it was sold out of several batches.
        let batch: Int64?
        let weight: Weight
        /// Of 500 g, in fen; nil when that is not how it was sold.
        let price: Int64?
        let amount: Money
        let channel: String
        let buyer: String
        let paidHow: String?
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        var sources = try await sources(rows, transaction, scope)
        var known = try await known(rows, transaction, scope)
        var outcomes: [RowOutcome] = []
        var entries: [Entry] = []
        for row in rows {
            do {
                let entry = try read(row, sources)
                if let old = known[entry.key], let newest = old.first {
                    // A sale that was reversed and recorded anew has two entries; a row may be either.
                    if !old.dropFirst().contains(where: entry.says) { try entry.check(against: newest) }
                    outcomes.append(.already)
                    continue
                }
                try ClosedBooks.check(entry.day, through: context.closedThrough, field: Self.day.name)
                if let recall = entry.source.recall {
                    throw BatchRules.recalled(entry.source.number, recall).renamed(field: Self.slip.name)
                }
                guard entry.weight <= entry.source.stock else {
                    throw BatchRules.notEnough(
                        batch: entry.source.number, stock: entry.source.stock, wanted: entry.weight
                    ).renamed(field: Self.weight.name)
                }
                sources.batches[entry.source.number]?.stock = entry.source.stock - entry.weight
                known[entry.key] = [entry.recorded]
                entries.append(entry)
                outcomes.append(.recorded)
            } catch let refused as RowRefused {
                outcomes.append(.refused(refused.refusals))
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        try await write(entries, transaction, scope)
        return outcomes
    }

    public mutating func begin(
        _ context: ImportContext, in transaction: Transaction, _ scope: Scope
    ) async throws {
        self.context = context
        catalogue = try await Catalogue.load(transaction, scope)
    }

    /// The batches that the rows draw on.
    struct Sources {
        /// Of each slip the batches of its years, the newest harvest first.
        var slips: [Key: [(number: Int64, harvestedOn: CivilDay)]] = [:]
        var batches: [Int64: Source] = [:]

        /// Of the batches with a slip the newest that was harvested by the day of a sale; the oldest where none was.
        func number(of slip: Key, soldOn day: CivilDay?) -> Int64? {
            guard let years = slips[slip] else { return nil }
            return (years.first { harvest in day.map { harvest.harvestedOn <= $0 } ?? false } ?? years.last)?.number
        }
    }

    /// The batches that the rows draw on, locked until the import ends. LATERAL with LIMIT makes each slip one look into
    /// its index, whatever the planner knows of a table that is being filled.
    private func sources(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> Sources {
        let wanted = Set(rows.compactMap { try? key($0, Self.slip) })
        var found = Sources()
        for row in try await transaction.query(
            """
            SELECT w.cooperative, w.slip, b.number, b.harvested_on
            FROM unnest(\(wanted.map(\.cooperative))::text[], \(wanted.map(\.number))::text[]) w (cooperative, slip)
            JOIN cooperative n ON n.village_id = \(scope.village) AND n.name = w.cooperative
            \(Catalogue.spellings)
            CROSS JOIN LATERAL (
                SELECT b.number, b.harvested_on FROM batch b
                WHERE b.village_id = c.village_id AND b.cooperative_id = c.id AND b.slip = w.slip AND b.slip IS NOT NULL
                    AND NOT b.voided
                ORDER BY b.harvested_on DESC LIMIT 300) b
            """)
        {
            let key = Key(cooperative: try row.decode("cooperative"), number: try row.decode("slip"))
            found.slips[key, default: []].append((try row.decode("number"), try row.decode("harvested_on")))
        }
        for key in found.slips.keys { found.slips[key]?.sort { $0.harvestedOn > $1.harvestedOn } }
        var numbers: Set<Int64> = []
        for row in rows {
            guard let key = try? key(row, Self.slip),
                let number = found.number(of: key, soldOn: try? row.day(Self.day))
            else { continue }
            numbers.insert(number)
        }
        for row in try await transaction.query(
            """
            SELECT b.number, b.cooperative_id, p.name AS product, b.harvested_on, b.in_g - b.out_g AS stock_g,
                b.recalls > 0 AS recalled
            FROM batch b
            JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
            WHERE b.village_id = \(scope.village) AND b.number = ANY(\(Array(numbers))::bigint[])
            ORDER BY b.number FOR NO KEY UPDATE OF b
            """)
        {
            let number: Int64 = try row.decode("number")
            let isRecalled: Bool = try row.decode("recalled")
            found.batches[number] = Source(
                number: number, cooperative: try row.decode("cooperative_id"),
                product: try row.decode("product"), harvestedOn: try row.decode("harvested_on"),
                recall: isRecalled ? try await BatchStore.recall(over: number, transaction, scope) : nil,
                stock: try row.decode("stock_g"))
        }
        return found
    }

    /// What is recorded already under the rows' numbers in their years, the newest entry of each first.
    private func known(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [SaleKey: [Recorded]] {
        let wanted = Set(
            rows.compactMap { row -> SaleKey? in
                guard let key = try? key(row, Self.number), let day = try? row.day(Self.day) else { return nil }
                return SaleKey(key: key, year: day.year)
            })
        var found: [SaleKey: [Recorded]] = [:]
        for row in try await transaction.query(
            """
            SELECT w.cooperative, w.number, s.sold_on, s.channel, s.buyer, s.paid_how, l.*
            FROM unnest(\(wanted.map(\.key.cooperative))::text[], \(wanted.map(\.key.number))::text[],
                \(wanted.map(\.year))::int[]) w (cooperative, number, year)
            JOIN cooperative n ON n.village_id = \(scope.village) AND n.name = w.cooperative
            \(Catalogue.spellings)
            CROSS JOIN LATERAL (
                SELECT s.* FROM sale s WHERE s.village_id = c.village_id AND s.cooperative_id = c.id
                    AND s.number = w.number AND s.number IS NOT NULL
                    AND extract(year FROM s.sold_on)::int = w.year ORDER BY s.id DESC LIMIT 10) s
            CROSS JOIN LATERAL (
                SELECT CASE WHEN count(DISTINCT batch_number) = 1 THEN min(batch_number) END AS batch_number,
                    CASE WHEN count(DISTINCT price_fen) = 1 AND bool_and(price_basis = 'jin') THEN min(price_fen)
                        END AS price_fen,
                    sum(grams)::bigint AS grams, sum(amount_fen)::bigint AS amount_fen
                FROM sale_line l WHERE l.village_id = s.village_id AND l.sale_id = s.id) l
            ORDER BY s.id DESC
            """)
        {
            let day: CivilDay = try row.decode("sold_on")
            let key = Key(cooperative: try row.decode("cooperative"), number: try row.decode("number"))
            found[SaleKey(key: key, year: day.year), default: []].append(
                Recorded(
                    day: day, batch: try row.decode("batch_number"), weight: try row.decode("grams"),
                    price: try row.decode("price_fen"), amount: try row.decode("amount_fen"),
                    channel: try row.decode("channel"), buyer: try row.decode("buyer"),
                    paidHow: try row.decode("paid_how")))
        }
        return found
    }

    private mutating func write(_ entries: [Entry], _ transaction: Transaction, _ scope: Scope) async throws {
        guard !entries.isEmpty else { return }
        if !hasStaging {
            _ = try await transaction.query(SaleWriter.createStaging)
            hasStaging = true
        }
        var rows = CopyBuffer()
        for entry in entries {
            try rows.append(entry.source.cooperative)
            try rows.append(entry.key.key.number)
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
        _ = try await transaction.copyIn(SaleWriter.copy, rows.bytes)
        _ = try await transaction.query([
            SaleWriter.statement(from: SaleWriter.staged, scope), "TRUNCATE sale_staging",
        ])
    }
}
