import Batches
import Codes
import Database
import Foundation
import Kernel
import Postgres
import Synchronization
import TestSupport
import Testing

/// What becomes of changes when the server dies under them; on a server of their own.
@Suite struct DatabaseFaultTests {
    @Test func `a session that is killed in mid-change leaves nothing half done`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template) { village in
            _ = try await village.plant()
            let kept = try await village.register(village.harvest(grams: 1000))
            let scope = village.committee
            let plan = CodeStore(village.database, keys: village.keys).register(
                village.harvest(grams: 500), today: village.today)
            let killed = Mutex<Int32>(0)
            let refused = try await refusal {
                try await village.database.transaction(scope) { transaction in
                    let change = try await plan(transaction, scope)
                    let session = try await transaction.query("SELECT pg_backend_pid() AS pid").first
                    // All but the COMMIT has been carried out.
                    _ = try await transaction.query(change.statements(by: scope))
                    let process: Int32 = try #require(session).decode("pid")
                    killed.withLock { $0 = process }
                    kill(process, SIGKILL)
                    _ = try await transaction.commit()
                }
            }
            #expect(refused?.kind == .unavailable)
            // The server ends all sessions and recovers, and only then forgets this one; the same pools find it again.
            let process = killed.withLock { $0 }
            try await awaitCondition("the server's recovery") {
                (try? await village.number("SELECT count(*) FROM pg_stat_activity WHERE pid = \(process)")) == 0
            }
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            #expect(try await village.number("SELECT count(*) FROM stock_movement") == 1)
            #expect(try await village.number("SELECT count(*) FROM code") == 1)
            #expect(try await village.number("SELECT harvested_g FROM plot_season") == 1000)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'batch.register'") == 1)
            try await awaitCondition("a new registration") {
                try await refusal { try await village.register(village.harvest(grams: 500)) } == nil
            }
            #expect(try await village.answer(kept.payload) == .genuine)
        }
    }

    private final class Log: Sendable {
        let acknowledged = Mutex<[Int64]>([])
        let refusals = Mutex<[Refusal]>([])
        let isOver = Atomic(false)

        var count: Int { acknowledged.withLock { $0.count } }
    }

    @Test func `no acknowledged registration is lost when the server crashes under load`() async throws {
        let template = try await Template(on: TestServer.start())
        try await withVillage(on: template, poolSize: 4) { village in
            _ = try await village.plant()
            let log = Log()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while !log.isOver.load(ordering: .acquiring) {
                            do {
                                let code = try await village.register(village.harvest(grams: 1))
                                log.acknowledged.withLock { $0.append(code.batch) }
                            } catch let refusal as Refusal {
                                log.refusals.withLock { $0.append(refusal) }
                            }
                        }
                    }
                }
                group.addTask {
                    defer { log.isOver.store(true, ordering: .releasing) }
                    for _ in 0..<3 {
                        let before = log.count
                        try await awaitCondition("registrations") { log.count >= before + 20 }
                        try await template.server.crash()
                    }
                    let before = log.count
                    try await awaitCondition("registrations after the crash") { log.count >= before + 20 }
                }
                try await group.waitForAll()
            }
            let refusals = log.refusals.withLock { $0 }
            #expect(!refusals.isEmpty, "no request met the crash")
            #expect(Set(refusals.map(\.kind)) == [.unavailable])
            let acknowledged = log.acknowledged.withLock { $0 }
            #expect(Set(acknowledged).count == acknowledged.count)
            let found = try await village.number(
                "SELECT count(*) FROM batch WHERE number = ANY(\(acknowledged)::bigint[])")
            #expect(found == Int64(acknowledged.count))
            // What was committed without anybody hearing of it was one per crash and client at most.
            let all = try await village.number("SELECT count(*) FROM batch")
            #expect(all - found <= 12)
        }
    }
}

extension TestVillage {
    fileprivate func answer(_ payload: String) async throws -> Answer {
        verification.forget()
        return try await verification.verify(payload).answer
    }
}
