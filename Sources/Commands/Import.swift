import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel
import Registers

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: words(
            "导入登记表（CSV）：全部记录或全不记录；导入两次不会重复记录。",
            "Imports a register (CSV): all of its rows or none; importing it twice records nothing twice."),
        discussion: """
            taoyuan import harvest 采收登记.csv
            taoyuan import sales 销售流水.csv --partial --refused 待改.csv
            taoyuan import plots 地块.csv --as-of 2026-03-01
            taoyuan import income 其他收入.csv --changed correct


            """
                + words(
                    "先导入农户，再依次导入地块、采收、销售；收入和预约不分先后。",
                    "Households come first, then plots, harvest, sales; income and bookings stand alone."))

    @OptionGroup var options: SharedOptions
    @Argument(
        help: .words(
            "登记表种类：农户、地块、采收、销售、收入、预约（或 households、plots、harvest、sales、income、bookings）。",
            "households, plots, harvest, sales, income or bookings (or 农户, 地块, 采收, 销售, 收入, 预约)."))
    var kind: RegisterKind
    @Argument(help: .words("登记表文件（CSV）。", "The register, as CSV.")) var file: String
    @Option(
        help: .words(
            "农户、地块登记表从哪天起生效（默认今天）；这一天以前的采收和报告不变。",
            "The day from which on a register of households or plots holds (default: today): harvests and reports of the "
                + "time before stay as they are."),
        transform: reading(CivilDay.init(_:)))
    var asOf: CivilDay?
    @Flag(help: .words("有的行被拒时仍记录其余的行。", "Record the good rows even though others are refused.")) var partial = false
    @Option(
        help: .words(
            "可能是已登记的行改过的，怎么办：correct 更正账上的那一笔，new 作为另一笔；不写则先拒绝并说明。",
            "What to do with rows that may be recorded ones, changed: correct the entry in the books, or take them as new; "
                + "without it they are refused and told."))
    var changed: ChangedRows?
    @Flag(
        help: .words(
            "表中与已有名称很接近的新名称（合作社、品种、等级、渠道）确实是新的。",
            "New names that are close to known ones (cooperatives, varieties, grades, channels) are new indeed."))
    var create = false
    @Flag(
        help: .words(
            "单价与近来的售价相差很远，但没有写错。", "Prices that are far from what a product sells at are meant."))
    var unusualPrice = false
    @Flag(help: .words("只检查并报告，什么都不记录。", "Check and report only; nothing is recorded.")) var dryRun = false
    @Option(
        help: .words(
            "把被拒的行写入这个新文件（用 --partial 时默认为“文件名.refused.csv”）。",
            "Write the refused rows to this new file (with --partial: FILE.refused.csv unless given)."))
    var refused: String?

    func run() async throws {
        let choices = ImportChoices(
            partial: partial, changed: changed, creates: create, unusualPrices: unusualPrice, dryRun: dryRun)
        let refusedPath = refused ?? (partial && !dryRun ? file + ".refused.csv" : nil)
        let outcome = try await options.withBackend { backend in
            let importing = RegisterImport(
                kind: kind, path: file, asOf: asOf, choices: choices, scope: backend.local.scope,
                refusedPath: refusedPath)
            return try await importing.run(backend)
        }
        try options.show(Shapes.importReport(in: .ofThisRun).json(outcome.report), outcome.text)
        if let path = outcome.refusedFile {
            Terminal.say(words("被拒的行在 \(path)", "the refused rows are in \(path)"))
        }
        guard !outcome.isRefused else { throw ExitCode.failure }
    }
}

extension RegisterKind: ExpressibleByArgument {
    public init?(argument: String) {
        let names: [String: RegisterKind] = [
            "农户": .households, "农户名册": .households, "地块": .plots, "采收": .harvest, "采收登记": .harvest, "销售": .sales,
            "销售流水": .sales, "收入": .income, "其他收入": .income, "预约": .bookings,
            "研学预约": .bookings,
        ]
        guard let kind = RegisterKind(rawValue: argument.lowercased()) ?? names[argument] else { return nil }
        self = kind
    }
}
