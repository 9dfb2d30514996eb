/// A weight in whole grams. 1 斤 = 500 g.
public struct Weight: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// No single harvest or sale reaches this: 100,000 tonnes.
    public static let limit: Int64 = 100_000_000_000

    public let grams: Int64

    public init(grams: Int64) {
        self.grams = grams
    }

    /// Reads a weight with its unit: `1250kg`, `2500斤`, `800g`, `1.2吨`, `30公斤`.
    /// - Throws: a `Refusal` of kind `invalid`: no unit, no number, not a whole number of grams, not above zero, too large.
    public init(_ text: String) throws {
        let bare = text.utf8.count <= CleanText.longest ? text.withoutBlanks : ""
        for (suffix, grams) in Self.units where bare.lowercased().hasSuffix(suffix) {
            self = try Weight(number: String(bare.dropLast(suffix.count)), unit: grams)
            return
        }
        throw Refusal(
            .invalid, "not-a-weight", zh: "“\(text.shortened)”不是带单位的重量，如 1250kg 或 2500斤",
            en: "“\(text.shortened)” is no weight with its unit, such as 1250kg or 2500斤")
    }

    /// Reads a number of `unit` grams each, as in a register's column 重量斤 (`unit` 500).
    public init(number text: String, unit: Int64) throws {
        if let refusal = CleanText.scientific(text) { throw refusal }
        guard let number = FixedDecimal(text), let grams = number.scaled(by: unit) else {
            throw Refusal(
                .invalid, "not-a-weight", zh: "“\(text.shortened)”不是重量，或不足一克",
                en: "“\(text.shortened)” is no weight, or finer than a gram")
        }
        guard grams > 0 else {
            throw Refusal(.invalid, "weight-not-positive", zh: "重量必须大于零", en: "the weight must be above zero")
        }
        guard grams <= Self.limit else {
            throw Refusal(.invalid, "weight-too-large", zh: "重量过大", en: "the weight is too large")
        }
        self.grams = grams
    }

    /// Longest suffix first, so that `kg` is not read as `g`.
    static let units: [(String, Int64)] = [
        ("公斤", 1000), ("千克", 1000), ("kg", 1000), ("市斤", 500), ("斤", 500), ("吨", 1_000_000), ("克", 1), ("g", 1),
    ]

    public static func + (left: Weight, right: Weight) -> Weight { Weight(grams: left.grams + right.grams) }
    public static func - (left: Weight, right: Weight) -> Weight { Weight(grams: left.grams - right.grams) }
    public static func < (left: Weight, right: Weight) -> Bool { left.grams < right.grams }

    /// Kilograms and 斤, such as `1250 kg (2500 斤)`.
    public var description: String {
        "\(decimalText(grams, places: 3, atLeast: 0)) kg (\(decimalText(grams * 2, places: 3, atLeast: 0)) 斤)"
    }
}
