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
        guard Self.needsQuotes(text) else {
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

    private static func needsQuotes(_ text: String) -> Bool {
        var mayHaveOthers = false
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: ";"), 9, 10, 13: return true
            // Those with which blanks and ， begin: looking at characters is slow, and few texts have any.
            case 0x20, 0xC2, 0xE1...0xE3, 0xEF: mayHaveOthers = true
            default: break
            }
        }
        guard mayHaveOthers else { return false }
        return text.unicodeScalars.contains("，") || text.first?.isWhitespace == true || text.last?.isWhitespace == true
    }

    /// Whether a spreadsheet would make another text of it on the way through.
    private static func isRetyped(_ cell: String) -> Bool {
        let bytes = cell.utf8
        guard let first = bytes.first, isDigit(first), bytes.count <= 100 else { return false }
        if isClock(bytes) { return true }
        var (dots, strokes, powers, others) = (0, 0, 0, 0)
        for byte in bytes where !isDigit(byte) {
            switch byte {
            case UInt8(ascii: "."): dots += 1
            case UInt8(ascii: "-"), UInt8(ascii: "/"): strokes += 1
            case UInt8(ascii: "e"), UInt8(ascii: "E"): powers += 1
            default: others += 1
            }
        }
        if powers > 0 { return isPower(bytes) }
        if others > 0 { return false }
        if strokes > 0 { return dots == 0 && CivilDay(iso: cell) == nil && isDay(bytes) }
        let startsWithZero = first == UInt8(ascii: "0")
        if dots > 0 { return startsWithZero && !cell.hasPrefix("0.") && FixedDecimal(cell) != nil }
        return startsWithZero ? bytes.count > 1 : bytes.count > 11
    }

    /// Such as 8/21, 3-1 and 2025/8/21.
    private static func isDay(_ bytes: String.UTF8View) -> Bool {
        let lengths = bytes.split(omittingEmptySubsequences: false) { !isDigit($0) }.map(\.count)
        return (2...3).contains(lengths.count) && zip(lengths, [4, 2, 4]).allSatisfy { (1...$1).contains($0) }
    }

    /// Such as 9:30 and 12月3日.
    private static func isClock(_ bytes: String.UTF8View) -> Bool {
        guard bytes.count <= 20, bytes.contains(where: { $0 == UInt8(ascii: ":") || $0 == 0xE6 }) else { return false }
        let others = String(bytes).unicodeScalars.filter { !("0"..."9").contains($0) }
        return others.allSatisfy { $0 == ":" } || others.allSatisfy { "年月日".unicodeScalars.contains($0) }
    }

    /// Such as 1E5 and 1.38e+12.
    private static func isPower(_ bytes: String.UTF8View) -> Bool {
        let parts = bytes.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
        guard parts.count == 2, let sign = parts[1].first else { return false }
        let exponent = isDigit(sign) ? parts[1] : parts[1].dropFirst()
        return parts[0].allSatisfy { isDigit($0) || $0 == UInt8(ascii: ".") }
            && !exponent.isEmpty && exponent.allSatisfy(isDigit)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isFormula(_ cell: String) -> Bool {
        guard let first = cell.unicodeScalars.first else { return false }
        switch first {
        case "=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠":
            return FixedDecimal(first == "+" ? String(cell.dropFirst()) : cell) == nil
        default: return false
        }
    }
}
