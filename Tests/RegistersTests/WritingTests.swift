import Foundation
import Kernel
import Testing

@testable import Registers

@Suite struct WritingTests {
    @Test(arguments: [
        (["a", "b"], "a,b"), (["桃,子", "\"", "x\r\ny"], "\"桃,子\",\"\"\"\",\"x\r\ny\""), ([" a", ""], "\" a\","),
        (["=1+1", "@x"], "'=1+1,'@x"),
        (["+1", "-12.5", "-1,234.5", "+86 138"], "+1,-12.5,\"-1,234.5\",'+86 138"),
        (["\tx", "\rx"], "\"'\tx\",\"'\rx\""), (["＝1", "－a"], "'＝1,'－a"),
        (["-", "=", "a=b"], "'-,'=,a=b"),
    ])
    func rowsAsTheRFCHasThem(_ cells: [String], _ line: String) {
        var writer = CSVWriter()
        #expect(writer.take() == [0xEF, 0xBB, 0xBF])
        writer.append(cells)
        #expect(String(decoding: writer.take(), as: UTF8.self) == line + "\r\n")
        #expect(writer.bytes.isEmpty)
    }

    /// Whatever is written is read again, in pieces of any size: as text exactly, but for the apostrophe before formulas.
    @Test(arguments: UInt64(1)...40)
    func whatIsWrittenIsRead(_ seed: UInt64) async throws {
        var generator = SplitMix(seed: seed)
        let alphabet = [
            "a", "桃", "\"", ",", "\r", "\n", ";", "\t", "，", "'", "=", "-", "+", "@", "1", ".", "😀", "é", " ",
            "\u{3000}", "", "",
        ]
        let width = Int.random(in: 1...6, using: &generator)
        let table = (0..<30).map { _ in
            (0..<width).map { _ in
                (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? ""
                }.joined()
            }
        }
        let header = (0..<width).map { "列,\($0)" }
        var writer = CSVWriter()
        writer.append(header)
        for cells in table { writer.append(cells) }
        let file = try Scratch(writer.take())
        let register = try await Register(
            path: file.path, columns: [], readSize: .random(in: 1...40, using: &generator))
        #expect(register.header == header)
        // A cell that begins with a tab or a carriage return has an apostrophe, which can be seen.
        let visible = table.enumerated().filter {
            $1.contains { cell in
                !cell.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
                    || ["\t", "\r"].contains(cell.unicodeScalars.first)
            }
        }
        let rows = try await register.seen(size: 4)
        #expect(rows.map(\.number) == visible.map { $0.offset + 2 })
        for (row, (_, cells)) in zip(rows, visible) {
            #expect(row.problem == nil)
            for (read, written) in zip(row.cells, cells) where read != written {
                // A number that a spreadsheet would change is kept as a text.
                if read == "=\"\(written)\"" { continue }
                #expect(read == "'" + written)
                #expect(
                    ["=", "+", "-", "@", "\t", "\r"].contains { written.unicodeScalars.starts(with: $0.unicodeScalars) }
                )
            }
        }
    }

    @Test(arguments: Language.allCases)
    func refusedRowsCanBeReadAndRefusedAgain(_ language: Language) async throws {
        let path = try Scratch().path
        let file = try RefusedRowsFile(path: path, header: ["户号", "户主"], language: language)
        let refusal = Refusal(.invalid, "x", zh: "不对", en: "wrong").of(field: "户主").of(row: 7)
        try file.append(cells: ["H1", "=陈"], refusals: [refusal])
        try file.append(cells: ["H2"], refusals: [Refusal(.conflict, "y", zh: "冲突", en: "conflict")])
        try file.close()
        try file.close()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let owner = Column("户主", required: false)
        let register = try await Register(path: path, columns: [Column("户号"), owner])
        #expect(register.ignoredColumns == (language == .chinese ? ["行号", "字段", "原因"] : ["Row", "Field", "Reason"]))
        let rows = try await register.rows()
        #expect(
            rows.map(\.cells) == [
                ["H1", "'=陈", "7", "户主", refusal.message[language]],
                ["H2", "", "", "", language == .chinese ? "冲突" : "conflict"],
            ])
        #expect(try rows[0].text(owner) == "=陈")

        let second = try Scratch().path
        let again = try RefusedRowsFile(path: second, header: register.header, language: .english)
        try again.append(cells: rows[0].cells, refusals: [refusal.of(row: 2)])
        try again.close()
        defer { try? FileManager.default.removeItem(atPath: second) }
        let reread = try await Register(path: second, columns: [])
        #expect(reread.header == ["户号", "户主", "Row", "Field", "Reason"])
        #expect(try await reread.seen().map(\.cells) == [["H1", "'=陈", "2", "户主", "wrong"]])
    }

    @Test func nothingIsOverwrittenAndFullDisksAreTold() throws {
        let existing = try Scratch("precious")
        let refusal = #expect(throws: Refusal.self) {
            try RefusedRowsFile(path: existing.path, header: ["a"], language: .english)
        }
        #expect(refusal?.code == "file-exists")
        #expect(try String(contentsOfFile: existing.path, encoding: .utf8) == "precious")
        let nowhere = #expect(throws: Refusal.self) {
            try RefusedRowsFile(path: "/nonexistent/x.csv", header: ["a"], language: .english)
        }
        #expect(nowhere?.code == "cannot-write")
    }

    @Test func reportsCountAllAndListSome() throws {
        var report = ImportReport()
        report.read = 1500
        report.created = [Bilingual(zh: "新产品", en: "a product")]
        for row in 2...1501 {
            report.refuse([Refusal(.invalid, "x", zh: "不对", en: "wrong").of(field: "a").of(row: row)])
        }
        #expect(report.refusedCount == 1500)
        #expect(report.refused.count == ImportReport.maximumListed)
        #expect(report.refused.last == RefusedRow(row: 1001, field: "a", reason: Bilingual(zh: "不对", en: "wrong")))

        report.refuse([
            Refusal(.invalid, "x", zh: "不对", en: "wrong").of(row: 3),
            Refusal(.invalid, "y", zh: "也不对", en: "wrong too").of(row: 3),
        ])
        #expect(report.refusedCount == 1501, "a row is counted once")
    }
}
