import Kernel

/// What a study tour offers, for how much, and by which rules it can be changed and cancelled.
public struct TourProgramme: Sendable, Hashable {
    /// What the desk decides of a programme.
    public struct Details: Sendable, Hashable {
        /// By which it is named everywhere, so there is one of it in a village.
        public var name: String
        public var minutes: Int
        /// A head.
        public var price: Money
        /// Two letters each, such as `zh`.
        public var languages = ["zh"]
        public var minGroup = 1
        public var maxGroup = 500
        /// How long a request keeps its seats.
        public var holdMinutes = 2880
        /// Until so many hours before its start a booking may be changed by the group itself.
        public var changeHours = 24
        /// Until so many hours before its start a booking is cancelled without a fee.
        public var freeCancelHours = 48
        /// Per cent of the fee that a later cancellation costs.
        public var lateFeePercent = 0
        /// Per cent of the fee that is kept of a group that does not come.
        public var noShowFeePercent = 0

        public init(name: String, minutes: Int, price: Money) {
            self.name = name
            self.minutes = minutes
            self.price = price
        }
    }

    public let details: Details
    /// By name.
    public let extras: [TourExtra]
    /// Counts its changes.
    public let version: Int

    public var name: String { details.name }
}

/// What can be had beside a programme.
public struct TourExtra: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable, Labelled {
        /// A head.
        case meal
        /// Paid on the day by what was picked, as a sale out of a batch.
        case picking
        /// A piece.
        case gift

        public var label: Bilingual {
            switch self {
            case .meal: Bilingual(zh: "用餐", en: "meal")
            case .picking: Bilingual(zh: "采摘", en: "picking")
            case .gift: Bilingual(zh: "伴手礼", en: "gift")
            }
        }

        /// What a quantity of it counts.
        public var unit: Bilingual {
            switch self {
            case .meal: Bilingual(zh: "份", en: "people")
            case .picking: Bilingual(zh: "斤", en: "斤 (500 g)")
            case .gift: Bilingual(zh: "件", en: "pieces")
            }
        }

        /// Reads 用餐 as well as `meal`.
        /// - Throws: a `Refusal` that lists the kinds.
        public init(named text: String) throws {
            try self.init(named: text, of: Bilingual(zh: "附加项目", en: "extra"))
        }
    }

    /// nil in the answer that tells of its making, which comes before the database has numbered it.
    public let id: Int?
    public let kind: Kind
    public let name: String
    /// A head, a piece, or a 斤.
    public let price: Money

    public init(id: Int? = nil, kind: Kind, name: String, price: Money) {
        self.id = id
        self.kind = kind
        self.name = name
        self.price = price
    }
}
