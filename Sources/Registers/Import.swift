import Database
import Kernel
import Postgres
import Telemetry

/// Some rows were refused, so nothing was recorded.
public struct ImportRefused: Error, Sendable {
    public let report: ImportReport
}

/// Ends the transaction of an import that was only to be tried.
private struct Tried: Error {
    let report: ImportReport
}

/// Imports a register in one transaction: all of it or, if so asked, all of it but the refused rows.
///
/// The file is read twice: once to see what stands in it as a whole, so that no row's verdict depends on where it stands,
/// and once to record it.
public struct Import: Sendable {
    public let database: Database
    public let scope: Scope
    public let choices: ImportChoices
    /// Rows handled at once, while as many are read; enough to keep the server busy, few enough for 150 MB.
    let partSize = 5000

    public init(_ database: Database, scope: Scope, choices: ImportChoices) {
        self.database = database
        self.scope = scope
        self.choices = choices
    }

    /// - Parameters:
    ///   - kind: the register's name for the audit.
    ///   - refusedRow: is given each refused row and all that is wrong with it.
    ///   - progress: is given the share of the work that has been done, from 0 to 1.
    /// - Throws: `ImportRefused` with the full report when rows were refused and not the good ones are wanted; a `Refusal`
    ///   when the file as a whole can't be read.
    public func run<Recorder: RegisterRecorder & Sendable>(
        _ register: Register, kind: String, recorder: Recorder,
        refusedRow: @escaping @Sendable (RegisterRow, [Refusal]) throws -> Void,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws -> ImportReport {
        do {
            let report = try await database.commitOnce(scope) { transaction in
                var recorder = recorder
                let (context, twins) = try await look(at: register, &recorder, transaction, progress)
                try await recorder.begin(context, in: transaction, scope)
                if Recorder.surveysRows {
                    for try await part in register.parts(of: partSize) {
                        try await recorder.survey(part.rows, in: transaction, scope)
                    }
                }
                let report = try await record(register, &recorder, twins, transaction, refusedRow) {
                    progress(0.1 + 0.9 * $0)
                }
                if report.isCutShort || report.refusedCount > 0 && !choices.partial {
                    throw ImportRefused(report: report)
                }
                let event = Event(
                    "import.\(kind)", kind, .number("read", report.read), .number("recorded", report.recorded),
                    .number("updated", report.updated), .number("refused", report.refusedCount))
                guard !choices.dryRun else {
                    _ = try await transaction.query(event.insert(by: scope))
                    throw Tried(report: report)
                }
                return (report, [event.insert(by: scope)])
            }
            for (outcome, count) in [
                ("recorded", report.recorded), ("updated", report.updated), ("refused", report.refusedCount),
            ] {
                Measured.importRows(of: kind, outcome).increment(by: count)
            }
            // The rows are recorded; that later questions about them are quick is no reason to report a failure.
            _ = try? await database.queryOutside("SELECT analyze_new_tables()")
            return report
        } catch let tried as Tried {
            return tried.report
        } catch let error as PostgresError {
            if let name = error.constraint, let refusal = Recorder.refusals[name] { throw refusal }
            if error.constraint == ClosedBooks.constraint { throw ClosedBooks.closedMeanwhile }
            throw error
        }
    }

    /// Reads the file for what a single row does not tell.
    private func look<Recorder: RegisterRecorder>(
        at register: Register, _ recorder: inout Recorder, _ transaction: Transaction,
        _ progress: @Sendable (Double) -> Void
    ) async throws -> (ImportContext, [Int: Refusal]) {
        let answers = try await transaction.query([ClosedBooks.hold(scope), ClosedBooks.through(scope)])
        var survey = Survey()
        var twins = Twins()
        let numbering = Recorder.numbering
        if numbering != nil || !Recorder.nameColumns.isEmpty {
            for try await part in register.parts(of: partSize) {
                try survey.add(
                    part.rows, numbering: numbering, names: Recorder.nameColumns, all: Recorder.columns)
                progress(0.1 * Double(part.bytesRead) / Double(max(register.byteCount, 1)))
            }
        }
        let suspects = survey.finish()
        if !suspects.isEmpty {
            for try await part in register.parts(of: partSize) {
                for row in part.rows where suspects.contains(row.number) { twins.add(row, Recorder.self) }
            }
        }
        let context = ImportContext(
            choices: choices, closedThrough: try answers[1].first?.decode("through"), names: survey.names)
        return (context, twins.refusals(field: numbering?.number.name ?? ""))
    }

    private func record<Recorder: RegisterRecorder & Sendable>(
        _ register: Register, _ recorder: inout Recorder, _ twins: [Int: Refusal], _ transaction: Transaction,
        _ refusedRow: (RegisterRow, [Refusal]) throws -> Void, _ progress: (Double) -> Void
    ) async throws -> ImportReport {
        var report = ImportReport()
        report.isDryRun = choices.dryRun
        report.ignoredColumns = register.ignoredColumns
        let reader = PartReader(register, partSize)
        var next = try await reader.read()
        while let part = next {
            async let following = reader.read()
            let rows = twins.isEmpty ? part.rows : part.rows.filter { twins[$0.number] == nil }
            var outcomes = try await recorder.record(rows, in: transaction, scope)
            if rows.count < part.rows.count {
                var others = outcomes.makeIterator()
                outcomes = part.rows.compactMap { row in twins[row.number].map { .refused($0) } ?? others.next() }
            }
            var passedOver: [SkippedRow] = []
            for (row, outcome) in zip(part.rows, outcomes) {
                report.read += 1
                switch outcome {
                case .passedOver(let what): passedOver.append(SkippedRow(row: row.number, what: what))
                case .recorded: report.recorded += 1
                case .updated(let changes): report.update(row: row.number, changes)
                case .already: report.already += 1
                case .refused(let refusals):
                    let located = refusals.map { $0.row == nil ? $0.of(row: row.number) : $0 }
                    report.refuse(located)
                    try refusedRow(row, located)
                }
            }
            report.skip((part.skipped + passedOver).sorted { $0.row < $1.row })
            progress(Double(part.bytesRead) / Double(max(register.byteCount, 1)))
            report.endIfHopeless()
            next = report.isCutShort ? nil : try await following
        }
        let isRecorded = report.refusedCount == 0 || choices.partial && !report.isCutShort
        if isRecorded { try await recorder.finish(in: transaction, scope) }
        report.changed = recorder.changed
        if isRecorded {
            report.created = recorder.created
            report.notes = recorder.notes
        } else {
            report.recorded = 0
            report.forgetUpdates()
        }
        return report
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
