import Foundation
import Kernel
import Testing

@Suite struct CleanTextTests {
    @Test(arguments: [
        ("零售 ", "零售"), ("\u{3000}零售\u{A0}", "零售"), ("果\u{200B}品\u{AD}社\u{FEFF}", "果品社"), ("e\u{301}", "\u{E9}"),
        ("\u{202A}甲\u{202C}", "甲"), ("甲\u{2060}\u{200F}乙", "甲乙"), ("张 三", "张 三"), ("“红薯宝哥”", "“红薯宝哥”"),
        ("ＡＢ（甲）", "ＡＢ（甲）"), ("\t\r\n", ""), ("S00432", "S00432"), ("\u{1}x\u{7F}", "x"),
    ])
    func `a text is trimmed, composed and without what cannot be seen`(typed: String, clean: String) {
        #expect(Array(CleanText.text(typed).utf8) == Array(clean.utf8))
        #expect(Array(CleanText.text(clean).utf8) == Array(clean.utf8), "twice is once")
    }

    @Test(arguments: [
        ("S00432 ", "S00432"), ("Ｓ００４３２", "S00432"), ("１２（３）", "12(3)"), ("13812345678.0", "13812345678"),
        ("12.0", "12"), ("12.00", "12"), ("12.50", "12.50"), ("1.0.0", "1.0.0"), ("0012", "0012"), ("A1.0", "A1.0"),
        ("１２．０", "12"), ("C\u{200B}1", "C1"),
    ])
    func `a key is half-width and no spreadsheet's number`(typed: String, key: String) throws {
        #expect(try CleanText.key(typed) == key)
    }

    @Test(arguments: ["1.38E+10", "1.38123e+10", "1E+05", "１．３８Ｅ＋１０"])
    func `what a spreadsheet made of a long number is refused`(text: String) {
        #expect(#expect(throws: Refusal.self) { try CleanText.key(text) }?.code == "scientific-number")
        #expect(throws: Refusal.self) { try Money(yuan: text) }
    }

    @Test(arguments: ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#n/a", "########", "###"])
    func `a spreadsheet's errors are refused by name`(text: String) {
        let refusal = #expect(throws: Refusal.self) { try CleanText.name(text, field: "name", max: 60) }
        #expect(refusal?.field == "name")
        #expect(refusal?.message.zh.contains(text) == true)
        #expect(CleanText.spreadsheetError("#1 仓库") == nil && CleanText.spreadsheetError("##") == nil)
    }

    @Test(arguments: [
        "甲\u{1B}[31m乙", "\u{1B}甲", "甲\r\n乙", "甲\n乙", "甲\t乙", "甲\u{85}乙", "甲\u{2028}乙", "甲\u{7F}", "\u{8}甲",
        "\u{200B}", "\u{200B}\u{FEFF} ", "\u{3164}", "\u{115F}\u{1160}", "\u{2800}", "\u{FE0F}", "\u{E0020}", "", " ",
    ])
    func `a name with control characters, or of which nothing can be seen, is refused`(text: String) {
        let refused = #expect(throws: Refusal.self) { try CleanText.name(text, field: "picker", max: 60) }
        #expect(refused?.field == "picker")
        let reason = #expect(throws: Refusal.self) { try CleanText.reason(text) }
        #expect(reason?.field == "reason")
    }

    @Test func `only ends of lines and tabs may stand in what has several`() throws {
        #expect(try CleanText.name("甲\r\n\t乙\n", field: "note", max: 60, lines: true) == "甲\r\n\t乙")
        #expect(throws: Refusal.self) { try CleanText.name("甲\u{1B}\n乙", field: "note", max: 60, lines: true) }
    }

    @Test(arguments: ["甲", " 甲 ", "😀", "𠮷", "é", "ก็", "أحمد", "\u{E000}", "-"])
    func `what can be seen is taken`(text: String) throws {
        _ = try CleanText.name(text, field: "picker", max: 60)
    }

    @Test(arguments: [
        ["果品(天津)社", "果品（天津）社", "果\u{200B}品(天津)社", " 果品 (天津) 社", "果品【天津】社", "果品天津社"],
        ["124蟠桃", "１２４蟠桃", "124 蟠桃"], ["A级", "Ａ级"],
    ])
    func `names that differ in nothing that counts have one form`(names: [String]) {
        #expect(Set(names.map(CleanText.folded)).count == 1)
        var known = KnownNames<Int>()
        known.add(names[0], 7)
        for name in names {
            #expect(known[name] == 7)
            #expect(known.recorded(name) == names[0])
        }
        #expect(known["别的"] == nil)
    }

    @Test(arguments: [
        ("老龙湾蟠桃合作社", "老龙弯蟠桃合作社", true), ("韩村蟠桃专业合作社", "韩村蟠桃合作社", true), ("瑞蟠21号", "瑞蟠21", true),
        ("早露蟠桃", "早露蟠挑", true), ("早露蟠桃", "露早蟠桃", true), ("瑞蟠21号", "瑞蟠22号", false), ("第一合作社", "第二合作社", false),
        ("一级", "二级", false), ("东社", "西社", false), ("124蟠桃", "早露蟠桃", false), ("红薯干礼盒", "红薯干礼合", true),
        ("宝哥红薯种植合作社", "益韩农产品合作社", false), ("蟠桃合作社", "蟠桃合作社", false),
        ("零售", "零销售", true), ("零售", "售零", true), ("批发", "批发商", true), ("微信群", "信微群", true), ("礼品果", "礼果", true),
        ("特级", "特级果", true), ("东社", "东合社", true),
        ("零售", "批发", false), ("零售", "寄售", false), ("蟠桃", "油桃", false), ("礼品果", "精品果", false), ("特级", "优级", false),
        ("东社", "西社", false), ("一级", "一二级", false), ("门店", "门店零售", false), ("桃", "蟠桃", false),
    ])
    func `names are close when one may be a slip of the pen`(known: String, name: String, isClose: Bool) {
        #expect((CloseNames([known]).first(closeTo: name) != nil) == isClose)
        #expect((CloseNames([name]).first(closeTo: known) != nil) == isClose)
    }

    @Test(
        arguments: [
            ("￥ 1,234.00", 123_400), (" ¥ 1,234.00 ", 123_400), ("1\u{A0}234.00", 123_400),
            ("1\u{202F}234\u{202F}567", 123_456_700), ("1200 元", 120_000), ("(1,234.00)", -123_400), ("（12.5）", -1250),
            ("¥(12)", -1200), ("-¥12.00", -1200), ("¥-12.00", -1200), ("￥１２", 1200), ("1 234", 123_400),
        ] as [(String, Int64)])
    func `amounts are read as accountants' formats write them`(text: String, fen: Int64) throws {
        #expect(try Money(yuan: text).fen == fen)
        #expect(try Money(cell: text).fen == fen)
    }

    @Test(arguments: ["-", " ¥ -   ", "－", "(-)"])
    func `a dash is nothing in a cell, and no amount elsewhere`(text: String) throws {
        #expect(throws: Refusal.self) { try Money(yuan: text) }
        if text != "(-)" {
            #expect(try Money(cell: text) == .zero)
        } else {
            #expect(throws: Refusal.self) { try Money(cell: text) }
        }
    }

    @Test(arguments: ["1.2万元", "1.2万", "￥1.2 万元"])
    func `amounts in units of ten thousand are refused with what to write`(text: String) {
        let refusal = #expect(throws: Refusal.self) { try Money(yuan: text) }
        #expect(refusal?.code == "amount-in-wan")
        #expect(refusal?.message.zh.contains("12000.00") == true)
    }

    @Test(arguments: ["1 23", "12 34,567", "((12))", "¥¥1", "1-", "-(5)", "1 2.5"])
    func `what is no amount stays none`(text: String) {
        #expect(throws: Refusal.self) { try Money(yuan: text) }
    }

    @Test(arguments: ["45872", "45872.3756944444", "45872.0", "2025-08-03", "2025/8/3 9:01", "２０２５－０８－０３"])
    func `days are read as spreadsheets write them`(text: String) throws {
        #expect(try CivilDay(cell: text.halfWidth).description == "2025-08-03")
    }

    @Test(arguments: ["45872.", "45872.3x", "145872", "4587.5", "2025-02-30"])
    func `what is no day stays none`(text: String) {
        #expect(throws: Refusal.self) { try CivilDay(cell: text) }
    }

    /// Where the time grew with the square of the size, none of them would come to its end.
    @Test(
        .timeLimit(.minutes(10)),
        arguments: ["\u{3000}", "\u{200B}", "(", "#", "'", "-", "1", "\u{FF08}", "e\u{301}", " "])
    func `a long text of anything is cleaned to its end`(piece: String) throws {
        let text = String(repeating: piece, count: 400_000 / piece.utf8.count)
        #expect(CleanText.text(text).utf8.count <= text.utf8.count)
        #expect(throws: Refusal.self) { try Money(cell: text) }
        _ = try? CleanText.key(text)
        _ = CleanText.folded(text)
    }
}
