import Database
import Kernel
import Postgres
import Registers

/// Records 其他收入. Its rows have no number, so a row is known by its content and by how many equal ones precede it.
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

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        guard scope.cooperative == nil else {
            throw Refusal(
                .forbidden, "committee-only", zh: "其他收入由村委会登记", en: "other income is the committee's to enter")
        }
        var outcomes: [RowOutcome] = []
        var writes: [SQL] = []
        var written: [Int] = []
        for (index, row) in rows.enumerated() {
            do {
                writes.append(try insert(row, scope))
                written.append(index)
                outcomes.append(.recorded)
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        let answers = try await transaction.query(writes)
        for (index, answer) in zip(written, answers) where answer.affected == 0 { outcomes[index] = .already }
        return outcomes
    }

    private mutating func insert(_ row: RegisterRow, _ scope: Scope) throws -> SQL {
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
        return """
            INSERT INTO income_entry (village_id, day, source, memo, amount_fen, register_key, actor)
            VALUES (\(scope.village), \(day), \(source.rawValue), \(memo), \(amount),
                sha256(convert_to(\("\(content)|\(place)"), 'UTF8')), \(scope.actor))
            ON CONFLICT (village_id, register_key) DO NOTHING
            """
    }
}
