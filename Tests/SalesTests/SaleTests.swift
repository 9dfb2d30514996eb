import Batches
import Codes
import Database
import Kernel
import Postgres
import Sales
import TestSupport
import Testing

@Suite struct SaleTests {
    private func line(_ batch: Int64, grams: Int64, fen: Int64 = 850) throws -> NewSale.Line {
        NewSale.Line(batch: batch, weight: Weight(grams: grams), price: try Price(fen: fen, basis: .jin))
    }

    @Test func `a sale takes its grams out of the batch`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            let sale = try await village.sell(
                village.sale([line(batch, grams: 40_000), line(batch, grams: 500, fen: 1330)], number: "S1"),
                as: village.clerk(of: orchard.east))
            #expect(sale.total == Money(fen: 68_000 + 1330))
            let shown = try await BatchStore(village.database).show(batch, village.committee)
            #expect(shown.batch.stock.grams == 59_500)
            #expect(shown.movements.map(\.kind) == ["sale", "sale", "harvest"])
            #expect(shown.movements.dropLast().map(\.sale) == [sale.id.value, sale.id.value])
            let listed = try #require(try await SaleStore(village.database).list(village.committee).first)
            #expect(listed.number == "S1")
            #expect(listed.cooperative == TestOrchard.eastName)
            #expect(listed.channel == "批发")
            #expect(listed.buyer == "红旗批发")
            #expect(listed.paidHow == "现金")
            #expect(listed.lines.map(\.amount) == sale.lines.map(\.amount))
            #expect(listed.lines.map(\.product) == ["蟠桃", "蟠桃"])
        }
    }

    /// grams × price / basis, half up, with nothing but digits: as one does it on paper.
    private func onPaper(grams: Int64, fen: Int64, basis: Int64) -> Int64 {
        var remainder: Int64 = 0
        var quotient: Int64 = 0
        for digit in String(grams * fen) {
            remainder = remainder * 10 + Int64(digit.wholeNumberValue ?? 0)
            quotient = quotient * 10 + remainder / basis
            remainder %= basis
        }
        return quotient + (remainder >= basis - remainder ? 1 : 0)
    }

    @Test func `amounts are what they are on paper, in every basis`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 20_000_000)).batch
            var random = SystemRandomNumberGenerator()
            var halves = 0
            for _ in 0..<12 {
                let boxGrams = Int64.random(in: 1...9999, using: &random)
                let lines = try (0..<20).map { index in
                    let fen = Int64.random(in: 0...3000, using: &random)
                    switch index % 3 {
                    case 0:
                        return NewSale.Line(
                            batch: batch, weight: Weight(grams: .random(in: 1...20_000, using: &random)),
                            price: try Price(fen: fen, basis: .jin))
                    case 1:
                        return NewSale.Line(
                            batch: batch, weight: Weight(grams: .random(in: 1...20_000, using: &random)),
                            price: try Price(fen: fen, basis: .kilogram))
                    default:
                        return NewSale.Line(
                            batch: batch, weight: Weight(grams: boxGrams * .random(in: 1...3, using: &random)),
                            price: try Price(fen: fen, basis: .box, boxGrams: boxGrams))
                    }
                }
                // 250 g at an odd price a 斤 end in half a fen.
                let half = NewSale.Line(
                    batch: batch, weight: Weight(grams: 250), price: try Price(fen: 851, basis: .jin))
                let sale = try await village.sell(village.sale(lines + [half], confirmed: [.unusualPrice]))
                for line in sale.lines {
                    let expected = onPaper(
                        grams: line.weight.grams, fen: line.price.fen, basis: line.price.basisGrams)
                    #expect(line.amount.fen == expected, "\(line.weight.grams) g at \(line.price)")
                    if line.weight.grams * line.price.fen * 2 % (2 * line.price.basisGrams) == line.price.basisGrams {
                        halves += 1
                    }
                }
                #expect(sale.lines.last?.amount.fen == 426)
                let listed = try #require(try await SaleStore(village.database).list(village.committee).first)
                #expect(listed.lines.map(\.amount) == sale.lines.map(\.amount))
                #expect(listed.lines.map(\.price) == sale.lines.map(\.price))
            }
            #expect(halves >= 12)
        }
    }

    @Test func `broken boxes are refused`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest()).batch
            let price = try Price(fen: 6800, basis: .box, boxGrams: 2500)
            let sale = village.sale([NewSale.Line(batch: batch, weight: Weight(grams: 2501), price: price)])
            let refused = try await refusal { try await village.sell(sale) }
            #expect(refused?.code == "not-whole-boxes")
        }
    }

    @Test func `a sale is one cooperative's`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let east = try await village.register(village.harvest()).batch
            let west = try await village.register(village.harvest(plot: "W1")).batch
            let sale = village.sale([try line(east, grams: 1), try line(west, grams: 1)])
            let mixed = try await refusal { try await village.sell(sale) }
            #expect(mixed?.code == "several-cooperatives")
            #expect(mixed?.field == "lines[1].batch")
            let clerk = village.clerk(of: orchard.east)
            let foreign = try await refusal { try await village.sell(sale, as: clerk) }
            #expect(foreign?.kind == .notFound)
            #expect(foreign?.field == "lines[1].batch")
            let own = village.sale([try line(west, grams: 1)])
            let hidden = try await refusal { try await village.sell(own, as: clerk) }
            #expect(hidden?.kind == .notFound)
            try await village.sell(own)
            #expect(try await SaleStore(village.database).list(clerk).isEmpty)
            #expect(try await SaleStore(village.database).list(village.clerk(of: orchard.west)).count == 1)
        }
    }

    @Test func `no more is sold than there is`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 1000)).batch
            let alone = village.sale([try line(batch, grams: 1001)])
            let tooMuch = try await refusal { try await village.sell(alone) }
            #expect(tooMuch?.code == "not-enough-stock")
            #expect(tooMuch?.field == "lines[0].weight")
            let together = village.sale([try line(batch, grams: 600), try line(batch, grams: 401)])
            let sum = try await refusal { try await village.sell(together) }
            #expect(sum?.field == "lines[1].weight")
            try await village.sell(village.sale([line(batch, grams: 600), line(batch, grams: 400)]))
            let empty = village.sale([try line(batch, grams: 1)])
            let nothing = try await refusal { try await village.sell(empty) }
            #expect(nothing?.code == "not-enough-stock")
        }
    }

    @Test func `a thousand sales at once sell exactly the harvest`() async throws {
        try await withVillage(poolSize: 24) { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 700_000)).batch
            let sale = village.sale([try line(batch, grams: 1000)])
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<1000 {
                    group.addTask { try await refusal { try await village.sell(sale) }?.code }
                }
                var all: [String?] = []
                for try await code in group { all.append(code) }
                return all
            }
            #expect(codes.filter { $0 == nil }.count == 700)
            #expect(Set(codes.compactMap(\.self)) == ["not-enough-stock"])
            #expect(try await village.number("SELECT out_g FROM batch") == 700_000)
            #expect(try await village.number("SELECT count(*) FROM sale") == 700)
        }
    }

    @Test func `sales of two batches in opposite orders don't deadlock`() async throws {
        try await withVillage(poolSize: 16) { village in
            _ = try await village.plant()
            let first = try await village.register(village.harvest(grams: 100_000)).batch
            let second = try await village.register(village.harvest(grams: 100_000)).batch
            let orders = [
                village.sale([try line(first, grams: 500), try line(second, grams: 700)]),
                village.sale([try line(second, grams: 700), try line(first, grams: 500)]),
            ]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 { group.addTask { try await village.sell(orders[index % 2]) } }
                try await group.waitForAll()
            }
            #expect(try await village.number("SELECT out_g FROM batch WHERE number = \(first)") == 50_000)
            #expect(try await village.number("SELECT out_g FROM batch WHERE number = \(second)") == 70_000)
            let deadlocks = try await village.number(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = \(village.databaseName)")
            #expect(deadlocks == 0)
        }
    }

    @Test func `the day lies between harvest and today`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let harvested = village.today.adding(days: -2)
            let batch = try await village.register(village.harvest(day: harvested)).batch
            let lines = [try line(batch, grams: 1)]
            let (early, late) = (harvested.adding(days: -1), village.today.adding(days: 1))
            let before = try await refusal { try await village.sell(village.sale(lines, day: early)) }
            #expect(before?.code == "sold-before-harvest")
            let future = try await refusal { try await village.sell(village.sale(lines, day: late)) }
            #expect(future?.code == "sale-in-future")
            try await village.sell(village.sale(lines, day: harvested))
            try await village.sell(village.sale(lines))
        }
    }

    @Test func `a number is used once in a cooperative`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let east = try await village.register(village.harvest()).batch
            let west = try await village.register(village.harvest(plot: "W1")).batch
            let sale = village.sale([try line(east, grams: 1)], number: "S1")
            try await village.sell(sale)
            let again = try await refusal { try await village.sell(sale) }
            #expect(again?.code == "sale-number-taken")
            #expect(again?.field == "number")
            try await village.sell(village.sale([line(west, grams: 1)], number: "S1"))
            #expect(try await village.number("SELECT out_g FROM batch WHERE number = \(east)") == 1)
        }
    }

    @Test func `what a sale says has its limits`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest()).batch
            let one = try line(batch, grams: 1)
            let wrong: [(NewSale, String)] = [
                (village.sale([]), "lines"), (village.sale(Array(repeating: one, count: 101)), "lines"),
                (village.sale([one], channel: ""), "channel"),
                (village.sale([one], channel: String(repeating: "批", count: 41)), "channel"),
                (village.sale([one], buyer: " "), "buyer"), (village.sale([one], buyer: "a\nb"), "buyer"),
                (village.sale([one], number: ""), "number"), (village.sale([try line(99, grams: 1)]), "batch"),
            ]
            for (sale, field) in wrong {
                let refused = try await refusal { try await village.sell(sale) }
                #expect(refused?.field == field)
            }
            try await village.sell(village.sale(Array(repeating: one, count: 100)))
            for grams in [0, -5] as [Int64] {
                let sale = village.sale([try line(batch, grams: grams)])
                await #expect(throws: (any Error).self) { try await village.sell(sale) }
            }
            #expect(try await village.number("SELECT out_g FROM batch") == 100)
        }
    }

    @Test func `lists are the batch's or all, in pages`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let first = try await village.register(village.harvest()).batch
            let second = try await village.register(village.harvest()).batch
            var ids: [Int64] = []
            for index in 0..<6 {
                let sale = village.sale([try line(index % 2 == 0 ? first : second, grams: 1)])
                ids.insert(try await village.sell(sale).id.value, at: 0)
            }
            let store = SaleStore(village.database)
            let page = try await store.list(village.committee, limit: 4).map(\.id.value)
            let rest = try await store.list(village.committee, before: page[3]).map(\.id.value)
            #expect(page + rest == ids)
            #expect(
                try await store.list(village.committee, SaleFilter(batch: second)).map(\.id.value) == [
                    ids[0], ids[2], ids[4],
                ])
        }
    }
}
