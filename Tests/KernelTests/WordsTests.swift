import Kernel
import Testing

@Suite struct WordsTests {
    private static let plain = Refusal(.invalid, "not-a-weight", zh: "不是重量", en: "it is no weight")

    @Test(arguments: [
        (plain, "不是重量", "it is no weight"),
        (plain.of(field: "重量斤"), "重量斤：不是重量", "重量斤: it is no weight"),
        (plain.of(row: 7), "第 7 行：不是重量", "row 7: it is no weight"),
        (plain.of(field: "重量斤").of(row: 7), "第 7 行，重量斤：不是重量", "row 7, 重量斤: it is no weight"),
    ])
    func refusalIsOneSentence(_ refusal: Refusal, _ zh: String, _ en: String) {
        #expect(refusal.sentence(in: .chinese) == zh)
        #expect(refusal.sentence(in: .english) == en)
    }

    @Test func refusalKeepsItsFirstFieldAndItsLastRow() {
        let refusal = Self.plain.of(field: "a").of(field: "b").of(row: 1).of(row: 2)
        #expect(refusal.field == "a")
        #expect(refusal.row == 2)
        #expect(refusal.code == "not-a-weight")
        #expect(refusal.kind == .invalid)
    }

    @Test(
        arguments: [
            ("zh-CN,zh;q=0.9,en;q=0.8", .chinese), ("zh_CN.UTF-8", .chinese), ("ZH", .chinese), ("en-GB", .english),
            ("EN_us.UTF-8", .english),
            ("fr-FR, en;q=0.7, zh;q=0.5", .english), ("de,  zh", .chinese), ("C.UTF-8", nil), ("POSIX", nil), ("", nil),
            (",,,", nil), ("fr", nil),
        ] as [(String, Language?)])
    func languageIsTheFirstKnown(_ text: String, _ language: Language?) {
        #expect(Language(preferredIn: text) == language)
    }

    @Test func bilingualSpeaksBoth() {
        let text = Bilingual(zh: "桃", en: "peach")
        #expect(text[.chinese] == "桃")
        #expect(text[.english] == "peach")
    }

    @Test(arguments: [
        ("桃", "桃"), ("a\u{0}b\u{1B}c\n", "abc"), (String(repeating: "桃", count: 40), String(repeating: "桃", count: 40)),
        (String(repeating: "桃", count: 41), String(repeating: "桃", count: 40) + "…"),
    ])
    func quotedTextIsShortAndPrintable(_ text: String, _ shortened: String) {
        #expect(text.shortened == shortened)
    }

    @Test(
        arguments: [
            ([], nil, "没有地块“桃”；还没有登记任何地块", "there is no plot “桃”; there are none yet"),
            (["甲", "乙"], nil, "没有地块“桃”；已有：甲、乙", "there is no plot “桃”; there are: 甲, 乙"),
            (["甲"], 12, "没有地块“桃”；已有：甲 等 12 个", "there is no plot “桃”; there are: 甲 and 11 more"),
            (
                (1...11).map(String.init), nil, "没有地块“桃”；已有：1、2、3、4、5、6、7、8、9、10 等 11 个",
                "there is no plot “桃”; there are: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 1 more"
            ),
        ] as [([String], Int?, String, String)])
    func whatIsUnknownIsToldWithWhatIsKnown(_ known: [String], _ count: Int?, _ zh: String, _ en: String) {
        let refusal = Refusal.unknown(
            .notFound, "unknown-plot", field: "plot", zh: "地块", en: "plot", name: "桃", known: known, count: count)
        #expect(refusal.message == Bilingual(zh: zh, en: en))
        #expect(refusal.renamed(field: nil).sentence(in: .chinese) == zh)
    }

    @Test(arguments: [
        (" a b ", "a b"), ("\u{3000}桃\u{A0}", "桃"), ("\t\r\n", ""), ("", ""), ("\u{200B}桃\u{FEFF} \u{2060}", "桃"),
        ("e\u{301}\u{AD}t", "ét"),
    ])
    func trimmedOfAllThatCannotBeSeen(_ text: String, _ trimmed: String) {
        #expect(text.trimmed == trimmed)
    }

    @Test func identifiersOrder() {
        enum Plot {}
        #expect(Identifier<Plot>(1) < Identifier<Plot>(2))
        #expect(Identifier<Plot>(7).description == "7")
    }
}
