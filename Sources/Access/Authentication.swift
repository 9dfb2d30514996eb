import Database
import Kernel
import Signing

/// Finds out who shows a token, and remembers it for a moment.
public final class Authentication: Sendable {
    private let store: TokenStore
    private let village: Int
    private let clock: WallClock
    private let people = Remembered<[UInt8], Person>(capacity: 10_000)
    /// A revocation is news (`News`), on which whoever holds this calls `forget`; this bounds it when the telling is broken.
    private let memory: Duration

    public init(_ database: Database, village: Int, clock: WallClock, memory: Duration = .seconds(2)) {
        self.store = TokenStore(database)
        self.village = village
        self.clock = clock
        self.memory = memory
    }

    /// - Throws: a `Refusal` of kind `unauthenticated` for a token that is unknown, expired or revoked.
    public func person(token: String) async throws -> Person {
        let person = try await people.value(of: TokenSecret.hash(token)) {
            try await store.person(secret: token, village: village, now: clock.now()).map { ($0, memory) }
        }
        guard let person else {
            throw Refusal(
                .unauthenticated, "invalid-token", zh: "令牌无效、已过期或已注销",
                en: "the token is unknown, expired or revoked")
        }
        return person
    }

    /// Forgets all tokens: the next request of each is looked up again.
    public func forget() { people.forget() }
}
