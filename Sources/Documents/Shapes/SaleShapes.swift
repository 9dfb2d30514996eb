import Kernel
import Sales

/// How sales look outside.
extension Shapes {
    /// `per` is `jin`, `kg` or `box`; a box needs its net weight.
    public static let price = Shape<Price>(
        "Price",
        [
            .init("fen", "分", "fen", .number(0...100_000_000), \.fen),
            .init("per", "计价", "per", .name, \.basis),
            .init("boxWeight", "每箱净重", "net weight of a box", optional: .weight(1...1_000_000)) { price in
                price.basis == .box ? Weight(grams: price.basisGrams) : nil
            },
        ])

    public static let saleLine = Shape<Sale.Line>(
        nil,
        [
            .init("line", "行", "line", .count(1...100), \.number),
            .init("batch", "批次", "batch", .batch, \.batch),
            .init("product", "产品", "product", .text(), \.product),
            .init("weight", "重量", "weight", .weight(1...Weight.limit), \.weight),
            .init("price", "单价", "price", .price, \.price), .init("amount", "金额（元）", "yuan", .money(), \.amount),
            .init("returned", "退回", "returned", .weight(), note: "What came back of it", \.returned),
            .init("refunded", "退款（元）", "refunded (yuan)", .money(), note: "What went back of its amount", \.refunded),
            .reading("state", "更正", "corrected") { $0.state[$1] },
        ])

    public static let sale = Shape<Sale>(
        "Sale", saleMembers,
        facts: ["sale", "number", "soldOn", "cooperative", "channel", "buyer", "paidHow", "replaces", "replacedBy"])

    private static let saleMembers: [Shape<Sale>.Member] = [
        .init("sale", "销售", "sale", .id(), \.id), .init("number", "单号", "number", optional: .text(), \.number),
        .init("cooperative", "合作社", "cooperative", .text(), \.cooperative),
        .init("soldOn", "日期", "day", .day, \.day), .init("channel", "渠道", "channel", .text(), \.channel),
        .init("buyer", "买方", "buyer", .text(), \.buyer), .init("paidHow", "付款", "paid", optional: .text(), \.paidHow),
        .init(
            "replaces", "重新登记的是", "replaces", optional: .number(), note: "The reversed sale that it records anew",
            \.replaces),
        .init(
            "replacedBy", "已重新登记为", "replaced by", optional: .number(), note: "The sale that records it anew",
            \.replacedBy),
        .init("lines", "行", "lines", .list(of: .object(saleLine)), \.lines),
        .init("total", "合计（元）", "total (yuan)", .money(0...Int64.max), \.total),
        .init("refunded", "已退（元）", "refunded (yuan)", .money(0...Int64.max), \.refunded),
    ]

    /// Sales as their lines, as people list them.
    public static let soldLine = Shape<SoldLine>(
        nil, Shapes.saleLine.members(of: \.line) + Shapes.sale.members(of: \.sale),
        list: [
            "sale", "line", "number", "soldOn", "batch", "product", "weight", "price", "amount", "channel", "buyer",
            "state",
        ])

    public struct SoldLine: Sendable {
        let sale: Sale
        let line: Sale.Line
    }

    public static let saleCorrection = Shape<SaleCorrection>(
        "SaleCorrection",
        [
            .init("correction", "编号", "number", .number(), \.number),
            .init("line", "行", "line", .count(1...100), \.line), .init("kind", "更正", "correction", .word, \.kind),
            .init("goods", "货", "goods", .word, \.goods), .init("weight", "重量", "weight", .weight(), \.weight),
            .init("refund", "退款（元）", "refund (yuan)", .money(), \.refund), .init("day", "日期", "day", .day, \.day),
            .init("reason", "理由", "reason", .text(1...1000), \.reason), .init("actor", "经手", "by", .actor, \.actor),
            .init(
                "at", "登记", "entered", optional: .instant, note: "Missing in the answer to the request that makes it",
                \.at),
        ], list: ["day", "line", "kind", "goods", "weight", "refund", "reason", "actor", "at"])

    /// A sale with what was put right of it.
    public static let saleHistory = Shape<SaleHistory>(
        "SaleHistory",
        sale.members(of: \.sale) + [
            .init("corrections", "更正", "corrections", .list(of: .object(saleCorrection)), \.corrections)
        ])

    public struct SaleHistory: Sendable {
        let sale: Sale
        let corrections: [SaleCorrection]

        public init(_ sale: Sale, _ corrections: [SaleCorrection]) {
            self.sale = sale
            self.corrections = corrections
        }
    }
}

extension Sale {
    public var soldLines: [Shapes.SoldLine] { lines.map { Shapes.SoldLine(sale: self, line: $0) } }
}

extension Sale.Line {
    /// What was put right of it, in short.
    fileprivate var state: Bilingual {
        if isReversed { return Bilingual(zh: "已冲销", en: "reversed") }
        if isOver { return Bilingual(zh: "已全部退回", en: "returned") }
        var parts: [Bilingual] = []
        if returned.grams > 0 { parts.append(Bilingual(zh: "退 \(returned)", en: "\(returned) back")) }
        if refunded != .zero {
            parts.append(Bilingual(zh: "退 \(refunded.yuan) 元", en: "\(refunded.yuan) yuan back"))
        }
        return Bilingual(
            zh: parts.map(\.zh).joined(separator: "，"), en: parts.map(\.en).joined(separator: ", "))
    }
}
