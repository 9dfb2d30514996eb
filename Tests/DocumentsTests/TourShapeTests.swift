import Foundation
import Kernel
import TestSupport
import Testing
import Tours

@testable import Documents

@Suite struct TourShapeTests {
    private static let programme = "蟠桃采摘与农耕研学"
    private static let site = "蟠桃采摘园"

    /// A site that is closed on the second of three days, on which a programme with an extra is planned.
    private func plan(_ village: TestVillage) async throws -> PlannedSessions {
        let first = village.today.adding(days: 1)
        try await village.change(SiteStore.add(.init(name: Self.site, kind: .orchard, weekdays: try Weekdays("1-7"))))
        try await village.change(
            SiteStore.closeDay(Self.site, day: first.adding(days: 1), reason: "修剪", today: village.today))
        try await village.change(ProgrammeStore.add(.init(name: Self.programme, minutes: 120, price: Money(fen: 6800))))
        try await village.change(
            ProgrammeStore.addExtra(TourExtra(kind: .meal, name: "农家午餐", price: Money(fen: 3500)), to: Self.programme))
        try await village.change(ResourceStore.add(TourResource(name: "张导", kind: .guide)))
        return try await village.change(
            SessionStore.add(
                NewSessions(
                    site: Self.site, programme: Self.programme, day: first, time: TimeOfDay(minute: 540), capacity: 30,
                    resources: ["张导"], until: first.adding(days: 2)), now: village.clock.now))
    }

    private func check<Value>(_ value: Value, _ shape: Shape<Value>) throws {
        try shape.schema.validate(shape.json(value))
    }

    @Test func `what the desk offers is as its schemas say`() async throws {
        try await withVillage { village in
            let planned = try await plan(village)
            #expect(planned.sessions.count == 2)
            try check(planned, Shapes.plannedSessions(.english))
            let scope = village.committee
            try check(try await SiteStore(village.database).show(Self.site, scope), Shapes.tourSite)
            try check(try await ProgrammeStore(village.database).show(Self.programme, scope), Shapes.tourProgramme)
            try check(try await ResourceStore(village.database).list(scope)[0], Shapes.tourResource)
            let open = try await SessionStore(village.database).open(
                from: village.today, to: village.today.adding(days: 9), now: village.clock.now,
                village: village.village.id)
            #expect(open.count == 2)
            for session in open { try check(session, Shapes.openSession) }
        }
    }

    @Test func `a record and a list read in either language`() async throws {
        try await withVillage { village in
            let session = try await plan(village).sessions[0]
            let site = try await SiteStore(village.database).show(Self.site, village.committee)
            let closed = village.today.adding(days: 2)
            func facts<Value>(_ value: Value, _ shape: Shape<Value>, _ language: Language) -> [String] {
                shape.facts(of: value, language).map { "\($0.title): \($0.text ?? "")" }
            }
            #expect(
                facts(site, Shapes.tourSite, .chinese) == [
                    "基地: 蟠桃采摘园", "类别: 采摘园", "开放时间: 08:00–18:00", "星期: 每天", "休息日: \(closed) 修剪",
                ])
            #expect(Shapes.tourSites(today: closed).row(of: site, .english)[4] == "\(closed)")
            #expect(Shapes.tourSites(today: closed.adding(days: 1)).row(of: site, .english)[4] == "")
            let programme = try await ProgrammeStore(village.database).show(Self.programme, village.committee)
            #expect(
                facts(programme, Shapes.tourProgramme, .english) == [
                    "programme: 蟠桃采摘与农耕研学", "takes: 120 minutes", "a head: 68.00 yuan", "languages: zh", "group: 1–500",
                    "seats kept: 2880 minutes, \(BookingRules.scarceHold(minutes: 2880)) once less than a fifth of the "
                        + "seats is left",
                    "changes: until 24 hours before", "free cancelling: until 48 hours before",
                    "later cancelling costs: 0%", "not coming costs: 0%", "meal: 农家午餐 35.00 yuan",
                ])
            #expect(
                Shapes.tourProgramme.row(of: programme, .chinese) == [
                    "蟠桃采摘与农耕研学", "120", "68.00", "1–500", "zh", "农家午餐",
                ])
            let number = "\(session.id)"
            #expect(
                Shapes.tourSession.row(of: session, .chinese) == [
                    number, "\(session.day)", "09:00–11:00", Self.site, Self.programme, "30", "0", "0", "30", "开放预约",
                    "张导",
                ])
            #expect(
                Shapes.tourSessions(now: session.startsAt).row(of: session, .english).suffix(3) == ["—", "past", "张导"])
        }
    }

    @Test func `names run no formulas in the table of a day, which is as its schema says`() async throws {
        try await withVillage { village in
            let session = try await village.addSession()
            _ = try await village.addBooking(
                [session], unit: "=HYPERLINK(\"http://evil\")", leader: "+cmd|' /C calc'!A0", note: "@SUM(1)\n第二行")
            let sheet = try await DaySheetStore(village.database).sheet(day: village.today, village.committee)
            let text = String(decoding: sheet.csv(.chinese), as: UTF8.self)
            let lines = text.components(separatedBy: "\r\n")
            #expect(lines.count == 3 && lines[0].hasPrefix("\u{FEFF}日期,时间,基地"))
            #expect(lines[1].contains(",\"'=HYPERLINK(\"\"http://evil\"\")\","))
            #expect(lines[1].contains(",'+cmd|' /C calc'!A0,"))
            #expect(lines[1].contains("\"'@SUM(1)\n第二行\""))
            #expect(String(decoding: sheet.csv(.english), as: UTF8.self).contains("day,time,site"))
            try check(sheet, Shapes.daySheet(.english))
        }
    }
}
