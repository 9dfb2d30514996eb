import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Database

/// Villages that have books are migrated without losing anything.
@Suite struct CarryOverTests {
    /// Migrates as far as a topic, lets `body` write, and migrates the rest.
    private func migrated(
        from topic: String, writing statements: [SQL], _ body: (Pool) async throws -> Void
    ) async throws {
        let template = try await Template.shared.value
        let name = "carry_\(UUID().uuidString.prefix(8).lowercased())"
        try await template.createEmpty(name)
        let settings = template.server.settings(database: name)
        let whole = try Migrator.ofThisProgram()
        let end = try #require(whole.migrations.first { $0.topic == topic }).number
        let before = whole.migrations.filter { $0.number <= end }
        _ = try await Migrator(roles: whole.roles, migrations: before).migrate(using: settings)
        let owner = Pool(settings, size: 1)
        for statement in statements { _ = try await owner.query(statement) }
        await owner.close()
        _ = try await whole.migrate(using: settings)
        let after = Pool(settings, size: 1)
        try await body(after)
        await after.close()
        try await template.drop(name)
    }

    /// Bookings as the program wrote them that knew the audit and a story beside it.
    private static let bookings: [SQL] = [
        "INSERT INTO village (id, name, brand, origin) VALUES (1, '试村', '试品', 'v.cn')",
        "INSERT INTO tour_site (village_id, name, kind) SELECT id, '园', 'base' FROM village",
        """
        INSERT INTO tour_programme (village_id, name, minutes, price_fen)
        SELECT id, '课', 120, 5000 FROM village
        """,
        """
        INSERT INTO tour_session (village_id, id, site_id, programme_id, day, starts_at, ends_at, capacity, booked)
        SELECT s.village_id, 7, s.id, p.id, '2025-06-01', '2025-06-01 09:00+08', '2025-06-01 11:00+08', 90, 60
        FROM tour_site s, tour_programme p
        """,
        """
        INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state,
            previous_state, arrived, fee_fen, paid_fen, actor, began_as, began_with)
        SELECT v.id, b.id, b.reference, '某校', 'school', 30, '周老师', '13900000000', b.state, b.previous, b.arrived,
            150000, 0, 'local', b.began, b.heads
        FROM village v, (VALUES
            (1, 'AAAAAAAAAAAA', 'arrived', 'confirmed', 30, 'requested', 28),
            (2, 'BBBBBBBBBBBB', 'completed', 'new', 30, NULL, NULL::int),
            (3, 'CCCCCCCCCCCC', 'cancelled', 'waitlisted', NULL, NULL, NULL)
        ) b (id, reference, state, previous, arrived, began, heads)
        """,
        """
        INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
            arrived)
        SELECT village_id, id, 7, '2025-06-01', 30, 5000, 150000, arrived FROM tour_booking
        """,
        """
        INSERT INTO tour_check_in (village_id, booking_id, session_id, nonce, headcount, counts, offline, at, actor)
        SELECT village_id, 1, 7, 'nonce-000' || n, 30, n = 1, false, now(), 'local' FROM village_of_one, generate_series(1, 2) n
        """,
        """
        INSERT INTO audit (village_id, actor, action, subject, detail)
        SELECT v.village_id, a.actor, a.action, a.subject, a.detail FROM village_of_one v, (VALUES
            (1, 'public', 'booking.requested', '1', '28'), (2, 'local', 'booking.change', '1', '28 → 30, session 6 → 7'),
            (3, 'local', 'booking.confirmed', '1', NULL), (4, 'local', 'booking.paid', '1', '50000 fen 微信'),
            (5, 'local', 'booking.check-in', '1', 'session 7: 30 of 30'),
            (6, 'local', 'booking.check-in-twice', '1', 'session 7: 30 of 30'),
            (7, 'local', 'import.bookings', 'bookings', '1 recorded'),
            (8, 'local', 'booking.picked', '2', 'sale 4: 6000 g, 14400 fen'),
            (9, 'public', 'booking.waitlisted', '3', '30'), (10, 'waiting-list', 'booking.hold', '3', NULL),
            (11, 'local', 'tour.session.cancel', '7', NULL)
        ) a (place, actor, action, subject, detail) ORDER BY a.place
        """,
        """
        INSERT INTO tour_booking_event (village_id, booking_id, actor, state, what, detail)
        SELECT v.village_id, e.booking, 'local', e.state, e.what, e.detail FROM village_of_one v, (VALUES
            (1, 1, 'requested', 'moved', '28 → 30, session 6 → 7'), (2, 1, 'confirmed', 'confirmed', NULL),
            (3, 1, 'confirmed', 'paid', '50000 fen 微信'), (4, 1, 'arrived', 'checked_in', 'session 7: 30 of 30'),
            (5, 1, 'arrived', 'checked_in_twice', 'session 7: 30 of 30'), (6, 2, 'completed', 'imported', NULL),
            (7, 2, 'completed', 'picked', 'sale 4: 6000 g, 14400 fen'), (8, 3, 'waitlisted', 'waitlisted', '30'),
            (9, 3, 'held', 'held', NULL), (10, 3, 'cancelled', 'cancelled', 'kept 300 fen: 下雨')
        ) e (place, booking, state, what, detail) ORDER BY e.place
        """,
    ]

    @Test func `a booking's audit and its story become one, with figures instead of prose`() async throws {
        let one: SQL = "CREATE VIEW village_of_one AS SELECT id AS village_id FROM village"
        let drop: SQL = "DROP VIEW village_of_one"
        try await migrated(from: "lighter_rows", writing: [one] + Self.bookings + [drop]) { owner in
            let told = try await owner.query(
                """
                SELECT subject || ' ' || kind || ' ' || figures::text AS told FROM event
                WHERE kind LIKE 'booking.%' ORDER BY subject, kind = 'booking.imported' DESC, id
                """
            ).map { try $0.decode("told", as: String.self) }
            #expect(
                told == [
                    #"1 booking.requested {"state": "requested", "people": 28}"#,
                    #"1 booking.moved {"state": "requested", "people": 30, "sessions": "7", "people_before": 28, "sessions_before": "6"}"#,
                    #"1 booking.confirmed {"state": "confirmed"}"#,
                    #"1 booking.paid {"fen": 50000, "how": "微信", "state": "confirmed"}"#,
                    #"1 booking.checked_in {"state": "arrived", "booked": 30, "people": 30, "session": 7}"#,
                    #"1 booking.checked_in_twice {"state": "arrived", "booked": 30, "people": 30, "session": 7}"#,
                    #"2 booking.imported {"state": "completed"}"#,
                    #"2 booking.picked {"fen": 14400, "sale": 4, "grams": 6000, "state": "completed"}"#,
                    #"3 booking.waitlisted {"state": "waitlisted", "people": 30}"#,
                    #"3 booking.held {"state": "held"}"#,
                    #"3 booking.cancelled {"state": "cancelled", "reason": "下雨", "kept_fen": 300}"#,
                ])
            let days = try await owner.query("SELECT count(*) AS n FROM tour_check_in WHERE day = '2025-06-01'")
            #expect(try days.first?.decode("n") == 2)
            let others = try await owner.query("SELECT count(*) AS n FROM event WHERE kind NOT LIKE 'booking.%'")
            #expect(try others.first?.decode("n") == 2)
        }
    }
}
