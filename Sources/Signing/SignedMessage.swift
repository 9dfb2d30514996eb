/// What is signed of every kind of code: `prefix ‖ origin ‖ "\n" ‖ body`.
enum SignedMessage {
    static func bytes(prefix: StaticString, origin: Origin, body: [UInt8]) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(prefix.utf8CodeUnitCount + origin.text.utf8.count + 1 + body.count)
        prefix.withUTF8Buffer { message.append(contentsOf: $0) }
        message.append(contentsOf: origin.text.utf8)
        message.append(0x0A)
        message.append(contentsOf: body)
        return message
    }
}

extension [UInt8] {
    mutating func append(bigEndian integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.bigEndian) { append(contentsOf: $0) }
    }
}
