import Kernel

/// Issues codes of one origin with one key.
public struct CodeSigner: Sendable {
    public let origin: Origin
    public let keyID: KeyID
    private let key: PrivateKey

    public init(key: PrivateKey, origin: Origin) {
        self.key = key
        self.origin = origin
        self.keyID = key.publicKey.id(origin: origin)
    }

    /// An item code with a serial (five random bytes, unique within its batch), a batch code without.
    ///
    /// - Throws: a `Refusal` for fields out of range, as `CodeBody` does; `CryptoError`.
    public func sign(
        batch: UInt32, issued: CivilDay, bestBefore: CivilDay? = nil, serial: [UInt8]? = nil
    ) throws -> SignedCode {
        let body = try CodeBody(keyID: keyID, batch: batch, issued: issued, bestBefore: bestBefore, serial: serial)
        return SignedCode(body: body, signature: try key.sign(body.message(origin: origin)))
    }
    /// The ticket of a booking.
    ///
    /// - Parameters:
    ///   - booking: the booking's number, 1 or more.
    ///   - day: that of its first session.
    /// - Throws: a `Refusal` for fields out of range, as `TicketBody` does; `CryptoError`.
    public func sign(booking: UInt32, issued: CivilDay, day: CivilDay) throws -> SignedTicket {
        let body = try TicketBody(keyID: keyID, booking: booking, issued: issued, day: day)
        return SignedTicket(body: body, signature: try key.sign(body.message(origin: origin)))
    }
}
