import Foundation

/// A serial executor that owns one thread, for work that blocks.
///
/// An actor that returns it from `unownedExecutor` may block without taking a thread from Swift's own pool, which has
/// no more of them than the machine has cores. The thread starts with the executor and ends when the executor is
/// released and its last job has run.
public final class ThreadExecutor: SerialExecutor {
    private let queue = JobQueue()

    /// - Parameter name: the thread's name as debuggers show it; the system cuts it after 15 bytes.
    public init(name: String) {
        let thread = Thread { [queue] in
            // Not `thread.name`: while a thread starts, Foundation may put the name back that it has inherited.
            try? name.write(toFile: "/proc/thread-self/comm", atomically: false, encoding: .utf8)
            queue.run()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    deinit {
        queue.stop()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job), of: self)
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}

/// The jobs that wait for the thread.
private final class JobQueue: Sendable {
    private let condition = NSCondition()
    // nonisolated(unsafe): safe because it is touched while `condition` is locked only, which the compiler can't see.
    private nonisolated(unsafe) var isStopped = false
    /// Each job holds its executor: the actor that owns the executor may be released by the job itself.
    // nonisolated(unsafe): safe because they are touched while `condition` is locked only, which the compiler can't see.
    private nonisolated(unsafe) var jobs: [(job: UnownedJob, executor: ThreadExecutor)] = []

    func append(_ job: UnownedJob, of executor: ThreadExecutor) {
        condition.lock()
        jobs.append((job, executor))
        condition.unlock()
        condition.signal()
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.unlock()
        condition.signal()
    }

    func run() {
        var batch: [(job: UnownedJob, executor: ThreadExecutor)] = []
        while true {
            condition.lock()
            while jobs.isEmpty, !isStopped { condition.wait() }
            swap(&batch, &jobs)
            condition.unlock()
            if batch.isEmpty { return }
            for (job, executor) in batch { job.runSynchronously(on: executor.asUnownedSerialExecutor()) }
            batch.removeAll(keepingCapacity: true)
        }
    }
}
