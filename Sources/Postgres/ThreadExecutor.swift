import Kernel

/// A serial executor that owns one thread, for work that blocks.
///
/// An actor that returns it from `unownedExecutor` may block without taking a thread from Swift's own pool, which has
/// no more of them than the machine has cores. The thread starts with the executor and ends when the executor is
/// released and its last job has run.
public final class ThreadExecutor: SerialExecutor {
    /// Each job holds its executor: the actor that owns the executor may be released by the job itself.
    private let queue: JobQueue<(job: UnownedJob, executor: ThreadExecutor)>

    /// - Parameter name: the thread's name as debuggers show it; the system cuts it after 15 bytes.
    public init(name: String) {
        queue = JobQueue(name: name, threads: 1, stackSize: 1 << 20) { job, executor in
            job.runSynchronously(on: executor.asUnownedSerialExecutor())
        }
    }

    deinit {
        queue.stop()
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        queue.append((UnownedJob(job), self))
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }
}
