import Kernel

/// A row that an import did not record, and why.
public struct RefusedRow: Sendable, Hashable {
    /// As a spreadsheet counts; nil when the refusal is not about a row.
    public let row: Int?
    /// The header of the cell that is wrong.
    public let field: String?
    public let reason: Bilingual
}

/// What an import did.
public struct ImportReport: Sendable, Hashable {
    /// Refused rows beyond this many are counted but not listed.
    public static let maximumListed = 1000

    /// Rows of the register, whatever became of them.
    public var read = 0
    /// Rows that were recorded now.
    public var recorded = 0
    /// Rows of things that were there with other content and have been brought up to date.
    public var updated = 0
    /// Rows that had been recorded before.
    public var already = 0
    /// What came into being beside the rows, such as a product that a row named first.
    public var created: [Bilingual] = []
    public private(set) var refusedCount = 0
    /// The first of the refused rows.
    public private(set) var refused: [RefusedRow] = []

    public init() {}

    /// Counts a refused row, and lists it while there is room.
    public mutating func refuse(_ refusal: Refusal) {
        refusedCount += 1
        guard refused.count < Self.maximumListed else { return }
        refused.append(RefusedRow(row: refusal.row, field: refusal.field, reason: refusal.message))
    }
}

extension ImportReport: Encodable {
    private enum Key: String, CodingKey { case read, recorded, updated, already, created, refusedCount, refused }

    /// Reasons in both languages: `{"read":2,…,"refused":[{"row":3,"field":"重量斤","reason":{"zh":"…","en":"…"}}]}`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(read, forKey: .read)
        try container.encode(recorded, forKey: .recorded)
        try container.encode(updated, forKey: .updated)
        try container.encode(already, forKey: .already)
        try container.encode(created.map(Words.init), forKey: .created)
        try container.encode(refusedCount, forKey: .refusedCount)
        try container.encode(refused.map(Entry.init), forKey: .refused)
    }

    private struct Words: Encodable {
        let zh: String
        let en: String

        init(_ text: Bilingual) {
            zh = text.zh
            en = text.en
        }
    }

    private struct Entry: Encodable {
        let row: Int?
        let field: String?
        let reason: Words

        init(_ refused: RefusedRow) {
            row = refused.row
            field = refused.field
            reason = Words(refused.reason)
        }
    }
}
