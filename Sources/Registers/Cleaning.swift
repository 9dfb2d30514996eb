import Kernel

/// The range of a UTF-8 text without what the eye does not see at either end.
func trimmedRange(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
    bytes.withUnsafeBufferPointer { CleanText.visibleRange($0, range) }
}

/// What a person means by a cell: cleaned, without the apostrophe or the `="…"` by which a spreadsheet keeps a number
/// as text.
/// - Returns: nil for a cell that looks empty.
func cleanedText(_ bytes: [UInt8], _ cell: Range<Int>) -> String? {
    bytes.withUnsafeBufferPointer { bytes in
        let range = bareRange(bytes, cell)
        return range.isEmpty ? nil : CleanText.text(UnsafeBufferPointer(rebasing: bytes[range]))
    }
}

/// What stands in a cell, without what keeps it a text.
func bareRange(_ bytes: UnsafeBufferPointer<UInt8>, _ cell: Range<Int>) -> Range<Int> {
    let range = CleanText.visibleRange(bytes, cell)
    guard let first = range.first else { return range }
    let quote = UInt8(ascii: "\"")
    if bytes[first] == UInt8(ascii: "'") { return CleanText.visibleRange(bytes, first + 1..<range.upperBound) }
    if bytes[first] == UInt8(ascii: "="), range.count >= 3, bytes[first + 1] == quote,
        bytes[range.upperBound - 1] == quote
    {
        return CleanText.visibleRange(bytes, first + 2..<range.upperBound - 1)
    }
    return range
}

extension String {
    /// The form in which headers are compared: without white space and brackets, half-width, in lower case, so that
    /// `重量（斤）`, `重量(斤)` and `重量斤` are one.
    var plainHeader: String { CleanText.folded(self).lowercased() }
}
