import Foundation
import Kernel

/// Some of one product that is kept together: what was harvested from a plot on a day, or was made from such.
public struct Batch: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case harvest, packed, blended, regraded
    }

    /// Unique in the village, printed in codes, never reused.
    public let number: Identifier<Batch>
    public let kind: Kind
    public let cooperative: String
    /// nil for a batch that was made from others.
    public let plot: String?
    public let product: String
    public let variety: String
    public let grade: String
    public let harvestedOn: CivilDay
    /// The harvest slip's number in the cooperative's register.
    public let slip: String?
    public let picker: String?
    /// All that came in, and all that went out; the difference is in stock.
    public let weightIn: Weight
    public let weightOut: Weight
    /// The harvest never was.
    public let isVoid: Bool
    /// It, or a batch that it was made from, is being recalled.
    public let isRecalled: Bool
    public let registeredAt: Date

    public var stock: Weight { weightIn - weightOut }
}

/// A harvest to be registered.
public struct Harvest: Sendable {
    public let plot: String
    /// nil lets the variety tell.
    public let product: String?
    public let variety: String
    public let grade: String
    public let day: CivilDay
    public let weight: Weight
    /// The harvest slip's number in the cooperative's register.
    public let slip: String?
    public let picker: String?

    public init(
        plot: String, product: String?, variety: String, grade: String, day: CivilDay, weight: Weight,
        slip: String? = nil, picker: String?
    ) {
        self.plot = plot
        self.product = product
        self.variety = variety
        self.grade = grade
        self.day = day
        self.weight = weight
        self.slip = slip
        self.picker = picker
    }
}

/// Why grams leave a batch other than by a sale.
public enum Withdrawal: String, Sendable, CaseIterable {
    case ownUse = "own_use"
    case loss
    case gift

    public var label: Bilingual {
        switch self {
        case .ownUse: Bilingual(zh: "自用", en: "own use")
        case .loss: Bilingual(zh: "损耗", en: "loss")
        case .gift: Bilingual(zh: "赠送", en: "gift")
        }
    }
}

/// One movement of a batch's stock: grams that came in (above zero) or left (below zero).
public struct StockMovement: Sendable {
    public let number: Int64
    /// `harvest`, `sale`, a withdrawal's; `correction` of the harvest's weight, `return` of what was sold, `undo` of a
    /// withdrawal.
    public let kind: String
    public let grams: Int64
    public let day: CivilDay
    public let sale: Int64?
    /// The withdrawal that it undoes, and the movement by which it was undone itself.
    public let undoes: Int64?
    public let undoneBy: Int64?
    public let reason: String?
    public let actor: String
    public let at: Date
}

/// A recall that has not ended.
public struct OpenRecall: Sendable {
    /// The batch that is recalled: the one that was asked for, or one that it was made from.
    public let batch: Int64
    public let reason: String
    public let at: Date
}

/// A batch with what happened to it.
public struct BatchHistory: Sendable {
    public let batch: Batch
    public let recall: OpenRecall?
    /// Oldest first.
    public let corrections: [BatchCorrection]
    /// Newest first; the sum of all of them is the stock.
    public let movements: [StockMovement]
    /// How many movements there are before the last of these.
    public let older: Int
}

/// What a movement has left in stock.
public struct MovedStock: Sendable {
    public let movement: Int64
    public let stock: Weight
}
