import Foundation

/// A few threads for work that takes long, so that it takes none of Swift's own: those are as many as the machine has
/// cores, and whatever else goes on needs them.
///
/// Tasks share the threads and take turns where they wait or yield. The threads end when this is released and the last
/// job has run.
public final class WorkThreads: TaskExecutor {
    private let queue = JobQueue()

    /// - Parameter name: the threads' name as debuggers show it; the system cuts it after 15 bytes.
    public init(name: String, count: Int) {
        for _ in 0..<count {
            let thread = Thread { [queue] in
                // Not `thread.name`: while a thread starts, Foundation may put the name back that it has inherited.
                try? name.write(toFile: "/proc/thread-self/comm", atomically: false, encoding: .utf8)
                queue.run()
            }
            // Readers descend into what is nested.
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    deinit {
        queue.stop()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job), of: self)
    }

    /// Runs `body`, and all that it calls and that has no thread of its own, on these threads.
    public func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withTaskExecutorPreference(self) { try await body() }
    }
}

/// The jobs that wait for a thread.
private final class JobQueue: Sendable {
    private let condition = NSCondition()
    // nonisolated(unsafe): safe because it is touched while `condition` is locked only, which the compiler can't see.
    private nonisolated(unsafe) var isStopped = false
    /// Each job holds its executor, which may be released by the job itself.
    // nonisolated(unsafe): safe because they are touched while `condition` is locked only, which the compiler can't see.
    private nonisolated(unsafe) var jobs: [(job: UnownedJob, executor: WorkThreads)] = []

    func append(_ job: UnownedJob, of executor: WorkThreads) {
        condition.lock()
        jobs.append((job, executor))
        condition.unlock()
        condition.signal()
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.unlock()
        condition.broadcast()
    }

    func run() {
        while true {
            condition.lock()
            while jobs.isEmpty, !isStopped { condition.wait() }
            let next = jobs.isEmpty ? nil : jobs.removeFirst()
            condition.unlock()
            guard let (job, executor) = next else { return }
            job.runSynchronously(on: executor.asUnownedTaskExecutor())
        }
    }
}
