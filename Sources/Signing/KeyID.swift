/// Which key signed: the first two bytes of `SHA-256(origin ‖ "\n" ‖ algorithm byte ‖ SubjectPublicKeyInfo)`.
public struct KeyID: Sendable, Hashable, CustomStringConvertible {
    public let value: UInt16

    public init(_ value: UInt16) {
        self.value = value
    }

    /// Four hexadecimal digits in either case.
    public init?(hex: String) {
        guard hex.utf8.count == 4, hex.utf8.first != UInt8(ascii: "+"), hex.utf8.first != UInt8(ascii: "-"),
            let value = UInt16(hex, radix: 16)
        else { return nil }
        self.value = value
    }

    /// Four lower-case hexadecimal digits, such as `8a31`.
    public var hex: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    public var description: String { hex }
}
