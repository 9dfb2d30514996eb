import Batches
import Database
import Kernel
import Orchard
import Postgres

/// What plots have given and may give, kept while many harvests are recorded so that each refusal names its row.
/// The CHECK on plot_season decides in the end.
struct SeasonLedger: Sendable {
    struct Plot: Sendable {
        let id: Int
        let number: String
        let cooperative: Int
        let product: Int
        let ceiling: Weight
    }

    private struct Key: Hashable {
        let plot: Int
        let season: Int
    }

    private struct Season {
        let allowed: Weight
        /// What is on its way into the database counts too.
        var harvested: Weight
    }

    private(set) var plots: [String: Plot] = [:]
    private var byID: [Int: Plot] = [:]
    private var seasons: [Key: Season] = [:]

    mutating func loadPlots(of numbers: [String], _ transaction: Transaction, _ scope: Scope) async throws {
        let wanted = Array(Set(numbers).filter { plots[$0] == nil })
        guard !wanted.isEmpty else { return }
        for row in try await transaction.query(
            """
            SELECT t.id, t.number, t.cooperative_id, t.product_id, t.area_centimu, p.ceiling_g_per_mu
            FROM plot t JOIN product p ON p.village_id = t.village_id AND p.id = t.product_id
            WHERE t.village_id = \(scope.village) AND t.number = ANY(\(wanted)::text[])
            """)
        {
            let plot = Plot(
                id: try row.decode("id"), number: try row.decode("number"),
                cooperative: try row.decode("cooperative_id"), product: try row.decode("product_id"),
                ceiling: OrchardRules.ceiling(
                    areaCentimu: try row.decode("area_centimu"), perMu: try row.decode("ceiling_g_per_mu")))
            plots[plot.number] = plot
            byID[plot.id] = plot
        }
    }

    /// Reads what these plots have given in the seasons of these days, before `add` counts on it.
    mutating func loadSeasons(
        of harvests: [(plot: Int, day: CivilDay)], _ transaction: Transaction, _ scope: Scope
    ) async throws {
        let keys = Set(harvests.map { Key(plot: $0.plot, season: OrchardRules.season(of: $0.day)) })
        let wanted = keys.filter { seasons[$0] == nil }.compactMap { key in byID[key.plot].map { (key, $0) } }
        guard !wanted.isEmpty else { return }
        for row in try await transaction.query(
            """
            SELECT w.plot_id, w.season, coalesce(s.harvested_g, 0) AS harvested_g,
                (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
                    WHERE o.village_id = \(scope.village) AND o.plot_id = w.plot_id
                        AND o.product_id = w.product_id AND o.season = w.season) AS extra_g
            FROM unnest(\(wanted.map(\.1.id))::int[], \(wanted.map(\.1.product))::int[],
                \(wanted.map(\.0.season))::int[]) w (plot_id, product_id, season)
            LEFT JOIN LATERAL (
                SELECT * FROM plot_season s WHERE s.village_id = \(scope.village) AND s.plot_id = w.plot_id
                    AND s.product_id = w.product_id AND s.season = w.season LIMIT 1) s ON true
            """)
        {
            let key = Key(plot: try row.decode("plot_id"), season: try row.decode("season"))
            guard let plot = byID[key.plot] else { throw MissingRow() }
            seasons[key] = Season(
                allowed: plot.ceiling + Weight(grams: try row.decode("extra_g")),
                harvested: Weight(grams: try row.decode("harvested_g")))
        }
    }

    /// - Returns: what the plot may give in the season.
    /// - Throws: a `Refusal` when it would give more.
    mutating func add(_ weight: Weight, plot id: Int, day: CivilDay) throws -> Weight {
        let key = Key(plot: id, season: OrchardRules.season(of: day))
        guard let plot = byID[id], var season = seasons[key] else { throw MissingRow() }
        let sum = season.harvested + weight
        guard sum <= season.allowed else {
            throw BatchRules.overCeiling(
                plot: plot.number, season: key.season, ceiling: season.allowed, harvested: season.harvested,
                weight: weight
            ).renamed(field: "重量斤")
        }
        season.harvested = sum
        seasons[key] = season
        return season.allowed
    }
}
