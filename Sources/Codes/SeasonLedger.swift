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
        /// What held of it from a day on.
        var timeline = Timeline<Held>()
    }

    struct Held: Sendable {
        let period: Int
        /// Under which spelling of its name it was recorded.
        let cooperative: Int
        /// The one that this spelling means.
        let meant: Int
        let household: Int
        let product: Int
        let ceiling: Weight
    }

    private struct Key: Hashable {
        let plot: Int
        let product: Int
        let season: Int
    }

    private struct Season {
        /// What the committee's exceptions add to the ceiling.
        let extra: Weight
        /// What is on its way into the database counts too.
        var harvested: Weight
        /// What is on its way.
        var added = Weight(grams: 0)
        var allowed = Weight(grams: 0)
        var cooperative = 0

        mutating func add(_ weight: Weight, allowed: Weight, cooperative: Int) {
            added = added + weight
            self.allowed = max(self.allowed, allowed)
            self.cooperative = cooperative
        }
    }

    private(set) var plots: [String: Plot] = [:]
    private var seasons: [Key: Season] = [:]

    mutating func loadPlots(of numbers: [String], _ transaction: Transaction, _ scope: Scope) async throws {
        let wanted = Array(Set(numbers).filter { plots[$0] == nil })
        guard !wanted.isEmpty else { return }
        for row in try await transaction.query(
            """
            SELECT t.id, t.number, d.id AS period, d.from_day, d.cooperative_id,
                coalesce(c.merged_into, c.id) AS meant, d.household_id, d.product_id,
                d.area_centimu, p.ceiling_g_per_mu
            FROM plot t
            JOIN plot_period d ON d.village_id = t.village_id AND d.plot_id = t.id
            JOIN product p ON p.village_id = d.village_id AND p.id = d.product_id
            JOIN cooperative c ON c.village_id = d.village_id AND c.id = d.cooperative_id
            WHERE t.village_id = \(scope.village) AND t.number = ANY(\(wanted)::text[])
            ORDER BY t.id, d.from_day, d.id
            """)
        {
            let plot = Plot(id: try row.decode("id"), number: try row.decode("number"))
            let held = Held(
                period: try row.decode("period"), cooperative: try row.decode("cooperative_id"),
                meant: try row.decode("meant"),
                household: try row.decode("household_id"), product: try row.decode("product_id"),
                ceiling: OrchardRules.ceiling(
                    areaCentimu: try row.decode("area_centimu"), perMu: try row.decode("ceiling_g_per_mu")))
            plots[plot.number, default: plot].timeline.add(held, from: try row.decode("from_day"))
        }
    }

    /// Reads what these plots have given in the seasons of these days, before `add` counts on it.
    mutating func loadSeasons(
        of harvests: [HarvestRegister.Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws {
        let wanted = Set(harvests.map(Self.key)).filter { seasons[$0] == nil }
        guard !wanted.isEmpty else { return }
        for row in try await transaction.query(
            """
            SELECT w.plot_id, w.product_id, w.season, coalesce(s.harvested_g, 0) AS harvested_g,
                (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
                    WHERE o.village_id = \(scope.village) AND o.plot_id = w.plot_id
                        AND o.product_id = w.product_id AND o.season = w.season) AS extra_g
            FROM unnest(\(wanted.map(\.plot))::int[], \(wanted.map(\.product))::int[],
                \(wanted.map(\.season))::int[]) w (plot_id, product_id, season)
            LEFT JOIN LATERAL (
                SELECT * FROM plot_season s WHERE s.village_id = \(scope.village) AND s.plot_id = w.plot_id
                    AND s.product_id = w.product_id AND s.season = w.season LIMIT 1) s ON true
            """)
        {
            let key = Key(
                plot: try row.decode("plot_id"), product: try row.decode("product_id"),
                season: try row.decode("season"))
            seasons[key] = Season(
                extra: Weight(grams: try row.decode("extra_g")),
                harvested: Weight(grams: try row.decode("harvested_g")))
        }
    }

    private static func key(_ entry: HarvestRegister.Entry) -> Key {
        Key(plot: entry.plot, product: entry.product.id, season: OrchardRules.season(of: entry.day))
    }

    /// - Returns: what the plot may give in the season, as it was on the day.
    /// - Throws: a `Refusal` when it would give more.
    mutating func add(_ entry: HarvestRegister.Entry) throws -> Weight {
        let key = Self.key(entry)
        let allowed = try count(entry, insteadOf: Weight(grams: 0))
        seasons[key]?.add(entry.weight, allowed: allowed, cooperative: entry.cooperative)
        return allowed
    }

    /// Counts a harvest that is corrected, which somebody else writes.
    /// - Parameter old: what is recorded of it.
    /// - Returns: as `add`, and throws as it does.
    @discardableResult
    mutating func count(_ entry: HarvestRegister.Entry, insteadOf old: Weight) throws -> Weight {
        let key = Self.key(entry)
        guard let season = seasons[key] else { throw MissingRow() }
        let others = season.harvested - old
        let allowed = entry.ceiling + season.extra
        guard others + entry.weight <= allowed || entry.weight <= old else {
            throw BatchRules.overCeiling(
                plot: entry.plotNumber, season: key.season, ceiling: allowed, harvested: others, weight: entry.weight
            ).renamed(field: "重量斤")
        }
        seasons[key]?.harvested = others + entry.weight
        return allowed
    }

    /// Writes what was added: once for all, since a row that is written again by its own transaction costs more each time.
    /// - Returns: nil when that is nothing.
    func added(_ scope: Scope) -> SQL? {
        let added = seasons.filter { $0.value.added > Weight(grams: 0) }
        guard !added.isEmpty else { return nil }
        return HarvestWriter.seasons(
            from: """
                SELECT * FROM unnest(\(added.map(\.key.plot))::int[], \(added.map(\.key.product))::int[],
                    \(added.map(\.key.season))::int[], \(added.map(\.value.cooperative))::int[],
                    \(added.map(\.value.added.grams))::bigint[], \(added.map(\.value.allowed.grams))::bigint[])
                """, scope)
    }
}
