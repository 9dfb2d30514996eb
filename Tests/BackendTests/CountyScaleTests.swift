import Codes
import Database
import Foundation
import InMemoryLogging
import Kernel
import Logging
import Orchard
import Postgres
import Signing
import TestSupport
import Testing

@testable import Backend

/// What many villages may not make dearer, counted and not timed.
@Suite struct CountyScaleTests {
    private struct Undone: Error {}

    /// Rows and entries of indexes that were read in this transaction so far.
    private func read(_ transaction: Transaction) async throws -> Int {
        try await transaction.query(
            """
            SELECT sum(pg_stat_get_xact_tuples_returned(oid))::bigint AS count FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
            """)[0].decode("count")
    }

    /// In 40 villages each 100 bookings, messages, tokens and answers with which nothing is to be done.
    private let nothingToDo: [SQL] = [
        "SET LOCAL session_replication_role = replica",
        """
        INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state, fee_fen, actor)
        SELECT v, n, translate(lpad(n::text, 12, 'A'), '0189', 'BCDE'), '某校', 'school', 2, '周老师', '13900000000',
            'confirmed', 0, 'test'
        FROM generate_series(1, 40) v, generate_series(1, 100) n
        """,
        """
        INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
            minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent, no_show_fee_percent)
        SELECT v, n, n, current_date + 30, 2, 0, 0, 120, 2880, 24, 48, 0, 0
        FROM generate_series(1, 40) v, generate_series(1, 100) n
        """,
        """
        INSERT INTO message (village_id, id, key, kind, about, name, language, content, sent_at)
        SELECT v, n, 'key:' || n, 'confirmed', 'booking:' || n, '周老师', 'zh', '{}', now()
        FROM generate_series(1, 40) v, generate_series(1, 100) n
        """,
        """
        INSERT INTO api_token (village_id, id, token_hash, name, role, expires_at)
        SELECT v, n, sha256(convert_to(v || ':' || n, 'UTF8')), 'token', 'auditor', now() + interval '1 day'
        FROM generate_series(1, 40) v, generate_series(1, 100) n
        """,
        """
        INSERT INTO idempotent_answer (village_id, actor, key, fingerprint, answer)
        SELECT v, 'test', 'key:' || n, '', '' FROM generate_series(1, 40) v, generate_series(1, 100) n
        """,
    ]

    /// One of each in village 7 with which there is.
    private let somethingToDo: [SQL] = [
        "UPDATE tour_booking SET state = 'held', hold_until = now() WHERE village_id = 7 AND id = 1",
        "UPDATE tour_booking SET requested_at = now() - interval '3 years' WHERE village_id = 7 AND id = 2",
        "UPDATE tour_booking_session SET day = current_date - 1000 WHERE village_id = 7 AND booking_id = 2",
        """
        UPDATE tour_booking_session SET day = (now() AT TIME ZONE 'Asia/Shanghai')::date + 1
        WHERE village_id = 7 AND booking_id = 3
        """,
        "UPDATE message SET sent_at = NULL WHERE village_id = 7 AND id = 4",
        "UPDATE api_token SET revoked_at = now() - interval '99 days' WHERE village_id = 7 AND id = 5",
        "UPDATE idempotent_answer SET created_at = now() - interval '9 days' WHERE village_id = 7 AND key = 'key:6'",
    ]

    @Test(arguments: [false, true])
    func `jobs find what there is to do without reading what there is not`(isAnalyzed: Bool) async throws {
        try await withVillage { village in
            let undone = await #expect(throws: Undone.self) {
                try await village.owner.transaction { transaction in
                    for statement in nothingToDo { _ = try await transaction.query(statement) }
                    if isAnalyzed { _ = try await transaction.query("ANALYZE") }
                    func villages(_ job: String, daysAgo: Int) async throws -> (found: [Int], read: Int) {
                        let before = try await read(transaction)
                        let rows = try await transaction.query(
                            "SELECT villages_with_work(\(job), now() - make_interval(days => \(daysAgo)::int)) AS id")
                        return (try rows.map { try $0.decode("id") }, try await read(transaction) - before)
                    }
                    let jobs = [
                        ("holds", 0), ("reminders", 0), ("messages", 0), ("answers", 2), ("tokens", 90),
                        ("contacts", 730),
                    ]
                    for (job, days) in jobs {
                        let nothing = try await villages(job, daysAgo: days)
                        #expect(nothing.found.isEmpty && nothing.read < 20, "\(job): \(nothing)")
                    }
                    for statement in somethingToDo { _ = try await transaction.query(statement) }
                    for (job, days) in jobs {
                        let something = try await villages(job, daysAgo: days)
                        #expect(something.found == [7] && something.read < 40, "\(job): \(something)")
                    }
                    throw Undone()
                }
            }
            #expect(undone != nil)
        }
    }

    /// Runs `body` with a county of 250 villages; the first has a key, the second one whose file is nowhere.
    private func withCounty(_ body: @Sendable (County, InMemoryLogHandler) async throws -> Void) async throws {
        try await withDataFolder { path in
            let configuration = try Configuration(environment: [:], dataDirectory: path)
            let log = InMemoryLogHandler()
            let county = try await County.open(
                configuration, for: .command, founding: .sample, logger: Logger(label: "test", factory: { _ in log }))
            let result = await Result {
                let place = try await Place.find(configuration, for: .command, making: false) { _ in }
                let owner = Pool(try place.ownerLogin(), size: 1)
                let made = await Result {
                    try await owner.query([
                        "INSERT INTO village (id, name, brand) SELECT n, '村' || n, '牌' FROM generate_series(2, 250) n",
                        """
                        INSERT INTO village_origin (origin, village_id)
                        SELECT format('v%s.example.cn', n), n FROM generate_series(2, 250) n
                        """,
                        """
                        INSERT INTO signing_key (village_id, key_id, origin, algorithm, public_key)
                        SELECT 2, key_id, 'v2.example.cn', algorithm, public_key FROM signing_key WHERE village_id = 1
                        """,
                    ])
                }
                await owner.close()
                await place.embedded?.close()
                _ = try made.get()
                try await body(county, log)
            }
            await county.close()
            try result.get()
        }
    }

    @Test func `keys are looked at some villages at a time, and a village without its key is named in the log alone`()
        async throws
    {
        try await withCounty { (county, log) async throws in
            let watch = KeyWatch()
            #expect(try await [watch.look(county), watch.look(county), watch.look(county)] == [false, false, true])
            let unable = watch.unable
            // The others have no keys yet.
            #expect(unable.map(\.village.id) == [2])
            #expect(unable.map(\.why.code) == ["no-key-file"])
            _ = try await watch.look(county)
            let lines = log.entries.filter { "\($0.message)" == "villages can't sign" }
            #expect(lines.map { $0.metadata["villages"] } == ["村2 (v2.example.cn)"])
            // As many as half of them.
            #expect(try await refusal { try await county.checkReady() }?.code == "no-key-file")

            let keys = county.configuration.keysFolder
            try FileManager.default.copyItem(atPath: keys, toPath: keys + "-copy")
            try FileManager.default.moveItem(atPath: keys + "-copy", toPath: keys + "/village-2")
            #expect(try await county.villagesUnableToSign().isEmpty)
            // Three looks go round.
            for _ in 0..<3 { _ = try? await county.checkReady() }
            try await county.checkReady()
            for _ in 0..<3 { _ = try await watch.look(county) }
            #expect(log.entries.contains { "\($0.message)" == "villages can sign again" })
        }
    }

    @Test func `no more villages are kept than there is room for, whoever is asked`() async throws {
        try await withCounty { (county, _) async throws in
            let small = County(
                county.configuration, clock: .system, database: county.database, embedded: nil, logger: .silent,
                capacity: 20)
            for village in 2...250 {
                #expect(try await small.backend(at: "v\(village).example.cn")?.village.id == village)
            }
            #expect(small.kept <= 20)
        }
    }
}
