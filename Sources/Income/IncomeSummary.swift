import Kernel

/// Income over a period, cut by some dimensions.
public struct IncomeSummary: Sendable {
    public enum Dimension: String, Sendable, CaseIterable, Labelled {
        case month, source, product, cooperative, channel, household

        public var label: Bilingual {
            switch self {
            case .month: Bilingual(zh: "月份", en: "month")
            case .source: Bilingual(zh: "来源", en: "source")
            case .product: Bilingual(zh: "产品", en: "product")
            case .cooperative: Bilingual(zh: "合作社", en: "cooperative")
            case .channel: Bilingual(zh: "渠道", en: "channel")
            case .household: Bilingual(zh: "农户", en: "household")
            }
        }

        /// Reads `month,source` and `月份、来源`.
        /// - Throws: a `Refusal` that lists the dimensions, or says that one stands twice.
        public static func list(_ text: String) throws -> [Dimension] {
            let dimensions = try text.split(whereSeparator: { ",，、".contains($0) }).map { part in
                let name = part.trimmed
                guard let dimension = allCases.first(where: { $0.rawValue == name || $0.label.zh == name }) else {
                    let names = allCases.map(\.rawValue).joined(separator: ",")
                    throw Refusal(
                        .invalid, "unknown-dimension", field: "by", zh: "不能按“\(part.trimmed.shortened)”汇总，可用：\(names)",
                        en: "there is no summing by “\(part.trimmed.shortened)”; there are: \(names)")
                }
                return dimension
            }
            return try distinct(dimensions)
        }

        /// - Throws: a `Refusal` when a dimension stands twice.
        public static func distinct(_ dimensions: [Dimension]) throws -> [Dimension] {
            guard Set(dimensions).count == dimensions.count else {
                throw Refusal(
                    .invalid, "dimension-twice", field: "by", zh: "同一维度写了两次", en: "a dimension stands twice")
            }
            return dimensions
        }
    }

    public struct Row: Sendable {
        /// A value a dimension, in the order asked; nil where income has none, as rent has no product.
        public let values: [String?]
        public let amount: Money
    }

    public let from: CivilDay
    public let to: CivilDay
    public let by: [Dimension]
    public let rows: [Row]
    /// What of it corrects days before the period.
    public let earlier: Money
    /// What tours of the period were charged and have not paid: of visits part of the income, of what is kept of others
    /// not yet.
    public let claims: Money

    public var total: Money { rows.reduce(.zero) { $0 + $1.amount } }
}
