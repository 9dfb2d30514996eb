import Codes
import Database
import Foundation
import Income
import Kernel
import Postgres
import Registers
import TestSupport
import Testing

/// What is told when the connection breaks at the commit. The commit is held up after it has become durable, as it is
/// by a standby that does not answer, and the session is ended there: the server has committed, and nobody is told.
@Suite struct CommitFaultTests {
    /// Runs `change` while every commit waits for a standby that there is not, ends its session at that point, and lets
    /// commits go on.
    /// - Parameter away: for how long nobody can log in from then on, as while a server starts again.
    private func breaking<Value: Sendable>(
        _ village: TestVillage, _ database: Database, away: Duration = .zero,
        _ change: @escaping @Sendable (Database) async throws -> Value
    ) async throws -> Result<Value, any Error> {
        try await wait(village, for: "nobody")
        let running = Task { await Result { try await change(database) } }
        try await awaitCondition("a commit that waits") {
            try await village.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") > 0
        }
        if away > .zero { try await allowLogins(village, false) }
        // First the end: whoever still waits when the standby is forgotten is answered.
        _ = try await village.owner.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        try await wait(village, for: "")
        if away > .zero {
            try await Task.sleep(for: away)
            try await allowLogins(village, true)
        }
        return await running.value
    }

    private func allowLogins(_ village: TestVillage, _ allowed: Bool) async throws {
        let limit: SQL = allowed ? "-1" : "0"
        for statement in ["SET synchronous_commit = local", "ALTER ROLE taoyuan_service CONNECTION LIMIT \(limit)"]
            as [SQL]
        {
            _ = try await village.owner.query(statement)
        }
    }

    private func wait(_ village: TestVillage, for standby: String) async throws {
        let names: SQL = standby.isEmpty ? "''" : "'nobody'"
        _ = try await village.owner.query("ALTER SYSTEM SET synchronous_standby_names = \(names)")
        _ = try await village.owner.query("SELECT pg_reload_conf()")
        try await awaitCondition("the setting") {
            try await village.number(
                "SELECT count(*) FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting = \(standby)")
                > 0
        }
    }

    @Test func `a command finds out by itself that its change was made`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            _ = try await village.plant()
            let database = village.another(givesKeys: true)
            let plan = CodeStore(database, keys: village.keys).register(village.harvest(), today: village.today)
            let result = try await breaking(village, database) { try await $0.change(village.committee, plan) }
            let code = try result.get()
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            #expect(try await village.number("SELECT number FROM batch") == code.batch)
            await database.close()
        }
    }

    @Test func `a command finds out when the server was away for a while`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            _ = try await village.plant()
            let database = village.another(givesKeys: true)
            let plan = CodeStore(database, keys: village.keys).register(village.harvest(), today: village.today)
            let result = try await breaking(village, database, away: .seconds(2)) {
                try await $0.change(village.committee, plan)
            }
            let code = try result.get()
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            #expect(try await village.number("SELECT number FROM batch") == code.batch)
            await database.close()
        }
    }

    @Test func `a command whose server stays away is told that it may have been recorded`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            _ = try await village.plant()
            let database = village.another(givesKeys: true)
            let plan = CodeStore(database, keys: village.keys).register(village.harvest(), today: village.today)
            let result = try await breaking(village, database, away: .seconds(8)) {
                try await $0.change(village.committee, plan)
            }
            let refused = #expect(throws: Refusal.self) { try result.get() }
            #expect(refused?.code == "maybe-recorded")
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            await database.close()
        }
    }

    /// A register of one row of income, as the program imports it.
    private func importing(_ village: TestVillage) throws -> @Sendable (Database) async throws -> ImportReport {
        let file = village.path("income.csv")
        try Data("日期,类别,摘要,金额元\n2025-03-20,出租,冷库,500".utf8).write(to: URL(filePath: file))
        return { database in
            try await Import(database, scope: village.committee, choices: ImportChoices()).run(
                Register(path: file, columns: IncomeRegister.columns), kind: "income",
                recorder: IncomeRegister(today: village.today), refusedRow: { _, _ in }, progress: { _ in })
        }
    }

    @Test func `an import finds out by itself that it was recorded`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            let database = village.another()
            let report = try await breaking(village, database, importing(village)).get()
            #expect(report.recorded == 1 && report.already == 0)
            #expect(try await village.number("SELECT count(*) FROM income_entry") == 1)
            await database.close()
        }
    }

    @Test func `an import whose server stays away is told to run again, and finds its rows then`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            let database = village.another()
            let run = try importing(village)
            let result = try await breaking(village, database, away: .seconds(8), run)
            let refused = #expect(throws: Refusal.self) { try result.get() }
            #expect(refused?.code == "maybe-recorded" && refused?.message.zh.contains("不会重复") == true)
            #expect(try await run(database).already == 1)
            #expect(try await village.number("SELECT count(*) FROM income_entry") == 1)
            await database.close()
        }
    }

    @Test func `an import whose commit was not made is told that nothing was recorded`() async throws {
        try await withVillage { village in
            let database = village.another()
            let refused = try await refusal {
                try await database.commitOnce(village.committee) { transaction in
                    let own = try await transaction.query("SELECT pg_backend_pid() AS pid").first?.decode(
                        "pid", as: Int.self)
                    return ((), ["SELECT pg_terminate_backend(\(own)::int)"])
                }
            }
            #expect(refused?.code == "nothing-recorded")
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'import.income'") == 0)
            await database.close()
        }
    }

    @Test func `a request with a key is answered what was done`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            _ = try await village.plant()
            let database = village.another()
            let plan = CodeStore(database, keys: village.keys).register(village.harvest(), today: village.today)
            let retry = Retry(key: "one", fingerprint: [1])
            let result = try await breaking(village, database) {
                try await $0.change(village.committee, once: retry, render: { "\($0.batch)" }, plan)
            }
            let answer = try result.get()
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            #expect(try await village.number("SELECT number FROM batch") == Int64(answer))
            await database.close()
        }
    }

    @Test func `one without a key is told that it may have been recorded`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            _ = try await village.plant()
            let database = village.another()
            let plan = CodeStore(database, keys: village.keys).register(village.harvest(), today: village.today)
            let result = try await breaking(village, database) { try await $0.change(village.committee, plan) }
            let refused = #expect(throws: Refusal.self) { try result.get() }
            #expect(refused?.code == "maybe-recorded" && refused?.kind == .unavailable)
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            await database.close()
        }
    }
}

extension Result where Failure == any Error, Success: Sendable {
    fileprivate init(_ body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
