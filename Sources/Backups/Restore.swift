import Database
import Kernel
import Postgres

/// Restores a backup's database into an empty one.
public struct Restore: Sendable {
    private let archive: BackupArchive
    private let owner: Settings
    private let binaries: String?
    private let skipsNumbers: Bool

    /// - Parameter skipsNumbers: whether batches and bookings may have been registered after the backup, whose numbers
    ///   stand on labels and tickets and are never to be given to others.
    public init(_ archive: BackupArchive, owner: Settings, binaries: String?, skipsNumbers: Bool = true) {
        self.archive = archive
        self.owner = owner
        self.binaries = binaries
        self.skipsNumbers = skipsNumbers
    }

    /// What is there while a restore has not come to its end, even if it was killed.
    private static let mark: SQL = "taoyuan_restoring"
    private static let lock = 7_241_008

    /// Whether a restore was begun and has not come to its end.
    public static func isUnfinished(_ login: Settings) async throws -> Bool {
        let connection = try await Connection.open(login)
        let rows = await Result {
            try await connection.query("SELECT to_regnamespace('\(mark)') IS NOT NULL AS unfinished")
        }
        await connection.close()
        return try rows.get().first?.decode("unfinished") ?? false
    }

    /// Makes the roles, restores in one transaction, looks whether everything has come, and lets `settle` do what comes
    /// after that: keys, migrations and grants.
    /// - Throws: a `Refusal`; then the database is as empty as it was. A restore that was killed is cleared away by the
    ///   next.
    public func run<Value: Sendable>(_ settle: () async throws -> Value) async throws -> Value {
        let connection = try await Connection.open(owner)
        let result = await Result {
            try await begin(connection)
            do {
                try await fill(connection)
                let value = try await settle()
                if skipsNumbers { try await skipNumbers(connection) }
                _ = try await connection.query("DROP SCHEMA \(Self.mark)")
                return value
            } catch {
                try? await empty(connection)
                throw error
            }
        }
        await connection.close()
        return try result.get()
    }

    /// - Parameter connection: holds the lock for as long as it is open.
    private func begin(_ connection: Connection) async throws {
        let rows = try await connection.query(
            """
            SELECT pg_try_advisory_lock(\(Self.lock)::bigint) AS alone, to_regnamespace('\(Self.mark)') IS NOT NULL AS unfinished,
                current_setting('server_version_num')::int / 10000 AS server
            """)
        guard let row = rows.first, try row.decode("alone") else { throw Refusal.restoreUnderWay }
        if try row.decode("unfinished") { try await clearLeftOver(connection) }
        guard
            try await connection.query(
                """
                SELECT FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND NOT EXISTS (
                    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                LIMIT 1
                """
            ).isEmpty
        else { throw Refusal.databaseNotEmpty }
        let server: Int = try row.decode("server")
        guard server >= archive.about.postgres else {
            throw Refusal.postgresTooOld(server: server, needed: archive.about.postgres)
        }
        try await Migrator.ofThisProgram().makeRoles(using: owner)
        _ = try await connection.query("CREATE SCHEMA \(Self.mark)")
    }

    private func fill(_ connection: Connection) async throws {
        let rows = try await connection.query("SELECT current_setting('server_version_num')::int / 10000 AS server")
        let server: Int = try rows.first?.decode("server") ?? 0
        let program = try await DumpProgram(owner, server: max(server, archive.about.dumper), folder: binaries)
        try await program.restore(role: Migrator.owner) { [archive] write in try archive.dump(write) }
        _ = try await connection.query("SET ROLE \(identifier: Migrator.owner)")
        try Self.compare(told: archive.sums, found: try await TableSums.read(on: connection))
        try await archive.numbers.make(on: connection)
        _ = try await connection.query("RESET ROLE")
    }

    static func compare(told: [String], found: [String]) throws {
        guard told != found else { return }
        let place = zip(told, found).enumerated().first { $1.0 != $1.1 }?.offset ?? min(told.count, found.count)
        throw Refusal.otherSums(
            told.indices.contains(place) ? told[place] : nil, found.indices.contains(place) ? found[place] : nil)
    }

    /// By a tenth of what the village has, and at least a thousand: nobody knows how many were lost.
    private func skipNumbers(_ connection: Connection) async throws {
        _ = try await connection.query("SET ROLE \(identifier: Migrator.owner)")
        for kind in ["batch", "tour_booking"] {
            var last = 0
            // Some at a time: one transaction can't lock those of a county.
            while true {
                let rows = try await connection.query(
                    """
                    SELECT id, setval(sequence, least(4294967295, last + greatest(1000, last / 10))) FROM (
                        SELECT v.id, to_regclass(format('numbers.%s_%s', \(kind)::text, v.id)) AS sequence
                        FROM public.village v WHERE v.id > \(last) ORDER BY v.id LIMIT 1000 OFFSET 0) s
                    JOIN LATERAL (
                        SELECT coalesce(pg_sequence_last_value(q.seqrelid), q.seqstart - 1) AS last FROM pg_sequence q
                        WHERE q.seqrelid = s.sequence) l ON true
                    ORDER BY id
                    """)
                guard let newest = rows.last else { break }
                last = try newest.decode("id")
            }
        }
        _ = try await connection.query("RESET ROLE")
    }

    /// What a restore that was killed has left. Its `pg_restore` may be at work still.
    private func clearLeftOver(_ connection: Connection) async throws {
        let others: SQL = "pg_stat_activity WHERE datname = current_database() AND application_name = 'pg_restore'"
        _ = try await connection.query("SELECT pg_terminate_backend(pid) FROM \(others)")
        for _ in 0..<100 where try await !connection.query("SELECT FROM \(others)").isEmpty {
            try await Task.sleep(for: .milliseconds(100))
        }
        try await empty(connection)
    }

    private func empty(_ connection: Connection) async throws {
        _ = try await connection.query("RESET ROLE")
        try await OwnNumbers.drop(on: connection)
        _ = try await connection.query("DROP OWNED BY \(identifier: Migrator.owner) CASCADE")
        _ = try await connection.query("DROP SCHEMA IF EXISTS \(Self.mark)")
    }
}
