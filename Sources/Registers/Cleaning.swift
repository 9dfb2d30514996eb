/// The range of a UTF-8 text without what the eye does not see at either end: white space of any width, control
/// characters, zero-width characters, byte order marks.
func trimmedRange(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end {
        var next = start + 1
        while next < end, bytes[next] & 0xC0 == 0x80 { next += 1 }
        guard isBlank(bytes, start, next) else { break }
        start = next
    }
    while start < end {
        var last = end - 1
        while last > start, bytes[last] & 0xC0 == 0x80 { last -= 1 }
        guard isBlank(bytes, last, end) else { break }
        end = last
    }
    return start..<end
}

/// Whether the one character in `start..<end` cannot be seen, told from its UTF-8 bytes read as one number.
private func isBlank(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Bool {
    guard end - start <= 3 else { return false }
    var packed: UInt32 = 0
    for index in start..<end { packed = packed << 8 | UInt32(bytes[index]) }
    return isBlank(packed: packed)
}

private func isBlank(packed: UInt32) -> Bool {
    switch packed {
    case 0...0x20, 0x7F, 0xC285, 0xC2A0, 0xC2AD: true
    case 0xE28080...0xE2808F, 0xE280A8...0xE280AF, 0xE2819F...0xE281A4, 0xE38080, 0xEFBBBF: true
    default: false
    }
}

/// What a person means by a cell: trimmed, without the apostrophe or the `="…"` by which a spreadsheet keeps a number
/// as text.
/// - Returns: nil for a cell that looks empty.
func cleanedText(_ bytes: [UInt8], _ cell: Range<Int>) -> String? {
    var range = trimmedRange(bytes, cell)
    guard let first = range.first else { return nil }
    let quote = UInt8(ascii: "\"")
    if bytes[first] == UInt8(ascii: "'") {
        range = trimmedRange(bytes, first + 1..<range.upperBound)
    } else if bytes[first] == UInt8(ascii: "="), range.count >= 3, bytes[first + 1] == quote,
        bytes[range.upperBound - 1] == quote
    {
        range = trimmedRange(bytes, first + 2..<range.upperBound - 1)
    }
    return range.isEmpty ? nil : String(decoding: bytes[range], as: UTF8.self)
}

extension String {
    /// Letters, digits and signs of full width in their ASCII form, wide spaces as plain ones.
    var halfWidth: String {
        guard !utf8.allSatisfy({ $0 < 0x80 }) else { return self }
        var plain = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0xFF01...0xFF5E: plain.append(Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar)
            case 0x3000, 0xA0: plain.append(" ")
            default: plain.append(scalar)
            }
        }
        return String(plain)
    }

    /// The form in which headers are compared: without white space and brackets, half-width, in lower case, so that
    /// `重量（斤）`, `重量(斤)` and `重量斤` are one.
    var plainHeader: String {
        var plain = String.UnicodeScalarView()
        for scalar in halfWidth.unicodeScalars where !"()[]【】〔〕".unicodeScalars.contains(scalar) {
            if !isBlank(packed: String(scalar).utf8.reduce(0) { $0 << 8 | UInt32($1) }) { plain.append(scalar) }
        }
        return String(plain).lowercased()
    }
}
