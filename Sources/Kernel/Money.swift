/// An amount of money in whole fen (1 yuan = 100 fen).
public struct Money: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// No single amount in a village's books reaches this: 100 billion yuan.
    public static let limit: Int64 = 10_000_000_000_000

    public let fen: Int64

    public init(fen: Int64) {
        self.fen = fen
    }

    /// Reads yuan as people write them: `8.5`, `147.63`, `￥1,200`, `1200元`.
    /// - Throws: a `Refusal` of kind `invalid` when it is no number, is finer than a fen, or is beyond `limit`.
    public init(yuan text: String) throws {
        var text = text
        for mark in ["￥", "¥"] where text.hasPrefix(mark) { text.removeFirst() }
        if text.hasSuffix("元") { text.removeLast() }
        guard let number = FixedDecimal(text), let fen = number.scaled(by: 100) else {
            throw Refusal(
                .invalid, "not-an-amount", zh: "“\(text.shortened)”不是金额；请写元，最多两位小数，如 147.63",
                en: "“\(text.shortened)” is no amount; give yuan with at most two decimals, such as 147.63")
        }
        guard abs(fen) <= Self.limit else {
            throw Refusal(.invalid, "amount-too-large", zh: "金额过大", en: "the amount is too large")
        }
        self.fen = fen
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
