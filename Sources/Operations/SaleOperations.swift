import Access
import Backend
import Database
import Documents
import Kernel
import Sales

extension Entry {
    fileprivate static let sale = Entry("sale", "销售编号", "The sale's number", .number())
}

extension Shapes {
    /// What was put right of a sale.
    fileprivate static let correctedSale = Shape<CorrectedSale>(
        nil,
        [
            .init("sale", "销售", "sale", .number(), \.sale),
            .init("corrections", "更正", "corrections", .list(of: .object(saleCorrection)), \.corrections),
        ])
}

public struct CorrectedSale: Sendable {
    let sale: Int64
    let corrections: [SaleCorrection]

    fileprivate var listing: Listing { Listing(Shapes.saleCorrection, corrections) }
}

public enum ReverseSale: Operation {
    public static let about = Bilingual(
        zh: "冲销一笔销售或其中一行：重量回到库存，金额从收入中扣除。",
        en: "Reverses a sale or one of its lines: its grams go back into stock, its money out of income.")
    public static let permission = Permission.recordSales
    public static let path = "/api/v1/sales/{sale}/reversals"
    public static let command = "reverse"
    public static let examples = "taoyuan sale reverse --sale 2035 --reason 应为 50 公斤"
    public static let entries = [
        .sale,
        Entry(
            "line", "只冲销这一行", "This line alone", .count(1...100), .optional,
            help: Bilingual(zh: "只冲销这一行（默认整笔）。", en: "This line alone (default: all of it)."),
            note: "All lines unless told"), .reason, .correctionDay,
    ]
    public static let shape = Shapes.correctedSale
    public static func listing(of made: CorrectedSale) -> Listing? { made.listing }

    public static func plan(_ input: JSON, _ backend: Backend) throws -> Plan<CorrectedSale> {
        let sale = try input["sale"].int64
        let plan = SaleStore.reverse(
            sale, line: try input["line"].orNil?.int, reason: try input["reason"].string,
            day: try input["day"].orNil?.day, today: backend.clock.today)
        return planned(plan) { CorrectedSale(sale: sale, corrections: $0) }
    }
}

public enum ReturnGoods: Operation {
    public static let about = Bilingual(
        zh: "登记退货和退款。", en: "Records goods that came back, and what their buyer got back.")
    public static let permission = Permission.recordSales
    public static let path = "/api/v1/sales/{sale}/returns"
    public static let command = "return"
    public static let examples = #"""
        taoyuan sale return --sale 2035 --line 1 --weight 5kg --goods scrapped --refund 42.50 \
          --reason 运输压坏
        """#
    public static let entries = [
        .sale, Entry("line", "哪一行", "Which line", .count(1...100)),
        Entry(
            "weight", "退回的重量", "What came back", .weight(1...Weight.limit),
            help: Bilingual(zh: "退回的重量及单位：5kg、10斤。", en: "What came back, with its unit: 5kg, 10斤.")),
        Entry("goods", "货的去向", "Where the goods are", Look<SaleCorrection.Goods>.word),
        Entry(
            "refund", "退给买方的金额（元）", "What the buyer got back, in yuan", .money()), .reason, .correctionDay,
    ]
    public static let shape = Shapes.correctedSale
    public static func listing(of made: CorrectedSale) -> Listing? { made.listing }

    public static func plan(_ input: JSON, _ backend: Backend) throws -> Plan<CorrectedSale> {
        let sale = try input["sale"].int64
        let plan = SaleStore.takeBack(
            try input["weight"].weight, goods: SaleCorrection.Goods(rawValue: try input["goods"].string) ?? .back,
            refund: try input["refund"].money, of: sale, line: try input["line"].int,
            reason: try input["reason"].string, day: try input["day"].orNil?.day, today: backend.clock.today)
        return planned(plan) { CorrectedSale(sale: sale, corrections: [$0]) }
    }
}
