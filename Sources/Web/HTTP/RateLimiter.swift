import Kernel
import Synchronization

/// A token bucket for each client, or whatever else is counted by: so many requests a minute, all of them at once if need
/// be.
public final class RateLimiter<Key: Hashable & Sendable>: Sendable {
    private struct Bucket {
        var tokens: Double
        var filledAt: ContinuousClock.Instant
    }

    /// Two generations, so that the oldest buckets can be dropped without a search: when `young` is full, it becomes
    /// `old`, and the former `old` goes. A key seen again moves back to `young`.
    private struct Buckets {
        var young: [Key: Bucket] = [:]
        var old: [Key: Bucket] = [:]
    }

    private let perMinute: Double
    private let capacity: Int
    private let buckets = Mutex(Buckets())

    /// - Parameter perMinute: 0 for any number, and then there is no limiter.
    public convenience init?(unlessZero perMinute: Int) {
        guard perMinute > 0 else { return nil }
        self.init(perMinute: perMinute)
    }

    /// - Parameter capacity: how many keys are remembered at most.
    public init(perMinute: Int, capacity: Int = 100_000) {
        self.perMinute = Double(max(1, perMinute))
        self.capacity = max(2, capacity)
    }

    /// Takes one token.
    /// - Returns: nil when there was one, otherwise after how many seconds there will be.
    public func admit(_ key: Key, at now: ContinuousClock.Instant = .now) -> Int? {
        buckets.withLock { buckets in
            if buckets.young.count >= capacity / 2, buckets.young[key] == nil {
                buckets.old = buckets.young
                buckets.young = [:]
            }
            var bucket =
                buckets.young[key] ?? buckets.old.removeValue(forKey: key)
                ?? Bucket(tokens: perMinute, filledAt: now)
            let minutes = max(0, bucket.filledAt.duration(to: now) / .seconds(60))
            bucket.tokens = min(perMinute, bucket.tokens + minutes * perMinute)
            bucket.filledAt = max(now, bucket.filledAt)
            let admitted = bucket.tokens >= 1
            if admitted { bucket.tokens -= 1 }
            buckets.young[key] = bucket
            return admitted ? nil : max(1, Int(((1 - bucket.tokens) * 60 / perMinute - 1e-6).rounded(.up)))
        }
    }

    /// How many keys are remembered.
    var count: Int { buckets.withLock { $0.young.count + $0.old.count } }

    /// Takes one token or throws what becomes a 429 with its `Retry-After`: for endpoints that need a limit of their own.
    public func check(_ key: Key) throws {
        guard let seconds = admit(key) else { return }
        throw RefusalWithFields(
            refusal: Refusal(
                .tooMany, "too-many-requests", zh: "请求过于频繁，请在 \(seconds) 秒后再试",
                en: "too many requests; try again in \(seconds) seconds"),
            headers: [.retryAfter: String(seconds)])
    }
}
