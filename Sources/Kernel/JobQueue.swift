import Foundation

/// The threads of an executor's own, and the jobs that wait for them, in the order in which they came. However many wait,
/// each is added and taken in the same time.
///
/// The threads end when it is stopped and the last job has run.
public final class JobQueue<Job: Sendable>: Sendable {
    private let condition = NSCondition()
    // nonisolated(unsafe): safe because it is touched while `condition` is locked only, which the compiler can't see.
    private nonisolated(unsafe) var isStopped = false
    // nonisolated(unsafe): safe because they are touched while `condition` is locked only, which the compiler can't see.
    private nonisolated(unsafe) var added: [Job] = []
    /// What came before all of `added`, the first of it last.
    // nonisolated(unsafe): safe because they are touched while `condition` is locked only, which the compiler can't see.
    private nonisolated(unsafe) var next: [Job] = []

    /// - Parameters:
    ///   - name: the threads' name as debuggers show it; the system cuts it after 15 bytes.
    ///   - stackSize: of each thread, in bytes.
    public init(name: String, threads: Int, stackSize: Int, run: @escaping @Sendable (Job) -> Void) {
        for _ in 0..<threads {
            let thread = Thread { [self] in
                // Not `thread.name`: while a thread starts, Foundation may put the name back that it has inherited.
                try? name.write(toFile: "/proc/thread-self/comm", atomically: false, encoding: .utf8)
                while let job = take() { run(job) }
            }
            thread.stackSize = stackSize
            thread.start()
        }
    }

    public func append(_ job: Job) {
        condition.lock()
        added.append(job)
        condition.unlock()
        condition.signal()
    }

    public func stop() {
        condition.lock()
        isStopped = true
        condition.unlock()
        condition.broadcast()
    }

    /// Waits for a job.
    /// - Returns: nil when there will be none.
    private func take() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        while added.isEmpty, next.isEmpty, !isStopped { condition.wait() }
        if next.isEmpty {
            swap(&added, &next)
            next.reverse()
        }
        return next.popLast()
    }
}
