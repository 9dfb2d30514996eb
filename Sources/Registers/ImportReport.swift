import Kernel

/// A row that an import did not record, and why.
public struct RefusedRow: Sendable, Hashable {
    /// As a spreadsheet counts; nil when the refusal is not about a row.
    public let row: Int?
    /// The header of the cell that is wrong.
    public let field: String?
    public let reason: Bilingual
}

/// What a row changed of something that had been recorded, and from which day on.
public struct RegisterChange: Sendable, Hashable {
    /// The number of the household or plot.
    public let what: String
    /// The header of the column.
    public let field: String
    /// nil when nothing was recorded of that day yet.
    public let from: String?
    public let to: String
    public let since: CivilDay

    public init(what: String, field: String, from: String?, to: String, since: CivilDay) {
        self.what = what
        self.field = field
        self.from = from
        self.to = to
        self.since = since
    }
}

/// What an import did.
public struct ImportReport: Sendable, Hashable {
    /// Refused rows beyond this many are counted but not listed.
    public static let maximumListed = 1000
    /// From so many on the refused rows may be too many.
    static let maximumRefused = 10_000

    /// Rows of the register, whatever became of them.
    public var read = 0
    /// Rows that were recorded now.
    public var recorded = 0
    /// Rows of things that were there with other content and have been brought up to date.
    public private(set) var updated = 0
    /// What was changed by that, in all.
    public private(set) var changeCount = 0
    /// The first of the changes, each with its row.
    public private(set) var changes: [Changed] = []
    /// Rows that had been recorded before.
    public var already = 0
    /// What came into being beside the rows, such as a product that a row named first.
    public var created: [Bilingual] = []
    /// What its user should know beside the rows.
    public var notes: [Bilingual] = []
    /// Rows that may be recorded ones, changed: refused, unless it was said what they are.
    public var changed: [ChangedRow] = []
    /// Lines that are no rows, such as titles and totals.
    public private(set) var skipped: [SkippedRow] = []
    /// Headers of columns that it does not know.
    public var ignoredColumns: [String] = []
    /// Whether all of it was taken back, as was asked.
    public var isDryRun = false
    /// Rows that were refused, each for one reason or more.
    public private(set) var refusedCount = 0
    /// The reasons of the first of them.
    public private(set) var refused: [RefusedRow] = []
    /// Whether most rows were refused, so that the rest was not looked at.
    public private(set) var isCutShort = false

    public struct Changed: Sendable, Hashable {
        public let row: Int
        public let change: RegisterChange
    }

    public init() {}

    /// Counts a row that brought something up to date, and lists what it changed while there is room.
    public mutating func update(row: Int, _ changes: [RegisterChange]) {
        updated += 1
        changeCount += changes.count
        let room = Self.maximumListed - self.changes.count
        self.changes += changes.prefix(room).map { Changed(row: row, change: $0) }
    }

    /// Nothing was brought up to date after all.
    mutating func forgetUpdates() {
        updated = 0
        changeCount = 0
        changes = []
    }

    /// Counts a refused row, and lists all that is wrong with it while there is room.
    public mutating func refuse(_ refusals: [Refusal]) {
        refusedCount += 1
        for refusal in refusals where refused.count < Self.maximumListed {
            refused.append(RefusedRow(row: refusal.row, field: refusal.field, reason: refusal.message))
        }
    }

    /// Ends it where rows are refused by the thousands, and are most of those so far: that is another register.
    mutating func endIfHopeless() {
        guard refusedCount >= Self.maximumRefused, refusedCount * 2 > read else { return }
        isCutShort = true
        notes.append(
            Bilingual(
                zh: "前 \(read) 行中有 \(refusedCount) 行有问题，后面的没有再看：请核对是不是这种登记册",
                en: "\(refusedCount) of the first \(read) rows are wrong, and the rest was not looked at: "
                    + "see whether it is this register"))
    }

    mutating func skip(_ rows: [SkippedRow]) {
        skipped += rows.prefix(Self.maximumListed - skipped.count)
    }
}
