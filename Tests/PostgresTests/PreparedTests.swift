import Foundation
import Testing

@testable import Postgres

struct PreparedTests {
    let server: TestServer

    init() throws {
        server = try TestServer.shared.get()
    }

    private func serverCount(_ connection: Connection) async throws -> Int {
        try #require(try await connection.query("SELECT count(*) FROM pg_prepared_statements").first).decode(0)
    }

    @Test func sameTextIsPreparedOnce() async throws {
        let connection = try await Connection.open(server.settings())
        for number in 0..<10 {
            #expect(try await connection.query("SELECT \(number) + 1 AS n").first?.decode("n") == number + 1)
        }
        let twice: SQL = "SELECT \(1) + 2"
        _ = try await connection.query([twice, twice, twice])
        #expect(await connection.preparedCount == 2)
        _ = try await connection.query(["SET LOCAL work_mem = '5MB'", "SHOW work_mem"])
        #expect(await connection.preparedCount == 2)
        #expect(try await serverCount(connection) == 3)
        await connection.close()
    }

    @Test(arguments: [[], [3], [1, 3, 9], [2, 4, 5, 1, 3], Array(-60...4), Array(-59...4)] as [[Int64]])
    func findsAmong(values: [Int64]) async throws {
        let connection = try await Connection.open(server.settings())
        let rows = try await connection.query(
            "SELECT n FROM generate_series(1, 5) n WHERE \(SQL.among(values, "n")) ORDER BY n")
        #expect(try rows.map { try $0.decode("n", as: Int64.self) } == values.filter { (1...5).contains($0) }.sorted())
        await connection.close()
    }

    @Test func fewStatementsFindAmongMany() async throws {
        let connection = try await Connection.open(server.settings())
        for count in 1...64 {
            _ = try await connection.query("SELECT \(SQL.among((1...Int64(count)).map { $0 }, "1"))")
        }
        #expect(await connection.preparedCount == 7)
        await connection.close()
    }

    @Test func rowsOfSeveralTablesAreOneStatement() async throws {
        let connection = try await Connection.open(server.settings())
        _ = try await connection.query([
            "CREATE TEMPORARY TABLE leaf (tree int, name text)", "CREATE TEMPORARY TABLE tree (id int PRIMARY KEY)",
            "ALTER TABLE leaf ADD FOREIGN KEY (tree) REFERENCES tree",
        ])
        // The leaves before their trees: foreign keys are checked at the end.
        let leaves = [(1, "a"), (1, "b"), (2, "c")].map { NewRow(into: "leaf (tree, name)", "(\($0.0), \($0.1))") }
        let trees = [1, 2].map { NewRow(into: "tree (id)", "(\($0))") }
        _ = try await connection.query(SQL.insert(leaves + trees))
        _ = try await connection.query(SQL.insert([NewRow(into: "leaf (name)", "(\("d"))")]))
        let found = try await connection.query("SELECT string_agg(name, '' ORDER BY name) FROM leaf").first
        #expect(try found?.decode(0) == "abcd")
        await connection.close()
    }

    @Test func cacheIsBounded() async throws {
        let connection = try await Connection.open(server.settings())
        for number in 0..<600 {
            _ = try await connection.query("SELECT 1 AS \(identifier: "c\(number)")")
        }
        #expect(await connection.preparedCount == StatementCache.capacity)
        #expect(try await serverCount(connection) <= StatementCache.capacity + 1)
        let many = (0..<600).map { "SELECT 2 AS \(identifier: "c\($0)")" as SQL }
        #expect(try await connection.query(many).count == 600)
        #expect(await connection.preparedCount == StatementCache.capacity)
        _ = try await connection.query("SELECT 'sweeps'")
        #expect(try await serverCount(connection) <= StatementCache.capacity + 1)
        await connection.close()
    }

    @Test func survivesAlteredTables() async throws {
        let pool = server.pool(size: 1)
        _ = try await pool.query("CREATE TABLE altered (a int)")
        _ = try await pool.query("INSERT INTO altered VALUES (1)")
        let sql: SQL = "SELECT * FROM altered"
        for _ in 0..<3 { #expect(try await pool.query(sql).columns == ["a"]) }
        _ = try await pool.query("ALTER TABLE altered ADD b int")
        #expect(try await pool.query(sql).columns == ["a", "b"])
        _ = try await pool.query("ALTER TABLE altered DROP a")
        #expect(try await pool.query([sql, "SELECT 1"])[0].columns == ["b"])
        // In a transaction the error is the caller's, and the next attempt succeeds.
        _ = try await pool.query("ALTER TABLE altered ADD c int")
        let error = await postgresError { try await pool.transaction { _ = try await $0.query(sql) } }
        #expect(error?.sqlState == "0A000")
        #expect(try await pool.transaction { try await $0.query(sql).columns } == ["b", "c"])
        _ = try await pool.query("DEALLOCATE ALL")
        #expect(try await pool.query(sql).columns == ["b", "c"])
        await pool.close()
    }

    @Test func failedPreparationsLeaveNothing() async throws {
        let connection = try await Connection.open(server.settings())
        for _ in 0..<3 {
            let error = await postgresError { _ = try await connection.query("SELECT * FROM no_such_table") }
            #expect(error?.sqlState == "42P01")
        }
        #expect(await connection.preparedCount == 0)
        await connection.close()
    }

    @Test func bigPipelinesDoNotDeadlock() async throws {
        let pool = server.pool(size: 1)
        let text = String(repeating: "x", count: 1_000_000)
        let answers = try await pool.query((0..<30).map { "SELECT \(text) AS t, \($0)::int AS n" })
        #expect(answers.count == 30)
        #expect(try answers.allSatisfy { try $0[0].decode("t", as: String.self).utf8.count == 1_000_000 })
        let many = try await pool.query((0..<5000).map { "SELECT repeat('y', 2000) AS t, \($0)::int AS n" })
        #expect(try many.last?.first?.decode("n") == 4999)
        await pool.close()
    }

    @Test func scripts() async throws {
        let pool = server.pool()
        try await pool.withConnection { connection in
            try await connection.run(script: "CREATE TABLE scripted (a int); INSERT INTO scripted VALUES (1), (2);")
            #expect(try await connection.query("SELECT count(*) AS n FROM scripted").first?.decode("n") == 2)
            let error = await postgresError {
                try await connection.run(script: "INSERT INTO scripted VALUES (3); SELECT nonsense; SELECT 1")
            }
            #expect(error?.sqlState == "42703")
            #expect(error?.message.contains("nonsense") == true)
            #expect(try await connection.query("SELECT count(*) AS n FROM scripted").first?.decode("n") == 2)
            try await connection.transaction { transaction in
                try await transaction.run(script: "INSERT INTO scripted VALUES (3); INSERT INTO scripted VALUES (4)")
                _ = try await transaction.query("INSERT INTO scripted VALUES (5)")
            }
            #expect(try await connection.query("SELECT count(*) AS n FROM scripted").first?.decode("n") == 5)
        }
        #expect(pool.statistics.open == 0)
        await pool.close()
    }
}
