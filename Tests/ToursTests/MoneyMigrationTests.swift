import Foundation
import Kernel
import Orchard
import Postgres
import TestSupport
import Testing

@testable import Database

/// The books of a village before money was written down by its days.
@Suite struct MoneyMigrationTests {
    private struct Old {
        let letter: String
        let state: String
        var fee = 300_000
        var kept = 0
        var paid = 0
        var due = 0
        var refunded = 0
        var isOfRegister = false

        var came: Bool { state == "completed" }
    }

    private static let olds = [
        Old(letter: "A", state: "cancelled", paid: 300_000),
        Old(letter: "B", state: "completed", fee: 100_000, isOfRegister: true),
        Old(letter: "C", state: "cancelled", kept: 50_000, isOfRegister: true),
        Old(letter: "D", state: "no_show", kept: 150_000),
        Old(letter: "E", state: "completed", paid: 300_000, due: 100_000, refunded: 100_000),
        Old(letter: "F", state: "cancelled", kept: 90_000, paid: 300_000, due: 300_000),
        Old(letter: "G", state: "completed"),
    ]

    private static func rows(_ old: Old, _ number: Int) -> [SQL] {
        [
            """
            INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state,
                previous_state, arrived, fee_fen, kept_fen, paid_fen, refund_due_fen, refunded_fen, register_key, actor)
            VALUES (1, \(number), \(String(repeating: old.letter, count: 12)), '某校', 'school', 30, '周老师', '13900000000',
                \(old.state), \(old.isOfRegister ? "new" : "confirmed"), \(old.came ? 30 : nil), \(old.fee), \(old.kept),
                \(old.paid), \(old.due), \(old.refunded), \(old.isOfRegister ? [UInt8(number)] : nil), 'test')
            """,
            """
            INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
                kept_fen)
            SELECT 1, \(number), id, day, 30, 10000, \(old.fee), \(old.kept) FROM tour_session
            """,
            """
            INSERT INTO tour_payment (village_id, booking_id, kind, amount_fen, paid_how, day, actor)
            SELECT 1, \(number), k.kind, k.fen, '微信', '2025-08-03', 'test'
            FROM (VALUES ('payment', \(old.paid)::bigint), ('refund', \(old.refunded)::bigint)) k (kind, fen)
            WHERE k.fen > 0
            """,
        ]
    }

    @Test func `today's books are carried over without losing a figure`() async throws {
        let template = try await Template.shared.value
        let name = "money_\(UUID().uuidString.prefix(8).lowercased())"
        try await template.createEmpty(name)
        let settings = template.server.settings(database: name)
        let program = try Migrator.ofThisProgram()
        let own = try #require(program.migrations.first { $0.topic == "tour_money" }?.number)
        let before = program.migrations.filter { $0.number < own }
        _ = try await Migrator(roles: program.roles, migrations: before, owner: Migrator.owner)
            .migrate(using: settings)
        let owner = Pool(settings, size: 1)
        let base: [SQL] = [
            "INSERT INTO village (id, name, brand, origin) VALUES (1, '试村', '试品', 'trace.example.cn')",
            "INSERT INTO tour_site (village_id, name, kind) VALUES (1, '桃园', 'orchard')",
            """
            INSERT INTO tour_programme (village_id, name, minutes, price_fen, late_fee_percent, hold_minutes)
            VALUES (1, '采摘', 90, 10000, 30, 77)
            """,
            """
            INSERT INTO tour_session (village_id, id, site_id, programme_id, day, starts_at, ends_at, capacity, booked)
            SELECT 1, 1, s.id, p.id, '2025-08-03', '2025-08-03 09:00+08', '2025-08-03 11:00+08', 500, 120
            FROM tour_site s, tour_programme p
            """,
        ]
        for statement in base + Self.olds.enumerated().flatMap({ Self.rows($1, $0 + 1) }) {
            _ = try await owner.query(statement)
        }
        _ = try await program.migrate(using: settings)

        func value(_ statement: SQL) async throws -> [Int64] {
            try await owner.query(statement).map { try $0.decode("value") }
        }
        let income = try await value(
            """
            SELECT coalesce(sum(i.amount_fen), 0)::bigint AS value
            FROM tour_booking b LEFT JOIN tour_income i ON i.booking_id = b.id AND i.day = '2025-08-03' GROUP BY b.id ORDER BY b.id
            """)
        // Of D nothing was paid, of E some went back, and what F had paid was to go back.
        #expect(income == [0, 100_000, 50_000, 0, 200_000, 0, 300_000])
        let claims = try await value(
            """
            SELECT coalesce(c.amount_fen, 0) AS value FROM tour_booking b LEFT JOIN tour_claim c ON c.booking_id = b.id
            ORDER BY b.id
            """)
        #expect(claims == [0, 0, 0, 150_000, 0, 0, 300_000])
        #expect(
            try await value("SELECT refund_due_fen AS value FROM tour_booking ORDER BY id")
                == [300_000, 0, 0, 0, 100_000, 300_000, 0])
        #expect(
            try await value("SELECT paid_fen AS value FROM tour_booking ORDER BY id")
                == [300_000, 100_000, 50_000, 0, 300_000, 300_000, 0])
        #expect(
            try await value(
                """
                SELECT count(*) AS value FROM tour_booking_session WHERE minutes = 120 AND hold_minutes = 77
                    AND late_fee_percent = 30
                """) == [7])
        await owner.close()
        try await template.drop(name)
    }
}
