import Database
import Kernel
import Postgres
import Registers

/// Records 其他收入.
public struct IncomeRegister: RegisterRecorder, Sendable {
    private static let day = Column("日期")
    private static let source = Column("类别", also: ["收入类别", "来源"])
    private static let memo = Column("摘要", also: ["说明", "备注"])
    private static let amount = Column("金额元", also: ["金额"])
    public static let columns = [day, source, memo, amount]
    public static let surveysRows = true
    public static let refusals: [String: Refusal] = [
        "income_entry_register_once": Refusal(
            .conflict, "income-taken", zh: "导入期间有人导入了同样的收入；什么都没有记录，请重试",
            en: "while this ran, the same income was imported by someone else: nothing was recorded, try again"),
        "income_entry_not_below_zero": Refusal(
            .conflict, "income-taken", zh: "导入期间有人更正了同样的收入；什么都没有记录，请重试",
            en: "while this ran, the same income was corrected by someone else: nothing was recorded, try again"),
    ]

    private let today: CivilDay
    private var context = ImportContext.none
    private var isCompared = false
    public let created: [Bilingual] = []
    public private(set) var changed: [ChangedRow] = []

    public init(today: CivilDay) {
        self.today = today
    }

    private struct Entry {
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
            try await IncomeStaging.compare(transaction, scope)
            isCompared = true
        }
        guard let first = rows.first, let last = rows.last else { return [] }
        let verdicts = try await IncomeStaging.verdicts(from: first.number, to: last.number, transaction)
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

    private mutating func outcome(
        _ row: RegisterRow, _ verdict: IncomeStaging.Verdict, _ new: inout [Int], _ corrections: inout [SQL],
        _ scope: Scope
    ) throws -> RowOutcome {
        guard verdict.kind != .already else { return .already }
        let said = try read(row)
        if verdict.kind == .changed, context.choices.changed != .new, let old = Recorded(verdict) {
            let difference = Self.difference(said, old)
            changed.append(
                ChangedRow(
                    row: row.number, field: difference.column, recorded: difference.recorded, entry: old.entry))
            guard context.choices.changed == .correct else { throw Self.mayBeChanged(old, difference) }
            if try correct(old, as: said, &corrections, scope) { new.append(row.number) }
            return .updated([])
        }
        try ClosedBooks.check(said.day, through: context.closedThrough, field: Self.day.name)
        new.append(row.number)
        return .recorded
    }

    /// Entries that put the recorded one right.
    /// - Returns: whether the row becomes an entry of its own, because more than its amount has changed.
    private func correct(
        _ old: Recorded, as said: Entry, _ corrections: inout [SQL], _ scope: Scope
    ) throws -> Bool {
        let isAmountAlone = old.day == said.day && old.source == said.source.rawValue && old.memo == said.memo
        if !isAmountAlone {
            try ClosedBooks.check(said.day, through: context.closedThrough, field: Self.day.name)
        }
        let isOpen = context.closedThrough.map { old.day > $0 } ?? true
        let difference = Money(fen: (isAmountAlone ? said.amount.fen : 0) - old.amount.fen)
        corrections += IncomeStore.correction(
            of: old.entry, source: old.source, day: isOpen ? old.day : today, memo: said.memo, by: difference, scope)
        return !isAmountAlone
    }

    private func read(_ row: RegisterRow) throws -> Entry {
        var faults = RowFaults()
        let day = try faults.reading(today) { try row.day(Self.day) }
        let source = try faults.reading(IncomeSource.other) {
            try Self.source.naming { try IncomeSource(entered: row.text(Self.source, max: 60)) }
        }
        let memo = try faults.reading("") { try row.text(Self.memo, max: 500) }
        // One fen stands for an amount that could not be read, and is said already.
        let amount = try faults.reading(Money(fen: 1)) { try row.money(Self.amount) }
        for fault in IncomeRules.faults(day: day, memo: memo, amount: amount, isCorrection: false, today: today) {
            let fields = ["day": Self.day.name, "amount": Self.amount.name, "memo": Self.memo.name]
            faults.note(fault.renamed(field: fault.field.flatMap { fields[$0] } ?? Self.memo.name))
        }
        try faults.check()
        return Entry(day: day, source: source, memo: memo, amount: amount)
    }

    /// What is recorded of a row that may have been changed.
    private struct Recorded {
        let entry: Int64
        let day: CivilDay
        let source: String
        let memo: String
        let amount: Money

        init?(_ verdict: IncomeStaging.Verdict) {
            guard let entry = verdict.entry, let day = verdict.day, let source = verdict.source,
                let memo = verdict.memo, let amount = verdict.amount
            else { return nil }
            (self.entry, self.day, self.source, self.memo, self.amount) = (entry, day, source, memo, amount)
        }
    }

    private static func difference(_ said: Entry, _ old: Recorded) -> (column: String, recorded: String) {
        if said.day != old.day { return (day.name, "\(old.day)") }
        if said.source.rawValue != old.source {
            return (source.name, IncomeSource(rawValue: old.source)?.label.zh ?? old.source)
        }
        if said.memo != old.memo { return (memo.name, old.memo) }
        return (amount.name, "\(old.amount)")
    }

    private static func mayBeChanged(
        _ old: Recorded, _ difference: (column: String, recorded: String)
    ) -> Refusal {
        let label = IncomeSource(rawValue: old.source)?.label ?? Bilingual(zh: old.source, en: old.source)
        return Refusal(
            .conflict, "income-differs", field: difference.column,
            zh: "可能是第 \(old.entry) 笔收入改过的：登记的是 \(old.day) \(label.zh)“\(old.memo.shortened)” \(old.amount) 元，"
                + "其中“\(difference.column)”是“\(difference.recorded.shortened)”；是更正请用 --changed correct"
                + "（changed=correct），是另一笔请用 --changed new（changed=new）",
            en:
                "this may be entry \(old.entry), changed, which is recorded as \(old.day), \(label.en), “\(old.memo.shortened)”, "
                + "\(old.amount) yuan, with “\(difference.recorded.shortened)” as its “\(difference.column)”: if it is a "
                + "correction, say --changed correct (changed=correct), if it is another one, --changed new (changed=new)"
        )
    }
}
