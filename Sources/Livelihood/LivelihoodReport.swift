import Foundation
import Income
import Kernel
import Tours

/// The livelihood section 民生 of the village's report on one year, as it was drawn up: a snapshot that never changes.
public struct LivelihoodReport: Sendable, Hashable {
    public let id: Identifier<LivelihoodReport>
    public let figures: LivelihoodFigures
    /// Who drew it up, as the audit names them.
    public let actor: String
    /// The moment of which the figures are.
    public let madeAt: Date
}

/// The days that a report is on, and those it compares them with: from New Year to as far as the year has come.
public struct LivelihoodPeriod: Sendable, Hashable {
    public let year: Int
    public let from: CivilDay
    public let to: CivilDay
    public let lastFrom: CivilDay
    public let lastTo: CivilDay

    /// Whether the year was over.
    public var isWhole: Bool { to.components.month == 12 && to.components.day == 31 }
}

/// Every figure of a livelihood section, all of one moment. Sentences, tables and charts are made from these alone.
///
/// Money is in fen, weight in grams; they are stored as they stand here.
public struct LivelihoodFigures: Sendable, Hashable, Codable {
    /// A figure of the year before and of this one, in whole units.
    public struct Compared: Sendable, Hashable, Codable {
        public let last: Int64
        public let this: Int64

        public static let zero = Compared(last: 0, this: 0)

        public var change: Int64 { this - last }
        /// In tenths of a per cent; nil from nothing.
        public var growth: Int64? { LivelihoodRules.growth(from: last, to: this) }

        static func + (left: Compared, right: Compared) -> Compared {
            Compared(last: left.last + right.last, this: left.this + right.this)
        }
    }

    public struct Product: Sendable, Hashable, Codable {
        public let name: String
        public let harvestedGrams: Compared
        /// What was sold in the year, whenever it was harvested.
        public let soldGrams: Compared
        public let salesFen: Compared
        public let balance: Balance
    }

    /// Where the year's harvest went by the period's last day: movements out of the batches harvested in the period,
    /// and what their counters say is left.
    public struct Balance: Sendable, Hashable, Codable {
        public let harvestedGrams: Int64
        public let soldGrams: Int64
        public let lossGrams: Int64
        public let ownUseGrams: Int64
        public let giftGrams: Int64
        /// What corrections took out, less what they brought in.
        public let correctionGrams: Int64
        public let stockGrams: Int64

        static let zero = Balance(
            harvestedGrams: 0, soldGrams: 0, lossGrams: 0, ownUseGrams: 0, giftGrams: 0, correctionGrams: 0,
            stockGrams: 0)

        /// What was harvested and is accounted for nowhere; below zero, what is accounted for and was never harvested.
        public var differenceGrams: Int64 {
            harvestedGrams - soldGrams - lossGrams - ownUseGrams - giftGrams - correctionGrams - stockGrams
        }
    }

    /// The study tours of one month and kind of unit.
    public struct Visits: Sendable, Hashable, Codable {
        public let month: Int
        let kind: String
        /// A group that comes on two days counts twice.
        public let groups: Int64
        public let people: Int64
        /// With what was kept of groups that did not come.
        public let incomeFen: Int64

        public var unitKind: UnitKind? { UnitKind(rawValue: kind) }
    }

    /// Households of one support class 帮扶类别, or of several that had too few households to be shown alone.
    public struct HouseholdGroup: Sendable, Hashable, Codable {
        public let classes: [String]
        public let households: Int64
        public let people: Int64
        /// What was sold of their harvests, whoever works the plots now.
        public let salesFen: Int64
    }

    public let village: String
    public let brand: String
    public let period: LivelihoodPeriod
    let income: [String: Compared]
    public let products: [Product]
    /// Batches harvested in the period, each with its signed code.
    public let batches: Compared
    public let visits: [Visits]
    public let groups: Compared
    public let visitors: Compared
    /// None when the village has so few households that any of them would show single ones.
    public let householdGroups: [HouseholdGroup]
    /// All households of the period's last day.
    public let households: HouseholdGroup
    /// Sales out of batches that come from no household's plot, such as blended ones.
    public let unattributedSalesFen: Int64
    public let cooperatives: Int64
    /// nil in reports that were stored before these were told.
    public internal(set) var corrections: [Correction]?
    /// nil where there are none.
    public internal(set) var harvestCorrections: [HarvestCorrection]?
    /// What was entered after report `changedSince`; nil where there was none on the same days.
    public internal(set) var changes: [LaterChange]?
    public internal(set) var changedSince: Int64?

    public func income(_ source: IncomeSource) -> Compared { income[source.rawValue] ?? .zero }

    public var totalIncome: Compared { IncomeSource.allCases.reduce(.zero) { $0 + income($1) } }

    /// All but sales and tours.
    public var otherIncome: Compared { IncomeSource.entered.reduce(.zero) { $0 + income($1) } }
}

extension LivelihoodPeriod: Codable {
    private enum Keys: String, CodingKey { case year, to }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        let year = try values.decode(Int.self, forKey: .year)
        guard let to = CivilDay(iso: try values.decode(String.self, forKey: .to)),
            let period = LivelihoodPeriod(year: year, to: to)
        else {
            throw DecodingError.dataCorruptedError(forKey: .to, in: values, debugDescription: "no day of the year")
        }
        self = period
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(year, forKey: .year)
        try values.encode(to.description, forKey: .to)
    }

    /// - Returns: nil when `to` is no day of the year.
    init?(year: Int, to: CivilDay) {
        let (_, month, day) = to.components
        // 29 February is compared with the 28th.
        guard to.year == year, let from = CivilDay(year: year, month: 1, day: 1),
            let lastFrom = CivilDay(year: year - 1, month: 1, day: 1),
            let lastTo = CivilDay(year: year - 1, month: month, day: day)
                ?? CivilDay(year: year - 1, month: month, day: day - 1)
        else { return nil }
        self.init(year: year, from: from, to: to, lastFrom: lastFrom, lastTo: lastTo)
    }
}
