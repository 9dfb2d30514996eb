import CPostgres
import Foundation
import Synchronization

/// Cancels what runs on a connection, from other threads than the connection's own.
///
/// A request that finds the server not yet at work is ignored by it, so the request is repeated until the operation has
/// ended; if ten seconds of that do not help, the socket is shut down, which ends the operation with a lost connection.
final class Canceller: Sendable {
    private struct State {
        var last: UInt64 = 0
        var running: UInt64?
        var wasRequested = false
        var socket: Int32 = -1
        var token: Token?
    }

    /// Owns a `PGcancel`.
    private final class Token: Sendable {
        // Not isolated, because the pointer never changes and any thread may call `PQcancel` (libpq, "Canceling Queries").
        private nonisolated(unsafe) let pointer: OpaquePointer

        init?(_ connection: OpaquePointer) {
            guard let pointer = PQgetCancel(connection) else { return nil }
            self.pointer = pointer
        }

        deinit {
            PQfreeCancel(pointer)
        }

        func send() {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) {
                _ = PQcancel(pointer, $0.baseAddress, Int32($0.count))
            }
        }
    }

    private let state = Mutex(State())

    /// Whether a request was ever sent: one that is still on its way may hit whatever runs next.
    var wasRequested: Bool { state.withLock { $0.wasRequested } }

    func attach(_ wire: Wire) {
        let token = Token(wire.connection)
        let socket = wire.socket
        state.withLock {
            $0.token = token
            $0.socket = socket
        }
    }

    /// To be called before the socket is closed, after which its number may be another's.
    func detach() {
        state.withLock {
            $0.token = nil
            $0.socket = -1
        }
    }

    func begin() -> UInt64 {
        state.withLock {
            $0.last += 1
            $0.running = $0.last
            return $0.last
        }
    }

    func end() {
        state.withLock { $0.running = nil }
    }

    /// Cancels one operation, or whichever is running.
    func cancel(_ operation: UInt64? = nil) {
        let target: (operation: UInt64, token: Token)? = state.withLock {
            guard let running = $0.running, operation ?? running == running, let token = $0.token else { return nil }
            $0.wasRequested = true
            return (running, token)
        }
        guard let target else { return }
        // A thread of its own: PQcancel connects to the server and blocks, and callers are on Swift's pool.
        Thread.detachNewThread { [self] in
            let giveUp = ContinuousClock.now + .seconds(10)
            var pause = 0.02
            while state.withLock({ $0.running == target.operation }) {
                if ContinuousClock.now > giveUp { return abort(target.operation) }
                target.token.send()
                Thread.sleep(forTimeInterval: pause)
                pause = min(pause * 2, 0.5)
            }
        }
    }

    /// Wakes the connection's thread from any wait, at the price of the connection.
    func abort(_ operation: UInt64? = nil) {
        state.withLock {
            if $0.socket >= 0, operation == nil || $0.running == operation { _ = shutdown($0.socket, Int32(SHUT_RDWR)) }
        }
    }

    /// Whether nothing has come from the server unasked, not even the end of the connection.
    var isQuiet: Bool {
        state.withLock {
            var descriptor = pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0)
            return poll(&descriptor, 1, 0) == 0
        }
    }
}
