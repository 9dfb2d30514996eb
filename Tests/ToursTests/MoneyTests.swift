import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Tours

/// A confirmed booking of thirty at 100 yuan a head, three weeks ahead unless told, and what happens to its money.
struct MoneyGround {
    let village: TestVillage
    let programme: TestTour
    let session: Int64
    let day: CivilDay

    init(_ village: TestVillage, lateFee: Int = 30, noShowFee: Int = 50, capacity: Int = 100) async throws {
        self.village = village
        programme = try await village.tourProgramme(lateFeePercent: lateFee, noShowFeePercent: noShowFee)
        try await village.audited(["UPDATE tour_programme SET price_fen = 10000"])
        day = village.today.adding(days: 21)
        session = try await village.tourSession(programme, capacity: capacity, day: day)
    }

    func book(_ headcount: Int = 30, as state: BookingState = .confirmed) async throws -> BookingKey {
        .number(try await village.book(village.group(session, headcount: headcount), as: state).id.value)
    }

    func pay(_ key: BookingKey, _ yuan: Int64) async throws {
        try await village.change(
            PaymentStore.pay(key, Money(fen: yuan * 100), how: "微信", now: village.clock.now))
    }

    func adjust(_ key: BookingKey, _ yuan: Int64, day: CivilDay? = nil) async throws {
        try await village.change(
            AdjustmentStore.adjust(key, Money(fen: yuan * 100), reason: "人数", day: day, now: village.clock.now))
    }

    func refund(_ key: BookingKey, _ yuan: Int64) async throws {
        try await village.change(
            PaymentStore.decideRefund(key, Money(fen: yuan * 100), reason: "优惠", now: village.clock.now))
        try await village.change(PaymentStore.refund(key, how: "微信", now: village.clock.now))
    }

    /// The visit's day has come, at noon.
    func arrive() { village.clock.set(day, hour: 12) }

    func complete(_ key: BookingKey, _ people: Int) async throws {
        try await village.change(BookingStore.complete(key, arrived: people, now: village.clock.now))
    }

    func closeBooks(through day: CivilDay) async throws {
        _ = try await village.database.change(
            village.committee, ClosedBooks.close(through: day, today: village.today))
    }

    func booking(_ key: BookingKey) async throws -> Booking {
        try await BookingStore(village.database).find(key, village.committee)
    }

    func listed(_ money: MoneyState) async throws -> [Int64] {
        try await BookingStore(village.database).list(village.committee, .init(money: money)).map(\.id.value)
    }

    /// Yuan of claims on the visit's day.
    func claims() async throws -> Int64 {
        try await TourClaims(village.database).sum(from: day, to: day, village.committee).fen / 100
    }

    /// Yuan of tours' income by its day.
    func income() async throws -> [CivilDay: Int64] {
        var days: [CivilDay: Int64] = [:]
        for row in try await village.owner.query("SELECT day, amount_fen FROM tour_income") {
            days[try row.decode("day"), default: 0] += try row.decode("amount_fen", as: Int64.self) / 100
        }
        return days.filter { $0.value != 0 }
    }
}

@Suite struct MoneyTests {
    @Test func `what a cancelled booking had paid is due, listed and told`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            try await ground.pay(key, 3000)
            let cancelled = try await village.change(BookingStore.cancel(key, now: village.clock.now))
            #expect(cancelled.refundDue.fen == 300_000 && cancelled.kept == .zero && cancelled.money == .due)
            #expect(try await ground.listed(.due) == [cancelled.id.value])
            #expect(try await ground.listed(.settled).isEmpty)
            let tasks = try await BookingStore(village.database).todo(now: village.clock.now, village.committee)
            #expect(tasks.map(\.kind) == [.refund] && tasks.map(\.booking.id) == [cancelled.id])
            #expect(
                try await village.number(
                    """
                    SELECT count(*) FROM message m JOIN tour_booking b ON m.about = 'booking:' || b.id
                    WHERE m.kind = 'cancelled' AND b.refund_due_fen = 300000
                    """) == 1)
            try await village.change(PaymentStore.refund(key, how: "微信", now: village.clock.now))
            #expect(try await ground.booking(key).money == .settled)
            #expect(try await ground.income() == [:])
        }
    }

    @Test func `a refund after the visit lowers its income and leaves nothing open`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            try await ground.pay(key, 3000)
            ground.arrive()
            try await ground.complete(key, 30)
            #expect(try await ground.income() == [ground.day: 3000])
            try await ground.refund(key, 1000)
            #expect(try await ground.income() == [ground.day: 2000])
            let booking = try await ground.booking(key)
            #expect(booking.money == .settled && booking.open == .zero && booking.charge.fen == 200_000)
            #expect(try await ground.claims() == 0)
            let more = try await refusal { try await ground.pay(key, 1) }
            #expect(more?.code == "more-than-fee")
        }
    }

    @Test func `a deposit that went back before the visit is owed again after it`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            try await ground.pay(key, 1000)
            try await ground.refund(key, 1000)
            #expect(try await ground.booking(key).open.fen == 300_000)
            ground.arrive()
            try await ground.complete(key, 30)
            #expect(try await ground.income() == [ground.day: 3000])
            #expect(try await ground.claims() == 3000)
            try await ground.pay(key, 3000)
            #expect(try await ground.booking(key).money == .settled)
        }
    }

    @Test func `what is kept and not paid is a claim and no income, until it is paid`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let (late, absent) = (try await ground.book(), try await ground.book())
            village.clock.set(ground.day, hour: 8)
            let kept = try await village.change(BookingStore.cancel(late, now: village.clock.now))
            #expect(kept.kept.fen == 90_000 && kept.money == .open && kept.open.fen == 90_000)
            ground.arrive()
            let noShow = try await village.change(BookingStore.noShow(absent, now: village.clock.now))
            #expect(noShow.kept.fen == 150_000 && noShow.refundDue == .zero)
            #expect(try await ground.income() == [:])
            #expect(try await ground.claims() == 900 + 1500)
            #expect(try await Set(ground.listed(.open)) == [kept.id.value, noShow.id.value])
            try await ground.pay(late, 400)
            #expect(try await ground.income() == [ground.day: 400])
            #expect(try await ground.claims() == 500 + 1500)
            let much = try await refusal { try await ground.pay(late, 501) }
            #expect(much?.code == "more-than-fee")
            // The rest is written off, the other is waived.
            try await ground.adjust(late, -500)
            try await ground.adjust(absent, -1500)
            #expect(try await ground.claims() == 0)
            #expect(try await ground.income() == [ground.day: 400])
            let below = try await refusal { try await ground.adjust(absent, -1) }
            #expect(below?.code == "adjusted-below-zero")
            #expect(try await ground.listed(.settled).count == 2)
        }
    }

    @Test func `more or fewer people than were booked are an adjustment`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let (grown, shrunk) = (try await ground.book(20), try await ground.book(30))
            ground.arrive()
            try await ground.complete(grown, 35)
            #expect(try await ground.income() == [ground.day: 2000])
            try await ground.adjust(grown, 1500)
            #expect(try await ground.income() == [ground.day: 3500])
            #expect(try await ground.claims() == 3500)
            try await ground.complete(shrunk, 28)
            try await ground.pay(shrunk, 2800)
            #expect(try await ground.booking(shrunk).money == .open)
            try await ground.adjust(shrunk, -200)
            let settled = try await ground.booking(shrunk)
            #expect(settled.money == .settled && settled.fee.fen == 300_000 && settled.adjusted.fen == -20_000)
            #expect(try await ground.income() == [ground.day: 3500 + 2800])
            let history = try await BookingStore(village.database).show(shrunk, village.committee)
            #expect(history.adjustments.map(\.amount.fen) == [-20_000] && history.adjustments.map(\.reason) == ["人数"])
            #expect(history.events.map(\.what).contains("adjusted"))
            let tooMuch = try await refusal { try await ground.adjust(shrunk, -2801) }
            #expect(tooMuch?.code == "adjusted-below-zero" && tooMuch?.field == "amount")
            let nothing = try await refusal { try await ground.adjust(shrunk, 0) }
            #expect(nothing?.code == "no-adjustment")
            // Paid too much after another adjustment: listed until somebody decides that it goes back.
            try await ground.adjust(shrunk, -100)
            #expect(try await ground.booking(shrunk).money == .overpaid)
            #expect(try await ground.listed(.overpaid) == [settled.id.value])
            try await ground.refund(shrunk, 100)
            #expect(try await ground.booking(shrunk).money == .settled)
            #expect(try await ground.income() == [ground.day: 3500 + 2700])
        }
    }

    @Test func `a booking keeps the terms under which it was made`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village, lateFee: 0, noShowFee: 0)
            let (late, absent, moved) = (try await ground.book(), try await ground.book(), try await ground.book(10))
            try await ground.pay(late, 3000)
            try await village.change(
                ProgrammeStore.change("红色研学") { details in
                    details.lateFeePercent = 100
                    details.noShowFeePercent = 100
                    details.freeCancelHours = 8760
                    details.changeHours = 0
                    details.price = Money(fen: 99_900)
                })
            let line = try #require(try await ground.booking(late).lines.first)
            #expect(line.terms.lateFeePercent == 0 && line.terms.freeCancelHours == 48 && line.terms.minutes == 120)
            // What stays keeps its terms, what comes anew has those of the day.
            let other = try await village.tourSession(ground.programme, day: ground.day, hour: 14)
            var move = BookingChange()
            move.sessions = [ground.session, other]
            let both = move
            let wider = try await village.change(BookingStore.change(moved, both, now: village.clock.now))
            #expect(wider.lines.map(\.terms.lateFeePercent) == [0, 100])
            #expect(wider.lines.map(\.price.fen) == [10_000, 99_900])
            village.clock.set(ground.day, hour: 8)
            let cancelled = try await village.change(BookingStore.cancel(late, now: village.clock.now))
            #expect(cancelled.kept == .zero && cancelled.refundDue.fen == 300_000)
            let partly = try await village.change(BookingStore.cancel(moved, now: village.clock.now))
            #expect(partly.lines.map(\.kept.fen) == [0, 999_000])
            ground.arrive()
            #expect(
                try await village.change(BookingStore.noShow(absent, now: village.clock.now)).kept == .zero)
        }
    }

    @Test func `when the village cancels nothing is kept`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let (theirs, ours) = (try await ground.book(), try await ground.book())
            for key in [theirs, ours] { try await ground.pay(key, 3000) }
            village.clock.set(ground.day, hour: 8)
            let late = try await village.change(BookingStore.cancel(theirs, now: village.clock.now))
            #expect(late.kept.fen == 90_000 && late.refundDue.fen == 210_000)
            let typhoon = try await village.change(
                BookingStore.cancel(ours, byVillage: true, reason: "台风", now: village.clock.now))
            #expect(typhoon.kept == .zero && typhoon.refundDue.fen == 300_000)
            #expect(try await ground.income() == [ground.day: 900])
        }
    }

    @Test func `a hold for which money was paid does not lapse`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village, capacity: 40)
            let (paid, unpaid) = (try await ground.book(20, as: .held), try await ground.book(20, as: .held))
            try await ground.pay(paid, 500)
            village.clock.advance(seconds: 3 * 3600)
            #expect(try await village.sweep().expired == 1)
            let kept = try await ground.booking(paid)
            // It is told of no end to it, neither here nor in what the group is sent.
            #expect(kept.state == .held && kept.lapsesAt == nil && kept.holdUntil != nil)
            #expect(BookingMessage(kept).holdUntil == nil)
            #expect(try await ground.booking(unpaid).state == .expired)
            // Nor do its seats count as free for others.
            let full = try await refusal { try await village.book(village.group(ground.session, headcount: 21)) }
            #expect(full?.code == "sold-out")
            let tasks = try await BookingStore(village.database).todo(now: village.clock.now, village.committee)
            #expect(tasks.map(\.kind) == [.confirm])
            #expect(try await village.change(BookingStore.confirm(paid, now: village.clock.now)).state == .confirmed)
        }
    }

    @Test func `the desk lowers a refund with a reason, and what stays is kept`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book()
            try await ground.pay(key, 3000)
            try await village.change(BookingStore.cancel(key, now: village.clock.now))
            let silent = try await refusal {
                try await village.change(
                    PaymentStore.decideRefund(key, Money(fen: 200_000), now: village.clock.now))
            }
            #expect(silent?.code == "reason-missing" && silent?.field == "reason")
            let lowered = try await village.change(
                PaymentStore.decideRefund(key, Money(fen: 200_000), reason: "午餐已备", now: village.clock.now))
            #expect(lowered.kept.fen == 100_000 && lowered.refundDue.fen == 200_000)
            #expect(try await ground.income() == [ground.day: 1000])
            let above = try await refusal {
                try await village.change(
                    PaymentStore.decideRefund(key, Money(fen: 300_000), now: village.clock.now))
            }
            #expect(above?.code == "refund-above-payment")
            try await ground.adjust(key, -1000)
            let waived = try await ground.booking(key)
            #expect(waived.kept == .zero && waived.refundDue.fen == 300_000)
            #expect(try await ground.income() == [:])
            try await village.change(
                PaymentStore.decideRefund(key, .zero, reason: "转为下次", now: village.clock.now))
            #expect(try await ground.income() == [ground.day: 3000])
            #expect(try await ground.booking(key).money == .settled)
        }
    }

    /// The database's words for what a booking comes to are the program's.
    @Test func `what a booking comes to is said by the database as by the program`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let states: [BookingState] = [
                .requested, .confirmed, .completed, .cancelled, .noShow, .expired, .waitlisted,
            ]
            for (index, money) in [
                (0, 0, 0, 0), (3000, 0, 0, 0), (3000, 1000, -200, 800), (1000, 500, 0, 300), (3500, 700, 100, 300),
            ].enumerated() {
                for state in states {
                    let (paid, refunded, adjusted, granted) = money
                    let kept = state == .cancelled || state == .noShow ? 900 * 100 : 0
                    let reference =
                        String(repeating: "A", count: 10) + "\(["B", "C", "D", "E", "F"][index])"
                        + "\(["A", "B", "C", "D", "E", "F", "G"][states.firstIndex(of: state) ?? 0])"
                    let rows = try await village.owner.query(
                        """
                        INSERT INTO tour_booking (village_id, reference, unit, unit_kind, headcount, leader, phone, state,
                            previous_state, hold_until, waiting_since, arrived, fee_fen, adjusted_fen, kept_fen, paid_fen,
                            refund_due_fen, refunded_fen, granted_fen, actor)
                        VALUES (\(village.village.id), \(reference), '某校', 'school', 30, '周老师', '13900000000',
                            \(state.rawValue), \(state == .expired ? "held" : state == .noShow || state == .cancelled ? "confirmed" : "new"),
                            \(state.holdsSeats ? village.clock.now : nil), \(state == .waitlisted ? village.clock.now : nil),
                            \(state == .completed ? 30 : nil), 300000, \(adjusted * 100), \(kept), \(paid * 100),
                            \(refunded * 100), \(refunded * 100), \(kept > 0 ? 0 : granted * 100), 'test')
                        RETURNING id, charge_fen
                        """)
                    let row = try #require(rows.first)
                    let id: Int64 = try row.decode("id")
                    let booking = try await ground.booking(.number(id))
                    #expect(booking.charge == (try row.decode("charge_fen")), "\(state) \(money)")
                    #expect(try await ground.listed(booking.money).contains(id), "\(state) \(money)")
                }
            }
            _ = try await village.owner.query("DELETE FROM tour_booking")
        }
    }
}
