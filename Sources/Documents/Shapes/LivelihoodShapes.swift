import Income
import Kernel
import Livelihood
import Tours

/// How reports look to programs: their figures in whole units, and the sentences that are bound to them.
extension Shapes {
    /// A report in a list of them.
    public static let reportEntry = Shape<LivelihoodReport>(
        "ReportEntry",
        [
            .init("report", "编号", "report", .id(), \.id),
            .init("year", "年份", "year", .count(2000...2199), \.figures.period.year),
            .init("to", "截至", "to", .day, \.figures.period.to),
            .init("total", "收入合计（元）", "income, yuan", .sum, note: "All income") {
                Money(fen: $0.figures.totalIncome.this)
            },
            .init("madeAt", "生成时间", "made at", .instant, \.madeAt),
            .init("madeBy", "生成人", "by", .actor, \.actor),
        ], list: ["report", "year", "to", "total", "madeAt", "madeBy"])

    public static func livelihood(in language: Language) -> Shape<LivelihoodReport> {
        Shape(
            "LivelihoodReport",
            [
                .init("report", .id(), note: "Under which it can be shown again", \.id),
                .init("village", Parts.words, \.figures.village), .init("brand", Parts.words, \.figures.brand),
                .init("year", .count(2000...2199), \.figures.period.year), .init("from", .day, \.figures.period.from),
                .init(
                    "to", .day, note: "The year's last day, or the day on which it was drawn up", \.figures.period.to),
                .init("lastFrom", .day, \.figures.period.lastFrom), .init("lastTo", .day, \.figures.period.lastTo),
                .init("madeAt", .instant, \.madeAt), .init("madeBy", Parts.words, \.actor),
                .init("text", .object(Parts.text)) { $0.text(language) },
                .init("core", .object(Parts.core), \.figures),
                .init("income", .object(Parts.income(in: language)), \.figures),
                .init("products", .list(of: .object(Parts.product)), \.figures.products),
                .init("tours", .object(Parts.tours(in: language)), \.figures.visits),
                .init("households", .object(Parts.households), \.figures),
                .init(
                    "amendments", .list(of: .object(Parts.amendment)),
                    note: "What was put right of earlier periods, and since a report that was given out before"
                ) { $0.amendments(language) },
            ])
    }
}

/// What a report is made of.
private enum Parts {
    static let words = Look<String>.text(0...1000)
    static let count = Look<Int64>.number(0...Int64.max)

    static let text = Shape<LivelihoodText>(
        nil,
        [
            .init("title", words, \.title), .init("period", words, \.period),
            .init("sections", .list(of: .object(section)), \.sections),
            .init("signature", .list(of: words), \.signature), .init("imprint", .text(0...100_000), \.imprint),
        ])

    static let section = Shape<LivelihoodText.Section>(
        nil,
        [
            .init("heading", words, \.heading),
            .init("paragraphs", .list(of: .text(0...100_000)), \.paragraphs),
        ])

    static func compared(_ figure: Look<Int64>) -> Look<LivelihoodFigures.Compared> {
        .object(
            Shape(
                nil,
                [
                    .init("last", figure, \.last), .init("this", figure, \.this), .init("change", figure, \.change),
                    .init("growthPermille", optional: .figure, note: "In tenths of a per cent", \.growth),
                ]))
    }

    static let core = Shape<LivelihoodFigures>(
        nil,
        [
            .init("sales", compared(.fen)) { $0.income(.sales) }, .init("tours", compared(.fen)) { $0.income(.tours) },
            .init("other", compared(.fen), \.otherIncome), .init("total", compared(.fen), \.totalIncome),
            .init("batches", compared(.figure), \.batches), .init("groups", compared(.figure), \.groups),
            .init("visitors", compared(.figure), \.visitors), .init("households", count, \.households.households),
            .init("cooperatives", count, \.cooperatives),
        ])

    static func income(in language: Language) -> Shape<LivelihoodFigures> {
        let source = Shape<(source: IncomeSource, amount: LivelihoodFigures.Compared, share: Int64?)>(
            nil,
            [
                .init("source", .word) { $0.source }, .init("label", words) { $0.source.label[language] },
                .init("last", .fen) { $0.amount.last }, .init("this", .fen) { $0.amount.this },
                .init("sharePermille", optional: .figure, note: "In tenths of a per cent") { $0.share },
            ])
        let total = Shape<LivelihoodFigures.Compared>(nil, [.init("last", .fen, \.last), .init("this", .fen, \.this)])
        return Shape(
            nil,
            [
                .init("sources", .list(of: .object(source))) { figures in
                    let amounts = IncomeSource.allCases.map { figures.income($0) }
                    let shares = LivelihoodRules.shares(amounts.map(\.this))
                    return amounts.indices.map { (IncomeSource.allCases[$0], amounts[$0], shares?[$0]) }
                },
                .init("total", .object(total), \.totalIncome),
            ])
    }

    static let product = Shape<LivelihoodFigures.Product>(
        nil,
        [
            .init("product", words, \.name), .init("harvested", compared(.grams), \.harvestedGrams),
            .init("sold", compared(.grams), \.soldGrams), .init("sales", compared(.fen), \.salesFen),
            .init(
                "balance", .object(balance), note: "Of the batches harvested in the year, by its last day", \.balance),
        ])

    static let balance = Shape<LivelihoodFigures.Balance>(
        nil,
        [
            .init("harvested", .grams, \.harvestedGrams), .init("sold", .grams, \.soldGrams),
            .init("loss", .grams, \.lossGrams), .init("ownUse", .grams, \.ownUseGrams),
            .init("gift", .grams, \.giftGrams), .init("correction", .grams, \.correctionGrams),
            .init("stock", .grams, \.stockGrams), .init("difference", .grams, \.differenceGrams),
            .init("isBalanced", .flag) { $0.differenceGrams == 0 },
        ])

    typealias Visits = [LivelihoodFigures.Visits]

    static let visits = Shape<Visits>(
        nil,
        [
            .init("groups", count) { $0.reduce(0) { $0 + $1.groups } },
            .init("people", count) { $0.reduce(0) { $0 + $1.people } },
            .init("income", .fen) { $0.reduce(0) { $0 + $1.incomeFen } },
        ])

    static func tours(in language: Language) -> Shape<Visits> {
        let month = Shape<(month: Int, visits: Visits)>(
            nil, [.init("month", .count(1...12)) { $0.month }] + visits.members { $0.visits })
        let kind = Shape<(kind: UnitKind, visits: Visits)>(
            nil,
            [.init("kind", .word) { $0.kind }, .init("label", words) { $0.kind.label[language] }]
                + visits.members { $0.visits })
        return Shape(
            nil,
            [
                .init("months", .list(of: .object(month))) { all in
                    (1...12).map { month in (month, all.filter { $0.month == month }) }
                },
                .init("kinds", .list(of: .object(kind))) { all in
                    UnitKind.allCases.map { kind in (kind, all.filter { $0.unitKind == kind }) }
                },
                .init("total", .object(visits), \.self),
            ])
    }

    static let household = Shape<(group: LivelihoodFigures.HouseholdGroup, fen: Int64)>(
        nil,
        [
            .init("households", count) { $0.group.households }, .init("people", count) { $0.group.people },
            .init("sales", .fen) { $0.fen },
        ])

    static let householdGroup = Shape<LivelihoodFigures.HouseholdGroup>(
        nil,
        [.init("classes", .list(of: words), \.classes)] + household.members { ($0, $0.salesFen) })

    static let households = Shape<LivelihoodFigures>(
        nil,
        [
            .init(
                "groups",
                .list(of: .object(householdGroup)), note: "Classes of fewer than five households are merged",
                \.householdGroups),
            .init("unattributedSales", .fen, \.unattributedSalesFen),
            .init("total", .object(household)) { figures in
                (figures.households, figures.households.salesFen + figures.unattributedSalesFen)
            },
        ])

    /// A table of what was put right, as it is printed.
    static let amendment = Shape<LivelihoodTable>(
        nil,
        [
            .init("title", words, \.title), .init("columns", .list(of: words)) { $0.columns.map(\.title) },
            .init("rows", .list(of: .list(of: words))) { $0.rows.map { $0.map(\.text) } },
        ])
}

extension Look where Value == Int64 {
    /// A whole number of any size, on either side of zero.
    fileprivate static var figure: Self { number(Int64.min...Int64.max) }

    fileprivate static var fen: Self {
        Look(.money(Int64.min...Int64.max), json: { JSON(Money(fen: $0)) }) { fen, _ in Money(fen: fen).yuan }
    }

    fileprivate static var grams: Self {
        Look(.weight(Int64.min...Int64.max), json: { JSON(Weight(grams: $0)) }) { grams, _ in "\(Weight(grams: grams))"
        }
    }
}
