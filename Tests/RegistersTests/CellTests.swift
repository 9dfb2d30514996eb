import Kernel
import Testing

@testable import Registers

@Suite struct CellTests {
    private let column = Column("值（斤）")

    @Test(arguments: [
        ("桃", "桃"), (" \u{3000}\u{A0}\u{200B}桃 子\u{FEFF}\t\r\n", "桃 子"), ("=\"001\"", "001"), ("'001", "001"),
        ("' 001", "001"), ("'=1+1", "=1+1"),
        ("a\nb", "a\nb"), ("=\"", "=\""), ("ＡＢ", "ＡＢ"), ("\u{2003}x\u{2060}", "x"), ("e\u{301}", "\u{E9}"),
        ("果\u{200B}品\u{AD}社", "果品社"), ("'don't'", "don't'"),
    ])
    func texts(_ cell: String, _ text: String) async throws {
        #expect(try await row(column, cell).text(column) == text)
    }

    @Test(arguments: ["", " ", "\u{3000}", "\u{A0}\u{200B}\u{FEFF}", "'", "' ", "=\"\"", "\n"])
    func cellsThatLookEmpty(_ cell: String) async throws {
        let row = try await row(column, cell)
        #expect(try row.optionalText(column) == nil)
        #expect(try row.optionalKey(column) == nil)
        #expect(try row.optionalDay(column) == nil)
        #expect(try row.optionalWeight(column, unit: 500) == nil)
        #expect(try row.optionalMoney(column) == nil)
        #expect(try row.optionalInteger(column, in: 0...1) == nil)
        #expect(try row.optionalDecimal(column, places: 2) == nil)
        let refusal = #expect(throws: Refusal.self) { try row.day(column) }
        #expect(refusal?.code == "empty-cell")
        #expect(refusal?.sentence(in: .chinese) == "第 2 行，值（斤）：不能为空")
    }

    @Test(arguments: [
        ("桃桃桃", 3, nil), ("桃桃桃桃", 3, "text-too-long"), ("a\u{1B}b", 9, "control-character"),
        ("a\u{7F}b", 9, "control-character"),
    ])
    func textLimits(_ cell: String, _ max: Int, _ code: String?) async throws {
        let row = try await row(column, cell)
        guard let code else { return #expect(try row.text(column, max: max) == cell) }
        let refusal = #expect(throws: Refusal.self) { try row.text(column, max: max) }
        #expect(refusal?.code == code)
        #expect(refusal?.field == "值（斤）")
        #expect(refusal?.row == 2)
    }

    @Test func keysAreHalfWidth() async throws {
        #expect(try await row(column, "　Ｃ０００１－Ａ").key(column) == "C0001-A")
    }

    @Test(arguments: [
        "2025-08-03", "2025/8/3", "2025年8月3日", "2025.08.03", "２０２５－０８－０３", "20250803", "45872", "４５８７２", "45872.0",
        "45872.75", "'2025-08-03",
        "=\"2025-08-03\"", "2025/8/3 0:00", "2025-08-03 00:00:00", "2025-08-03T09:30:00", "2025-08-03　12：30",
    ])
    func days(_ cell: String) async throws {
        #expect(try await row(column, cell).day(column).description == "2025-08-03")
    }

    @Test(arguments: [("32874", "1990-01-01"), ("73050", "2099-12-31")])
    func serialDaysAtTheirEdges(_ cell: String, _ day: String) async throws {
        #expect(try await row(column, cell).day(column).description == day)
    }

    @Test(arguments: [
        "32873", "73051", "4587", "45872-1", "45872x", "2025-02-30", "2025-08-03 晚上", "昨天", "2025-08-03 2025-08-04",
        "-45872", "0",
    ])
    func noDays(_ cell: String) async throws {
        let row = try await row(column, cell)
        let refusal = #expect(throws: Refusal.self) { try row.day(column) }
        #expect(refusal?.code == "not-a-day")
        #expect(refusal?.row == 2)
        #expect(refusal?.field == "值（斤）")
    }

    @Test(
        arguments: [
            ("12.5", 6250), ("12.5斤", 6250), ("12.5 斤", 6250), ("3kg", 3000), ("3 KG", 3000), ("１２．５", 6250),
            ("３ｋｇ", 3000), ("1,234.5", 617_250),
            ("1.2吨", 1_200_000), ("'12.5", 6250), ("=\"12.5\"", 6250),
        ] as [(String, Int64)])
    func weights(_ cell: String, _ grams: Int64) async throws {
        #expect(try await row(column, cell).weight(column, unit: 500).grams == grams)
    }

    @Test(arguments: [
        ("0", "weight-not-positive"), ("-3", "weight-not-positive"), ("12.5磅", "not-a-weight"),
        ("0.001", "not-a-weight"), ("1e3", "not-a-weight"),
        ("九斤", "not-a-weight"), ("999999999999", "weight-too-large"),
    ])
    func noWeights(_ cell: String, _ code: String) async throws {
        let row = try await row(column, cell)
        #expect(#expect(throws: Refusal.self) { try row.weight(column, unit: 500) }?.code == code)
    }

    @Test(
        arguments: [
            ("147.63", 14763), ("￥1,200", 120_000), ("1200元", 120_000), ("-3.2", -320), ("１４７．６３", 14763), ("'5", 500),
        ] as [(String, Int64)])
    func amounts(_ cell: String, _ fen: Int64) async throws {
        #expect(try await row(column, cell).money(column).fen == fen)
    }

    @Test(arguments: [("4", 4), ("４", 4), ("4.0", 4), ("1,000", 1000), ("-5", -5)])
    func wholeNumbers(_ cell: String, _ number: Int) async throws {
        #expect(try await row(column, cell).integer(column, in: -10...1000) == number)
    }

    @Test(arguments: [
        ("4.5", "not-a-whole-number"), ("四", "not-a-whole-number"), ("1001", "out-of-range"), ("-11", "out-of-range"),
    ])
    func noWholeNumbers(_ cell: String, _ code: String) async throws {
        let row = try await row(column, cell)
        #expect(#expect(throws: Refusal.self) { try row.integer(column, in: -10...1000) }?.code == code)
    }

    @Test(
        arguments: [
            ("5.9", 2, 590), ("5.90", 2, 590), ("5", 0, 5), ("117.20458", 6, 117_204_580), ("-0.5", 1, -5),
            ("5.900", 2, 590),
        ] as [(String, Int, Int64)])
    func decimals(_ cell: String, _ places: Int, _ scaled: Int64) async throws {
        #expect(try await row(column, cell).decimal(column, places: places) == scaled)
    }

    @Test(arguments: ["5.901", "5.9亩", "½", "1e2"])
    func noDecimals(_ cell: String) async throws {
        let row = try await row(column, cell)
        #expect(#expect(throws: Refusal.self) { try row.decimal(column, places: 2) }?.code == "not-a-number")
        #expect(#expect(throws: Refusal.self) { try row.money(column) }?.field == "值（斤）")
    }

    @Test(arguments: ["#N/A", "#REF!", "########"])
    func `what a spreadsheet could not work out is refused wherever it stands`(cell: String) async throws {
        let row = try await row(column, cell)
        let readings: [() throws -> Void] = [
            { _ = try row.text(column) }, { _ = try row.key(column) }, { _ = try row.day(column) },
            { _ = try row.money(column) }, { _ = try row.weight(column, unit: 500) },
            { _ = try row.integer(column, in: 0...1) }, { _ = try row.decimal(column, places: 2) },
        ]
        for reading in readings {
            let refusal = #expect(throws: Refusal.self) { try reading() }
            #expect(refusal?.message.zh.contains(cell) == true)
            #expect(refusal?.field == "值（斤）" && refusal?.row == 2)
        }
    }

    @Test func `a phone that a spreadsheet took for a number is read, or refused with what happened`() async throws {
        #expect(try await row(column, "13812345678.0").key(column) == "13812345678")
        let lost = try await row(column, "1.38123E+10")
        #expect(#expect(throws: Refusal.self) { try lost.key(column) }?.code == "scientific-number")
        #expect(try await row(column, "45872.3756944444").day(column).description == "2025-08-03")
        #expect(try await row(column, " ¥ -   ").money(column) == .zero)
    }
}
