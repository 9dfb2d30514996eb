extension [UInt8] {
    /// Two lower-case digits a byte.
    public var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    /// - Returns: nil unless the text is pairs of hexadecimal digits.
    public init?(hex: String) {
        let digits = [Character](hex)
        guard digits.count.isMultiple(of: 2), digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }
}
