import Batches
import Codes
import Database
import Kernel
import TestSupport
import Testing

/// Harvests and withdrawals that are put right.
@Suite struct CorrectionTests {
    private func correct(
        _ village: TestVillage, _ batch: Int64, grams: Int64? = nil, grade: String? = nil, slip: String? = nil,
        picker: String? = nil, reason: String = "多写了一个零", day: CivilDay? = nil, as scope: Scope? = nil
    ) async throws -> Batch {
        let right = RightHarvest(
            weight: grams.map { Weight(grams: $0) }, grade: grade, slip: slip, picker: picker)
        return try await village.change(
            BatchStore.correct(batch, right, reason: reason, day: day, today: village.today), as: scope)
    }

    private func take(_ village: TestVillage, _ batch: Int64, grams: Int64, _ kind: Withdrawal = .loss) async throws
        -> MovedStock
    {
        try await village.change(
            BatchStore.withdraw(
                kind, batch: batch, weight: Weight(grams: grams), day: village.today, reason: nil,
                today: village.today))
    }

    @Test func `a harvest's weight follows, without a loss, and its plot has room again`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let batch = try await village.register(village.harvest(grams: 23_500_000)).batch
            let other = village.harvest(grams: 3_000_000)
            #expect(try await refusal { try await village.register(other) }?.code == "over-ceiling")
            let corrected = try await correct(village, batch, grams: 2_350_000, as: clerk)
            #expect(corrected.weightIn.grams == 2_350_000 && corrected.stock.grams == 2_350_000)
            try await village.register(other)
            let shown = try await BatchStore(village.database).show(batch, clerk)
            #expect(shown.movements.map(\.kind) == ["correction", "harvest"])
            #expect(shown.movements.map(\.grams) == [-21_150_000, 23_500_000])
            let correction = try #require(shown.corrections.first)
            #expect(correction.before.weight.grams == 23_500_000 && correction.after.weight.grams == 2_350_000)
            #expect(correction.actor == clerk.actor && correction.reason == "多写了一个零" && correction.day == village.today)
            #expect(try await village.number("SELECT harvested_g FROM plot_season") == 5_350_000)
        }
    }

    @Test func `a harvest is corrected up to what its plot may give, as measured since`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 20_000_000)).batch
            let over = try await refusal { try await correct(village, batch, grams: 28_000_000) }
            #expect(over?.code == "over-ceiling")
            _ = try await village.load(
                lines: ["地块号,名称,合作社,户号,作物,面积亩,经度,纬度", "E1,E1,东社,HE,蟠桃,12,,"],
                village.plotRegister(asOf: village.today.adding(days: -100)))
            #expect(try await correct(village, batch, grams: 28_000_000).weightIn.grams == 28_000_000)
            #expect(try await village.number("SELECT ceiling_g FROM plot_season") == 30_000_000)
            let still = try await refusal { try await correct(village, batch, grams: 30_000_001) }
            #expect(still?.code == "over-ceiling" && still?.message.en.contains("at most 30000 kg") == true)
            try await village.change(
                HarvestStore.override(
                    plot: "Ｅ１", season: village.today.year, extra: Weight(grams: 1_000_000), reason: "实测"))
            #expect(try await correct(village, batch, grams: 31_000_000).weightIn.grams == 31_000_000)
        }
    }

    @Test func `what is dated in closed books is told through which day they are closed`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let day = village.today.adding(days: -3)
            let batch = try await village.register(village.harvest(day: day)).batch
            try await village.change(ClosedBooks.close(through: day, today: village.today))
            let withdrawal = BatchStore.withdraw(
                .loss, batch: batch, weight: Weight(grams: 1), day: day, reason: nil, today: village.today)
            for (refusal, field) in [
                (try await refusal { try await village.register(village.harvest(day: day)) }, "harvestedOn"),
                (try await refusal { try await village.change(withdrawal) }, "day"),
            ] {
                #expect(refusal?.code == "books-closed" && refusal?.field == field)
                #expect(refusal?.message.zh.contains("账已结到 \(day)") == true)
            }
        }
    }

    @Test func `grade, slip and picker are put right, and each state stays visible`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest()).batch
            let other = try await village.register(village.harvest(slip: "C2")).batch
            let first = try await correct(village, batch, grade: "一级", slip: " C1 ", picker: "李四")
            #expect(first.grade == "一级" && first.slip == "C1" && first.picker == "李四")
            #expect(try await refusal { try await correct(village, batch, slip: "C1") }?.code == "nothing-changes")
            #expect(try await refusal { try await correct(village, batch, slip: "C2") }?.code == "slip-taken")
            #expect(try await refusal { try await correct(village, batch, grade: "超级") }?.code == "unknown-grade")
            #expect(
                try await refusal { try await correct(village, batch, slip: "C3", reason: " ") }?.code
                    == "reason-missing")
            _ = try await correct(village, other, slip: "C4")
            _ = try await correct(village, batch, grams: 90_000, slip: "C2")
            let corrections = try await BatchStore(village.database).show(batch, village.committee).corrections
            #expect(corrections.map(\.before.slip) == [nil, "C1"] && corrections.map(\.after.slip) == ["C1", "C2"])
            #expect(corrections.map(\.before.grade) == ["特级", "一级"])
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'batch.correct'") == 3)
        }
    }

    @Test func `a weight is never corrected below what has left, nor over the ceiling`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            _ = try await take(village, batch, grams: 40_000)
            let low = try await refusal { try await correct(village, batch, grams: 39_999) }
            #expect(low?.code == "less-than-left")
            #expect(low?.message.en.hasPrefix("40 kg (80 斤) have left batch \(batch)") == true)
            let high = TestOrchard.peachCeiling.grams
            #expect(try await refusal { try await correct(village, batch, grams: high + 1) }?.code == "over-ceiling")
            let west = village.clerk(of: orchard.west)
            #expect(try await refusal { try await correct(village, batch, grams: 50_000, as: west) }?.kind == .notFound)
            #expect(try await correct(village, batch, grams: 40_000).stock.grams == 0)
            #expect(try await correct(village, batch, grams: high).weightIn.grams == high)
            try await village.audited(["UPDATE batch SET labelled_g = 50000 WHERE number = \(batch)"])
            let labelled = try await refusal { try await correct(village, batch, grams: 49_999) }
            #expect(labelled?.code == "less-than-labelled")
        }
    }

    @Test func `the same correction twice at once is made once`() async throws {
        try await withVillage(poolSize: 8) { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 12_500_000)).batch
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await refusal { try await correct(village, batch, grams: 1_250_000) }?.code }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1)
            #expect(Set(codes.compactMap(\.self)).isSubset(of: ["nothing-changes", "changed-meanwhile"]))
            #expect(try await village.number("SELECT in_g FROM batch") == 1_250_000)
            #expect(try await village.number("SELECT count(*) FROM batch_correction") == 1)
        }
    }

    @Test func `a correction while the batch is being sold leaves nothing oversold`() async throws {
        try await withVillage(poolSize: 12) { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            let sale = village.sale([
                .init(batch: batch, weight: Weight(grams: 5000), price: try Price(fen: 850, basis: .jin))
            ])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<20 {
                    group.addTask { _ = try await refusal { try await village.sell(sale) } }
                    if index % 4 == 0 {
                        group.addTask {
                            let grams = 50_000 + Int64(index) * 1000
                            let refused = try await refusal { try await correct(village, batch, grams: grams) }
                            #expect(
                                refused == nil
                                    || ["less-than-left", "nothing-changes", "changed-meanwhile"].contains(
                                        refused?.code)
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await village.number("SELECT in_g - out_g FROM batch") >= 0)
        }
    }

    @Test func `a harvest that never was is void, its code revoked and its slip free`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 100_000, slip: "C1"))
            let void = CodeStore.void(batch: code.batch, reason: "重复登记", today: village.today)
            let taken = try await take(village, code.batch, grams: 1000)
            let refused = try await refusal { try await village.change(void) }
            #expect(refused?.code == "not-voidable" && refused?.message.zh.contains("1 kg") == true)
            try await village.change(
                BatchStore.undo(withdrawal: taken.movement, reason: "没有损耗", today: village.today))
            try await village.change(void)
            #expect(try await village.verification.verify(code.payload).answer == .revoked)
            #expect(try await refusal { try await village.change(void) }?.code == "batch-void")
            #expect(try await refusal { try await correct(village, code.batch, grams: 5) }?.code == "batch-void")
            #expect(try await refusal { _ = try await take(village, code.batch, grams: 1) }?.code == "batch-void")
            let line = try Price(fen: 850, basis: .jin)
            let sold = village.sale([.init(batch: code.batch, weight: Weight(grams: 1), price: line)])
            #expect(try await refusal { try await village.sell(sold) }?.code == "batch-void")
            try await village.register(village.harvest(grams: TestOrchard.peachCeiling.grams, slip: "C1"))
            let shown = try await BatchStore(village.database).show(code.batch, village.committee)
            #expect(shown.batch.isVoid && shown.batch.weightIn.grams == 0)
            #expect(shown.corrections.first?.before.weight.grams == 100_000)
        }
    }

    @Test func `a withdrawal is undone once`() async throws {
        try await withVillage(poolSize: 8) { village in
            let orchard = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            let taken = try await take(village, batch, grams: 30_000, .gift)
            let undo = BatchStore.undo(withdrawal: taken.movement, reason: "没有送出", today: village.today)
            let west = village.clerk(of: orchard.west)
            #expect(try await refusal { try await village.change(undo, as: west) }?.code == "unknown-withdrawal")
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<8 { group.addTask { try await refusal { try await village.change(undo) }?.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1 && Set(codes.compactMap(\.self)) == ["undone-already"])
            let movements = try await BatchStore(village.database).show(batch, village.committee).movements
            #expect(movements.map(\.kind) == ["undo", "gift", "harvest"])
            #expect(movements[0].undoes == taken.movement && movements[1].undoneBy == movements[0].number)
            let harvest = try #require(movements.last).number
            let wrong = BatchStore.undo(withdrawal: harvest, reason: "x", today: village.today)
            #expect(try await refusal { try await village.change(wrong) }?.code == "unknown-withdrawal")
        }
    }

    @Test func `nothing is put right in a closed period, and later it is dated after it`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let (today, past) = (village.today, village.today.adding(days: -10))
            let batch = try await village.register(village.harvest(day: past, grams: 100_000)).batch
            try await village.change(ClosedBooks.close(through: today.adding(days: -5), today: today))
            let closed = try await refusal { try await correct(village, batch, grams: 90_000, day: past) }
            #expect(closed?.code == "books-closed" && closed?.message.en.contains("\(today.adding(days: -5))") == true)
            let early = try await refusal {
                try await correct(village, batch, grams: 90_000, day: past.adding(days: -1))
            }
            #expect(early?.code == "day-out-of-range")
            let late = try await refusal {
                try await correct(village, batch, grams: 90_000, day: today.adding(days: 1))
            }
            #expect(late?.code == "day-out-of-range")
            _ = try await correct(village, batch, grams: 90_000, day: today.adding(days: -4))
            _ = try await correct(village, batch, grams: 80_000)
            let days = try await BatchStore(village.database).show(batch, village.committee).corrections.map(\.day)
            #expect(days == [today.adding(days: -4), today])
        }
    }

    @Test func `movements come in pages, newest first, and none is left out`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 1_000_000)).batch
            for _ in 0..<30 { _ = try await take(village, batch, grams: 1000) }
            let store = BatchStore(village.database)
            var (sum, before, pages) = (Int64(0), Int64.max, 0)
            while true {
                let page = try await store.show(batch, village.committee, before: before, limit: 10)
                sum += page.movements.reduce(0) { $0 + $1.grams }
                #expect(page.movements.map(\.number) == page.movements.map(\.number).sorted(by: >))
                pages += 1
                #expect(page.older == max(0, 31 - 10 * pages))
                guard page.older > 0, let last = page.movements.last else { break }
                before = last.number
            }
            #expect(pages == 4 && sum == 970_000)
        }
    }
}
