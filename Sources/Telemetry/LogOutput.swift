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
        if isUrgent || isFull { flushUnlessBusy() }
    }

    /// Writes what waits, if anybody takes it within a second.
    public func flush() {
        writing.withLock { _ in writeOut(patience: 1000) }
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
        _ = writing.withLockIfAvailable { _ in writeOut(patience: 0) }
    }

    /// - Parameter patience: how many milliseconds to wait for a reader that takes nothing.
    private func writeOut(patience: Int32) {
        let (bytes, dropped) = waiting.withLock { waiting in
            let taken = (waiting.bytes, waiting.dropped)
            waiting.bytes = []
            waiting.dropped = 0
            return taken
        }
        if dropped > 0 { Measured.linesDropped.increment(by: dropped) }
        var written = 0
        while written < bytes.count {
            var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&state, 1, patience) != 0 else {
                // They wait for the next time, before what has come since.
                waiting.withLock { $0.bytes = bytes[written...] + $0.bytes }
                return
            }
            // A pipe that can be written to takes so much without waiting.
            let count = bytes[written...].prefix(Int(PIPE_BUF)).withUnsafeBytes {
                write(descriptor, $0.baseAddress, $0.count)
            }
            // Nobody reads any more.
            if count < 0, errno != EINTR, errno != EAGAIN { return }
            written += max(0, count)
        }
    }
}
