import Foundation
import Kernel
import Testing

/// Texts of nothing but what readers treat specially: 8 MB of a byte, one of what is several.
@Suite struct SpecialByteTests {

    private static let pieces = [
        "0", "9", "０", "，", ",", ".", "．", "-", "−", "/", ":", "：", "年", "月", "日", "斤", "kg", "g", "元", "￥", "¥", "箱",
        " ",
        "\u{3000}", "\u{A0}", "\u{FEFF}", "\u{200B}", "\u{301}", "\u{1100}\u{1161}\u{11A8}", "e", "E+", "1E+12", "#",
        "#N/A", "'",
        "=\"", "(", "（", "T", "1/", "1:", "\u{0}", "\n", "桃", "a", "\u{1F351}", "ﬃ", "\u{FDFA}",
    ]

    /// What grows with the square of the size takes many hours; what does not, minutes where all cores are taken.
    @Test(.timeLimit(.minutes(60)), arguments: pieces)
    func `they are read in a time that grows with their size`(piece: String) {
        let size = piece.utf8.count == 1 ? 8 << 20 : 1 << 20
        let text = String(repeating: piece, count: size / piece.utf8.count)
        _ = FixedDecimal(text)
        _ = try? CivilDay(text)
        _ = try? CivilDay(cell: text)
        _ = try? TimeOfDay(text)
        _ = try? Weight(text)
        _ = try? Weight(number: text, unit: 500)
        _ = try? Money(yuan: text)
        _ = try? Money(cell: text)
        _ = try? Price(text)
        _ = try? CleanText.key(text)
        _ = try? CleanText.name(text, field: "name", max: 100)
        _ = try? CleanText.number(text, field: "number", max: 60)
        _ = CleanText.folded(text)
        _ = CleanText.text(text)
        _ = CleanText.scientific(text)
        _ = CleanText.spreadsheetError(text)
        _ = IPAddress(text)
        _ = IPNetwork(text)
    }
}
