import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel
import Registers

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Imports a register (CSV): all of its rows or none; importing it twice records nothing twice.",
        discussion: """
            taoyuan import harvest 采收登记.csv
            taoyuan import sales 销售流水.csv --partial --refused 待改.csv

            Households come first, then plots, harvest, sales; income and bookings stand alone.
            """)

    @OptionGroup var options: SharedOptions
    @Argument(help: "households, plots, harvest, sales, income or bookings (or 农户, 地块, 采收, 销售, 收入, 预约).")
    var kind: RegisterKind
    @Argument(help: "The register, as CSV.") var file: String
    @Flag(help: "Record the good rows even though others are refused.") var partial = false
    @Option(help: "Write the refused rows to this new file (with --partial: FILE.refused.csv unless given).")
    var refused: String?

    func run() async throws {
        let importing = RegisterImport(
            kind: kind, path: file, partial: partial, refusedPath: refused ?? (partial ? file + ".refused.csv" : nil))
        let outcome = try await options.withBackend { try await importing.run($0) }
        try options.show(outcome.json, outcome.text)
        if let path = outcome.refusedFile {
            Terminal.say(words("被拒的行在 \(path)", "the refused rows are in \(path)"))
        }
        guard outcome.isRecorded else { throw ExitCode.failure }
    }
}

enum RegisterKind: String, ExpressibleByArgument, CaseIterable {
    case households, plots, harvest, sales, income, bookings

    init?(argument: String) {
        let names: [String: RegisterKind] = [
            "农户": .households, "农户名册": .households, "地块": .plots, "采收": .harvest, "采收登记": .harvest, "销售": .sales,
            "销售流水": .sales, "收入": .income, "其他收入": .income, "预约": .bookings,
            "研学预约": .bookings,
        ]
        guard let kind = RegisterKind(rawValue: argument.lowercased()) ?? names[argument] else { return nil }
        self = kind
    }
}
