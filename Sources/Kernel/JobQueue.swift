import Dispatch
import Foundation
import Synchronization

/// The threads of an executor's own, and the jobs that wait for them, in the order in which they came. However many wait,
/// each is added and taken in the same time.
///
/// The threads end when it is stopped and the last job has run.
public final class JobQueue<Job: Sendable>: Sendable {
    private struct Waiting {
        var added: [Job] = []
        /// What came before all of `added`, the first of it last.
        var next: [Job] = []
    }

    private let waiting = Mutex(Waiting())
    /// Counts the jobs that nobody has taken, and the threads that are to end.
    private let wakes = DispatchSemaphore(value: 0)
    private let threads: Int

    /// - Parameters:
    ///   - name: the threads' name as debuggers show it; the system cuts it after 15 bytes.
    ///   - stackSize: of each thread, in bytes.
    public init(name: String, threads: Int, stackSize: Int, run: @escaping @Sendable (Job) -> Void) {
        self.threads = threads
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
        waiting.withLock { $0.added.append(job) }
        wakes.signal()
    }

    /// To be called once.
    public func stop() {
        for _ in 0..<threads { wakes.signal() }
    }

    /// Waits for a job.
    /// - Returns: nil when there will be none: then one thread ends.
    private func take() -> Job? {
        wakes.wait()
        return waiting.withLock { waiting in
            if waiting.next.isEmpty {
                swap(&waiting.added, &waiting.next)
                waiting.next.reverse()
            }
            return waiting.next.popLast()
        }
    }
}
