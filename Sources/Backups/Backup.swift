import Database
import Foundation
import Kernel
import Postgres
import Signing
import Synchronization

/// Takes a backup of a village while it is at work: the database of one moment, and the keys' files.
public struct Backup: Sendable {
    private let owner: Settings
    private let keysFolder: String
    private let binaries: String?

    /// - Parameters:
    ///   - owner: the login of the database's owner, whom no row is hidden from.
    ///   - binaries: where PostgreSQL's programs are; nil looks in the usual places.
    public init(owner: Settings, keysFolder: String, binaries: String?) {
        self.owner = owner
        self.keysFolder = keysFolder
        self.binaries = binaries
    }

    /// Writes the file, whole or not at all.
    /// - Parameters:
    ///   - sealing: with what it is encrypted, if it is.
    ///   - keyPassphrase: what opens the keys, to be put into an encrypted backup.
    public func take(
        to path: String, sealing: Passphrase?, keyPassphrase: Passphrase?
    ) async throws -> BackupArchive.Manifest {
        let writer = try BackupWriter(path: path, passphrase: sealing)
        do {
            let connection = try await Connection.open(owner)
            let result = await Result { try await write(writer, connection, keyPassphrase) }
            await connection.close()
            return try result.get()
        } catch {
            writer.abandon()
            throw error
        }
    }

    private func write(
        _ writer: BackupWriter, _ connection: Connection, _ keyPassphrase: Passphrase?
    ) async throws -> BackupArchive.Manifest {
        _ = try await connection.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        let role = try await becomeOwner(connection)
        guard
            let moment = try await connection.query(
                """
                SELECT pg_export_snapshot() AS snapshot, current_setting('server_version_num')::int / 10000 AS server,
                    to_regclass('public.schema_migration') IS NOT NULL AS made
                """
            ).first, try moment.decode("made", as: Bool.self),
            let village = try await connection.query(
                """
                SELECT name, origin, (SELECT max(number) FROM public.schema_migration) AS schema,
                    (SELECT count(*) FROM public.public_village) AS villages
                FROM public.public_village ORDER BY village_id LIMIT 1
                """
            ).first
        else { throw Refusal.nothingToBackUp }
        let server: Int = try moment.decode("server")
        let program = try await DumpProgram(owner, server: server, folder: binaries)
        let about = BackupArchive.Manifest(
            takenAt: Date(), village: try village.decode("name"), origin: try village.decode("origin"),
            villages: try village.decode("villages"), schema: try village.decode("schema"), postgres: server,
            dumper: program.binaries.major)
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try writer.add(BackupArchive.manifest, Array(try encoder.encode(about)))
        // A key's file is there before its record, so those of all records of this moment are there now.
        for (name, bytes) in try KeyFiles.read(keysFolder) { try writer.add(BackupArchive.keys + name, bytes) }
        if let keyPassphrase { try writer.add(BackupArchive.passphrase, keyPassphrase.bytes) }

        async let sums = TableSums.read(on: connection)
        let pieces = Mutex(0)
        try await program.dump(snapshot: try moment.decode("snapshot"), role: role) { piece in
            let number = pieces.withLock { number in
                number += 1
                return number
            }
            let digits = String(number)
            let name = String(repeating: "0", count: max(0, 9 - digits.count)) + digits
            try writer.add(BackupArchive.database + name, piece)
        }
        try writer.add(BackupArchive.sums, Array(try await sums.joined(separator: "\n").utf8))
        // No sequence is part of a snapshot: read after it, it is never behind.
        let now = try await Connection.open(owner)
        let numbers = await Result {
            try await OwnNumbers.read(on: now) { number, lines in
                try writer.add("\(BackupArchive.numbers)\(number)", Array(lines.joined(separator: "\n").utf8))
            }
        }
        await now.close()
        try numbers.get()
        try writer.finish()
        return about
    }

    /// Row-level security lets the owner see all; a database of an older program may not know that role yet.
    private func becomeOwner(_ connection: Connection) async throws -> String? {
        let found = try await connection.query("SELECT FROM pg_roles WHERE rolname = \(Migrator.owner)")
        guard !found.isEmpty else { return nil }
        _ = try await connection.query("SET LOCAL ROLE \(identifier: Migrator.owner)")
        return Migrator.owner
    }
}
