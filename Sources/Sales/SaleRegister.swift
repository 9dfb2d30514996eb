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
    public static let nameColumns = [channel]

    public static let refusals = [
        "sale_number_once": Refusal(
            .conflict, "sale-number-taken", field: "单号", zh: "导入期间有单号被登记；什么都没有记录，请重试",
            en: "while this ran, a sale's number was recorded by someone else: nothing was recorded, try again"),
        BatchStore.underRecall: Refusal(
            .conflict, "batch-recalled", field: "采收单号", zh: "导入期间有批次开始召回；什么都没有记录，请重试",
            en: "while this ran, a recall of a batch was opened: nothing was recorded, try again"),
        SQL.rowsTouched: Refusal(
            .conflict, "recorded-meanwhile", zh: "导入期间有人更正了同一笔销售，或用另一种写法登记了同一个渠道、买方；什么都没有记录，请重试",
            en:
                "while this ran, someone corrected one of these sales, or recorded one of these channels or buyers in another "
                + "spelling: nothing was recorded, try again"),
    ]

    let today: CivilDay
    var context = ImportContext.none
    var catalogue = Catalogue()
    /// By product, as it is before the first row; empty when prices are meant as they are.
    private var usualPrices: [String: Int64] = [:]
    var names = RegisteredNames()
    private var unnumbered = UnnumberedSales()
    private var hasStaging = false
    public internal(set) var changed: [ChangedRow] = []
    public var created: [Bilingual] { names.created }

    public init(today: CivilDay) {
        self.today = today
    }

    struct Source {
        let number: Int64
        let cooperative: Int
        let product: String
        let harvestedOn: CivilDay
        let isVoid: Bool
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
        /// The batches that had the slip before it was corrected.
        let formerBatches: Set<Int64>

        /// - Parameter sale: the number under which it is recorded, once it is.
        func recorded(as sale: Int64? = nil) -> Recorded {
            Recorded(
                sale: sale, day: day, batch: source.number, weight: weight, price: price.fen, amount: amount,
                channel: channel, buyer: buyer, paidHow: paidHow, hasReturns: false, reversedOn: nil)
        }

        /// What it says beside what is recorded.
        func beside(_ old: Recorded) -> RecordedRow {
            var row = RecordedRow()
            // One of a closed period that was recorded anew has a later day, and the register the one of before.
            if day != old.firstDay { row.compare(SaleRegister.day, recorded: old.day, said: day) }
            if !formerBatches.contains(old.batch ?? 0) {
                row.compare(SaleRegister.slip, recorded: old.batch, said: source.number) { "批次 \($0)" }
            }
            row.compare(SaleRegister.weight, recorded: old.weight, said: weight)
            row.compare(SaleRegister.price, recorded: old.price, said: price.fen) { "\(Money(fen: $0))" }
            row.compare(SaleRegister.amount, recorded: old.amount, said: amount)
            row.compare(SaleRegister.channel, recorded: old.channel, said: channel)
            row.compare(SaleRegister.buyer, recorded: old.buyer, said: buyer)
            row.compare(SaleRegister.paidHow, recorded: old.paidHow, said: paidHow)
            return row
        }
    }

    /// What is known while some rows are recorded.
    struct Part {
        var sources: Sources
        var known: [SaleKey: [Recorded]]
        /// Those that are to be written.
        var entries: [Entry] = []
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        try await names.load(
            buyers: rows.compactMap { try? $0.optionalText(Self.buyer, max: 200) }, transaction, scope)
        var part = Part(
            sources: try await sources(rows, transaction, scope), known: try await known(rows, transaction, scope))
        try await unnumbered.load(for: rows.compactMap { try? $0.day(Self.day) }, transaction, scope)
        var outcomes: [RowOutcome] = []
        for row in rows {
            do {
                outcomes.append(try await record(row, &part, transaction, scope))
            } catch let refused as RowRefused {
                outcomes.append(.refused(refused.refusals))
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        try await write(&part, transaction, scope)
        return outcomes
    }

    private mutating func record(
        _ row: RegisterRow, _ part: inout Part, _ transaction: Transaction, _ scope: Scope
    ) async throws -> RowOutcome {
        let entry = try read(row, part.sources)
        if let old = part.known[entry.key], let newest = old.first {
            // A sale that was reversed and recorded anew has two entries; a row may be either.
            guard let place = old.firstIndex(where: { entry.beside($0).isSame }) else {
                return try await settle(entry, row.number, beside: newest, &part, transaction, scope)
            }
            if context.choices.changed == .correct {
                try checkIsPresent(entry, row.number, old, at: place)
            }
            return .already
        }
        if context.choices.changed != .new, let sale = unnumbered.take(entry) {
            return try await number(sale, as: entry, row.number, &part, transaction, scope)
        }
        try ClosedBooks.check(entry.day, through: context.closedThrough, field: Self.day.name)
        if entry.source.isVoid { throw BatchRules.void(entry.source.number).renamed(field: Self.slip.name) }
        if let recall = entry.source.recall {
            throw BatchRules.recalled(entry.source.number, recall).renamed(field: Self.slip.name)
        }
        try names.check(channel: entry.channel, in: Self.channel)
        try checkPrice(entry)
        guard entry.weight <= entry.source.stock else {
            throw BatchRules.notEnough(
                batch: entry.source.number, stock: entry.source.stock, wanted: entry.weight
            ).renamed(field: Self.weight.name)
        }
        names.record(channel: entry.channel, buyer: entry.buyer)
        part.sources.batches[entry.source.number]?.stock = entry.source.stock - entry.weight
        part.known[entry.key] = [entry.recorded()]
        part.entries.append(entry)
        return .recorded
    }

    func checkPrice(_ entry: Entry) throws {
        let product = entry.source.product
        try Self.price.naming { try UsualPrice.check(entry.price, of: product, usual: usualPrices[product]) }
    }

    public mutating func begin(
        _ context: ImportContext, in transaction: Transaction, _ scope: Scope
    ) async throws {
        self.context = context
        catalogue = try await Catalogue.load(transaction, scope)
        if !context.choices.unusualPrices { usualPrices = try await UsualPrice.all(catalogue, transaction, scope) }
        try await names.begin(
            channels: context.names(in: Self.channel), creating: context.choices.creates, transaction, scope)
    }

    /// Writes what has been held back of some rows.
    mutating func write(_ part: inout Part, _ transaction: Transaction, _ scope: Scope) async throws {
        guard !part.entries.isEmpty else { return }
        if !hasStaging {
            _ = try await transaction.query(SaleWriter.createStaging)
            hasStaging = true
        }
        var rows = CopyBuffer()
        for entry in part.entries {
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
        part.entries = []
        _ = try await transaction.copyIn(SaleWriter.copy, rows.bytes)
        _ = try await transaction.query([
            SaleWriter.statement(from: SaleWriter.staged, scope), "TRUNCATE sale_staging",
        ])
    }

    public mutating func finish(in transaction: Transaction, _ scope: Scope) async throws {
        _ = try await transaction.query(names.writes(scope))
    }
}
