import Database
import Kernel
import Postgres

/// What held of a household from a day on.
public struct HouseholdPeriod: Sendable, Hashable {
    public let from: CivilDay
    /// The first day on which something else held; nil when it holds still.
    public let until: CivilDay?
    public let head: String
    public let gridCell: String
    public let supportClass: String
    public let cooperative: String
    public let people: Int
}

/// What held of a plot from a day on.
public struct PlotPeriod: Sendable, Hashable {
    public let from: CivilDay
    /// The first day on which something else held; nil when it holds still.
    public let until: CivilDay?
    public let cooperative: String
    public let household: String
    public let product: String
    /// Hundredths of a mu.
    public let areaCentimu: Int64
}

extension OrchardStore {
    /// A household as it is, and as it was, newest first; a clerk sees of it what was in the own cooperative.
    /// - Throws: a `Refusal` of kind `notFound`, for another cooperative's household too.
    public func household(
        _ number: String, _ scope: Scope
    ) async throws -> (present: Household, periods: [HouseholdPeriod]) {
        let number = try CleanText.key(number)
        let answers = try await database.transaction(scope) { transaction in
            try await transaction.query([
                Self.householdQuery(scope) + " AND h.number = \(number)",
                """
                SELECT s.from_day, nullif(s.until_day, 'infinity') AS until_day, s.head, s.grid_cell, s.support_class,
                    c.name AS cooperative, s.people
                FROM household h
                JOIN household_span s ON s.village_id = h.village_id AND s.household_id = h.id
                JOIN cooperative_meant c ON c.village_id = s.village_id AND c.id = s.cooperative_id
                WHERE h.village_id = \(scope.village) AND h.number = \(number) AND s.from_day < s.until_day
                ORDER BY s.from_day DESC
                """,
            ])
        }
        guard let row = answers[0].first else {
            throw Refusal(
                .notFound, "unknown-household", field: "household", zh: "没有农户“\(number.shortened)”",
                en: "there is no household “\(number.shortened)”")
        }
        let periods = try answers[1].map { row in
            HouseholdPeriod(
                from: try row.decode("from_day"), until: try row.decode("until_day"), head: try row.decode("head"),
                gridCell: try row.decode("grid_cell"), supportClass: try row.decode("support_class"),
                cooperative: try row.decode("cooperative"), people: try row.decode("people"))
        }
        return (try Self.household(row), periods)
    }

    /// A plot as it is, and as it was, newest first; a clerk sees of it what was in the own cooperative.
    /// - Throws: a `Refusal` of kind `notFound`, for another cooperative's plot too.
    public func plot(_ number: String, _ scope: Scope) async throws -> (present: Plot, periods: [PlotPeriod]) {
        let number = try CleanText.key(number)
        let answers = try await database.transaction(scope) { transaction in
            try await transaction.query([
                Self.plotQuery(scope) + " AND t.number = \(number)",
                """
                SELECT s.from_day, nullif(s.until_day, 'infinity') AS until_day, c.name AS cooperative,
                    h.number AS household, p.name AS product, s.area_centimu
                FROM (
                    SELECT d.*, lead(d.from_day, 1, 'infinity') OVER (ORDER BY d.from_day, d.id) AS until_day
                    FROM plot t JOIN plot_period d ON d.village_id = t.village_id AND d.plot_id = t.id
                    WHERE t.village_id = \(scope.village) AND t.number = \(number)
                ) s
                JOIN cooperative_meant c ON c.village_id = s.village_id AND c.id = s.cooperative_id
                JOIN product p ON p.village_id = s.village_id AND p.id = s.product_id
                \(Self.householdNumber("s"))
                WHERE s.village_id = \(scope.village) AND s.from_day < s.until_day
                ORDER BY s.from_day DESC
                """,
            ])
        }
        guard let row = answers[0].first else {
            throw Refusal(
                .notFound, "unknown-plot", field: "plot", zh: "没有地块“\(number.shortened)”",
                en: "there is no plot “\(number.shortened)”")
        }
        let periods = try answers[1].map { row in
            PlotPeriod(
                from: try row.decode("from_day"), until: try row.decode("until_day"),
                cooperative: try row.decode("cooperative"), household: try row.decode("household"),
                product: try row.decode("product"), areaCentimu: try row.decode("area_centimu"))
        }
        return (try Self.plot(row), periods)
    }
}
