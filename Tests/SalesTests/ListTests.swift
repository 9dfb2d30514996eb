import Batches
import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Sales

/// Lists are found by what is asked for, whatever else there is.
@Suite struct ListTests {
    private func line(_ batch: Int64, grams: Int64 = 100) throws -> NewSale.Line {
        NewSale.Line(batch: batch, weight: Weight(grams: grams), price: try Price(fen: 850, basis: .jin))
    }

    @Test func `a clerk's lists hold what is recorded under every spelling, newest first, in pages`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            var batches: [Int64] = []
            var sales: [Int64] = []
            for plot in ["E1", "W1", "W1", "E1", "W1"] {
                let batch = try await village.register(village.harvest(plot: plot)).batch
                batches.insert(batch, at: 0)
                sales.insert(try await village.sell(village.sale([line(batch)])).id.value, at: 0)
            }
            let both = village.clerk(of: orchard.west, spellings: [orchard.east])
            let (batchStore, saleStore) = (BatchStore(village.database), SaleStore(village.database))
            let firstBatches = try await batchStore.list(both, limit: 3).map(\.number.value)
            let otherBatches = try await batchStore.list(both, before: firstBatches[2]).map(\.number.value)
            #expect(firstBatches + otherBatches == batches)
            #expect(firstBatches.count == 3)
            let firstSales = try await saleStore.list(both, limit: 3).map(\.id.value)
            let otherSales = try await saleStore.list(both, before: firstSales[2]).map(\.id.value)
            #expect(firstSales + otherSales == sales)
            #expect(firstSales.count == 3)
            let east = village.clerk(of: orchard.east)
            #expect(try await batchStore.list(east).map(\.number.value) == [batches[1], batches[4]])
            #expect(try await saleStore.list(east).map(\.id.value) == [sales[1], sales[4]])
            #expect(try await saleStore.list(east, SaleFilter(batch: batches[0])).isEmpty)
        }
    }

    @Test func `a batch's sales are listed once each, and as the rest of the filter wants them`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest()).batch
            let twice = try await village.sell(village.sale([line(batch), line(batch)], number: "A1")).id.value
            let other = try await village.sell(village.sale([line(batch)], buyer: "李四")).id.value
            let store = SaleStore(village.database)
            func listed(_ filter: SaleFilter, before: Int64 = .max) async throws -> [Int64] {
                try await store.list(village.committee, before: before, filter).map(\.id.value)
            }
            #expect(try await listed(SaleFilter(batch: batch)) == [other, twice])
            #expect(try await listed(SaleFilter(batch: batch), before: other) == [twice])
            #expect(try await listed(SaleFilter(number: "A1", batch: batch)) == [twice])
            #expect(try await listed(SaleFilter(buyer: "李四", batch: batch)) == [other])
            #expect(try await listed(SaleFilter(from: village.today.adding(days: 1), batch: batch)).isEmpty)
        }
    }

    @Test func `a list reads no more than its page, however much others record`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let own = try await village.register(village.harvest(plot: "E1")).batch
            try await village.sell(village.sale([line(own)]))
            let others = try await village.register(village.harvest(plot: "W1", grams: 1_000_000)).batch
            let sale = try await village.sell(village.sale([line(others)])).id.value
            try await multiply(batch: others, sale: sale, by: 3000, village)
            _ = try await village.owner.query("ANALYZE batch, sale, sale_line")
            let clerk = village.clerk(of: orchard.east)
            let pages: [(SQL, Scope)] = [
                (clerk.newest("batch", by: "number", before: .max, where: "true", limit: 50), clerk),
                (SaleFilter().page(before: .max, limit: 50, clerk), clerk),
                (SaleFilter(batch: own).page(before: .max, limit: 50, clerk), clerk),
                (SaleFilter(batch: own).page(before: .max, limit: 50, village.committee), village.committee),
                (SaleFilter(batch: others).page(before: .max, limit: 50, village.committee), village.committee),
            ]
            for (page, scope) in pages {
                let plan = try await village.database.query("EXPLAIN (ANALYZE, TIMING OFF) \(page)", scope).map {
                    try $0.decode(0, as: String.self)
                }
                let rows = plan.flatMap { $0.matches(of: #/(?:actual rows=|Rows Removed by \w+: )(\d+)/#) }.compactMap {
                    Int($0.output.1)
                }
                #expect(!rows.isEmpty && rows.allSatisfy { $0 <= 51 }, "\(plan.joined(separator: "\n"))")
            }
        }
    }

    /// Copies a batch and one of its sales so many times.
    private func multiply(batch: Int64, sale: Int64, by count: Int, _ village: TestVillage) async throws {
        let (copies, id): (SQL, SQL) = ("generate_series(1, \(count)) n", "own_number('sale')")
        try await village.audited([
            """
            WITH made AS (
                INSERT INTO batch (village_id, number, cooperative_id, kind, plot_id, household_id, plot_period_id,
                    product_id, variety_id, grade_id, harvested_on, in_g)
                SELECT village_id, nextval('numbers.batch_1'), cooperative_id, kind, plot_id, household_id,
                    plot_period_id, product_id, variety_id, grade_id, harvested_on, 1
                FROM batch, \(copies) WHERE number = \(batch) RETURNING *
            ), moved AS (
                INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
                SELECT village_id, number, cooperative_id, 'harvest', in_g, harvested_on, 'test' FROM made
            )
            INSERT INTO code (village_id, batch_number, cooperative_id, key_id, issued_on, signature)
            SELECT m.village_id, m.number, m.cooperative_id, c.key_id, c.issued_on, c.signature
            FROM made m, code c WHERE c.batch_number = \(batch)
            """,
            "UPDATE plot_season SET harvested_g = harvested_g + \(count) WHERE plot_id = (SELECT plot_id FROM batch WHERE number = \(batch))",
            """
            WITH made AS (
                INSERT INTO sale (village_id, id, cooperative_id, sold_on, channel, buyer, actor)
                SELECT village_id, \(id), cooperative_id, sold_on, channel, buyer, 'test'
                FROM sale, \(copies) WHERE id = \(sale) RETURNING *
            ), lines AS (
                INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,
                    price_basis, basis_g, amount_fen)
                SELECT m.village_id, m.id, 1, m.cooperative_id, l.batch_number, l.grams, l.price_fen, l.price_basis,
                    l.basis_g, l.amount_fen
                FROM made m, sale_line l WHERE l.sale_id = \(sale) RETURNING *
            )
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, actor)
            SELECT village_id, batch_number, cooperative_id, 'sale', -grams, \(village.today), sale_id, 'test' FROM lines
            """,
            "UPDATE batch SET out_g = out_g + \(count) * 100 WHERE number = \(batch)",
        ])
    }
}
