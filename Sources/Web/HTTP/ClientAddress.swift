import HTTPTypes
import Kernel
import Logging
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
    init(_ address: IPAddress?) {
        isVersion6 = address.map { !$0.isVersion4 } ?? false
        network = address.map { UInt64(truncatingIfNeeded: $0.isVersion4 ? $0.bits & 0xFFFF_FFFF : $0.bits >> 64) } ?? 0
    }
}

extension IPAddress {
    init?(_ address: SocketAddress?) {
        switch address {
        case .v4(let address): self.init(version4: UInt32(bigEndian: address.address.sin_addr.s_addr))
        case .v6(let address):
            self.init(
                bits: withUnsafeBytes(of: address.address.sin6_addr) { $0.reduce(0) { $0 << 8 | UInt128($1) } })
        default: return nil
        }
    }
}

/// The proxies in front, whose word on where a request comes from is believed, and nobody else's.
public struct TrustedProxies: Sendable {
    /// The field in which each proxy names whom it has the request from, after what others have named before it.
    let field: HTTPField.Name
    let networks: [IPNetwork]

    /// - Parameter field: a valid name of a field.
    public init?(field: String, networks: [IPNetwork]) {
        guard let field = HTTPField.Name(field) else { return nil }
        self.field = field
        self.networks = networks
    }

    func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    /// The last hop that is no proxy of ours: what stands before it may be invented.
    func client(behind peer: IPAddress?, _ fields: HTTPFields) -> IPAddress? {
        guard var hop = peer, contains(hop), let list = fields[field] else { return peer }
        for text in list.split(separator: ",", omittingEmptySubsequences: false).reversed() {
            guard let earlier = Self.address(text.trimmed) else { return hop }
            hop = earlier
            guard contains(hop) else { return hop }
        }
        return hop
    }

    /// Some proxies add a port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
    private static func address(_ text: String) -> IPAddress? {
        if text.hasPrefix("[") { return IPAddress(text.dropFirst().prefix { $0 != "]" }) }
        return IPAddress(text) ?? IPAddress(text.prefix { $0 != ":" })
    }
}

/// Who calls, as the proxies in front tell. What others say in their field is not believed, and told in the log once: as
/// likely as a stranger's invention it is the word of a proxy that was forgotten in the settings.
final class Callers: Sendable {
    private let proxies: TrustedProxies
    private let logger: Logger
    private let hasTold = Atomic(false)

    init(_ proxies: TrustedProxies, _ logger: Logger) {
        self.proxies = proxies
        self.logger = logger
    }

    func client(behind peer: IPAddress?, _ fields: HTTPFields, _ channel: any Channel) -> IPAddress? {
        if let peer, !proxies.contains(peer), fields.contains(proxies.field),
            !hasTold.exchange(true, ordering: .relaxed)
        {
            // A proxy of ours is near; where strangers are is nobody's business.
            let isNear = Self.near.contains { $0.contains(peer) }
            logger.warning(
                "a proxy is not believed: it is none of TAOYUAN_TRUSTED_PROXIES",
                metadata: [
                    "field": "\(proxies.field)",
                    "proxy": "\(isNear ? channel.remoteAddress?.ipAddress ?? "" : "a public address")",
                ])
        }
        return proxies.client(behind: peer, fields)
    }

    private static let near = [
        "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1",
        "fc00::/7",
        "fe80::/10",
    ].compactMap { IPNetwork($0) }
}
