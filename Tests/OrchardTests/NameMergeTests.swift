import Batches
import Database
import Income
import Kernel
import Orchard
import Postgres
import Sales
import TestSupport
import Testing

/// Two spellings become one, nothing is rewritten, and both are found.
@Suite struct NameMergeTests {
    private func sum(_ village: TestVillage, _ dimension: IncomeSummary.Dimension) async throws -> [String?: Int64] {
        let summary = try await IncomeRowStore(village.database).summary(
            from: village.today, to: village.today, by: [dimension], village.committee)
        return Dictionary(uniqueKeysWithValues: summary.rows.map { ($0.values[0], $0.amount.fen) })
    }

    private func total(
        _ village: TestVillage, _ dimension: IncomeSummary.Dimension, _ name: String, as scope: Scope? = nil
    ) async throws -> Int64 {
        let filter = try IncomeFilter(from: village.today, to: village.today, values: [dimension: .some(name)])
        return try await IncomeRowStore(village.database).total(filter, scope ?? village.committee).fen
    }

    @Test func `a channel that was spelt in two ways is one`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let line = NewSale.Line(
                batch: code.batch, weight: Weight(grams: 500), price: try Price(fen: 850, basis: .jin))
            let first = try await village.sell(village.sale([line]))
            let known = first.channel
            let other = known + "部"
            try await village.sell(village.sale([line], channel: other, confirmed: [.newChannel]))
            #expect(try await sum(village, .channel) == [known: 850, other: 850])
            try await village.change(NameMerge.merge(.channel, from: other, to: known))
            #expect(try await sum(village, .channel) == [known: 1700])
            for spelling in [known, other] {
                #expect(try await total(village, .channel, spelling) == 1700, "\(spelling)|")
            }
            // What was recorded is as it was.
            #expect(try await village.number("SELECT count(*) FROM sale WHERE channel = \(other)") == 1)
            let twice = try await refusal {
                try await village.change(NameMerge.merge(.channel, from: other, to: "批发"))
            }
            #expect(twice?.code == "merged-already")
            // Merged the wrong way round: it is turned, and turned back.
            try await village.change(NameMerge.merge(.channel, from: known, to: other))
            #expect(try await sum(village, .channel) == [other: 1700])
            try await village.change(NameMerge.merge(.channel, from: other, to: known))
            #expect(try await sum(village, .channel) == [known: 1700])
            let typo = try await refusal { try await village.change(NameMerge.merge(.channel, from: known, to: "直硝")) }
            #expect(typo?.code == "unknown-channel" && typo?.field == "to")
            // What it means may be given up later; both then mean the third.
            try await village.change(NameMerge.merge(.channel, from: known, to: "直销", creates: true))
            #expect(try await sum(village, .channel) == ["直销": 1700])
            let unknown = try await refusal {
                try await village.change(NameMerge.merge(.channel, from: "摆摊", to: "直销"))
            }
            #expect(unknown?.code == "unknown-channel" && unknown?.field == "from")
        }
    }

    @Test func `a cooperative sees what was recorded under a spelling of its name`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let code = try await village.register(village.harvest(plot: "E1"))
            let line = NewSale.Line(
                batch: code.batch, weight: Weight(grams: 500), price: try Price(fen: 850, basis: .jin))
            try await village.sell(village.sale([line]))
            #expect(
                try await total(village, .cooperative, TestOrchard.westName, as: village.clerk(of: orchard.west)) == 0)
            try await village.change(
                NameMerge.merge(.cooperative, from: TestOrchard.eastName, to: TestOrchard.westName))
            let west = village.clerk(of: orchard.west, spellings: [orchard.east])
            #expect(try await sum(village, .cooperative) == [TestOrchard.westName: 850])
            for name in [TestOrchard.eastName, TestOrchard.westName] {
                #expect(try await total(village, .cooperative, name) == 850)
                #expect(try await total(village, .cooperative, name, as: west) == 850)
            }
            let shown = try await BatchStore(village.database).list(west)
            #expect(shown.map(\.number.value).contains(code.batch))
            // The clerk goes on with what is there.
            try await village.sell(village.sale([line]), as: west)
            #expect(try await total(village, .cooperative, TestOrchard.westName, as: west) == 1700)
        }
    }

    @Test func `whatever a given up name stands on is shown under the one that is meant`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(plot: "E1"))
            let line = NewSale.Line(
                batch: code.batch, weight: Weight(grams: 500), price: try Price(fen: 850, basis: .jin))
            let (east, west) = (TestOrchard.eastName, TestOrchard.westName)
            try await village.change(OrchardStore.addGrade(name: "特等"))
            try await village.change(OrchardStore.addVariety(name: "瑞蟠廿一", product: "蟠桃"))
            try await village.change(NameMerge.merge(.cooperative, from: east, to: west))
            try await village.change(NameMerge.merge(.grade, from: "特等", to: "特级"))
            try await village.change(NameMerge.merge(.variety, from: "瑞蟠廿一", to: "瑞蟠21号"))

            let orchard = OrchardStore(village.database)
            #expect(Set(try await orchard.households(village.committee).map(\.cooperative)) == [west])
            #expect(Set(try await orchard.plots(village.committee).map(\.cooperative)) == [west])
            let plot = try await orchard.plot("E1", village.committee)
            #expect(plot.present.cooperative == west && plot.periods.map(\.cooperative) == [west])
            let household = try await orchard.household(plot.present.household, village.committee)
            #expect(household.present.cooperative == west && household.periods.map(\.cooperative) == [west])
            let recorded = try await village.sell(village.sale([line]))
            let shown = try await SaleStore(village.database).show(recorded.id.value, village.committee).sale
            #expect([recorded.cooperative, shown.cooperative] == [west, west])

            // What was given up is told with what is meant.
            let cooperatives = try await orchard.cooperatives(village.committee)
            #expect(cooperatives.map(\.name) == [east, west] && cooperatives.map(\.mergedInto) == [west, nil])
            let grades = try await orchard.grades(village.committee).compactMap(\.mergedInto)
            let varieties = try await orchard.products(village.committee).flatMap(\.varieties).compactMap(\.mergedInto)
            #expect([grades, varieties] == [["特级"], ["瑞蟠21号"]])
        }
    }

    @Test func `cooperatives with the same number in a year are not made one`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.register(village.harvest(plot: "E1", slip: "C1"))
            let west = village.harvest(plot: "W1", slip: "C1")
            let other = try await village.register(west)
            let merge = NameMerge.merge(.cooperative, from: TestOrchard.eastName, to: TestOrchard.westName)
            let refused = try await refusal { try await village.change(merge) }
            #expect(refused?.code == "numbers-twice" && refused?.message.zh.contains("C1（2026）") == true)
            let right = RightHarvest(slip: "W-C1")
            try await village.change(BatchStore.correct(other.batch, right, reason: "x", today: village.today))
            try await village.change(merge)
        }
    }

    @Test func `a number stands once a year under all spellings of a cooperative`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let first = try await village.register(village.harvest(plot: "E1", slip: "C1")).batch
            let other = try await village.register(village.harvest(plot: "W1", slip: "C2")).batch
            @Sendable func line(_ batch: Int64) throws -> NewSale.Line {
                .init(batch: batch, weight: Weight(grams: 500), price: try Price(fen: 850, basis: .jin))
            }
            try await village.sell(village.sale([line(first)], number: "S1"))
            try await village.change(
                NameMerge.merge(.cooperative, from: TestOrchard.eastName, to: TestOrchard.westName))
            let twice = try await refusal { try await village.register(village.harvest(plot: "W1", slip: "C1")) }
            #expect(twice?.code == "slip-taken")
            let right = RightHarvest(slip: "C1")
            let corrected = try await refusal {
                try await village.change(BatchStore.correct(other, right, reason: "x", today: village.today))
            }
            #expect(corrected?.code == "slip-taken")
            let sold = try await refusal { try await village.sell(village.sale([line(other)], number: "S1")) }
            #expect(sold?.code == "sale-number-taken")
            // The year before has numbers of its own.
            let before = try CivilDay("2025-08-01")
            try await village.register(village.harvest(plot: "W1", day: before, slip: "C1"))
            // Two at one moment, each under another spelling.
            let outcomes = await withTaskGroup(of: String?.self) { group in
                for plot in ["E1", "W1"] {
                    group.addTask {
                        await (try? refusal { try await village.register(village.harvest(plot: plot, slip: "C9")) })??
                            .code
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == nil } == 1, "\(outcomes)")
            #expect(try await village.number("SELECT count(*) FROM batch WHERE slip = 'C9'") == 1)
        }
    }

    @Test func `a merged grade is the one that is meant`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.change(OrchardStore.addGrade(name: "特等"))
            let before = try await village.register(village.harvest(grade: "特等"))
            try await village.change(NameMerge.merge(.grade, from: "特等", to: "特级"))
            let after = try await village.register(village.harvest(grade: "特等"))
            let store = BatchStore(village.database)
            for number in [before.batch, after.batch] {
                #expect(try await store.show(number, village.committee).batch.grade == "特级")
            }
            let grades = "SELECT count(DISTINCT grade_id) FROM batch" as SQL
            #expect(try await village.number(grades) == 2)
            try await village.change(NameMerge.merge(.grade, from: "特级", to: "特等"))
            #expect(try await store.show(after.batch, village.committee).batch.grade == "特等")
            try await village.change(NameMerge.merge(.grade, from: "特等", to: "特级"))
            #expect(try await store.show(before.batch, village.committee).batch.grade == "特级")
            let clerk = try await refusal {
                try await village.change(
                    NameMerge.merge(.grade, from: "一级", to: "特级"), as: village.clerk(of: 1))
            }
            #expect(clerk?.kind == .forbidden)
        }
    }

    @Test func `merges at one moment leave neither circle nor chain`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            for round in 0..<8 {
                let names = ["甲\(round)", "乙\(round)", "丙\(round)"]
                for name in names { try await village.change(OrchardStore.addGrade(name: name)) }
                let pairs = round.isMultiple(of: 2) ? [(0, 1), (1, 0)] : [(0, 1), (1, 2)]
                await withTaskGroup { group in
                    for (from, to) in pairs {
                        group.addTask {
                            _ = try? await village.change(NameMerge.merge(.grade, from: names[from], to: names[to]))
                        }
                    }
                }
            }
            let chained =
                "SELECT count(*) FROM grade g JOIN grade m ON m.id = g.merged_into WHERE m.merged_into > 0" as SQL
            #expect(try await village.number(chained) == 0)
            #expect(try await village.number("SELECT count(*) FROM grade WHERE merged_into > 0") >= 8)
        }
    }
}
