#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An address of either version of IP; one of version 4 is kept as version 6 writes it, `::ffff:192.0.2.1`.
public struct IPAddress: Sendable, Hashable {
    public let bits: UInt128

    public init(bits: UInt128) {
        self.bits = bits
    }

    public init(version4 bits: UInt32) {
        self.bits = 0xFFFF << 32 | UInt128(bits)
    }

    /// Reads `192.0.2.1` or `2001:db8::1`, and nothing else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 100 else { return nil }
        let text = String(text)
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(version4: UInt32(bigEndian: four.s_addr))
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bits: withUnsafeBytes(of: six) { $0.reduce(0) { $0 << 8 | UInt128($1) } })
        } else {
            return nil
        }
    }

    public var isVersion4: Bool { bits >> 32 == 0xFFFF }
}

/// The addresses that begin alike: an address, or one with the length of what they share, such as `10.0.0.0/8`.
public struct IPNetwork: Sendable, Hashable {
    private let address: IPAddress
    /// Counted in the 128 bits of version 6.
    private let length: Int

    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 100 else { return nil }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress($0) }) else { return nil }
        let before = address.isVersion4 ? 96 : 0
        var length = 128
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let told = Int(parts[1]),
                (0...128 - before).contains(told)
            else { return nil }
            length = before + told
        }
        self.address = address
        self.length = length
    }

    public func contains(_ other: IPAddress) -> Bool {
        (address.bits ^ other.bits) >> (128 - length) == 0
    }
}
