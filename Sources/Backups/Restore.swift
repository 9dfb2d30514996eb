import Database
import Kernel
import Postgres
import Signing

/// Restores a backup's database into an empty one.
public struct Restore: Sendable {
    private let archive: BackupArchive
    private let owner: Settings
    private let binaries: String?

    public init(_ archive: BackupArchive, owner: Settings, binaries: String?) {
        self.archive = archive
        self.owner = owner
        self.binaries = binaries
    }

    /// Makes the roles, restores in one transaction, and looks whether everything has come. Migrations and grants come
    /// after that.
    /// - Throws: a `Refusal`; then the database is as empty as it was.
    public func run() async throws {
        let server = try await onOwner { connection in
            guard
                try await connection.query(
                    """
                    SELECT FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND NOT EXISTS (
                        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
                    LIMIT 1
                    """
                ).isEmpty
            else { throw Refusal.databaseNotEmpty }
            let rows = try await connection.query("SELECT current_setting('server_version_num')::int / 10000 AS server")
            guard let row = rows.first else { throw Refusal.nothingToBackUp }
            return try row.decode("server", as: Int.self)
        }
        guard server >= archive.about.postgres else {
            throw Refusal.postgresTooOld(server: server, needed: archive.about.postgres)
        }
        let program = try await DumpProgram(owner, server: max(server, archive.about.dumper), folder: binaries)
        try await Migrator.ofThisProgram().makeRoles(using: owner)
        try await program.restore(role: Migrator.owner) { [archive] write in try archive.dump(write) }
        do {
            let found = try await onOwner { connection in
                _ = try await connection.query("SET ROLE \(identifier: Migrator.owner)")
                return try await TableSums.read(on: connection)
            }
            try Self.compare(told: archive.sums, found: found)
        } catch {
            try? await empty()
            throw error
        }
    }

    static func compare(told: [String], found: [String]) throws {
        guard told != found else { return }
        let place = zip(told, found).enumerated().first { $1.0 != $1.1 }?.offset ?? min(told.count, found.count)
        throw Refusal.otherSums(
            told.indices.contains(place) ? told[place] : nil, found.indices.contains(place) ? found[place] : nil)
    }

    /// Takes away what `run` has made, for whoever finds afterwards that it can't stay.
    public func empty() async throws {
        try await onOwner { connection in
            _ = try await connection.query("DROP OWNED BY \(identifier: Migrator.owner) CASCADE")
        }
    }

    private func onOwner<Value: Sendable>(_ body: (Connection) async throws -> Value) async throws -> Value {
        let connection = try await Connection.open(owner)
        let result = await Result { try await body(connection) }
        await connection.close()
        return try result.get()
    }
}
