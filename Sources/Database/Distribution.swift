import Kernel
import Postgres

/// Spreads the villages of a database over the nodes of a Citus cluster, each village on one of them.
///
/// The owner does it once, while nobody else writes, and again after migrations that made new tables.
public enum Distribution {
    /// Tables of which each node has all rows.
    private static let reference = ["village", "village_origin", "tour_step"]

    /// - Returns: the tables that were spread now.
    /// - Throws: a `Refusal` where there is no Citus; a `PostgresError`.
    public static func distribute(using settings: Settings) async throws -> [String] {
        let connection = try await Connection.open(settings)
        do {
            let tables = try await distribute(on: connection)
            await connection.close()
            return tables
        } catch {
            await connection.close()
            throw error
        }
    }

    private static func distribute(on connection: Connection) async throws -> [String] {
        guard try await !connection.query("SELECT FROM pg_extension WHERE extname = 'citus'").isEmpty else {
            throw Refusal(
                .conflict, "no-citus", field: "DATABASE_URL", zh: "这个数据库没有安装 Citus 扩展，无须分布",
                en: "this database has no extension Citus: there is nothing to spread")
        }
        let tables = try await connection.transaction { transaction in
            _ = try await transaction.query([
                "SET LOCAL ROLE \(identifier: Migrator.owner)",
                // Tables that still are where they were made may point to those that every node has.
                "SET LOCAL citus.enable_local_reference_table_foreign_keys TO off",
                "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'",
            ])
            let tables = try await missing(in: transaction)
            for guarding in try await guards(of: tables, in: transaction) { _ = try await transaction.query(guarding) }
            for table in tables {
                let name = "public.\(table)"
                _ = try await transaction.query(
                    reference.contains(table)
                        ? "SELECT create_reference_table(\(name)::regclass)"
                        : "SELECT create_distributed_table(\(name)::regclass, 'village_id')")
            }
            for granting in try await grants(in: transaction) { _ = try await transaction.query(granting) }
            return tables
        }
        for table in tables {
            let name = "public.\(table)"
            _ = try await connection.query("SELECT truncate_local_data_after_distributing_table(\(name)::regclass)")
        }
        return tables
    }

    /// Grants what nodes ask for beside `sql/grants.sql`, which takes it back whenever it is run; where nothing is spread,
    /// nothing.
    static func grant(on connection: Connection) async throws {
        guard try await !connection.query("SELECT FROM pg_extension WHERE extname = 'citus'").isEmpty else { return }
        try await connection.transaction { transaction in
            for granting in try await grants(in: transaction) { _ = try await transaction.query(granting) }
        }
    }

    /// A node asks the reader of a view for what the view reads, not its owner: strangers get the columns that their views
    /// read, and nothing else. And it asks for a sequence that fills a column where PostgreSQL asks for the column alone.
    static func grants(in transaction: Transaction) async throws -> [SQL] {
        let read = try await transaction.query(
            """
            WITH RECURSIVE seen (id) AS (
                SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
                    AND has_table_privilege('taoyuan_public', oid, 'SELECT')
                UNION
                SELECT v.oid FROM seen JOIN pg_rewrite r ON r.ev_class = seen.id
                JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                    AND d.refclassid = 'pg_class'::regclass
                JOIN pg_class v ON v.oid = d.refobjid AND v.relkind = 'v')
            SELECT t.relname::text AS name, array_agg(DISTINCT a.attname::text) AS columns,
                t.relrowsecurity AND NOT EXISTS (
                    SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polname = t.relname || '_strangers') AS is_bounded
            FROM seen JOIN pg_rewrite r ON r.ev_class = seen.id
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_class'::regclass
            JOIN pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid AND a.attnum > 0
            GROUP BY t.oid
            """)
        var granting: [SQL] = []
        for row in read {
            let table: String = try row.decode("name")
            let columns: [SQL] = try row.decode("columns", as: [String].self).map { "\(identifier: $0)" }
            guard let first = columns.first else { continue }
            let list = columns.dropFirst().reduce(first) { "\($0), \($1)" }
            granting.append("GRANT SELECT (\(list)) ON public.\(identifier: table) TO taoyuan_public")
            guard try row.decode("is_bounded", as: Bool.self) else { continue }
            granting.append(
                """
                CREATE POLICY \(identifier: table + "_strangers") ON public.\(identifier: table)
                FOR SELECT TO taoyuan_public USING (true)
                """)
        }
        let sequences = try await transaction.query(
            """
            SELECT c.relname::text AS name FROM pg_class c
            JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
            """)
        for row in sequences {
            let name: String = try row.decode("name")
            granting.append("GRANT USAGE ON SEQUENCE public.\(identifier: name) TO taoyuan_service")
        }
        return granting
    }

    /// The tables that are not spread yet, each after those that it points to.
    private static func missing(in transaction: Transaction) async throws -> [String] {
        let rows = try await transaction.query(
            """
            SELECT c.relname::text AS name, ARRAY(
                SELECT DISTINCT t.relname::text FROM pg_constraint k JOIN pg_class t ON t.oid = k.confrelid
                WHERE k.conrelid = c.oid AND k.contype = 'f' AND t.oid <> c.oid) AS needs
            FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                AND c.relname <> ALL(ARRAY['schema_migration', 'schema_grants'])
                AND NOT EXISTS (SELECT FROM pg_dist_partition d WHERE d.logicalrelid = c.oid)
            ORDER BY c.relname
            """)
        var waiting = try rows.map {
            (name: try $0.decode("name", as: String.self), needs: Set(try $0.decode("needs", as: [String].self)))
        }
        var ordered = waiting.map(\.name).filter(reference.contains)
        waiting.removeAll { reference.contains($0.name) }
        while !waiting.isEmpty {
            let left = Set(waiting.map(\.name))
            let ready = waiting.filter { $0.needs.isDisjoint(with: left) }.map(\.name)
            // Tables that point at each other go together with the rest.
            guard !ready.isEmpty else { return ordered + waiting.map(\.name) }
            ordered += ready
            waiting.removeAll { ready.contains($0.name) }
        }
        return ordered
    }

    /// Citus refuses triggers, and policies that look into tables, on tables that it spreads. Ours are a second guard of what
    /// the program keeps by itself: sums beside their rows, closed books, whose plot a season is of.
    private static func guards(of tables: [String], in transaction: Transaction) async throws -> [SQL] {
        let triggers = try await transaction.query(
            """
            SELECT c.relname::text AS relation, t.tgname::text AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
            WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY(\(tables)::text[])
            """
        ).map { row in
            let (name, relation): (String, String) = (try row.decode("name"), try row.decode("relation"))
            return "DROP TRIGGER \(identifier: name) ON public.\(identifier: relation)" as SQL
        }
        let policies = try await transaction.query(
            """
            SELECT tablename::text AS relation, policyname::text AS name FROM pg_policies
            WHERE schemaname = 'public' AND permissive = 'RESTRICTIVE' AND tablename = ANY(\(tables)::text[])
            """
        ).map { row in
            let (name, relation): (String, String) = (try row.decode("name"), try row.decode("relation"))
            return "DROP POLICY \(identifier: name) ON public.\(identifier: relation)" as SQL
        }
        let seasons: SQL = """
            ALTER POLICY plot_season_scope ON public.plot_season
            USING (nullif(village_id = nullif(current_setting('taoyuan.village', true), '')::int, false) IS NOT NULL)
            """
        return triggers + policies + (tables.contains("plot_season") ? [seasons] : [])
    }
}
