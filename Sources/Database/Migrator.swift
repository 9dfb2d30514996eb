import Kernel
import Postgres

/// Brings a database to the schema of this program, and tells whether it has it.
///
/// What was applied stands in `public.schema_migration`, with the SHA-256 of each file.
public struct Migrator: Sendable {
    /// "taoyuan" in ASCII; the lock is one database's.
    private static let lock: Int64 = 0x74_616F_7975_616E

    /// The role that owns what migrations make.
    public static let owner = "taoyuan_owner"

    let roles: String
    let migrations: [Migration]
    let grants: Grants
    let owner: String?

    /// - Parameters:
    ///   - roles: a script that makes the roles; it is run before the migrations each time.
    ///   - grants: a script that says who may do what; it is run after the migrations where something differs.
    ///   - owner: the role in which migrations run; nil for the user that logs in.
    public init(roles: String, migrations: [Migration], grants: String = "", owner: String? = nil) {
        self.roles = roles
        self.migrations = migrations.sorted { $0.number < $1.number }
        self.grants = Grants(script: grants)
        self.owner = owner
    }

    /// Applies what is missing, each migration in a transaction of its own. Of several at a time one works and the
    /// others wait for it.
    ///
    /// - Parameter work: what else is to be done by one at a time, such as making a first key.
    /// - Returns: the migrations that were applied now.
    /// - Throws: a `Refusal` of kind `conflict` when the database is newer, has other migrations or lacks one in the
    ///   middle, or a migration fails; a `PostgresError`; `CancellationError`; what `work` throws.
    public func migrate(
        using settings: Settings, then work: @Sendable (Connection) async throws -> Void = { _ in }
    ) async throws -> [Migration] {
        try await connected(settings) { connection in
            // Held until the connection closes.
            _ = try await connection.query("SELECT pg_advisory_lock(\(Self.lock))")
            try await checkFitness(connection)
            try await makeRoles(connection)
            if let owner { _ = try await connection.query("SET ROLE \(identifier: owner)") }
            _ = try await connection.query(
                """
                CREATE TABLE IF NOT EXISTS public.schema_migration (
                    number int PRIMARY KEY,
                    topic text NOT NULL,
                    checksum text NOT NULL,
                    applied_at timestamptz NOT NULL DEFAULT now()
                )
                """)
            let missing = try await missing(on: connection)
            for migration in missing { try await apply(migration, on: connection) }
            _ = try await connection.query("RESET ROLE")
            try await refusing("grants.sql") {
                try await grants.apply(on: connection)
                try await Distribution.grant(on: connection)
            }
            try await work(connection)
            return missing
        }
    }

    /// Makes the roles alone, for what is restored to belong to them.
    public func makeRoles(using settings: Settings) async throws {
        try await connected(settings) { connection in
            try await checkFitness(connection)
            try await makeRoles(connection)
        }
    }

    private func makeRoles(_ connection: Connection) async throws {
        try await refusing("roles.sql") {
            do {
                try await connection.changingRoles(roles)
            } catch let error as PostgresError where error.sqlState == "42501" {
                throw Refusal.rolesDenied(reason: error.message)
            }
        }
    }

    /// Whether the database takes every character, and holds nobody else's tables, which would become ours.
    private func checkFitness(_ connection: Connection) async throws {
        let rows = try await connection.query(
            """
            SELECT pg_encoding_to_char(encoding)::text AS encoding, datname::text AS name,
                CASE WHEN to_regclass('public.schema_migration') IS NULL THEN (
                    SELECT min(relname)::text FROM pg_class c
                    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (
                        SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) END AS other
            FROM pg_database WHERE datname = current_database()
            """)
        guard let row = rows.first else { return }
        let encoding: String = try row.decode("encoding")
        guard encoding == "UTF8" else { throw Refusal.wrongEncoding(encoding, of: try row.decode("name")) }
        if let other = try row.decode("other", as: String?.self) { throw Refusal.othersTables(other) }
    }

    /// Whether the database has exactly the schema of this program; a server asks before it starts.
    ///
    /// The user needs the right to read `public.schema_migration`.
    /// - Throws: a `Refusal` of kind `conflict` when it has not; a `PostgresError`; `CancellationError`.
    public func check(using settings: Settings) async throws {
        let missing: [Migration]
        do {
            missing = try await connected(settings) { try await self.missing(on: $0) }
        } catch let error as PostgresError where error.sqlState == "42501" {
            throw Refusal.schemaClosed
        }
        if let first = missing.first { throw Refusal.schemaOlder(first) }
    }

    /// Whether the database still has the number of migrations that this program knows; cheap, through the pool.
    /// - Throws: as above; a `Refusal` of kind `unavailable`.
    public func check(in database: Database) async throws {
        let rows = try await database.queryOutside("SELECT max(number) AS newest FROM public.schema_migration")
        let newest = try rows.first?.decode("newest", as: Int?.self) ?? 0
        if newest > migrations.count { throw Refusal.schemaNewer(Migration.name(newest, "?")) }
        if newest < migrations.count { throw Refusal.schemaOlder(migrations[newest]) }
    }

    private func connected<Result: Sendable>(
        _ settings: Settings, _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        let connection: Connection
        do {
            connection = try await Connection.open(settings)
        } catch let error as PostgresError where error.kind == .cannotConnect {
            let reason = error.message.split(separator: "\n").first ?? ""
            throw Refusal(
                .unavailable, "database-unreachable", field: settings.setting, zh: "连不上 PostgreSQL：\(reason)",
                en: "PostgreSQL can't be reached: \(reason)")
        }
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    private func refusing(_ name: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as PostgresError where error.sqlState != nil {
            throw Refusal.migrationFailed(name, reason: error.message)
        }
    }

    private func apply(_ migration: Migration, on connection: Connection) async throws {
        do {
            // Where tables are spread over nodes (Citus), foreign keys among them ask for one node after the other.
            let sequential = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'"
            try await connection.run(script: "BEGIN;\n\(sequential);\n\(migration.sql)\n")
            _ = try await connection.query(
                """
                INSERT INTO public.schema_migration (number, topic, checksum)
                VALUES (\(migration.number), \(migration.topic), encode(sha256(convert_to(\(migration.sql), 'UTF8')), 'hex'))
                """)
            try await connection.run(script: "COMMIT")
        } catch let error as PostgresError {
            throw Refusal.migrationFailed(migration.description, reason: error.message)
        }
    }

    /// The migrations that the database has not seen.
    private func missing(on connection: Connection) async throws -> [Migration] {
        for (place, migration) in migrations.enumerated() where migration.number != place + 1 {
            throw Refusal.schemaGap(Migration.name(place + 1, "?"))
        }
        let table = try await connection.query("SELECT to_regclass('public.schema_migration') IS NOT NULL AS found")
        guard try table.first?.decode("found", as: Bool.self) == true else { return migrations }
        let applied = try await connection.query(
            """
            SELECT number, applied.topic, checksum = encode(sha256(convert_to(known.sql, 'UTF8')), 'hex') AS same
            FROM public.schema_migration applied
            LEFT JOIN unnest(\(migrations.map(\.number))::int[], \(migrations.map(\.sql))::text[]) known (number, sql)
                USING (number)
            ORDER BY number
            """)
        for (place, row) in applied.enumerated() {
            let number = try row.decode("number", as: Int.self)
            guard let same = try row.decode("same", as: Bool?.self) else {
                throw Refusal.schemaNewer(Migration.name(number, try row.decode("topic")))
            }
            guard number == place + 1 else { throw Refusal.schemaGap(migrations[place].description) }
            guard same else { throw Refusal.schemaDrifted(migrations[place]) }
        }
        return Array(migrations.dropFirst(applied.count))
    }
}
