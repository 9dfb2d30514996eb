import Kernel
import Postgres
import TestSupport
import Testing
import Tours

@Suite struct DaySheetTests {
    @Test func `a day's sheet has its sessions and whoever has seats in them`() async throws {
        try await withVillage { village in
            let morning = try await village.addSession(hour: 9)
            let afternoon = try await village.addSession(hour: 14, programme: "红薯采挖")
            _ = try await village.addSession(on: village.today.adding(days: 1))
            let booking = try await village.addBooking([morning, afternoon], headcount: 30, paid: 100_000)
            for state in [BookingState.cancelled, .expired, .waitlisted] {
                _ = try await village.addBooking([morning], state: state)
            }
            let held = try await village.addBooking([morning], state: .held, headcount: 5)
            try await village.audited([
                """
                INSERT INTO tour_extra (village_id, programme_id, kind, name, price_fen)
                SELECT village_id, id, 'meal', '农家午餐', 2500 FROM tour_programme WHERE name = '红色研学'
                """,
                """
                INSERT INTO tour_booking_extra (village_id, booking_id, session_id, extra_id, kind, day, quantity,
                    price_fen, amount_fen)
                SELECT village_id, \(booking.number), \(morning), id, 'meal', \(village.today), 30, 2500, 75000
                FROM tour_extra
                """,
                "UPDATE tour_booking SET fee_fen = fee_fen + 75000 WHERE id = \(booking.number)",
            ])
            let sheet = try await DaySheetStore(village.database).sheet(day: village.today, village.committee)
            #expect(sheet.sessions.map(\.id) == [morning, afternoon])
            #expect(sheet.sessions[0].lines.map(\.booking.number) == [booking.number, held.number])
            #expect(sheet.sessions[0].heads == 35 && sheet.sessions[0].arrived == 0)
            #expect(sheet.sessions[0].lines[0].extras == "农家午餐 × 30")
            #expect(sheet.sessions[1].lines.map(\.extras) == [""])
            #expect(sheet.sessions[0].lines[0].booking.payment.zh == "定金 1000.00 / 3750.00")
            #expect(sheet.sessions[0].hours == "09:00–11:00")
        }
    }

    @Test func `a clerk's sheet tells of nobody`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            _ = try await village.addBooking([try await village.addSession()])
            let sheet = try await DaySheetStore(village.database).sheet(
                day: village.today, village.clerk(of: orchard.east))
            #expect(sheet.sessions.flatMap(\.lines).isEmpty)
        }
    }
}
