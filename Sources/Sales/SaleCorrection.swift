import Foundation
import Kernel
import Postgres

/// What was put right of a line of a sale: all that was left of it, or goods that came back.
public struct SaleCorrection: Sendable {
    public enum Kind: String, Sendable, CaseIterable, Labelled {
        case reversal
        case returned = "return"

        public var label: Bilingual {
            switch self {
            case .reversal: Bilingual(zh: "冲销", en: "reversal")
            case .returned: Bilingual(zh: "退货", en: "return")
            }
        }
    }

    /// Where the goods are. Regraded ones go back into the stock of their batch too, until batches are made of others.
    public enum Goods: String, Sendable, CaseIterable, Labelled {
        case back, scrapped, regraded

        public var label: Bilingual {
            switch self {
            case .back: Bilingual(zh: "退回入库", en: "back in stock")
            case .scrapped: Bilingual(zh: "报废", en: "scrapped")
            case .regraded: Bilingual(zh: "降级入库", en: "regraded")
            }
        }
    }

    public let number: Int64
    public let line: Int
    public let kind: Kind
    public let goods: Goods
    public let weight: Weight
    public let refund: Money
    public let day: CivilDay
    public let reason: String
    public let actor: String
    /// nil of one that is being written.
    public let at: Date?
}

extension SaleCorrection {
    init(_ row: Row) throws {
        self.init(
            number: try row.decode("id"), line: try row.decode("line"),
            kind: Kind(rawValue: try row.decode("kind")) ?? .reversal,
            goods: Goods(rawValue: try row.decode("goods")) ?? .back, weight: try row.decode("grams"),
            refund: try row.decode("refund_fen"), day: try row.decode("day"), reason: try row.decode("reason"),
            actor: try row.decode("actor"), at: try row.decode("at"))
    }
}
