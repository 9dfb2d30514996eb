import Database
import Kernel
import Postgres

/// Income: its entries, and every summary of it.
public struct IncomeStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// Sums income from `from` to `to`, both days included, by the given dimensions; without any, in one row.
    ///
    /// A clerk sees the cooperative's sales; the collective's other income is the committee's.
    /// - Throws: a `Refusal` when `from` is after `to`.
    public func summary(
        from: CivilDay, to: CivilDay, by dimensions: [IncomeSummary.Dimension], _ scope: Scope
    ) async throws -> IncomeSummary {
        guard from <= to else {
            throw Refusal(
                .invalid, "period-reversed", field: "from", zh: "起始日期在截止日期之后",
                en: "the period begins after it ends")
        }
        var query: SQL = "SELECT "
        for dimension in dimensions {
            query += "\(dimension.expression) AS \(identifier: dimension.rawValue), "
        }
        query += """
            sum(amount_fen)::bigint AS amount_fen FROM income_line
            WHERE village_id = \(scope.village) AND day BETWEEN \(from) AND \(to)
            """
        if !dimensions.isEmpty {
            let expressions = dimensions.map(\.expression).joined(separator: ", ")
            query += " GROUP BY " + expressions + " ORDER BY " + expressions
        } else {
            query += " HAVING count(*) > 0"
        }
        let statement = query
        let rows = try await database.transaction(scope) { try await $0.query(statement) }
        return IncomeSummary(
            from: from, to: to, by: dimensions,
            rows: try rows.map { row in
                IncomeSummary.Row(
                    values: try dimensions.map { try row.decode($0.rawValue, as: String?.self) },
                    amount: try row.decode("amount_fen"))
            })
    }

    /// Enters income that is no sale.
    /// - Parameters:
    ///   - day: nil for today, or for the day of what it corrects: the year that was wrong is then right.
    ///   - corrects: the entry that this one corrects, of the same source; only a correction may be below zero, and no
    ///     entry is corrected to less than nothing.
    public static func enter(
        day: CivilDay?, source: IncomeSource, memo: String, amount: Money, corrects: Int64?, today: CivilDay
    ) -> Plan<IncomeEntry> {
        { transaction, scope in
            _ = try IncomeSource(entered: source.rawValue)
            let original = try await original(corrects, source: source, amount: amount, transaction, scope)
            let day = day ?? original ?? today
            try IncomeRules.check(day: day, memo: memo, amount: amount, isCorrection: corrects != nil, today: today)
            let answers = try await transaction.query("SELECT nextval('income_entry_id_seq') AS id")
            guard let id: Int64 = try answers.first?.decode("id") else { throw MissingEntry() }
            let entry = IncomeEntry(
                id: Identifier(id), day: day, source: source, memo: memo, amount: amount, corrects: corrects)
            return Change(
                entry,
                writes: [
                    """
                    INSERT INTO income_entry (village_id, id, day, source, memo, amount_fen, corrects, actor)
                    VALUES (\(scope.village), \(id), \(day), \(source.rawValue), \(memo), \(amount), \(corrects),
                        \(scope.actor))
                    """
                ],
                event: Event(
                    "income.enter", "\(id)", day: day, .text("source", source.rawValue), .fen(amount),
                    .number("corrects", corrects)))
        }
    }

    /// The day of what is corrected.
    private static func original(
        _ corrects: Int64?, source: IncomeSource, amount: Money, _ transaction: Transaction, _ scope: Scope
    ) async throws -> CivilDay? {
        guard let corrects else { return nil }
        let rows = try await transaction.query(
            """
            SELECT e.day, e.source, e.corrects, e.amount_fen + coalesce((
                SELECT sum(c.amount_fen) FROM income_entry c
                WHERE c.village_id = e.village_id AND c.corrects = e.id), 0)::bigint AS amount_fen
            FROM income_entry e WHERE e.village_id = \(scope.village) AND e.id = \(corrects)
            """)
        guard let row = rows.first else {
            throw Refusal(
                .notFound, "no-such-entry", field: "corrects", zh: "没有这一笔收入", en: "there is no such entry")
        }
        try IncomeRules.checkCorrection(
            source: source, amount: amount, ofSource: try row.decode("source"), left: try row.decode("amount_fen"),
            original: try row.decode("corrects"))
        return try row.decode("day")
    }

    /// - Parameter before: the id of the entry after the last one wanted: newest come first.
    public func list(_ scope: Scope, before: Int64 = .max, limit: Int = 50) async throws -> [IncomeEntry] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT id, day, source, memo, amount_fen, corrects FROM income_entry
                WHERE village_id = \(scope.village) AND id < \(before) ORDER BY id DESC LIMIT \(limit)
                """
            ).map { row in
                IncomeEntry(
                    id: Identifier(try row.decode("id")), day: try row.decode("day"),
                    source: IncomeSource(rawValue: try row.decode("source")) ?? .other, memo: try row.decode("memo"),
                    amount: try row.decode("amount_fen"), corrects: try row.decode("corrects"))
            }
        }
    }
}

/// A statement that always answers one row answered none.
struct MissingEntry: Error {}

enum IncomeRules {
    /// - Parameters:
    ///   - left: what the entry amounts to with its corrections so far.
    ///   - original: what the entry corrects itself.
    static func checkCorrection(
        source: IncomeSource, amount: Money, ofSource: String, left: Money, original: Int64?
    ) throws {
        if let original {
            throw Refusal(
                .invalid, "corrects-a-correction", field: "corrects", zh: "这一笔本身是更正；请更正原来的第 \(original) 笔",
                en: "that entry is a correction itself: correct entry \(original)")
        }
        guard source.rawValue == ofSource else {
            let label = IncomeSource(rawValue: ofSource)?.label ?? Bilingual(zh: ofSource, en: ofSource)
            throw Refusal(
                .invalid, "another-source", field: "source", zh: "所更正的一笔是“\(label.zh)”，来源须相同",
                en: "the entry to be corrected is of \(label.en): the source must be the same")
        }
        guard left.fen + amount.fen >= 0 else {
            throw Refusal(
                .invalid, "corrected-below-zero", field: "amount", zh: "所更正的一笔现为 \(left) 元，不能更正到零以下",
                en: "the entry amounts to \(left) yuan: it can't be corrected to less than nothing")
        }
    }

    static func check(
        day: CivilDay, memo: String, amount: Money, isCorrection: Bool, today: CivilDay
    ) throws {
        guard day <= today else {
            throw Refusal(
                .invalid, "income-in-future", field: "day", zh: "日期在今天之后", en: "the day is in the future")
        }
        guard amount.fen > 0 || (isCorrection && amount.fen != 0) else {
            throw Refusal(
                .invalid, "amount-not-positive", field: "amount", zh: "金额须大于零；更正请指明所更正的一笔",
                en: "an amount is above zero, unless it corrects an entry that is named")
        }
        guard memo.unicodeScalars.count <= 500,
            !memo.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else {
            throw Refusal(
                .invalid, "bad-text", field: "memo", zh: "摘要最多 500 个字", en: "a memo has at most 500 characters")
        }
    }
}
