import Database
import Kernel
import Postgres
import TestSupport
import Testing

/// What row-level security lets through, table by table as the catalogue has them.
@Suite struct ScopeTests {
    /// Tables without row-level security, and why.
    private static let open = [
        "schema_migration": "what the schema is, which a server reads before it knows a village",
        "schema_grants": "the migrator's own", "village": "names, which strangers read too",
        "tour_step": "the steps that all bookings may take",
    ]

    /// Tables of which everybody in a village sees all rows, and why; other villages see none.
    private static let shared = [
        "village_origin": "where its codes lead, which strangers read too",
        "cooperative": "names that everybody in the village may know",
        "product": "the village's catalogue", "variety": "the village's catalogue", "grade": "the village's catalogue",
        "account": "read before it is known who asks", "api_token": "read before it is known who asks",
        "idempotent_answer": "found by its actor, whom the caller names",
        "ceiling_override": "a clerk's registration has to know what the committee has allowed",
        "signing_key": "public halves, which everybody may see",
        "signing_key_end": "the fate of public halves, which everybody may see",
        "scan": "anonymous, counted for strangers",
        "scan_key": "the day's key, used by the counting of scans alone",
        "scan_count": "anonymous, counted for strangers",
        "tour_site": "the desk's catalogue", "tour_site_closure": "the desk's catalogue",
        "tour_resource": "the desk's catalogue", "tour_programme": "the desk's catalogue",
        "tour_extra": "the desk's catalogue", "tour_session": "a timetable, which strangers may see too",
        "tour_session_resource": "the desk's timetable",
        "spelling": "looked up by the name that was given, which whoever asks knows",
        "sale_name": "looked up by the name that was given, which whoever asks knows",
        "books_closing": "everybody who enters something has to know the day",
    ]

    private struct Table {
        let name: String
        let hasCooperative: Bool
        let isSecured: Bool
    }

    /// Those with a village, without the parts of partitioned ones.
    private func tables(_ village: TestVillage) async throws -> [Table] {
        try await village.owner.query(
            """
            SELECT c.relname, c.relrowsecurity, EXISTS (
                SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'cooperative_id') AS divided
            FROM pg_class c JOIN pg_attribute v ON v.attrelid = c.oid AND v.attname = 'village_id'
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            ORDER BY c.relname
            """
        ).map {
            Table(
                name: try $0.decode("relname"), hasCooperative: try $0.decode("divided"),
                isSecured: try $0.decode("relrowsecurity"))
        }
    }

    private func rows(_ village: TestVillage, _ table: String, notOf cooperative: Int? = nil) async throws -> Int64 {
        guard let cooperative else {
            return try await village.number("SELECT count(*) FROM \(identifier: table)")
        }
        return try await village.number(
            "SELECT count(*) FROM \(identifier: table) WHERE cooperative_id IS DISTINCT FROM \(cooperative)")
    }

    @Test func `every table is secured or listed with its reason`() async throws {
        try await withVillage { village in
            #expect(try await tables(village).count >= 23)
            let open = try await village.owner.query(
                """
                SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                    AND NOT relispartition AND NOT relrowsecurity
                """
            ).map { try $0.decode("relname", as: String.self) }
            #expect(Set(open) == Set(Self.open.keys))
            let all = try await tables(village)
            #expect(Set(all.filter { !$0.isSecured }.map(\.name)).isEmpty)
            #expect(Set(Self.shared.keys).isSubset(of: all.map(\.name)))
        }
    }

    @Test func `a clerk sees the own cooperative's rows and no others`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.populate(orchard)
            let divided = try await tables(village).filter { $0.hasCooperative && Self.shared[$0.name] == nil }
            #expect(divided.count >= 12)
            for table in divided {
                for cooperative in [orchard.east, orchard.west] {
                    let seen = try await village.database.transaction(village.clerk(of: cooperative)) {
                        try await $0.query(
                            """
                            SELECT count(*) AS seen, count(*) FILTER (WHERE cooperative_id IS DISTINCT FROM
                                \(cooperative)) AS foreign FROM \(identifier: table.name)
                            """)
                    }
                    let row = try #require(seen.first)
                    #expect(try row.decode("foreign") == 0, "\(table.name)")
                    let all = try await rows(village, table.name)
                    let others = try await rows(village, table.name, notOf: cooperative)
                    #expect(others > 0, "\(table.name) holds nothing that could be hidden")
                    let expected = table.name == "event" ? 0 : all - others
                    #expect(try row.decode("seen") == expected, "\(table.name)")
                    #expect(expected > 0 || table.name == "event", "\(table.name) holds nothing to see")
                }
            }
        }
    }

    @Test func `a clerk sees nothing of the village's bookings, other income and reports`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.populate(orchard)
            let undivided = try await tables(village).filter { !$0.hasCooperative && Self.shared[$0.name] == nil }
            let names = Set(undivided.map(\.name))
            #expect(
                names.isSuperset(of: [
                    "tour_booking", "tour_booking_session", "tour_booking_extra", "tour_payment", "tour_adjustment",
                    "tour_earning", "tour_visit", "tour_check_in", "tour_check_in_undo", "tour_gate_conflict",
                    "tour_gate_settlement", "tour_picking_sale", "message", "livelihood_report", "income_entry",
                ]))
            for table in undivided {
                #expect(try await rows(village, table.name) > 0, "\(table.name) holds nothing that could be hidden")
                let seen = try await village.database.transaction(village.clerk(of: orchard.east)) {
                    try await $0.query("SELECT count(*) AS seen FROM \(identifier: table.name)")
                }
                #expect(try seen.first?.decode("seen") == 0, "\(table.name)")
            }
        }
    }

    @Test func `the committee sees all rows, another village and a transaction without settings none`() async throws {
        try await withVillage { village in
            try await village.populate(try await village.plant())
            for table in try await tables(village) {
                let count: SQL = "SELECT count(*) AS seen FROM \(identifier: table.name)"
                let all = try await rows(village, table.name)
                #expect(all > 0, "\(table.name) holds nothing that could be hidden")
                let committee = try await village.database.transaction(village.committee) { try await $0.query(count) }
                #expect(try committee.first?.decode("seen") == all, "\(table.name)")
                for cooperative in [nil, 1] {
                    let elsewhere = Scope(village: 2, cooperative: cooperative, actor: "stranger")
                    let seen = try await village.database.transaction(elsewhere) { try await $0.query(count) }
                    #expect(try seen.first?.decode("seen") == 0, "\(table.name)")
                }
                let unset = try await village.database.queryOutside(count)
                #expect(try unset.first?.decode("seen") == 0, "\(table.name)")
            }
        }
    }

    @Test func `a clerk writes the own cooperative's rows and no others`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.populate(orchard)
            let clerk = village.clerk(of: orchard.east)
            for table in try await tables(village) where table.hasCooperative && Self.shared[table.name] == nil {
                // The events take a clerk's rows whatever cooperative they name: the actor is in them.
                // What batches are made of is written by nobody yet.
                if ["event", "batch_input"].contains(table.name) { continue }
                for (cooperative, state) in [(orchard.west, "42501"), (orchard.east, "23505")] {
                    let found = try await village.owner.query(
                        """
                        SELECT to_json(t)::text AS row FROM \(identifier: table.name) t
                        WHERE cooperative_id = \(cooperative) LIMIT 1
                        """)
                    let json: String = try #require(found.first).decode("row")
                    // A copy of a row that is there: where the policy lets it through, its key is taken.
                    let error = await #expect(throws: PostgresError.self, "\(table.name)") {
                        try await village.database.transaction(clerk) {
                            try await $0.query(
                                """
                                INSERT INTO \(identifier: table.name) OVERRIDING SYSTEM VALUE
                                SELECT * FROM json_populate_record(NULL::\(identifier: table.name), \(json)::json)
                                """)
                        }
                    }
                    #expect(error?.sqlState == state, "\(table.name)")
                }
            }
        }
    }

    private struct Undone: Error {}

    @Test(arguments: [
        ("household", "people"), ("plot", "area_centimu"), ("batch", "out_g"), ("plot_season", "ceiling_g"),
    ])
    func `a clerk's update touches the own cooperative's rows alone`(table: String, column: String) async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.populate(orchard)
            let own = try await rows(village, table) - rows(village, table, notOf: orchard.east)
            await #expect(throws: Undone.self) {
                try await village.database.transaction(village.clerk(of: orchard.east)) { transaction in
                    let touched = try await transaction.query(
                        "UPDATE \(identifier: table) SET \(identifier: column) = \(identifier: column)")
                    #expect(touched.affected == Int(own))
                    throw Undone()
                }
            }
            #expect(own > 0)
        }
    }

    @Test func `a clerk can't give a row away`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let error = await #expect(throws: PostgresError.self) {
                try await village.database.transaction(village.clerk(of: orchard.east)) {
                    try await $0.query("UPDATE household SET cooperative_id = \(orchard.west)")
                }
            }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `a scope ends with its transaction`() async throws {
        try await withVillage(poolSize: 1) { village in
            _ = try await village.plant()
            let count: SQL = "SELECT count(*) AS seen FROM household"
            let inside = try await village.database.transaction(village.committee) { try await $0.query(count) }
            #expect(try inside.first?.decode("seen") == 2)
            // The pool has one connection, so this is the same session.
            #expect(try await village.database.queryOutside(count).first?.decode("seen") == 0)
        }
    }
}
