import Codes
import Database
import Foundation
import InMemoryLogging
import Kernel
import Logging
import Postgres
import Signing
import TestSupport
import Testing

/// What keeps a server from serving, and that it is said once.
@Suite struct ReadinessTests {
    @Test func `a database that takes no writes is not ready, which is said once`() async throws {
        try await withVillage { village in
            let log = InMemoryLogHandler()
            // As every transaction on a standby.
            func login(_ user: String) -> Settings {
                var settings = village.server.settings(user: user, database: village.databaseName)
                settings.options = "-c default_transaction_read_only=on"
                return settings
            }
            let database = Database(
                service: login("taoyuan_service"), open: login("taoyuan_public"), size: 1,
                logger: Logger(label: "test", factory: { _ in log }))
            let plan: Plan<Void> = { _, _ in Change((), writes: [], event: Event("test.write", "x")) }
            for _ in 0..<3 {
                let refused = try await refusal { try await database.change(village.committee, plan) }
                #expect(refused?.kind == .unavailable && refused?.code == "database-not-writable")
            }
            #expect(try await refusal { try await database.checkWritable() }?.code == "database-not-writable")
            // It goes on answering what writes nothing.
            #expect(try await database.queryOutside("SELECT 1 AS one").count == 1)
            #expect(log.entries.map { "\($0.message)" } == ["writing to the database is out of order"])
            #expect(log.entries.first?.metadata["reason"] == "read-only")
            await database.close()
            try await village.database.checkWritable()
        }
    }

    @Test func `a database that is away is said once, by reason`() async throws {
        let log = InMemoryLogHandler()
        let nowhere = try Settings(url: "postgres://nobody@127.0.0.1:1/none")
        let database = Database(
            service: nowhere, open: nowhere, size: 2, logger: Logger(label: "test", factory: { _ in log }))
        for _ in 0..<5 {
            #expect(try await refusal { try await database.queryOutside("SELECT 1") }?.code == "database-unavailable")
        }
        #expect(log.entries.map(\.level) == [.error])
        #expect(log.entries.first?.metadata["reason"] == "no connection")
        await database.close()
    }

    @Test func `keys that are gone or don't open are not ready`() async throws {
        try await withVillage { village in
            try village.keys.checkReady()
            let wrong = try await KeyRing(
                village.database, village: village.village,
                folder: KeyFolder(
                    path: village.path("keys"), origin: Origin(village.village.origin),
                    passphrase: Passphrase("something else")))
            #expect(try await refusal { try wrong.checkReady() }?.code == "wrong-passphrase")
            try FileManager.default.moveItem(atPath: village.path("keys"), toPath: village.path("away"))
            // Also where the key is in memory still.
            #expect(try await refusal { try village.keys.checkReady() }?.code == "no-key-file")
            #expect(try await refusal { try wrong.checkReady() }?.code == "no-key-file")
            try FileManager.default.moveItem(atPath: village.path("away"), toPath: village.path("keys"))
            try village.keys.checkReady()
        }
    }
}
