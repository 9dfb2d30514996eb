import ArgumentParser
import Backend
import Documents
import Income
import Kernel

struct IncomeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "income", abstract: words("收入：汇总，以及销售以外的收入。", "Income: summaries, and what is no sale."),
        subcommands: [Summary.self, Lines.self, Enter.self, List.self])

    struct Summary: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("汇总一段时间的收入，含首尾两天。", "Sums income over a period, both days included."),
            discussion: "taoyuan income summary --from 2025-01-01 --to 2025-12-31 --by month,source")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("第一天。", "The first day."), transform: reading(CivilDay.init(_:))) var from: CivilDay
        @Option(help: .words("最后一天。", "The last day."), transform: reading(CivilDay.init(_:))) var to: CivilDay
        @Option(
            help: .words(
                "按什么分组，可选多个，用逗号隔开：month（月份）、source（来源）、product（产品）、cooperative（合作社）、channel（渠道）、household（农户）。",
                "Any of month,source,product,cooperative,channel,household (or 月份,来源,产品,合作社,渠道,农户)."),
            transform: reading(IncomeSummary.Dimension.list))
        var by: [[IncomeSummary.Dimension]] = []
        @Option(help: .words("table、csv 或 json。", "table, csv or json.")) var format: RowFormat?

        func run() async throws {
            let dimensions = try IncomeSummary.Dimension.distinct(by.flatMap { $0 })
            let summary = try await options.withBackend { backend in
                try await IncomeRowStore(backend.database).summary(
                    from: from, to: to, by: dimensions, backend.local.scope)
            }
            switch format ?? (options.json ? .json : .table) {
            case .json: try Terminal.print(Shapes.incomeSummary.json(summary).text)
            case .csv: try Terminal.write(summary.csv(options.language))
            case .table:
                try Terminal.print(summary.table.text)
                if summary.claims != .zero {
                    Terminal.say(
                        words(
                            "研学应收未收 \(summary.claims.yuan) 元", "tours charged and not paid: \(summary.claims.yuan) yuan"
                        ))
                }
                if summary.earlier != .zero {
                    Terminal.say(
                        words(
                            "其中更正以前期间 \(summary.earlier.yuan) 元",
                            "of this, corrections of earlier periods: \(summary.earlier.yuan) yuan"))
                }
            }
        }
    }

    struct Enter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                words(
                    "登记销售以外的收入。更正要指明所更正的一笔，金额可为负。",
                    "Enters income that is no sale. A correction names the entry that it corrects and may be negative."),
            discussion: """
                taoyuan income enter --day 2025-03-20 --source 出租 --memo 冷库出租 --amount 22778
                taoyuan income enter --source rent --memo 多记 --amount -778 --corrects 12
                """)

        @OptionGroup var options: SharedOptions
        @Option(
            help: .words(
                "日期（默认今天；更正默认为原来那一笔的日期）。", "The day (default: today; a correction's, that of what it corrects)."),
            transform: reading(CivilDay.init(_:)))
        var day: CivilDay?
        @Option(
            help: .words(
                "来源：rent（出租）、contracting、investment、subsidy、labour、other，或登记表中的中文名称。",
                "rent, contracting, investment, subsidy, labour, other, or the register's word for it."),
            transform: reading(IncomeSource.init(entered:)))
        var source: IncomeSource
        @Option(help: .words("摘要。", "What for.")) var memo: String
        @Option(parsing: .unconditional, help: .words("金额（元）。", "Yuan."), transform: reading(Money.init(yuan:)))
        var amount: Money
        @Option(help: .words("所更正的那一笔的编号。", "The entry that this one corrects.")) var corrects: Int64?

        func run() async throws {
            let entry = try await options.change { backend in
                IncomeStore.enter(
                    day: day, source: source, memo: memo, amount: amount, corrects: corrects,
                    today: backend.clock.today)
            }
            try options.show(listed: entry, Shapes.incomeEntry)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出登记的收入，最新的在前。", "Lists entered income, newest first."),
            discussion: "taoyuan income list --from 2025-01-01 --to 2025-03-31")

        @OptionGroup var options: SharedOptions
        @OptionGroup var page: PageOptions
        @OptionGroup var days: DayOptions

        func run() async throws {
            let entries = try await options.withBackend { backend in
                try await page.first {
                    try await IncomeStore(backend.database).list(
                        backend.local.scope, from: days.from, to: days.to, limit: $0)
                }
            }
            try options.show(entries, Shapes.incomeEntry)
        }
    }
}

extension IncomeSummary {
    var table: Table {
        let sums = Shapes.incomeSum(by: by)
        guard !by.isEmpty else { return Table(sums, [], last: [total.yuan]) }
        let blank = [String](repeating: "", count: by.count - 1)
        return Table(sums, rows, last: [words("合计", "total")] + blank + [total.yuan])
    }
}
