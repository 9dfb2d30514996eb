import ArgumentParser
import Backend
import Documents
import Kernel
import Sales

extension SaleCommand {
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示一笔销售，以及它的冲销和退货。", "Shows a sale, with its reversals and returns."),
            discussion: "taoyuan sale show --sale 2035")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("销售编号。", "The sale's number.")) var sale: Int64

        func run() async throws {
            let (found, corrections) = try await options.withBackend { backend in
                try await SaleStore(backend.database).show(sale, backend.local.scope)
            }
            let json = found.json.adding("corrections", .array(corrections.map(\.json)))
            let table = corrections.isEmpty ? "" : "\n" + SaleCorrection.table(corrections).text
            try options.show(json, Table(facts: found.facts).text + "\n" + found.text + table)
        }
    }

    struct Reverse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "冲销一笔销售或其中一行：重量回到库存，金额从收入中扣除。",
                "Reverses a sale or one of its lines: its grams go back into stock, its money out of income."),
            discussion: "taoyuan sale reverse --sale 2035 --reason 应为 50 公斤")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("销售编号。", "The sale's number.")) var sale: Int64
        @Option(help: .words("只冲销这一行（默认整笔）。", "This line alone (default: all of it).")) var line: Int?
        @OptionGroup var correction: CorrectionOptions

        func run() async throws {
            let made = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    SaleStore.reverse(
                        sale, line: line, reason: correction.reason, day: correction.day, today: backend.clock.today))
            }
            try options.show(
                ["sale": .integer(sale), "corrections": .array(made.map(\.json))], SaleCorrection.table(made).text)
        }
    }

    struct Return: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("登记退货和退款。", "Records goods that came back, and what their buyer got back."),
            discussion: #"""
                taoyuan sale return --sale 2035 --line 1 --weight 5kg --goods scrapped --refund 42.50 \
                  --reason 运输压坏
                """#)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("销售编号。", "The sale's number.")) var sale: Int64
        @Option(help: .words("哪一行。", "Which line.")) var line: Int
        @Option(
            help: .words("退回的重量及单位：5kg、10斤。", "What came back, with its unit: 5kg, 10斤."),
            transform: reading(Weight.init(_:)))
        var weight: Weight
        @Option(
            help: .words("货的去向。", "Where the goods are."))
        var goods: SaleCorrection.Goods
        @Option(help: .words("退给买方的金额（元）。", "What the buyer got back, in yuan."), transform: reading(Money.init(yuan:)))
        var refund: Money
        @OptionGroup var correction: CorrectionOptions

        func run() async throws {
            let made = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    SaleStore.takeBack(
                        weight, goods: goods, refund: refund, of: sale, line: line, reason: correction.reason,
                        day: correction.day, today: backend.clock.today))
            }
            try options.show(
                ["sale": .integer(sale), "corrections": .array([made.json])], SaleCorrection.table([made]).text)
        }
    }
}

extension SaleCorrection {
    var json: JSON {
        [
            "correction": .integer(number), "line": JSON(line), "kind": .string(kind.rawValue),
            "goods": .string(goods.rawValue), "weight": JSON(weight), "refund": JSON(refund), "day": JSON(day),
            "reason": .string(reason), "actor": .string(actor), "at": JSON(at),
        ]
    }

    static func table(_ corrections: [SaleCorrection]) -> Table {
        Table(
            [
                .left("日期", "day"), .right("行", "line"), .left("更正", "correction"), .left("货", "goods"),
                .right("重量", "weight"), .right("退款（元）", "refund (yuan)"), .left("理由", "reason"), .left("经手", "by"),
                .left("登记", "entered"),
            ],
            rows: corrections.map { correction in
                [
                    "\(correction.day)", "\(correction.line)",
                    correction.kind == .reversal ? words("冲销", "reversal") : words("退货", "return"),
                    correction.goods.label[.ofThisRun], "\(correction.weight)", correction.refund.yuan,
                    correction.reason, Recorded.actor(correction.actor), correction.at?.minute ?? "",
                ]
            })
    }
}

extension Sale {
    var json: JSON {
        [
            "sale": JSON(id), "number": JSON(number), "cooperative": .string(cooperative), "soldOn": JSON(day),
            "channel": .string(channel), "buyer": .string(buyer), "paidHow": JSON(paidHow),
            "replaces": replaces.map { .integer($0) } ?? .null, "replacedBy": replacedBy.map { .integer($0) } ?? .null,
            "lines": .array(
                lines.map { line in
                    [
                        "line": JSON(line.number), "batch": .integer(line.batch), "product": .string(line.product),
                        "weight": JSON(line.weight),
                        "price": [
                            "fen": .integer(line.price.fen), "per": .string(line.price.basis.rawValue),
                            "boxWeight": line.price.basis == .box ? JSON(Weight(grams: line.price.basisGrams)) : .null,
                        ],
                        "amount": JSON(line.amount), "returned": JSON(line.returned), "refunded": JSON(line.refunded),
                    ]
                }),
            "total": JSON(total), "refunded": JSON(refunded),
        ]
    }

    var facts: [(name: String, value: String?)] {
        [
            (words("销售", "sale"), "\(id)"), (words("单号", "number"), number), (words("日期", "day"), "\(day)"),
            (words("合作社", "cooperative"), cooperative), (words("渠道", "channel"), channel),
            (words("买方", "buyer"), buyer), (words("付款", "paid"), paidHow),
            (words("重新登记的是", "replaces"), replaces.map { "\($0)" }),
            (words("已重新登记为", "replaced by"), replacedBy.map { "\($0)" }),
        ]
    }

    static func table(_ sales: [Sale]) -> Table {
        Table(
            [
                .right("销售", "sale"), .right("行", "line"), .left("单号", "number"), .left("日期", "day"),
                .right("批次", "batch"), .left("产品", "product"), .right("重量", "weight"), .right("单价", "price"),
                .right("金额（元）", "yuan"), .left("渠道", "channel"), .left("买方", "buyer"), .left("更正", "corrected"),
            ],
            rows: sales.flatMap { sale in
                sale.lines.map { line in
                    [
                        "\(sale.id)", "\(line.number)", sale.number ?? "", "\(sale.day)", "\(line.batch)", line.product,
                        "\(line.weight)", "\(line.price)", line.amount.yuan, sale.channel, sale.buyer, line.state,
                    ]
                }
            })
    }

    var text: String {
        let back = refunded == .zero ? "" : words("，已退 \(refunded.yuan) 元", ", of which \(refunded.yuan) went back")
        return Self.table([self]).text + words("合计 \(total.yuan) 元", "total \(total.yuan) yuan") + back
    }
}

extension Sale.Line {
    /// What was put right of it, in short.
    var state: String {
        if isReversed { return words("已冲销", "reversed") }
        if isOver { return words("已全部退回", "returned") }
        var parts: [String] = []
        if returned.grams > 0 { parts.append(words("退 \(returned)", "\(returned) back")) }
        if refunded != .zero { parts.append(words("退 \(refunded.yuan) 元", "\(refunded.yuan) yuan back")) }
        return parts.joined(separator: words("，", ", "))
    }
}
