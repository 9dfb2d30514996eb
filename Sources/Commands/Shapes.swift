import Documents
import Foundation
import Income
import Kernel

extension JSON {
    init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    init(_ day: CivilDay?) { self = day.map { JSON($0) } ?? .null }
    init(_ moment: Date?) { self = moment.map { .instant($0) } ?? .null }
}

extension IncomeEntry {
    var json: JSON {
        [
            "entry": JSON(id), "day": JSON(day), "source": .string(source.rawValue), "memo": .string(memo),
            "amount": JSON(amount), "corrects": corrects.map { .integer($0) } ?? .null,
        ]
    }
}

extension IncomeSummary {
    var table: Table {
        let columns = by.map { Table.Column.left($0.label.zh, $0.label.en) } + [.right("金额（元）", "yuan")]
        let sums = rows.map { row in zip(by, row.values).map { $0.text($1, .ofThisRun) } + [row.amount.yuan] }
        let blank = [String](repeating: "", count: max(by.count - 1, 0))
        let last = (by.isEmpty ? [] : [words("合计", "total")] + blank) + [total.yuan]
        return Table(columns, rows: (by.isEmpty ? [] : sums) + [last])
    }
}
