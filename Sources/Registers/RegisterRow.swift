import Kernel

/// One row of a register; its cells are read as the kind of thing that the caller expects in them.
///
/// Each reading method comes twice: the plain one demands a value, the `optional` one gives nil for an empty cell and for
/// an optional column that the register lacks. Every one throws a `Refusal` of kind `invalid` that names the row and the
/// header, and `UndeclaredColumn` for a column that the register was not opened with. On a row that is not well formed
/// every one throws its `problem`.
public struct RegisterRow: Sendable {
    /// As a spreadsheet counts: the file's first row is 1, blank rows count, line breaks within a cell do not.
    public let number: Int
    private let index: Int
    private let sheet: Sheet

    /// What the rows of one part share.
    private final class Sheet: Sendable {
        let batch: Batch
        let layout: Layout

        init(batch: Batch, layout: Layout) {
            self.batch = batch
            self.layout = layout
        }
    }

    /// The rows, and the numbers of those that tell totals.
    static func all(of batch: Batch, layout: Layout) -> (rows: [RegisterRow], totals: [Int]) {
        let sheet = Sheet(batch: batch, layout: layout)
        var rows: [RegisterRow] = []
        rows.reserveCapacity(batch.count)
        var totals: [Int] = []
        for (index, number) in batch.numbers.enumerated() {
            let row = RegisterRow(number: number, index: index, sheet: sheet)
            if layout.hasColumns, row.isTotal { totals.append(number) } else { rows.append(row) }
        }
        return (rows, totals)
    }

    var cellCount: Int { sheet.batch.cellCount(ofRow: index) }

    /// What stands in one of its cells, cleaned.
    func text(at place: Int) -> String? {
        cleanedText(sheet.batch.bytes, sheet.batch.range(row: index, column: place))
    }

    /// What can be seen in a cell.
    func visible(_ place: Int) -> Range<Int> {
        trimmedRange(sheet.batch.bytes, sheet.batch.range(row: index, column: place))
    }

    /// Whether a text can be one of the words for totals, told from its first bytes.
    func startsTotal(_ range: Range<Int>) -> Bool {
        let bytes = sheet.batch.bytes
        switch bytes[range.lowerBound] {
        case 0xE5...0xE7: return true
        case 0x47, 0x53, 0x54, 0x67, 0x73, 0x74: return bytes[range.lowerBound + 1] >= 0x41
        default: return false
        }
    }

    /// Whether a cell is empty that no row may leave empty.
    var lacksRequired: Bool { sheet.layout.required.contains { visible($0).isEmpty } }

    /// Why the row cannot be read: `too-many-cells`, `cell-too-long` or `stray-quote`; nil for a sound row.
    public var problem: Refusal? { sheet.batch.problems[index] }

    /// The cells as they stand in the file, for writing the row down again; a cell that is too long is cut.
    public var cells: [String] {
        (0..<sheet.batch.cellCount(ofRow: index)).map { column in
            String(decoding: sheet.batch.bytes[sheet.batch.range(row: index, column: column)], as: UTF8.self)
        }
    }

    /// A text without white space at its ends.
    /// - Parameter max: its greatest length, in Unicode scalars, as a database counts.
    public func text(_ column: Column, max: Int = 200) throws -> String {
        try need(column, optionalText(column, max: max))
    }

    public func optionalText(_ column: Column, max: Int = 200) throws -> String? {
        try read(column) { try Self.text($0, max: max) }
    }

    private static func text(_ text: String, max: Int) throws -> String {
        guard text.utf8.count <= max || text.unicodeScalars.count <= max else {
            throw Refusal(
                .invalid, "text-too-long", zh: "文字太长，最多 \(max) 个字", en: "the text is longer than \(max) characters")
        }
        guard !text.utf8.contains(where: { $0 < 0x20 && $0 != 10 && $0 != 13 && $0 != 9 || $0 == 0x7F }) else {
            throw Refusal(.invalid, "control-character", zh: "含有控制字符", en: "there are control characters in it")
        }
        return text
    }

    /// A text by which things are told apart, such as `C0001`, in the form of `CleanText.key`.
    public func key(_ column: Column, max: Int = 60) throws -> String {
        try need(column, optionalKey(column, max: max))
    }

    public func optionalKey(_ column: Column, max: Int = 60) throws -> String? {
        try read(column) { try CleanText.key(Self.text($0, max: max)) }
    }

    /// A day in any spelling of `CivilDay(_:)`, a time of day behind it, or the serial number by which a spreadsheet
    /// stores a day (45872 is 2025-08-03), from 1990 to 2099.
    public func day(_ column: Column) throws -> CivilDay {
        try need(column, optionalDay(column))
    }

    public func optionalDay(_ column: Column) throws -> CivilDay? {
        try read(column) { try CivilDay(cell: $0.halfWidth) }
    }

    /// A weight above zero, such as `12.5`, or with its own unit, such as `12.5斤` or `3kg`.
    /// - Parameter unit: grams that a number without a unit counts in, such as 500 for 斤.
    public func weight(_ column: Column, unit: Int64) throws -> Weight {
        try need(column, optionalWeight(column, unit: unit))
    }

    public func optionalWeight(_ column: Column, unit: Int64) throws -> Weight? {
        try read(column) { text in
            let plain = text.halfWidth.trimmed
            return plain.utf8.last.map { (48...57).contains($0) } == true
                ? try Weight(number: plain, unit: unit) : try Weight(plain)
        }
    }

    /// An amount in yuan, such as `147.63`, `￥1,200` or `1200元`; it may be below zero, and `-` alone is nothing.
    public func money(_ column: Column) throws -> Money {
        try need(column, optionalMoney(column))
    }

    public func optionalMoney(_ column: Column) throws -> Money? {
        try read(column) { try Money(cell: $0) }
    }

    /// A whole number; `12.0` is one.
    public func integer(_ column: Column, in range: ClosedRange<Int>) throws -> Int {
        try need(column, optionalInteger(column, in: range))
    }

    public func optionalInteger(_ column: Column, in range: ClosedRange<Int>) throws -> Int? {
        try read(column) { text in
            guard let number = FixedDecimal(try Self.number(text))?.scaled(by: 1).map(Int.init) else {
                throw Refusal(
                    .invalid, "not-a-whole-number", zh: "“\(text.shortened)”不是整数",
                    en: "“\(text.shortened)” is no whole number")
            }
            guard range.contains(number) else {
                throw Refusal(
                    .invalid, "out-of-range", zh: "须在 \(range.lowerBound) 到 \(range.upperBound) 之间",
                    en: "it must lie between \(range.lowerBound) and \(range.upperBound)")
            }
            return number
        }
    }

    /// A decimal number in units of its last place: with 2 `places`, `5.9` is 590. It may be below zero.
    /// - Parameter places: from 0 to 6; a number with more is refused rather than rounded.
    public func decimal(_ column: Column, places: Int) throws -> Int64 {
        try need(column, optionalDecimal(column, places: places))
    }

    public func optionalDecimal(_ column: Column, places: Int) throws -> Int64? {
        try read(column) { text in
            let unit = (0..<places).reduce(Int64(1)) { product, _ in product * 10 }
            guard let number = FixedDecimal(try Self.number(text))?.scaled(by: unit) else {
                throw Refusal(
                    .invalid, "not-a-number", zh: "“\(text.shortened)”不是数字，最多 \(places) 位小数",
                    en: "“\(text.shortened)” is no number with at most \(places) decimals")
            }
            return number
        }
    }

    /// The text of a number that has no unit.
    private static func number(_ text: String) throws -> String {
        if let refusal = CleanText.scientific(text) { throw refusal }
        return text.halfWidth
    }

    private func read<Value>(_ column: Column, _ convert: (String) throws -> Value) throws -> Value? {
        if let problem { throw problem }
        guard let place = try sheet.layout.index(of: column),
            let text = cleanedText(sheet.batch.bytes, sheet.batch.range(row: index, column: place))
        else { return nil }
        do {
            if let error = CleanText.spreadsheetError(text) { throw error }
            return try convert(text)
        } catch let refusal as Refusal {
            throw refusal.of(field: sheet.layout.header[place]).of(row: number)
        }
    }

    private func need<Value>(_ column: Column, _ value: Value?) throws -> Value {
        if let value { return value }
        let header = try sheet.layout.index(of: column).map { sheet.layout.header[$0] }
        throw Refusal(
            .invalid, "empty-cell", field: header ?? column.name, row: number, zh: "不能为空", en: "it must not be empty")
    }
}

/// Rows are compared by hashes before they are read: no cell of a million becomes a text for that.
extension RegisterRow {
    /// Equal for rows of one number, unless what it is unique in is spelled in two ways.
    func numberHash(_ numbering: Numbering) throws -> UInt64 {
        var hasher = Hasher()
        try withBytes(numbering.number) { bytes in
            if bytes.allSatisfy({ $0 < 0x80 && $0 != 0x2E }) {
                hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
            } else {
                let text = CleanText.text(bytes)
                var key = (try? CleanText.key(text)) ?? text
                key.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
            }
        }
        for column in numbering.within {
            try withBytes(column) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
            hasher.combine(UInt8(0xFF))
        }
        if let day = numbering.yearOf {
            try withBytes(day) {
                hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0).prefix(4)))
            }
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Differs for rows that are not written alike in these columns.
    func contentHash(of columns: [Column]) throws -> UInt64 {
        var hasher = Hasher()
        for column in columns {
            try withBytes(column) { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
            hasher.combine(UInt8(0xFF))
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// What stands in a cell, without blanks around it and what keeps it a text.
    private func withBytes(_ column: Column, _ body: (UnsafeBufferPointer<UInt8>) -> Void) throws {
        guard let place = try sheet.layout.index(of: column) else { return }
        sheet.batch.bytes.withUnsafeBufferPointer { bytes in
            let range = bareRange(bytes, sheet.batch.range(row: index, column: place))
            body(UnsafeBufferPointer(rebasing: bytes[range]))
        }
    }
}
