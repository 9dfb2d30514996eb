import Database
import Kernel
import Orchard
import Postgres

/// A harvest whose names have been found and whose number has been taken: all that is written of it but the signature of
/// its code.
public struct PreparedHarvest: Sendable {
    public let number: Int64
    public let cooperative: Int
    public let plot: Int
    /// What held of the plot on the day, and whose it was then.
    public let plotPeriod: Int
    public let household: Int
    public let product: Int
    public let variety: Int
    public let grade: Int
    public let day: CivilDay
    public let bestBefore: CivilDay?
    public let weight: Weight
    public let slip: String?
    public let picker: String?
    /// What the plot may give in the season, exceptions included.
    public let allowed: Weight

    public init(
        number: Int64, cooperative: Int, plot: Int, plotPeriod: Int, household: Int, product: Int, variety: Int,
        grade: Int, day: CivilDay, bestBefore: CivilDay?, weight: Weight, slip: String?, picker: String?,
        allowed: Weight
    ) {
        self.number = number
        self.cooperative = cooperative
        self.plot = plot
        self.plotPeriod = plotPeriod
        self.household = household
        self.product = product
        self.variety = variety
        self.grade = grade
        self.day = day
        self.bestBefore = bestBefore
        self.weight = weight
        self.slip = slip
        self.picker = picker
        self.allowed = allowed
    }
}

/// How a harvest becomes a batch.
public enum HarvestStore {
    /// The constraint that keeps a plot's season below its ceiling.
    public static let withinCeiling = "plot_season_within_ceiling"

    /// The constraint by which a slip's number stands for one harvest of its year and cooperative.
    public static let slipOnce = "batch_slip_once"

    /// Finds what the harvest names, takes a batch number and holds the books.
    /// - Returns: also what the constraints tell that only decide when it is written.
    /// - Throws: a `Refusal` naming the field.
    public static func prepare(
        _ harvest: Harvest, today: CivilDay, in transaction: Transaction, _ scope: Scope
    ) async throws -> (harvest: PreparedHarvest, refusals: [String: Refusal]) {
        try BatchRules.harvestDay(harvest.day, today: today)
        let harvest = try harvest.cleaned()
        let slip = harvest.slip
        let season = OrchardRules.season(of: harvest.day)
        let answers = try await transaction.query([
            ClosedBooks.numbered("batch", scope), LocalSetting.keepingPlan.statement,
            lookup(harvest, season: season, scope),
        ])
        let rows = answers[2]
        guard let own = answers[0].first, let first = rows.first, let plot: Int = try first.decode("plot") else {
            throw try await unknownPlot(harvest.plot, transaction, scope)
        }
        guard let period: Int = try first.decode("period") else {
            throw OrchardRules.notYet(plot: harvest.plot, from: try first.decode("known_from"))
        }
        try ClosedBooks.check(harvest.day, through: first.decode("closed"), field: "harvestedOn")
        guard let grade: Int = try first.decode("grade") else {
            return try await prepare(
                recorded(harvest, crop: first.decode("crop"), transaction, scope), today: today, in: transaction, scope)
        }
        // Products may share a variety's name: the one that the plot grows is meant.
        let crop: Int = try first.decode("crop")
        guard let row = try rows.first(where: { try $0.decode("product", as: Int?.self) == crop }) else {
            let catalogue = try await Catalogue.load(transaction, scope)
            let named = try catalogue.variety(named: harvest.variety, product: harvest.product)
            guard named.product.id != crop else {
                return try await prepare(
                    recorded(harvest, crop: crop, transaction, scope), today: today, in: transaction, scope)
            }
            throw BatchRules.cropMismatch(
                plot: harvest.plot, crop: try first.decode("crop_name"), product: named.product.name)
        }
        let ceiling = OrchardRules.ceiling(
            areaCentimu: try row.decode("area_centimu"), perMu: try row.decode("ceiling_g_per_mu"))
        let allowed = ceiling + Weight(grams: try row.decode("extra_g"))
        let harvested = Weight(grams: try row.decode("harvested_g"))
        let overCeiling = BatchRules.overCeiling(
            plot: harvest.plot, season: season, ceiling: allowed, harvested: harvested, weight: harvest.weight)
        // The CHECK on plot_season decides between registrations at the same time. It holds the greatest ceiling that
        // the season has had, and so does not know of a plot that was measured smaller since.
        guard harvested + harvest.weight <= allowed else { throw overCeiling }
        let bestBeforeDays: Int? = try row.decode("best_before_days")
        let prepared = PreparedHarvest(
            number: try own.decode("number"), cooperative: try row.decode("cooperative_id"), plot: plot,
            plotPeriod: period, household: try row.decode("household_id"), product: try row.decode("product"),
            variety: try row.decode("variety"), grade: grade, day: harvest.day,
            bestBefore: OrchardRules.bestBefore(harvested: harvest.day, days: bestBeforeDays), weight: harvest.weight,
            slip: slip, picker: harvest.picker, allowed: allowed)
        return (prepared, [withinCeiling: overCeiling, slipOnce: BatchRules.slipTaken(slip ?? "")])
    }

    /// The harvest with its names as they are recorded: what differs from those only in width, brackets or blanks is meant.
    /// - Throws: a `Refusal` that names what is not known.
    private static func recorded(
        _ harvest: Harvest, crop: Int?, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Harvest {
        let catalogue = try await Catalogue.load(transaction, scope)
        _ = try catalogue.grade(named: harvest.grade)
        let known = harvest.named(
            product: harvest.product.map { catalogue.products.recorded($0) ?? $0 },
            variety: crop.flatMap { catalogue.recorded(variety: harvest.variety, of: $0) } ?? harvest.variety,
            grade: catalogue.grades.recorded(harvest.grade) ?? harvest.grade)
        // Asked again under the same names, it would be missed again.
        guard known.grade != harvest.grade || known.variety != harvest.variety || known.product != harvest.product
        else { throw MissingRow() }
        return known
    }

    /// Row-level security keeps other cooperatives' plots from a clerk.
    private static func unknownPlot(
        _ plot: String, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Refusal {
        let rows = try await transaction.query(
            """
            SELECT number, count(*) OVER () AS count FROM plot WHERE village_id = \(scope.village)
            ORDER BY number LIMIT 10
            """)
        return BatchRules.unknownPlot(
            plot, known: try rows.map { try $0.decode("number") }, count: try rows.first?.decode("count") ?? 0)
    }

    private static func lookup(_ harvest: Harvest, season: Int, _ scope: Scope) -> SQL {
        """
        SELECT t.id AS plot, d.id AS period, d.household_id, d.cooperative_id, d.area_centimu, d.product_id AS crop,
            p.name AS crop_name, p.best_before_days, p.ceiling_g_per_mu, coalesce(v.merged_into, v.id) AS variety, v.product_id AS product,
            coalesce(g.merged_into, g.id) AS grade, coalesce(s.harvested_g, 0) AS harvested_g,
            (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
                WHERE o.village_id = \(scope.village) AND o.plot_id = t.id AND o.product_id = d.product_id
                    AND o.season = \(season)) AS extra_g,
            CASE WHEN d.id IS NULL THEN (
                SELECT min(e.from_day) FROM plot_period e WHERE e.village_id = \(scope.village) AND e.plot_id = t.id
            ) END AS known_from, (\(ClosedBooks.through(scope))) AS closed
        FROM plot t
        LEFT JOIN LATERAL (\(held(on: "\(harvest.day)", scope))) d ON true
        LEFT JOIN product p ON p.village_id = t.village_id AND p.id = d.product_id
        LEFT JOIN variety v ON v.village_id = t.village_id AND v.product_id = d.product_id
            AND v.name = \(harvest.variety) AND (\(harvest.product)::text IS NULL OR p.name = \(harvest.product))
        LEFT JOIN grade g ON g.village_id = t.village_id AND g.name = \(harvest.grade)
        LEFT JOIN plot_season s ON s.village_id = t.village_id AND s.plot_id = t.id
            AND s.product_id = d.product_id AND s.season = \(season)
        WHERE t.village_id = \(scope.village) AND t.number = \(harvest.plot)
        """
    }

    /// What held of plot `t` on a day: one look into an index, whatever the planner knows of the table.
    static func held(on day: SQL, _ scope: Scope) -> SQL {
        """
        SELECT * FROM plot_period d
        WHERE d.village_id = \(scope.village) AND d.plot_id = t.id AND d.from_day <= \(day)
        ORDER BY d.from_day DESC, d.id DESC LIMIT 1
        """
    }

    /// Records the committee's exception: so much more may come from a plot in a season.
    public static func override(
        plot: String, season: Int, extra: Weight, reason: String
    ) -> Plan<Weight> {
        { transaction, scope in
            let plot = try CleanText.key(plot)
            guard scope.cooperative == nil else {
                throw Refusal(
                    .forbidden, "committee-only", zh: "例外须由村委会登记", en: "exceptions are the committee's to record")
            }
            let reason = try CleanText.reason(reason)
            guard (1990...2199).contains(season) else {
                throw Refusal(
                    .invalid, "out-of-range", field: "season", zh: "年份须在 1990 到 2199 之间",
                    en: "a season is a year from 1990 to 2199")
            }
            let rows = try await transaction.query(
                """
                SELECT t.id, d.product_id, d.cooperative_id, d.area_centimu, p.ceiling_g_per_mu,
                    (SELECT coalesce(sum(o.extra_g), 0)::bigint FROM ceiling_override o
                        WHERE o.village_id = \(scope.village) AND o.plot_id = t.id AND o.product_id = d.product_id
                            AND o.season = \(season)) AS extra_g,
                    (SELECT min(e.from_day) FROM plot_period e
                        WHERE e.village_id = \(scope.village) AND e.plot_id = t.id) AS known_from
                FROM plot t
                LEFT JOIN LATERAL (\(held(on: "\(OrchardRules.lastDay(of: season))", scope))) d ON true
                LEFT JOIN product p ON p.village_id = t.village_id AND p.id = d.product_id
                WHERE t.village_id = \(scope.village) AND t.number = \(plot)
                """)
            guard let row = rows.first else { throw try await unknownPlot(plot, transaction, scope) }
            guard let product: Int = try row.decode("product_id") else {
                throw OrchardRules.notYet(plot: plot, from: try row.decode("known_from"))
            }
            let id: Int = try row.decode("id")
            let cooperative: Int = try row.decode("cooperative_id")
            let ceiling =
                OrchardRules.ceiling(
                    areaCentimu: try row.decode("area_centimu"), perMu: try row.decode("ceiling_g_per_mu"))
                + Weight(grams: try row.decode("extra_g")) + extra
            return Change(
                ceiling,
                writes: [
                    """
                    INSERT INTO ceiling_override (village_id, plot_id, product_id, season, extra_g, reason, actor)
                    VALUES (\(scope.village), \(id), \(product), \(season), \(extra), \(reason),
                        \(scope.actor))
                    """,
                    """
                    INSERT INTO plot_season AS s (village_id, plot_id, product_id, season, cooperative_id, harvested_g,
                        ceiling_g)
                    VALUES (\(scope.village), \(id), \(product), \(season), \(cooperative), 0, \(ceiling))
                    ON CONFLICT (village_id, plot_id, product_id, season)
                    DO UPDATE SET ceiling_g = s.ceiling_g + \(extra)
                    """,
                ],
                event: Event(
                    "plot.override", plot, .number("season", season), .grams(extra), .reason(reason)))
        }
    }
}
