import Access
import Codes
import Documents
import Foundation
import Income
import Kernel
import NIOCore
import Orchard
import Registers
import Sales
import Tours

extension Site {
    /// Registers sent as files: what `taoyuan import` does, for a clerk far away.
    var importEndpoints: [Endpoint] {
        let today = { @Sendable in backend.clock.today }
        let asOf = Endpoint.Parameter("asOf", .day, "The day from which on the register holds (today)")
        return [
            imports("households", "of households", .keepGrowers, query: [asOf]) { call in
                HouseholdRegister(asOf: try call.query["asOf"].orNil?.day, today: today())
            },
            imports("plots", "of plots", .keepGrowers, query: [asOf]) { call in
                PlotRegister(asOf: try call.query["asOf"].orNil?.day, today: today())
            },
            imports("harvest", "of harvests", .registerBatches) { _ in
                HarvestRegister(signer: try backend.keys.signer(), today: today())
            },
            imports("sales", "of sales", .recordSales) { _ in SaleRegister(today: today()) },
            imports("income", "of other income", .enterIncome) { _ in IncomeRegister(today: today()) },
            imports("bookings", "of bookings", .bookDesk) { _ in BookingRegister(today: today()) },
        ]
    }

    private func imports<Recorder: RegisterRecorder & Sendable>(
        _ kind: String, _ what: String, _ permission: Permission, query: [Endpoint.Parameter] = [],
        _ recorder: @escaping @Sendable (Call) throws -> Recorder
    ) -> Endpoint {
        Endpoint(
            .post, "/api/v1/imports/\(kind)", "Import the register \(what) (CSV): all of its rows, or none",
            access: .whoMay(permission), query: Self.choices + query,
            body: .bytes(["text/csv", "application/octet-stream"], limit: 32 << 20),
            outcomes: [
                .init(200, "What became of the rows", Shapes.importReport(in: .english)),
                .init(
                    422, "Nothing was recorded; with a report when rows are the reason", Self.refusedRows,
                    contentType: "application/problem+json"),
            ], takesIdempotencyKey: false, patience: .minutes(10)
        ) { call in
            let choices = ImportChoices(
                partial: try call.query["partial"].orNil?.bool ?? false,
                changed: try call.query["changed"].orNil.flatMap { ChangedRows(rawValue: try $0.string) },
                creates: try call.query["create"].orNil?.bool ?? false,
                unusualPrices: try call.query["unusualPrice"].orNil?.bool ?? false,
                dryRun: try call.query["dryRun"].orNil?.bool ?? false)
            let recorder = try recorder(call)
            return try await withTemporaryFile(call.bytes) {
                try await record(recorder, kind, $0, choices, call)
            }
        }
    }

    private static let choices: [Endpoint.Parameter] = [
        .init("partial", .boolean, "Record the good rows even though others are refused"),
        .init(
            "changed", Look<ChangedRows>.name.schema,
            "What to do with rows that may be recorded ones, changed: correct the entry, or take them as new (refused)"),
        .init("create", .boolean, "New names that are close to known ones are new indeed"),
        .init("unusualPrice", .boolean, "Prices that are far from what a product sells at are meant"),
        .init("dryRun", .boolean, "Check and report only"),
    ]

    private func record<Recorder: RegisterRecorder & Sendable>(
        _ recorder: Recorder, _ kind: String, _ path: String, _ choices: ImportChoices, _ call: Call
    ) async throws -> Answer {
        let register = try await Register(path: path, columns: Recorder.columns)
        let importing = Import(backend.database, scope: try call.scope, choices: choices)
        do {
            let report = try await importing.run(
                register, kind: kind, recorder: recorder, refusedRow: { _, _ in }, progress: { _ in })
            return .json(Shapes.importReport(in: call.language).json(report))
        } catch let refused as ImportRefused {
            let report = refused.report
            let title = Bilingual(
                zh: "有 \(report.refusedCount) 行有问题，什么都没有记录",
                en: "\(report.refusedCount) rows are wrong; nothing was recorded")
            var problem: [JSON.Member] = [
                .init("type", "urn:taoyuan:problem:rows-refused"), .init("title", .string(title[call.language])),
                .init("status", 422),
            ]
            if report.isCutShort, let note = report.notes.first {
                problem.append(.init("detail", .string(note[call.language])))
            }
            problem.append(.init("report", Shapes.importReport(in: call.language).json(report)))
            return .bytes(JSON.object(problem).bytes, "application/problem+json", status: .unprocessableContent)
        }
    }

    private static let refusedRows = Schema.named(
        "ImportProblem",
        .object(Problem.fields + [Field("report", Shapes.importReport(in: .english).schema, required: false)]))

    /// A register is read several times, so it becomes a file that only we can read and that goes away afterwards.
    private func withTemporaryFile(_ bytes: ByteBuffer, _ body: (String) async throws -> Answer) async throws -> Answer
    {
        let url = FileManager.default.temporaryDirectory.appending(path: "taoyuan-\(UUID().uuidString).csv")
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o600]
        guard
            FileManager.default.createFile(
                atPath: url.path, contents: Data(bytes.readableBytesView), attributes: attributes)
        else {
            throw Refusal(
                .unavailable, "cannot-store", zh: "服务器暂时存不下上传的文件", en: "the server can't store the file at the moment")
        }
        defer { try? FileManager.default.removeItem(at: url) }
        return try await body(url.path)
    }
}
