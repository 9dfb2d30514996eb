import Documents
import Kernel
import Sales

/// How sales look in JSON.
extension Shapes {
    private static let saleFields = [
        Field("sale", .integer(1...Int64.max)), .optional("number", .string()), Field("cooperative", .string()),
        Field("soldOn", .day), Field("channel", .string()), Field("buyer", .string()),
        .optional("paidHow", .string()),
        .optional("replaces", .integer(1...Int64.max), "The reversed sale that it records anew"),
        .optional("replacedBy", .integer(1...Int64.max), "The sale that records it anew"),
        Field(
            "lines",
            .array(
                of: .object([
                    Field("line", .integer(1...100)), Field("batch", .integer(1...4_294_967_295)),
                    Field("product", .string()), Field("weight", .weight()), Field("price", price),
                    Field("amount", .money()), Field("returned", .weight(0...Weight.limit), "What came back of it"),
                    Field("refunded", .money(), "What went back of its amount"),
                ]))),
        Field("total", .money(0...Int64.max)), Field("refunded", .money(0...Int64.max)),
    ]

    static let sale = Schema.named("Sale", .object(saleFields))

    static func sale(_ sale: Sale) -> JSON {
        [
            "sale": JSON(sale.id), "number": text(sale.number), "cooperative": .string(sale.cooperative),
            "soldOn": JSON(sale.day), "channel": .string(sale.channel), "buyer": .string(sale.buyer),
            "paidHow": text(sale.paidHow), "replaces": number(sale.replaces), "replacedBy": number(sale.replacedBy),
            "lines": .array(
                sale.lines.map { line in
                    [
                        "line": JSON(line.number), "batch": .integer(line.batch), "product": .string(line.product),
                        "weight": JSON(line.weight), "price": price(line.price), "amount": JSON(line.amount),
                        "returned": JSON(line.returned), "refunded": JSON(line.refunded),
                    ]
                }),
            "total": JSON(sale.total), "refunded": JSON(sale.refunded),
        ]
    }

    static let saleCorrection = Schema.named(
        "SaleCorrection",
        .object([
            Field("correction", .integer(1...Int64.max)), Field("line", .integer(1...100)),
            Field("kind", .enumeration(SaleCorrection.Kind.allCases.map(\.rawValue))),
            Field("goods", .enumeration(SaleCorrection.Goods.allCases.map(\.rawValue))),
            Field("weight", .weight(0...Weight.limit)), Field("refund", .money()), Field("day", .day),
            Field("reason", .string(1...1000)), Field("actor", .string()),
            .optional("at", .instant, "Missing in the answer to the request that makes it"),
        ]))

    static func saleCorrection(_ correction: SaleCorrection) -> JSON {
        [
            "correction": .integer(correction.number), "line": JSON(correction.line),
            "kind": .string(correction.kind.rawValue), "goods": .string(correction.goods.rawValue),
            "weight": JSON(correction.weight), "refund": JSON(correction.refund), "day": JSON(correction.day),
            "reason": .string(correction.reason), "actor": .string(correction.actor),
            "at": correction.at.map(instant) ?? .null,
        ]
    }

    static let saleHistory = Schema.named(
        "SaleHistory", .object(saleFields + [Field("corrections", .array(of: saleCorrection))]))

    static func saleHistory(_ sale: Sale, _ corrections: [SaleCorrection]) -> JSON {
        Self.sale(sale).adding("corrections", .array(corrections.map(saleCorrection)))
    }
}
