/// A few threads for work that takes long, so that it takes none of Swift's own: those are as many as the machine has
/// cores, and whatever else goes on needs them.
///
/// Tasks share the threads and take turns where they wait or yield. The threads end when this is released and the last
/// job has run.
public final class WorkThreads: TaskExecutor {
    /// Each job holds its executor, which may be released by the job itself.
    private let queue: JobQueue<(job: UnownedJob, executor: WorkThreads)>

    /// - Parameter name: the threads' name as debuggers show it; the system cuts it after 15 bytes.
    public init(name: String, count: Int) {
        // Readers descend into what is nested.
        queue = JobQueue(name: name, threads: count, stackSize: 4 << 20) { job, executor in
            job.runSynchronously(on: executor.asUnownedTaskExecutor())
        }
    }

    deinit {
        queue.stop()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        queue.append((UnownedJob(job), self))
    }

    /// Runs `body`, and all that it calls and that has no thread of its own, on these threads.
    public func run<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withTaskExecutorPreference(self) { try await body() }
    }
}
