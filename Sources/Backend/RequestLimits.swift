import Kernel

/// How often a minute one client may do what strangers do; 0 for any number.
public struct RequestLimits: Sendable {
    /// Verifying codes and reading what is public.
    public var reading: Int
    public var booking: Int
    /// Looking up, changing or cancelling a booking; the same bookings are not looked up more often by many clients.
    public var lookingUp: Int
    public var signingIn: Int
}

extension Configuration.Reader {
    mutating func requestLimits() throws -> RequestLimits {
        RequestLimits(
            reading: try number("TAOYUAN_VERIFY_PER_MINUTE", in: 0...1_000_000, default: 300),
            booking: try number("TAOYUAN_BOOK_PER_MINUTE", in: 0...1_000_000, default: 30),
            lookingUp: try number("TAOYUAN_LOOK_UP_PER_MINUTE", in: 0...1_000_000, default: 30),
            signingIn: try number("TAOYUAN_SIGN_IN_PER_MINUTE", in: 0...1_000_000, default: 10))
    }

    /// The name of a field of HTTP: a token of RFC 9110, section 5.6.2.
    mutating func fieldName(_ name: String) throws -> String? {
        guard let field = try optional(name) else { return nil }
        let others = Set("!#$%&'*+-.^_`|~".utf8)
        func isToken(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || others.contains(byte)
        }
        guard field.utf8.allSatisfy(isToken) else {
            throw Refusal(
                .invalid, "bad-setting", field: name, zh: "须是 HTTP 头的名称，如 X-Forwarded-For",
                en: "it must be the name of an HTTP header such as X-Forwarded-For")
        }
        return field
    }

    mutating func networks(_ name: String, default fallback: String) throws -> [IPNetwork] {
        try text(name, default: fallback).split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let network = IPNetwork(part.trimmed) else {
                throw Refusal(
                    .invalid, "bad-setting", field: name, zh: "“\(part.trimmed.shortened)”不是 IP 地址或网段，如 10.0.0.0/8",
                    en: "\(part.trimmed.shortened) is no IP address or network such as 10.0.0.0/8")
            }
            return network
        }
    }
}
