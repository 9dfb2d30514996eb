import Kernel
import Postgres
import TestSupport
import Testing

/// What the program's roles may do, tried and asked.
@Suite struct PrivilegeTests {
    private static let history = [
        "batch", "batch_input", "stock_movement", "ceiling_override", "sale", "sale_line", "code", "code_revocation",
        "recall", "scan", "income_entry", "event", "tour_payment", "tour_check_in", "tour_check_in_undo",
        "tour_gate_conflict", "tour_gate_settlement", "message", "livelihood_report", "household_period",
        "plot_period", "tour_adjustment", "tour_earning", "batch_correction", "sale_correction", "withdrawal_undo",
        "tour_picking_sale", "tour_visit", "sale_name",
    ]

    /// What of history may be written again: counters, and how far a message has come.
    private static let writable = [
        "batch": [
            "grade_id", "slip", "picker", "in_g", "out_g", "voided", "recalls", "frozen_g",
        ],
        "sale": ["number", "paid_how"], "sale_line": ["returned_g", "refunded_fen"],
        "income_entry": ["register_key", "corrected_fen"],
        "message": ["due_at", "attempts", "sent_at", "given_up_at", "last_error", "refused"],
    ]

    private func denied(_ village: TestVillage, _ statement: SQL) async -> Bool {
        do {
            _ = try await village.database.transaction(village.committee) { try await $0.query(statement) }
            return false
        } catch {
            return (error as? PostgresError)?.sqlState == "42501"
        }
    }

    @Test(arguments: history) func `the service neither changes nor removes history`(table: String) async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            let before = try await village.number("SELECT count(*) FROM \(identifier: table)")
            #expect(before > 0)
            #expect(await denied(village, "DELETE FROM \(identifier: table)"))
            #expect(await denied(village, "TRUNCATE \(identifier: table)"))
            #expect(await denied(village, "UPDATE \(identifier: table) SET village_id = village_id"))
            #expect(try await village.number("SELECT count(*) FROM \(identifier: table)") == before)
            let rights = try await village.owner.query(
                """
                SELECT has_table_privilege('taoyuan_service', \(table)::regclass, 'DELETE') AS removes,
                    has_table_privilege('taoyuan_service', \(table)::regclass, 'TRUNCATE') AS truncates,
                    has_table_privilege('taoyuan_service', \(table)::regclass, 'UPDATE') AS updates,
                    array(SELECT a.attname::text FROM pg_attribute a
                        WHERE a.attrelid = \(table)::regclass AND a.attnum > 0
                            AND has_column_privilege('taoyuan_service', \(table)::regclass, a.attnum, 'UPDATE')
                        ORDER BY a.attnum) AS columns
                """)
            let row = try #require(rights.first)
            #expect(try row.decode("removes") == false)
            #expect(try row.decode("truncates") == false)
            #expect(try row.decode("updates") == false)
            #expect(try row.decode("columns", as: [String].self) == Self.writable[table] ?? [])
        }
    }

    @Test func `the service removes what has no history, and nothing else`() async throws {
        try await withVillage { village in
            let removable = try await village.owner.query(
                """
                SELECT c.relname FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                    AND (has_table_privilege('taoyuan_service', c.oid, 'DELETE')
                        OR has_table_privilege('taoyuan_service', c.oid, 'TRUNCATE')
                        OR has_table_privilege('taoyuan_service', c.oid, 'TRIGGER'))
                ORDER BY c.relname
                """
            ).map { try $0.decode("relname", as: String.self) }
            #expect(
                removable == [
                    // Counts and keys of past days.
                    "scan_count", "scan_key",
                    // Of a booking its events tell where it was; the others are the desk's plans.
                    "tour_booking_extra", "tour_booking_session", "tour_extra", "tour_session_resource",
                    "tour_site_closure",
                ])
        }
    }

    @Test func `the service owns nothing and passes no row-level security`() async throws {
        try await withVillage { village in
            let powers = try await village.number(
                """
                SELECT count(*) FROM pg_roles WHERE rolname IN ('taoyuan_service', 'taoyuan_public')
                    AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)
                """)
            #expect(powers == 0)
            let owned = try await village.number(
                """
                SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
                WHERE r.rolname IN ('taoyuan_service', 'taoyuan_public')
                """)
            #expect(owned == 0)
            #expect(await denied(village, "CREATE TABLE mine (id int)"))
            #expect(await denied(village, "SET ROLE postgres"))
            #expect(await denied(village, "SELECT create_own_numbers(2)"))
            #expect(await denied(village, "SELECT scan_month('2030-01-01')"))
            #expect(await denied(village, "SELECT setval('numbers.batch_1', 1)"))
        }
    }

    private static let views = [
        "public_code": [
            "village_id", "batch_number", "serial", "key_id", "issued_on", "best_before", "revoked", "recalled",
            "product_id", "variety_id", "grade_id", "harvested_on", "cooperative_id",
        ],
        "public_name": ["village_id", "kind", "id", "name"],
        "public_key": [
            "village_id", "key_id", "origin", "algorithm", "public_key", "created_at", "retired_on",
            "compromised_since",
        ],
        "public_village": ["village_id", "name", "brand", "origin"],
        "public_origin": ["origin", "village_id"],
        "public_tour_session": [
            "village_id", "id", "day", "starts_at", "ends_at", "site", "site_kind", "programme_id", "programme",
            "minutes", "price_fen", "languages", "min_group", "max_group", "hold_minutes", "change_hours",
            "free_cancel_hours", "late_fee_percent", "no_show_fee_percent", "capacity", "free",
        ],
        "public_tour_extra": ["village_id", "programme_id", "id", "kind", "name", "price_fen"],
        "public_tour_calendar": [
            "village_id", "id", "day", "starts_at", "ends_at", "site", "programme", "is_cancelled", "version",
            "sequence", "changed_at",
        ],
    ]

    @Test func `strangers read eight views and nothing else`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            let relations = try await village.owner.query(
                """
                SELECT relname FROM pg_class
                WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
                """
            ).map { try $0.decode("relname", as: String.self) }
            #expect(relations.count > 25)
            for relation in relations {
                do {
                    let rows = try await village.database.publicQuery("SELECT * FROM \(identifier: relation)")
                    #expect(rows.columns == Self.views[relation], "\(relation)")
                    #expect(!rows.isEmpty)
                } catch let error as PostgresError {
                    #expect(error.sqlState == "42501", "\(relation)")
                    #expect(Self.views[relation] == nil, "\(relation)")
                }
            }
            let writable = try await village.number(
                """
                SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                    AND c.relkind IN ('r', 'p', 'v') AND (
                        has_any_column_privilege('taoyuan_public', c.oid, 'INSERT')
                        OR has_any_column_privilege('taoyuan_public', c.oid, 'UPDATE')
                        OR has_table_privilege('taoyuan_public', c.oid, 'DELETE')
                        OR has_table_privilege('taoyuan_public', c.oid, 'TRUNCATE'))
                """)
            #expect(writable == 0)
            let sequences = try await village.number(
                """
                SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
                    AND CASE WHEN c.relkind = 'S'
                        THEN has_sequence_privilege('taoyuan_public', c.oid, 'USAGE,SELECT,UPDATE') ELSE false END
                """)
            #expect(sequences == 0)
        }
    }

    @Test(
        arguments: [
            "SET ROLE taoyuan_service", "CREATE TABLE mine (id int)", "SELECT create_own_numbers(2)",
            "SELECT scan_month('2030-01-01')", "SELECT nextval('numbers.batch_1')",
        ] as [SQL])
    func `strangers can't become anybody`(statement: SQL) async throws {
        try await withVillage { village in
            let error = await #expect(throws: PostgresError.self) { try await village.database.publicQuery(statement) }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `what strangers read tells nothing of people`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            var text = ""
            for view in Self.views.keys {
                for row in try await village.database.publicQuery("SELECT to_json(t)::text FROM \(identifier: view) t")
                {
                    text += try row.decode(0, as: String.self)
                }
            }
            #expect(text.contains("瑞蟠21号"))
            // Head and phone of the household, picker, plots, reasons, buyer, actors, usernames, a group and its guide.
            for secret in [
                "张三", "13800000000", "HE", "E1", "W1", "标签丢失", "抽检不合格", "红旗批发", "account:", "li.east", "某校",
                "周老师", "13900000000", "张导", "修路", "没有送出", "压坏", "过磅有误",
            ] {
                #expect(!text.contains(secret), "\(secret)")
            }
        }
    }
}
