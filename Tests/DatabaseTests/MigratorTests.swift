import Database
import Foundation
import Kernel
import Postgres
import Testing

/// One server for all tests of a suite; each takes a database of its own.
struct OneServer: SuiteTrait, TestScoping {
    @TaskLocal static var current: EmbeddedPostgres?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withDataFolder { path in
            let embedded = try await EmbeddedPostgres.open(dataDirectory: path)
            do {
                try await Self.$current.withValue(embedded) { try await function() }
            } catch {
                await embedded.close()
                throw error
            }
            await embedded.close()
        }
    }

    static func newDatabase() async throws -> Settings {
        let server = try #require(current)
        let name = "test_" + UUID().uuidString.prefix(8).lowercased()
        try await run(server.settings(database: "postgres"), "CREATE DATABASE \(identifier: name)")
        return server.settings(database: name)
    }
}

@Suite(OneServer()) struct MigratorTests {
    let one = Migration(
        number: 1, topic: "village", sql: "CREATE TABLE village (id int); INSERT INTO village VALUES (1)")
    let two = Migration(number: 2, topic: "grower", sql: "CREATE TABLE grower (id int); -- 农户")
    let three = Migration(number: 3, topic: "plot", sql: "CREATE TABLE plot (id int)")

    func migrator(_ migrations: Migration...) -> Migrator {
        Migrator(roles: "SELECT 1;", migrations: migrations)
    }

    func refusal(_ body: () async throws -> Void) async throws -> Refusal {
        try #require(await #expect(throws: Refusal.self) { try await body() })
    }

    @Test func eachIsAppliedOnce() async throws {
        let database = try await OneServer.newDatabase()
        #expect(try await migrator(one).migrate(using: database) == [one])
        #expect(try await migrator(two, one).migrate(using: database) == [two])
        #expect(try await migrator(one, two).migrate(using: database).isEmpty)
        try await migrator(one, two).check(using: database)
        let rows = try await run(
            database,
            """
            SELECT number, topic, length(checksum) AS length, applied_at <= now() AS past
            FROM public.schema_migration ORDER BY number
            """)
        let recorded = try rows?.map { row in
            try
                "\(row.decode("topic", as: String.self)) \(row.decode("length", as: Int.self)) \(row.decode("past", as: Bool.self))"
        }
        #expect(recorded == ["village 64 true", "grower 64 true"])
    }

    @Test func ofSeveralAtOnceOneWorks() async throws {
        let database = try await OneServer.newDatabase()
        let slow = Migration(number: 1, topic: "slow", sql: "SELECT pg_sleep(0.2); \(one.sql)")
        let migrator = Migrator(roles: "", migrations: [slow, two])
        let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
            for _ in 0..<4 { group.addTask { try await migrator.migrate(using: database) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(applied.filter { $0 == [slow, two] }.count == 1)
        #expect(applied.filter(\.isEmpty).count == 3)
    }

    @Test func databasesOfOneServerMayBeMigratedAtOnce() async throws {
        let roles = """
            DO $$ BEGIN CREATE ROLE village_clerk; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
            ALTER ROLE village_clerk LOGIN;
            """
        let migrator = Migrator(roles: roles, migrations: [one])
        var databases: [Settings] = []
        for _ in 0..<4 { databases.append(try await OneServer.newDatabase()) }
        try await withThrowingTaskGroup { group in
            for database in databases { group.addTask { _ = try await migrator.migrate(using: database) } }
            try await group.waitForAll()
        }
    }

    @Test func aDriftedMigration() async throws {
        let database = try await OneServer.newDatabase()
        _ = try await migrator(one, two).migrate(using: database)
        let other = migrator(one, Migration(number: 2, topic: "grower", sql: two.sql + " "))
        for attempt in [{ _ = try await other.migrate(using: database) }, { try await other.check(using: database) }] {
            let refusal = try await refusal(attempt)
            #expect(refusal.code == "schema-drifted")
            #expect(refusal.kind == .conflict)
            #expect(refusal.message.en.contains("0002_grower"))
        }
    }

    @Test func aNewerDatabase() async throws {
        let database = try await OneServer.newDatabase()
        _ = try await migrator(one, two).migrate(using: database)
        for attempt in [
            { _ = try await migrator(one).migrate(using: database) },
            { try await migrator(one).check(using: database) },
        ] {
            let refusal = try await refusal(attempt)
            #expect(refusal.code == "schema-newer")
            #expect(refusal.message.zh.contains("0002_grower"))
        }
    }

    @Test func anOlderDatabase() async throws {
        let database = try await OneServer.newDatabase()
        let unmigrated = try await refusal { try await migrator(one).check(using: database) }
        #expect(unmigrated.message.en.contains("0001_village"))
        _ = try await migrator(one).migrate(using: database)
        let older = try await refusal { try await migrator(one, two).check(using: database) }
        #expect(older.code == "schema-older")
        #expect(older.message.en.contains("0002_grower"))
        #expect(older.message.en.contains("taoyuan migrate"))
    }

    @Test func gaps() async throws {
        let database = try await OneServer.newDatabase()
        let inProgram = try await refusal { _ = try await migrator(one, three).migrate(using: database) }
        #expect(inProgram.code == "schema-gap")
        #expect(inProgram.message.en.contains("0002"))
        _ = try await migrator(one, two, three).migrate(using: database)
        try await run(database, "DELETE FROM public.schema_migration WHERE number = 2")
        let inDatabase = try await refusal { _ = try await migrator(one, two, three).migrate(using: database) }
        #expect(inDatabase.code == "schema-gap")
        #expect(inDatabase.message.zh.contains("0002_grower"))
    }

    @Test(arguments: [
        "CREATE TABLE half (x int); SELECT no_such_function()", "CREATE TABLE half (x int); SELECT FROM WHERE",
        "CREATE TABLE half (x int); SELECT 1/0",
    ])
    func aFailingMigrationLeavesNothing(sql: String) async throws {
        let database = try await OneServer.newDatabase()
        let failing = Migration(number: 2, topic: "half", sql: sql)
        let refusal = try await refusal { _ = try await migrator(one, failing, three).migrate(using: database) }
        #expect(refusal.code == "migration-failed")
        #expect(refusal.message.en.contains("0002_half"))
        #expect(!refusal.message.en.contains("CREATE TABLE"))
        let rows = try await run(
            database, "SELECT to_regclass('half') IS NULL AND to_regclass('plot') IS NULL AS clean")
        #expect(try rows?.first?.decode("clean", as: Bool.self) == true)
        #expect(try await migrator(one, two).migrate(using: database) == [two])
    }

    @Test func fileNames() throws {
        let migration = try Migration(path: "migrations/0012_income_source.sql", sql: "SELECT 1")
        #expect(migration.number == 12)
        #expect(migration.topic == "income_source")
        #expect(migration.description == "0012_income_source")
        for name in ["12_x.sql", "0012.sql", "0012_.sql", "0012_x.txt", "x/001_y.sql", "００１２_x.sql", ""] {
            #expect(throws: Refusal.self) { try Migration(path: name, sql: "") }
        }
    }
}
