import Kernel

/// The low nibble of a code's first byte: which fields follow, and under which prefix they are signed.
public enum CodeKind: UInt8, Sendable, CaseIterable {
    /// One code for all of a batch.
    case batch = 1
    /// A code for each item, told apart by its serial.
    case item = 2

    /// Bytes before the signature.
    var bodyLength: Int {
        switch self {
        case .batch: 11
        case .item: 16
        }
    }

    /// Separates these signatures from every other thing that the same key could sign.
    var prefix: StaticString {
        switch self {
        case .batch, .item: "taoyuan-code/v1\n"
        }
    }
}

/// What a code says: the signed fields, without the signature.
public struct CodeBody: Sendable, Hashable {
    public let kind: CodeKind
    public let keyID: KeyID
    /// 1 or more.
    public let batch: UInt32
    public let issued: CivilDay
    public let bestBefore: CivilDay?
    /// Five bytes in an item code, nil in a batch code.
    public let serial: [UInt8]?

    static let version: UInt8 = 1
    static let days = 0...65_534
    private static let noDay: UInt16 = 0xFFFF

    /// An item code with a serial, a batch code without.
    ///
    /// - Throws: a `Refusal` of kind `invalid` naming the field: batch 0, a day before 2020-01-01 or after 2199-06-05,
    ///   a serial that is not five bytes long.
    public init(keyID: KeyID, batch: UInt32, issued: CivilDay, bestBefore: CivilDay?, serial: [UInt8]?) throws {
        guard batch > 0 else {
            throw Refusal(.invalid, "bad-code-batch", field: "batch", zh: "批次号须从 1 起", en: "batch numbers start at 1")
        }
        for (field, day) in [("issued", issued), ("bestBefore", bestBefore ?? issued)]
        where !Self.days.contains(day.daysSince2020) {
            throw Refusal(
                .invalid, "bad-code-day", field: field, zh: "日期须在 2020-01-01 至 2199-06-05 之间",
                en: "the day must lie between 2020-01-01 and 2199-06-05")
        }
        guard serial.map({ $0.count == 5 }) ?? true else {
            throw Refusal(.invalid, "bad-code-serial", field: "serial", zh: "序列号须为 5 字节", en: "a serial is 5 bytes")
        }
        self.kind = serial == nil ? .batch : .item
        self.keyID = keyID
        self.batch = batch
        self.issued = issued
        self.bestBefore = bestBefore
        self.serial = serial
    }

    /// - Parameter bytes: a body of the right length for its kind.
    /// - Returns: nil for fields out of range.
    init?(kind: CodeKind, bytes: ArraySlice<UInt8>) {
        var rest = bytes.dropFirst()
        func next(_ count: Int) -> UInt32 {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | UInt32($1) }
        }
        let keyID = KeyID(UInt16(next(2)))
        let batch = next(4)
        let issued = CivilDay(daysSince2020: Int(next(2)))
        let bestBefore = next(2)
        let body = try? CodeBody(
            keyID: keyID, batch: batch, issued: issued,
            bestBefore: bestBefore == Self.noDay ? nil : CivilDay(daysSince2020: Int(bestBefore)),
            serial: kind == .item ? Array(rest) : nil)
        guard let body else { return nil }
        self = body
    }

    /// 11 bytes of a batch code, 16 of an item code.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(kind.bodyLength)
        bytes.append(Self.version << 4 | kind.rawValue)
        bytes.append(bigEndian: keyID.value)
        bytes.append(bigEndian: batch)
        bytes.append(bigEndian: UInt16(issued.daysSince2020))
        bytes.append(bigEndian: bestBefore.map { UInt16($0.daysSince2020) } ?? Self.noDay)
        if let serial { bytes.append(contentsOf: serial) }
        return bytes
    }

    /// What is signed: `prefix ‖ origin ‖ "\n" ‖ body`.
    func message(origin: Origin) -> [UInt8] {
        SignedMessage.bytes(prefix: kind.prefix, origin: origin, body: bytes)
    }
}
