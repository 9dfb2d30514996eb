import Income
import Kernel
import Tours

/// One table of a report. Every renderer shows the same ones; a cell knows what it is, so that a spreadsheet can
/// calculate with it.
public struct LivelihoodTable: Sendable {
    public enum Cell: Sendable, Hashable {
        case text(String)
        /// Fen.
        case money(Int64)
        /// Grams.
        case weight(Int64)
        case count(Int64)
        /// Tenths of a per cent.
        case percent(Int64)
        /// No figure, such as growth from nothing.
        case none

        /// Exact but for percentages: yuan to the fen, 斤 to the gram.
        public var text: String {
            switch self {
            case .text(let text): text
            case .money(let fen): LivelihoodNumbers.yuan(fen)
            case .weight(let grams): LivelihoodNumbers.jin(grams)
            case .count(let number): LivelihoodNumbers.count(number)
            case .percent(let tenths): LivelihoodNumbers.percent(tenths)
            case .none: LivelihoodNumbers.none
            }
        }
    }

    public struct Column: Sendable {
        public let title: String
        public let isNumber: Bool
    }

    public enum Name: String, Sendable, CaseIterable {
        case core, income, production, balance, months, kinds, households, earlier, earlierHarvests, changes
    }

    public let name: Name
    public let title: String
    public let columns: [Column]
    public let rows: [[Cell]]
    public let total: [Cell]?
    public let note: String?
}

/// Makes a report's tables in one language.
struct LivelihoodTables {
    let figures: LivelihoodFigures
    let language: Language

    var all: [LivelihoodTable] { [core, income, production, balance, months, kinds, households] + amendments }

    func say(_ zh: String, _ en: String) -> String { language == .chinese ? zh : en }

    func number(_ zh: String, _ en: String) -> LivelihoodTable.Column {
        .init(title: say(zh, en), isNumber: true)
    }

    func words(_ zh: String, _ en: String) -> LivelihoodTable.Column {
        .init(title: say(zh, en), isNumber: false)
    }

    private var totalLabel: LivelihoodTable.Cell { .text(say("合计", "Total")) }
    private var thisYear: String { say("\(figures.period.year)年", "\(figures.period.year)") }
    private var lastYear: String {
        let year = figures.period.year - 1
        return figures.period.isWhole ? say("\(year)年", "\(year)") : say("\(year)年同期", "\(year), same days")
    }

    private var core: LivelihoodTable {
        typealias Cell = LivelihoodTable.Cell
        func row(
            _ zh: String, _ en: String, _ unit: Bilingual, _ value: LivelihoodFigures.Compared, _ cell: (Int64) -> Cell
        ) -> [Cell] {
            [
                .text(say(zh, en)), .text(unit[language]), cell(value.last), cell(value.this), cell(value.change),
                value.growth.map(Cell.percent) ?? .none,
            ]
        }
        // The books do not say how many there were a year ago.
        func present(_ zh: String, _ en: String, _ unit: Bilingual, _ value: Int64) -> [Cell] {
            [.text(say(zh, en)), .text(unit[language]), .none, .count(value), .none, .none]
        }
        let yuan = Bilingual(zh: "元", en: "yuan")
        var rows = [
            row("农产品销售收入", "Sales", yuan, figures.income(.sales), Cell.money),
            row("研学收入", "Study tours", yuan, figures.income(.tours), Cell.money),
            row("其他收入", "Other income", yuan, figures.otherIncome, Cell.money),
            row("收入合计", "Total income", yuan, figures.totalIncome, Cell.money),
        ]
        rows += figures.products.map {
            row(
                "\($0.name)采收量", "Harvest of \($0.name)", Bilingual(zh: "斤", en: "斤 (500 g)"), $0.harvestedGrams,
                Cell.weight)
        }
        rows += [
            row("研学团次", "Group visits", Bilingual(zh: "团次", en: "visits"), figures.groups, Cell.count),
            row("研学到访人次", "Visitors", Bilingual(zh: "人次", en: "people"), figures.visitors, Cell.count),
            present("登记农户", "Households", Bilingual(zh: "户", en: "households"), figures.households.households),
            present("合作社", "Cooperatives", Bilingual(zh: "个", en: "cooperatives"), figures.cooperatives),
        ]
        return LivelihoodTable(
            name: .core, title: say("主要指标", "Core figures"),
            columns: [
                words("指标", "Figure"), words("单位", "Unit"), number(lastYear, lastYear), number(thisYear, thisYear),
                number("增减", "Change"), number("增长率", "Growth"),
            ],
            rows: rows, total: nil,
            note: say(
                "上年为零的，增长率以“—”表示；农户与合作社为截止日的登记数（合作社指有农户的），无上年数。",
                "Growth from nothing is —. Households, and the cooperatives that had any, are those of the last day."
            ))
    }

    private var income: LivelihoodTable {
        let sources = IncomeSource.allCases
        let shares = LivelihoodRules.shares(sources.map { figures.income($0).this })
        let rows = sources.enumerated().map { index, source -> [LivelihoodTable.Cell] in
            let amount = figures.income(source)
            return [
                .text(source.label[language]), .money(amount.last), .money(amount.this),
                shares.map { .percent($0[index]) } ?? .none,
            ]
        }
        let total = figures.totalIncome
        return LivelihoodTable(
            name: .income, title: say("收入构成（单位：元）", "Composition of the income (yuan)"),
            columns: [
                words("来源", "Source"), number(lastYear, lastYear), number(thisYear, thisYear), number("占比", "Share"),
            ],
            rows: rows,
            total: [
                totalLabel, .money(total.last), .money(total.this), shares == nil ? .none : .percent(1000),
            ], note: nil)
    }

    private var production: LivelihoodTable {
        let rows = figures.products.map { product -> [LivelihoodTable.Cell] in
            [
                .text(product.name), .weight(product.harvestedGrams.last), .weight(product.harvestedGrams.this),
                .weight(product.soldGrams.last), .weight(product.soldGrams.this), .money(product.salesFen.last),
                .money(product.salesFen.this),
            ]
        }
        let products = figures.products
        let sums = [
            products.reduce(.zero) { $0 + $1.harvestedGrams }, products.reduce(.zero) { $0 + $1.soldGrams },
            products.reduce(LivelihoodFigures.Compared.zero) { $0 + $1.salesFen },
        ]
        return LivelihoodTable(
            name: .production, title: say("特色产品产销（重量：斤；金额：元）", "Production and sales (斤 of 500 g; yuan)"),
            columns: [
                words("产品", "Product"), number("\(lastYear)采收", "Harvest \(lastYear)"),
                number("\(thisYear)采收", "Harvest \(thisYear)"), number("\(lastYear)销量", "Sold \(lastYear)"),
                number("\(thisYear)销量", "Sold \(thisYear)"), number("\(lastYear)销售额", "Sales \(lastYear)"),
                number("\(thisYear)销售额", "Sales \(thisYear)"),
            ],
            rows: rows,
            total: [
                totalLabel, .weight(sums[0].last), .weight(sums[0].this), .weight(sums[1].last),
                .weight(sums[1].this), .money(sums[2].last), .money(sums[2].this),
            ],
            note: say(
                "销量、销售额按销售日期统计，含上年采收而本年售出的产品。",
                "Sales are those of the year's days, also of what was harvested the year before."))
    }

    private var balance: LivelihoodTable {
        typealias Balance = LivelihoodFigures.Balance
        let parts: [(Balance) -> Int64] = [
            \.harvestedGrams, \.soldGrams, \.lossGrams, \.ownUseGrams, \.giftGrams, \.correctionGrams, \.stockGrams,
            \.differenceGrams,
        ]
        let balances = figures.products.map(\.balance)
        let rows = zip(figures.products, balances).map { product, balance -> [LivelihoodTable.Cell] in
            [.text(product.name)] + parts.map { .weight($0(balance)) }
        }
        let end = figures.period.to.written(language)
        return LivelihoodTable(
            name: .balance, title: say("产销平衡核对（单位：斤）", "Where the harvest went (斤 of 500 g)"),
            columns: [
                words("产品", "Product"), number("采收", "Harvested"), number("销售", "Sold"), number("损耗", "Loss"),
                number("自用", "Own use"), number("赠送", "Gifts"), number("更正", "Corrected"),
                number("期末库存", "In stock"), number("差额", "Difference"),
            ],
            rows: rows,
            total: [totalLabel] + parts.map { part in .weight(balances.reduce(0) { $0 + part($1) }) },
            note: say(
                "核对范围：\(figures.period.year)年采收的批次，截至\(end)的出库与库存；采收＝销售＋损耗＋自用＋赠送＋更正＋期末库存，差额应为零。",
                "Compared are the batches harvested in \(figures.period.year): what left them by \(end), and what their "
                    + "stock was then. Harvested = sold + loss + own use + gifts + corrected + in stock; the difference "
                    + "must be zero."))
    }

    private var months: LivelihoodTable {
        tours(
            .months, say("研学接待（按月）", "Study tours by month"), words("月份", "Month"),
            (1...12).map { month in
                (CivilDay.monthNames[month - 1][language], figures.visits.filter { $0.month == month })
            }, note: nil)
    }

    private var kinds: LivelihoodTable {
        tours(
            .kinds, say("研学接待（按单位类别）", "Study tours by kind of unit"), words("单位类别", "Kind of unit"),
            UnitKind.allCases.map { kind in
                (kind.label[language], figures.visits.filter { $0.unitKind == kind })
            },
            note: say(
                "人次为实到人数，每团每日计一次；收入含未到团队按约留存的费用，计入场次当日。",
                "Visitors are the people who came, counted once a day. Income is that of the session's day, with what was "
                    + "kept of groups that did not come."))
    }

    private func tours(
        _ name: LivelihoodTable.Name, _ title: String, _ first: LivelihoodTable.Column,
        _ rows: [(label: String, visits: [LivelihoodFigures.Visits])], note: String?
    ) -> LivelihoodTable {
        func cells(_ visits: [LivelihoodFigures.Visits]) -> [LivelihoodTable.Cell] {
            [
                .count(visits.reduce(0) { $0 + $1.groups }), .count(visits.reduce(0) { $0 + $1.people }),
                .money(visits.reduce(0) { $0 + $1.incomeFen }),
            ]
        }
        return LivelihoodTable(
            name: name, title: title,
            columns: [first, number("团次", "Groups"), number("人次", "Visitors"), number("收入（元）", "Income (yuan)")],
            rows: rows.map { [.text($0.label)] + cells($0.visits) },
            total: [totalLabel] + cells(rows.flatMap(\.visits)),
            note: note)
    }

    private var households: LivelihoodTable {
        func row(_ label: String, _ group: LivelihoodFigures.HouseholdGroup, _ fen: Int64) -> [LivelihoodTable.Cell] {
            [.text(label), .count(group.households), .count(group.people), .money(fen)]
        }
        var rows = figures.householdGroups.map { row(LivelihoodWords.classes($0, language), $0, $0.salesFen) }
        let all = figures.households
        if rows.isEmpty, all.households > 0 { rows = [row(say("全部农户", "All households"), all, all.salesFen)] }
        if figures.unattributedSalesFen != 0 {
            rows.append(
                [.text(say("未归到农户的批次", "Of no household")), .none, .none, .money(figures.unattributedSalesFen)])
        }
        return LivelihoodTable(
            name: .households, title: say("农户增收（按帮扶类别）", "Households by support class"),
            columns: [
                words("帮扶类别", "Support class"), number("户数", "Households"), number("人口", "People"),
                number("地块产品销售额（元）", "Sales of their plots (yuan)"),
            ],
            rows: rows,
            total: row(say("合计", "Total"), all, all.salesFen + figures.unattributedSalesFen),
            note: say(
                "为保护农户隐私，不足\(LivelihoodRules.fewestHouseholds)户的类别合并列示。",
                "Classes of fewer than \(LivelihoodRules.fewestHouseholds) households are merged, so that none can be "
                    + "told apart."))
    }
}

extension LivelihoodReport {
    /// Every table, in the order in which a document shows them.
    public func tables(_ language: Language) -> [LivelihoodTable] {
        LivelihoodTables(figures: figures, language: language).all
    }

    /// Of these tables those of what was put right: of earlier periods, and since a report that was given out before.
    public func amendments(_ language: Language) -> [LivelihoodTable] {
        LivelihoodTables(figures: figures, language: language).amendments
    }
}
