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
            let table = corrections.isEmpty ? "" : "\n" + Table(Shapes.saleCorrection, corrections).text
            try options.show(
                Shapes.saleHistory.json(.init(found, corrections)),
                Table(Shapes.sale, of: found).text + "\n" + found.text + table)
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
                ["sale": .integer(sale), "corrections": .array(made.map(Shapes.saleCorrection.json))],
                Table(Shapes.saleCorrection, made).text)
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
                ["sale": .integer(sale), "corrections": .array([Shapes.saleCorrection.json(made)])],
                Table(Shapes.saleCorrection, [made]).text)
        }
    }
}

extension Sale {
    var text: String {
        let back = refunded == .zero ? "" : words("，已退 \(refunded.yuan) 元", ", of which \(refunded.yuan) went back")
        return Table(Shapes.soldLine, soldLines).text + words("合计 \(total.yuan) 元", "total \(total.yuan) yuan") + back
    }
}
