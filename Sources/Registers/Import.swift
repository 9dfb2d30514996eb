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
    case refused(Refusal)
}

/// How a capability records the rows of its register.
public protocol RegisterRecorder {
    static var columns: [Column] { get }

    /// Records some rows and tells each one's outcome, in order. What is refused leaves nothing behind.
    mutating func record(_ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope) async throws
        -> [RowOutcome]

    /// Writes what `record` has held back; called once, after the last rows.
    mutating func finish(in transaction: Transaction, _ scope: Scope) async throws

    /// What came into being beside the rows.
    var created: [Bilingual] { get }

    /// What a broken constraint tells the user when rows of another transaction came in between.
    static var refusals: [String: Refusal] { get }
}

extension RegisterRecorder {
    public mutating func finish(in transaction: Transaction, _ scope: Scope) async throws {}
}

/// Some rows were refused, so nothing was recorded.
public struct ImportRefused: Error, Sendable {
    public let report: ImportReport
}

/// Imports a register in one transaction: all of it or, if so asked, all of it but the refused rows.
public struct Import: Sendable {
    public let database: Database
    public let scope: Scope
    /// Record the good rows even though others are refused.
    public let partial: Bool
    /// Rows handled at once, while as many are read; enough to keep the server busy, few enough for 150 MB.
    let partSize = 5000

    public init(_ database: Database, scope: Scope, partial: Bool) {
        self.database = database
        self.scope = scope
        self.partial = partial
    }

    /// - Parameters:
    ///   - kind: the register's name for the audit.
    ///   - refusedRow: is given each refused row.
    ///   - progress: is given the share of the file that has been read, from 0 to 1.
    /// - Throws: `ImportRefused` with the full report when rows were refused and `partial` is off; a `Refusal` when the
    ///   file as a whole can't be read.
    public func run<Recorder: RegisterRecorder & Sendable>(
        _ register: Register, kind: String, recorder: Recorder,
        refusedRow: @escaping @Sendable (RegisterRow, Refusal) throws -> Void,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws -> ImportReport {
        do {
            let report = try await database.transaction(scope) { transaction in
                var recorder = recorder
                var report = ImportReport()
                _ = try await transaction.query(ClosedBooks.hold(scope))
                let reader = PartReader(register, partSize)
                var next = try await reader.read()
                while let part = next {
                    async let following = reader.read()
                    let outcomes = try await recorder.record(part.rows, in: transaction, scope)
                    for (row, outcome) in zip(part.rows, outcomes) {
                        report.read += 1
                        switch outcome {
                        case .recorded: report.recorded += 1
                        case .updated(let changes): report.update(row: row.number, changes)
                        case .already: report.already += 1
                        case .refused(let refusal):
                            let located = refusal.row == nil ? refusal.of(row: row.number) : refusal
                            report.refuse(located)
                            try refusedRow(row, located)
                        }
                    }
                    progress(Double(part.bytesRead) / Double(max(register.byteCount, 1)))
                    next = try await following
                }
                if report.refusedCount == 0 || partial { try await recorder.finish(in: transaction, scope) }
                report.created = recorder.created
                if report.refusedCount > 0, !partial {
                    report.recorded = 0
                    report.forgetUpdates()
                    report.created = []
                    throw ImportRefused(report: report)
                }
                let event = Event(
                    "import.\(kind)", kind, .number("read", report.read), .number("recorded", report.recorded),
                    .number("updated", report.updated), .number("refused", report.refusedCount))
                _ = try await transaction.commit([event.insert(by: scope)])
                return report
            }
            // The rows are recorded; that later questions about them are quick is no reason to report a failure.
            _ = try? await database.query("SELECT analyze_new_tables()")
            return report
        } catch let error as PostgresError {
            if let name = error.constraint, let refusal = Recorder.refusals[name] { throw refusal }
            if error.constraint == ClosedBooks.constraint { throw ClosedBooks.closedMeanwhile }
            throw error
        }
    }
}

/// Reads a part while the one before it is recorded.
private actor PartReader {
    private var parts: Register.Parts.Iterator

    init(_ register: Register, _ size: Int) {
        parts = register.parts(of: size).makeAsyncIterator()
    }

    func read() throws -> Register.Part? { try parts.read() }
}
