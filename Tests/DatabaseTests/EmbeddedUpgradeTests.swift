import Foundation
import Kernel
import Postgres
import Testing

@testable import Database

@Suite struct EmbeddedUpgradeTests {
    @Test func `a server whose files were replaced says so in a sentence`() async throws {
        try await withDataFolder { path in
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            let pool = Pool(embedded.settings(), size: 1)
            let refusal = await #expect(throws: Refusal.self) {
                try await Database.available { _ = try await pool.query("LOAD '$libdir/gone'") }
            }
            #expect(refusal?.code == "postgres-replaced")
            await pool.close()
            await embedded.close()
        }
    }

    @Test func `whoever upgrades is alone, and others are told`() async throws {
        try await withDataFolder { path in
            let first = try await EmbeddedPostgres.open(dataDirectory: path)
            let other = try await EmbeddedPostgres.open(dataDirectory: path)
            #expect(throws: Refusal.self) { try first.useAlone() }
            await other.close()
            await first.close()
            let alone = try await EmbeddedPostgres.open(dataDirectory: path)
            try alone.useAlone()
            try await expectRefusal("database-being-upgraded", toOpen: path, naming: path)
            await alone.close()
            let after = try await EmbeddedPostgres.open(dataDirectory: path)
            await after.close()
        }
    }

    @Test func `what is no cluster is not upgraded, nor one of the newest version`() async throws {
        try await withDataFolder { path in
            func code(force: Bool) async -> String? {
                await #expect(throws: Refusal.self) {
                    _ = try await EmbeddedPostgres.planUpgrade(dataDirectory: path, binaries: nil, force: force)
                }?.code
            }
            #expect(await code(force: true) == "no-data")
            await (try EmbeddedPostgres.open(dataDirectory: path)).close()
            #expect(await code(force: false) == "newest-already")
        }
    }

    @Test func `a first start that was killed is begun again, though its initdb is still at work`() async throws {
        try await withDataFolder { path in
            // As a killed program leaves it: somebody works in `postgres.new` and holds the server's lock.
            let folder = try DataFolder(path)
            try folder.prepareRoot()
            try folder.prepareUnfinished()
            let claim = try FileLock(path: folder.serverLock)
            #expect(claim.tryLock(exclusive: true))
            let opening = Task {
                await EmbeddedServer(folder: folder, binaries: nil, strangerPatience: .milliseconds(50)).opened()
            }
            try await Task.sleep(for: .milliseconds(300))
            claim.unlock()
            #expect(await opening.value == nil)
        }
    }
}

extension EmbeddedServer {
    /// Starts and stops it.
    /// - Returns: why that did not work.
    fileprivate func opened() async -> String? {
        do {
            try folder.prepareContents()
            _ = try await ensureRunning()
            await stop()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
