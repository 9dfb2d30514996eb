import Kernel

/// The village that this program serves: the tenant of every row.
public struct Village: Sendable, Hashable {
    public let id: Int
    public let name: String
    /// The brand under which its products are sold.
    public let brand: String
    /// The public origin that its codes carry, `host` or `host:port`.
    public let origin: String

    public init(id: Int, name: String, brand: String, origin: String) {
        self.id = id
        self.name = name
        self.brand = brand
        self.origin = origin
    }
}

public struct Cooperative: Sendable, Hashable {
    public let id: Int
    public let name: String
    /// The spelling that is meant, of one that was given up.
    public let mergedInto: String?
}

/// A product as it is grown: how long it keeps, and how much a mu can give in a season.
public struct Product: Sendable, Hashable {
    public let id: Int
    public let name: String
    public let unit: String
    public let bestBeforeDays: Int?
    /// Grams per mu and season (a calendar year).
    public let ceilingPerMu: Weight
    public let varieties: [Variety]
}

public struct Variety: Sendable, Hashable {
    public let id: Int
    public let name: String
    /// The spelling that is meant, of one that was given up.
    public let mergedInto: String?
}

public struct Grade: Sendable, Hashable {
    public let id: Int
    public let name: String
    /// The spelling that is meant, of one that was given up.
    public let mergedInto: String?
}

public struct Household: Sendable, Hashable {
    public let id: Int
    public let number: String
    public let head: String
    public let gridCell: String
    public let supportClass: String
    public let cooperative: String
    public let people: Int
    public let phone: String?
}

public struct Plot: Sendable, Hashable {
    public let id: Int
    public let number: String
    public let name: String
    public let cooperative: String
    public let cooperativeID: Int
    public let household: String
    public let product: String
    public let productID: Int
    /// Hundredths of a mu.
    public let areaCentimu: Int64
    /// Degrees, WGS 84, as the register gives them.
    public let longitude: String?
    public let latitude: String?
}
