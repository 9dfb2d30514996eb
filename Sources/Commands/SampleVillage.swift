import Access
import Backend
import Database
import Foundation
import Documents
import Kernel
import Registers

/// The registers of a made-up village, which are part of the program.
enum SampleVillage {
    /// Who enters what a demonstration enters, so that a village's own entries are told from them.
    static let actor = "demo"

    static func scope(of backend: Backend) -> Scope {
        Scope(village: backend.village.id, cooperative: nil, actor: actor)
    }

    /// Imports them; what is there already is not recorded again.
    /// - Throws: a `Refusal` in a village that keeps books of its own: history can't be taken back.
    static func load(into backend: Backend) async throws {
        try await refuseRealVillage(backend)
        let folder = FileManager.default.temporaryDirectory.appending(path: "taoyuan-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        try Terminal.print(
            Terminal.bold("■ " + words("载入示范村：\(backend.village.name)", "Loading the sample village")))
        for kind in RegisterKind.allCases {
            let file = folder.appending(path: "\(kind.rawValue).csv")
            try Data(text(kind).utf8).write(to: file)
            let importing = RegisterImport(
                kind: kind, path: file.path, asOf: nil, choices: ImportChoices(), scope: scope(of: backend),
                refusedPath: nil)
            let outcome = try await importing.run(backend)
            let report = outcome.report
            try Terminal.print(
                "  $ taoyuan import \(kind.rawValue) \(kind.rawValue).csv   "
                    + words(
                        "新记录 \(report.recorded) 行，早已记录 \(report.already) 行",
                        "\(report.recorded) rows recorded, \(report.already) there already"))
            if let row = report.refused.first {
                throw Refusal(
                    .conflict, "sample-refused", field: row.field, row: row.row, zh: row.reason.zh, en: row.reason.en)
            }
        }
    }

    static func text(_ kind: RegisterKind) -> String {
        EmbeddedFiles.all.first { $0.name == "\(kind.rawValue).csv" }?.text ?? ""
    }

    private static func refuseRealVillage(_ backend: Backend) async throws {
        guard backend.village.name == Founding.sample.village, backend.village.brand == Founding.sample.brand else {
            throw Refusal(
                .conflict, "not-the-sample", zh: "\(backend.village.name) 不是示范村；请用另一个 --data-dir",
                en: "\(backend.village.name) is not the sample village: use another --data-dir")
        }
        let audit = AuditStore(backend.database)
        guard try await !audit.hasEntries(besides: actor, scope(of: backend)) else {
            throw Refusal(
                .conflict, "village-in-use", zh: "这里已有真实的登记，示范数据不会混进去；请用另一个 --data-dir",
                en: "this village keeps books of its own, which the demo would spoil: use another --data-dir")
        }
    }
}
