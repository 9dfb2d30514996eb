import Foundation
import Income
import Kernel
import Livelihood
import Tours

/// A report as JSON: its figures in whole units, and the sentences that are bound to them.
enum LivelihoodJSON {
    private typealias Compared = LivelihoodFigures.Compared

    static func render(_ report: LivelihoodReport, _ language: Language) -> JSON {
        let (figures, period) = (report.figures, report.figures.period)
        return [
            "report": JSON(report.id), "village": .string(figures.village), "brand": .string(figures.brand),
            "year": JSON(period.year), "from": JSON(period.from), "to": JSON(period.to),
            "lastFrom": JSON(period.lastFrom), "lastTo": JSON(period.lastTo),
            "madeAt": .string(report.madeAt.ISO8601Format()), "madeBy": .string(report.actor),
            "text": text(report.text(language)), "core": core(figures), "income": income(figures, language),
            "products": .array(figures.products.map(product)), "tours": tours(figures.visits, language),
            "households": households(figures), "amendments": .array(report.amendments(language).map(amendment)),
        ]
    }

    /// A table of what was put right, as it is printed.
    private static func amendment(_ table: LivelihoodTable) -> JSON {
        [
            "title": .string(table.title), "columns": .array(table.columns.map { .string($0.title) }),
            "rows": .array(table.rows.map { .array($0.map { .string($0.text) }) }),
        ]
    }

    private static func text(_ text: LivelihoodText) -> JSON {
        [
            "title": .string(text.title), "period": .string(text.period),
            "sections": .array(
                text.sections.map {
                    ["heading": .string($0.heading), "paragraphs": .array($0.paragraphs.map(JSON.string))]
                }),
            "signature": .array(text.signature.map(JSON.string)), "imprint": .string(text.imprint),
        ]
    }

    private static func compared(_ value: LivelihoodFigures.Compared, _ json: (Int64) -> JSON) -> JSON {
        [
            "last": json(value.last), "this": json(value.this), "change": json(value.change),
            "growthPermille": value.growth.map(JSON.integer) ?? .null,
        ]
    }

    private static func fen(_ fen: Int64) -> JSON { JSON(Money(fen: fen)) }
    private static func grams(_ grams: Int64) -> JSON { JSON(Weight(grams: grams)) }

    private static func core(_ figures: LivelihoodFigures) -> JSON {
        [
            "sales": compared(figures.income(.sales), fen), "tours": compared(figures.income(.tours), fen),
            "other": compared(figures.otherIncome, fen), "total": compared(figures.totalIncome, fen),
            "batches": compared(figures.batches, JSON.integer), "groups": compared(figures.groups, JSON.integer),
            "visitors": compared(figures.visitors, JSON.integer),
            "households": .integer(figures.households.households), "cooperatives": .integer(figures.cooperatives),
        ]
    }

    private static func income(_ figures: LivelihoodFigures, _ language: Language) -> JSON {
        let sources = IncomeSource.allCases
        let shares = LivelihoodRules.shares(sources.map { figures.income($0).this })
        let rows = sources.enumerated().map { index, source -> JSON in
            let amount = figures.income(source)
            return [
                "source": .string(source.rawValue), "label": .string(source.label[language]), "last": fen(amount.last),
                "this": fen(amount.this), "sharePermille": shares.map { .integer($0[index]) } ?? .null,
            ]
        }
        let total = figures.totalIncome
        return ["sources": .array(rows), "total": ["last": fen(total.last), "this": fen(total.this)]]
    }

    private static func product(_ product: LivelihoodFigures.Product) -> JSON {
        let balance = product.balance
        return [
            "product": .string(product.name), "harvested": compared(product.harvestedGrams, grams),
            "sold": compared(product.soldGrams, grams), "sales": compared(product.salesFen, fen),
            "balance": [
                "harvested": grams(balance.harvestedGrams), "sold": grams(balance.soldGrams),
                "loss": grams(balance.lossGrams), "ownUse": grams(balance.ownUseGrams),
                "gift": grams(balance.giftGrams), "correction": grams(balance.correctionGrams),
                "stock": grams(balance.stockGrams), "difference": grams(balance.differenceGrams),
                "isBalanced": .bool(balance.differenceGrams == 0),
            ],
        ]
    }

    private static func tours(_ all: [LivelihoodFigures.Visits], _ language: Language) -> JSON {
        func sums(_ visits: [LivelihoodFigures.Visits]) -> [JSON.Member] {
            [
                .init("groups", .integer(visits.reduce(0) { $0 + $1.groups })),
                .init("people", .integer(visits.reduce(0) { $0 + $1.people })),
                .init("income", fen(visits.reduce(0) { $0 + $1.incomeFen })),
            ]
        }
        let months = (1...12).map { month in
            JSON.object([.init("month", JSON(month))] + sums(all.filter { $0.month == month }))
        }
        let kinds = UnitKind.allCases.map { kind in
            JSON.object(
                [.init("kind", .string(kind.rawValue)), .init("label", .string(kind.label[language]))]
                    + sums(all.filter { $0.unitKind == kind }))
        }
        return ["months": .array(months), "kinds": .array(kinds), "total": .object(sums(all))]
    }

    private static func households(_ figures: LivelihoodFigures) -> JSON {
        let all = figures.households
        let groups = figures.householdGroups.map { group -> JSON in
            [
                "classes": .array(group.classes.map(JSON.string)), "households": .integer(group.households),
                "people": .integer(group.people), "sales": fen(group.salesFen),
            ]
        }
        return [
            "groups": .array(groups), "unattributedSales": fen(figures.unattributedSalesFen),
            "total": [
                "households": .integer(all.households), "people": .integer(all.people),
                "sales": fen(all.salesFen + figures.unattributedSalesFen),
            ],
        ]
    }
}
