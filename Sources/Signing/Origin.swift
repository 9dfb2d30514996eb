import Kernel

/// The `host` or `host:port` under which codes are issued and checked; part of every signed message.
public struct Origin: Sendable, Hashable, CustomStringConvertible {
    /// Lower case, with `:port` only when the port is not the scheme's own.
    public let text: String
    /// An address that only machines nearby reach, and that no certificate is given for: this machine's own, or one of the
    /// local network (RFC 1918). Good for trials.
    public let isLocal: Bool

    /// Takes a DNS name (an international one in its `xn--` spelling), a dotted IPv4 address or `[::1]`, each with or
    /// without a port, in any case.
    ///
    /// - Throws: a `Refusal` of kind `invalid` for anything else: a scheme, a path, a user, white space.
    public init(_ text: String) throws {
        guard let parts = Self.parse(text) else {
            throw Refusal(
                .invalid, "bad-origin",
                zh: "站点地址须写成“主机名”或“主机名:端口”，如 trace.example.cn",
                en: "the origin must be a host or host:port, such as trace.example.cn")
        }
        self.isLocal = Self.isLocal(parts.host)
        let ownPort = isLocal ? 80 : 443
        self.text = parts.port.flatMap { $0 == ownPort ? nil : "\(parts.host):\($0)" } ?? parts.host
    }

    /// Where a first try is served.
    public static let local = Origin(onThisMachine: "localhost:8080")

    private init(onThisMachine text: String) {
        self.text = text
        isLocal = true
    }

    /// `https`; `http` at an address that is local, where there is no certificate.
    public var scheme: String { isLocal ? "http" : "https" }

    /// `https://HOST/PAYLOAD`, the address that a label carries.
    public func url(payload: String) -> String { "\(scheme)://\(text)/\(payload)" }

    public var description: String { text }

    private static func isLocal(_ host: String) -> Bool {
        let numbers = host.split(separator: ".").compactMap { Int($0) }
        guard numbers.count == 4 else { return ["localhost", "[::1]"].contains(host) }
        switch (numbers[0], numbers[1]) {
        case (10, _), (127, _), (192, 168), (172, 16...31), (169, 254): return true
        default: return false
        }
    }

    private static func parse(_ text: String) -> (host: String, port: Int?)? {
        guard text.utf8.count <= 260, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let lower = text.lowercased()
        let local = "[::1]"
        let name = lower.hasPrefix(local) ? local : String(lower.prefix { $0 != ":" })
        guard name == local || isHost(name) else { return nil }
        let rest = lower.dropFirst(name.count)
        if rest.isEmpty { return (name, nil) }
        guard rest.first == ":", let port = canonicalNumber(rest.dropFirst()), (1...65_535).contains(port) else {
            return nil
        }
        return (name, port)
    }

    private static func isHost(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy(isLabel) else { return false }
        // A browser takes a name that ends in a number for an IPv4 address, in spellings such as 127.1 too.
        guard let last = labels.last, last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return true }
        return labels.count == 4 && labels.allSatisfy { canonicalNumber($0).map { $0 < 256 } ?? false }
    }

    private static func isLabel(_ label: Substring) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (1...63).contains(label.utf8.count) && label.utf8.first != hyphen && label.utf8.last != hyphen
            && label.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == hyphen }
    }

    private static func canonicalNumber(_ digits: Substring) -> Int? {
        guard let number = Int(digits), String(number) == digits else { return nil }
        return number
    }
}
