/// A price: fen for a basis of grams (a 斤, a kilogram, or a box of so many grams).
public struct Price: Sendable, Hashable, CustomStringConvertible {
    public enum Basis: String, Sendable, CaseIterable {
        case jin
        case kilogram = "kg"
        case box
    }

    public let fen: Int64
    public let basis: Basis
    /// Grams for which `fen` is asked: 500, 1000, or the net weight of a box.
    public let basisGrams: Int64

    /// - Throws: a `Refusal` of kind `invalid` when the price is negative or too large, or a box's weight is missing.
    public init(fen: Int64, basis: Basis, boxGrams: Int64? = nil) throws {
        guard (0...100_000_000).contains(fen) else {
            throw Refusal(
                .invalid, "price-out-of-range", zh: "单价须在 0 到 1,000,000 元之间",
                en: "the price must lie between 0 and 1,000,000 yuan")
        }
        switch (basis, boxGrams) {
        case (.jin, nil): basisGrams = 500
        case (.kilogram, nil): basisGrams = 1000
        case (.box, let grams?) where (1...1_000_000).contains(grams): basisGrams = grams
        default:
            throw Refusal(
                .invalid, "box-weight", zh: "按箱计价须给出每箱净重（1 克到 1000 公斤），其他计价不可给出",
                en: "a price per box needs the box's net weight (1 g to 1000 kg); other prices take none")
        }
        self.fen = fen
        self.basis = basis
    }

    /// Reads `8.50/斤`, `17/kg`, `68/箱2.5kg` (68 yuan for a box of 2.5 kg).
    /// - Throws: a `Refusal` of kind `invalid`.
    public init(_ text: String) throws {
        guard text.utf8.count <= CleanText.longest else { throw Self.unreadable(text) }
        let parts = text.halfWidth.split(separator: "/", maxSplits: 1).map { $0.trimmed }
        guard parts.count == 2 else { throw Self.unreadable(text) }
        let fen = try Money(yuan: parts[0]).fen
        switch parts[1].lowercased() {
        case "斤", "jin": try self.init(fen: fen, basis: .jin)
        case "kg", "公斤", "千克": try self.init(fen: fen, basis: .kilogram)
        case let unit where unit.hasPrefix("箱"):
            try self.init(fen: fen, basis: .box, boxGrams: Weight(String(unit.dropFirst())).grams)
        case let unit where unit.hasPrefix("box"):
            try self.init(fen: fen, basis: .box, boxGrams: Weight(String(unit.dropFirst(3))).grams)
        default: throw Self.unreadable(text)
        }
    }

    static func unreadable(_ text: String) -> Refusal {
        Refusal(
            .invalid, "not-a-price", zh: "“\(text.shortened)”不是单价，请写如 8.50/斤、17/kg 或 68/箱2.5kg",
            en: "“\(text.shortened)” is no price; write 8.50/斤, 17/kg or 68/箱2.5kg")
    }

    /// The amount of a line: grams × price per basis, rounded half up to the fen, once, in integers.
    /// - Throws: a `Refusal` when a box price meets a weight that is not a whole number of boxes, or the amount is too large.
    public func amount(for weight: Weight) throws -> Money {
        if basis == .box, weight.grams % basisGrams != 0 {
            throw Refusal(
                .invalid, "not-whole-boxes", zh: "重量不是整箱数", en: "the weight is not a whole number of boxes")
        }
        let (product, overflow) = weight.grams.multipliedReportingOverflow(by: fen)
        guard !overflow, product / basisGrams < Money.limit else {
            throw Refusal(.invalid, "amount-too-large", zh: "金额过大", en: "the amount is too large")
        }
        let (quotient, remainder) = product.quotientAndRemainder(dividingBy: basisGrams)
        // Division truncates towards zero; half up means that -1.5 becomes -1 and -1.7 becomes -2.
        let step: Int64 = remainder * 2 >= basisGrams ? 1 : remainder * -2 > basisGrams ? -1 : 0
        return Money(fen: quotient + step)
    }

    public var description: String {
        switch basis {
        case .jin: "\(Money(fen: fen))/斤"
        case .kilogram: "\(Money(fen: fen))/kg"
        case .box: "\(Money(fen: fen))/箱\(decimalText(basisGrams, places: 3, atLeast: 0))kg"
        }
    }
}
