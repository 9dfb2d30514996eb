import Database
import Kernel
import Postgres

/// Income that is no sale.
public struct IncomeStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
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
            let memo = CleanText.text(memo)
            if let error = CleanText.spreadsheetError(memo) { throw error.of(field: "memo") }
            let original = try await original(corrects, source: source, amount: amount, transaction, scope)
            let through = try await ClosedBooks.through(transaction, scope)
            // A year that is closed stays as it is: what is put right late belongs to the day on which it is.
            let isOpen = original.map { day in through.map { day > $0 } ?? true } ?? false
            let day = day ?? (isOpen ? original : nil) ?? today
            try ClosedBooks.check(day, through: through)
            try IncomeRules.check(day: day, memo: memo, amount: amount, isCorrection: corrects != nil, today: today)
            let answers = try await transaction.query("SELECT own_number('income_entry') AS id")
            guard let id: Int64 = try answers.first?.decode("id") else { throw MissingEntry() }
            let entry = IncomeEntry(
                id: Identifier(id), day: day, source: source, memo: memo, amount: amount, corrects: corrects)
            return Change(
                entry,
                writes: [insert(entry, scope)],
                lastWrites: corrects.map { [count(correction: amount, of: $0, scope)] } ?? [],
                refusals: ["income_entry_not_below_zero": IncomeRules.correctedBelowZero(.zero)],
                event: Event(
                    "income.enter", "\(id)", day: day, .text("source", source.rawValue), .fen(amount),
                    .number("corrects", corrects)))
        }
    }

    private static func insert(_ entry: IncomeEntry, _ scope: Scope) -> SQL {
        """
        INSERT INTO income_entry (village_id, id, day, source, memo, amount_fen, corrects, actor)
        VALUES (\(scope.village), \(entry.id.value), \(entry.day), \(entry.source.rawValue), \(entry.memo),
            \(entry.amount), \(entry.corrects), \(scope.actor))
        """
    }

    /// Keeps beside an entry what it has been corrected by; a CHECK sees that it does not go below zero.
    private static func count(correction amount: Money, of entry: Int64, _ scope: Scope) -> SQL {
        """
        UPDATE income_entry SET corrected_fen = corrected_fen + \(amount)
        WHERE village_id = \(scope.village) AND id = \(entry) AND corrects IS NULL
        """
    }

    /// The statements that correct an entry by an amount, for an import that has looked at it.
    static func correction(
        of entry: Int64, source: String, day: CivilDay, memo: String, by amount: Money, _ scope: Scope
    ) -> [SQL] {
        [
            """
            INSERT INTO income_entry (village_id, day, source, memo, amount_fen, corrects, actor)
            VALUES (\(scope.village), \(day), \(source), \(memo), \(amount), \(entry), \(scope.actor))
            """,
            count(correction: amount, of: entry, scope),
            Event(
                "income.enter", "\(entry)", day: day, .text("source", source), .fen(amount), .number("corrects", entry)
            ).insert(by: scope),
        ]
    }

    /// The day of what is corrected.
    private static func original(
        _ corrects: Int64?, source: IncomeSource, amount: Money, _ transaction: Transaction, _ scope: Scope
    ) async throws -> CivilDay? {
        guard let corrects else { return nil }
        let rows = try await transaction.query(
            """
            SELECT e.day, e.source, e.corrects, e.amount_fen + e.corrected_fen AS amount_fen
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
    public func list(
        _ scope: Scope, before: Int64 = .max, from: CivilDay? = nil, to: CivilDay? = nil, limit: Int = 50
    ) async throws -> [IncomeEntry] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT id, day, source, memo, amount_fen, corrects FROM income_entry
                WHERE village_id = \(scope.village) AND id < \(before)
                    AND (\(from) IS NULL OR day >= \(from)) AND (\(to) IS NULL OR day <= \(to))
                ORDER BY id DESC LIMIT \(limit)
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
            throw correctedBelowZero(left)
        }
    }

    static func correctedBelowZero(_ left: Money) -> Refusal {
        Refusal(
            .invalid, "corrected-below-zero", field: "amount", zh: "所更正的一笔现为 \(left) 元，不能更正到零以下",
            en: "the entry amounts to \(left) yuan: it can't be corrected to less than nothing")
    }

    /// - Throws: the first of the faults.
    static func check(
        day: CivilDay, memo: String, amount: Money, isCorrection: Bool, today: CivilDay
    ) throws {
        let faults = faults(day: day, memo: memo, amount: amount, isCorrection: isCorrection, today: today)
        if let fault = faults.first { throw fault }
    }

    /// All that is wrong with an entry.
    static func faults(
        day: CivilDay, memo: String, amount: Money, isCorrection: Bool, today: CivilDay
    ) -> [Refusal] {
        var faults: [Refusal] = []
        if day > today {
            faults.append(
                Refusal(
                    .invalid, "income-in-future", field: "day", zh: "日期在今天之后", en: "the day is in the future"))
        }
        if amount.fen <= 0, !isCorrection || amount.fen == 0 {
            faults.append(
                Refusal(
                    .invalid, "amount-not-positive", field: "amount", zh: "金额须大于零；更正请指明所更正的一笔",
                    en: "an amount is above zero, unless it corrects an entry that is named"))
        }
        if memo.unicodeScalars.count > 500
            || memo.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        {
            faults.append(
                Refusal(
                    .invalid, "bad-text", field: "memo", zh: "摘要最多 500 个字", en: "a memo has at most 500 characters"))
        }
        return faults
    }
}
