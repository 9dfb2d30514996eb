import Database
import Foundation
import Kernel
import TestSupport
import Testing

@testable import Tours

/// A figure of a closed period stays; what happens to its visits later is of its own day.
@Suite struct ClosedMoneyTests {
    @Test func `what happens after the books are closed is dated after it`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let (visited, forgotten, owed, absent) = (
                try await ground.book(20), try await ground.book(20), try await ground.book(20),
                try await ground.book(20)
            )
            try await ground.pay(visited, 2000)
            ground.arrive()
            try await ground.complete(visited, 20)
            try await village.change(BookingStore.noShow(owed, now: village.clock.now))
            try await village.change(BookingStore.noShow(absent, now: village.clock.now))
            village.clock.set(ground.day.adding(days: 10), hour: 9)
            let (today, closed) = (village.today, [ground.day: Int64(2000)])
            #expect(try await ground.income() == closed)
            try await ground.closeBooks(through: today.adding(days: -1))

            try await ground.refund(visited, 500)
            #expect(try await ground.income() == [ground.day: 2000, today: -500])
            try await ground.adjust(visited, -100)
            // The refund that was for it lowers nothing a second time.
            #expect(try await ground.income() == [ground.day: 2000, today: -500])
            try await ground.complete(forgotten, 18)
            #expect(try await ground.income() == [ground.day: 2000, today: 1500])
            try await ground.pay(owed, 1000)
            #expect(try await ground.income() == [ground.day: 2000, today: 2500])
            let early = try await refusal { try await ground.adjust(visited, -1, day: today.adding(days: -1)) }
            #expect(early?.code == "books-closed")
            let paid = try await refusal {
                try await village.change(
                    PaymentStore.pay(
                        absent, Money(fen: 100), how: "微信", day: today.adding(days: -1), now: village.clock.now))
            }
            #expect(paid?.code == "books-closed")
            let rows = try await village.owner.query(
                "SELECT kind, visit_day, day FROM tour_income WHERE day = \(today) ORDER BY id")
            #expect(try rows.map { try $0.decode("visit_day", as: CivilDay.self) }.allSatisfy { $0 == ground.day })
            #expect(try rows.map { try $0.decode("kind", as: String.self) }.contains("refund"))
        }
    }

    /// What was wrong is put right after the closing: the difference, of money and of people, is of the day on which it was.
    @Test(
        arguments: [
            ("complete", 1000, 0), ("no-show", 500, 500), ("cancel", 300, 700), ("cancel held", 0, 1000),
            ("cancel session", 0, 1000),
        ] as [(String, Int64, Int64)])
    func `a step of a closed day is taken back and the right one taken, dated after it`(
        what: String, before: Int64, difference: Int64
    ) async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book(10, as: what == "cancel held" ? .held : .confirmed)
            try await ground.pay(key, 1000)
            ground.arrive()
            let now = village.clock.now
            switch what {
            case "complete": try await ground.complete(key, 9)
            case "no-show": try await village.change(BookingStore.noShow(key, now: now))
            case "cancel session":
                try await village.change(SessionStore.cancelWithBookings(ground.session, reason: "台风", now: now))
            default: try await village.change(BookingStore.cancel(key, now: now))
            }
            village.clock.set(ground.day.adding(days: 10), hour: 9)
            let today = village.today
            try await ground.closeBooks(through: today.adding(days: -1))
            let closed = before == 0 ? [:] : [ground.day: before]
            #expect(try await ground.income() == closed)
            @Sendable func undo() async throws -> Booking {
                try await village.change(BookingStore.undo(key, reason: "看错了", now: village.clock.now))
            }
            if what == "cancel session" {
                let refused = try await refusal { _ = try await undo() }
                #expect(refused?.message.zh.contains("tour session reopen \(ground.session)") == true)
                try await village.change(SessionStore.step(.reopen, ground.session, now: village.clock.now))
            }
            let undone = try await undo()
            #expect(undone.state == .confirmed && undone.kept == .zero && undone.refundDue == .zero)
            try await ground.complete(key, 8)
            var expected = closed
            if difference != 0 { expected[today] = difference }
            #expect(try await ground.income() == expected)
            let people = try await village.owner.query(
                "SELECT day, sum(people)::bigint AS people FROM tour_visit GROUP BY day ORDER BY day"
            ).map { (try $0.decode("day", as: CivilDay.self), try $0.decode("people", as: Int64.self)) }
            #expect(people.map(\.1) == (what == "complete" ? [9, -1] : [8]))
            #expect(people.last?.0 == today)
        }
    }

    @Test func `income is not written into a closed period by any way`() async throws {
        try await withVillage { village in
            let ground = try await MoneyGround(village)
            let key = try await ground.book(20)
            ground.arrive()
            village.clock.set(ground.day.adding(days: 2), hour: 9)
            try await ground.closeBooks(through: ground.day)
            for table in ["tour_earning", "tour_adjustment"] {
                let columns =
                    table == "tour_earning"
                    ? "visit_day, day, unit_kind, kind, number, amount_fen, actor"
                    : "touches, day, amount_fen, reason, actor"
                let number = try await ground.booking(key).id.value
                let error = await #expect(throws: (any Error).self) {
                    _ = try await village.database.transaction(village.committee) { transaction in
                        try await transaction.query(
                            table == "tour_earning"
                                ? """
                                INSERT INTO tour_earning (village_id, booking_id, visit_day, day, unit_kind, kind, number,
                                    amount_fen, actor)
                                VALUES (\(village.village.id), \(number), \(ground.day), \(ground.day), 'school', 'refund', 1, 1, 'x')
                                """
                                : """
                                INSERT INTO tour_adjustment (village_id, booking_id, touches, amount_fen, reason, day, actor)
                                VALUES (\(village.village.id), \(number), 'fee', 1, 'x', \(ground.day), 'x')
                                """)
                    }
                }
                #expect("\(String(describing: error))".contains("books_closed"), "\(columns)")
            }
        }
    }

    @Test func `a register records nothing in a closed period`() async throws {
        try await withVillage { village in
            let row = "2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成"
            let header = "预约日期,场次日期,时间,基地,课程,场次容量,单位名称,单位类别,预约人数,实到人数,带队人,联系电话,单价元每人,费用元,状态"
            let day = try #require(CivilDay(year: 2025, month: 3, day: 7))
            _ = try await village.database.change(
                village.committee, ClosedBooks.close(through: day, today: village.today))
            let report = try await village.load(lines: [header, row], BookingRegister(today: village.today))
            #expect(report.recorded == 0 && report.refused.first?.reason.zh.contains("账已结到") == true)
            let after = row.replacing("2025-03-07", with: "2025-03-08")
            let open = try await village.load(lines: [header, after], BookingRegister(today: village.today))
            #expect(open.recorded == 1)
            #expect(try await village.tourIncome() == 63_000)
            // Charged and paid.
            #expect(try await village.number("SELECT count(*) FROM tour_claim") == 0)
        }
    }

    /// Closing waits for entries that are being written, and they for it: none is dated before it.
    @Test func `visits completed while the books are closed are before it or after it`() async throws {
        try await withVillage(poolSize: 8) { village in
            let ground = try await MoneyGround(village)
            var keys: [BookingKey] = []
            for _ in 0..<10 { keys.append(try await ground.book(10)) }
            village.clock.set(ground.day.adding(days: 3), hour: 9)
            let all = keys
            try await withThrowingTaskGroup(of: Void.self) { group in
                for key in all { group.addTask { try await ground.complete(key, 10) } }
                group.addTask { try await ground.closeBooks(through: ground.day) }
                try await group.waitForAll()
            }
            let income = try await ground.income()
            #expect(income.values.reduce(0, +) == 10_000)
            // A row is of the day that was open when it was committed: none of a closed day came later than the closing.
            let closing = try await village.number("SELECT xmin::text::bigint FROM books_closing")
            let late = try await village.number(
                """
                SELECT count(*) FROM tour_earning e, books_closing c
                WHERE e.day <= c.through AND e.at > c.at AND e.xmin::text::bigint > \(closing)
                """)
            #expect(late == 0)
        }
    }
}
