import Database
import Foundation
import Kernel
import Orchard
import Postgres
import TestSupport
import Testing
import Tours

@testable import Backend

/// What goes when its time is over, and that nothing else does.
@Suite struct UpkeepTests {
    private func store(_ village: TestVillage) -> UpkeepStore { UpkeepStore(village.database) }

    private func withWork(_ job: String, _ village: TestVillage, daysAgo: Double) async throws -> [Int] {
        try await store(village).villages(withWorkFor: job, at: Date(timeIntervalSinceNow: -daysAgo * 86_400))
    }

    @Test func `an answer under a key that is 49 hours old is simply new`() async throws {
        try await withVillage { village in
            let plan: Plan<String> = { _, _ in
                Change("neu", writes: [], event: Event("test.once", "x"))
            }
            func ask(_ key: String) async throws -> String {
                try await village.database.change(
                    village.committee, once: Retry(key: key, fingerprint: [1]), render: { $0 }, plan)
            }
            for key in ["old", "young"] { #expect(try await ask(key) == "neu") }
            _ = try await village.owner.query("UPDATE idempotent_answer SET answer = 'alt'")
            _ = try await village.owner.query(
                "UPDATE idempotent_answer SET created_at = now() - interval '49 hours' WHERE key = 'old'")
            for key in ["old", "young"] { #expect(try await ask(key) == "alt") }
            #expect(try await withWork("answers", village, daysAgo: 2) == [village.village.id])
            #expect(try await store(village).forgetAnswers(of: village.village.id, after: 48) == 1)
            #expect(try await withWork("answers", village, daysAgo: 2).isEmpty)
            #expect(try await ask("old") == "neu")
            #expect(try await ask("young") == "alt")
            // Whatever the service asks for, a day is kept.
            #expect(try await store(village).forgetAnswers(of: village.village.id, after: 0) == 0)
        }
    }

    @Test func `sessions and tokens go when they have ended long ago`() async throws {
        try await withVillage { village in
            func token(_ name: String, expires: String, revoked: String?) async throws {
                try await village.audited([
                    """
                    INSERT INTO api_token (village_id, token_hash, name, role, expires_at, revoked_at)
                    VALUES (\(village.village.id), sha256(convert_to(\(name), 'UTF8')), \(name), 'auditor',
                        now() + \(expires)::interval, now() + \(revoked)::interval)
                    """
                ])
            }
            try await token("runs", expires: "1 day", revoked: nil)
            try await token("lately", expires: "-80 days", revoked: nil)
            try await token("over", expires: "-91 days", revoked: nil)
            try await token("revoked", expires: "900 days", revoked: "-91 days")
            #expect(try await withWork("tokens", village, daysAgo: 90) == [village.village.id])
            #expect(try await store(village).forgetTokens(of: village.village.id, after: 90) == 2)
            let left = try await village.owner.query(
                "SELECT name FROM api_token WHERE name <> 'populated' ORDER BY name")
            #expect(try left.map { try $0.decode("name", as: String.self) } == ["lately", "runs"])
            #expect(try await store(village).forgetTokens(of: village.village.id, after: 0) == 1)
        }
    }

    @Test func `of a visit two years ago the figures stay, and nobody who led it`() async throws {
        try await withVillage { village in
            let tour = try await village.tourProgramme()
            func visit(_ phone: String, leader: String, hour: Int) async throws -> Int64 {
                let session = try await village.tourSession(tour, hour: hour)
                let wanted = NewBooking(
                    unit: "某校", unitKind: .school, headcount: 10, leader: leader, phone: phone,
                    email: "\(phone)@example.cn", note: "联系\(leader)", sessions: [session])
                return try await village.book(wanted, as: .confirmed).id.value
            }
            let old = try await visit("13811111111", leader: "甲老师", hour: 9)
            let young = try await visit("13822222222", leader: "乙老师", hour: 14)
            let before = try await figures(of: old, village)
            for (id, days) in [(old, 731), (young, 700)] { try await backdate(id, days: days, village) }
            #expect(try await village.holds("13811111111").sorted() == ["message", "tour_booking"])

            #expect(try await withWork("contacts", village, daysAgo: 730) == [village.village.id])
            #expect(try await store(village).forgetContacts(of: village.village.id, after: 730) == 1)
            #expect(try await withWork("contacts", village, daysAgo: 730).isEmpty)
            #expect(try await village.holds("13811111111").isEmpty)
            #expect(try await village.holds("甲老师").isEmpty)
            #expect(try await figures(of: old, village) == before)
            let event = try await village.owner.query(
                "SELECT figures->>'bookings' AS n FROM event WHERE kind = 'booking.forget'")
            #expect(try event.map { try $0.decode("n", as: String.self) } == ["1"])
            #expect(try await village.holds("13822222222").sorted() == ["message", "tour_booking"])
            // A year is kept, whatever the service asks for.
            #expect(try await store(village).forgetContacts(of: village.village.id, after: 0) == 1)
        }
    }

    private func figures(of booking: Int64, _ village: TestVillage) async throws -> String {
        let rows = try await village.owner.query(
            """
            SELECT concat_ws(' ', unit, unit_kind, headcount, state, fee_fen, paid_fen, reference) AS text
            FROM tour_booking WHERE id = \(booking)
            """)
        return try #require(rows.first).decode("text")
    }

    private func backdate(_ booking: Int64, days: Int, _ village: TestVillage) async throws {
        try await village.audited([
            "SET LOCAL session_replication_role = replica",
            "UPDATE tour_booking SET requested_at = now() - make_interval(days => \(days) + 9) WHERE id = \(booking)",
            """
            UPDATE tour_session SET day = was.day, starts_at = (was.day + time '09:00') AT TIME ZONE 'Asia/Shanghai',
                ends_at = (was.day + time '10:00') AT TIME ZONE 'Asia/Shanghai'
            FROM (SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date - \(days)::int AS day) was
            WHERE id IN (SELECT session_id FROM tour_booking_session WHERE booking_id = \(booking))
            """,
            """
            UPDATE tour_booking_session SET day = (now() AT TIME ZONE 'Asia/Shanghai')::date - \(days)::int
            WHERE booking_id = \(booking)
            """,
        ])
    }

    @Test func `a scan that fell outside the months is moved into its own, and old months go`() async throws {
        try await withVillage { village in
            let code = try await scannedCode(village)
            func scan(_ day: SQL) async throws {
                _ = try await village.owner.query(
                    """
                    INSERT INTO scan (village_id, day, batch_number, serial, visitor)
                    VALUES (\(village.village.id), \(day), \(code), '', \([UInt8](repeating: 7, count: 16)))
                    """)
            }
            let days: [SQL] = [
                "(now() + interval '3 years')::date", "(now() - interval '30 months')::date", "now()::date",
            ]
            for day in days { try await scan(day) }
            #expect(try await village.number("SELECT count(*) FROM scan_later") >= 2)
            #expect(try await store(village).keepScanMonths(24) > 0)
            #expect(try await village.number("SELECT count(*) FROM scan_later") == 0)
            let left = try await village.owner.query(
                "SELECT day > now() AS later, tableoid::regclass::text AS month FROM scan ORDER BY day")
            #expect(try left.map { try $0.decode("later", as: Bool.self) } == [false, true])
            let future: String = try #require(left.last).decode("month")
            #expect(future.hasPrefix("scan_20") && future != "scan_later")
            // Its rows are as good as others': once a day, and of codes that there are.
            let twice = await #expect(throws: PostgresError.self) { try await scan(days[0]) }
            #expect(twice?.sqlState == "23505")
            try await scan("(now() + interval '3 years')::date + 1")
            // A year at least stays, whatever the service asks for, and another run has nothing to do.
            #expect(try await store(village).keepScanMonths(0) == 0)
            #expect(try await village.number("SELECT count(*) FROM scan") == 3)
        }
    }

    @Test func `a scan under a clock that ran ahead is in no start's way`() async throws {
        try await withVillage { village in
            let code = try await scannedCode(village)
            let ahead = village.today.adding(days: 800)
            _ = try await village.owner.query(
                """
                INSERT INTO scan (village_id, day, batch_number, serial, visitor)
                VALUES (\(village.village.id), \(ahead), \(code), '', \([UInt8](repeating: 7, count: 16)))
                """)
            #expect(try await village.number("SELECT count(*) FROM scan_later") == 1)
            for _ in 0..<2 { try await VillageStore.prepareScanMonths(from: ahead, owner: village.owner) }
            #expect(try await village.number("SELECT count(*) FROM scan_later") == 0)
            #expect(try await village.number("SELECT count(*) FROM scan WHERE day = \(ahead)") == 1)
        }
    }

    private func scannedCode(_ village: TestVillage) async throws -> Int64 {
        _ = try await village.plant()
        return try await village.register(village.harvest(grams: 1000)).batch
    }

    @Test func `the service removes nothing but by these rules`() async throws {
        try await withVillage { village in
            for statement in [
                "DELETE FROM idempotent_answer", "DELETE FROM api_token", "DELETE FROM message", "DELETE FROM scan",
                "UPDATE tour_booking SET forgotten_at = now()", "SELECT scan_month('2030-01-01')",
                "DROP TABLE scan_later",
            ] as [SQL] {
                let error = await #expect(throws: PostgresError.self) {
                    try await village.database.queryOutside(statement)
                }
                #expect(error?.sqlState == "42501")
            }
        }
    }
}
