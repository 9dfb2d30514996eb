import Foundation
import Kernel
import Testing

@testable import Registers

/// What stands around a register's rows.
@Suite struct HeadTests {
    private static let columns = ["日期", "类别", "摘要", "金额元"].map { Column($0) }

    private func parts(_ text: String) async throws -> (rows: [RegisterRow], skipped: [SkippedRow]) {
        let file = try Scratch(text)
        let register = try await Register(path: file.path, columns: Self.columns)
        var rows: [RegisterRow] = []
        var skipped: [SkippedRow] = []
        for try await part in register.parts(of: 2) {
            rows += part.rows
            skipped += part.skipped
        }
        return (rows, skipped)
    }

    @Test(arguments: ["sep=,", "\"sep=,\"", "SEP=,"])
    func `a separator line above the header is passed over and named`(line: String) async throws {
        let (rows, skipped) = try await parts("\(line)\n日期,类别,摘要,金额元\n2026-03-20,出租,冷库,500\n")
        #expect(rows.map(\.number) == [3])
        #expect(skipped == [.separator(1)])
    }

    @Test func `a separator line says what separates`() async throws {
        let (rows, skipped) = try await parts("sep=;\n日期;类别;摘要;金额元\n2026-03-20;出租;冷库,大;500\n")
        #expect(try rows.map { try $0.text(Self.columns[2]) } == ["冷库,大"])
        #expect(skipped == [.separator(1)])
    }

    @Test func `titles and units above, and totals below, are seen for what they are`() async throws {
        let (rows, skipped) = try await parts(
            """
            2026年其他收入登记表,,,
            制表：张三，村委会,,,单位：元
            日期,类别,摘要,金额元
            2026-03-20,出租,冷库,500
            小计,,,500
            2026-03-21,出租,冷库,500
            ,合 计：,,1000
            总计,,,1000

            """)
        #expect(rows.map(\.number) == [4, 6])
        #expect(skipped == [.title(1), .unit(2), .total(5), .total(7), .total(8)])
    }

    @Test func `a title without separators does not hide those of the header`() async throws {
        let (rows, skipped) = try await parts("登记表，其他，收入\n日期\t类别\t摘要\t金额元\n2026-03-20\t出租\t冷库\t500\n")
        #expect(rows.map(\.number) == [3])
        #expect(skipped == [.title(1)])
    }

    @Test(arguments: ["2026-03-20,出租,合计,500", "2026-03-20,出租,总计算错退回,5"])
    func `a row that says all it has to is no total`(row: String) async throws {
        let (rows, skipped) = try await parts("日期,类别,摘要,金额元\n\(row)\n")
        #expect(rows.count == 1 && skipped.isEmpty)
    }

    @Test func `without a header the columns that are missing are named as before`() async throws {
        let refusal = try await refusal(of: "标题\n日期,摘要,金额元\n1,2,3\n".utf8, columns: Self.columns)
        #expect(refusal?.code == "missing-columns")
    }

    /// Where the time grew with the square of the size, none of them would come to its end.
    @Test(
        .timeLimit(.minutes(10)),
        arguments: ["\n", "\r", ",", "\"", "'", "=", "#", " ", "\u{3000}", "，", ";", "\t", "合", "-\n", "\"\n", " \n"])
    func `a file of anything is read to its end`(piece: String) async throws {
        let body = String(repeating: piece, count: 400_000 / piece.utf8.count)
        for text in [body, "日期,类别,摘要,金额元\n\(body)"] {
            let file = try Scratch(text)
            do {
                let register = try await Register(path: file.path, columns: Self.columns)
                for row in try await register.rows() { _ = try? row.text(Self.columns[0]) }
            } catch let refusal as Refusal {
                #expect(refusal.kind == .invalid)
            }
        }
    }

    @Test(arguments: [
        ("0012", "=\"0012\""), ("02286543210", "=\"02286543210\""), ("123456789012", "=\"123456789012\""),
        ("3-1", "=\"3-1\""), ("9:30", "=\"9:30\""), ("12月3日", "=\"12月3日\""), ("3日游", "3日游"), ("3:1 甲", "3:1 甲"),
        ("1E5", "=\"1E5\""), ("13812345678", "13812345678"), ("0", "0"), ("0.5", "0.5"), ("2025-08-03", "2025-08-03"),
        ("12.50", "12.50"), ("H001", "H001"), ("00.5", "=\"00.5\""),
    ])
    func `numbers that are text are written so that a spreadsheet keeps them`(cell: String, kept: String) async throws {
        let column = Column("户号")
        var again = CSVWriter()
        again.append([cell])
        let line = String(decoding: again.take().dropFirst(3).dropLast(2), as: UTF8.self)
        #expect(line == (kept == cell ? cell : "\"" + kept.replacing("\"", with: "\"\"") + "\""))
        // As it is written, as a spreadsheet that shows formulas as texts writes it, and as one that works them out.
        for text in [line, cell, "'" + cell] {
            let file = try Scratch("户号,序\n\(text),1\n")
            let row = try #require(try await Register(path: file.path, columns: [column]).rows().first)
            #expect(try row.key(column) == (try CleanText.key(cell)))
        }
    }

    @Test func `a refused row goes through its file unchanged, however often`() async throws {
        let column = Column("户号")
        let phone = Column("联系电话")
        var text = "户号,联系电话\n0012,02286543210\n"
        for _ in 0..<3 {
            let file = try Scratch(text)
            let register = try await Register(path: file.path, columns: [column, phone])
            let row = try #require(try await register.rows().first)
            #expect(try row.key(column) == "0012")
            #expect(try row.key(phone) == "02286543210")
            let path = file.path + ".refused.csv"
            let refused = try RefusedRowsFile(path: path, header: register.header, language: .chinese)
            try refused.append(
                cells: row.cells,
                refusals: [
                    Refusal(.invalid, "x", zh: "不对", en: "wrong").of(field: "户号").of(row: 2),
                    Refusal(.invalid, "y", zh: "也不对", en: "wrong too").of(field: "联系电话").of(row: 2),
                ])
            try refused.close()
            text = try String(contentsOfFile: path, encoding: .utf8)
            try FileManager.default.removeItem(atPath: path)
            #expect(text.contains("户号、联系电话") && text.contains("户号：不对；联系电话：也不对"))
        }
    }
}
