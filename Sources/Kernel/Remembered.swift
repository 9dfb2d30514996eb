import Synchronization

/// What was found out of late. Where it holds for a while, one asks anew in the second half of that, and all others take
/// what is known: a crowd would else ask at once, each time that it is over.
public final class Remembered<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Known {
        let value: Value
        /// nil holds until it is forgotten.
        let span: (renewal: ContinuousClock.Instant, end: ContinuousClock.Instant)?
        var isBeingRenewed = false
    }

    private struct State {
        var known: Recent<Key, Known>
        /// Counts what was forgotten, so that nothing found out before is remembered after it.
        var generation = 0
    }

    private let state: Mutex<State>
    private let capacity: Int

    public init(capacity: Int) {
        self.capacity = capacity
        state = Mutex(State(known: Recent(capacity: capacity)))
    }

    /// What is known, or is found out now.
    /// - Parameter find: what holds, and for how long; nil is not remembered.
    public func value(
        of key: Key, at now: ContinuousClock.Instant = .now,
        _ find: () async throws -> (value: Value, holds: Duration?)?
    ) async throws -> Value? {
        let (known, generation) = state.withLock { state -> (Value?, Int) in
            guard var known = state.known[key] else { return (nil, state.generation) }
            guard let span = known.span, span.renewal <= now else { return (known.value, state.generation) }
            guard span.end > now, known.isBeingRenewed else {
                known.isBeingRenewed = true
                state.known[key] = known
                return (nil, state.generation)
            }
            return (known.value, state.generation)
        }
        if let known { return known }
        do {
            let found = try await find()
            state.withLock { state in
                guard state.generation == generation else { return }
                state.known[key] = found.map { found in
                    Known(value: found.value, span: found.holds.map { (now + $0 / 2, now + $0) })
                }
            }
            return found?.value
        } catch {
            state.withLock { state in
                guard state.generation == generation, var known = state.known[key] else { return }
                known.isBeingRenewed = false
                state.known[key] = known
            }
            throw error
        }
    }

    public func forget() {
        state.withLock { state in
            state.known = Recent(capacity: capacity)
            state.generation += 1
        }
    }
}
