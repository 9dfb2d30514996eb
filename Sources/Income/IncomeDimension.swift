import Database
import Kernel
import Postgres

/// How the dimensions of a summary stand in `income_row`, and how their values are called.
extension IncomeSummary.Dimension {
    /// What is grouped by; cheaper than the name.
    var key: SQL {
        switch self {
        // Days first, of which a year has few: a month's name for each of a million rows costs more than the sum.
        case .month: "day"
        case .source: "source"
        case .product: "product_id"
        case .cooperative: "cooperative_id"
        case .channel: "channel"
        // Called as it was on the day of the harvest.
        case .household: "household_id, harvested_on"
        }
    }

    /// The name of a cell of `c`, with `join`.
    var name: SQL {
        switch self {
        case .month: "to_char(c.day, 'YYYY-MM')"
        case .source: "c.source"
        case .product: "p.name"
        case .cooperative: "o.name"
        case .channel: "coalesce(w.meant, c.channel)"
        case .household: "h.number || ' ' || h.head"
        }
    }

    func join(_ village: Int) -> SQL {
        switch self {
        case .month, .source: ""
        case .channel:
            """
             LEFT JOIN spelling w ON w.village_id = \(village) AND w.kind = 'channel' AND w.name = c.channel
            """
        case .product: " LEFT JOIN product p ON p.village_id = \(village) AND p.id = c.product_id"
        case .cooperative:
            """
             LEFT JOIN cooperative r ON r.village_id = \(village) AND r.id = c.cooperative_id
             LEFT JOIN cooperative o ON o.village_id = \(village) AND o.id = coalesce(r.merged_into, r.id)
            """
        case .household:
            """
             LEFT JOIN household_span h ON h.village_id = \(village) AND h.household_id = c.household_id
                AND h.from_day <= c.harvested_on AND c.harvested_on < h.until_day
            """
        }
    }

    /// Whether there is anything of that name, in rows or not; nil where every name may be one.
    func isKnown(_ name: String, _ village: Int) -> SQL? {
        switch self {
        case .product: "EXISTS (SELECT FROM product WHERE village_id = \(village) AND name = \(name))"
        case .cooperative: "EXISTS (SELECT FROM cooperative WHERE village_id = \(village) AND name = \(name))"
        case .household:
            """
            EXISTS (SELECT FROM household_period
                WHERE village_id = \(village) AND (number = \(name) OR number || ' ' || head = \(name)))
            """
        case .month, .source, .channel: nil
        }
    }

    /// The first names that whoever asks may see, and how many there are in all; nil where every name may be one.
    func known(_ scope: Scope) -> SQL? {
        let names: SQL? =
            switch self {
            case .product: "SELECT name FROM product WHERE village_id = \(scope.village)"
            case .cooperative:
                """
                SELECT name FROM cooperative WHERE village_id = \(scope.village)
                    AND (\(scope.cooperative)::int IS NULL OR id = \(scope.cooperative))
                """
            case .household: "SELECT number AS name FROM household WHERE village_id = \(scope.village)"
            case .month, .source, .channel: nil
            }
        return names.map { "SELECT name, count(*) OVER () AS count FROM (\($0)) n ORDER BY name LIMIT 10" }
    }

    /// The rows of `income_row` that have this value.
    func condition(_ value: IncomeFilter.Value, _ village: Int) -> SQL {
        guard case .some(let text) = value else {
            return self == .household ? "household_id IS NULL" : "\(key) IS NULL"
        }
        switch self {
        case .month: return "to_char(day, 'YYYY-MM') = \(text)"
        case .source: return "source = \(text)"
        case .channel:
            // In a SELECT of its own, which is asked once and not for every row.
            return """
                channel = ANY((SELECT spellings(\(village), 'channel', coalesce((
                    SELECT n.name FROM sale_name n WHERE n.village_id = \(village) AND n.kind = 'channel'
                        AND n.form = \(CleanText.folded(text))), \(text))))::text[])
                """
        case .product: return "product_id IN (SELECT id FROM product WHERE village_id = \(village) AND name = \(text))"
        case .cooperative: return "cooperative_id = ANY(cooperatives_named(\(village), \(text)))"
        case .household:
            // By its number alone, or as summaries call it.
            return """
                household_id IN (SELECT household_id FROM household_period WHERE village_id = \(village)
                    AND (number = \(text) OR number || ' ' || head = \(text)))
                AND EXISTS (SELECT FROM household_span h
                    WHERE h.village_id = \(village) AND h.household_id = income_row.household_id
                        AND h.from_day <= income_row.harvested_on AND income_row.harvested_on < h.until_day
                        AND (h.number = \(text) OR h.number || ' ' || h.head = \(text)))
                """
        }
    }
}
