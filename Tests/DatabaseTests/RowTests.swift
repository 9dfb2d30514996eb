import Access
import Batches
import Codes
import Database
import Kernel
import Orchard
import Postgres
import TestSupport
import Testing

/// What the service may write again, and only beside the rows that tell of it.
@Suite struct RowTests {
    /// The constraint that a statement of the service's breaks by the end of its transaction; nil where it goes through.
    private func broken(_ village: TestVillage, _ statements: SQL...) async throws -> String? {
        try await postgresError {
            try await village.database.transaction(village.committee) { try await $0.query(statements) }
        }?.constraint
    }

    @Test(
        arguments: [
            ("UPDATE batch SET recalls = 0, frozen_g = NULL WHERE recalls > 0", "batch_recalls_told"),
            ("UPDATE batch SET recalls = recalls + 1 WHERE recalls > 0", "batch_recalls_told"),
            ("UPDATE batch SET recalls = 1, frozen_g = out_g WHERE recalls = 0", "batch_recalls_told"),
            (
                """
                INSERT INTO recall (village_id, batch_number, cooperative_id, step, reason, actor)
                SELECT village_id, number, cooperative_id, 'open', 'x', 'x' FROM batch WHERE recalls = 0
                """, "batch_recalls_told"
            ),
            ("UPDATE batch SET frozen_g = frozen_g + 1 WHERE recalls > 0", "batch_frozen_told"),
            (
                "UPDATE batch SET frozen_g = frozen_g + 1, out_g = out_g + 1 WHERE recalls > 0",
                "batch_frozen_told"
            ),
            (
                "UPDATE batch b SET grade_id = (SELECT max(id) FROM grade g WHERE g.id <> b.grade_id)",
                "batch_correction_told"
            ),
            (
                "UPDATE batch SET slip = 'another' WHERE number = (SELECT min(number) FROM batch)",
                "batch_correction_told"
            ),
            ("UPDATE batch SET picker = 'another'", "batch_correction_told"),
            ("UPDATE plot_season SET ceiling_g = 100000000000", "plot_season_ceiling_told"),
            ("UPDATE plot_season SET ceiling_g = ceiling_g + 1001", "plot_season_ceiling_told"),
            (
                """
                INSERT INTO plot_season (village_id, plot_id, product_id, season, cooperative_id, harvested_g, ceiling_g)
                SELECT village_id, plot_id, product_id, season + 1, cooperative_id, 0, 100000000000 FROM plot_season
                """, "plot_season_ceiling_told"
            ),
            ("UPDATE api_token SET revoked_at = NULL WHERE revoked_at IS NOT NULL", "api_token_stays_revoked"),
            ("UPDATE api_token SET revoked_at = now() WHERE revoked_at IS NOT NULL", "api_token_stays_revoked"),
            ("UPDATE account SET disabled_at = NULL WHERE disabled_at IS NOT NULL", "account_opening_told"),
            (
                "UPDATE account SET disabled_at = disabled_at + interval '1 year' WHERE disabled_at IS NOT NULL",
                "account_opening_told"
            ),
            ("UPDATE tour_booking SET fee_fen = fee_fen + 1", "tour_booking_summed"),
            ("UPDATE tour_booking SET paid_fen = 0, refund_due_fen = 0", "tour_booking_summed"),
            ("UPDATE tour_booking SET adjusted_fen = 0", "tour_booking_summed"),
            (
                "UPDATE tour_booking SET paid_fen = paid_fen + 1, register_paid_fen = register_paid_fen + 1",
                "tour_booking_register_told"
            ),
            (
                "UPDATE tour_booking_session SET amount_fen = amount_fen - 1",
                "tour_booking_session_priced"
            ),
            ("UPDATE tour_booking_session SET kept_fen = 1", "tour_booking_summed"),
            ("UPDATE tour_booking_session SET headcount = headcount + 1", "tour_session_summed"),
            ("DELETE FROM tour_booking_extra WHERE kind = 'meal'", "tour_booking_summed"),
            (
                """
                INSERT INTO signing_key (village_id, key_id, origin, algorithm, public_key)
                SELECT village_id, 7000, 'other.example.cn', algorithm, public_key FROM signing_key LIMIT 1
                """, "signing_key_of_own_origin"
            ),
        ] as [(SQL, String)])
    func `nothing is changed that no row tells of`(statement: SQL, constraint: String) async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            try await village.audited([
                "UPDATE api_token SET revoked_at = '2020-01-01' WHERE id = (SELECT max(id) FROM api_token)",
                "UPDATE account SET disabled_at = '2020-01-01' WHERE username = 'li.east'",
            ])
            #expect(try await broken(village, statement) == constraint)
            // Nor by putting the check off.
            #expect(try await broken(village, "SET CONSTRAINTS ALL DEFERRED", statement) == constraint)
        }
    }

    @Test func `a booking keeps a session, and the session its seats`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            // Of a group that has nothing else, so that no foreign key keeps it.
            try await village.audited([
                """
                WITH booked AS (
                    INSERT INTO tour_booking (village_id, reference, unit, unit_kind, headcount, leader, phone, state,
                        hold_until, fee_fen, actor)
                    VALUES (1, 'ZZZZZZZZZZZZ', '某单位', 'company', 3, '李', '13900000001', 'held', now(), 0, 'test')
                    RETURNING village_id, id
                ), held AS (UPDATE tour_session SET held = held + 3)
                INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
                    minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent, no_show_fee_percent)
                SELECT b.village_id, b.id, s.id, s.day, 3, 0, 0, 120, 2880, 24, 48, 0, 0 FROM booked b, tour_session s
                """
            ])
            let delete: SQL = "DELETE FROM tour_booking_session WHERE amount_fen = 0"
            #expect(try await broken(village, delete) != nil)
            #expect(try await broken(village, delete, "UPDATE tour_session SET held = 0") == "tour_booking_summed")
        }
    }

    @Test func `what is destroyed leaves a batch under recall, with its movement`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 10_000))
            try await village.change(CodeStore.recall(batch: code.batch, open: true, reason: "抽检不合格"))
            try await village.change(
                BatchStore.withdraw(
                    .loss, batch: code.batch, weight: Weight(grams: 1000), day: village.today, reason: "销毁",
                    today: village.today))
            let sold: SQL = """
                INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
                SELECT village_id, number, cooperative_id, 'gift', -1000, \(village.today), 'x' FROM batch
                """
            let moved: SQL = "UPDATE batch SET out_g = out_g + 1000, frozen_g = frozen_g + 1000"
            #expect(try await broken(village, sold, moved) == "batch_frozen_told")
            try await village.change(CodeStore.recall(batch: code.batch, open: false, reason: "复检合格"))
            #expect(try await village.number("SELECT count(*) FROM batch WHERE recalls = 0 AND out_g = 1000") == 1)
        }
    }

    @Test func `an account lives again when the audit says so in the same transaction`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let made = try await AccountStore(village.database, hasher: PasswordHasher()).create(
                username: "li.east", password: "a long enough password", role: .committee, cooperative: nil,
                village: village.village.id)
            try await village.change(made)
            let accounts = AccountStore(village.database, hasher: PasswordHasher())
            try await village.change(accounts.disable(username: "li.east"))
            let enabled = Event("account.enable", "li.east").insert(by: village.committee)
            let open: SQL = "UPDATE account SET disabled_at = NULL"
            // One of before is not of now.
            #expect(try await broken(village, enabled) == nil)
            #expect(try await broken(village, open) == "account_opening_told")
            let other = Event("account.enable", "wang.west").insert(by: village.committee)
            #expect(try await broken(village, open, other) == "account_opening_told")
            #expect(try await broken(village, open, enabled) == nil)
            #expect(try await village.number("SELECT count(*) FROM account WHERE disabled_at IS NULL") == 1)
        }
    }
}
