import Batches
import Kernel
import Postgres
import Sales
import TestSupport
import Testing

/// Counters of corrections are the sums of their rows, whoever writes them.
@Suite struct CounterTests {
    @Test(
        arguments: [
            ("UPDATE batch SET in_g = in_g + 1", "batch_in_summed"),
            (
                """
                INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
                SELECT village_id, number, cooperative_id, 'correction', 1, harvested_on, 'x' FROM batch
                """, "batch_in_summed"
            ),
            ("UPDATE sale_line SET returned_g = returned_g + 1", "sale_line_summed"),
            ("UPDATE sale_line SET refunded_fen = refunded_fen - 1", "sale_line_summed"),
        ] as [(SQL, String)]) func `what the service writes beside them is refused`(statement: SQL, constraint: String)
        async throws
    {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest()).batch
            try await village.change(
                BatchStore.correct(
                    batch, RightHarvest(weight: Weight(grams: 90_000)), reason: "过秤重", today: village.today))
            let line = NewSale.Line(
                batch: batch, weight: Weight(grams: 5000), price: try Price(fen: 850, basis: .jin))
            let sale = try await village.sell(village.sale([line]))
            try await village.change(
                SaleStore.takeBack(
                    Weight(grams: 500), goods: .back, refund: Money(fen: 850), of: sale.id.value, line: 1, reason: "坏",
                    today: village.today))
            let error = try await postgresError {
                try await village.database.transaction(village.committee) { try await $0.query(statement) }
            }
            #expect(error?.constraint == constraint)
        }
    }
}
