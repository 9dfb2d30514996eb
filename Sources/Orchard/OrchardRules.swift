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

    /// A name as it is stored: trimmed, 1 to `max` characters, no control characters.
    public static func name(_ text: String, field: String, max: Int = 60) throws -> String {
        let name = text.trimmed
        guard !name.isEmpty, name.unicodeScalars.count <= max,
            !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw Refusal(
                .invalid, "bad-name", field: field, zh: "名称须有 1 到 \(max) 个字，且不含控制字符",
                en: "a name has 1 to \(max) characters and no control characters")
        }
        return name
    }
}
