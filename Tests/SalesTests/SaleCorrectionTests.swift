import Batches
import Codes
import Database
import Income
import Kernel
import Sales
import TestSupport
import Testing

/// Sales that are put right.
@Suite struct SaleCorrectionTests {
    private func line(_ batch: Int64, grams: Int64, fen: Int64 = 850) throws -> NewSale.Line {
        NewSale.Line(batch: batch, weight: Weight(grams: grams), price: try Price(fen: fen, basis: .jin))
    }

    private func reverse(_ village: TestVillage, _ sale: Sale, line: Int? = nil, as scope: Scope? = nil) async throws
        -> [SaleCorrection]
    {
        try await village.change(
            SaleStore.reverse(sale.id.value, line: line, reason: "应为 50 公斤", today: village.today), as: scope)
    }

    private func takeBack(
        _ village: TestVillage, _ sale: Sale, grams: Int64, fen: Int64, _ goods: SaleCorrection.Goods = .back,
        line: Int = 1, day: CivilDay? = nil
    ) async throws -> SaleCorrection {
        try await village.change(
            SaleStore.takeBack(
                Weight(grams: grams), goods: goods, refund: Money(fen: fen), of: sale.id.value, line: line,
                reason: "压坏", day: day, today: village.today))
    }

    private func income(_ village: TestVillage, on day: CivilDay) async throws -> Int64 {
        try await IncomeRowStore(village.database).summary(from: day, to: day, by: [], village.committee).total.fen
    }

    @Test func `a sale of too much is reversed and recorded anew under its number`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let batch = try await village.register(village.harvest(grams: 1_000_000)).batch
            let wrong = try await village.sell(village.sale([line(batch, grams: 500_000)], number: "S1"), as: clerk)
            let right = [try line(batch, grams: 50_000)]
            let early = try await refusal { try await village.sell(village.sale(right, replaces: wrong.id.value)) }
            #expect(early?.code == "not-reversed")
            let made = try await reverse(village, wrong, as: clerk)
            #expect(made.map(\.weight.grams) == [500_000] && made.map(\.refund.fen) == [850_000])
            let renamed = try await refusal {
                try await village.sell(village.sale(right, number: "S2", replaces: wrong.id.value))
            }
            #expect(renamed?.code == "another-number")
            let sale = try await village.sell(village.sale(right, replaces: wrong.id.value), as: clerk)
            #expect(sale.number == "S1")
            let again = try await refusal { try await village.sell(village.sale(right, replaces: wrong.id.value)) }
            #expect(again?.code == "replaced-already")
            let shown = try await BatchStore(village.database).show(batch, clerk)
            #expect(shown.batch.stock.grams == 950_000)
            #expect(shown.movements.map(\.kind) == ["sale", "return", "sale", "harvest"])
            #expect(try await income(village, on: village.today) == 85_000)
            let store = SaleStore(village.database)
            let (old, corrections) = try await store.show(wrong.id.value, clerk)
            #expect(old.replacedBy == sale.id.value && old.lines[0].isReversed && old.refunded.fen == 850_000)
            #expect(corrections.first?.actor == clerk.actor && corrections.first?.reason == "应为 50 公斤")
            #expect(try await store.list(clerk, SaleFilter(number: " Ｓ１")).map(\.id) == [sale.id, wrong.id])
            let west = village.clerk(of: orchard.west)
            #expect(try await refusal { try await store.show(wrong.id.value, west) }?.kind == .notFound)
            #expect(try await refusal { try await reverse(village, sale, as: west) }?.kind == .notFound)
        }
    }

    @Test func `a line is reversed alone, and what came back of it before comes back once`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let first = try await village.register(village.harvest(grams: 100_000)).batch
            let second = try await village.register(village.harvest(grams: 100_000)).batch
            let sale = try await village.sell(
                village.sale([line(second, grams: 10_000), line(first, grams: 20_000)], number: "S1"))
            _ = try await takeBack(village, sale, grams: 4000, fen: 5000, line: 2)
            let made = try await reverse(village, sale, line: 2)
            #expect(made.map(\.weight.grams) == [16_000] && made.map(\.refund.fen) == [29_000])
            #expect(try await refusal { try await reverse(village, sale, line: 2) }?.code == "reversed-already")
            #expect(try await refusal { try await reverse(village, sale, line: 3) }?.code == "unknown-line")
            #expect(try await village.number("SELECT out_g FROM batch WHERE number = \(first)") == 0)
            #expect(try await village.number("SELECT out_g FROM batch WHERE number = \(second)") == 10_000)
            #expect(try await reverse(village, sale).map(\.line) == [1])
            #expect(try await refusal { try await reverse(village, sale) }?.code == "reversed-already")
            #expect(try await income(village, on: village.today) == 0)
        }
    }

    @Test func `goods come back, are scrapped or regraded, and their buyer is paid for them`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            let yesterday = village.today
            let sale = try await village.sell(village.sale([line(batch, grams: 20_000)]))
            village.clock.set(village.today.adding(days: 1), hour: 9, seconds: 0)
            for (goods, stock) in [(.back, 85_000), (.scrapped, 85_000), (.regraded, 90_000)]
                as [(SaleCorrection.Goods, Int64)]
            {
                _ = try await takeBack(village, sale, grams: 5000, fen: 4250, goods)
                let shown = try await BatchStore(village.database).show(batch, village.committee).batch
                #expect(shown.stock.grams == stock, "\(goods)")
            }
            #expect(try await income(village, on: yesterday) == 34_000)
            #expect(try await income(village, on: village.today) == -12_750)
            let tooMuch = try await refusal { try await takeBack(village, sale, grams: 5001, fen: 0) }
            #expect(tooMuch?.code == "more-than-sold" && tooMuch?.message.en.contains("15 kg") == true)
            let tooDear = try await refusal { try await takeBack(village, sale, grams: 1, fen: 21_251) }
            #expect(tooDear?.code == "more-than-paid")
            let early = try await refusal {
                try await takeBack(village, sale, grams: 1, fen: 0, day: yesterday.adding(days: -1))
            }
            #expect(early?.code == "day-out-of-range")
            let rows = try await village.owner.query(
                "SELECT kind, number, line, amount_fen FROM income_row WHERE kind = 'return' ORDER BY day")
            #expect(try rows.map { try $0.decode("amount_fen", as: Int64.self) } == [-12_750])
            let grams = try await village.number("SELECT sum(grams)::bigint FROM stock_movement WHERE kind = 'loss'")
            #expect(grams == -5000)
        }
    }

    @Test(arguments: ["reverse", "return"]) func `ten at once take back what there is and no more`(what: String)
        async throws
    {
        try await withVillage(poolSize: 10) { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            let sale = try await village.sell(village.sale([line(batch, grams: 20_000), line(batch, grams: 10_000)]))
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await refusal {
                            if what == "reverse" {
                                _ = try await reverse(village, sale)
                            } else {
                                _ = try await takeBack(village, sale, grams: 5000, fen: 8500)
                            }
                        }?.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == (what == "reverse" ? 1 : 4))
            #expect(
                Set(codes.compactMap(\.self)).isSubset(of: ["reversed-already", "more-than-sold", "more-than-paid"]))
            #expect(try await village.number("SELECT out_g FROM batch") == (what == "reverse" ? 0 : 10_000))
        }
    }

    @Test func `returns and a reversal at once give each gram and each fen back once`() async throws {
        try await withVillage(poolSize: 10) { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            for _ in 0..<5 {
                let sale = try await village.sell(village.sale([line(batch, grams: 20_000)]))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 {
                        group.addTask {
                            _ = try await refusal { try await takeBack(village, sale, grams: 1000, fen: 900) }
                        }
                    }
                    group.addTask {
                        let refused = try await refusal { try await reverse(village, sale) }
                        #expect(refused == nil)
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await village.number("SELECT out_g FROM batch") == 0)
        }
    }

    @Test func `a correction of a closed period is dated after it`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let (today, past) = (village.today, village.today.adding(days: -3))
            let batch = try await village.register(village.harvest(day: past, grams: 100_000)).batch
            let sale = try await village.sell(village.sale([line(batch, grams: 20_000)], day: past))
            try await village.change(ClosedBooks.close(through: past, today: today))
            let closed = try await refusal { try await takeBack(village, sale, grams: 1000, fen: 1, day: past) }
            #expect(closed?.code == "books-closed")
            let direct = try await postgresError {
                try await village.database.transaction(village.committee) {
                    try await $0.query(
                        """
                        INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,
                            price_basis, basis_g, amount_fen)
                        SELECT village_id, sale_id, 9, cooperative_id, batch_number, grams, price_fen, price_basis, basis_g,
                            amount_fen
                        FROM sale_line
                        """)
                }
            }
            #expect(direct?.constraint == ClosedBooks.constraint)
            _ = try await reverse(village, sale)
            #expect(try await income(village, on: past) == 34_000)
            #expect(try await income(village, on: today) == -34_000)
            let summary = try await IncomeRowStore(village.database).summary(
                from: today, to: today, by: [], village.committee)
            #expect(summary.earlier.fen == -34_000)
        }
    }

    @Test func `closing the books while sales are reversed leaves nothing dated before it`() async throws {
        try await withVillage(poolSize: 8) { village in
            _ = try await village.plant()
            let (today, past) = (village.today, village.today.adding(days: -1))
            let batch = try await village.register(village.harvest(day: past, grams: 100_000)).batch
            var sales: [Sale] = []
            for _ in 0..<12 {
                sales.append(try await village.sell(village.sale([line(batch, grams: 1000)], day: past)))
            }
            let all = sales
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, sale) in all.enumerated() {
                    group.addTask {
                        let plan = SaleStore.reverse(sale.id.value, reason: "x", day: past, today: today)
                        let refused = try await refusal { try await village.change(plan) }
                        #expect(refused == nil || refused?.code == "books-closed")
                    }
                    if index == 5 {
                        group.addTask { _ = try await village.change(ClosedBooks.close(through: past, today: today)) }
                    }
                }
                try await group.waitForAll()
            }
            let late = try await village.number(
                "SELECT count(*) FROM sale_correction k, books_closing c WHERE k.at > c.at AND k.day <= c.through")
            #expect(late == 0)
        }
    }

    @Test func `of two batches the one that lacks is named, with what it has`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let first = try await village.register(village.harvest(grams: 500_000)).batch
            let second = try await village.register(village.harvest(grams: 10_000)).batch
            let both = SaleStore.record(
                village.sale([try line(first, grams: 5000), try line(second, grams: 8000)]), today: village.today)
            let other = village.sale([try line(second, grams: 7000)])
            let refused = try await refusal {
                try await village.change { transaction, scope in
                    let change = try await both(transaction, scope)
                    // Somebody else takes of the second batch between the look and the writes.
                    if try await village.number("SELECT out_g FROM batch WHERE number = \(second)") == 0 {
                        try await village.sell(other)
                    }
                    return change
                }
            }
            #expect(refused?.code == "not-enough-stock" && refused?.field == "lines[1].weight")
            #expect(refused?.message.en == "batch \(second) has 3 kg (6 斤) left, not 8 kg (16 斤)")
        }
    }

    @Test func `a register that comes again after corrections counts nothing twice`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let harvests = [
                "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤,采收人", "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100,张三",
                "C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,200,张三", "C3,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,300,张三",
            ]
            let sales = [
                "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式", "2025-08-04,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金",
                "2025-08-04,S2,东社,C1,蟠桃,20,8.5,170,批发,王老板,现金",
            ]
            _ = try await village.load(lines: harvests, village.harvestRegister())
            _ = try await village.load(lines: sales, SaleRegister(today: village.today))
            let numbers = try await village.owner.query("SELECT number FROM batch ORDER BY slip").map {
                try $0.decode("number", as: Int64.self)
            }
            let weight = RightHarvest(weight: Weight(grams: 40_000))
            try await village.change(BatchStore.correct(numbers[0], weight, reason: "x", today: village.today))
            let slip = RightHarvest(slip: "C9")
            try await village.change(BatchStore.correct(numbers[1], slip, reason: "x", today: village.today))
            try await village.change(CodeStore.void(batch: numbers[2], reason: "x", today: village.today))
            let old = try #require(try await SaleStore(village.database).list(village.committee).first)
            _ = try await reverse(village, old)
            let day = CivilDay(daysSince2020: 2042)
            try await village.sell(
                village.sale([line(numbers[0], grams: 1000)], day: day, replaces: old.id.value))
            for _ in 0..<2 {
                let again = try await village.load(lines: harvests, village.harvestRegister())
                #expect([again.recorded, again.already, again.refusedCount] == [0, 3, 0])
                let sold = try await village.load(lines: sales, SaleRegister(today: village.today))
                #expect([sold.recorded, sold.already, sold.refusedCount] == [0, 2, 0])
            }
            let corrected = [
                harvests[0], "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,80,张三", "C3,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,310,张三",
            ]
            let report = try await village.load(lines: corrected, village.harvestRegister())
            #expect([report.recorded, report.already, report.refusedCount] == [1, 1, 0])
        }
    }
}
