import Database
import Foundation
import Income
import Kernel
import TestSupport
import Testing
import Tours

@testable import Livelihood

/// A closed year's report and summary are the same bytes, whatever becomes of its visits afterwards.
@Suite struct ClosedYearTests {
    private static let year = 2025

    /// All that is told of the year.
    private func told(_ village: TestVillage, of year: Int = year) async throws -> String {
        let report = try await LivelihoodStore(village.database).drawUp(
            year: year, clock: village.clock.clock, village.committee)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let summary = try await IncomeRowStore(village.database).summary(
            from: #require(CivilDay(year: year, month: 1, day: 1)),
            to: #require(CivilDay(year: year, month: 12, day: 31)), by: [.month, .source], village.committee)
        return String(decoding: try encoder.encode(report.figures), as: UTF8.self) + "\n\(report.id) \(summary)"
    }

    private func figures(_ village: TestVillage, of year: Int) async throws -> LivelihoodFigures {
        try await LivelihoodStore(village.database).drawUp(
            year: year, clock: village.clock.clock, village.committee
        ).figures
    }

    @Test func `people and money of visits that are resolved late are of the open year`() async throws {
        try await withVillage { village in
            let day = try #require(CivilDay(year: Self.year, month: 12, day: 22))
            village.clock.set(day, hour: 8)
            let session = try await village.addSession(on: day)
            let visited = TestBooking(try await village.book(village.group(session, headcount: 10), as: .confirmed))
            let forgotten = try await village.addBooking([session], headcount: 11, paid: 55_000)
            let absent = try await village.addBooking([session], headcount: 12)
            let seen = try await village.addBooking([session], headcount: 13)
            let gate = CheckInStore(village.database, keys: village.keys)
            func entry(_ booking: TestBooking, _ headcount: Int) -> CheckInEntry {
                CheckInEntry(
                    code: booking.reference.text, headcount: headcount, nonce: CheckInEntry.freshNonce(),
                    at: Date(timeIntervalSince1970: village.clock.now.timeIntervalSince1970.rounded(.down)),
                    session: session)
            }
            village.clock.set(day, hour: 9)
            let number = try #require(
                try await gate.record(entry(visited, 10), now: village.clock.now, village.committee).number)
            let late = entry(seen, 13)
            village.clock.set(try #require(CivilDay(year: 2026, month: 1, day: 10)), hour: 9)
            try await village.change(
                ClosedBooks.close(
                    through: #require(CivilDay(year: Self.year, month: 12, day: 31)), today: village.today))
            let before = try await told(village)
            #expect(try await figures(village, of: Self.year).visitors.this == 10)
            let now = village.clock.now

            try await village.change(BookingStore.complete(.number(forgotten.number), arrived: 9, now: now))
            #expect(try await told(village) == before)
            try await village.change(BookingStore.noShow(.number(absent.number), now: now))
            #expect(try await told(village) == before)
            let refused = try await refusal {
                _ = try await gate.record(
                    CheckInEntry(
                        code: seen.reference.text, headcount: 13, nonce: CheckInEntry.freshNonce(), at: now,
                        session: session, anyDay: true), now: now, village.committee)
            }
            #expect(refused?.code == "books-closed" && refused?.message.en.contains("2025-12-31") == true)
            let synchronised = try await gate.bringIn([late], now: now, village.committee)
            #expect(synchronised.map(\.word) == ["conflict"])
            #expect(try await told(village) == before)
            let conflict = try #require(try await GateConflictStore(village.database).list(village.committee).first)
            try await village.change(
                GateConflictStore.settle(conflict.id, accept: true, reason: "问过带队人", now: now))
            #expect(try await told(village) == before)
            // 9 of the one that was completed late and 13 of the one that the gate had seen; 550 and 650 yuan.
            let open = try await figures(village, of: 2026)
            #expect(open.visitors.this == 22 && open.groups.this == 2 && open.income(.tours).this == 120_000)
            try await village.change(BookingStore.complete(.number(visited.number), arrived: 8, now: now))
            #expect(try await told(village) == before)
            #expect(try await figures(village, of: 2026).visitors.this == 20)
            try await village.change(BookingStore.undo(.number(visited.number), reason: "登错", now: now))
            try await village.change(BookingStore.undoCheckIn(number, reason: "登错", now: now))
            #expect(try await told(village) == before)
            let undone = try await figures(village, of: 2026)
            #expect(undone.visitors.this == 12 && undone.groups.this == 1 && undone.income(.tours).this == 70_000)
            // What is not paid of a closed year is carried forward to the first open day.
            let first = try #require(CivilDay(year: 2026, month: 1, day: 1))
            #expect(
                try await TourClaims(village.database).sum(from: first, to: first, village.committee).fen == 65_000)
        }
    }

    @Test func `nobody is counted in a closed year by any way`() async throws {
        try await withVillage { village in
            let day = try #require(CivilDay(year: Self.year, month: 12, day: 22))
            village.clock.set(day, hour: 8)
            let booking = try await village.addBooking([try await village.addSession(on: day)], headcount: 10)
            village.clock.set(day.adding(days: 20), hour: 9)
            try await village.change(ClosedBooks.close(through: day, today: village.today))
            let error = try await postgresError {
                try await village.database.transaction(village.committee) { transaction in
                    try await transaction.query(
                        """
                        INSERT INTO tour_visit (village_id, booking_id, visit_day, day, unit_kind, groups, people, actor)
                        VALUES (\(village.village.id), \(booking.number), \(day), \(day), 'school', 1, 10, 'x')
                        """)
                }
            }
            #expect(error?.constraint == "books_closed")
        }
    }
}
