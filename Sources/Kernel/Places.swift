import Synchronization

/// So many at a time; some others wait for a while, in the order in which they came, and the rest is turned away.
public final class Places: Sendable {
    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var taken = 0
        var waiting: [Waiter] = []
        var lastWaiter: UInt64 = 0
    }

    private let state = Mutex(State())
    private let count: Int
    private let waiters: Int
    private let patience: Duration
    private let refusal: Refusal

    /// - Parameters:
    ///   - waiters: how many may wait.
    ///   - patience: how long each of them waits.
    ///   - refusal: what those get who come to no place.
    public init(_ count: Int, waiters: Int, patience: Duration, refusal: Refusal) {
        self.count = count
        self.waiters = waiters
        self.patience = patience
        self.refusal = refusal
    }

    public var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Calls `body` in a place of its own.
    /// - Throws: what `body` throws; the refusal where there was no place; a `CancellationError`.
    public func hold<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await take()
        defer { leave() }
        return try await body()
    }

    private func take() async throws {
        let id: UInt64? = try state.withLock {
            if $0.taken < count {
                $0.taken += 1
                return nil
            }
            guard $0.waiting.count < waiters else { throw refusal }
            $0.lastWaiter += 1
            return $0.lastWaiter
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(Waiter(id: id, continuation: $0)) }
        } onCancel: {
            end(id, with: CancellationError())
        }
    }

    private func wait(_ waiter: Waiter) {
        let outcome: Result<Void, any Error>? = state.withLock {
            // The cancellation handler has run already, and has found nobody to wake.
            if Task.isCancelled { return .failure(CancellationError()) }
            // Somebody may have left since `take` looked.
            if $0.taken < count {
                $0.taken += 1
                return .success(())
            }
            $0.waiting.append(waiter)
            return nil
        }
        if let outcome { return waiter.continuation.resume(with: outcome) }
        Task {
            try? await Task.sleep(for: patience)
            end(waiter.id, with: refusal)
        }
    }

    private func end(_ id: UInt64, with error: any Error) {
        let waiter = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        waiter?.continuation.resume(throwing: error)
    }

    private func leave() {
        let next: Waiter? = state.withLock {
            guard !$0.waiting.isEmpty else {
                $0.taken -= 1
                return nil
            }
            return $0.waiting.removeFirst()
        }
        next?.continuation.resume()
    }
}
