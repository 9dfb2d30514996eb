import Kernel
import NIOCore
import Synchronization

/// Where a request comes from, only as far as telling callers apart needs: an IPv4 address or the /64 of an IPv6 one.
///
/// It is a key in memory, which says nothing when printed, so that no log keeps it by mistake.
public struct ClientAddress: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    private let network: UInt64
    private let isVersion6: Bool

    public var description: String { "a client" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Whether it is a program of this very machine.
    var isThisMachine: Bool { isVersion6 ? network == 0 : network >> 24 == 127 }

    /// For the keyed hash by which scans of one visitor and day are told from others; never kept itself.
    var visitor: String { "\(isVersion6 ? 6 : 4):\(network):" }

    /// All whose address is unknown, such as callers through a Unix socket, count as one.
    init(_ address: SocketAddress?) {
        switch address {
        case .v4(let address):
            network = UInt64(UInt32(bigEndian: address.address.sin_addr.s_addr))
            isVersion6 = false
        case .v6(let address):
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            // An IPv4 address in the clothes of IPv6, ::ffff:192.0.2.1.
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            let significant = isMapped ? bytes[12...] : bytes[..<8]
            network = significant.reduce(0) { $0 << 8 | UInt64($1) }
            isVersion6 = !isMapped
        default:
            network = 0
            isVersion6 = false
        }
    }

    /// The caller behind a proxy of ours, which appends the address that it sees: what stands before may be invented.
    init(forwardedFor list: String) {
        let hop = list.split(separator: ",").last.map { $0.trimmed } ?? ""
        self.init(try? SocketAddress(ipAddress: hop, port: 0))
    }
}

/// A token bucket for each client: so many requests a minute, all of them at once if need be.
public final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var filledAt: ContinuousClock.Instant
    }

    /// Two generations, so that the oldest buckets can be dropped without a search: when `young` is full, it becomes
    /// `old`, and the former `old` goes. A client seen again moves back to `young`.
    private struct Buckets {
        var young: [ClientAddress: Bucket] = [:]
        var old: [ClientAddress: Bucket] = [:]
    }

    private let perMinute: Double
    private let capacity: Int
    private let buckets = Mutex(Buckets())

    /// - Parameter capacity: how many clients are remembered at most.
    public init(perMinute: Int, capacity: Int = 100_000) {
        self.perMinute = Double(max(1, perMinute))
        self.capacity = max(2, capacity)
    }

    /// Takes one token.
    /// - Returns: nil when there was one, otherwise after how many seconds there will be.
    public func admit(_ client: ClientAddress, at now: ContinuousClock.Instant = .now) -> Int? {
        buckets.withLock { buckets in
            if buckets.young.count >= capacity / 2, buckets.young[client] == nil {
                buckets.old = buckets.young
                buckets.young = [:]
            }
            var bucket =
                buckets.young[client] ?? buckets.old.removeValue(forKey: client)
                ?? Bucket(tokens: perMinute, filledAt: now)
            let minutes = max(0, bucket.filledAt.duration(to: now) / .seconds(60))
            bucket.tokens = min(perMinute, bucket.tokens + minutes * perMinute)
            bucket.filledAt = max(now, bucket.filledAt)
            let admitted = bucket.tokens >= 1
            if admitted { bucket.tokens -= 1 }
            buckets.young[client] = bucket
            return admitted ? nil : max(1, Int(((1 - bucket.tokens) * 60 / perMinute - 1e-6).rounded(.up)))
        }
    }

    /// How many clients are remembered.
    var count: Int { buckets.withLock { $0.young.count + $0.old.count } }

    /// Takes one token or throws what becomes a 429 with its `Retry-After`: for endpoints that need a limit of their own.
    public func check(_ client: ClientAddress) throws {
        guard let seconds = admit(client) else { return }
        throw RefusalWithFields(
            refusal: Refusal(
                .tooMany, "too-many-requests", zh: "请求过于频繁，请在 \(seconds) 秒后再试",
                en: "too many requests; try again in \(seconds) seconds"),
            headers: [.retryAfter: String(seconds)])
    }
}
