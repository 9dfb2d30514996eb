import Database
import Foundation
import Kernel
import Postgres

/// `pg_dump` and `pg_restore`, of a version that knows the server's.
struct DumpProgram {
    let binaries: PostgresBinaries
    let settings: Settings

    /// - Parameter folder: where PostgreSQL's programs are; nil looks in the usual places.
    init(_ settings: Settings, server: Int, folder: String?) async throws {
        self.settings = settings
        binaries = try await PostgresBinaries.clients(given: folder, server: server)
    }

    /// Writes the database as it was at `snapshot`, in PostgreSQL's custom format, but for `OwnNumbers`.
    func dump(snapshot: String, role: String?, _ take: @escaping @Sendable ([UInt8]) throws -> Void) async throws {
        // Less compression than usual: it takes half the time, and a tenth more room.
        let words = [
            "--format=custom", "--compress=3", "--no-password", "--lock-wait-timeout=60000", "--snapshot=\(snapshot)",
            "--exclude-table=\(OwnNumbers.schema).*",
        ]
        let outcome = try await command("pg_dump", words + (role.map { ["--role=\($0)"] } ?? []))
            .streaming(.output) { descriptor in
                while case let piece = try Self.read(descriptor), !piece.isEmpty { try take(piece) }
            }
        guard outcome.status == 0 else { throw Refusal.program("pg_dump", outcome.output) }
    }

    /// Restores it in one transaction. Who may do what is granted afterwards.
    func restore(role: String, _ give: @escaping @Sendable (([UInt8]) throws -> Void) throws -> Void) async throws {
        let words = [
            "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password",
            "--role=\(role)",
        ]
        let outcome = try await command("pg_restore", words).streaming(.input) { descriptor in
            try give { try Self.write($0, descriptor) }
        }
        guard outcome.status == 0 else { throw Refusal.program("pg_restore", outcome.output) }
    }

    private func command(_ name: String, _ words: [String]) -> Command {
        // What libpq looks for by itself, such as the file of passwords, it finds there as we do.
        var environment = ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("PG") || $0.key == "HOME" }
        if let password = settings.password { environment["PGPASSWORD"] = password }
        return Command(
            ["\(binaries.folder)/\(name)"] + words + ["--dbname=\(settings.connectionString)"], environment: environment
        )
    }

    /// A megabyte, or what is left.
    private static func read(_ descriptor: Int32) throws -> [UInt8] {
        let size = 1 << 20
        return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Foundation.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw Refusal.backupFile("pg_dump", errno) }
                if got == 0 { return }
                count += got
            }
        }
    }

    private static func write(_ bytes: [UInt8], _ descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Refusal.backupFile("pg_restore", errno) }
            done += count
        }
    }
}
