import Database
import Foundation
import Kernel
import Postgres
import Tours

/// A booking as a test put it there.
public struct TestBooking: Sendable {
    public let number: Int64
    public let reference: BookingReference
    public let phone: String

    init(number: Int64, reference: BookingReference, phone: String) {
        (self.number, self.reference, self.phone) = (number, reference, phone)
    }

    /// One that the program made.
    public init(_ booking: Booking) {
        self.init(number: booking.id.value, reference: booking.reference, phone: booking.phone)
    }
}

/// Sessions and bookings, written by the superuser past all rules but the database's own.
extension TestVillage {
    /// A session of two hours; the same again if there is one.
    /// - Parameter hour: when it begins, in Asia/Shanghai.
    public func addSession(
        on day: CivilDay? = nil, hour: Int = 9, capacity: Int = 80, site: String = "红色教育基地", programme: String = "红色研学"
    ) async throws -> Int64 {
        let day = day ?? today
        let start = Date(timeIntervalSince1970: Double(day.daysSince1970) * 86_400 + Double(hour - 8) * 3600)
        try await audited([
            """
            INSERT INTO tour_site (village_id, name, kind) VALUES (\(village.id), \(site), 'base')
            ON CONFLICT ON CONSTRAINT tour_site_name_once DO NOTHING
            """,
            """
            INSERT INTO tour_programme (village_id, name, minutes, price_fen)
            VALUES (\(village.id), \(programme), 120, 5000) ON CONFLICT ON CONSTRAINT tour_programme_name_once DO NOTHING
            """,
            """
            INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity)
            SELECT t.village_id, t.id, p.id, \(day), \(start), \(start.addingTimeInterval(7200)), \(capacity)
            FROM tour_site t JOIN tour_programme p ON p.village_id = t.village_id AND p.name = \(programme)
            WHERE t.village_id = \(village.id) AND t.name = \(site)
            ON CONFLICT DO NOTHING
            """,
        ])
        return try await number(
            """
            SELECT s.id FROM tour_session s
            JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
            JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
            WHERE s.village_id = \(village.id) AND t.name = \(site) AND p.name = \(programme) AND s.starts_at = \(start)
            """)
    }

    /// A booking with all its heads in each of the sessions, at 50 yuan a head and session.
    public func addBooking(
        _ sessions: [Int64], state: BookingState = .confirmed, unit: String = "区委党校", headcount: Int = 40,
        leader: String = "王老师", phone: String = "13812345678", email: String? = nil, language: String = "zh",
        note: String? = nil, paid: Int64 = 0
    ) async throws -> TestBooking {
        let reference = try BookingReference.random()
        let before: [BookingState: String] = [
            .confirmed: "requested", .arrived: "confirmed", .completed: "arrived", .cancelled: "confirmed",
            .noShow: "confirmed", .expired: "held",
        ]
        let came = state == .arrived || state == .completed ? headcount : nil
        let fee = Int64(headcount * 5000 * sessions.count)
        let hold = state.holdsSeats ? clock.now.addingTimeInterval(3600) : nil
        let waiting = state == .waitlisted ? clock.now : nil
        var statements: [SQL] = [
            """
            INSERT INTO tour_booking (village_id, reference, unit, unit_kind, headcount, leader, phone, email, language,
                note, state, previous_state, hold_until, waiting_since, arrived, fee_fen, paid_fen, actor)
            VALUES (\(village.id), \(reference.text), \(unit), 'party_school', \(headcount), \(leader), \(phone),
                \(email), \(language), \(note), \(state.rawValue), \(before[state] ?? "new"), \(hold), \(waiting),
                \(came), \(fee), \(paid), 'test')
            """
        ]
        if paid > 0 {
            statements.append(
                """
                INSERT INTO tour_payment (village_id, booking_id, kind, amount_fen, paid_how, day, actor)
                SELECT village_id, id, 'payment', \(paid), '微信', \(today), 'test' FROM tour_booking
                WHERE village_id = \(village.id) AND reference = \(reference.text)
                """)
        }
        for session in sessions {
            statements += [
                """
                INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen,
                    amount_fen, arrived, minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent,
                    no_show_fee_percent)
                SELECT b.village_id, b.id, s.id, s.day, \(headcount), 5000, \(Int64(headcount * 5000)), \(came)::int,
                    120, 2880, 24, 48, 0, 0
                FROM tour_booking b JOIN tour_session s ON s.village_id = b.village_id AND s.id = \(session)
                WHERE b.village_id = \(village.id) AND b.reference = \(reference.text)
                """,
                """
                INSERT INTO tour_check_in (village_id, booking_id, session_id, day, nonce, headcount, counts, offline, at,
                    actor)
                SELECT l.village_id, l.booking_id, l.session_id, l.day, 'fixture-' || l.booking_id || '-' || l.session_id,
                    l.arrived, true, false, \(clock.now), 'test'
                FROM tour_booking_session l JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
                WHERE b.village_id = \(village.id) AND b.reference = \(reference.text) AND l.session_id = \(session)
                    AND l.arrived IS NOT NULL
                """,
                """
                UPDATE tour_session SET held = held + \(state.holdsSeats ? headcount : 0),
                    booked = booked + \(state.ownsSeats ? headcount : 0)
                WHERE village_id = \(village.id) AND id = \(session)
                """,
            ]
        }
        statements.append(
            """
            SELECT settle_tours(village_id, ARRAY[id], \(today), 'test') FROM tour_booking
            WHERE reference = \(reference.text)
            """)
        try await audited(statements)
        let number = try await number("SELECT id FROM tour_booking WHERE reference = \(reference.text)")
        return TestBooking(number: number, reference: reference, phone: phone)
    }

    /// Cancels a booking that holds seats, as far as the gate is concerned.
    public func cancel(_ booking: TestBooking) async throws {
        try await audited([
            """
            UPDATE tour_session s SET booked = s.booked - l.headcount FROM tour_booking_session l
            WHERE l.village_id = s.village_id AND l.session_id = s.id AND l.booking_id = \(booking.number)
            """,
            "UPDATE tour_booking SET previous_state = state, state = 'cancelled' WHERE id = \(booking.number)",
        ])
    }
}
