import Foundation
import Kernel
import Synchronization
import Testing

/// Work that takes long, and who may do it when.
@Suite struct WorkTests {
    private static func threadName() -> String {
        (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? ""
    }

    private static func held(_ gate: Gate) async -> String {
        gate.wait()
        return threadName()
    }

    /// Keeps threads until it is opened.
    private final class Gate: Sendable {
        private let isOpen = Mutex(false)

        var hasOpened: Bool { isOpen.withLock { $0 } }
        func open() { isOpen.withLock { $0 = true } }
        func wait() { while !isOpen.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.01) } }
    }

    /// Were they Swift's own threads, nothing would be left to open the gate.
    @Test func `work that blocks takes no thread of others`() async throws {
        let threads = WorkThreads(name: "work-test", count: 64)
        let gate = Gate()
        try await withThrowingTaskGroup { group in
            for _ in 0..<64 {
                group.addTask {
                    let name = try await threads.run {
                        async let name = Self.held(gate)
                        return await name
                    }
                    return (name, Self.threadName())
                }
            }
            for _ in 0..<100 { await Task { await Task.yield() }.value }
            gate.open()
            for try await (during, after) in group { #expect(during == "work-test\n" && after != during) }
        }
    }

    @Test func `threads end with their work`() async throws {
        let threads = {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count { task in
                (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == "short-work\n"
            }
        }
        var work: WorkThreads? = WorkThreads(name: "short-work", count: 5)
        #expect(try await work?.run { 7 } == 7)
        work = nil
        for _ in 0..<600 where try threads() > 0 { try await Task.sleep(for: .milliseconds(100)) }
        #expect(try threads() == 0)
    }

    /// Taking each from the front of an array would take minutes.
    @Test(.timeLimit(.minutes(1)))
    func `jobs run in their order, and however many wait each is taken in the same time`() {
        let gate = Gate()
        let seen = Mutex<[Int]>([])
        let queue = JobQueue<Int>(name: "job-test", threads: 1, stackSize: 1 << 20) { number in
            gate.wait()
            seen.withLock { $0.append(number) }
        }
        let numbers = Array(0..<1_000_000)
        for number in numbers { queue.append(number) }
        // What waits when it is stopped is run all the same.
        queue.stop()
        gate.open()
        while seen.withLock({ $0.count }) < numbers.count { Thread.sleep(forTimeInterval: 0.01) }
        #expect(seen.withLock { $0 } == numbers)
    }

    @Test func `a thread that is free takes what another's job keeps waiting`() {
        let gate = Gate()
        let seen = Mutex<Set<Int>>([])
        let queue = JobQueue<Int>(name: "job-test", threads: 2, stackSize: 1 << 20) { number in
            if number == 0 { gate.wait() }
            seen.withLock { _ = $0.insert(number) }
        }
        for number in 0..<100 { queue.append(number) }
        while seen.withLock({ $0.count }) < 99 { Thread.sleep(forTimeInterval: 0.01) }
        #expect(!seen.withLock { $0.contains(0) })
        gate.open()
        queue.stop()
        while seen.withLock({ $0.count }) < 100 { Thread.sleep(forTimeInterval: 0.01) }
    }

    private static let full = Refusal(.unavailable, "full", zh: "满", en: "full")

    /// A place that is taken until the returned closure is called.
    private func taken(_ places: Places) async -> @Sendable () async throws -> Void {
        let (ends, end) = AsyncStream<Void>.makeStream()
        let (begins, begun) = AsyncStream<Void>.makeStream()
        let task = Task {
            try await places.hold {
                begun.yield()
                for await _ in ends { break }
            }
        }
        for await _ in begins { break }
        return {
            end.yield()
            try await task.value
        }
    }

    @Test func `places are given in the order in which they are asked for`() async throws {
        let places = Places(1, waiters: 10, patience: .seconds(600), refusal: Self.full)
        let leave = await taken(places)
        let (order, came) = AsyncStream<Int>.makeStream()
        try await withThrowingTaskGroup { group in
            for number in 0..<5 {
                group.addTask { _ = try await places.hold { came.yield(number) } }
                while places.waitingCount <= number { await Task.yield() }
            }
            try await leave()
            try await group.waitForAll()
        }
        came.finish()
        var seen: [Int] = []
        for await number in order { seen.append(number) }
        #expect(seen == [0, 1, 2, 3, 4])
        #expect(try await places.hold { true })
    }

    @Test func `who finds too many waiting or waits too long is refused`() async throws {
        let places = Places(1, waiters: 1, patience: .milliseconds(200), refusal: Self.full)
        let leave = await taken(places)
        let first = Task { try await places.hold {} }
        while places.waitingCount == 0 { await Task.yield() }
        #expect(await #expect(throws: Refusal.self) { try await places.hold {} }?.code == "full")
        #expect(places.waitingCount <= 1)
        #expect(await #expect(throws: Refusal.self) { try await first.value }?.code == "full")
        #expect(places.waitingCount == 0)
        try await leave()
        #expect(try await places.hold { true })
    }

    @Test func `nobody has more places than their share, while others come to theirs`() async throws {
        let places = Places(4, waiters: 4, patience: .seconds(600), refusal: Self.full)
        let greedy = [Places.Party("greedy", share: 0.5)]
        let (inside, isInside) = AsyncStream<Int>.makeStream()
        let gate = Gate()
        try await withThrowingTaskGroup { group in
            for number in 0..<4 {
                group.addTask {
                    try await places.hold(for: greedy) {
                        isInside.yield(number)
                        while !gate.hasOpened { await Task.yield() }
                    }
                }
            }
            var entered = inside.makeAsyncIterator()
            _ = await entered.next()
            _ = await entered.next()
            while places.waitingCount < 2 { await Task.yield() }
            // Those who may wait are shared too.
            #expect(await #expect(throws: Refusal.self) { try await places.hold(for: greedy) {} }?.code == "full")
            #expect(try await places.hold(for: [Places.Party("modest", share: 0.5)]) { true })
            #expect(try await places.hold { true })
            #expect(places.waitingCount == 2)
            gate.open()
            try await group.waitForAll()
        }
        #expect(try await places.hold(for: greedy) { true })
    }

    @Test func `who is cancelled waits no longer`() async throws {
        let places = Places(1, waiters: 5, patience: .seconds(600), refusal: Self.full)
        let leave = await taken(places)
        let waiting = Task { try await places.hold {} }
        while places.waitingCount == 0 { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(places.waitingCount == 0)
        try await leave()
        #expect(try await places.hold { true })
    }
}
