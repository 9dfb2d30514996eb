import Database
import Income
import Kernel
import Postgres
import Registers
import TestSupport
import Testing
import Tours

@Suite struct BookingRegisterTests {
    private static let header = "预约日期,场次日期,时间,基地,课程,场次容量,单位名称,单位类别,预约人数,实到人数,带队人,联系电话,单价元每人,费用元,状态"
    private static let good = "2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成"

    private func load(
        _ village: TestVillage, _ rows: String..., partial: Bool = false, as scope: Scope? = nil
    ) async throws -> ImportReport {
        try await village.load(
            lines: [Self.header] + rows, BookingRegister(today: village.today), as: scope, partial: partial)
    }

    /// A session's counters are its bookings' seats.
    private func checkSeats(_ village: TestVillage) async throws {
        let wrong = try await village.number(
            """
            SELECT count(*) FROM tour_session s WHERE s.held <> 0 OR s.booked <> (
                SELECT coalesce(sum(l.headcount), 0) FROM tour_booking_session l
                JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
                WHERE l.village_id = s.village_id AND l.session_id = s.id
                    AND b.state IN ('confirmed', 'arrived', 'completed', 'no_show'))
            """)
        #expect(wrong == 0)
    }

    @Test func `the sample is recorded once, and its income and visitors are what its maker worked out`() async throws {
        let expectation = try Expectation.read()
        try await withVillage { village in
            let path = Samples.path("bookings.csv")
            let first = try await village.load(path, BookingRegister(today: village.today))
            #expect([first.read, first.recorded, first.already, first.refusedCount] == [165, 165, 0, 0])
            let again = try await village.load(path, BookingRegister(today: village.today))
            #expect([again.read, again.recorded, again.already, again.refusedCount] == [165, 0, 165, 0])
            #expect(again.created.isEmpty)
            try await checkSeats(village)
            for (name, totals) in expectation.totals {
                let year = try #require(Int(name))
                let summary = try await IncomeRowStore(village.database).summary(
                    from: #require(CivilDay(year: year, month: 1, day: 1)),
                    to: #require(CivilDay(year: year, month: 12, day: 31)), by: [.source], village.committee)
                #expect(summary.rows.map(\.values) == [["tours"]])
                #expect(summary.total.fen == totals.toursFen)
                let visitors = try await village.number(
                    "SELECT sum(people)::bigint FROM tour_visit WHERE extract(year FROM day) = \(year)")
                #expect(visitors == totals.visitors)
            }
        }
    }

    @Test func `what a register names comes into being and is told`() async throws {
        try await withVillage { village in
            let report = try await village.load(Samples.path("bookings.csv"), BookingRegister(today: village.today))
            let created = report.created.map(\.zh)
            #expect(created.filter { $0.hasPrefix("基地") }.count == 4)
            #expect(created.contains("课程“韩村振兴路专题研学”"))
            #expect(created.contains("“蟠桃采摘园”的 33 个场次"))
            #expect(created.count == 12)
            let kinds = try await SiteStore(village.database).list(village.committee).map { ($0.name, $0.details.kind) }
            #expect(
                Dictionary(kinds) { $1 } == [
                    "区委党校实践教学基地": .base, "市社会主义学院实践教学基地": .base, "“红薯宝哥乡村振兴”实践点": .practicePoint,
                    "蟠桃采摘园": .orchard,
                ])
            let programmes = try await ProgrammeStore(village.database).list(village.committee)
            #expect(programmes.allSatisfy { $0.details.minutes == 120 })
            #expect(programmes.first { $0.name == "红薯种植与采挖体验" }?.details.price == Money(fen: 4500))
            let sessions = try await SessionStore(village.database).list(
                from: CivilDay("2024-03-07"), to: CivilDay("2024-03-07"), village.committee)
            #expect(sessions.map(\.time.description) == ["09:00", "09:00"])
            #expect(sessions.map(\.capacity).sorted() == [40, 60])
            #expect(sessions.map(\.booked).sorted() == [14, 31])
        }
    }

    @Test func `a register uses the sites, programmes and sessions that are there`() async throws {
        try await withVillage { village in
            let ground = try await TourGround(village)
            let id = try await ground.session(capacity: 40)
            village.clock.set(village.today.adding(days: 2))
            let day = village.today.adding(days: -1)
            let row = { (heads: Int, state: String) in
                "2025-03-01,\(day),9:00,\(TourGround.orchard),\(TourGround.programme),40,\(heads)校,学校,\(heads),"
                    + "\(state == "已完成" ? "\(heads)" : "0"),韩老师,139****6\(100 + heads),45,0,\(state)"
            }
            let report = try await load(village, row(25, "已完成"), row(10, "未到"), row(30, "已取消"))
            #expect(report.recorded == 3 && report.created.isEmpty)
            #expect(try await ground.show(id).booked == 35)
            let full = try await load(village, row(6, "已完成"))
            #expect(full.refused.map(\.field) == ["预约人数"])
            try await village.change(SessionStore.step(.close, id, now: village.clock.now))
            let closed = try await load(village, row(5, "已完成"))
            #expect(closed.refused.map(\.field) == ["场次日期"])
            #expect(try await load(village, row(25, "已完成")).already == 1)
            try await checkSeats(village)
        }
    }

    @Test func `equal rows are so many bookings`() async throws {
        try await withVillage { village in
            #expect(try await load(village, Self.good, Self.good).recorded == 2)
            let more = try await load(village, Self.good, Self.good, Self.good, partial: true)
            #expect([more.already, more.refusedCount] == [2, 1])
            #expect(more.refused.first?.field == "预约人数")
            #expect(try await village.number("SELECT booked FROM tour_session") == 28)
        }
    }

    @Test(arguments: [
        ("2025-03-02,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,9,韩老师,139****6211,45,450.00,已完成", "预约日期"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某某校,学校,10,9,韩老师,139****6211,45,450.00,已完成", "单位名称"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,企业,10,9,韩老师,139****6211,45,450.00,已完成", "单位类别"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,12,9,韩老师,139****6211,45,450.00,已完成", "预约人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,10,韩老师,139****6211,45,450.00,已完成", "实到人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,9,李老师,139****6211,45,450.00,已完成", "带队人"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,9,韩老师,139****6212,45,450.00,已完成", "联系电话"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,9,韩老师,139****6211,50,450.00,已完成", "单价元每人"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,9,韩老师,139****6211,45,405.00,已完成", "费用元"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,0,韩老师,139****6211,45,450.00,未到", "实到人数"),
    ])
    func `a booking that was changed after it was recorded is refused, not counted again`(row: String, field: String)
        async throws
    {
        try await withVillage { village in
            let first = "2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,9,韩老师,139****6211,45,450.00,已完成"
            let other = "2025-03-01,2025-03-07,09:00,桃园,采摘,40,别校,学校,10,9,韩老师,139****9999,45,450.00,已完成"
            _ = try await load(village, first)
            let report = try await load(village, row, other, partial: true)
            #expect([report.recorded, report.refusedCount] == [1, 1])
            #expect(report.refused.map(\.field) == [field])
            #expect(try await village.number("SELECT booked FROM tour_session") == 20)
        }
    }

    @Test func `a corrected day of a session is asked about, and no second booking`() async throws {
        try await withVillage { village in
            _ = try await load(village, Self.good)
            let number = try await village.number("SELECT id FROM tour_booking")
            let moved = Self.good.replacing("2025-03-07", with: "2025-03-08")
            let asked = try await load(village, moved)
            #expect(asked.refused.map(\.field) == ["场次日期"])
            #expect(asked.changed == [ChangedRow(row: 2, field: "场次日期", recorded: "2025-03-07", entry: number)])
            let new = try await village.load(
                lines: [Self.header, moved], BookingRegister(today: village.today), changed: .new)
            #expect(new.recorded == 1)
            #expect(try await load(village, Self.good, moved).already == 2)
        }
    }

    @Test func `a fee that is kept is income on the session's day, and nobody has come`() async throws {
        try await withVillage { village in
            _ = try await load(
                village, "2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,10,0,韩老师,139****6211,45,225.00,未到",
                "2025-03-01,2025-03-08,09:00,桃园,采摘,40,某校,学校,10,,韩老师,139****6211,45,90,已取消",
                "2025-03-01,2025-03-09,09:00,桃园,采摘,40,某校,学校,10,0,韩老师,139****6211,45,0,已取消")
            let summary = try await IncomeRowStore(village.database).summary(
                from: CivilDay("2025-03-07"), to: CivilDay("2025-03-09"), by: [.month, .source], village.committee)
            #expect(summary.rows.map(\.amount.fen) == [31_500])
            #expect(try await village.number("SELECT count(*) FROM tour_visit") == 0)
            #expect(try await village.number("SELECT sum(booked)::bigint FROM tour_session") == 10)
            #expect(try await village.number("SELECT sum(fee_fen)::bigint FROM tour_booking") == 135_000)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'booking.imported'") == 3)
            try await checkSeats(village)
        }
    }

    @Test(arguments: [
        ("2025-03-08,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "预约日期"),
        ("2025-03-01,2025-02-29,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "场次日期"),
        ("2025-03-01,2099-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "场次日期"),
        ("2025-03-01,2025-03-07,25:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "时间"),
        ("2025-03-01,2025-03-07,24:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "时间"),
        ("2025-03-01,2025-03-07,上午,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "时间"),
        ("2025-03-01,2025-03-07,09:00,,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "基地"),
        ("2025-03-01,2025-03-07,09:00,桃园,,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "课程"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,0,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "场次容量"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,41,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成", "场次容量"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,教会,14,12,韩老师,139****6211,45,630.00,已完成", "单位类别"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,27,12,韩老师,139****6211,45,630.00,已完成", "预约人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,0,12,韩老师,139****6211,45,0.00,已完成", "预约人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,-3,12,韩老师,139****6211,45,0.00,已完成", "预约人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,0,韩老师,139****6211,45,630.00,已完成", "实到人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,,韩老师,139****6211,45,630.00,已完成", "实到人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,3,韩老师,139****6211,45,0,已取消", "实到人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,1,韩老师,139****6211,45,0,未到", "实到人数"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,,139****6211,45,630.00,已完成", "带队人"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,微信,45,630.00,已完成", "联系电话"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139,45,630.00,已完成", "联系电话"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,-45,0,已完成", "单价元每人"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.01,已完成", "费用元"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,-1,已完成", "费用元"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已预约", "状态"),
        ("2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,", "状态"),
    ])
    func `what is wrong is named and leaves nothing`(row: String, field: String) async throws {
        try await withVillage { village in
            let report = try await load(village, Self.good, row)
            #expect(report.refused.map(\.field) == [field])
            #expect(report.refused.map(\.row) == [3])
            for table in ["tour_site", "tour_programme", "tour_session", "tour_booking"] {
                #expect(try await village.number("SELECT count(*) FROM \(identifier: table)") == 0, "\(table)")
            }
            let partial = try await load(village, Self.good, row, partial: true)
            #expect([partial.recorded, partial.refusedCount] == [1, 1])
            #expect(partial.created.count == 3)
            #expect(try await village.number("SELECT booked FROM tour_session") == 14)
        }
    }

    @Test func `a clerk imports no bookings`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let refused = try await refusal {
                try await load(village, Self.good, as: village.clerk(of: orchard.east))
            }
            #expect(refused?.kind == .forbidden)
            #expect(try await village.number("SELECT count(*) FROM tour_booking") == 0)
        }
    }

    @Test func `two imports of one file at once record it once`() async throws {
        try await withVillage { village in
            let path = Samples.path("bookings.csv")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let refused = try await refusal {
                            try await village.load(path, BookingRegister(today: village.today))
                        }
                        #expect(refused == nil || refused?.code == "tours-taken")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await village.number("SELECT count(*) FROM tour_booking") == 165)
            try await checkSeats(village)
        }
    }

    @Test func `a register of many parts keeps its seats`() async throws {
        try await withVillage { village in
            let rows = (0..<6000).map { number in
                let day = CivilDay(daysSince2020: 1800 + number / 20 % 300)
                let time = number % 20 < 10 ? "09:00" : "14:00"
                return "2024-01-01,\(day),\(time),桃园\(number % 3),采摘,10000,单位\(number),企业,3,3,王,139****6211,10,30,已完成"
            }
            let report = try await village.load(lines: [Self.header] + rows, BookingRegister(today: village.today))
            #expect([report.recorded, report.refusedCount] == [6000, 0])
            #expect(try await village.number("SELECT sum(booked)::bigint FROM tour_session") == 18_000)
            #expect(try await village.number("SELECT count(*) FROM tour_session") == 1800)
            try await checkSeats(village)
        }
    }
}
