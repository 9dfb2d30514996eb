import Kernel
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Database

/// What others have locked.
@Suite struct LockWaitTests {
    private func serving(_ village: TestVillage, patience: Duration, size: Int) -> Database {
        Database(
            service: village.server.settings(user: "taoyuan_service", database: village.databaseName),
            open: village.server.settings(user: "taoyuan_public", database: village.databaseName), size: size,
            patience: patience)
    }

    private func setting(_ name: String, _ transaction: Transaction) async throws -> String {
        try await transaction.query("SELECT current_setting(\(name)) AS value").first?.decode("value") ?? ""
    }

    @Test func `each wait has its end`() async throws {
        try await withVillage { village in
            let database = serving(village, patience: .seconds(5), size: 1)
            let read = { @Sendable (transaction: Transaction) in
                [
                    try await setting("lock_timeout", transaction), try await setting("statement_timeout", transaction),
                ]
            }
            let usual = try await database.transaction(village.committee, read)
            #expect(usual == ["5s", "10s"])
            let summing = try await database.snapshot(village.committee, read)
            #expect(summing == ["5s", "1min"])
            let importing = try await database.commitOnce(village.committee) { (try await read($0), []) }
            #expect(importing == ["1min", "500s"])
            // Nothing of it stays with the connection.
            let after = try await database.transaction(village.committee, read)
            #expect(after == usual)
            await database.close()
        }
    }

    /// A batch is held by an import of its sales, and fifty clerks sell from it.
    @Test func `a batch that somebody holds keeps nobody from another`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let held = try await village.register(village.harvest()).batch
            let other = try await village.register(village.harvest()).batch
            let database = serving(village, patience: .seconds(30), size: 16)
            let sell = { @Sendable (batch: Int64) in
                try await database.change(village.committee) { _, scope in
                    Change(
                        (),
                        writes: [
                            """
                            UPDATE batch SET out_g = out_g WHERE village_id = \(scope.village) AND number = \(batch)
                            """
                        ], event: Event("test", "test"))
                }
            }
            try await village.owner.transaction { owner in
                _ = try await owner.query("SELECT FROM batch WHERE number = \(held) FOR UPDATE")
                try await withThrowingTaskGroup { group in
                    for _ in 0..<50 {
                        group.addTask {
                            do {
                                try await sell(held)
                                return true
                            } catch let refusal as Refusal {
                                #expect(refusal == Database.busy)
                                return false
                            }
                        }
                    }
                    // Half of the pool waits; the rest is told that it is busy while the batch is held still.
                    for _ in 0..<42 { #expect(try await group.next() == false) }
                    try await sell(other)
                    #expect(try await database.query("SELECT 1 AS one", village.committee).count == 1)
                    _ = try await owner.commit()
                    for try await isSold in group { #expect(isSold) }
                }
            }
            await database.close()
        }
    }

    /// Closing the books waits for who writes dated rows; a login that takes its lock and keeps it stops nobody for ever.
    @Test func `an advisory lock is waited for as long as any other`() async throws {
        try await withVillage { village in
            let database = serving(village, patience: .milliseconds(300), size: 1)
            try await village.owner.transaction { owner in
                _ = try await owner.query(ClosedBooks.holdAlone(village.committee))
                let refusal = await #expect(throws: Refusal.self) {
                    try await database.query(ClosedBooks.hold(village.committee), village.committee)
                }
                #expect(refusal == Database.busy)
            }
            await database.close()
        }
    }
}
