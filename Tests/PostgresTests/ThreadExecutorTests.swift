import Foundation
import Testing

@testable import Postgres

actor Blocker {
    private let executor = ThreadExecutor(name: "blocker")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Holds its thread until `all` of them do, for a minute at most.
    /// - Returns: whether they all did.
    func block(_ held: Tally, all: Int) -> Bool {
        held.increment()
        for _ in 0..<6000 where held.count < all { Thread.sleep(forTimeInterval: 0.01) }
        return held.count == all && !Thread.isMainThread
    }
}

struct ThreadExecutorTests {
    @Test func blocksNobodyElse() async throws {
        let held = Tally()
        await withTaskGroup { group in
            for _ in 0..<40 {
                group.addTask { #expect(await Blocker().block(held, all: 40)) }
            }
        }
    }

    @Test func threadsEndWithTheirExecutors() async throws {
        let threads = {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
                (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "short-lived\n"
            }
        }
        var executors: [ThreadExecutor]? = (0..<50).map { _ in ThreadExecutor(name: "short-lived") }
        #expect(try await eventually { try threads() == 50 })
        #expect(executors?.count == 50)
        executors = nil
        #expect(try await eventually { try threads() == 0 })
    }
}
