import Foundation
import Kernel
import Testing

@Suite struct CivilDayTests {
    @Test(arguments: [
        "2025-08-03", "2025-8-3", "2025/8/3", "2025/08/03", "2025.08.03", "2025.8.3", "2025年8月3日", "2025年08月03日",
        "20250803", " 2025-08-03 ", "\u{3000}2025-08-03\u{3000}", "２０２５-０８-０３", "２０２５．８．３", "２０２５年８月３日",
    ])
    func reads(_ text: String) throws {
        #expect(try CivilDay(text) == CivilDay(year: 2025, month: 8, day: 3))
        #expect(try CivilDay(text).description == "2025-08-03")
    }

    @Test(arguments: [
        "", " ", "2025", "2025-08", "2025-02-30", "2025-02-29", "2100-02-29", "2025-13-01", "2025-00-10", "2025-01-00",
        "2025-04-31", "1899-12-31", "2200-01-01", "03/08/2025", "八月三日", "2025-08-03-01", "-2025-08-03", "2025--08-03",
        "2025 08 03", "99999999999999999999", "20250230", "2025-08-0x", "2025-000008-00000003abc", "2025-08-03 10:00",
        "2025-8-99999999999999",
    ])
    func refuses(_ text: String) {
        let refusal = #expect(throws: Refusal.self) { try CivilDay(text) }
        #expect(refusal?.kind == .invalid)
        #expect(refusal?.code == "not-a-day")
    }

    @Test(arguments: [("2024-02-29", true), ("2000-02-29", true), ("2025-08-03", true), ("1900-02-29", false)])
    func isoKnowsLeapYears(_ text: String, _ exists: Bool) {
        #expect(CivilDay(iso: text)?.description == (exists ? text : nil))
    }

    @Test(arguments: [
        "2025-8-3", "2025/08/03", "20250803", "２０２５-０８-０３", "2025-08-03 ", "+025-08-03", "2025-+8-03", "",
    ])
    func isoHasOneSpelling(_ text: String) {
        #expect(CivilDay(iso: text) == nil)
    }

    @Test func agreesWithFoundationOnEveryDay() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let first = try #require(CivilDay(year: 1900, month: 1, day: 1))
        let last = try #require(CivilDay(year: 2199, month: 12, day: 31))
        #expect(last.daysSince1970 - first.daysSince1970 == 109_572)
        var differing: [Int] = []
        for days in first.daysSince1970...last.daysSince1970 {
            let date = Date(timeIntervalSince1970: Double(days) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let year = try #require(parts.year)
            let month = try #require(parts.month)
            let day = try #require(parts.day)
            let civil = CivilDay(daysSince1970: days)
            if civil.components != (year, month, day) || CivilDay(year: year, month: month, day: day) != civil
                || CivilDay(iso: civil.description) != civil
            {
                differing.append(days)
            }
        }
        #expect(differing.isEmpty)
    }

    @Test func countsAndOrders() throws {
        let day = try CivilDay("2020-01-01")
        #expect(day.daysSince2020 == 0)
        #expect(CivilDay(daysSince2020: 366).description == "2021-01-01")
        #expect(day.adding(days: -1).description == "2019-12-31")
        #expect(day.adding(days: -1) < day)
        #expect(day.year == 2020)
    }

    @Test(arguments: [
        ("2025-08-03", "2025年8月3日 周日", "Sun 3 Aug 2025"), ("2026-05-01", "2026年5月1日 周五", "Fri 1 May 2026"),
        ("1969-12-29", "1969年12月29日 周一", "Mon 29 Dec 1969"),
    ])
    func `a day is written with its month and its weekday`(_ day: String, _ zh: String, _ en: String) throws {
        let day = try CivilDay(day)
        #expect("\(day.written.zh) \(day.weekdayName.zh)" == zh && "\(day.weekdayName.en) \(day.written.en)" == en)
    }

    @Test(arguments: [
        ("2025-08-02T15:59:59Z", "2025-08-02"), ("2025-08-02T16:00:00Z", "2025-08-03"),
        ("1969-12-31T15:59:59Z", "1969-12-31"),
    ])
    func todayIsShanghais(_ instant: String, _ day: String) throws {
        let date = try Date(instant, strategy: .iso8601)
        #expect(WallClock { date }.today.description == day)
    }
}
