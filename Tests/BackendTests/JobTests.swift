import Database
import Foundation
import InMemoryLogging
import Kernel
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Backend

@Suite struct JobTests {
    private struct Broken: Error {}

    private func job(
        _ name: String, every: Duration = .milliseconds(10), _ work: @escaping @Sendable () async throws -> Int
    ) -> Job {
        Job(name: name, purpose: Bilingual(zh: "试", en: "a test"), every: every, reach: .database(work))
    }

    private func runner(_ village: TestVillage, _ jobs: Job..., logger: Logger = .silent) -> JobRunner {
        JobRunner(jobs, locking: village.database.listening, logger: logger)
    }

    @Test func `of several servers one runs a job, and the others find it taken`() async throws {
        try await withVillage { village in
            let running = Atomic(0)
            let most = Atomic(0)
            let held = job("held") {
                most.max(running.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(300))
                running.wrappingSubtract(1, ordering: .relaxed)
                return 1
            }
            let outcomes = await withTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    let runner = runner(village, held)
                    group.addTask { await runner.once().map(\.outcome.name) }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            #expect(most.load(ordering: .relaxed) == 1)
            #expect(outcomes.sorted() == ["done", "elsewhere", "elsewhere", "elsewhere"])
            // The lock is given back, and each job has its own.
            let again = await runner(village, held, job("other") { 3 }).once()
            #expect(again.map(\.outcome.name) == ["done", "done"])
        }
    }

    @Test func `a job that fails is said once, runs again, and stops no other`() async throws {
        try await withVillage { village in
            let log = InMemoryLogHandler()
            let failures = Atomic(0)
            let others = Atomic(0)
            let broken = job("broken") {
                if failures.wrappingAdd(1, ordering: .relaxed).newValue < 5 { throw Broken() }
                return 0
            }
            let runner = runner(
                village, broken,
                job("whole") {
                    others.wrappingAdd(1, ordering: .relaxed)
                    return 2
                }, logger: Logger(label: "test", factory: { _ in log }))
            let keeping = Task { await runner.keepOn() }
            try await awaitCondition("both") {
                failures.load(ordering: .relaxed) > 5 && others.load(ordering: .relaxed) > 5
            }
            keeping.cancel()
            await keeping.value
            let lines = log.entries.filter { $0.metadata["job"] == nil }
            #expect(
                lines.map { "\($0.message)" } == ["the job broken is out of order", "the job broken is well again"])
            #expect(lines.first?.metadata["reason"] == "Broken")
            let done = log.entries.first { "\($0.message)" == "job done" }
            #expect(done?.metadata["job"] == "whole" && done?.metadata["count"] == "2")
        }
    }

    @Test func `a job does each village that has work, which it asks once`() async throws {
        let asked = Atomic(0)
        let worked = Mutex<[Int]>([])
        let job = Job(
            name: "villages", purpose: Bilingual(zh: "试", en: "a test"), every: .seconds(1),
            reach: .villages {
                asked.wrappingAdd(1, ordering: .relaxed)
                return [3, 7]
            } _: { village in
                worked.withLock { $0.append(village) }
                return village
            })
        #expect(try await job.work() == 10)
        #expect(asked.load(ordering: .relaxed) == 1 && worked.withLock { $0 } == [3, 7])
    }
}
