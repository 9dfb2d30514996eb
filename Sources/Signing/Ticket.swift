import Kernel

/// What a ticket says: the signed fields, without the signature.
///
/// A type of its own, not a `CodeKind`: whatever reads product codes takes a ticket for malformed.
public struct TicketBody: Sendable, Hashable {
    public let keyID: KeyID
    /// The booking's number, 1 or more.
    public let booking: UInt32
    public let issued: CivilDay
    /// The day of the booking's first session.
    public let day: CivilDay

    static let length = 11
    private static let versionAndKind: UInt8 = CodeBody.version << 4 | 8
    private static let prefix: StaticString = "taoyuan-ticket/v1\n"

    /// - Throws: a `Refusal` of kind `invalid` naming the field: booking 0, a day before 2020-01-01 or after 2199-06-05.
    public init(keyID: KeyID, booking: UInt32, issued: CivilDay, day: CivilDay) throws {
        guard booking > 0 else {
            throw Refusal(
                .invalid, "bad-ticket-booking", field: "booking", zh: "预约编号须从 1 起", en: "booking numbers start at 1")
        }
        for (field, day) in [("issued", issued), ("day", day)] where !CodeBody.days.contains(day.daysSince2020) {
            throw Refusal(
                .invalid, "bad-ticket-day", field: field, zh: "日期须在 2020-01-01 至 2199-06-05 之间",
                en: "the day must lie between 2020-01-01 and 2199-06-05")
        }
        self.keyID = keyID
        self.booking = booking
        self.issued = issued
        self.day = day
    }

    /// - Returns: nil for another length, version or kind, and for fields out of range.
    init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.length, bytes.first == Self.versionAndKind else { return nil }
        let rest = bytes.dropFirst()
        func integer(_ offset: Int, _ count: Int) -> UInt32 {
            rest.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | UInt32($1) }
        }
        let body = try? TicketBody(
            keyID: KeyID(UInt16(integer(0, 2))), booking: integer(2, 4),
            issued: CivilDay(daysSince2020: Int(integer(6, 2))), day: CivilDay(daysSince2020: Int(integer(8, 2))))
        guard let body else { return nil }
        self = body
    }

    /// 11 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = [Self.versionAndKind]
        bytes.append(bigEndian: keyID.value)
        bytes.append(bigEndian: booking)
        bytes.append(bigEndian: UInt16(issued.daysSince2020))
        bytes.append(bigEndian: UInt16(day.daysSince2020))
        return bytes
    }

    func message(origin: Origin) -> [UInt8] {
        SignedMessage.bytes(prefix: Self.prefix, origin: origin, body: bytes)
    }
}

/// A ticket and its signature, which is not checked yet.
public struct SignedTicket: Sendable {
    public let body: TicketBody
    /// 64 bytes.
    public let signature: [UInt8]

    init(body: TicketBody, signature: [UInt8]) {
        self.body = body
        self.signature = signature
    }

    /// Reads 120 characters of base32, in upper or lower case. A product's code is malformed here.
    public init(payload: String) throws(Malformed) {
        guard payload.utf8.count == 120, let bytes = Base32.decode(payload), bytes.count == TicketBody.length + 64,
            let body = TicketBody(bytes: bytes.prefix(TicketBody.length))
        else { throw Malformed() }
        self.body = body
        self.signature = Array(bytes.suffix(64))
    }

    /// The ticket's one spelling, in upper case.
    public var payload: String { Base32.encode(body.bytes + signature) }

    /// Whether this key signed this ticket for this origin. Knows nothing of the key's record, such as a theft.
    public func isSigned(by key: PublicKey, origin: Origin) -> Bool {
        key.verify(signature, over: body.message(origin: origin))
    }
}

/// What a bare ticket tells, without the bookings.
public enum TicketAnswer: Sendable, Hashable {
    case malformed
    /// No key has this id, or the one that has it is compromised. Unlike a product's code, a ticket is registered
    /// nowhere and its number is easily guessed, so that such a key's tickets prove nothing, online neither.
    case unknownKey
    case forged(TicketBody)
    /// Issued by the origin; whether the booking still stands is not known.
    case signed(TicketBody)
}

/// Checks tickets of one origin, at the cost of one signature check at most.
public struct TicketVerifier: Sendable {
    public let origin: Origin
    private let lookup: @Sendable (KeyID) -> KnownKey?

    /// - Parameter lookup: the key record of an id, retired keys among them; nil when there is none.
    public init(origin: Origin, lookup: @escaping @Sendable (KeyID) -> KnownKey?) {
        self.origin = origin
        self.lookup = lookup
    }

    public func check(_ payload: String) -> TicketAnswer {
        guard let ticket = try? SignedTicket(payload: payload) else { return .malformed }
        guard let known = lookup(ticket.body.keyID), !known.isCompromised else { return .unknownKey }
        return ticket.isSigned(by: known.key, origin: origin) ? .signed(ticket.body) : .forged(ticket.body)
    }
}
