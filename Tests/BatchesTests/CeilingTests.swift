import Batches
import Codes
import Database
import Kernel
import Orchard
import TestSupport
import Testing

/// What a plot may give in a season.
@Suite struct CeilingTests {
    private let ceiling = TestOrchard.peachCeiling.grams

    private func exception(
        _ village: TestVillage, grams: Int64, reason: String = "补种后丰收", plot: String = "E1", as scope: Scope? = nil
    ) async throws -> Weight {
        try await village.change(
            HarvestStore.override(
                plot: plot, season: village.today.year, extra: Weight(grams: grams), reason: reason), as: scope)
    }

    @Test func `all that a plot may give passes and a gram more does not`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.register(village.harvest(grams: ceiling - 1000))
            try await village.register(village.harvest(grams: 1000))
            let refused = try await refusal { try await village.register(village.harvest(grams: 1)) }
            #expect(refused?.code == "over-ceiling")
            #expect(refused?.kind == .conflict)
            #expect(refused?.field == "weight")
            #expect(
                refused?.message.zh
                    == "地块 E1 在 2026 年最多采收 25000 kg (50000 斤)，已登记 25000 kg (50000 斤)，再登记 0.001 kg (0.002 斤) 就超了；如属实，请村委会登记例外"
            )
            #expect(refused?.message.en.contains("ask the committee") == true)
            #expect(try await village.number("SELECT count(*) FROM batch") == 2)
        }
    }

    @Test func `seasons and plots are counted apart`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            for year in [2024, 2025] {
                let day = try #require(CivilDay(year: year, month: 12, day: 31))
                try await village.register(village.harvest(day: day, grams: ceiling))
            }
            try await village.register(village.harvest(grams: ceiling))
            try await village.register(village.harvest(plot: "W1", grams: ceiling))
            let refused = try await refusal { try await village.register(village.harvest(plot: "W1", grams: 1)) }
            #expect(refused?.code == "over-ceiling")
        }
    }

    @Test(arguments: [true, false])
    func `the committee's exception lets as much more pass`(beforeTheFirstHarvest: Bool) async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            if !beforeTheFirstHarvest { try await village.register(village.harvest(grams: 1000)) }
            #expect(try await exception(village, grams: 300).grams == ceiling + 300)
            #expect(try await exception(village, grams: 200).grams == ceiling + 500)
            if beforeTheFirstHarvest { try await village.register(village.harvest(grams: 1000)) }
            try await village.register(village.harvest(grams: ceiling - 500), as: village.clerk(of: orchard.east))
            let refused = try await refusal { try await village.register(village.harvest(grams: 1)) }
            #expect(refused?.code == "over-ceiling")
            #expect(try await village.number("SELECT count(*) FROM ceiling_override WHERE reason = '补种后丰收'") == 2)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'plot.override'") == 2)
        }
    }

    @Test func `an exception is the committee's and has a reason`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let byClerk = try await refusal { try await exception(village, grams: 1, as: clerk) }
            #expect(byClerk?.kind == .forbidden)
            for reason in ["", "  ", String(repeating: "因", count: 1001), String(repeating: "👨‍👩‍👧", count: 400)] {
                let refused = try await refusal { try await exception(village, grams: 1, reason: reason) }
                #expect(refused?.code == "reason-missing")
            }
            let unknown = try await refusal { try await exception(village, grams: 1, plot: "X9") }
            #expect(unknown?.code == "unknown-plot")
            #expect(try await village.number("SELECT count(*) FROM ceiling_override") == 0)
        }
    }

    @Test func `an exception while a harvest is being registered is not lost`() async throws {
        try await withVillage(poolSize: 8) { village in
            _ = try await village.plant()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask { _ = try await exception(village, grams: 100) }
                    group.addTask { try await village.register(village.harvest(grams: 1000)) }
                }
                try await group.waitForAll()
            }
            #expect(try await village.number("SELECT ceiling_g FROM plot_season") == ceiling + 1000)
        }
    }

    @Test func `an exception that comes before a prepared harvest is written counts at once`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let plan = CodeStore(village.database, keys: village.keys).register(
                village.harvest(grams: 1000), today: village.today)
            let scope = village.committee
            try await village.database.transaction(scope) { transaction in
                let change = try await plan(transaction, scope)
                _ = try await exception(village, grams: 100)
                _ = try await transaction.commit(change.statements(by: scope))
            }
            #expect(try await village.number("SELECT ceiling_g FROM plot_season") == ceiling + 100)
        }
    }

    @Test func `a plot measured anew may give what its new area gives`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.register(village.harvest(grams: ceiling))
            let header = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"
            _ = try await village.load(lines: [header, "E1,东园,东社,HE,蟠桃,11,,"], village.plotRegister())
            try await village.register(village.harvest(grams: ceiling / 10))
            let refused = try await refusal { try await village.register(village.harvest(grams: 1)) }
            #expect(refused?.code == "over-ceiling")
            _ = try await village.load(lines: [header, "E2,东园,东社,HE,红薯,1,,"], village.plotRegister())
            let small = village.harvest(plot: "E2", variety: "烟薯25", grams: 3_000_001)
            #expect(try await refusal { try await village.register(small) } != nil)
        }
    }

    @Test func `a plot measured smaller in mid-season gives no more than that`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.register(village.harvest(grams: 1000))
            let header = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"
            _ = try await village.load(lines: [header, "E1,东园,东社,HE,蟠桃,1,,"], village.plotRegister())
            let much = village.harvest(grams: ceiling / 10)
            let refused = try await refusal { try await village.register(much) }
            #expect(refused?.code == "over-ceiling")
        }
    }

    @Test func `a harvest may be as large as the area of its day lets it`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let header = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"
            let (june, july) = (try CivilDay("2025-06-01"), try CivilDay("2025-07-01"))
            _ = try await village.load(lines: [header, "E1,东园,东社,HE,蟠桃,1,,"], village.plotRegister(asOf: july))
            let tenth = ceiling / 10
            try await village.register(village.harvest(day: june, grams: tenth))
            let small = village.harvest(day: july, grams: 1)
            #expect(try await refusal { try await village.register(small) }?.code == "over-ceiling")
            try await village.register(village.harvest(day: june, grams: ceiling - tenth))
            let full = village.harvest(day: june, grams: 1)
            #expect(try await refusal { try await village.register(full) }?.code == "over-ceiling")
            // The season keeps the greatest: what was given stays within it.
            #expect(try await village.number("SELECT ceiling_g FROM plot_season") == ceiling)
        }
    }

    @Test func `a plot grows what it grew on the day`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let header = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"
            let turn = try CivilDay("2025-07-01")
            _ = try await village.load(lines: [header, "E1,东园,东社,HE,红薯,10,,"], village.plotRegister(asOf: turn))
            try await village.register(village.harvest(day: turn.adding(days: -1)))
            let late = village.harvest(day: turn)
            #expect(try await refusal { try await village.register(late) }?.code == "crop-mismatch")
            try await village.register(village.harvest(variety: "烟薯25", day: turn))
        }
    }

    @Test func `twenty registrations at once never pass the ceiling`() async throws {
        try await withVillage(poolSize: 16) { village in
            _ = try await village.plant()
            let share = ceiling / 8
            let outcomes = try await withThrowingTaskGroup(of: Refusal?.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await refusal { try await village.register(village.harvest(grams: share)) } }
                }
                var all: [Refusal?] = []
                for try await outcome in group { all.append(outcome) }
                return all
            }
            #expect(outcomes.filter { $0 == nil }.count == 8)
            #expect(Set(outcomes.compactMap { $0?.code }) == ["over-ceiling"])
            #expect(try await village.number("SELECT sum(in_g)::bigint FROM batch") == ceiling)
            #expect(try await village.number("SELECT count(*) FROM code") == 8)
        }
    }
}

@Suite struct WithdrawalTests {
    private func withdraw(
        _ village: TestVillage, _ kind: Withdrawal, batch: Int64, grams: Int64, day: CivilDay? = nil
    ) async throws -> Weight {
        try await village.change(
            BatchStore.withdraw(
                kind, batch: batch, weight: Weight(grams: grams), day: day ?? village.today, reason: "说明",
                today: village.today)
        ).stock
    }

    @Test func `every kind of withdrawal leaves its movement`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 1000)).batch
            var left: Int64 = 1000
            for (index, kind) in Withdrawal.allCases.enumerated() {
                let grams = Int64(index + 1) * 100
                left -= grams
                #expect(try await withdraw(village, kind, batch: batch, grams: grams).grams == left)
            }
            let shown = try await BatchStore(village.database).show(batch, village.committee)
            let movements = shown.movements
            #expect(shown.batch.stock.grams == left)
            #expect(movements.map(\.kind) == ["gift", "loss", "own_use", "harvest"])
            #expect(movements.map(\.grams) == [-300, -200, -100, 1000])
            #expect(movements.dropLast().map(\.reason) == ["说明", "说明", "说明"])
        }
    }

    @Test func `the last gram may leave and no more`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 1000)).batch
            let tooMuch = try await refusal { try await withdraw(village, .loss, batch: batch, grams: 1001) }
            #expect(tooMuch?.code == "not-enough-stock")
            #expect(try await withdraw(village, .loss, batch: batch, grams: 1000).grams == 0)
            let nothing = try await refusal { try await withdraw(village, .gift, batch: batch, grams: 1) }
            #expect(nothing?.code == "not-enough-stock")
        }
    }

    @Test func `withdrawals at once never take more than there is`() async throws {
        try await withVillage(poolSize: 16) { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 1000)).batch
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        try await refusal { try await withdraw(village, .loss, batch: batch, grams: 70) }?.code
                    }
                }
                var all: [String?] = []
                for try await code in group { all.append(code) }
                return all
            }
            #expect(codes.filter { $0 == nil }.count == 14)
            #expect(Set(codes.compactMap(\.self)) == ["not-enough-stock"])
            #expect(try await village.number("SELECT out_g FROM batch") == 980)
        }
    }

    @Test func `a withdrawal lies between the harvest and today`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let harvested = village.today.adding(days: -3)
            let batch = try await village.register(village.harvest(day: harvested)).batch
            for day in [harvested.adding(days: -1), village.today.adding(days: 1)] {
                let refused = try await refusal { try await withdraw(village, .loss, batch: batch, grams: 1, day: day) }
                #expect(refused?.code == "day-out-of-range")
            }
            for day in [harvested, village.today] {
                _ = try await withdraw(village, .loss, batch: batch, grams: 1, day: day)
            }
        }
    }

    @Test(arguments: [0, -5] as [Int64]) func `nothing and less than nothing can't leave`(grams: Int64) async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 1000)).batch
            await #expect(throws: (any Error).self) { try await withdraw(village, .loss, batch: batch, grams: grams) }
            #expect(try await village.number("SELECT out_g FROM batch") == 0)
        }
    }

    @Test func `a batch that is not there is not found`() async throws {
        try await withVillage { village in
            let refused = try await refusal { try await withdraw(village, .loss, batch: 99, grams: 1) }
            #expect(refused?.code == "unknown-batch")
            #expect(refused?.kind == .notFound)
        }
    }
}
