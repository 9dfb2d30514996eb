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
    /// Rows that may be recorded ones, changed: refused, unless it was said what they are.
    public var changed: [ChangedRow] = []
    /// Lines that are no rows, such as titles and totals.
    public private(set) var skipped: [SkippedRow] = []
    /// Whether all of it was taken back, as was asked.
    public var isDryRun = false
    /// Rows that were refused, each for one reason or more.
    public private(set) var refusedCount = 0
    /// The reasons of the first of them.
    public private(set) var refused: [RefusedRow] = []

    public init() {}

    /// Counts a refused row, and lists all that is wrong with it while there is room.
    public mutating func refuse(_ refusals: [Refusal]) {
        refusedCount += 1
        for refusal in refusals where refused.count < Self.maximumListed {
            refused.append(RefusedRow(row: refusal.row, field: refusal.field, reason: refusal.message))
        }
    }

    mutating func skip(_ rows: [SkippedRow]) {
        skipped += rows.prefix(Self.maximumListed - skipped.count)
    }
}
