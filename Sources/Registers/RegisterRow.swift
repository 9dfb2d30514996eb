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

    static func all(of batch: Batch, layout: Layout) -> [RegisterRow] {
        let sheet = Sheet(batch: batch, layout: layout)
        return batch.numbers.enumerated().map { RegisterRow(number: $1, index: $0, sheet: sheet) }
    }

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
        try read(column) { text in
            guard text.utf8.count <= max || text.unicodeScalars.count <= max else {
                throw Refusal(
                    .invalid, "text-too-long", zh: "文字太长，最多 \(max) 个字",
                    en: "the text is longer than \(max) characters")
            }
            guard !text.utf8.contains(where: { $0 < 0x20 && $0 != 10 && $0 != 13 && $0 != 9 || $0 == 0x7F }) else {
                throw Refusal(.invalid, "control-character", zh: "含有控制字符", en: "there are control characters in it")
            }
            return text
        }
    }

    /// A text by which things are told apart, such as `C0001`: half-width, so that `Ｃ０００１` is the same.
    public func key(_ column: Column, max: Int = 60) throws -> String {
        try text(column, max: max).halfWidth
    }

    public func optionalKey(_ column: Column, max: Int = 60) throws -> String? {
        try optionalText(column, max: max)?.halfWidth
    }

    /// A day in any spelling of `CivilDay(_:)`, a time of day behind it, or the serial number by which a spreadsheet
    /// stores a day (45872 is 2025-08-03), from 1990 to 2099.
    public func day(_ column: Column) throws -> CivilDay {
        try need(column, optionalDay(column))
    }

    public func optionalDay(_ column: Column) throws -> CivilDay? {
        try read(column) { try CivilDay(registered: $0.halfWidth) }
    }

    /// A weight above zero, such as `12.5`, or with its own unit, such as `12.5斤` or `3kg`.
    /// - Parameter unit: grams that a number without a unit counts in, such as 500 for 斤.
    public func weight(_ column: Column, unit: Int64) throws -> Weight {
        try need(column, optionalWeight(column, unit: unit))
    }

    public func optionalWeight(_ column: Column, unit: Int64) throws -> Weight? {
        try read(column) { text in
            let plain = text.halfWidth
            return plain.utf8.last.map { (48...57).contains($0) } == true
                ? try Weight(number: plain, unit: unit) : try Weight(plain)
        }
    }

    /// An amount in yuan, such as `147.63`, `￥1,200` or `1200元`; it may be below zero.
    public func money(_ column: Column) throws -> Money {
        try need(column, optionalMoney(column))
    }

    public func optionalMoney(_ column: Column) throws -> Money? {
        try read(column) { try Money(yuan: $0.halfWidth) }
    }

    /// A whole number; `12.0` is one.
    public func integer(_ column: Column, in range: ClosedRange<Int>) throws -> Int {
        try need(column, optionalInteger(column, in: range))
    }

    public func optionalInteger(_ column: Column, in range: ClosedRange<Int>) throws -> Int? {
        try read(column) { text in
            guard let number = FixedDecimal(text.halfWidth)?.scaled(by: 1).map(Int.init) else {
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
            guard let number = FixedDecimal(text.halfWidth)?.scaled(by: unit) else {
                throw Refusal(
                    .invalid, "not-a-number", zh: "“\(text.shortened)”不是数字，最多 \(places) 位小数",
                    en: "“\(text.shortened)” is no number with at most \(places) decimals")
            }
            return number
        }
    }

    private func read<Value>(_ column: Column, _ convert: (String) throws -> Value) throws -> Value? {
        if let problem { throw problem }
        guard let place = try sheet.layout.index(of: column),
            let text = cleanedText(sheet.batch.bytes, sheet.batch.range(row: index, column: place))
        else { return nil }
        do {
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

extension CivilDay {
    /// As a spreadsheet writes it: a day, a day with a time, or a serial number, which counts days from 1899-12-30.
    fileprivate init(registered text: String) throws {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let serial = Int(digits) ?? 0
        if (32_874...73_050).contains(serial), text == digits || FixedDecimal(text) != nil {
            self.init(daysSince1970: serial - 25_569)
            return
        }
        let parts = text.split(maxSplits: 1) { $0 == " " || $0 == "T" }
        let hasTime = parts.count == 2 && parts[1].first?.isNumber == true && parts[1].contains(":")
        try self.init(hasTime ? String(parts[0]) : text)
    }
}
