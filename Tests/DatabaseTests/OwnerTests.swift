import Codes
import Database
import Foundation
import Kernel
import Postgres
import TestSupport
import Testing

/// That nobody gets more rights than their own, by whatever runs with somebody else's.
@Suite struct OwnerTests {
    /// What a statement of the service's breaks, in a transaction that is committed if it can be.
    private func state(_ village: TestVillage, _ statements: SQL...) async throws -> String? {
        do {
            try await village.database.transaction(village.committee) { transaction in
                for statement in statements { _ = try await transaction.query(statement) }
            }
            return nil
        } catch let error as PostgresError {
            return error.sqlState
        }
    }

    @Test func `what runs with its owner's rights has a safe path and an owner without power`() async throws {
        try await withVillage { village in
            let functions = try await village.owner.query(
                """
                SELECT p.oid::regprocedure::text AS name, coalesce(array_to_string(proconfig, ';'), '') AS settings,
                    r.rolname::text AS owner, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb
                        OR r.rolreplication OR r.rolcanlogin OR EXISTS (
                        SELECT FROM pg_auth_members m WHERE m.member = r.oid) AS powerful,
                    has_function_privilege('taoyuan_public', p.oid, 'EXECUTE') AS open
                FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE p.prosecdef
                """)
            #expect(functions.count >= 8)
            for row in functions {
                let name: String = try row.decode("name")
                let settings = try row.decode("settings", as: String.self).split(separator: ";")
                #expect(settings.first == "search_path=pg_catalog, pg_temp", "\(name)")
                #expect(try row.decode("owner") == "taoyuan_owner", "\(name)")
                #expect(try row.decode("powerful") == false, "\(name)")
                #expect(try row.decode("open") == false, "\(name)")
            }
        }
    }

    @Test func `all of the schema belongs to the owner, parts and numbers that were made later too`() async throws {
        try await withVillage { village in
            let others = try await village.owner.query(
                """
                SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
                    AND relowner <> 'taoyuan_owner'::regrole
                UNION ALL
                SELECT p.oid::regprocedure::text FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
                    AND proowner <> 'taoyuan_owner'::regrole AND NOT EXISTS (
                        SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
                """)
            #expect(try others.map { try $0.decode("name", as: String.self) } == [])
        }
    }

    @Test func `a temporary view in the place of a catalogue's table gains nothing`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.register(village.harvest())
            // In whatever of these a function looks, it would run `gain` with its owner's rights.
            try await village.database.transaction(village.committee) { transaction in
                _ = try await transaction.query(
                    """
                    CREATE FUNCTION pg_temp.gain() RETURNS name LANGUAGE plpgsql AS $$
                    BEGIN
                        PERFORM set_config('taoyuan.gained', current_user, false);
                        RETURN current_user;
                    END
                    $$
                    """)
                for name in [
                    "pg_class", "pg_namespace", "pg_roles", "cooperative", "event", "batch", "signing_key_end",
                ] {
                    _ = try await transaction.query(
                        """
                        CREATE TEMPORARY VIEW \(identifier: name) AS
                        SELECT o.oid, 'r'::"char" AS relkind, 2200::oid AS relnamespace, 10::oid AS relowner, 0 AS relpages,
                            1 AS village_id, 1 AS id, 1 AS key_id, 1::bigint AS number, 1 AS merged_into, 1 AS in_g,
                            0 AS out_g, pg_temp.gain() AS relname
                        FROM pg_catalog.pg_class o WHERE pg_temp.gain() IS NOT NULL
                        """)
                    // The owner, too, has to be let in.
                    _ = try await transaction.query("GRANT SELECT ON pg_temp.\(identifier: name) TO PUBLIC")
                }
                _ = try await transaction.query("SELECT set_config('taoyuan.gained', '', false)")
                _ = try await transaction.query("SELECT analyze_new_tables()")
                _ = try await transaction.query("SELECT number_events(1)")
                _ = try await transaction.query(
                    """
                    INSERT INTO public.batch_correction (village_id, batch_number, cooperative_id, kind, day, reason,
                        grams_before, grams_after, grade_before, grade_after, slip_after, picker_before, picker_after, actor)
                    SELECT village_id, number, cooperative_id, 'correct', harvested_on, 'x', in_g, in_g, grade_id, grade_id,
                        '1', picker, picker, 'x'
                    FROM public.batch
                    """)
                _ = try await transaction.query("UPDATE public.batch SET out_g = out_g, in_g = in_g, slip = '1'")
                _ = try await transaction.query("SET CONSTRAINTS ALL IMMEDIATE")
                let gained = try await transaction.query("SELECT current_setting('taoyuan.gained') AS who").first
                #expect(try gained?.decode("who") == "")
            }
            let powers = try await village.number(
                "SELECT count(*) FROM pg_roles WHERE rolname = 'taoyuan_service' AND rolsuper")
            #expect(powers == 0)
        }
    }

    @Test(
        arguments: [
            "DELETE FROM signing_key_end", "UPDATE signing_key_end SET day = day + 1000",
            "UPDATE signing_key SET created_at = now()", "UPDATE village_origin SET origin = 'other.example.cn'",
            "INSERT INTO village_origin (origin, village_id) VALUES ('other.example.cn', 1)",
            "UPDATE batch SET labelled_g = 0", "UPDATE product SET ceiling_g_per_mu = 100000000",
            "UPDATE cooperative SET name = 'x'", "UPDATE grade SET name = 'x'", "UPDATE household SET number = 'x'",
            "UPDATE plot SET number = 'x'", "UPDATE tour_booking SET reference = 'AAAAAAAAAAAA'",
            "UPDATE event SET at = now()", "DELETE FROM idempotent_answer",
            "INSERT INTO event (village_id, at, actor, kind, subject) VALUES (1, '2020-01-01', 'account:li', 'sale.record', '1')",
            "INSERT INTO event (village_id, number, actor, kind, subject) VALUES (1, 7, 'account:li', 'sale.record', '1')",
            "INSERT INTO batch_input VALUES (1, 2, 1, 1, 1)", "INSERT INTO village VALUES (2, 'x', 'x')",
            "UPDATE village SET name = 'x'", "UPDATE village SET brand = 'x'",
            "INSERT INTO tour_step VALUES ('expired', 'confirmed')",
        ] as [SQL])
    func `the service is denied what no command does`(statement: SQL) async throws {
        try await withVillage { village in
            let found = try await state(village, statement)
            #expect(found == "42501")
        }
    }

    @Test func `a batch's counters go back no further than its movements`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 10_000))
            try await village.sell(
                village.sale([.init(batch: code.batch, weight: Weight(grams: 4000), price: Price("8/kg"))]))
            for statement in [
                "UPDATE batch SET out_g = 0", "UPDATE batch SET in_g = in_g + 5000", "UPDATE batch SET in_g = 4000",
                "UPDATE batch SET out_g = out_g - 1, in_g = in_g - 2",
            ] as [SQL] {
                #expect(try await state(village, statement) == "23514", "\(statement)")
                // Not by putting the check off either.
                #expect(try await state(village, "SET CONSTRAINTS ALL DEFERRED", statement) == "23514", "\(statement)")
            }
            #expect(try await village.number("SELECT out_g FROM batch") == 4000)
        }
    }

    @Test func `no code is recorded under a key that has ended, whoever writes`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let id = try village.keys.signer().keyID
            let unaware = try await village.anotherKeyRing(village.database)
            for plan in [
                SigningKeyStore.retire(id, today: village.today),
                SigningKeyStore.compromise(id, since: village.today, today: village.today),
            ] {
                try await village.change(plan)
                let refused = try await refusal {
                    try await village.database.change(
                        village.committee,
                        CodeStore(village.database, keys: unaware).register(village.harvest(), today: village.today))
                }
                #expect(refused?.code == "key-ended")
            }
            #expect(try await village.number("SELECT count(*) FROM code") == 0)
            #expect(try await village.number("SELECT count(*) FROM batch") == 0)
        }
    }

    @Test func `a key ends after the codes that are being recorded under it`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let id = code.signed.body.keyID
            let keys = village.keys
            let (written, isWritten) = AsyncStream<Void>.makeStream()
            let (goOn, mayGoOn) = AsyncStream<Void>.makeStream()
            let register = Task {
                try await village.database.transaction(village.committee) { transaction in
                    let plan = CodeStore(village.database, keys: keys).register(village.harvest(), today: village.today)
                    _ = try await plan(transaction, village.committee).write(in: transaction, village.committee)
                    isWritten.yield()
                    for await _ in goOn { break }
                }
            }
            for await _ in written { break }
            let end = Task { try await village.change(SigningKeyStore.retire(id, today: village.today)) }
            try await awaitCondition("the key's end waiting") {
                try await village.number(
                    "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = \(village.databaseName) AND NOT l.granted"
                ) > 0
            }
            mayGoOn.yield()
            try await register.value
            try await end.value
            #expect(try await village.number("SELECT count(*) FROM code") == 2)
        }
    }
}
