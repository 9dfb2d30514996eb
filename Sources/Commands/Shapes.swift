import Access
import Batches
import Codes
import Documents
import Foundation
import Income
import Kernel
import Orchard
import Sales

extension JSON {
    init(_ text: String?) { self = text.map { .string($0) } ?? .null }
    init(_ day: CivilDay?) { self = day.map { JSON($0) } ?? .null }
    init(_ moment: Date?) { self = moment.map { .string($0.ISO8601Format()) } ?? .null }
}

extension Batch {
    var json: JSON {
        [
            "batch": JSON(number), "kind": .string(kind.rawValue), "cooperative": .string(cooperative),
            "plot": JSON(plot), "product": .string(product), "variety": .string(variety), "grade": .string(grade),
            "harvestedOn": JSON(harvestedOn), "slip": JSON(slip), "picker": JSON(picker), "weightIn": JSON(weightIn),
            "weightOut": JSON(weightOut), "stock": JSON(stock), "void": .bool(isVoid), "recalled": .bool(isRecalled),
            "registeredAt": JSON(registeredAt),
        ]
    }

    /// What has to be known before it is touched.
    var state: String? {
        isVoid ? words("已作废", "void") : isRecalled ? words("召回中", "under recall") : nil
    }

    var facts: [(name: String, value: String?)] {
        [
            (words("批次", "batch"), "\(number)"), (words("合作社", "cooperative"), cooperative),
            (words("地块", "plot"), plot), (words("产品", "product"), "\(product) \(variety) \(grade)"),
            (words("采收日期", "harvested"), "\(harvestedOn)"), (words("采收单号", "slip"), slip),
            (words("采收人", "picker"), picker), (words("入库", "in"), "\(weightIn)"),
            (words("出库", "out"), "\(weightOut)"), (words("库存", "in stock"), "\(stock)"),
            (words("登记", "registered"), registeredAt.minute),
        ]
    }
}

extension StockMovement {
    var json: JSON {
        [
            "movement": .integer(number), "kind": .string(kind), "grams": .integer(grams), "day": JSON(day),
            "sale": sale.map { .integer($0) } ?? .null, "undoes": undoes.map { .integer($0) } ?? .null,
            "undoneBy": undoneBy.map { .integer($0) } ?? .null,
            "reason": JSON(reason), "actor": .string(actor), "at": JSON(at),
        ]
    }

    var label: String {
        if let withdrawal = Withdrawal(rawValue: kind) {
            return withdrawal.label[.ofThisRun]
                + (undoneBy.map { words("（已由 \($0) 撤销）", " (undone by \($0))") } ?? "")
        }
        switch kind {
        case "harvest": return words("采收", "harvest")
        case "correction": return words("更正", "correction")
        case "sale": return words("销售", "sale") + (sale.map { " \($0)" } ?? "")
        case "return": return words("退回，销售", "back from sale") + (sale.map { " \($0)" } ?? "")
        case "undo": return words("撤销", "undoes") + (undoes.map { " \($0)" } ?? "")
        default: return kind
        }
    }

    var signedWeight: String { (grams < 0 ? "-" : "+") + "\(Weight(grams: abs(grams)))" }
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

extension Plot {
    var json: JSON {
        [
            "plot": .string(number), "name": .string(name), "cooperative": .string(cooperative),
            "household": .string(household), "product": .string(product), "areaCentimu": .integer(areaCentimu),
            "longitude": JSON(longitude), "latitude": JSON(latitude),
        ]
    }
}

extension Household {
    var json: JSON {
        [
            "household": .string(number), "head": .string(head), "gridCell": .string(gridCell),
            "supportClass": .string(supportClass), "cooperative": .string(cooperative), "people": JSON(people),
            "phone": JSON(phone),
        ]
    }
}

extension HouseholdPeriod {
    var json: JSON {
        [
            "from": JSON(from), "until": JSON(until), "head": .string(head), "gridCell": .string(gridCell),
            "supportClass": .string(supportClass), "cooperative": .string(cooperative), "people": JSON(people),
        ]
    }
}

extension PlotPeriod {
    var json: JSON {
        [
            "from": JSON(from), "until": JSON(until), "cooperative": .string(cooperative),
            "household": .string(household), "product": .string(product), "areaCentimu": .integer(areaCentimu),
        ]
    }
}

extension Product {
    var json: JSON {
        [
            "product": .string(name), "unit": .string(unit),
            "bestBeforeDays": bestBeforeDays.map { JSON($0) } ?? .null, "ceilingPerMu": JSON(ceilingPerMu),
            "varieties": .array(varieties.map { .string($0.name) }),
        ]
    }
}
