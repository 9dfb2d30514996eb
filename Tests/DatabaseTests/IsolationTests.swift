import Kernel
import Postgres
import TestSupport
import Testing

/// What the service can't do by acting otherwise than the program does.
@Suite struct IsolationTests {
    private static let dated = [
        "batch", "batch_correction", "household_period", "income_entry", "plot_period", "sale", "sale_correction",
        "sale_line", "stock_movement",
        "tour_adjustment", "tour_check_in", "tour_check_in_undo", "tour_earning", "tour_payment", "tour_visit",
    ]

    private struct TakenBack: Error {}

    /// The state that the statement ends in; nil when it goes through. It is taken back in any case.
    private func outcome(
        _ statement: SQL, isolation: SQL = "READ COMMITTED", _ village: TestVillage, cooperative: Int? = nil
    ) async throws -> String? {
        do {
            let scope = cooperative.map { village.clerk(of: $0) } ?? village.committee
            try await village.database.transaction(scope) { transaction in
                _ = try await transaction.query(["SET TRANSACTION ISOLATION LEVEL " + isolation, statement])
                throw TakenBack()
            }
        } catch is TakenBack {
        } catch let error as PostgresError {
            return error.sqlState
        }
        return nil
    }

    /// The columns of a table that a statement may give.
    private func columns(of table: String, _ village: TestVillage) async throws -> SQL {
        let names = try await village.owner.query(
            """
            SELECT attname AS name FROM pg_attribute WHERE attrelid = \(table)::regclass AND attnum > 0
                AND NOT attisdropped AND attgenerated = '' AND attidentity <> 'a' ORDER BY attnum
            """
        ).map { try $0.decode("name", as: String.self) }
        let list: SQL = "village_id"
        return names.filter { $0 != "village_id" }.reduce(list) { list, name in list + ", \(identifier: name)" }
    }

    @Test func `each table of dated rows has a rule for closed books`() async throws {
        try await withVillage { village in
            let tables = try await village.owner.query(
                """
                SELECT polrelid::regclass::text AS name FROM pg_policy WHERE polname LIKE '%\\_open\\_books' ORDER BY 1
                """
            ).map { try $0.decode("name", as: String.self) }
            #expect(tables == Self.dated)
        }
    }

    /// There the moment at which a transaction began would decide what it sees of a closing for which it has waited.
    @Test func `dated rows and codes are written in READ COMMITTED alone`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            for table in Self.dated + ["code"] {
                let columns = try await columns(of: table, village)
                let again: SQL = """
                    INSERT INTO \(identifier: table) (\(columns)) SELECT \(columns) FROM \(identifier: table) LIMIT 1
                    ON CONFLICT DO NOTHING
                    """
                #expect(try await outcome(again, village) == nil, "\(table)")
                for isolation in ["REPEATABLE READ", "SERIALIZABLE"] as [SQL] {
                    let state = try await outcome(again, isolation: isolation, village)
                    #expect(state == (table == "code" ? "25000" : "42501"), "\(table)")
                }
            }
        }
    }

    @Test func `rows of two villages are not written by one statement`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            for table in Self.dated {
                let columns = try await columns(of: table, village)
                let state = try await outcome(
                    """
                    WITH one AS MATERIALIZED (SELECT t AS sample FROM \(identifier: table) t LIMIT 1)
                    INSERT INTO \(identifier: table) (\(columns)) SELECT \(columns)
                    FROM unnest(ARRAY[1, 2]) place (its_village)
                    CROSS JOIN LATERAL (
                        SELECT set_config('taoyuan.village', its_village::text, true) AS setting OFFSET 0) acting
                    CROSS JOIN one
                    CROSS JOIN LATERAL jsonb_populate_record(sample, jsonb_build_object('village_id', its_village)) copied
                    WHERE setting IS NOT NULL
                    ON CONFLICT DO NOTHING
                    """, village)
                #expect(state == "42501", "\(table)")
            }
        }
    }

    @Test func `a clerk revokes no code of another cooperative`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let code = try await village.register(village.harvest())
            func revoke(as cooperative: Int) async throws -> String? {
                try await outcome(
                    """
                    INSERT INTO code_revocation (village_id, batch_number, cooperative_id, reason, actor)
                    VALUES (1, \(code.batch), \(cooperative), 'malice', 'account:clerk')
                    """, village, cooperative: cooperative)
            }
            #expect(try await revoke(as: orchard.west) == "23503")
            #expect(try await revoke(as: orchard.east) == nil)
        }
    }

    @Test(
        arguments: [
            "SELECT lo_creat(-1)", "SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_put(1, 0, 'x')",
            "SELECT pg_logical_emit_message(false, 'a', 'b')",
        ] as [SQL])
    func `nobody leaves anything beside the tables`(statement: SQL) async throws {
        try await withVillage { village in
            let state = try await outcome(statement, village)
            #expect(state == "42501")
            let error = await #expect(throws: PostgresError.self) { try await village.database.publicQuery(statement) }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `strangers take no lock for which others would wait`() async throws {
        try await withVillage { village in
            let taken = await #expect(throws: PostgresError.self) {
                try await village.database.publicQuery("SELECT pg_advisory_lock(7241003, 1)")
            }
            #expect(taken?.sqlState == "42501")
        }
    }
}
