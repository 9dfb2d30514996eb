import Foundation
import Kernel

/// A sale: what left a cooperative's batches, to whom and for how much.
public struct Sale: Sendable {
    public struct Line: Sendable {
        public let batch: Int64
        public let product: String
        public let weight: Weight
        public let price: Price
        public let amount: Money
    }

    public let id: Identifier<Sale>
    /// The number in the cooperative's own register.
    public let number: String?
    public let cooperative: String
    public let day: CivilDay
    public let channel: String
    public let buyer: String
    public let paidHow: String?
    public let lines: [Line]

    public var total: Money { lines.reduce(.zero) { $0 + $1.amount } }
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

    public let number: String?
    public let day: CivilDay
    public let channel: String
    public let buyer: String
    public let paidHow: String?
    public let lines: [Line]

    public init(
        number: String?, day: CivilDay, channel: String, buyer: String, paidHow: String?, lines: [Line]
    ) {
        self.number = number
        self.day = day
        self.channel = channel
        self.buyer = buyer
        self.paidHow = paidHow
        self.lines = lines
    }
}
