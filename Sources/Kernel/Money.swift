/// An amount of money in whole fen (1 yuan = 100 fen).
public struct Money: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// No single amount in a village's books reaches this: 100 billion yuan.
    public static let limit: Int64 = 10_000_000_000_000

    public let fen: Int64

    public init(fen: Int64) {
        self.fen = fen
    }

    /// Reads yuan as people and accountants' formats write them: `8.5`, `147.63`, `￥1,200`, `1200 元`, `¥ 1 234.00`,
    /// `(1,234.00)` for what is below zero.
    /// - Throws: a `Refusal` of kind `invalid` when it is no number, is finer than a fen, is in 万, or is beyond `limit`.
    public init(yuan text: String) throws {
        try self.init(text, dashIsZero: false)
    }

    /// Reads yuan out of a cell: as above, and `-` alone for nothing, as accountants' formats have it.
    public init(cell text: String) throws {
        try self.init(text, dashIsZero: true)
    }

    private init(_ text: String, dashIsZero: Bool) throws {
        if let refusal = CleanText.scientific(text) { throw refusal }
        let amount = text.utf8.count <= CleanText.longest ? Self.bare(text) : ""
        if dashIsZero, amount == "-" {
            self.fen = 0
            return
        }
        guard let number = FixedDecimal(amount), let fen = number.scaled(by: 100) else {
            throw Self.inWan(amount, text)
                ?? Refusal(
                    .invalid, "not-an-amount", zh: "“\(text.shortened)”不是金额；请写元，最多两位小数，如 147.63",
                    en: "“\(text.shortened)” is no amount; give yuan with at most two decimals, such as 147.63")
        }
        guard abs(fen) <= Self.limit else {
            throw Refusal(.invalid, "amount-too-large", zh: "金额过大", en: "the amount is too large")
        }
        self.fen = fen
    }

    /// The number alone: without the currency's signs and blanks around it, with `,` for blanks between digits and `-`
    /// for the brackets of what is below zero.
    private static func bare(_ text: String) -> String {
        let isNumber = text.utf8.allSatisfy { (48...57).contains($0) || $0 == 0x2E || $0 == 0x2D || $0 == 0x2C }
        guard !isNumber else { return text }
        var amount = Substring(text.halfWidth.trimmed)
        var isBelowZero = false
        if amount.hasPrefix("("), amount.hasSuffix(")") {
            isBelowZero = true
            amount = amount.dropFirst().dropLast()
        }
        if amount.hasSuffix("元") { amount.removeLast() }
        amount = Substring(amount.trimmed)
        var sign = ""
        if amount.hasPrefix("-") || amount.hasPrefix("\u{2212}"), amount.dropFirst().contains("¥") {
            sign = "-"
            amount.removeFirst()
            amount = Substring(amount.trimmed)
        }
        if amount.hasPrefix("¥") { amount.removeFirst() }
        amount = Substring(amount.trimmed)
        if !isBelowZero, amount.hasPrefix("("), amount.hasSuffix(")") {
            isBelowZero = true
            amount = Substring(amount.dropFirst().dropLast().trimmed)
        }
        if isBelowZero {
            guard sign.isEmpty, let first = amount.utf8.first, (48...57).contains(first) else { return text }
            sign = "-"
        }
        return sign + grouped(amount)
    }

    /// Blanks between two digits group them as commas do.
    private static func grouped(_ amount: Substring) -> String {
        var plain = String.UnicodeScalarView()
        var wasDigit = false
        let scalars = Array(amount.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let isBlank = scalar == " "
            let isBetween = wasDigit && index + 1 < scalars.count && (48...57).contains(scalars[index + 1].value)
            plain.append(isBlank && isBetween ? "," : scalar)
            wasDigit = (48...57).contains(scalar.value)
        }
        return String(plain)
    }

    private static func inWan(_ amount: String, _ text: String) -> Refusal? {
        guard amount.hasSuffix("万"), let fen = FixedDecimal(amount.dropLast().trimmed)?.scaled(by: 1_000_000) else {
            return nil
        }
        guard abs(fen) <= limit else { return nil }
        return Refusal(
            .invalid, "amount-in-wan", zh: "“\(text.shortened)”以万元计，这里以元计；请写 \(Money(fen: fen))",
            en: "“\(text.shortened)” is in units of ten thousand, and yuan are wanted: write \(Money(fen: fen))")
    }

    public static let zero = Money(fen: 0)

    public static func + (left: Money, right: Money) -> Money { Money(fen: left.fen + right.fen) }
    public static func < (left: Money, right: Money) -> Bool { left.fen < right.fen }

    /// Yuan with two decimals, such as `147.63`.
    public var description: String { decimalText(fen, places: 2, atLeast: 2) }
}

extension String {
    /// The text as an error message quotes it: at most 40 characters, without control characters.
    public var shortened: String {
        let plain = String(unicodeScalars.prefix(41).filter { $0.properties.generalCategory != .control })
        return plain.count > 40 ? plain.prefix(40) + "…" : plain
    }
}
