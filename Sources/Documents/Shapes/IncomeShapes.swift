import Income
import Kernel

/// How income looks outside.
extension Shapes {
    public static let incomeEntry = Shape<IncomeEntry>(
        "IncomeEntry",
        [
            .init("entry", "编号", "entry", .id(), \.id), .init("day", "日期", "day", .day, \.day),
            .init("source", "来源", "source", .words(IncomeSource.entered), \.source),
            .init("memo", "摘要", "memo", .text(0...500), \.memo),
            .init("amount", "金额（元）", "yuan", .money(-Money.limit...Money.limit), \.amount),
            .init(
                "corrects", "更正", "corrects", optional: .number(), note: "The entry that this one corrects", \.corrects),
        ], list: ["entry", "day", "source", "amount", "memo", "corrects"])

    /// One row behind a figure of income.
    public static let incomeRow = Shape<IncomeRow>(
        "IncomeRow",
        [
            .init("day", "日期", "day", .day, \.day), .init("source", "来源", "source", .word, \.source),
            .init("what", "哪一笔", "what", Look(incomeOrigin.schema, json: incomeOrigin.json) { $0.what($1) }, \.self),
            .init("product", "产品", "product", optional: .text(), \.product),
            .init("cooperative", "合作社", "cooperative", optional: .text(), \.cooperative),
            .init("channel", "渠道", "channel", optional: .text(), \.channel),
            .init("household", "农户", "household", optional: .text(), \.household),
            .init("amount", "金额（元）", "yuan", .sum, \.amount),
            .init("ofDay", optional: .day, note: "The day of what it corrects", \.ofDay),
            .reading("corrected", "更正", "corrects") { row, _ in row.ofDay?.description ?? "" },
        ], list: ["day", "source", "what", "amount", "product", "cooperative", "channel", "household", "corrected"],
        blank: "—")

    /// What a row comes from.
    private static let incomeOrigin = Shape<IncomeRow>(
        nil,
        [
            .init("kind", "类型", "kind", .word, \.kind),
            .init("number", "编号", "number", .number(), note: "Under which it is shown", \.number),
            .init("line", "行", "line", optional: .number(), \.line),
        ])

    /// The same in a spreadsheet, which can calculate with it.
    static let incomeCells: [Shape<IncomeRow>.Member] =
        incomeRow["day", "source"] + incomeOrigin.members + incomeRow["product", "cooperative", "channel", "household"]
        + [
            .reading("amount", "金额元", "yuan") { row, _ in "\(row.amount)" },
            .reading("ofDay", "更正的日期", "corrects day") { row, _ in row.ofDay?.description },
        ]

    public static let incomeSummary = Shape<IncomeSummary>(
        "IncomeSummary",
        [
            .init("from", .day, \.from), .init("to", .day, \.to), .init("by", .list(of: .word), \.by),
            .init("rows", incomeSums, \.self), .init("total", .sum, \.total),
            .init("earlier", .sum, note: "What of it corrects days before the period", \.earlier),
            .init(
                "claims", .money(0...Int64.max), note: "What tours of the period were charged and have not paid",
                \.claims),
        ])

    /// A row of a summary by these dimensions.
    public static func incomeSum(by dimensions: [IncomeSummary.Dimension]) -> Shape<IncomeSummary.Row> {
        let cuts = dimensions.enumerated().map { place, dimension in
            let look: Look<String> = dimension == .source ? .incomeSource : .text()
            return Shape<IncomeSummary.Row>.Member(
                dimension.rawValue, dimension.label.zh, dimension.label.en, optional: look
            ) { $0.values[place] }
        }
        return Shape(
            nil, cuts + [.init("amount", "金额（元）", "yuan", .sum, \.amount)],
            list: dimensions.map(\.rawValue) + ["amount"], blank: "—")
    }

    private static let incomeSums = Look<IncomeSummary>(
        .array(of: incomeSum(by: IncomeSummary.Dimension.allCases).schema, 0...1_000_000),
        json: { summary in .array(summary.rows.map(incomeSum(by: summary.by).json)) }, text: { _, _ in "" })
}

extension Look where Value == Money {
    /// Of any size, on either side of zero.
    public static var sum: Self { money(Int64.min...Int64.max) }
}

extension Look where Value == String {
    /// The source of income by its name.
    fileprivate static var incomeSource: Self {
        Look(.string(), json: JSON.string) { IncomeSource(rawValue: $0)?.label[$1] ?? $0 }
    }
}

extension IncomeRow {
    /// What it is, as one looks it up: `销售 2035 第 1 行`.
    fileprivate func what(_ language: Language) -> String {
        let line = line.map { Bilingual(zh: " 第 \($0) 行", en: " line \($0)")[language] } ?? ""
        return "\(kind.label[language]) \(number)\(line)"
    }
}
