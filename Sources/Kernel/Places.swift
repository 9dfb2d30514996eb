import Synchronization

/// So many at a time; some others wait for a while, in the order in which they came, and the rest is turned away.
public final class Places: Sendable {
    /// One of those among whom the places are shared, such as a village.
    public struct Party: Sendable, Hashable {
        let name: String
        /// Of the places, and of those who wait.
        let share: Double

        public init(_ name: String, share: Double) {
            self.name = name
            self.share = share
        }

        func most(of count: Int) -> Int { max(1, Int(Double(count) * share)) }
    }

    private struct Waiter {
        let id: UInt64
        let parties: [Party]
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var taken = 0
        /// By party, of those that have any.
        var takenBy: [Party: Int] = [:]
        var waiting: [Waiter] = []
        var lastWaiter: UInt64 = 0

        /// - Returns: whether there was a place.
        mutating func take(_ parties: [Party], of count: Int) -> Bool {
            guard taken < count, parties.allSatisfy({ takenBy[$0, default: 0] < $0.most(of: count) }) else {
                return false
            }
            taken += 1
            for party in parties { takenBy[party, default: 0] += 1 }
            return true
        }

        mutating func leave(_ parties: [Party]) {
            taken -= 1
            for party in parties {
                let left = takenBy[party, default: 1] - 1
                takenBy[party] = left > 0 ? left : nil
            }
        }

        /// - Parameter most: how many may wait.
        func hasRoomToWait(_ parties: [Party], most: Int) -> Bool {
            waiting.count < most
                && parties.allSatisfy { party in
                    waiting.count { $0.parties.contains(party) } < party.most(of: most)
                }
        }
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
    /// - Parameter parties: whose place it is, of each no more than its share.
    /// - Throws: what `body` throws; the refusal where there was no place; a `CancellationError`.
    public func hold<Value: Sendable>(
        for parties: [Party] = [], _ body: () async throws -> Value
    ) async throws -> Value {
        try await take(parties)
        defer { leave(parties) }
        return try await body()
    }

    private func take(_ parties: [Party]) async throws {
        let id: UInt64? = try state.withLock {
            if $0.take(parties, of: count) { return nil }
            guard $0.hasRoomToWait(parties, most: waiters) else { throw refusal }
            $0.lastWaiter += 1
            return $0.lastWaiter
        }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(Waiter(id: id, parties: parties, continuation: $0)) }
        } onCancel: {
            end(id, with: CancellationError())
        }
    }

    private func wait(_ waiter: Waiter) {
        let outcome: Result<Void, any Error>? = state.withLock {
            // The cancellation handler has run already, and has found nobody to wake.
            if Task.isCancelled { return .failure(CancellationError()) }
            // Somebody may have left since `take` looked.
            if $0.take(waiter.parties, of: count) { return .success(()) }
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

    private func leave(_ parties: [Party]) {
        let next: Waiter? = state.withLock { state in
            state.leave(parties)
            return state.waiting.firstIndex { state.take($0.parties, of: count) }.map { state.waiting.remove(at: $0) }
        }
        next?.continuation.resume()
    }
}
