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
    public enum Kind: String, Sendable, CaseIterable {
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

        /// Reads 用餐 as well as `meal`.
        /// - Throws: a `Refusal` that lists the kinds.
        public init(named text: String) throws {
            guard let kind = Self.allCases.first(where: { $0.rawValue == text.lowercased() || $0.label.zh == text })
            else {
                let names = Self.allCases.map { "\($0.label.zh) (\($0.rawValue))" }.joined(separator: ", ")
                throw Refusal(
                    .invalid, "unknown-extra-kind", field: "kind", zh: "没有“\(text.shortened)”这一类附加项目，可用：\(names)",
                    en: "there is no kind of extra “\(text.shortened)”; there are: \(names)")
            }
            self = kind
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
