/// The text is no code of this format: not base32, a wrong length, an unknown version or kind, a field out of range.
public struct Malformed: Error, Sendable, Hashable {
    public init() {}
}

/// A body and its signature, which is not checked yet.
public struct SignedCode: Sendable {
    public let body: CodeBody
    /// 64 bytes.
    public let signature: [UInt8]

    /// Puts a code together from the register's fields; whether the signature is good is not checked.
    public init(body: CodeBody, signature: [UInt8]) {
        self.body = body
        self.signature = signature
    }

    /// Reads 120 characters of base32 (a batch code) or 128 (an item code), in upper or lower case.
    public init(payload: String) throws(Malformed) {
        guard payload.utf8.count <= 128, let bytes = Base32.decode(payload), let first = bytes.first,
            first >> 4 == CodeBody.version, let kind = CodeKind(rawValue: first & 0x0F),
            bytes.count == kind.bodyLength + 64,
            let body = CodeBody(kind: kind, bytes: bytes.prefix(kind.bodyLength))
        else { throw Malformed() }
        self.body = body
        self.signature = Array(bytes.suffix(64))
    }

    /// The code's one spelling, in upper case.
    public var payload: String { Base32.encode(body.bytes + signature) }

    /// Whether this key signed this body for this origin. Knows nothing of the key's record, such as a theft.
    public func isSigned(by key: PublicKey, origin: Origin) -> Bool {
        key.verify(signature, over: body.message(origin: origin))
    }
}
