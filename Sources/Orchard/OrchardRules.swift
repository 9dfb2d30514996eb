import Kernel

public enum OrchardRules {
    /// What a plot may give in a season: area × the product's ceiling, rounded down to the gram.
    public static func ceiling(areaCentimu: Int64, perMu: Weight) -> Weight {
        Weight(grams: areaCentimu * perMu.grams / 100)
    }

    /// A season is a calendar year: neither flat peaches nor sweet potatoes are harvested across its turn.
    public static func season(of day: CivilDay) -> Int { day.year }

    /// The day of a season on which its ceiling is told beforehand; a harvest's is that of its own day.
    public static func lastDay(of season: Int) -> CivilDay {
        CivilDay(year: season, month: 12, day: 31) ?? CivilDay(daysSince1970: 0)
    }

    public static func bestBefore(harvested: CivilDay, days: Int?) -> CivilDay? {
        days.map { harvested.adding(days: $0) }
    }

    /// - Parameter from: the day from which the books know of it, as far as whoever asks may see.
    static func notYet(household: String, from: CivilDay?) -> Refusal {
        Refusal(
            .invalid, "household-not-yet", field: "household",
            zh: "农户“\(household.shortened)”从 \(from.map(\.description) ?? "") 起才在册；更早的由村委会用 --as-of 补登",
            en: "household “\(household.shortened)” is in the books only from \(from.map(\.description) ?? ""): the "
                + "committee imports what was before with --as-of")
    }

    /// - Parameter from: the day from which the books know of it, as far as whoever asks may see.
    public static func notYet(plot: String, from: CivilDay?) -> Refusal {
        Refusal(
            .invalid, "plot-not-yet", field: "plot",
            zh: "地块“\(plot.shortened)”从 \(from.map(\.description) ?? "") 起才在册；更早的由村委会用 --as-of 补登",
            en: "plot “\(plot.shortened)” is in the books only from \(from.map(\.description) ?? ""): the committee "
                + "imports what was before with --as-of")
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
