import Database
import Kernel
import Postgres
import Registers
import TestSupport
import Testing

@testable import Tours

/// A row of a register of past years that was wrong: taken back by hand, or by the corrected register.
@Suite struct RegisterCorrectionTests {
    private static let header = "预约日期,场次日期,时间,基地,课程,场次容量,单位名称,单位类别,预约人数,实到人数,带队人,联系电话,单价元每人,费用元,状态"
    private static let row = "2025-03-01,2025-03-07,09:00,桃园,采摘,40,区委党校,党校,14,14,韩老师,139****6211,45,630.00,已完成"
    private static let moved = row.replacing("2025-03-07", with: "2025-03-10")

    private func load(
        _ village: TestVillage, _ rows: String..., changed: ChangedRows? = nil
    ) async throws -> ImportReport {
        try await village.load(
            lines: [Self.header] + rows, BookingRegister(today: village.today), changed: changed)
    }

    private func undo(_ village: TestVillage, _ number: Int64) async throws -> Booking {
        try await village.change(BookingStore.undo(.number(number), reason: "日期写错", now: village.clock.now))
    }

    /// Yuan and people by the day on which they count, as `2025-03-07 630 14`.
    private func books(_ village: TestVillage) async throws -> [String] {
        try await village.owner.query(
            """
            SELECT day::text || ' ' || (sum(fen) / 100)::bigint || ' ' || sum(people) AS said FROM (
                SELECT day, amount_fen AS fen, 0 AS people FROM tour_income
                UNION ALL SELECT day, 0, people FROM tour_visit) b
            GROUP BY day HAVING sum(fen) <> 0 OR sum(people) <> 0 ORDER BY day
            """
        ).map { try $0.decode("said") }
    }

    private func closeBooks(_ village: TestVillage) async throws {
        _ = try await village.database.change(
            village.committee, ClosedBooks.close(through: CivilDay("2025-12-31"), today: village.today))
    }

    @Test func `a booking of a register is taken back whole, and its corrected row recorded as new`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            #expect(try await books(village) == ["2025-03-07 630 14"])
            let void = try await undo(village, 1)
            #expect(void.state == .cancelled && void.isVoid && void.arrived == nil)
            #expect(void.paid == .zero && void.charge == .zero && void.money == .settled)
            #expect(try await books(village) == [])
            #expect(try await village.number("SELECT booked FROM tour_session") == 0)
            let history = try await BookingStore(village.database).show(.number(1), village.committee)
            #expect(history.events.map(\.what) == ["imported", "voided"])
            #expect(history.events.last?.figures.contains("日期写错") == true)
            #expect(try await load(village, Self.row).already == 1)
            #expect(try await load(village, Self.moved).recorded == 1)
            #expect(try await books(village) == ["2025-03-10 630 14"])
            #expect(try await load(village, Self.moved).already == 1)
            // The old row may be the new one, changed back.
            let old = try await load(village, Self.row)
            #expect(old.recorded == 0 && old.changed.map(\.entry) == [2])
        }
    }

    @Test func `a corrected capacity is its session's, as one says or by hand`() async throws {
        try await withVillage { village in
            let other = Self.row.replacing("区委党校", with: "实验小学").replacing("6211", with: "7788")
            func wider(_ row: String, _ seats: Int) -> String { row.replacing(",40,", with: ",\(seats),") }
            func capacity() async throws -> Int64 { try await village.number("SELECT capacity FROM tour_session") }
            let both = [Self.row, other]
            _ = try await load(village, both[0], both[1])
            let asked = try await load(village, wider(both[0], 50), wider(both[1], 50))
            #expect(asked.refused.map(\.field) == ["场次容量", "场次容量"])
            #expect(asked.changed.map(\.recorded) == ["40", "40"])
            // Too small for the others, and not the same in all rows.
            let small = try await load(village, wider(both[0], 13), changed: .correct)
            #expect(small.refused.first?.reason.en.contains("other bookings have 14 seats") == true)
            let mixed = try await load(village, wider(both[0], 50), wider(both[1], 60), changed: .correct)
            #expect(mixed.refused.map(\.reason.zh) == ["这个场次的容量是 50"])
            #expect(try await capacity() == 40)
            let right = try await load(village, wider(both[0], 50), wider(both[1], 50), changed: .correct)
            #expect(right.updated == 2 && right.refused.isEmpty)
            #expect(try await capacity() == 50)
            #expect(try await village.number("SELECT booked FROM tour_session") == 28)
            #expect(try await books(village) == ["2025-03-07 1260 28"])
            #expect(try await load(village, wider(both[0], 50), wider(both[1], 50)).already == 2)
            // A new row says nothing of the session: the desk does.
            let third = Self.row.replacing("区委党校", with: "村小").replacing("6211", with: "9900").replacing(
                "2025-03-01", with: "2025-03-02")
            let new = try await load(village, wider(third, 60))
            let session = try await village.number("SELECT id FROM tour_session")
            #expect(new.refused.first?.reason.zh.contains("tour session change \(session) --capacity") == true)
            try await village.change(
                SessionStore.change(session, capacity: 60, resources: nil, now: village.clock.now))
            #expect(try await load(village, wider(third, 60)).recorded == 1)
        }
    }

    @Test func `what is void stays so`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            _ = try await undo(village, 1)
            let now = village.clock.now
            let plans: [Plan<Booking>] = [
                BookingStore.undo(.number(1), reason: "x", now: now),
                AdjustmentStore.adjust(.number(1), Money(fen: 100), reason: "x", now: now),
            ]
            for plan in plans { #expect(try await refusal { try await village.change(plan) }?.code == "booking-void") }
            let error = try await postgresError {
                try await village.owner.query("UPDATE tour_booking SET register_key = NULL")
            }
            #expect(error?.constraint == "tour_booking_voided")
        }
    }

    @Test(arguments: ["未到", "已取消"]) func `so is one that did not come, with what was kept`(state: String) async throws {
        try await withVillage { village in
            _ = try await load(
                village, Self.row.replacing(",14,14,", with: ",14,0,").replacing("已完成", with: state))
            #expect(try await books(village) == ["2025-03-07 630 0"])
            let void = try await undo(village, 1)
            #expect(void.isVoid && void.kept == .zero && void.paid == .zero)
            #expect(try await books(village) == [])
        }
    }

    @Test func `money that was entered since is balanced before`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            let key = BookingKey.number(1)
            let now = village.clock.now
            try await village.change(PaymentStore.decideRefund(key, Money(fen: 10_000), reason: "优惠", now: now))
            try await village.change(PaymentStore.refund(key, how: "微信", now: now))
            #expect(try await refusal { _ = try await undo(village, 1) }?.code == "refunded-already")
            let asked = try await load(village, Self.moved, changed: .correct)
            #expect(asked.recorded == 0 && asked.refused.first?.reason.zh.contains("payment-reverse") == true)
            let refund = try await village.number("SELECT id FROM tour_payment")
            try await village.change(PaymentStore.reverse(key, payment: refund, reason: "误记", now: now))
            #expect(try await undo(village, 1).money == .settled)
        }
    }

    @Test(arguments: [
        ("2025-03-07,", "2025-03-10,", "场次日期", "2025-03-10 630 14"),
        (",14,14,", ",14,12,", "实到人数", "2025-03-07 630 12"),
        (",14,14,", ",40,40,", "预约人数", "2025-03-07 630 40"), ("630.00", "600.00", "费用元", "2025-03-07 600 14"),
        (",14,14,", ",14,0,", "实到人数", "2025-03-07 630 0"),
    ])
    func `a corrected register takes the recorded booking back and records its row`(
        old: String, new: String, field: String, expected: String
    ) async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            let right = Self.row.replacing(old, with: new).replacing(
                "已完成", with: expected.hasSuffix(" 0") ? "未到" : "已完成")
            let asked = try await load(village, right)
            #expect(asked.refused.map(\.field) == [field] && asked.refused[0].reason.zh.contains("--changed correct"))
            let report = try await load(village, right, changed: .correct)
            #expect([report.recorded, report.updated, report.refusedCount] == [0, 1, 0])
            #expect(report.changed.map(\.entry) == [1] && report.changed.map(\.field) == [field])
            #expect(try await books(village) == [expected])
            #expect(try await load(village, right, changed: .correct).already == 1)
            // And back again.
            let back = try await load(village, Self.row, changed: .correct)
            #expect([back.recorded, back.updated, back.refusedCount] == [0, 1, 0])
            #expect(back.changed.map(\.entry) == [2])
            #expect(try await books(village) == ["2025-03-07 630 14"])
            #expect(try await load(village, Self.row).already == 1)
        }
    }

    @Test func `a booking that was taken back by mistake is recorded again as a row of its own`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            _ = try await undo(village, 1)
            #expect(try await load(village, Self.row).already == 1)
            #expect(try await load(village, Self.row, changed: .new).recorded == 1)
            #expect(try await books(village) == ["2025-03-07 630 14"])
            #expect(try await load(village, Self.row, changed: .new).already == 1)
        }
    }

    @Test func `in a closed year both are dated after it`() async throws {
        try await withVillage { village in
            let other = Self.row.replacing("区委党校", with: "市委党校").replacing("6211", with: "6212")
            _ = try await load(village, Self.row, other)
            try await closeBooks(village)
            let report = try await load(
                village, Self.moved.replacing(",14,14,", with: ",14,12,").replacing("630", with: "600"), other,
                changed: .correct)
            #expect([report.updated, report.already, report.refusedCount] == [1, 1, 0])
            #expect(try await books(village) == ["2025-03-07 1260 28", "\(village.today) -30 -2"])
            _ = try await undo(village, 2)
            #expect(try await books(village) == ["2025-03-07 1260 28", "\(village.today) -660 -16"])
        }
    }

    @Test func `a row that was taken back since is told when the register says that it is right`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            _ = try await undo(village, 1)
            let told = try await load(village, Self.row, changed: .correct)
            #expect([told.already, told.updated, told.refusedCount] == [0, 0, 1])
            #expect(told.changed.map(\.entry) == [1] && told.refused.first?.reason.zh.contains("--changed new") == true)
            #expect(try await books(village) == [])
        }
    }

    @Test func `what was taken back by hand of a closed year comes back with its corrected row, dated after it`()
        async throws
    {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            try await closeBooks(village)
            _ = try await undo(village, 1)
            let right = Self.row.replacing(",14,14,", with: ",14,12,").replacing("630", with: "600")
            let asked = try await load(village, right)
            #expect(asked.changed.map(\.entry) == [1] && asked.refused.first?.reason.zh.contains("已作废") == true)
            #expect(try await load(village, right, changed: .new).refused.map(\.field) == ["场次日期"])
            #expect(try await load(village, right, changed: .correct).updated == 1)
            #expect(try await books(village) == ["2025-03-07 630 14", "\(village.today) -30 -2"])
            #expect(try await load(village, right, changed: .correct).already == 1)
        }
    }

    @Test func `what was taken back of a closed year by mistake is recorded again, dated after it`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.row)
            try await closeBooks(village)
            _ = try await undo(village, 1)
            #expect(try await load(village, Self.row).already == 1)
            #expect(try await load(village, Self.row, changed: .new).recorded == 1)
            #expect(try await books(village) == ["2025-03-07 630 14"])
        }
    }
}
