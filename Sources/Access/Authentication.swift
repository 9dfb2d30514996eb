import Database
import Kernel
import Postgres
import Signing
import Synchronization

/// Finds out who shows a token, and remembers it for a moment.
public final class Authentication: Sendable {
    private struct Remembered {
        let person: Person
        let until: ContinuousClock.Instant
    }

    private struct Memory {
        var people: [[UInt8]: Remembered] = [:]
        /// Counts the revocations, so that a person looked up before one is not remembered after it.
        var generation = 0
    }

    private let store: TokenStore
    private let village: Int
    private let clock: WallClock
    private let remembered = Mutex(Memory())
    /// A revocation is news (`News`), on which whoever holds this calls `forget`; this bounds it when the telling is broken.
    private let memory: Duration
    private let capacity = 10_000

    public init(_ database: Database, village: Int, clock: WallClock, memory: Duration = .seconds(2)) {
        self.store = TokenStore(database)
        self.village = village
        self.clock = clock
        self.memory = memory
    }

    /// - Throws: a `Refusal` of kind `unauthenticated` for a token that is unknown, expired or revoked.
    public func person(token: String) async throws -> Person {
        let hash = TokenSecret.hash(token)
        let now = ContinuousClock.now
        let (known, generation) = remembered.withLock { ($0.people[hash], $0.generation) }
        if let known, known.until > now { return known.person }
        guard let person = try await store.person(secret: token, village: village, now: clock.now()) else {
            throw Refusal(
                .unauthenticated, "invalid-token", zh: "令牌无效、已过期或已注销",
                en: "the token is unknown, expired or revoked")
        }
        remembered.withLock { remembered in
            guard remembered.generation == generation else { return }
            if remembered.people.count >= capacity { remembered.people.removeAll() }
            remembered.people[hash] = Remembered(person: person, until: now + memory)
        }
        return person
    }

    /// Forgets all tokens: the next request of each is looked up again.
    public func forget() {
        remembered.withLock { remembered in
            remembered.people.removeAll()
            remembered.generation += 1
        }
    }
}
