import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// Payments and refunds that were entered by mistake, and the till's book that tells of all.
@Suite struct PaymentReversalTests {
    private func reverse(
        _ ground: MoneyGround, _ key: BookingKey, _ payment: Int64
    ) async throws -> Booking {
        try await ground.village.change(
            PaymentStore.reverse(key, payment: payment, reason: "重复登记", now: ground.village.clock.now))
    }

    private func payments(_ ground: MoneyGround, _ key: BookingKey) async throws -> [BookingPayment] {
        try await BookingStore(ground.village.database).show(key, ground.village.committee).payments
    }

    @Test func `a payment is taken back once, and the money follows`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let (key, other) = (try await ground.book(), try await ground.book(10))
            try await ground.pay(key, 1000)
            try await ground.pay(key, 2000)
            try await ground.pay(other, 1000)
            let entries = try await payments(ground, key)
            let back = try await reverse(ground, key, entries[1].id)
            #expect(back.paid.fen == 100_000 && back.money == .open)
            let now = try await payments(ground, key)
            #expect(now.map(\.reverses) == [nil, nil, entries[1].id] && now.last?.reason == "重复登记")
            #expect(now.map(\.signed.fen) == [100_000, 200_000, -200_000])
            for (payment, code) in [
                (entries[1].id, "reversed-already"), (now[2].id, "reverses-a-reversal"),
                (try await payments(ground, other)[0].id, "unknown-payment"), (0, "unknown-payment"),
            ] {
                #expect(try await refusal { try await reverse(ground, key, payment) }?.code == code)
            }
            // Of a cancelled booking no more is to go back than what is left of the payments.
            let cancelled = try await village.change(BookingStore.cancel(key, now: village.clock.now))
            #expect(cancelled.refundDue.fen == 100_000)
            let nothing = try await reverse(ground, key, entries[0].id)
            #expect(nothing.refundDue == .zero && nothing.money == .settled)
        }
    }

    @Test func `a refund that is taken back is due again, and income is what it was`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            try await ground.pay(key, 3000)
            ground.arrive()
            try await ground.complete(key, 30)
            try await ground.refund(key, 1000)
            let entries = try await payments(ground, key)
            let refused = try await refusal { try await reverse(ground, key, entries[0].id) }
            #expect(refused?.code == "refunded-already")
            #expect(try await ground.income() == [ground.day: 2000])
            let back = try await reverse(ground, key, entries[1].id)
            #expect(back.money == .due && back.refundOpen.fen == 100_000)
            #expect(try await ground.income() == [ground.day: 3000])
        }
    }

    @Test func `a refund of a no-show that was none is not due again when it is taken back`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            func refunded() async throws -> BookingKey {
                let key = try await ground.book(10)
                try await ground.pay(key, 1000)
                ground.arrive()
                try await village.change(BookingStore.noShow(key, now: village.clock.now))
                try await village.change(PaymentStore.refund(key, how: "微信", now: village.clock.now))
                return key
            }
            let key = try await refunded()
            try await village.change(BookingStore.undo(key, reason: "来晚了", now: village.clock.now))
            let back = try await reverse(ground, key, try await payments(ground, key)[1].id)
            #expect(back.state == .confirmed && back.netPaid.fen == 100_000)
            #expect(back.refundDue == .zero && back.money == .settled)
            let pay = PaymentStore.refund(key, how: "微信", now: village.clock.now)
            #expect(try await refusal { try await village.change(pay) }?.code == "no-refund-due")
            // In the other order, and of what was decided after it.
            village.clock.set(village.today.adding(days: -20), hour: 9)
            let other = try await refunded()
            #expect(try await reverse(ground, other, try await payments(ground, other)[1].id).refundOpen.fen == 50_000)
            let undone = try await village.change(BookingStore.undo(other, reason: "来晚了", now: village.clock.now))
            #expect(undone.refundDue == .zero)
            try await ground.refund(other, 200)
            #expect(try await reverse(ground, other, try await payments(ground, other)[3].id).refundOpen.fen == 20_000)
        }
    }

    /// What is kept may have grown since the refund.
    @Test func `a refund of a cancelled booking is due again as far as it isn't kept by now`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book(10)
            try await ground.pay(key, 1000)
            try await village.change(BookingStore.cancel(key, now: village.clock.now))
            try await village.change(PaymentStore.refund(key, how: "微信", now: village.clock.now))
            try await ground.adjust(key, 300)
            let back = try await reverse(ground, key, try await payments(ground, key)[1].id)
            #expect(back.kept.fen == 30_000 && back.refundOpen.fen == 70_000)
            #expect(try await ground.income() == [ground.day: 300])
        }
    }

    @Test func `the database takes a payment back once and as it was`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            try await ground.pay(key, 1000)
            let number = try await ground.booking(key).id.value
            let payment = try await payments(ground, key)[0].id
            func insert(_ amount: Int64, _ how: String = "微信", of: Int64) async -> String? {
                do {
                    _ = try await village.owner.query(
                        """
                        INSERT INTO tour_payment (village_id, booking_id, kind, amount_fen, paid_how, day, reverses, reason,
                            actor)
                        VALUES (\(village.village.id), \(number), 'payment', \(amount), \(how), \(village.today), \(of), 'x', 'x')
                        """)
                    return nil
                } catch {
                    return (error as? PostgresError)?.constraint
                }
            }
            #expect(await insert(99_999, of: payment) == "tour_payment_reversal")
            #expect(await insert(100_000, "现金", of: payment) == "tour_payment_reversal")
            _ = try await reverse(ground, key, payment)
            #expect(await insert(100_000, of: payment) == "tour_payment_reversed_once")
            #expect(await insert(100_000, of: try payments(ground, key)[1].id) == "tour_payment_reversal")
        }
    }

    @Test func `the till's book sums what came and went by day and way`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            let now = village.clock.now
            let before = village.today.adding(days: -1)
            try await village.change(
                PaymentStore.pay(key, Money(fen: 50_000), how: "现金", day: before, now: now))
            try await ground.pay(key, 1000)
            try await ground.pay(key, 300)
            _ = try await reverse(ground, key, try await payments(ground, key)[2].id)
            try await ground.refund(key, 200)
            let book = try await PaymentStore.book(
                village.database, from: before, to: village.today, village.committee)
            #expect(book.entries.map(\.payment.signed.fen) == [50_000, 100_000, 30_000, -30_000, -20_000])
            #expect(book.sums.map(\.day) == [before, village.today] && book.sums.map(\.paidHow) == ["现金", "微信"])
            #expect(book.sums.map(\.received.fen) == [50_000, 100_000])
            #expect(book.sums.map(\.refunded.fen) == [0, 20_000] && book.total.fen == 130_000)
            let csv = String(decoding: book.csv(.chinese), as: UTF8.self)
            #expect(csv.contains("-300.00") && csv.contains("重复登记"))
            let cash = try await PaymentStore.book(
                village.database, from: before, to: village.today, how: "现金", village.committee)
            #expect(cash.entries.count == 1 && cash.total.fen == 50_000)
            var place: TillBook.Place?
            var paged: [Int64] = []
            while true {
                let page = try await PaymentStore.book(
                    village.database, from: before, to: village.today, after: place, limit: 2, village.committee)
                paged += page.entries.map(\.payment.id)
                guard let last = page.entries.last, page.entries.count == 2 else { break }
                place = TillBook.Place(last.place.description)
            }
            #expect(paged == book.entries.map(\.payment.id))
        }
    }

    /// The desk at two windows.
    @Test(arguments: ["reverse", "refund", "adjust", "pay and cancel"])
    func `of two at once neither is lost nor counted twice`(what: String) async throws {
        try await withVillage(poolSize: 8) { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            try await ground.pay(key, 1000)
            let payment = try await payments(ground, key)[0].id
            ground.arrive()
            if what != "pay and cancel" { try await ground.complete(key, 30) }
            if what == "refund" {
                try await village.change(
                    PaymentStore.decideRefund(key, Money(fen: 100_000), now: village.clock.now))
            }
            let now = village.clock.now
            let plans: [Plan<Booking>] =
                switch what {
                case "reverse":
                    Array(repeating: PaymentStore.reverse(key, payment: payment, reason: "x", now: now), count: 6)
                case "refund":
                    Array(repeating: PaymentStore.refund(key, Money(fen: 60_000), how: "微信", now: now), count: 6)
                case "adjust":
                    [
                        AdjustmentStore.adjust(key, Money(fen: -200_000), reason: "x", now: now),
                        AdjustmentStore.adjust(key, Money(fen: -200_000), reason: "x", now: now),
                        PaymentStore.pay(key, Money(fen: 200_000), how: "微信", now: now),
                        PaymentStore.pay(key, Money(fen: 200_000), how: "微信", now: now),
                    ]
                default:
                    [
                        PaymentStore.pay(key, Money(fen: 200_000), how: "微信", now: now),
                        BookingStore.cancel(key, byVillage: true, now: now),
                        PaymentStore.pay(key, Money(fen: 200_000), how: "微信", now: now),
                    ]
                }
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for plan in plans { group.addTask { try await refusal { try await village.change(plan) }?.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let booking = try await ground.booking(key)
            let known: Set<String> = [
                "booking-changed", "reversed-already", "no-refund-due", "more-than-due", "adjusted-below-zero",
                "more-than-fee", "step-not-allowed",
            ]
            #expect(Set(codes.compactMap(\.self)).isSubset(of: known))
            switch what {
            case "reverse": #expect(codes.filter { $0 == nil }.count == 1 && booking.paid == .zero)
            case "refund": #expect(codes.filter { $0 == nil }.count == 1 && booking.refunded.fen == 60_000)
            case "adjust": #expect(booking.agreed.fen >= 100_000)
            default: #expect(booking.state != .cancelled || booking.refundDue == booking.paid)
            }
            // What the books say is checked by the invariants, of income too.
        }
    }
}
