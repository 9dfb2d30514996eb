import Database
import Kernel
import Postgres

/// What became of one row.
public enum RowOutcome: Sendable {
    case recorded
    /// What it tells of had been recorded with other content, which it has brought up to date: what of it holds from a
    /// day on was changed so.
    case updated([RegisterChange])
    /// It had been recorded before, with the same figures.
    case already
    /// It tells of nothing that could be recorded, and says so itself.
    case passedOver(Bilingual)
    /// All that is wrong with it.
    case refused([Refusal])

    public static func refused(_ refusal: Refusal) -> RowOutcome { .refused([refusal]) }
}

/// How a capability records the rows of its register.
public protocol RegisterRecorder {
    static var columns: [Column] { get }

    /// How rows are numbered; nil for a register whose rows have no number.
    static var numbering: Numbering? { get }

    /// The columns with names that may come into being.
    static var nameColumns: [Column] { get }

    /// What the row is: two of one number must agree in all that they both say.
    static func identity(of row: RegisterRow) throws -> RowIdentity

    /// Called before everything else, with what is known of the file as a whole.
    mutating func begin(_ import: ImportContext, in transaction: Transaction, _ scope: Scope) async throws

    /// Whether `survey` wants to see all rows before the first one is recorded.
    static var surveysRows: Bool { get }

    /// Sees some rows; called for all of them before the first one is recorded, if `surveysRows`.
    mutating func survey(_ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope) async throws

    /// Records some rows and tells each one's outcome, in order. What is refused leaves nothing behind.
    mutating func record(_ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope) async throws
        -> [RowOutcome]

    /// Writes what `record` has held back; called once, after the last rows.
    mutating func finish(in transaction: Transaction, _ scope: Scope) async throws

    /// What came into being beside the rows.
    var created: [Bilingual] { get }

    /// What its user should know beside the rows, once it has finished.
    var notes: [Bilingual] { get }

    /// The rows so far that may be recorded ones, changed.
    var changed: [ChangedRow] { get }

    /// What a broken constraint tells the user when rows of another transaction came in between.
    static var refusals: [String: Refusal] { get }
}

extension RegisterRecorder {
    public static var numbering: Numbering? { nil }
    public static var nameColumns: [Column] { [] }
    public static var surveysRows: Bool { false }
    public static func identity(of row: RegisterRow) throws -> RowIdentity { RowIdentity(number: [], content: []) }
    public mutating func survey(_ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope) async throws {}
    public mutating func finish(in transaction: Transaction, _ scope: Scope) async throws {}
    public var notes: [Bilingual] { [] }
    public var changed: [ChangedRow] { [] }
}

/// Where a register's numbers stand, and in what each stands once.
public struct Numbering: Sendable {
    let number: Column
    let within: [Column]
    let yearOf: Column?

    public init(_ number: Column, within: [Column] = [], yearOf: Column? = nil) {
        self.number = number
        self.within = within
        self.yearOf = yearOf
    }
}

/// What a row with a number is.
public struct RowIdentity: Sendable {
    /// The number, and what it is unique in.
    let number: [String]
    /// Each column's content; nil says nothing.
    let content: [(name: String, value: String?)]

    public init(number: [String], content: [(Column, String?)]) {
        self.number = number
        self.content = content.map { ($0.name, $1) }
    }
}

/// What is done with rows that may be recorded ones, changed.
public enum ChangedRows: String, Sendable, CaseIterable {
    /// The books are corrected as the register was.
    case correct
    /// They are rows of their own.
    case new
}

/// How a register is to be imported.
public struct ImportChoices: Sendable {
    /// Record the good rows even though others are refused.
    public var partial = false
    /// nil lets rows that may be changed ones wait: they are refused.
    public var changed: ChangedRows?
    /// Let names come into being that are close to known ones.
    public var creates = false
    /// Take prices that are far from what a product sells at.
    public var unusualPrices = false
    /// Tell what would be done, and do nothing.
    public var dryRun = false

    public init(
        partial: Bool = false, changed: ChangedRows? = nil, creates: Bool = false, unusualPrices: Bool = false,
        dryRun: Bool = false
    ) {
        self.partial = partial
        self.changed = changed
        self.creates = creates
        self.unusualPrices = unusualPrices
        self.dryRun = dryRun
    }
}

/// What a recorder is told before the first row.
public struct ImportContext: Sendable {
    public let choices: ImportChoices
    /// The day through which the books are closed.
    public let closedThrough: CivilDay?
    /// How many rows have each name, by column.
    let names: [Column: [String: Int]]

    /// Before an import has begun.
    public static let none = ImportContext(choices: ImportChoices(), closedThrough: nil, names: [:])

    /// The names that the file's rows have in a column, and how many rows have each.
    public func names(in column: Column) -> [String: Int] { names[column] ?? [:] }
}

/// A row that is left over in the file beside one that is left over in the books: perhaps that one, changed.
public struct ChangedRow: Sendable, Hashable {
    public let row: Int
    /// The column that differs.
    public let field: String
    /// What it is in the books.
    public let recorded: String
    /// The number of the entry in the books.
    public let entry: Int64

    public init(row: Int, field: String, recorded: String, entry: Int64) {
        self.row = row
        self.field = field
        self.recorded = recorded
        self.entry = entry
    }
}
