import Foundation
import Kernel
import Synchronization

extension Command {
    /// Which of its ends is ours.
    public enum Stream: Sendable {
        /// We read what it writes to its standard output.
        case output
        /// We write what it reads from its standard input.
        case input
    }

    /// Runs it to its end while `body`, on a thread of its own, reads or writes the other end of its stream. When the
    /// task is cancelled, the program is ended.
    /// - Parameter body: given a socket; when it returns or throws, the socket is closed.
    /// - Returns: its status and what it wrote to its standard error.
    /// - Throws: what `body` throws, unless the program had failed before; `FileFault` when it cannot be started.
    public func streaming(
        _ stream: Stream, _ body: @escaping @Sendable (Int32) throws -> Void
    ) async throws -> Outcome {
        let child = Mutex<pid_t?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(with: Result { try self.stream(stream, child, body) })
                }
            }
        } onCancel: {
            child.withLock { if let process = $0 { kill(process, SIGTERM) } }
        }
    }

    private func stream(
        _ stream: Stream, _ child: borrowing Mutex<pid_t?>, _ body: (Int32) throws -> Void
    ) throws -> Outcome {
        // A socket, because a write to one whose reader went away can do without a signal.
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw FileFault(path: arguments[0], errno: errno)
        }
        let talk = try TalkFile()
        do {
            defer { close(ends[1]) }
            let process = try spawn(keeping: 2, talk: talk.descriptor) { actions in
                posix_spawn_file_actions_adddup2(&actions, ends[1], stream == .output ? 1 : 0)
                if stream == .input { posix_spawn_file_actions_adddup2(&actions, talk.descriptor, 1) }
            }
            child.withLock { $0 = process }
        } catch {
            close(ends[0])
            throw error
        }
        let worked = Result { try body(ends[0]) }
        close(ends[0])
        var status: Int32 = 0
        if let process = child.withLock({ $0 }) {
            if case .failure = worked, stream == .output { kill(process, SIGTERM) }
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
        }
        child.withLock { $0 = nil }
        // Its own reason comes first: that it stopped reading is only what follows from that.
        if stream == .output || status == 0 { try worked.get() }
        return Outcome(status: status, output: talk.text, isLate: false)
    }
}

/// What a program says on its standard error, in a file that has no name.
private final class TalkFile {
    let descriptor: Int32

    init() throws {
        let path = NSTemporaryDirectory() + "/taoyuan-\(UUID().uuidString)"
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFault(path: path, errno: errno) }
        unlink(path)
    }

    deinit {
        close(descriptor)
    }

    /// At most 64 KiB of it.
    var text: String {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
}
