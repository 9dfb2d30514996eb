import Batches
import Database
import Kernel
import Sales
import TestSupport
import Testing

@testable import Tours

/// What a group picked, recorded wrongly and put right.
@Suite struct PickingReversalTests {
    private struct Ground {
        let village: TestVillage
        let booking: Booking
        let east: Int64
        let west: Int64

        init(_ village: TestVillage) async throws {
            self.village = village
            _ = try await village.plant()
            east = try await village.register(village.harvest(plot: "E1", grams: 10_000)).batch
            west = try await village.register(village.harvest(plot: "W1", grams: 10_000)).batch
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme)
            booking = try await village.book(
                village.group(session, extras: [WantedExtra(extra: programme.picking, quantity: 10)]), as: .confirmed)
            village.clock.set(village.today.adding(days: 7), hour: 12)
        }

        func pick(_ lines: (batch: Int64, grams: Int64)...) async throws -> Booking {
            try await village.change(
                BookingStore.pick(
                    .number(booking.id.value),
                    .init(lines: lines.map { .init(batch: $0.batch, weight: Weight(grams: $0.grams)) }),
                    now: village.clock.now))
        }

        func reverse(_ sale: Int64, line: Int? = nil) async throws {
            try await village.change(SaleStore.reverse(sale, line: line, reason: "记错了", today: village.today))
        }

        /// The sales that settle the booking's one extra, and whether it can be settled.
        func stands() async throws -> (sales: [Int64], isOpen: Bool) {
            let extras = try await village.booking(booking).extras
            #expect(extras.count == 1)
            return (extras[0].sales, extras[0].isOpen)
        }

        func refused() async throws -> String? {
            try await refusal { _ = try await pick((east, 500)) }?.code
        }

        /// Fen of sales to groups that picked.
        func income() async throws -> Int64 {
            try await village.number("SELECT coalesce(sum(amount_fen), 0)::bigint FROM income_row WHERE channel = '采摘'")
        }
    }

    @Test func `a sale that is reversed gives back what it settled`() async throws {
        try await withVillage { village in
            let ground = try await Ground(village)
            let wrong = try #require(try await ground.pick((ground.east, 6_000)).extras.first?.sales.first)
            #expect(try await ground.refused() == "no-picking")
            try await ground.reverse(wrong)
            #expect(try await ground.stands() == ([], true))
            // The extra is there for the right sale, not to be booked away.
            let changed = try await refusal {
                var change = BookingChange()
                change.extras = []
                let wanted = change
                return try await village.change(
                    BookingStore.change(.number(ground.booking.id.value), wanted, now: village.clock.now))
            }
            #expect(changed?.code == "picked-already")
            let right = try #require(try await ground.pick((ground.west, 5_000)).extras.first?.sales.first)
            #expect(right != wrong)
            #expect(try await ground.stands() == ([right], false))
            #expect(try await ground.refused() == "no-picking")
            #expect(try await ground.income() == 10 * 1200)
            #expect(
                try await BatchStore(village.database).show(ground.east, village.committee).batch.stock.grams == 10_000)
        }
    }

    @Test func `a sale that is recorded anew by itself settles what the first did`() async throws {
        try await withVillage { village in
            let ground = try await Ground(village)
            let wrong = try #require(try await ground.pick((ground.east, 6_000)).extras.first?.sales.first)
            try await ground.reverse(wrong)
            let line = NewSale.Line(
                batch: ground.east, weight: Weight(grams: 5_000), price: try Price(fen: 1200, basis: .jin))
            let right = try await village.sell(
                village.sale([line], replaces: wrong, confirmed: [.newChannel])
            ).id.value
            #expect(try await ground.stands() == ([right], false))
            #expect(try await ground.refused() == "no-picking")
            try await ground.reverse(right)
            #expect(try await ground.stands() == ([], true))
        }
    }

    @Test func `of several cooperatives' sales each can be reversed and recorded again`() async throws {
        try await withVillage { village in
            let ground = try await Ground(village)
            let sales = try await ground.pick((ground.east, 2_000), (ground.west, 3_000)).extras[0].sales
            #expect(sales.count == 2)
            try await ground.reverse(sales[0])
            #expect(try await ground.stands() == ([sales[1]], true))
            let third = try await ground.pick((ground.east, 1_000)).extras[0].sales
            #expect(third.count == 2 && third.contains(sales[1]) && !third.contains(sales[0]))
            #expect(try await ground.stands() == (third, false))
            #expect(try await ground.refused() == "no-picking")
            #expect(try await ground.income() == 2 * 1200 + 6 * 1200)
            // The other one later.
            try await ground.reverse(sales[1])
            #expect(try await ground.stands().isOpen)
            let last = try await ground.pick((ground.west, 500)).extras[0].sales
            #expect(try await ground.stands() == (last, false))
            #expect(try await ground.income() == 2 * 1200 + 1200)
        }
    }

    @Test func `one line that is reversed is recorded again beside the rest of its sale`() async throws {
        try await withVillage { village in
            let ground = try await Ground(village)
            let second = try await village.register(village.harvest(plot: "E1", grams: 10_000)).batch
            let sale = try await ground.pick((ground.east, 2_000), (second, 1_000)).extras[0].sales[0]
            try await ground.reverse(sale, line: 2)
            #expect(try await ground.stands() == ([sale], true))
            let both = try await ground.pick((ground.east, 1_000)).extras[0].sales
            #expect(both.count == 2 && both.first == sale)
            #expect(try await ground.stands() == (both, false))
            #expect(try await ground.income() == 6 * 1200)
        }
    }
}
