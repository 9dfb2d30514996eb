extension FixedWidthInteger {
    /// A whole number as it is typed: `１７`, `17 ` and a spreadsheet's `17.0` are 17.
    /// - Throws: a `Refusal` that says why it is none.
    public init(typed text: String) throws {
        let cleaned = try CleanText.key(text)
        if let number = Self(cleaned) {
            self = number
            return
        }
        guard cleaned.wholeMatch(of: /[+\-]?[0-9]+/) != nil else {
            throw Refusal(.invalid, "no-whole-number", zh: "须是整数，如 17", en: "it is a whole number such as 17")
        }
        throw Refusal(
            .invalid, "out-of-range", zh: "须在 \(Self.min) 到 \(Self.max) 之间",
            en: "it lies between \(Self.min) and \(Self.max)")
    }
}
