import Kernel

public enum OrchardRules {
    /// What a plot may give in a season: area × the product's ceiling, rounded down to the gram.
    public static func ceiling(areaCentimu: Int64, perMu: Weight) -> Weight {
        Weight(grams: areaCentimu * perMu.grams / 100)
    }

    /// A season is a calendar year: neither flat peaches nor sweet potatoes are harvested across its turn.
    public static func season(of day: CivilDay) -> Int { day.year }

    public static func bestBefore(harvested: CivilDay, days: Int?) -> CivilDay? {
        days.map { harvested.adding(days: $0) }
    }

    /// A name as it is stored: cleaned, 1 to `max` characters, no control characters.
    public static func name(_ text: String, field: String, max: Int = 60) throws -> String {
        try CleanText.name(text, field: field, max: max, code: "bad-name")
    }
}
