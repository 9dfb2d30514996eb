import Batches
import Database
import Foundation
import Kernel
import Sales
import TestSupport
import Testing

@testable import Tours

/// What a booking costs, what is paid and goes back, and what of it is income.
@Suite struct PaymentTests {
    @Test func `a deposit is no income before the visit, and the whole fee is after it`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            let deposit = try await village.change(
                PaymentStore.pay(key, Money(fen: 20_000), how: "微信", now: village.clock.now))
            #expect(deposit.payment == .deposit && deposit.state == .confirmed)
            #expect(try await village.tourIncome() == 0)
            let tooMuch = try await refusal {
                try await village.change(PaymentStore.pay(key, Money(fen: 60_001), how: "微信", now: village.clock.now))
            }
            #expect(tooMuch?.code == "more-than-fee")
            let paid = try await village.change(
                PaymentStore.pay(key, Money(fen: 60_000), how: "现金", now: village.clock.now))
            #expect(paid.payment == .paid)
            #expect(try await village.tourIncome() == 0)
            village.clock.set(village.today.adding(days: 7), hour: 12)
            try await village.change(BookingStore.complete(key, arrived: 8, now: village.clock.now))
            #expect(try await village.tourIncome() == 80_000)
            let days = try await village.owner.query("SELECT day FROM income_row").map {
                try $0.decode("day", as: CivilDay.self)
            }
            #expect(days == [village.today])
            let payments = try await BookingStore(village.database).show(key, village.committee).payments
            #expect(payments.map(\.amount.fen) == [20_000, 60_000] && payments.map(\.paidHow) == ["微信", "现金"])
        }
    }

    private func stranger(_ booking: Booking) -> BookingKey { .stranger(booking.reference, phone: "13812345678") }

    /// Two sessions with a meal each: 80 yuan and 30 yuan a head, of which the late fee is 33 per cent.
    @Test func `a late cancellation keeps its part of each session that is near`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(lateFeePercent: 33)
            let near = try await village.tourSession(programme)
            let far = try await village.tourSession(programme, day: village.today.adding(days: 20))
            let extras = [near, far].map { WantedExtra(extra: programme.meal, quantity: 3, session: $0) }
            let new = village.group(near, far, headcount: 7, extras: extras)
            let early = try await village.book(new, as: .confirmed)
            let late = try await village.book(new, as: .confirmed)
            let waived = try await village.book(new, as: .confirmed)
            let unconfirmed = try await village.book(new, as: .held)
            try await village.change(
                BookingStore.hold(.number(unconfirmed.id.value), minutes: 100_000, now: village.clock.now))
            // The last second of the 48 hours, in which it is free, and the next.
            village.clock.set(village.today.adding(days: 5), hour: 9)
            let free = try await village.change(BookingStore.cancel(stranger(early), now: village.clock.now))
            #expect(free.kept == .zero)
            village.clock.advance(seconds: 1)
            let kept = try await village.change(BookingStore.cancel(stranger(late), now: village.clock.now))
            // 33 per cent of 56,000 + 9,000.
            #expect(kept.kept.fen == 21_450 && kept.lines.map(\.kept.fen) == [21_450, 0])
            let desk = try await village.change(
                BookingStore.cancel(.number(waived.id.value), waive: true, reason: "台风", now: village.clock.now))
            #expect(desk.kept == .zero)
            // Nobody owes a fee for what was never confirmed.
            let request = try await village.change(BookingStore.cancel(stranger(unconfirmed), now: village.clock.now))
            #expect(request.kept == .zero)
            #expect(try await village.tourIncome() == 0)
            try await village.change(
                PaymentStore.pay(
                    .number(late.id.value), Money(fen: 21_450), how: "微信", now: village.clock.now))
            #expect(try await village.tourIncome() == 21_450)
            #expect(try await village.number("SELECT sum(held + booked) FROM tour_session") == 0)
            let over = try await village.book(village.group(near), as: .confirmed)
            village.clock.set(village.today.adding(days: 2), hour: 9)
            let gone = try await refusal {
                try await village.change(BookingStore.cancel(stranger(over), now: village.clock.now))
            }
            #expect(gone?.code == "too-late-to-cancel")
        }
    }

    @Test func `half a fen is kept as a whole one`() async throws {
        try await withVillage { village in
            let programme = try await village.tourProgramme(groups: 1...10, lateFeePercent: 50)
            try await village.audited(["UPDATE tour_programme SET price_fen = 101"])
            let session = try await village.tourSession(programme, day: village.today.adding(days: 1))
            let booking = try await village.book(village.group(session, headcount: 1), as: .confirmed)
            let cancelled = try await village.change(
                BookingStore.cancel(.number(booking.id.value), now: village.clock.now))
            #expect(cancelled.kept.fen == 51)
        }
    }

    @Test func `what is kept of a group that did not come is income on its day, once it is paid`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session), as: .confirmed)
            let kind = try await village.book(village.group(session), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            let early = try await refusal {
                try await village.change(BookingStore.noShow(key, now: village.clock.now))
            }
            #expect(early?.code == "session-not-begun")
            let day = village.today.adding(days: 7)
            village.clock.set(day, hour: 9, seconds: -1)
            let eve = try await refusal { try await village.change(BookingStore.noShow(key, now: village.clock.now)) }
            #expect(eve?.code == "session-not-begun")
            village.clock.set(day, hour: 9)
            let absent = try await village.change(BookingStore.noShow(key, now: village.clock.now))
            #expect(absent.kept.fen == 40_000 && absent.state == .noShow)
            try await village.change(
                BookingStore.noShow(.number(kind.id.value), waive: true, now: village.clock.now))
            #expect(try await village.tourIncome() == 0)
            try await village.change(
                PaymentStore.pay(key, Money(fen: 40_000), how: "微信", now: village.clock.now))
            #expect(try await village.tourIncome() == 40_000)
            #expect(try await village.number("SELECT count(*) FROM income_row WHERE day = \(day)") == 1)
            // The seats were theirs and stay so.
            #expect(try await village.seats(session) == [0, 20])
        }
    }

    @Test func `a refund is decided, then paid, and never exceeds what was paid`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            let now = village.clock.now
            try await village.change(PaymentStore.pay(key, Money(fen: 50_000), how: "微信", now: now))
            let cancelled = try await village.change(BookingStore.cancel(key, now: now))
            // All of it is to go back, until the desk decides that less does.
            #expect(cancelled.refund == .due && cancelled.refundDue.fen == 50_000 && cancelled.paid.fen == 50_000)
            let above = try await refusal {
                try await village.change(PaymentStore.decideRefund(key, Money(fen: 50_001), now: now))
            }
            #expect(above?.code == "refund-above-payment")
            let due = try await village.change(
                PaymentStore.decideRefund(key, Money(fen: 30_000), reason: "已订午餐", now: now))
            #expect(due.refund == .due && due.kept.fen == 20_000)
            let part = try await village.change(PaymentStore.refund(key, Money(fen: 10_000), how: "微信", now: now))
            #expect(part.refund == .due)
            let much = try await refusal {
                try await village.change(PaymentStore.refund(key, Money(fen: 20_001), how: "微信", now: now))
            }
            #expect(much?.code == "more-than-due")
            let back = try await refusal {
                try await village.change(PaymentStore.decideRefund(key, Money(fen: 9_999), reason: "已订午餐", now: now))
            }
            #expect(back?.code == "refunded-already")
            let all = try await village.change(PaymentStore.refund(key, how: "微信", now: now))
            #expect(all.refund == .refunded && all.refunded.fen == 30_000 && all.state == .cancelled)
            let payments = try await BookingStore(village.database).show(key, village.committee).payments
            #expect(payments.map(\.kind) == [.payment, .refund, .refund])
            #expect(payments.map(\.amount.fen) == [50_000, 10_000, 20_000])
            #expect(try await village.tourIncome() == 20_000)
        }
    }

    @Test func `money has a day, a way and more than nothing`() async throws {
        try await withVillage { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session))
            let key = BookingKey.number(booking.id.value)
            let (now, tomorrow) = (village.clock.now, village.today.adding(days: 1))
            for (amount, how, day, field) in [
                (0, "微信", nil as CivilDay?, "amount"), (-1, "微信", nil, "amount"), (1, "", nil, "paidHow"),
                (1, String(repeating: "微", count: 41), nil, "paidHow"), (1, "微信", tomorrow, "day"),
            ] {
                let refused = try await refusal {
                    try await village.change(
                        PaymentStore.pay(key, Money(fen: Int64(amount)), how: how, day: day, now: now))
                }
                #expect(refused?.field == field)
            }
            #expect(try await village.number("SELECT count(*) FROM tour_payment") == 0)
        }
    }

    @Test func `payments at the same moment are all counted or refused`() async throws {
        try await withVillage(poolSize: 8) { village in
            let session = try await village.tourSession(try await village.tourProgramme())
            let booking = try await village.book(village.group(session), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            let now = village.clock.now
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        try await refusal {
                            try await village.change(PaymentStore.pay(key, Money(fen: 10_000), how: "微信", now: now))
                        }?.code
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let accepted = codes.filter { $0 == nil }.count
            #expect(accepted >= 1 && accepted <= 8)
            #expect(Set(codes.compactMap(\.self)).isSubset(of: ["booking-changed", "more-than-fee"]))
            #expect(try await village.booking(booking).paid.fen == Int64(accepted) * 10_000)
        }
    }

    @Test func `what a group picked is a sale out of the batch`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 10_000)).batch
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme)
            let planned = try await village.book(
                village.group(session, extras: [WantedExtra(extra: programme.picking, quantity: 10)]), as: .confirmed)
            let unplanned = try await village.book(village.group(session, unit: "实验小学"), as: .confirmed)
            let key = BookingKey.number(planned.id.value)
            let picking = BookingStore.Picking(
                lines: [.init(batch: batch, weight: Weight(grams: 6000))], paidHow: "微信")
            let early = try await refusal {
                try await village.change(BookingStore.pick(key, picking, now: village.clock.now))
            }
            #expect(early?.code == "session-not-begun")
            village.clock.set(village.today.adding(days: 7), hour: 12)
            let picked = try await village.change(BookingStore.pick(key, picking, now: village.clock.now))
            #expect(picked.fee.fen == 80_000)
            let sale = try #require(try await SaleStore(village.database).list(village.committee).first)
            #expect(picked.extras.first?.sales == [sale.id.value])
            #expect(sale.total.fen == 12 * 1200 && sale.channel == "采摘" && sale.buyer == "区委党校")
            #expect(try await BatchStore(village.database).show(batch, village.committee).batch.stock.grams == 4000)
            let twice = try await refusal {
                try await village.change(BookingStore.pick(key, picking, now: village.clock.now))
            }
            #expect(twice?.code == "no-picking")
            let over = try await refusal {
                try await village.change(
                    BookingStore.pick(.number(unplanned.id.value), picking, now: village.clock.now))
            }
            #expect(over?.code == "not-enough-stock" && over?.field == "lines[0].weight")
            let price = try Price(fen: 1000, basis: .jin)
            let second = try await village.change(
                BookingStore.pick(
                    .number(unplanned.id.value),
                    .init(lines: [.init(batch: batch, weight: Weight(grams: 4000), price: price)]),
                    now: village.clock.now))
            #expect(second.extras.map(\.quantity) == [8] && second.fee.fen == 80_000)
            #expect(try await village.number("SELECT count(*) FROM sale") == 2)
            let income = try await village.number(
                "SELECT sum(amount_fen)::bigint FROM income_row WHERE source = 'sales' AND channel = '采摘'")
            #expect(income == 14_400 + 8_000)
            // What was picked is no part of the fee, and settles what was booked.
            let changed = try await refusal {
                var change = BookingChange()
                change.headcount = 9
                let wanted = change
                return try await village.change(BookingStore.change(key, wanted, now: village.clock.now))
            }
            #expect(changed?.code == "picked-already")
        }
    }

    @Test func `what was picked out of two batches is one sale, or none`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let first = try await village.register(village.harvest(grams: 10_000)).batch
            let second = try await village.register(village.harvest(grams: 3_000)).batch
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme)
            let booking = try await village.book(
                village.group(session, extras: [WantedExtra(extra: programme.picking, quantity: 10)]), as: .confirmed)
            village.clock.set(village.today.adding(days: 7), hour: 12)
            let dear = try Price(fen: 2000, basis: .jin)
            @Sendable func pick(_ grams: Int64) -> Plan<Booking> {
                BookingStore.pick(
                    .number(booking.id.value),
                    .init(lines: [
                        .init(batch: first, weight: Weight(grams: 5_000)),
                        .init(batch: second, weight: Weight(grams: grams), price: dear),
                    ]), now: village.clock.now)
            }
            let over = try await refusal { try await village.change(pick(3_001)) }
            #expect(over?.code == "not-enough-stock" && over?.field == "lines[1].weight")
            #expect(try await village.number("SELECT count(*) FROM sale") == 0)
            #expect(try await BatchStore(village.database).show(first, village.committee).batch.stock.grams == 10_000)
            let picked = try await village.change(pick(3_000))
            let sales = try await SaleStore(village.database).list(village.committee)
            let sale = try #require(sales.first)
            #expect(sales.count == 1 && picked.extras.map(\.sales) == [[sale.id.value]])
            #expect(sale.lines.map(\.batch) == [first, second])
            #expect(sale.lines.map(\.amount.fen) == [10 * 1200, 6 * 2000])
            #expect(try await BatchStore(village.database).show(first, village.committee).batch.stock.grams == 5_000)
            #expect(try await BatchStore(village.database).show(second, village.committee).batch.stock.grams == 0)
            let history = try await BookingStore(village.database).show(
                .number(booking.id.value), village.committee)
            #expect(history.events.last?.figures == #"{"fen": 24000, "sale": \#(sale.id), "grams": 8000}"#)
            let nothing = try await refusal {
                try await village.change(
                    BookingStore.pick(.number(booking.id.value), .init(lines: []), now: village.clock.now))
            }
            #expect(nothing?.code == "no-picking")
        }
    }

    @Test func `what was picked of two cooperatives is a sale of each, or none`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let east = try await village.register(village.harvest(plot: "E1", grams: 10_000)).batch
            let west = try await village.register(village.harvest(plot: "W1", grams: 3_000)).batch
            let programme = try await village.tourProgramme()
            let session = try await village.tourSession(programme)
            let booking = try await village.book(
                village.group(session, extras: [WantedExtra(extra: programme.picking, quantity: 10)]), as: .confirmed)
            let key = BookingKey.number(booking.id.value)
            village.clock.set(village.today.adding(days: 7), hour: 12)
            @Sendable func pick(_ grams: Int64) -> Plan<Booking> {
                BookingStore.pick(
                    key,
                    .init(
                        lines: [
                            .init(batch: east, weight: Weight(grams: 1_000)),
                            .init(batch: west, weight: Weight(grams: grams)),
                            .init(batch: east, weight: Weight(grams: 500)),
                        ], paidHow: "微信"), now: village.clock.now)
            }
            // The line is named as it was given, whichever sale it would have been in.
            let over = try await refusal { try await village.change(pick(3_001)) }
            #expect(over?.code == "not-enough-stock" && over?.field == "lines[1].weight")
            #expect(try await village.number("SELECT count(*) FROM sale") == 0)

            let picked = try await village.change(pick(2_000))
            let sales = try await SaleStore(village.database).list(village.committee)
            #expect(sales.map(\.cooperative) == [TestOrchard.westName, TestOrchard.eastName])
            #expect(sales.map { $0.lines.map(\.batch) } == [[west], [east, east]])
            #expect(sales.map(\.total.fen) == [4 * 1200, 3 * 1200])
            let numbers = sales.map(\.id.value).sorted()
            #expect(picked.extras.map(\.sales) == [numbers])
            #expect(try await village.booking(booking).extras.map(\.sales) == [numbers])
            let both = numbers.map(String.init).joined(separator: "+")
            #expect(
                try await village.number(
                    """
                    SELECT count(*) FROM event WHERE kind = 'booking.picked' AND figures ->> 'sales' = \(both)
                        AND figures ->> 'grams' = '3500'
                    """) == 1)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'sale.record'") == 2)
            #expect(
                try await village.number(
                    "SELECT (figures ->> 'fen')::bigint FROM event WHERE kind = 'booking.picked'") == 8400)
            #expect(try await refusal { try await village.change(pick(100)) }?.code == "no-picking")
        }
    }
}
