import Synchronization
import Testing

@testable import Web

@Suite struct ReadinessTests {
    private struct Down: Error {}

    @Test func `many who ask at once are answered by one check`() async {
        let checks = Atomic(0)
        let readiness = Readiness(memory: .seconds(600)) {
            checks.add(1, ordering: .relaxed)
            try await Task.sleep(for: .milliseconds(20))
        }
        let answers = await withTaskGroup { group in
            for _ in 0..<300 { group.addTask { await readiness.isReady() } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: true, count: 300))
        #expect(checks.load(ordering: .relaxed) == 1)
    }

    @Test func `an answer is forgotten, so that what has come back is noticed`() async throws {
        let isDown = Atomic(true)
        let readiness = Readiness(memory: .milliseconds(20)) {
            if isDown.load(ordering: .relaxed) { throw Down() }
        }
        #expect(await readiness.isReady() == false)
        isDown.store(false, ordering: .relaxed)
        while await readiness.isReady() == false { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test func `a check that does not end is not waited for, and none is begun beside it`() async throws {
        let checks = Atomic(0)
        let readiness = Readiness(patience: .milliseconds(50), memory: .milliseconds(10)) {
            checks.add(1, ordering: .relaxed)
            // As a call to a silent database, it does not hear that it is cancelled.
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                Task.detached {
                    try? await Task.sleep(for: .milliseconds(600))
                    continuation.resume()
                }
            }
        }
        for _ in 0..<5 {
            #expect(await readiness.isReady() == false)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(checks.load(ordering: .relaxed) == 1)
    }
}
