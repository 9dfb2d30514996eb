import Foundation
import Testing

@testable import Postgres

actor Blocker {
    private let executor = ThreadExecutor(name: "blocker")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func block(_ duration: TimeInterval) -> Bool {
        Thread.sleep(forTimeInterval: duration)
        return Thread.isMainThread
    }
}

struct ThreadExecutorTests {
    @Test func blocksNobodyElse() async throws {
        let start = ContinuousClock.now
        await withTaskGroup { group in
            for _ in 0..<40 {
                group.addTask { #expect(await Blocker().block(0.5) == false) }
            }
        }
        #expect(ContinuousClock.now - start < .seconds(8))
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
