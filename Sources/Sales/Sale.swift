import Foundation
import Kernel

/// A sale: what left a cooperative's batches, to whom and for how much.
public struct Sale: Sendable {
    public struct Line: Sendable {
        /// From 1, as it was recorded.
        public let number: Int
        public let batch: Int64
        public let product: String
        public let weight: Weight
        public let price: Price
        public let amount: Money
        /// What came back of it since, and what went back of its amount.
        public let returned: Weight
        public let refunded: Money
        /// Whether what was left of it was taken back.
        public let isReversed: Bool

        /// Whether nothing is left of it that could be reversed.
        public var isOver: Bool { returned == weight && refunded == amount }
    }

    public let id: Identifier<Sale>
    /// The number in the cooperative's own register.
    public let number: String?
    public let cooperative: String
    public let day: CivilDay
    public let channel: String
    public let buyer: String
    public let paidHow: String?
    /// The reversed sale that was recorded anew by this one, and the one by which this one was.
    public let replaces: Int64?
    public let replacedBy: Int64?
    public let lines: [Line]

    public var total: Money { lines.reduce(.zero) { $0 + $1.amount } }
    public var refunded: Money { lines.reduce(.zero) { $0 + $1.refunded } }
}

/// A sale to be recorded.
public struct NewSale: Sendable {
    public struct Line: Sendable {
        public let batch: Int64
        public let weight: Weight
        public let price: Price

        public init(batch: Int64, weight: Weight, price: Price) {
            self.batch = batch
            self.weight = weight
            self.price = price
        }
    }

    /// What is asked about before it is recorded, because it is seldom meant.
    public enum Question: Sendable, CaseIterable {
        case pastBestBefore, unusualPrice, newChannel
    }

    public let number: String?
    public let day: CivilDay
    public let channel: String
    public let buyer: String
    public let paidHow: String?
    public let lines: [Line]
    /// The reversed sale that is recorded anew; its number may be used again.
    public let replaces: Int64?
    /// The questions to which the answer is yes.
    public let confirmed: Set<Question>

    public init(
        number: String?, day: CivilDay, channel: String, buyer: String, paidHow: String?, lines: [Line],
        replaces: Int64? = nil, confirmed: Set<Question> = []
    ) {
        self.number = number
        self.day = day
        self.channel = channel
        self.buyer = buyer
        self.paidHow = paidHow
        self.lines = lines
        self.replaces = replaces
        self.confirmed = confirmed
    }
}
