import Kernel

/// A line of the file that is no row of the register: seen for what it is, and passed over.
public struct SkippedRow: Sendable, Hashable {
    public let row: Int
    public let what: Bilingual

    static func separator(_ row: Int) -> SkippedRow {
        SkippedRow(row: row, what: Bilingual(zh: "分隔符行", en: "a separator line"))
    }

    static func unit(_ row: Int) -> SkippedRow {
        SkippedRow(row: row, what: Bilingual(zh: "单位行", en: "a line of units"))
    }

    static func title(_ row: Int) -> SkippedRow {
        SkippedRow(row: row, what: Bilingual(zh: "标题行", en: "a title line"))
    }

    static func total(_ row: Int) -> SkippedRow {
        SkippedRow(row: row, what: Bilingual(zh: "合计行", en: "a row of totals"))
    }
}

/// The header of a register, and what stands above it: a `sep=` line, titles, units.
struct Head {
    let titles: [String]
    let row: Int
    /// Rows with text above the header.
    let above: [SkippedRow]
    let separator: Separator

    /// How many rows with text are looked at for the header.
    private static let depth = 20

    /// - Throws: a `Refusal` when there is no text at all, or the first row can't be read.
    static func find(
        columns: [Column], in source: () throws -> TextSource
    ) throws -> Head {
        let first = try Separator.detect(in: source())
        let plain = try read(source(), first, columns, depth: 1)
        if plain.isComplete { return plain.head }
        let others = [first] + Separator.allCases.filter { $0 != first }
        for separator in others {
            // What can't be read so far down is told when the rows are.
            if let found = try? read(source(), separator, columns, depth: depth), found.isComplete { return found.head }
        }
        return plain.head
    }

    /// Reads rows until one has all columns that must be there.
    private static func read(
        _ source: TextSource, _ separator: Separator, _ columns: [Column], depth: Int
    ) throws -> (head: Head, isComplete: Bool) {
        var reader = RowReader(source, Tokenizer(separator: separator, header: nil))
        var above: [SkippedRow] = []
        var first: Head?
        while above.count < depth + 1, try reader.fill(limit: 1) {
            let batch = reader.tokenizer.takeBatch()
            let row = batch.numbers[0]
            let titles = (0..<batch.cellCount(ofRow: 0)).map {
                cleanedText(batch.bytes, batch.range(row: 0, column: $0)) ?? ""
            }
            if isSeparatorLine(titles) {
                above.append(.separator(row))
                continue
            }
            let head = Head(titles: titles, row: row, above: above, separator: separator)
            if first == nil {
                if let problem = batch.problems[0] { throw problem }
                first = head
            }
            if hasAll(columns, titles) { return (head, true) }
            if depth == 1 { break }
            above.append(titles.contains { $0.hasPrefix("单位") && !$0.hasPrefix("单位名称") } ? .unit(row) : .title(row))
        }
        guard let first else {
            throw Refusal(.invalid, "empty-file", zh: "文件是空的", en: "the file is empty")
        }
        return (first, false)
    }

    private static func hasAll(_ columns: [Column], _ titles: [String]) -> Bool {
        let plain = Set(titles.map(\.plainHeader))
        return columns.allSatisfy { !$0.required || !plain.isDisjoint(with: $0.spellings) }
    }

    /// Excel's `sep=;`, whose separator may have split it.
    private static func isSeparatorLine(_ titles: [String]) -> Bool {
        guard let first = titles.first, titles.dropFirst().allSatisfy(\.isEmpty) else { return false }
        return first.utf8.count <= 8 && first.lowercased().hasPrefix("sep=")
    }
}

extension RegisterRow {
    /// Whether it tells sums of the rows above: it begins with 合计 or the like, or names it where something that every
    /// row has is missing.
    var isTotal: Bool {
        guard let first = (0..<cellCount).first(where: { !visible($0).isEmpty }) else { return false }
        if isTotalWord(first) { return true }
        return lacksRequired && (first + 1..<cellCount).contains(where: isTotalWord)
    }

    private static let totals: Set<String> = [
        "合计", "小计", "总计", "共计", "累计", "总合计", "本页合计", "本页小计", "本月合计", "本月小计", "本年合计", "本年累计",
        "全年合计", "合计金额", "total", "subtotal", "grandtotal", "sum",
    ]

    private func isTotalWord(_ place: Int) -> Bool {
        let range = visible(place)
        guard (3...36).contains(range.count), startsTotal(range), let text = text(at: place) else { return false }
        var word = CleanText.folded(text).lowercased()
        while let last = word.last, ":：=".contains(last) { word.removeLast() }
        return Self.totals.contains(word)
    }
}
