import Foundation
import Synchronization

/// Where lines of the log go: gathered, and written a few times a second or when something matters.
///
/// Whoever logs never waits for a reader. Lines that nobody takes are dropped and counted.
public final class LogOutput: Sendable {
    private struct Waiting {
        var bytes: [UInt8] = []
        var dropped = 0
    }

    private let descriptor: Int32
    /// Lines wait in here up to so many bytes.
    private let capacity: Int
    private let waiting = Mutex(Waiting())
    /// Held by whoever writes, so that lines keep their order.
    private let writing = Mutex(())

    /// - Parameter descriptor: an open file; standard error unless given.
    public init(descriptor: Int32 = STDERR_FILENO, capacity: Int = 4 << 20) {
        self.descriptor = descriptor
        self.capacity = capacity
    }

    /// Whether people read it as it is written.
    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// - Parameters:
    ///   - isUrgent: whether it is to be seen even if the program dies next.
    ///   - write: appends the line and its end.
    public func add(isUrgent: Bool = false, _ write: (inout [UInt8]) -> Void) {
        let isFull = waiting.withLock { waiting in
            guard waiting.bytes.count < capacity else {
                waiting.dropped += 1
                return false
            }
            write(&waiting.bytes)
            return waiting.bytes.count > 1 << 16
        }
        if isUrgent { flush() } else if isFull { flushUnlessBusy() }
    }

    /// Writes what waits.
    public func flush() {
        writing.withLock { _ in writeOut() }
    }

    /// Writes what waits a few times a second until the task is cancelled, and then the rest.
    public func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(200))
            flushUnlessBusy()
        }
        flush()
    }

    private func flushUnlessBusy() {
        _ = writing.withLockIfAvailable { _ in writeOut() }
    }

    private func writeOut() {
        let (bytes, dropped) = waiting.withLock { waiting in
            let taken = (waiting.bytes, waiting.dropped)
            waiting.bytes.removeAll(keepingCapacity: false)
            waiting.dropped = 0
            return taken
        }
        if dropped > 0 { Measured.linesDropped.increment(by: dropped) }
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while !rest.isEmpty {
                let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno != EINTR {
                    // Nobody reads any more.
                    return
                }
            }
        }
    }
}
