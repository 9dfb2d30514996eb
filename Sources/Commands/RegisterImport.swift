import Backend
import Codes
import Database
import Documents
import Foundation
import Income
import Kernel
import Orchard
import Registers
import Sales
import Synchronization
import Tours

/// One register on its way into the database.
struct RegisterImport: Sendable {
    let kind: RegisterKind
    let path: String
    /// The day from which on households and plots hold; nil for today.
    let asOf: CivilDay?
    let choices: ImportChoices
    /// Who imports.
    let scope: Scope
    /// Where refused rows are written, once there are any.
    let refusedPath: String?

    struct Outcome: Sendable {
        let report: ImportReport
        /// False when rows were refused and so nothing was recorded.
        let isRecorded: Bool
        let refusedFile: String?

        /// Whether there is nothing of the register in the books, neither from now nor from before, for what was refused.
        var isRefused: Bool {
            !isRecorded || report.refusedCount > 0 && report.recorded + report.updated + report.already == 0
        }
    }

    func run(_ backend: Backend) async throws -> Outcome {
        let today = backend.clock.today
        guard asOf == nil || kind.isDated else {
            throw Refusal(
                .invalid, "as-of-without-meaning", field: "asOf", zh: "只有农户和地块登记表有生效日期",
                en: "only registers of households and plots hold from a day on")
        }
        return switch kind {
        case .households: try await run(HouseholdRegister(asOf: asOf, today: today), backend)
        case .plots: try await run(PlotRegister(asOf: asOf, today: today), backend)
        case .harvest: try await run(HarvestRegister(signer: backend.keys.signer(), today: today), backend)
        case .sales: try await run(SaleRegister(today: today), backend)
        case .bookings: try await run(BookingRegister(today: today), backend)
        case .income: try await run(IncomeRegister(today: today), backend)
        }
    }

    private func run<Recorder: RegisterRecorder & Sendable>(
        _ recorder: Recorder, _ backend: Backend
    ) async throws -> Outcome {
        let register = try await Register(path: path, columns: Recorder.columns)
        let refused = RefusedRows(path: refusedPath, header: register.header)
        let bar = ProgressBar()
        defer { bar.clear() }
        let report: ImportReport
        var isRecorded = true
        do {
            report = try await Import(backend.database, scope: scope, choices: choices).run(
                register, kind: kind.rawValue, recorder: recorder, refusedRow: refused.append, progress: bar.show)
        } catch let failure as ImportRefused {
            report = failure.report
            isRecorded = false
        } catch {
            refused.discard()
            throw error
        }
        return Outcome(report: report, isRecorded: isRecorded, refusedFile: try refused.close())
    }
}

/// The file of refused rows, made when the first one comes.
private final class RefusedRows: Sendable {
    private let path: String?
    private let header: [String]
    private let file = Mutex<RefusedRowsFile?>(nil)

    init(path: String?, header: [String]) {
        self.path = path
        self.header = header
    }

    @Sendable func append(_ row: RegisterRow, _ refusals: [Refusal]) throws {
        guard let path else { return }
        try file.withLock { file in
            if file == nil { file = try RefusedRowsFile(path: path, header: header, language: .ofThisRun) }
            try file?.append(cells: row.cells, refusals: refusals)
        }
    }

    /// - Returns: the file's path, if there is one.
    func close() throws -> String? {
        try file.withLock { file in
            guard let file else { return nil }
            try file.close()
            return path
        }
    }

    /// Takes the file back, because the rows that it leaves out were not recorded either.
    func discard() {
        file.withLock { file in
            guard file != nil, let path else { return }
            file = nil
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

extension RegisterImport.Outcome {
    var text: String {
        var text = Table(Shapes.importReport(in: .ofThisRun), of: report).text
        if report.changeCount > 0 { text += "\n" + changes }
        for note in report.notes { text += note[.ofThisRun] + "\n" }
        if report.isDryRun {
            text += words("这是试运行，什么都没有记录。", "This was a dry run: nothing was recorded.") + "\n"
        }
        guard report.refusedCount > 0 else { return text }
        let shown = report.refused.prefix(20)
        text += "\n"
        text += Table(Shapes.refusedRow(in: .ofThisRun), Array(shown)).text
        let rest = report.refusedCount - Set(shown.compactMap(\.row)).count
        if rest > 0 { text += words("……还有 \(rest) 行", "… and \(rest) more rows") + "\n" }
        if !isRecorded { text += words("什么都没有记录。", "Nothing was recorded.") + "\n" }
        return text
    }

    /// What was changed, from what, to what and from when.
    private var changes: String {
        let shown = report.changes.prefix(20)
        let table = Table(Shapes.registerChange, Array(shown))
        let rest = report.changeCount - shown.count
        return table.text + (rest > 0 ? words("……还有 \(rest) 处", "… and \(rest) more") + "\n" : "")
    }
}
