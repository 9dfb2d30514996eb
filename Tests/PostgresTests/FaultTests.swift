import Foundation
import Synchronization
import Testing

@testable import Postgres

/// What goes wrong for real: backends are killed, servers restarted, tasks cancelled, pools exhausted.
struct FaultTests {
    let server: TestServer
    let pool: Pool
    let observer: Pool

    init() throws {
        server = try TestServer.shared.get()
        pool = server.pool(size: 2)
        observer = server.pool(size: 2)
    }

    private func terminate(_ backend: Int) async throws {
        _ = try await observer.query("SELECT pg_terminate_backend(\(backend)::int)")
    }

    private func backend(_ rows: Rows) throws -> Int { try #require(rows.first).decode(0) }

    private func running(_ mark: String) async throws -> Int {
        try await observer.query(
            """
            SELECT 1 FROM pg_stat_activity
            WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE \("%" + mark + "%")
            """
        ).count
    }

    private func isRunning(_ mark: String) async throws -> Bool { try await running(mark) > 0 }

    private func isGone(_ backend: Int) async throws -> Bool {
        try await observer.query("SELECT 1 FROM pg_stat_activity WHERE pid = \(backend)").isEmpty
    }

    @Test func backendKilledInMidQuery() async throws {
        let mark = "killed_query"
        async let outcome = postgresError { _ = try await pool.query("SELECT pg_sleep(600) AS killed_query") }
        #expect(try await eventually { try await isRunning(mark) })
        _ = try await observer.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE query LIKE '%killed_query%' AND pid <> pg_backend_pid()
            """)
        let error = await outcome
        #expect(error?.kind == .connectionLost)
        #expect(error?.sqlState == "57P01")
        #expect(pool.statistics.open == 0)
        #expect(try await pool.query("SELECT 1 AS one").first?.decode("one") == 1)
    }

    @Test func backendKilledInMidTransaction() async throws {
        _ = try await pool.query("CREATE TABLE killed (a int)")
        let error = await postgresError {
            try await pool.transaction { transaction in
                let rows = try await transaction.query(["INSERT INTO killed VALUES (1)", "SELECT pg_backend_pid()"])
                let pid = try backend(rows[1])
                try await terminate(pid)
                #expect(try await eventually { try await isGone(pid) })
                _ = try await transaction.commit(["INSERT INTO killed VALUES (2)"])
            }
        }
        #expect(error?.kind == .connectionLost)
        #expect(pool.statistics.open == 0)
        #expect(try await pool.query("SELECT * FROM killed").isEmpty)
        #expect(pool.statistics == Pool.Statistics(open: 1, idle: 1, waiting: 0))
    }

    @Test func backendKilledWhileIdleIsReplacedUnseen() async throws {
        for _ in 0..<5 {
            let pid = try backend(try await pool.query("SELECT pg_backend_pid()"))
            try await terminate(pid)
            #expect(try await eventually { try await isGone(pid) })
            #expect(try backend(try await pool.query("SELECT pg_backend_pid()")) != pid)
        }
    }

    @Test func cancellationReachesTheServer() async throws {
        let task = Task { try await pool.query("SELECT pg_sleep(600) AS cancelled_query") }
        #expect(try await eventually { try await isRunning("cancelled_query") })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await eventually { try await !isRunning("cancelled_query") })
        #expect(pool.statistics.open == 0)
        #expect(try await pool.query("SELECT 1 AS one").first?.decode("one") == 1)
    }

    @Test func cancelledTransactionCommitsNothing() async throws {
        _ = try await observer.query("CREATE TABLE cancelled (a int)")
        let task = Task {
            try await pool.transaction { transaction in
                _ = try await transaction.query("INSERT INTO cancelled VALUES (1)")
                _ = try? await transaction.query("SELECT pg_sleep(600) AS cancelled_transaction")
                _ = try await transaction.commit()
            }
        }
        #expect(try await eventually { try await isRunning("cancelled_transaction") })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await observer.query("SELECT * FROM cancelled").isEmpty)
        #expect(pool.statistics.open == 0)
        let early = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await pool.query("INSERT INTO cancelled VALUES (2)")
        }
        await #expect(throws: CancellationError.self) { try await early.value }
        #expect(try await observer.query("SELECT * FROM cancelled").isEmpty)
    }

    @Test func cancelByAnother() async throws {
        try await pool.withConnection { (connection: Connection) async throws -> Void in
            async let outcome = postgresError { _ = try await connection.query("SELECT pg_sleep(99) AS stopped_query") }
            #expect(try await eventually { try await isRunning("stopped_query") })
            connection.cancel()
            #expect(await outcome?.kind == .cancelled)
            #expect(try await connection.query("SELECT 1 AS one").first?.decode("one") == 1)
        }
    }

    @Test func slowStatementsBlockNobody() async throws {
        let wide = server.pool(size: 16)
        try await withThrowingTaskGroup { group in
            for _ in 0..<16 { group.addTask { try await wide.query("SELECT pg_sleep(600) AS slow_statement") } }
            // More than there are threads for tasks: were one of them held by a statement, nobody could look.
            let allRun = try await eventually { try await running("slow_statement") == 16 }
            #expect(allRun)
            group.cancelAll()
        }
        await wide.close()
    }

    @Test func manyCancellationsHitNobodyElse() async throws {
        let busy = server.pool(size: 4)
        try await withThrowingTaskGroup { group in
            for number in 0..<40 {
                group.addTask {
                    let task = Task { try await busy.query("SELECT pg_sleep(0.01 * \(number % 4)::float8)") }
                    try await Task.sleep(for: .milliseconds(number % 7))
                    task.cancel()
                    _ = try? await task.value
                }
                group.addTask {
                    let rows = try await busy.query("SELECT \(number)::int AS n, pg_sleep(0.005)")
                    #expect(try rows.first?.decode("n") == number)
                }
            }
            try await group.waitForAll()
        }
        await busy.close()
    }

    @Test func statementTimeout() async throws {
        let hasty = server.pool(statementTimeout: .seconds(1))
        let error = await postgresError { _ = try await hasty.query("SELECT pg_sleep(600)") }
        #expect(error?.kind == .deadline)
        #expect(error?.sqlState == "57014")
        #expect(hasty.statistics.idle == 1)
        let rows = try await hasty.transaction(local: [LocalSetting("statement_timeout", 600_000)]) {
            try await $0.query("SELECT 1 AS one, pg_sleep(1.5)")
        }
        #expect(try rows.first?.decode("one") == 1)
        await hasty.close()
    }

    @Test func silentServerIsGivenUp() async throws {
        let connection = try await Connection.open(server.settings())
        // Five seconds of grace come on top of the patience, for the server's own timeout to speak first.
        let error = await postgresError {
            _ = try await connection.perform(patience: .milliseconds(1)) { try $0.run(["SELECT pg_sleep(600)"]) }
        }
        #expect(error?.kind == .deadline)
        let isReusable = connection.isReusable.load(ordering: .acquiring)
        #expect(!isReusable)
        await connection.close()
    }

    @Test func exhaustedPoolTimesOutAndRecovers() async throws {
        let small = server.pool(size: 1, acquireTimeout: .seconds(2))
        let gate = AsyncStream.makeStream(of: Void.self)
        let holder = Task {
            try await small.withConnection { connection in
                _ = try await connection.query("SELECT 1")
                for await _ in gate.stream { break }
            }
        }
        #expect(try await eventually { small.statistics.open == 1 })
        let start = ContinuousClock.now
        await withTaskGroup { group in
            for _ in 0..<5 {
                group.addTask {
                    let error = await postgresError { _ = try await small.query("SELECT 1") }
                    #expect(error?.kind == .poolTimeout)
                }
            }
        }
        #expect(ContinuousClock.now - start > .seconds(1.9))
        let waiting = Task { try await small.query("SELECT 1") }
        #expect(try await eventually { small.statistics.waiting == 1 })
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(small.statistics.waiting == 0)
        gate.continuation.yield()
        try await holder.value
        #expect(try await small.query("SELECT 1 AS one").first?.decode("one") == 1)
        await small.close()
    }

    @Test func waitersAreServedInOrder() async throws {
        let small = server.pool(size: 1)
        let order = Journal()
        try await withThrowingTaskGroup { group in
            try await small.withConnection { connection in
                _ = try await connection.query("SELECT 1")
                for number in 0..<20 {
                    group.addTask {
                        try await small.transaction { transaction in
                            order.append(number)
                            _ = try await transaction.query("SELECT 1")
                        }
                    }
                    #expect(try await eventually { small.statistics.waiting == number + 1 })
                }
            }
            try await group.waitForAll()
        }
        #expect(order.numbers == Array(0..<20))
        await small.close()
    }

    @Test func closedPool() async throws {
        let closing = server.pool(size: 1)
        try await observer.transaction { transaction in
            _ = try await transaction.query("SELECT pg_advisory_xact_lock(26)")
            async let last = closing.query("SELECT 1 AS one, pg_advisory_lock_shared(26)")
            #expect(try await eventually { closing.statistics.open == 1 && closing.statistics.idle == 0 })
            async let turnedAway = postgresError { _ = try await closing.query("SELECT 2") }
            #expect(try await eventually { closing.statistics.waiting == 1 })
            async let closed: Void = closing.close()
            #expect(await turnedAway?.kind == .closed)
            _ = try await transaction.commit()
            await closed
            #expect(try await last.first?.decode("one") == 1)
        }
        #expect(await postgresError { _ = try await closing.query("SELECT 1") }?.kind == .closed)
        #expect(closing.statistics == Pool.Statistics(open: 0, idle: 0, waiting: 0))
    }

    @Test func noServer() async throws {
        let nowhere = Pool(Settings(host: "/nonexistent", user: "u", password: "hunter2", database: "d"), size: 1)
        for _ in 0..<2 {
            let error = await postgresError { _ = try await nowhere.query("SELECT 1") }
            #expect(error?.kind == .cannotConnect)
            #expect("\(String(reflecting: error))".contains("hunter2") == false)
        }
        #expect(nowhere.statistics.open == 0)
    }

    @Test func restartUnderLoad() async throws {
        let own = try TestServer()
        let pool = own.pool(size: 4)
        _ = try await pool.query("CREATE TABLE restarted (id int PRIMARY KEY)")
        let stopped = Tally()
        let acknowledged = Tally()
        try await withThrowingTaskGroup { group in
            for worker in 0..<8 {
                group.addTask {
                    var id = worker
                    while stopped.count == 0 {
                        id += 8
                        do {
                            _ = try await pool.query("INSERT INTO restarted VALUES (\(id))")
                            acknowledged.increment()
                        } catch let error as PostgresError {
                            #expect([.connectionLost, .cannotConnect].contains(error.kind))
                            try await Task.sleep(for: .milliseconds(10))
                        }
                    }
                }
            }
            for mode in ["fast", "immediate"] {
                let before = acknowledged.count
                #expect(try await eventually { acknowledged.count > before + 50 })
                try own.stop(mode: mode)
                try own.start()
            }
            let before = acknowledged.count
            #expect(try await eventually { acknowledged.count > before + 50 })
            stopped.increment()
            try await group.waitForAll()
        }
        let stored: Int = try #require(try await pool.query("SELECT count(*) FROM restarted").first).decode(0)
        #expect(stored >= acknowledged.count)
        await pool.close()
    }
}
