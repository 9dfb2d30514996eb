import Database
import Kernel
import Postgres
import Registers

/// Records 其他收入.
public struct IncomeRegister: RegisterRecorder, Sendable {
    static let day = Column("日期")
    static let source = Column("类别", also: ["收入类别", "来源"])
    static let memo = Column("摘要", also: ["说明", "备注"])
    static let amount = Column("金额元", also: ["金额"])
    public static let columns = [day, source, memo, amount]
    public static let surveysRows = true
    private static let taken = Refusal(
        .conflict, "income-taken", zh: "导入期间有人导入了同样的收入；什么都没有记录，请重试",
        en: "while this ran, the same income was imported by someone else: nothing was recorded, try again")
    public static let refusals: [String: Refusal] = [
        "income_entry_register_once": taken, SQL.rowsTouched: taken,
        "income_entry_not_below_zero": Refusal(
            .conflict, "income-taken", zh: "导入期间有人更正了同样的收入；什么都没有记录，请重试",
            en: "while this ran, the same income was corrected by someone else: nothing was recorded, try again"),
    ]

    let today: CivilDay
    var context = ImportContext.none
    private var isCompared = false
    public let created: [Bilingual] = []
    public internal(set) var changed: [ChangedRow] = []

    public init(today: CivilDay) {
        self.today = today
    }

    struct Entry {
        let day: CivilDay
        let source: IncomeSource
        let memo: String
        let amount: Money
    }

    public mutating func begin(
        _ context: ImportContext, in transaction: Transaction, _ scope: Scope
    ) async throws {
        guard scope.cooperative == nil else {
            throw Refusal(
                .forbidden, "committee-only", zh: "其他收入由村委会登记", en: "other income is the committee's to enter")
        }
        self.context = context
        _ = try await transaction.query(IncomeStaging.create)
    }

    public mutating func survey(_ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope) async throws {
        var said = CopyBuffer()
        for row in rows {
            guard let entry = try? read(row) else { continue }
            try said.append(row.number)
            try said.append(entry.day)
            try said.append(entry.source.rawValue)
            try said.append(entry.memo)
            try said.append(entry.amount)
            said.endRow()
        }
        _ = try await transaction.copyIn(IncomeStaging.copy, said.bytes)
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        if !isCompared {
            try await IncomeStaging.compare(through: context.closedThrough, transaction, scope)
            isCompared = true
        }
        guard let first = rows.first, let last = rows.last else { return [] }
        let verdicts = try await IncomeStaging.verdicts(from: first.number, to: last.number, transaction, scope)
        var outcomes: [RowOutcome] = []
        var new: [Int] = []
        var corrections: [SQL] = []
        for row in rows {
            outcomes.append(
                try RowOutcome.of {
                    // A row that could not be read is in no table: it is read again to tell why.
                    guard let verdict = verdicts[row.number] else {
                        _ = try read(row)
                        throw MissingEntry()
                    }
                    return try outcome(row, verdict, &new, &corrections, scope)
                })
        }
        if !new.isEmpty { corrections.append(IncomeStaging.insert(new, scope)) }
        _ = try await transaction.query(corrections)
        return outcomes
    }

    func read(_ row: RegisterRow) throws -> Entry {
        var faults = RowFaults()
        let day = try faults.reading(today) { try row.day(Self.day) }
        let source = try faults.reading(IncomeSource.other) {
            try Self.source.naming { try IncomeSource(entered: row.text(Self.source, max: 60)) }
        }
        let memo = try faults.reading("") { try row.text(Self.memo, max: 500) }
        let amount = try faults.reading(.zero) { try row.money(Self.amount) }
        // Nothing is no fault: a dash in an accountant's sheet says that nothing came in.
        let checked = amount == .zero ? Money(fen: 1) : amount
        for fault in IncomeRules.faults(day: day, memo: memo, amount: checked, isCorrection: false, today: today) {
            let fields = ["day": Self.day.name, "amount": Self.amount.name, "memo": Self.memo.name]
            faults.note(fault.renamed(field: fault.field.flatMap { fields[$0] } ?? Self.memo.name))
        }
        try faults.check()
        return Entry(day: day, source: source, memo: memo, amount: amount)
    }
}
