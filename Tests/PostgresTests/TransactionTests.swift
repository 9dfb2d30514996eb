import Foundation
import Synchronization
import Testing

@testable import Postgres

struct TransactionTests {
    let pool: Pool
    let table = "t_" + UUID().uuidString.lowercased().prefix(8)

    init() async throws {
        pool = try TestServer.shared.get().pool()
        _ = try await pool.query(
            """
            CREATE TABLE \(identifier: table) (
                id int PRIMARY KEY, grams int CONSTRAINT grams_positive CHECK (grams > 0),
                parent int CONSTRAINT parent_known REFERENCES \(identifier: table) DEFERRABLE INITIALLY DEFERRED)
            """)
    }

    private func insert(_ id: Int, grams: Int = 1, parent: Int? = nil) -> SQL {
        "INSERT INTO \(identifier: table) VALUES (\(id), \(grams), \(parent))"
    }

    private func count() async throws -> Int {
        try #require(try await pool.query("SELECT count(*) FROM \(identifier: table)").first).decode(0)
    }

    @Test func commitsAfterTheBody() async throws {
        let answer = try await pool.transaction { transaction in
            _ = try await transaction.query(insert(1))
            #expect(try await transaction.query("UPDATE \(identifier: table) SET grams = 5").affected == 1)
            return try await transaction.query([insert(2), insert(3), "SELECT 42 AS answer"])
        }
        #expect(try answer[2].first?.decode("answer") == 42)
        #expect(try await count() == 3)
        #expect(pool.statistics == Pool.Statistics(open: 1, idle: 1, waiting: 0))
    }

    @Test func rollsBackOnAnyError() async throws {
        struct Stop: Error {}
        await #expect(throws: Stop.self) {
            try await pool.transaction { transaction in
                _ = try await transaction.query(insert(1))
                throw Stop()
            }
        }
        #expect(try await count() == 0)
        #expect(pool.statistics.open == 1)
    }

    @Test func commitTakesTheLastStatements() async throws {
        let escaped = Mutex<Transaction?>(nil)
        try await pool.transaction { transaction in
            let rows = try await transaction.commit([insert(1), "SELECT 7 AS seven"])
            #expect(rows.count == 2)
            #expect(try rows[1].first?.decode("seven") == 7)
            let error = await postgresError { _ = try await transaction.query("SELECT 1") }
            #expect(error?.kind == .closed)
            escaped.withLock { $0 = transaction }
        }
        #expect(try await count() == 1)
        let error = await postgresError { _ = try await escaped.withLock { $0 }?.query("SELECT 1") }
        #expect(error?.kind == .closed)
    }

    @Test func failedCommitCommitsNothing() async throws {
        let check = await postgresError {
            try await pool.transaction { transaction in
                _ = try await transaction.query(insert(1))
                _ = try await transaction.commit([insert(2), insert(3, grams: -4711), insert(4)])
            }
        }
        #expect(check?.sqlState == "23514")
        #expect(check?.constraint == "grams_positive")
        #expect(check?.table == String(table))
        #expect(check?.statement == 1)
        #expect(check.map { "\($0)".contains("4711") } == false)
        // A deferred constraint speaks only at COMMIT.
        let deferred = await postgresError {
            try await pool.transaction { _ = try await $0.commit([insert(5, parent: 99)]) }
        }
        #expect(deferred?.constraint == "parent_known")
        #expect(deferred?.statement == nil)
        #expect(try await count() == 0)
        #expect(pool.statistics.open == 1)
    }

    @Test func swallowedErrorIsNotCommitted() async throws {
        let error = await postgresError {
            try await pool.transaction { transaction in
                _ = try await transaction.query(insert(1))
                _ = try? await transaction.query(insert(1))
            }
        }
        #expect(error?.sqlState == "23505")
        let committed = await postgresError {
            try await pool.transaction { transaction in
                _ = try? await transaction.query([insert(1), insert(1)])
                _ = try await transaction.commit()
            }
        }
        #expect(committed?.kind == .rolledBack)
        #expect(try await count() == 0)
    }

    @Test func savepointRecovers() async throws {
        try await pool.transaction { transaction in
            _ = try await transaction.query([insert(1), "SAVEPOINT s"])
            _ = try? await transaction.query(insert(1))
            _ = try await transaction.query("ROLLBACK TO SAVEPOINT s")
            _ = try await transaction.query(insert(2))
        }
        #expect(try await count() == 2)
    }

    @Test func pipelineFailsAsAWhole() async throws {
        let error = await postgresError {
            _ = try await pool.query([insert(1), insert(2), insert(1), insert(3), "SELECT nonsense"])
        }
        #expect(error?.sqlState == "23505")
        #expect(error?.statement == 2)
        #expect(error?.constraint == table + "_pkey")
        #expect(try await count() == 0)
        _ = try await pool.query([insert(1), insert(2)])
        #expect(try await count() == 2)
    }

    @Test func localSettingsAreLocal() async throws {
        let options = [LocalSetting("taoyuan.village", 7), LocalSetting("taoyuan.cooperative", -1, 12)]
        let inside = try await pool.transaction(local: options, isolation: .serializable, readOnly: true) {
            transaction in
            try await transaction.query(
                """
                SELECT current_setting('taoyuan.village') AS v, current_setting('taoyuan.cooperative') AS c,
                    current_setting('transaction_isolation') AS i, current_setting('transaction_read_only') AS r
                """)
        }
        let row = try #require(inside.first)
        #expect(try row.decode("v") == 7)
        #expect(try row.decode("c") == "-1,12")
        #expect(try row.decode("i") == "serializable")
        #expect(try row.decode("r") == "on")
        let after = try await pool.query("SELECT nullif(current_setting('taoyuan.village', true), '') AS v").first
        #expect(try after?.decode("v", as: Int?.self) == .some(nil))
    }

    @Test func serializationFailuresAreRetried() async throws {
        _ = try await pool.query(insert(1, grams: 1))
        let attempts = Tally()
        try await withThrowingTaskGroup { group in
            for _ in 0..<3 {
                group.addTask {
                    try await pool.transaction(isolation: .repeatableRead) { transaction in
                        let read = try await transaction.query("SELECT grams FROM \(identifier: table) WHERE id = 1")
                        let grams: Int = try #require(read.first).decode("grams")
                        attempts.increment()
                        // None writes before all three have read, so that two of them have to try again.
                        #expect(try await eventually { attempts.count >= 3 })
                        _ = try await transaction.commit([
                            "UPDATE \(identifier: table) SET grams = \(grams + 1) WHERE id = 1"
                        ])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(attempts.count > 3)
        #expect(try await pool.query("SELECT grams FROM \(identifier: table)").first?.decode("grams") == 4)
    }

    @Test func retriesEnd() async throws {
        let attempts = Tally()
        let error = await postgresError {
            try await pool.transaction { transaction in
                attempts.increment()
                _ = try await transaction.query(
                    "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$")
            }
        }
        #expect(error?.isRetryable == true)
        #expect(attempts.count == 4)
        let others = Tally()
        _ = await postgresError {
            try await pool.transaction { transaction in
                others.increment()
                _ = try await transaction.query([insert(1), insert(1)])
            }
        }
        #expect(others.count == 1)
    }

    @Test func anEncodingErrorLeavesTheTransactionAsItWas() async throws {
        try await pool.transaction { transaction in
            let error = await postgresError { _ = try await transaction.query("SELECT \("\0")") }
            #expect(error?.kind == .encoding)
            _ = try await transaction.query(insert(1))
        }
        #expect(try await count() == 1)
    }

    @Test func errorsNeverTellValues() async throws {
        let secret = "s3cr3t-value"
        let statements: [SQL] = [
            "SELECT \(secret)::int", "SELECT to_tsquery(\(secret + " & &"))", "SELECT \(secret)::regclass",
            "SELECT \(secret)::timestamptz", "SELECT \(secret)::jsonb", "SELECT now() AT TIME ZONE \(secret)",
            "INSERT INTO \(identifier: table) SELECT 1, 1 FROM generate_series(1, 2) WHERE \(secret) <> ''",
            "SELECT current_setting(\(secret))", "SELECT set_config('role', \(secret), true)",
            "SELECT format(\("%" + secret))", "SELECT jsonb_path_query('{}', \(secret)::jsonpath)",
        ]
        for sql in statements {
            let error = try #require(await postgresError { _ = try await pool.query(sql) }, "\(sql)")
            #expect(error.sqlState != nil)
            #expect(!"\(error) \(String(reflecting: error)) \(error.localizedDescription)".contains(secret), "\(sql)")
        }
        let syntax = await postgresError { _ = try await pool.query("SELEKT 1") }
        #expect(syntax?.message.contains("SELEKT") == true)
    }
}
