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
        let cooperative: Int
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
        let cooperative: Int
        /// What the committee's exceptions add to the ceiling.
        let extra: Weight
        /// The greatest of the ceilings of the days on which it was harvested.
        var allowed = Weight(grams: 0)
        var harvested: Weight
        /// Not yet written.
        var pending = Weight(grams: 0)
    }

    private(set) var plots: [String: Plot] = [:]
    private var seasons: [Key: Season] = [:]
    private var pending: Set<Key> = []

    mutating func loadPlots(of numbers: [String], _ transaction: Transaction, _ scope: Scope) async throws {
        let wanted = Array(Set(numbers).filter { plots[$0] == nil })
        guard !wanted.isEmpty else { return }
        for row in try await transaction.query(
            """
            SELECT t.id, t.number, d.id AS period, d.from_day, d.cooperative_id, d.household_id, d.product_id,
                d.area_centimu, p.ceiling_g_per_mu
            FROM plot t
            JOIN plot_period d ON d.village_id = t.village_id AND d.plot_id = t.id
            JOIN product p ON p.village_id = d.village_id AND p.id = d.product_id
            WHERE t.village_id = \(scope.village) AND t.number = ANY(\(wanted)::text[])
            ORDER BY t.id, d.from_day, d.id
            """)
        {
            let plot = Plot(id: try row.decode("id"), number: try row.decode("number"))
            let held = Held(
                period: try row.decode("period"), cooperative: try row.decode("cooperative_id"),
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
        var wanted: [Key: Int] = [:]
        for entry in harvests where seasons[Self.key(entry)] == nil { wanted[Self.key(entry)] = entry.cooperative }
        guard !wanted.isEmpty else { return }
        for row in try await transaction.query(
            """
            SELECT w.plot_id, w.product_id, w.season, coalesce(s.harvested_g, 0) AS harvested_g,
                (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
                    WHERE o.village_id = \(scope.village) AND o.plot_id = w.plot_id
                        AND o.product_id = w.product_id AND o.season = w.season) AS extra_g
            FROM unnest(\(wanted.keys.map(\.plot))::int[], \(wanted.keys.map(\.product))::int[],
                \(wanted.keys.map(\.season))::int[]) w (plot_id, product_id, season)
            LEFT JOIN LATERAL (
                SELECT * FROM plot_season s WHERE s.village_id = \(scope.village) AND s.plot_id = w.plot_id
                    AND s.product_id = w.product_id AND s.season = w.season LIMIT 1) s ON true
            """)
        {
            let key = Key(
                plot: try row.decode("plot_id"), product: try row.decode("product_id"),
                season: try row.decode("season"))
            guard let cooperative = wanted[key] else { throw MissingRow() }
            seasons[key] = Season(
                cooperative: cooperative, extra: Weight(grams: try row.decode("extra_g")),
                harvested: Weight(grams: try row.decode("harvested_g")))
        }
    }

    private static func key(_ entry: HarvestRegister.Entry) -> Key {
        Key(plot: entry.plot, product: entry.product.id, season: OrchardRules.season(of: entry.day))
    }

    /// - Throws: a `Refusal` when the plot would give more than it may.
    mutating func add(_ entry: HarvestRegister.Entry) throws {
        let key = Self.key(entry)
        guard var season = seasons[key] else { throw MissingRow() }
        let sum = season.harvested + entry.weight
        let allowed = entry.ceiling + season.extra
        guard sum <= allowed else {
            throw BatchRules.overCeiling(
                plot: entry.plotNumber, season: key.season, ceiling: allowed, harvested: season.harvested,
                weight: entry.weight
            ).renamed(field: "重量斤")
        }
        season.harvested = sum
        season.allowed = max(season.allowed, allowed)
        season.pending = season.pending + entry.weight
        seasons[key] = season
        pending.insert(key)
    }

    /// The statement that writes what is pending, in one order for everybody, so that two imports don't deadlock.
    mutating func takeWrites(_ scope: Scope) -> [SQL] {
        var plots: [Int] = []
        var products: [Int] = []
        var years: [Int] = []
        var cooperatives: [Int] = []
        var harvested: [Int64] = []
        var allowed: [Int64] = []
        for key in pending.sorted(by: { ($0.plot, $0.product, $0.season) < ($1.plot, $1.product, $1.season) }) {
            guard let season = seasons[key] else { continue }
            plots.append(key.plot)
            products.append(key.product)
            years.append(key.season)
            cooperatives.append(season.cooperative)
            harvested.append(season.pending.grams)
            allowed.append(season.allowed.grams)
            seasons[key]?.pending = Weight(grams: 0)
        }
        pending = []
        guard !plots.isEmpty else { return [] }
        return [
            """
            INSERT INTO plot_season AS s (village_id, plot_id, product_id, season, cooperative_id, harvested_g, ceiling_g)
            SELECT \(scope.village), * FROM unnest(\(plots)::int[], \(products)::int[], \(years)::int[],
                \(cooperatives)::int[], \(harvested)::bigint[], \(allowed)::bigint[])
            ON CONFLICT (village_id, plot_id, product_id, season)
            DO UPDATE SET harvested_g = s.harvested_g + EXCLUDED.harvested_g,
                    ceiling_g = greatest(s.ceiling_g, EXCLUDED.ceiling_g)
            """
        ]
    }
}
