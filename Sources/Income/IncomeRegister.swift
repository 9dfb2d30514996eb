import Database
import Kernel
import Postgres
import Registers

/// Records 其他收入. Its rows have no number: a row is known by its content and by how many equal ones precede it. One
/// that stands in the books with another day, amount or memo is known by its source and the two that have stayed.
public struct IncomeRegister: RegisterRecorder, Sendable {
    private static let day = Column("日期")
    private static let source = Column("类别", also: ["收入类别", "来源"])
    private static let memo = Column("摘要", also: ["说明", "备注"])
    private static let amount = Column("金额元", also: ["金额"])
    public static let columns = [day, source, memo, amount]
    public static let refusals: [String: Refusal] = [
        "income_entry_register_once": Refusal(
            .conflict, "income-taken", zh: "导入期间有人导入了同样的收入；什么都没有记录，请重试",
            en: "while this ran, the same income was imported by someone else: nothing was recorded, try again")
    ]

    private let today: CivilDay
    private var seen: [String: Int] = [:]
    public let created: [Bilingual] = []

    public init(today: CivilDay) {
        self.today = today
    }

    private struct Entry {
        let day: CivilDay
        let source: IncomeSource
        let memo: String
        let amount: Money
        /// No other row has it; what the books keep is its hash.
        let key: String
    }

    /// What the books hold of a row.
    private struct Recorded {
        /// The place among the rows of the one with the same key.
        let place: Int?
        let day: CivilDay
        let source: String
        let memo: String
        /// With what has been corrected since.
        let amount: Money
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        guard scope.cooperative == nil else {
            throw Refusal(
                .forbidden, "committee-only", zh: "其他收入由村委会登记", en: "other income is the committee's to enter")
        }
        let entries = rows.map { row in Result { try read(row) } }
        let good = entries.compactMap { try? $0.get() }
        let recorded = try await Self.recorded(good, transaction, scope)
        let known = Set(recorded.compactMap(\.place).map { good[$0].key })
        // What the register told before and tells no more: a row that tells something like it is that row, changed.
        var left = recorded.filter { $0.place == nil }
        var outcomes: [RowOutcome] = []
        var writes: [SQL] = []
        for entry in entries {
            do {
                let entry = try entry.get()
                if try known.contains(entry.key) || Self.isCorrected(entry, &left) {
                    outcomes.append(.already)
                    continue
                }
                writes.append(Self.insert(entry, scope))
                outcomes.append(.recorded)
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        _ = try await transaction.query(writes)
        return outcomes
    }

    private mutating func read(_ row: RegisterRow) throws -> Entry {
        let day = try row.day(Self.day)
        let amount = try row.money(Self.amount)
        let memo = try row.text(Self.memo, max: 500)
        let source: IncomeSource
        do {
            source = try IncomeSource(entered: row.text(Self.source, max: 60))
        } catch let refusal as Refusal {
            throw refusal.renamed(field: Self.source.name)
        }
        do {
            try IncomeRules.check(day: day, memo: memo, amount: amount, isCorrection: false, today: today)
        } catch let refusal as Refusal {
            let fields = ["day": Self.day.name, "amount": Self.amount.name, "memo": Self.memo.name]
            throw refusal.renamed(field: refusal.field.flatMap { fields[$0] } ?? Self.memo.name)
        }
        let content = "\(day)|\(source.rawValue)|\(amount.fen)|\(memo)"
        let place = seen[content, default: 0]
        seen[content] = place + 1
        return Entry(day: day, source: source, memo: memo, amount: amount, key: "\(content)|\(place)")
    }

    /// Whether the entry has been corrected in the books as the register has been.
    /// - Throws: a `Refusal` when the register has been changed and the books have not.
    private static func isCorrected(_ entry: Entry, _ left: inout [Recorded]) throws -> Bool {
        func likeness(_ old: Recorded) -> Int {
            guard old.source == entry.source.rawValue else { return 0 }
            return [old.day == entry.day, old.memo == entry.memo, old.amount == entry.amount].count { $0 }
        }
        guard let place = left.indices.max(by: { likeness(left[$0]) < likeness(left[$1]) }),
            likeness(left[place]) >= 2
        else { return false }
        let old = left.remove(at: place)
        var row = RecordedRow()
        row.compare(day, recorded: old.day, said: entry.day)
        row.compare(amount, recorded: old.amount, said: entry.amount)
        row.compare(memo, recorded: old.memo, said: entry.memo)
        try row.check(
            "income-differs",
            Bilingual(
                zh: "\(old.day) 的“\(entry.source.label.zh)”收入",
                en: "income of \(old.day) from \(entry.source.label.en)"))
        return true
    }

    private static func recorded(
        _ entries: [Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Recorded] {
        guard let first = entries.map(\.day).min(), let last = entries.map(\.day).max() else { return [] }
        return try await transaction.query(
            """
            SELECT w.place::int - 1 AS place, e.day, e.source, e.memo, e.amount_fen + e.corrected_fen AS amount_fen
            FROM income_entry e
            LEFT JOIN unnest(\(entries.map(\.key))::text[]) WITH ORDINALITY w (key, place)
                ON sha256(convert_to(w.key, 'UTF8')) = e.register_key
            WHERE e.village_id = \(scope.village) AND e.day BETWEEN \(first) AND \(last) AND e.register_key IS NOT NULL
            ORDER BY e.id
            """
        ).map { row in
            Recorded(
                place: try row.decode("place"), day: try row.decode("day"), source: try row.decode("source"),
                memo: try row.decode("memo"), amount: try row.decode("amount_fen"))
        }
    }

    private static func insert(_ entry: Entry, _ scope: Scope) -> SQL {
        """
        INSERT INTO income_entry (village_id, day, source, memo, amount_fen, register_key, actor)
        VALUES (\(scope.village), \(entry.day), \(entry.source.rawValue), \(entry.memo), \(entry.amount),
            sha256(convert_to(\(entry.key), 'UTF8')), \(scope.actor))
        """
    }
}
