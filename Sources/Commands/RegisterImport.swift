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
        let ignoredColumns: [String]
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
        return Outcome(
            report: report, ignoredColumns: register.ignoredColumns, isRecorded: isRecorded,
            refusedFile: try refused.close())
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
    var json: JSON {
        guard case .object(let members) = report.json(.ofThisRun) else { return .null }
        return .object(members + [.init("ignoredColumns", .array(ignoredColumns.map { .string($0) }))])
    }

    var text: String {
        let created = report.created.map(\.[.ofThisRun])
        var text = Table(facts: [
            (words("读到", "read"), rows(report.read)), (words("新记录", "recorded"), rows(report.recorded)),
            (words("已更新", "updated"), report.updated > 0 ? rows(report.updated) : nil),
            (words("早已记录", "already"), rows(report.already)),
            (words("被拒", "refused"), report.refusedCount > 0 ? rows(report.refusedCount) : nil),
            (words("新增", "created"), created.isEmpty ? nil : created.joined(separator: words("、", ", "))),
            (
                words("未用的列", "columns not used"),
                ignoredColumns.isEmpty ? nil : ignoredColumns.joined(separator: words("、", ", "))
            ),
            (words("跳过的行", "lines passed over"), report.skipped.isEmpty ? nil : skipped),
        ]).text
        if report.changeCount > 0 { text += "\n" + changes }
        for note in report.notes { text += note[.ofThisRun] + "\n" }
        if report.isDryRun {
            text += words("这是试运行，什么都没有记录。", "This was a dry run: nothing was recorded.") + "\n"
        }
        guard report.refusedCount > 0 else { return text }
        let shown = report.refused.prefix(20)
        text += "\n"
        text +=
            Table(
                [.right("行", "row"), .left("字段", "field"), .left("原因", "reason")],
                rows: shown.map { [$0.row.map(String.init), $0.field, $0.reason[.ofThisRun]] }
            ).text
        let rest = report.refusedCount - Set(shown.compactMap(\.row)).count
        if rest > 0 { text += words("……还有 \(rest) 行", "… and \(rest) more rows") + "\n" }
        if !isRecorded { text += words("什么都没有记录。", "Nothing was recorded.") + "\n" }
        return text
    }

    /// Such as `1 分隔符行`.
    private var skipped: String {
        let shown = report.skipped.prefix(10).map { "\($0.row) \($0.what[.ofThisRun])" }
        let more = report.skipped.count > shown.count ? ["…"] : []
        return (shown + more).joined(separator: words("、", ", "))
    }

    /// What was changed, from what, to what and from when.
    private var changes: String {
        let shown = report.changes.prefix(20)
        let table = Table(
            [
                .right("行", "row"), .left("号", "number"), .left("字段", "field"), .left("原为", "was"),
                .left("改为", "is"), .left("自", "from"),
            ],
            rows: shown.map { changed in
                let change = changed.change
                return ["\(changed.row)", change.what, change.field, change.from, change.to, "\(change.since)"]
            })
        let rest = report.changeCount - shown.count
        return table.text + (rest > 0 ? words("……还有 \(rest) 处", "… and \(rest) more") + "\n" : "")
    }

    private func rows(_ count: Int) -> String { words("\(count) 行", count == 1 ? "1 row" : "\(count) rows") }
}
