import ArgumentParser
import Codes
import Documents
import Foundation
import Income
import Kernel
import Orchard
import Registers
import Sales
import Tours

struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: words(
            "写出示范村的六张登记表和各列的说明。", "Writes the sample village's six registers, and a page on their columns."),
        discussion: "taoyuan sample . && taoyuan import households households.csv")

    @OptionGroup var options: ProgramOptions
    @Argument(help: .words("写入的目录；已有的文件不会被覆盖。", "The folder to write to; no file is overwritten.")) var folder: String

    func run() throws {
        var files = RegisterKind.allCases.map { ("\($0.rawValue).csv", SampleVillage.text($0)) }
        files.append((words("列说明.md", "COLUMNS.md"), Self.page))
        let paths = files.map { URL(filePath: folder).appending(path: $0.0).path(percentEncoded: false) }
        if let there = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) {
            throw Refusal(
                .conflict, "file-exists", field: "folder", zh: "\(there) 已经存在，不会被覆盖",
                en: "\(there) is there already and is not overwritten")
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Refusal(
                .unavailable, "cannot-write", field: "folder", zh: "无法建立目录“\(folder.shortened)”",
                en: "the folder “\(folder.shortened)” can't be made")
        }
        for (path, file) in zip(paths, files) { try Files.write(Array(file.1.utf8), to: path) }
        try options.show(.array(paths.map { .string($0) }), paths.joined(separator: "\n"))
    }

    /// What each register's columns are called and hold.
    private static var page: String {
        var lines = [
            words("# 登记表的列", "# The registers' columns"), "",
            words(
                "CSV，第一行是列名；列的顺序随意，多出的列会被忽略。编码可以是 UTF-8、GB 18030 或 UTF-16。例子取自示范登记表的第一行。",
                "CSV with the columns' names in its first row, in any order; further columns are passed over. UTF-8, GB 18030 "
                    + "or UTF-16. The examples are those of the sample's first row."),
        ]
        for kind in RegisterKind.allCases {
            let rows = SampleVillage.text(kind).split(separator: "\n").prefix(2).map { row in
                row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            }
            let examples = Dictionary(zip(rows.first ?? [], rows.last ?? [])) { first, _ in first }
            lines += [
                "", "## " + kind.label[.ofThisRun], "",
                "    taoyuan import \(kind.rawValue) \(kind.rawValue).csv", "",
                words("| 列 | 也可写作 | 必填 | 例 |", "| column | or | needed | example |"), "|---|---|---|---|",
            ]
            lines += kind.columns.map { column in
                let also = column.also.joined(separator: words("、", ", "))
                let needed = column.required ? words("是", "yes") : ""
                return "| \(column.name) | \(also) | \(needed) | \(examples[column.name] ?? "") |"
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension RegisterKind {
    fileprivate var columns: [Column] {
        switch self {
        case .households: HouseholdRegister.columns
        case .plots: PlotRegister.columns
        case .harvest: HarvestRegister.columns
        case .sales: SaleRegister.columns
        case .income: IncomeRegister.columns
        case .bookings: BookingRegister.columns
        }
    }
}
