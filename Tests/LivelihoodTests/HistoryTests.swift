import Codes
import Database
import Income
import Kernel
import Orchard
import Registers
import Sales
import TestSupport
import Testing

@testable import Livelihood

/// A year's figures stay what they were, whatever is imported afterwards.
@Suite struct HistoryTests {
    private static let households = "户号,户主,网格,帮扶类别,合作社,人口,联系电话"
    private static let plots = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"
    private static let harvest = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤"
    private static let sales = "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式"

    private func drawUp(_ village: TestVillage, _ year: Int) async throws -> LivelihoodReport {
        try await LivelihoodStore(village.database).drawUp(
            year: year, clock: village.clock.clock, village.committee)
    }

    private func summary(
        _ village: TestVillage, _ year: Int, by dimensions: [IncomeSummary.Dimension], as scope: Scope? = nil
    ) async throws -> [String] {
        let from = try #require(CivilDay(year: year, month: 1, day: 1))
        let to = try #require(CivilDay(year: year, month: 12, day: 31))
        let summary = try await IncomeRowStore(village.database).summary(
            from: from, to: to, by: dimensions, scope ?? village.committee)
        return summary.rows.map { row in
            let values = row.values.map { $0 ?? "-" }
            return (values + ["\(row.amount)"]).joined(separator: " ")
        }
    }

    @Test func `income is the household's whose harvest it was, under the name that it had then`() async throws {
        try await withVillage { village in
            _ = try await village.load(
                lines: [Self.households, "H1,张三,一网格,一般户,社,3,", "H2,李四,一网格,一般户,社,2,"],
                village.householdRegister())
            _ = try await village.load(lines: [Self.plots, "P1,东,社,H1,蟠桃,5,,"], village.plotRegister())
            _ = try await village.load(
                lines: [Self.harvest, "C1,2024-06-25,社,P1,蟠桃,124蟠桃,一级,100"], village.harvestRegister())
            _ = try await village.load(
                lines: [Self.sales, "2024-06-26,S1,社,C1,蟠桃,10,8,80,零售,王老板,现金"],
                SaleRegister(today: village.today))
            let before = try await drawUp(village, 2024)
            let given = try await village.load(lines: [Self.plots, "P1,东,社,H2,蟠桃,5,,"], village.plotRegister())
            #expect(given.changes.map(\.change.from) == ["H1"] && given.changes.map(\.change.to) == ["H2"])
            _ = try await village.load(
                lines: [Self.households, "H1,张小三,二网格,困难户,社,3,"], village.householdRegister())
            #expect(try await summary(village, 2024, by: [.household]) == ["H1 张三 80.00"])
            let after = try await drawUp(village, 2024)
            #expect(after.figures == before.figures && after.id == before.id)

            // What is harvested and sold from now on is the new household's.
            _ = try await village.load(
                lines: [Self.harvest, "C1,2026-01-15,社,P1,蟠桃,124蟠桃,一级,100"], village.harvestRegister())
            _ = try await village.load(
                lines: [Self.sales, "2026-01-15,S1,社,C1,蟠桃,10,9,90,零售,王老板,现金"],
                SaleRegister(today: village.today))
            #expect(try await summary(village, 2026, by: [.household]) == ["H2 李四 90.00"])
        }
    }

    @Test func `a household's class is that of the period's last day`() async throws {
        try await withVillage { village in
            let rows = (1...12).map { "H\($0),张三,一网格,\($0 <= 6 ? "一般户" : "低收入户"),东社,2," }
            _ = try await village.load(lines: [Self.households] + rows, village.householdRegister())
            func groups(_ year: Int) async throws -> [String] {
                try await drawUp(village, year).figures.householdGroups.map {
                    "\($0.classes.joined()) \($0.households) \($0.people)"
                }
            }
            _ = try await village.load(
                lines: [Self.households, "H12,张三,一网格,一般户,东社,4,"],
                village.householdRegister(asOf: try CivilDay("2025-12-31")))
            _ = try await village.load(
                lines: [Self.households, "H13,张三,一网格,一般户,西社,4,"],
                village.householdRegister(asOf: try CivilDay("2026-01-01")))
            #expect(try await groups(2024) == ["一般户 6 12", "低收入户 6 12"])
            #expect(try await groups(2025) == ["一般户 7 16", "低收入户 5 10"])
            #expect(try await groups(2026) == ["一般户 8 20", "低收入户 5 10"])
            let cooperatives = [try await drawUp(village, 2025), try await drawUp(village, 2026)]
            #expect(cooperatives.map(\.figures.cooperatives) == [1, 2])
        }
    }

    @Test func `a cooperative whose name was merged into another's is counted once`() async throws {
        try await withVillage { village in
            _ = try await village.load(
                lines: [Self.households] + ["东社", "西社", "南社"].map { "H\($0),张三,一网格,一般户,\($0),2," },
                village.householdRegister())
            #expect(try await drawUp(village, 2026).figures.cooperatives == 3)
            try await village.change(NameMerge.merge(.cooperative, from: "南社", to: "东社"))
            #expect(try await drawUp(village, 2026).figures.cooperatives == 2)
        }
    }

    @Test func `a closed year is the same to the fen, whatever is imported since`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            let dimensions = IncomeSummary.Dimension.allCases
            var reports: [LivelihoodReport] = []
            var summaries: [[String]] = []
            for year in [2024, 2025] {
                reports.append(try await drawUp(village, year))
                summaries.append(try await summary(village, year, by: dimensions))
            }
            try await village.change(
                ClosedBooks.close(through: try CivilDay("2025-12-31"), today: village.today))

            let households = try Samples.cells("households.csv").map { cells in
                "\(cells[0]),某,九网格,困难户,新社,\(cells[0] == "H001" ? 9 : 1),"
            }
            let moved = try await village.load(
                lines: [Self.households] + households + ["H999,某,九网格,困难户,另社,5,"], village.householdRegister())
            #expect([moved.updated, moved.recorded] == [36, 1])
            let plots = try Samples.cells("plots.csv").map { "\($0[0]),某地,新社,H001,\($0[4]),1,," }
            let given = try await village.load(
                lines: [Self.plots] + plots + ["D999,新地,另社,H999,蟠桃,5,,"], village.plotRegister())
            #expect(given.updated == 48 && given.recorded == 1)
            for kind in ["harvest", "sales"] {
                let refused = try await refusal {
                    kind == "harvest"
                        ? try await village.load(
                            lines: [Self.harvest, "C99999,2025-12-31,新社,D01,红薯,烟薯25,一级,1"], village.harvestRegister())
                        : try await village.load(
                            lines: [Self.sales, "2025-12-31,S99999,韩村蟠桃专业合作社,C0001,,1,8,,零售,王老板,"],
                            SaleRegister(today: village.today))
                }
                #expect(refused == nil || refused?.code == "books-closed")
            }
            let entry = try await refusal {
                try await village.change(
                    IncomeStore.enter(
                        day: try CivilDay("2025-12-31"), source: .rent, memo: "", amount: Money(fen: 1), corrects: nil,
                        today: village.today))
            }
            #expect(entry?.code == "books-closed")

            for (place, year) in [2024, 2025].enumerated() {
                let again = try await drawUp(village, year)
                #expect(again.figures == reports[place].figures && again.id == reports[place].id, "\(year)")
                #expect(try await summary(village, year, by: dimensions) == summaries[place], "\(year)")
            }
            #expect(try await drawUp(village, 2026).figures.cooperatives == 2)
        }
    }

    @Test func `a cooperative knows whose harvest it was after the household has left it`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let code = try await village.register(village.harvest(day: try CivilDay("2025-08-01")))
            _ = try await village.load(
                lines: [Self.households, "HE,李四,一网格,一般户,西社,3,"], village.householdRegister())
            _ = try await village.load(lines: [Self.plots, "E1,E1,西社,HE,蟠桃,10,,"], village.plotRegister())
            try await village.sell(
                village.sale(
                    [.init(batch: code.batch, weight: Weight(grams: 500), price: Price(fen: 850, basis: .jin))],
                    confirmed: [.pastBestBefore]))
            for scope in [village.committee, village.clerk(of: orchard.east)] {
                #expect(
                    try await summary(village, 2026, by: [.cooperative, .household], as: scope) == ["东社 HE 张三 8.50"])
            }
            #expect(try await summary(village, 2026, by: [.household], as: village.clerk(of: orchard.west)).isEmpty)
        }
    }
}
