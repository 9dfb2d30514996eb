import Batches
import Database
import Income
import Kernel
import Postgres
import Sales
import TestSupport
import Testing
import Tours

@testable import Livelihood

/// Every figure against the registers and against the summary, to the fen and the head.
@Suite struct FigureTests {
    private func drawUp(_ village: TestVillage, _ year: Int) async throws -> LivelihoodReport {
        try await LivelihoodStore(village.database).drawUp(
            year: year, clock: village.clock.clock, village.committee)
    }

    private func summary(
        _ village: TestVillage, _ year: Int, by dimensions: [IncomeSummary.Dimension] = []
    ) async throws -> IncomeSummary {
        try await IncomeRowStore(village.database).summary(
            from: #require(CivilDay(year: year, month: 1, day: 1)),
            to: #require(CivilDay(year: year, month: 12, day: 31)), by: dimensions, village.committee)
    }

    private func table(_ name: LivelihoodTable.Name, _ report: LivelihoodReport) throws -> LivelihoodTable {
        try #require(report.tables(.chinese).first { $0.name == name })
    }

    /// The sum of a column's cells, by what they are.
    private func sum(_ table: LivelihoodTable, _ column: Int) -> Int64 {
        table.rows.reduce(0) { sum, cells in
            switch cells[column] {
            case .money(let value), .weight(let value), .count(let value), .percent(let value): sum + value
            case .text, .none: sum
            }
        }
    }

    @Test func `the samples' figures are what their maker worked out`() async throws {
        let expectation = try Expectation.read()
        try await withVillage { village in
            try await village.loadEverything()
            for year in [2025, 2024] {
                let figures = try await drawUp(village, year).figures
                let expected = try #require(expectation.totals["\(year)"])
                let before = expectation.totals["\(year - 1)"]
                #expect(figures.income(.sales) == .init(last: before?.salesFen ?? 0, this: expected.salesFen))
                #expect(figures.income(.tours) == .init(last: before?.toursFen ?? 0, this: expected.toursFen))
                #expect(figures.otherIncome == .init(last: before?.otherFen ?? 0, this: expected.otherFen))
                #expect(figures.visitors == .init(last: before?.visitors ?? 0, this: expected.visitors))
                let peaches = try #require(figures.products.first { $0.name == "蟠桃" })
                #expect(peaches.soldGrams.this == expected.peachJinTenths * 50)
                #expect(peaches.soldGrams.last == (before?.peachJinTenths ?? 0) * 50)
                #expect(figures.households.households == 36 && figures.cooperatives == 3)
            }
        }
    }

    @Test func `every table's total is the summary's, to the fen`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            let day = try #require(CivilDay(year: 2025, month: 6, day: 3))
            // What is kept of those who did not come and meals are income too, and a correction may be below zero.
            try await village.writeVisits([
                .init(day: day, kind: "school", arrived: nil, fee: Money(fen: 30_000), state: "no_show"),
                .init(day: day, time: "14:00", kind: "company", fee: Money(fen: 99_999), mealFen: 3500),
            ])
            for year in [2024, 2025] {
                let report = try await drawUp(village, year)
                let (total, bySource) = (
                    try await summary(village, year), try await summary(village, year, by: [.source])
                )
                func amount(_ source: IncomeSource) -> Int64 {
                    bySource.rows.first { $0.values.first == source.rawValue }?.amount.fen ?? 0
                }
                #expect(report.figures.totalIncome.this == total.total.fen)
                for source in IncomeSource.allCases { #expect(report.figures.income(source).this == amount(source)) }

                let core = try table(.core, report)
                let money = core.rows.prefix(4).map { $0[3] }
                let other = IncomeSource.entered.reduce(0) { $0 + amount($1) }
                #expect(
                    money == [.money(amount(.sales)), .money(amount(.tours)), .money(other), .money(total.total.fen)])
                for (name, column, expected) in [
                    (.income, 2, total.total.fen), (.production, 6, amount(.sales)), (.months, 3, amount(.tours)),
                    (.kinds, 3, amount(.tours)), (.households, 3, amount(.sales)),
                ] as [(LivelihoodTable.Name, Int, Int64)] {
                    let table = try table(name, report)
                    #expect(sum(table, column) == expected, "\(name) of \(year)")
                    #expect(table.total?[column] == .money(expected), "\(name) of \(year)")
                }
                for name in [.months, .kinds] as [LivelihoodTable.Name] {
                    let table = try table(name, report)
                    #expect(table.rows.count == (name == .months ? 12 : 5))
                    #expect(
                        sum(table, 1) == report.figures.groups.this && sum(table, 2) == report.figures.visitors.this)
                    #expect(table.total?[2] == .count(report.figures.visitors.this))
                }
                #expect(sum(try table(.income, report), 3) == 1000)
                #expect(sum(try table(.households, report), 1) == 36)
                #expect(sum(try table(.households, report), 2) == report.figures.households.people)
            }
            let byMonth = try await summary(village, 2025, by: [.month, .source])
            for row in byMonth.rows where row.values.last == "tours" {
                let month = Int(row.values.first.flatMap(\.self)?.suffix(2) ?? "") ?? 0
                let cell = try table(.months, try await drawUp(village, 2025)).rows[month - 1][3]
                #expect(cell == .money(row.amount.fen))
            }
        }
    }

    @Test func `the harvest is where the registers say`() async throws {
        var harvested: [String: Int64] = [:]
        var sold: [String: Int64] = [:]
        var years: [String: String] = [:]
        for row in try Samples.cells("harvest.csv") {
            years[row[2] + row[0]] = String(row[1].prefix(4))
            guard row[1].hasPrefix("2025") else { continue }
            harvested[row[4], default: 0] += try Weight(number: row[7], unit: 500).grams
        }
        for row in try Samples.cells("sales.csv") where years[row[2] + row[3]] == "2025" && row[0] <= "2025-12-31" {
            sold[row[4], default: 0] += try Weight(number: row[5], unit: 500).grams
        }
        let (allHarvested, allSold) = (harvested, sold)
        try await withVillage { village in
            try await village.loadEverything()
            let products = try await drawUp(village, 2025).figures.products
            #expect(Set(products.map(\.name)) == ["蟠桃", "红薯"])
            for product in products {
                #expect(product.balance.harvestedGrams == allHarvested[product.name])
                #expect(product.balance.soldGrams == allSold[product.name])
                #expect(product.balance.differenceGrams == 0)
                #expect(product.balance.stockGrams == product.balance.harvestedGrams - product.balance.soldGrams)
                #expect(product.balance.harvestedGrams == product.harvestedGrams.this)
            }
        }
    }

    @Test func `households are merged as their classes say, with their plots' sales`() async throws {
        var classes: [String: String] = [:]
        for row in try Samples.cells("households.csv") { classes[row[0]] = row[3] }
        var households: [String: String] = [:]
        for row in try Samples.cells("plots.csv") { households[row[0]] = row[3] }
        var plots: [String: String] = [:]
        for row in try Samples.cells("harvest.csv") { plots[row[2] + row[0]] = row[3] }
        var sales: [String: Int64] = [:]
        for row in try Samples.cells("sales.csv") where row[0].hasPrefix("2025") {
            let household = households[plots[row[2] + row[3]] ?? ""] ?? ""
            sales[classes[household] ?? "", default: 0] += try Money(yuan: row[7]).fen
        }
        let bySource = sales
        try await withVillage { village in
            try await village.loadEverything()
            let figures = try await drawUp(village, 2025).figures
            // Two of 困难户 and two of 党员结对户 are four, so the five of 低收入户 join them.
            #expect(figures.householdGroups.map(\.households) == [27, 9])
            #expect(figures.householdGroups.map { Set($0.classes) } == [["一般户"], ["低收入户", "困难户", "党员结对户"]])
            let few = bySource.filter { $0.key != "一般户" }.values.reduce(0, +)
            #expect(figures.householdGroups.map(\.salesFen) == [bySource["一般户"], few])
            #expect(figures.unattributedSalesFen == 0)
            let stored = try await village.owner.query("SELECT content::text FROM livelihood_report")
            let text: String = try #require(stored.first).decode(0)
            #expect(!text.contains("陈玉梅") && text.contains("低收入户"))
        }
    }

    @Test func `stock and movements are those of the year's last day`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let december = try #require(CivilDay(year: 2025, month: 12, day: 30))
            let code = try await village.register(village.harvest(day: december, grams: 100_000))
            try await village.sell(
                village.sale(
                    [.init(batch: code.batch, weight: Weight(grams: 10_000), price: Price(fen: 850, basis: .jin))],
                    day: december))
            try await village.change(
                BatchStore.withdraw(
                    .loss, batch: code.batch, weight: Weight(grams: 3000), day: december, reason: "磕碰",
                    today: village.today))
            for (kind, grams) in [(.gift, 2000), (.ownUse, 1000)] as [(Withdrawal, Int64)] {
                try await village.change(
                    BatchStore.withdraw(
                        kind, batch: code.batch, weight: Weight(grams: grams), day: december, reason: "节日",
                        today: village.today))
            }
            try await village.sell(
                village.sale(
                    [.init(batch: code.batch, weight: Weight(grams: 500), price: Price(fen: 850, basis: .jin))],
                    confirmed: [.pastBestBefore]))
            let last = try #require(try await drawUp(village, 2025).figures.products.first)
            #expect(
                last.balance
                    == .init(
                        harvestedGrams: 100_000, soldGrams: 10_000, lossGrams: 3000, ownUseGrams: 1000, giftGrams: 2000,
                        correctionGrams: 0, stockGrams: 84_000))
            #expect(last.balance.differenceGrams == 0 && last.soldGrams == .init(last: 0, this: 10_000))
            // What is sold in January was harvested the year before.
            let this = try #require(try await drawUp(village, 2026).figures.products.first)
            #expect(this.soldGrams.this == 500 && this.salesFen.this == 850)
            #expect(this.balance == .zero)
        }
    }

    @Test func `a harvest that does not balance is told`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 100_000))
            #expect(try await sentences(village).contains("相符"))
            for (grams, words) in [(700, "多1.4斤"), (0, "相符")] as [(Int64, String)] {
                try await village.audited(["UPDATE batch SET out_g = \(grams) WHERE number = \(code.batch)"])
                let text = try await sentences(village)
                #expect(text.contains(words), "\(text)")
                #expect(text.contains("产销不平衡") == (grams > 0))
            }
        }
    }

    private func sentences(_ village: TestVillage) async throws -> String {
        try await drawUp(village, 2026).text(.chinese).sections.flatMap(\.paragraphs).joined()
    }

    @Test func `sales of no household's plot are told apart`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let codes = [try await village.register(village.harvest()), try await village.register(village.harvest())]
            let blended = try await village.derive(from: codes.map(\.batch))
            try await village.sell(
                village.sale([.init(batch: blended, weight: Weight(grams: 500), price: Price(fen: 1000, basis: .jin))]))
            try await village.sell(
                village.sale(
                    [.init(batch: codes[0].batch, weight: Weight(grams: 500), price: Price(fen: 850, basis: .jin))]))
            let report = try await drawUp(village, 2026)
            #expect(report.figures.unattributedSalesFen == 1000 && report.figures.households.salesFen == 850)
            // Two households are too few to be shown by class.
            #expect(report.figures.householdGroups.isEmpty)
            let table = try table(.households, report)
            #expect(table.rows.count == 2 && table.total?[3] == .money(1850) && sum(table, 3) == 1850)
            #expect(report.figures.products.first?.balance.differenceGrams == 0)
        }
    }
}
