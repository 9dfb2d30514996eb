import ArgumentParser
import Backend
import Documents
import Kernel
import Operations
import Sales

struct SaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sale", abstract: words("从批次销售，以及冲销和退货。", "Sales out of batches, their reversals and returns."),
        subcommands: [
            Record.self, List.self, Show.self,
            OperationCommand<ReverseSale>.self, OperationCommand<ReturnGoods>.self,
        ])

    struct Record: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "登记一笔销售。几行时依次重复 --batch、--weight、--price。",
                "Records a sale. Several lines: repeat --batch, --weight and --price in step."),
            discussion: """
                taoyuan sale record --batch 17 --weight 500kg --price 8.50/斤 --channel 批发 --buyer 王老板
                taoyuan sale record --replaces 2035 --batch 17 --weight 50kg --price 8.50/斤 --channel 批发 --buyer 王老板
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("批次号。", "The batch's number.")) var batch: [Int64]
        @Option(
            help: .words("重量及单位：500kg、1000斤。", "The weight with its unit: 500kg, 1000斤."),
            transform: reading(Weight.init(_:)))
        var weight: [Weight]
        @Option(
            help: .words("单价：8.50/斤、17/kg、68/箱2.5kg。", "The price: 8.50/斤, 17/kg, 68/箱2.5kg."),
            transform: reading(Price.init(_:)))
        var price: [Price]
        @Option(help: .words("渠道，如 批发。", "The channel, such as 批发.")) var channel: String
        @Option(help: .words("买方。", "The buyer.")) var buyer: String
        @Option(help: .words("付款方式，如 微信。", "How it was paid, such as 微信.")) var paid: String?
        @Option(
            help: .words("销售日期（默认今天）。", "The day of the sale (default: today)."), transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @Option(help: .words("合作社自己的单号。", "The number in the cooperative's own register.")) var number: String?
        @Option(
            help: .words("重新登记这笔已冲销的销售，沿用它的单号。", "The reversed sale that is recorded anew, under its number."))
        var replaces: Int64?
        @OptionGroup var questions: GoodsQuestions
        @Flag(help: .words("这个渠道是新的，没有写错。", "The channel is a new one indeed.")) var newChannel = false

        func validate() throws {
            guard batch.count == weight.count, batch.count == price.count else {
                throw ValidationError(
                    words(
                        "--batch、--weight、--price 的个数须相同。",
                        "Give --batch, --weight and --price the same number of times."))
            }
        }

        func run() async throws {
            let lines = batch.indices.map { NewSale.Line(batch: batch[$0], weight: weight[$0], price: price[$0]) }
            let sale = try await options.change { backend in
                let today = backend.clock.today
                let sale = NewSale(
                    number: number, day: day ?? today, channel: channel, buyer: buyer, paidHow: paid, lines: lines,
                    replaces: replaces,
                    confirmed: questions.confirmed.union(newChannel ? [.newChannel] : []))
                return SaleStore.record(sale, today: today)
            }
            try options.show(Shapes.sale.json(sale), sale.text)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出销售，最新的在前。", "Lists sales, newest first."),
            discussion: "taoyuan sale list --from 2026-06-01 --buyer 王老板")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("从这一天起。", "From this day on."), transform: reading(CivilDay.init(_:))) var from: CivilDay?
        @Option(help: .words("到这一天止。", "Through this day."), transform: reading(CivilDay.init(_:))) var to: CivilDay?
        @Option(help: .words("买方，或其中的几个字。", "The buyer, or part of the name.")) var buyer: String?
        @Option(help: .words("合作社自己的单号。", "The number in the cooperative's own register.")) var number: String?
        @Option(help: .words("只列这个批次的销售。", "Only sales out of this batch.")) var batch: Int64?
        @OptionGroup var page: PageOptions

        func run() async throws {
            let filter = SaleFilter(from: from, to: to, buyer: buyer, number: number, batch: batch)
            let sales = try await options.withBackend { backend in
                try await page.first {
                    try await SaleStore(backend.database).list(backend.local.scope, filter, limit: $0)
                }
            }
            if sales.isEmpty, !options.json { return Terminal.say(words("没有记录", "nothing to show")) }
            try options.show(
                .array(sales.map(Shapes.sale.json)), Table(Shapes.soldLine, sales.flatMap(\.soldLines)).text)
        }
    }
}

/// What goods that are sold are asked about, each with the flag that says it is meant.
struct GoodsQuestions: ParsableArguments {
    @Flag(help: .words("已过最佳食用期也照样销售。", "Sell it although it is past its best-before day.")) var pastBestBefore = false
    @Flag(help: .words("单价与平常相差很远，没有写错。", "The price is meant, although far from the usual one.")) var unusualPrice =
        false

    var confirmed: Set<NewSale.Question> {
        var confirmed: Set<NewSale.Question> = []
        if pastBestBefore { confirmed.insert(.pastBestBefore) }
        if unusualPrice { confirmed.insert(.unusualPrice) }
        return confirmed
    }
}
