import Postgres

extension LocalSetting {
    /// What is asked for is found in one way, whatever its values: so are a change and a page of a list. Left to itself the
    /// server plans some statements anew each time, which takes up to ten times as long as finding the rows.
    public static let keepingPlan = LocalSetting("plan_cache_mode", word: "force_generic_plan")
}

extension Scope {
    /// The rows of a table that this scope sees, `r`, newest first: one page.
    ///
    /// A cooperative's rows are sought among its own, those of each spelling apart: row-level security alone would go
    /// through all of the village's to find the few.
    /// - Parameters:
    ///   - number: the column that counts them; the table has an index by cooperative, village and number, `NULLS FIRST`.
    ///   - before: the number of the row after the first one wanted.
    ///   - condition: what else is true of `r`.
    public func newest(
        _ table: StaticString, by number: StaticString, before: Int64, where condition: SQL, limit: Int
    ) -> SQL {
        let order: SQL = "ORDER BY r.\(literal: number) DESC"
        let seen: SQL = "r.village_id = \(village) AND r.\(literal: number) < \(before) AND \(condition) \(order)"
        guard let cooperative else { return "SELECT r.* FROM \(literal: table) r WHERE \(seen) LIMIT \(known: limit)" }
        // Each a parameter of its own, so that the server knows how many there are and keeps its plan.
        let own = ([cooperative] + spellings).map { "\($0)" as SQL }.joined(separator: ", ")
        return """
            SELECT r.* FROM unnest(ARRAY[\(own)]::int[]) own (id) CROSS JOIN LATERAL (
                SELECT * FROM \(literal: table) r WHERE r.cooperative_id = own.id AND \(seen) NULLS LAST
                LIMIT \(known: limit)) r
            \(order) LIMIT \(known: limit)
            """
    }
}
