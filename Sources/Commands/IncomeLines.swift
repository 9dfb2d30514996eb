import ArgumentParser
import Backend
import Documents
import Income
import Kernel
import Registers
import Synchronization

/// In what form rows leave the program.
enum RowFormat: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json
}

extension IncomeCommand {
    struct Lines: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出任何一个汇总数字背后的每一笔。", "Lists the rows behind any figure of a summary."),
            discussion: """
                taoyuan income lines --from 2025-01-01 --to 2025-12-31 --source sales --household "H01 张三"
                taoyuan income lines --from 2025-08-01 --to 2025-08-31 --format csv > 8月.csv
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("第一天。", "The first day."), transform: reading(CivilDay.init(_:))) var from: CivilDay
        @Option(help: .words("最后一天。", "The last day."), transform: reading(CivilDay.init(_:))) var to: CivilDay
        @Option(help: .words("只要这个月，如 2025-08。", "Only this month, such as 2025-08.")) var month: String?
        @Option(help: .words("只要这个来源；以下各项留空表示没有这一项的。", "Only this source; an empty value means those without one."))
        var source: String?
        @Option(help: .words("只要这个产品。", "Only this product.")) var product: String?
        @Option(help: .words("只要这个合作社。", "Only this cooperative.")) var cooperative: String?
        @Option(help: .words("只要这个渠道。", "Only this channel.")) var channel: String?
        @Option(help: .words("只要这个农户（户号，或汇总里的写法）。", "Only this household, by its number or as summaries name it."))
        var household: String?
        @Option(help: .words("table、csv 或 json。", "table, csv or json.")) var format: RowFormat?

        func run() async throws {
            let filter = try IncomeFilter(
                from: from, to: to,
                values: [
                    IncomeSummary.Dimension.month: month, .source: source, .product: product, .cooperative: cooperative,
                    .channel: channel, .household: household,
                ].compactMapValues { $0.map(IncomeFilter.Value.init(entered:)) })
            let format = format ?? (options.json ? .json : .table)
            let language = options.language
            try await options.withBackend { backend in
                let printer = Mutex(IncomeRowPrinter(format: format, language: language))
                try printer.withLock { try $0.begin() }
                try await IncomeRowStore(backend.database).all(filter, backend.local.scope) { rows in
                    try printer.withLock { try $0.print(rows) }
                }
                try printer.withLock { try $0.end() }
            }
        }
    }
}

/// Prints rows as they come, so that memory does not grow with them; a table's columns are as wide as a part's cells.
private struct IncomeRowPrinter {
    let format: RowFormat
    let language: Language
    private var writer = CSVWriter()
    private var total = Money.zero
    private var count = 0

    init(format: RowFormat, language: Language) {
        self.format = format
        self.language = language
    }

    mutating func begin() throws {
        switch format {
        case .csv: writer.append(IncomeRow.titles(language))
        case .json: try Terminal.write(Array(#"{"rows":["#.utf8))
        case .table: break
        }
    }

    mutating func print(_ rows: [IncomeRow]) throws {
        switch format {
        case .csv:
            for row in rows { writer.append(row.cells(language)) }
            try Terminal.write(writer.take())
        case .json:
            var bytes: [UInt8] = []
            for (index, row) in rows.enumerated() {
                if count > 0 || index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += Shapes.incomeRow.json(row).bytes
            }
            try Terminal.write(bytes)
        case .table:
            try Terminal.print(Table(Shapes.incomeRow, rows).text)
        }
        count += rows.count
        total = rows.reduce(total) { $0 + $1.amount }
    }

    mutating func end() throws {
        switch format {
        case .csv: try Terminal.write(writer.take())
        case .json: try Terminal.print(#"],"total":\#(JSON(total).text)}"#)
        case .table:
            if count == 0 { Terminal.say(words("没有记录", "nothing to show")) }
            try Terminal.print(words("合计 \(total.yuan) 元，共 \(count) 笔", "total \(total.yuan) yuan, \(count) rows"))
        }
    }
}
