import Kernel

/// Writes CSV as RFC 4180 has it (comma, CRLF), in UTF-8 with a byte order mark so that Excel takes it for UTF-8.
///
/// A text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, tab or carriage return, or the
/// full-width form of one) gets an apostrophe before it, unless it is a plain number. A number that is a text, such as
/// the telephone number `02286543210` or the household `0012`, is written as `="0012"`, because a spreadsheet would take
/// away its zeros, make `1.38E+12` of it, or a day. `RegisterRow` takes both off again.
public struct CSVWriter: Sendable {
    /// What has been written and not been taken.
    public private(set) var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]

    public init() {}

    /// Writes one row.
    public mutating func append(_ cells: [String]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(cell)
        }
        bytes.append(contentsOf: [13, 10])
    }

    /// Hands over what has been written since the last time, for a file or a response that is sent piece by piece.
    public mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func append(_ cell: String) {
        let text = Self.isFormula(cell) ? "'" + cell : Self.isRetyped(cell) ? "=\"\(cell)\"" : cell
        let needsQuotes = text.unicodeScalars.contains { "\",;，\t\r\n".unicodeScalars.contains($0) }
        guard needsQuotes || text.first?.isWhitespace == true || text.last?.isWhitespace == true else {
            bytes.append(contentsOf: text.utf8)
            return
        }
        bytes.append(0x22)
        for byte in text.utf8 {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
    }

    /// Whether a spreadsheet would make another text of it on the way through.
    private static func isRetyped(_ cell: String) -> Bool {
        guard let first = cell.utf8.first, (48...57).contains(first), cell.utf8.count <= 100 else { return false }
        if cell.utf8.allSatisfy({ (48...57).contains($0) }) {
            return first == 48 ? cell.utf8.count > 1 : cell.utf8.count > 11
        }
        guard cell.utf8.allSatisfy({ (45...57).contains($0) || $0 == 0x45 || $0 == 0x65 || $0 == 0x2B }) else {
            return false
        }
        if first == 48, FixedDecimal(cell) != nil { return !cell.hasPrefix("0.") }
        return CivilDay(iso: cell) == nil
            && cell.wholeMatch(of: #/[0-9]{1,4}[\-\/][0-9]{1,2}([\-\/][0-9]{1,4})?|[0-9.]+[Ee][+\-]?[0-9]+/#) != nil
    }

    private static func isFormula(_ cell: String) -> Bool {
        guard let first = cell.unicodeScalars.first, "=+-@\t\r＝＋－＠".unicodeScalars.contains(first) else { return false }
        return FixedDecimal(first == "+" ? String(cell.dropFirst()) : cell) == nil
    }
}
