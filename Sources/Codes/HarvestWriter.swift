import Batches
import Database
import Kernel
import Orchard
import Postgres
import Signing

/// How harvests get into the books, one or a hundred thousand: batch, stock, season and code of each, by one statement.
enum HarvestWriter {
    /// The columns of what it writes from, in their order.
    private static let columns: SQL = """
        number, cooperative_id, plot_id, plot_period_id, household_id, product_id, variety_id, grade_id, harvested_on,
        best_before, grams, slip, picker, signature
        """

    /// A table of this transaction for very many, because COPY does not obey row-level security.
    static let createStaging: SQL = """
        CREATE TEMPORARY TABLE harvest_staging (
            number bigint, cooperative_id int, plot_id int, plot_period_id int, household_id int, product_id int,
            variety_id int, grade_id int, harvested_on date, best_before date, grams bigint, slip text, picker text,
            signature bytea
        ) ON COMMIT DROP
        """
    static let copy: SQL = "COPY harvest_staging FROM STDIN"

    /// A row of `copy`.
    static func append(_ harvest: PreparedHarvest, signature: [UInt8], to rows: inout CopyBuffer) throws {
        try rows.append(harvest.number)
        try rows.append(harvest.cooperative)
        try rows.append(harvest.plot)
        try rows.append(harvest.plotPeriod)
        try rows.append(harvest.household)
        try rows.append(harvest.product)
        try rows.append(harvest.variety)
        try rows.append(harvest.grade)
        try rows.append(harvest.day)
        try rows.append(harvest.bestBefore)
        try rows.append(harvest.weight)
        try rows.append(harvest.slip)
        try rows.append(harvest.picker)
        try rows.append(signature)
        rows.endRow()
    }

    /// Writes one harvest.
    static func statement(
        for harvest: PreparedHarvest, signature: [UInt8], key: KeyID, issued: CivilDay, _ scope: Scope
    ) -> SQL {
        """
        WITH s (\(columns)) AS (
            VALUES (\(harvest.number)::bigint, \(harvest.cooperative)::int, \(harvest.plot)::int,
                \(harvest.plotPeriod)::int, \(harvest.household)::int, \(harvest.product)::int, \(harvest.variety)::int,
                \(harvest.grade)::int, \(harvest.day)::date, \(harvest.bestBefore)::date, \(harvest.weight)::bigint,
                \(harvest.slip)::text, \(harvest.picker)::text, \(signature)::bytea)
        ), season AS (
            \(seasons(from: """
                SELECT plot_id, product_id, \(OrchardRules.season(of: harvest.day))::int, cooperative_id, grams,
                    \(harvest.allowed)::bigint
                FROM s
                """, scope))
        ), \(batches(key: key, issued: issued, scope))
        """
    }

    /// Writes what was copied, but for the seasons.
    static func staged(key: KeyID, issued: CivilDay, _ scope: Scope) -> SQL {
        "WITH s (\(columns)) AS (TABLE harvest_staging), \(batches(key: key, issued: issued, scope))"
    }

    /// Adds to what plots have given: `source` gives plot, product, season, cooperative, grams and what the plot may give,
    /// once each. They are written in one order by everybody, so that two imports don't deadlock.
    static func seasons(from source: SQL, _ scope: Scope) -> SQL {
        """
        INSERT INTO plot_season AS p (village_id, plot_id, product_id, season, cooperative_id, harvested_g, ceiling_g)
        SELECT \(scope.village), * FROM (\(source)) w (plot_id, product_id, season, cooperative_id, grams, allowed_g)
        ORDER BY plot_id, product_id, season
        ON CONFLICT (village_id, plot_id, product_id, season)
        DO UPDATE SET harvested_g = p.harvested_g + EXCLUDED.harvested_g,
            ceiling_g = greatest(p.ceiling_g, EXCLUDED.ceiling_g)
        """
    }

    private static func batches(key: KeyID, issued: CivilDay, _ scope: Scope) -> SQL {
        """
        moved AS (
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
            SELECT \(scope.village), number, cooperative_id, 'harvest', grams, harvested_on, \(scope.actor) FROM s
            RETURNING 1
        ), coded AS (
            INSERT INTO code (village_id, batch_number, cooperative_id, key_id, issued_on, best_before, signature)
            SELECT \(scope.village), number, cooperative_id, \(Int(key.value)), \(issued), best_before, signature FROM s
            RETURNING 1
        ), made AS (
            INSERT INTO batch (village_id, number, cooperative_id, kind, plot_id, household_id, plot_period_id, product_id,
                variety_id, grade_id, harvested_on, slip, picker, in_g)
            SELECT \(scope.village), number, cooperative_id, 'harvest', plot_id, household_id, plot_period_id, product_id,
                variety_id, grade_id, harvested_on, slip, picker, grams
            FROM s
            RETURNING 1
        )
        SELECT count(*) FROM made
        """
    }
}
