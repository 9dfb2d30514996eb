import Database
import Kernel
import Postgres

/// The rows behind the figures of income, and every sum of them.
public struct IncomeRowStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// Sums income from `from` to `to`, both days included, by the given dimensions; without any, in one row. Months
    /// without income are there with nothing.
    ///
    /// A clerk sees the cooperative's sales; the collective's other income is the committee's.
    /// - Throws: a `Refusal` when `from` is after `to`.
    public func summary(
        from: CivilDay, to: CivilDay, by dimensions: [IncomeSummary.Dimension], _ scope: Scope
    ) async throws -> IncomeSummary {
        let filter = try IncomeFilter(from: from, to: to)
        let statement = Self.sum(filter, by: dimensions, scope)
        let answers = try await database.snapshot(scope) {
            try await $0.query([statement, Self.claims(filter, scope)])
        }
        let rows = answers[0]
        var cells = try rows.map { row in
            IncomeSummary.Row(
                values: try dimensions.map { try row.decode($0.rawValue, as: String?.self) },
                amount: try row.decode("amount_fen"))
        }
        if let place = dimensions.firstIndex(of: .month) { cells = Self.filled(cells, place, from: from, to: to) }
        return IncomeSummary(
            from: from, to: to, by: dimensions, rows: cells,
            earlier: try rows.reduce(.zero) { $0 + (try $1.decode("earlier_fen", as: Money.self)) },
            claims: try answers[1].first?.decode("amount_fen") ?? .zero)
    }

    /// What tours of the period were charged and not paid.
    private static func claims(_ filter: IncomeFilter, _ scope: Scope) -> SQL {
        """
        SELECT coalesce(sum(amount_fen), 0)::bigint AS amount_fen FROM tour_claim
        WHERE village_id = \(scope.village) AND day BETWEEN \(filter.from) AND \(filter.to)
        """
    }

    /// Months that nothing came in of, in their order.
    private static func filled(
        _ cells: [IncomeSummary.Row], _ place: Int, from: CivilDay, to: CivilDay
    ) -> [IncomeSummary.Row] {
        let known = Set(cells.compactMap { $0.values[place] })
        let width = cells.first?.values.count ?? place + 1
        let empty = CivilDay.months(from: from, to: to).filter { !known.contains($0) }.map { month in
            var values = [String?](repeating: nil, count: width)
            values[place] = month
            return IncomeSummary.Row(values: values, amount: .zero)
        }
        guard place == 0 else { return cells + empty }
        return (cells + empty).enumerated()
            .sorted { ($0.element.values[0] ?? "", $0.offset) < ($1.element.values[0] ?? "", $1.offset) }.map(\.element)
    }

    /// - Parameter after: the row before the first one wanted; nil for the beginning.
    public func page(
        _ filter: IncomeFilter, after: IncomeRowPlace? = nil, limit: Int, _ scope: Scope
    ) async throws -> [IncomeRow] {
        let statement = Self.rows(filter, after: after, scope) + " LIMIT \(limit)"
        return try await database.snapshot(scope) { transaction in
            try await Self.check(filter, transaction, scope)
            return try await transaction.query(statement).map { try Self.row($0) }
        }
    }

    /// - Returns: the sum of the rows, of all pages.
    public func total(_ filter: IncomeFilter, _ scope: Scope) async throws -> Money {
        let statement: SQL =
            "SELECT coalesce(sum(amount_fen), 0)::bigint AS amount_fen FROM \(Self.filtered(filter, scope))"
        return try await database.snapshot(scope) { transaction in
            try await Self.check(filter, transaction, scope)
            return try await transaction.query(statement).first?.decode("amount_fen")
        } ?? .zero
    }

    /// - Throws: a `Refusal` for a product, cooperative or household that there is not, rather than no rows.
    private static func check(_ filter: IncomeFilter, _ transaction: Transaction, _ scope: Scope) async throws {
        for dimension in IncomeSummary.Dimension.allCases {
            guard case .some(let text)? = filter.values[dimension],
                let known = dimension.known(scope), let isKnown = dimension.isKnown(text, scope.village)
            else { continue }
            let rows = try await transaction.query("SELECT \(isKnown) AS is_known")
            guard try rows.first?.decode("is_known") != true else { continue }
            let names = try await transaction.query(known)
            throw Refusal.unknown(
                .invalid, "unknown-\(dimension.rawValue)", field: dimension.rawValue, zh: dimension.label.zh,
                en: dimension.label.en, name: text, known: try names.map { try $0.decode("name") },
                count: try names.first?.decode("count") ?? 0)
        }
    }

    /// Hands over all rows, some hundred at a time and all of one moment, so that memory does not grow with them.
    /// - Throws: what `consume` throws.
    public func all(
        _ filter: IncomeFilter, _ scope: Scope, _ consume: @escaping @Sendable ([IncomeRow]) async throws -> Void
    ) async throws {
        let statement = Self.rows(filter, after: nil, scope)
        try await database.snapshot(scope, isStreamed: true) { transaction in
            try await Self.check(filter, transaction, scope)
            try await transaction.copyOut("COPY (\(statement)) TO STDOUT") { piece in
                try await consume(try CopiedRows(piece).map { try Self.row($0) })
            }
        }
    }

    /// Sums over numbers, then names what is left: of names that mean one thing, one row.
    private static func sum(_ filter: IncomeFilter, by dimensions: [IncomeSummary.Dimension], _ scope: Scope) -> SQL {
        let keys = dimensions.map(\.key).joined(separator: ", ")
        var query: SQL = "WITH cells AS (SELECT "
        if !dimensions.isEmpty { query += keys + ", " }
        query += """
            sum(amount_fen)::bigint AS amount_fen,
                coalesce(sum(amount_fen) FILTER (WHERE of_day < \(filter.from)), 0)::bigint AS earlier_fen
            FROM \(filtered(filter, scope))
            """
        query += dimensions.isEmpty ? " HAVING count(*) > 0" : " GROUP BY " + keys
        query += ") SELECT "
        for dimension in dimensions {
            query += "\(dimension.name) AS \(identifier: dimension.rawValue), "
        }
        query += "sum(amount_fen)::bigint AS amount_fen, sum(earlier_fen)::bigint AS earlier_fen FROM cells c"
        for dimension in dimensions { query += dimension.join(scope.village) }
        if dimensions.isEmpty { return query + " HAVING count(*) > 0" }
        // By their places: some names of columns are also those of what they are made of.
        let ordinals: [SQL] = ["1", "2", "3", "4", "5", "6"]
        let places = ordinals.prefix(dimensions.count)
        return query + " GROUP BY " + places.joined(separator: ", ") + " ORDER BY " + places.joined(separator: ", ")
    }

    private static func rows(_ filter: IncomeFilter, after: IncomeRowPlace?, _ scope: Scope) -> SQL {
        var query: SQL = """
            SELECT r.day, r.source, r.kind, r.number, r.line, r.amount_fen, r.of_day, p.name AS product,
                o.name AS cooperative, coalesce(w.meant, r.channel) AS channel, h.number || ' ' || h.head AS household
            FROM \(filtered(filter, scope))
            LEFT JOIN product p ON p.village_id = r.village_id AND p.id = r.product_id
            LEFT JOIN cooperative n ON n.village_id = r.village_id AND n.id = r.cooperative_id
            LEFT JOIN cooperative o ON o.village_id = n.village_id AND o.id = coalesce(n.merged_into, n.id)
            LEFT JOIN spelling w ON w.village_id = r.village_id AND w.kind = 'channel' AND w.name = r.channel
            LEFT JOIN household_span h ON h.village_id = r.village_id AND h.household_id = r.household_id
                AND h.from_day <= r.harvested_on AND r.harvested_on < h.until_day
            """
        if let after {
            query += """
                 WHERE (r.day, r.kind, r.number, coalesce(r.line, 0))
                    > (\(after.day), \(after.kind), \(after.number), \(after.line))
                """
        }
        return query + " ORDER BY r.day, r.kind, r.number, coalesce(r.line, 0)"
    }

    /// `income_row` of the filter, as `r`.
    private static func filtered(_ filter: IncomeFilter, _ scope: Scope) -> SQL {
        var query: SQL = """
            (SELECT * FROM income_row
            WHERE village_id = \(scope.village) AND day BETWEEN \(filter.from) AND \(filter.to)
            """
        for (dimension, value) in filter.values.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            query += " AND " + dimension.condition(value, scope.village)
        }
        return query + ") r"
    }

    /// In the order of `rows`.
    private static func row(_ row: some PlacedRow) throws -> IncomeRow {
        guard let source = IncomeSource(rawValue: try row.decode(1)),
            let kind = IncomeRow.Kind(rawValue: try row.decode(2))
        else { throw MissingEntry() }
        let line: Int64? = try row.decode(4)
        return IncomeRow(
            day: try row.decode(0), source: source, kind: kind, number: try row.decode(3),
            line: source == .sales ? line : nil, order: line ?? 0, product: try row.decode(7),
            cooperative: try row.decode(8), channel: try row.decode(9), household: try row.decode(10),
            amount: try row.decode(5), ofDay: try row.decode(6))
    }
}
