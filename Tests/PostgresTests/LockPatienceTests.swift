import Foundation
import Testing

@testable import Postgres

/// Who waits for a lock, and who does not have to wait for those.
struct LockPatienceTests {
    private func waits(_ pool: Pool) async throws -> String {
        try await pool.query("SELECT current_setting('lock_timeout') AS wait").first?.decode("wait") ?? ""
    }

    @Test func halfOfThePoolWaitsLong() async throws {
        let server = try TestServer.shared.get()
        let pool = Pool(
            server.settings(), size: 5, lockPatience: LockPatience(long: .seconds(7), short: .milliseconds(300)))
        // One after another, all are the same one.
        for _ in 0..<20 { #expect(try await waits(pool) == "7s") }
        #expect(pool.statistics.open == 1)
        /// Takes all of them, one within the other.
        func nested(_ depth: Int) async throws -> [String] {
            guard depth > 0 else { return [] }
            return try await pool.transaction { transaction in
                let rows = try await transaction.query("SELECT current_setting('lock_timeout') AS wait")
                return try rows.map { try $0.decode("wait") } + (try await nested(depth - 1))
            }
        }
        for _ in 0..<3 { #expect(try await nested(5) == ["7s", "7s", "7s", "300ms", "300ms"]) }
        // One that breaks is followed by one of its kind.
        for depth in [1, 5] {
            await #expect(throws: PostgresError.self) {
                _ = try await pool.transaction { transaction in
                    if depth > 1 { _ = try await nested(depth - 1) }
                    _ = try await transaction.query("SELECT pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(try await nested(5).sorted() == ["300ms", "300ms", "7s", "7s", "7s"])
        }
        await pool.close()
    }

    @Test func whoWaitsForALockKeepsNobodyOut() async throws {
        let server = try TestServer.shared.get()
        let owner = server.pool()
        _ = try await owner.query("CREATE TABLE locked_by_another (id int, count int)")
        _ = try await owner.query("INSERT INTO locked_by_another VALUES (1, 0), (2, 0)")
        let pool = Pool(
            server.settings(), size: 8, acquireTimeout: .seconds(600),
            lockPatience: LockPatience(long: .seconds(600), short: .milliseconds(100)))
        try await owner.transaction { transaction in
            _ = try await transaction.query("UPDATE locked_by_another SET count = 1 WHERE id = 1")
            try await withThrowingTaskGroup { group in
                for _ in 0..<50 {
                    group.addTask {
                        do {
                            _ = try await pool.query("UPDATE locked_by_another SET count = count + 1 WHERE id = 1")
                            return true
                        } catch let error as PostgresError where error.sqlState == "55P03" {
                            return false
                        }
                    }
                }
                // Four wait until the lock is free; the others are told before, and what needs no lock is done.
                for _ in 0..<46 { #expect(try await group.next() == false) }
                _ = try await pool.query("UPDATE locked_by_another SET count = count + 1 WHERE id = 2")
                _ = try await transaction.commit()
                for try await isDone in group { #expect(isDone) }
            }
        }
        let counts = try await owner.query("SELECT count FROM locked_by_another ORDER BY id")
        #expect(try counts.map { try $0.decode("count", as: Int.self) } == [5, 1])
        await pool.close()
        await owner.close()
    }

    @Test func aConnectionThatIsOldIsReplaced() async throws {
        let server = try TestServer.shared.get()
        for (age, count) in [(Duration?.none, 1), (.seconds(60), 1), (.zero, 3)] {
            let pool = Pool(server.settings(), size: 1, maxAge: age)
            var backends: Set<Int> = []
            for _ in 0..<3 {
                let rows = try await pool.query("SELECT pg_backend_pid() AS id")
                backends.insert(try #require(rows.first).decode("id"))
            }
            #expect(backends.count == count)
            await pool.close()
        }
    }
}
