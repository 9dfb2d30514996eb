import Database
import Kernel
import Postgres
import Registers

/// A register of income as a whole, in tables of the import's transaction: what each of its rows is beside the books.
///
/// The rows have no number. One is known by its whole content, and of equal ones by how many there are. What is left over
/// beside what is left over of earlier imports on those days may be a changed row; one that differs in the day alone may
/// be of another day of the register's time.
enum IncomeStaging {
    static let create: SQL = """
        CREATE TEMPORARY TABLE income_said (line int, day date, source text, memo text, amount_fen bigint)
            ON COMMIT DROP
        """

    static let copy: SQL = "COPY income_said FROM STDIN"

    private static let all = ["day", "source", "memo", "amount_fen"]
    /// Of earlier imports.
    private static let left = LeftOver(rows: "income_line_said", entries: "income_left", order: all)
    /// By hand, and not in a register yet.
    private static let entered = LeftOver(rows: "income_line_said", entries: "income_entered", order: all)

    /// The levels of likeness, the most alike first. At the end stands what has nothing but its day in common.
    private static let likenesses: [[String]] = [
        ["day", "source", "memo"], ["day", "memo", "amount_fen"], ["day", "source", "amount_fen"],
        ["source", "memo", "amount_fen"], ["day", "memo"], ["day", "amount_fen"], ["day", "source"], ["day"],
    ]

    /// Tells of each row whether it is recorded already, may be a changed one, or is new.
    /// - Parameter closed: the day through which the books are closed. What was taken back of a closed period may only be
    ///   corrected again: no new entry can be dated there.
    static func compare(through closed: CivilDay?, _ transaction: Transaction, _ scope: Scope) async throws {
        _ = try await transaction.query([
            """
            CREATE TEMPORARY TABLE income_line_said ON COMMIT DROP AS
            SELECT line, day, source, memo, amount_fen, sha256(convert_to(
                    day || '|' || source || '|' || amount_fen || '|' || memo || '|' || row_number() OVER (
                        PARTITION BY day, source, amount_fen, memo ORDER BY line) - 1, 'UTF8')) AS key,
                NULL::bigint AS entry, NULL::text AS verdict
            FROM income_said
            """,
            "DROP TABLE income_said",
            "CREATE INDEX ON income_line_said (line)",
            "ANALYZE income_line_said",
            """
            UPDATE income_line_said s
            SET entry = e.id, verdict = CASE e.corrected_fen WHEN 0 THEN 'already' ELSE 'earlier' END
            FROM income_entry e WHERE e.village_id = \(scope.village) AND e.register_key = s.key
            """,
            """
            CREATE TEMPORARY TABLE income_left ON COMMIT DROP AS
            SELECT e.id AS entry, e.day, e.source, e.memo, e.amount_fen + e.corrected_fen AS amount_fen,
                CASE e.amount_fen + e.corrected_fen WHEN 0 THEN 0 END AS line
            FROM income_entry e
            WHERE e.village_id = \(scope.village) AND e.register_key IS NOT NULL
                AND (e.amount_fen + e.corrected_fen > 0 OR e.day <= \(closed))
                AND e.day BETWEEN (SELECT min(day) FROM income_line_said) AND (SELECT max(day) FROM income_line_said)
                AND NOT EXISTS (SELECT FROM income_line_said s WHERE s.entry = e.id)
            """,
            """
            CREATE TEMPORARY TABLE income_entered ON COMMIT DROP AS
            SELECT e.id AS entry, e.day, e.source, e.memo, e.amount_fen + e.corrected_fen AS amount_fen,
                NULL::int AS line
            FROM income_entry e
            WHERE e.village_id = \(scope.village) AND e.register_key IS NULL AND e.corrects IS NULL
                AND e.amount_fen + e.corrected_fen > 0
                AND e.day BETWEEN (SELECT min(day) FROM income_line_said) AND (SELECT max(day) FROM income_line_said)
            """,
        ])
        let counts = try await transaction.query(
            """
            SELECT (SELECT count(*) FROM income_left) AS entries, (SELECT count(*) FROM income_entered) AS entered,
                (SELECT count(*) FROM income_line_said WHERE verdict IS NULL) AS rows
            """)
        guard let row = counts.first, try row.decode("rows", as: Int64.self) > 0 else { return }
        let hasLeft = try row.decode("entries", as: Int64.self) > 0
        // Corrected like the books: it is recorded.
        let same = hasLeft ? [left.pair(agreeingIn: all, what: "already")] : []
        let byHand =
            try row.decode("entered", as: Int64.self) > 0 ? [entered.pair(agreeingIn: all, what: "entered")] : []
        _ = try await transaction.query(same + byHand + (hasLeft ? likely : []))
    }

    /// Pairs what may have been changed. Rows and entries of nothing come last, and only with what tells the same but for
    /// its amount: such a row takes an entry back, and such an entry, of a closed period, comes back.
    private static var likely: [SQL] {
        let nothing: SQL = "UPDATE income_line_said SET verdict = 'nothing' WHERE amount_fen = 0 AND verdict IS NULL"
        let takingBack: SQL = "UPDATE income_line_said SET verdict = NULL WHERE verdict = 'nothing'"
        let comingBack: SQL = "UPDATE income_left SET line = NULL WHERE line = 0"
        let butForAmount = left.pair(agreeingIn: ["day", "source", "memo"])
        return [nothing] + likenesses.map { left.pair(agreeingIn: $0) }
            + [takingBack, butForAmount, nothing, comingBack, butForAmount]
    }

    /// What a row is beside the books.
    struct Verdict: Sendable {
        enum Kind: String, Sendable {
            case already, changed, new
            /// Recorded already, and corrected since.
            case earlier
            /// As an entry that was made by hand.
            case entered
            /// Of nothing.
            case nothing
        }

        let kind: Kind
        let entry: Int64?
        /// The newest correction of an earlier content, and its day.
        let correction: Int64?
        let correctedOn: CivilDay?
        /// What is recorded, with its corrections.
        let day: CivilDay?
        let source: String?
        let memo: String?
        let amount: Money?
    }

    /// The verdicts of the rows from one line to another, by line.
    static func verdicts(
        from first: Int, to last: Int, _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Int: Verdict] {
        var found: [Int: Verdict] = [:]
        for row in try await transaction.query(
            """
            SELECT s.line, coalesce(s.verdict, 'new') AS verdict, s.entry, l.day, l.source, l.memo,
                coalesce(l.amount_fen, e.amount_fen + e.corrected_fen) AS amount_fen, c.id AS correction,
                c.day AS corrected_on
            FROM income_line_said s
            LEFT JOIN income_left l ON s.verdict = 'changed' AND l.entry = s.entry
            LEFT JOIN income_entry e ON s.verdict IN ('earlier', 'entered') AND e.village_id = \(scope.village)
                AND e.id = s.entry
            LEFT JOIN LATERAL (
                SELECT id, day FROM income_entry c WHERE s.verdict = 'earlier' AND c.village_id = \(scope.village)
                    AND c.corrects = s.entry ORDER BY c.id DESC LIMIT 1) c ON true
            WHERE s.line BETWEEN \(first) AND \(last)
            """)
        {
            found[try row.decode("line")] = Verdict(
                kind: Verdict.Kind(rawValue: try row.decode("verdict")) ?? .new, entry: try row.decode("entry"),
                correction: try row.decode("correction"), correctedOn: try row.decode("corrected_on"),
                day: try row.decode("day"), source: try row.decode("source"), memo: try row.decode("memo"),
                amount: try row.decode("amount_fen"))
        }
        return found
    }

    /// Tells of an entry made by hand that a row of the register is it.
    static func adopt(_ entry: Int64, line: Int, _ scope: Scope) -> SQL {
        """
        UPDATE income_entry e SET register_key = s.key FROM income_line_said s
        WHERE e.village_id = \(scope.village) AND e.id = \(entry) AND e.register_key IS NULL AND s.line = \(line)
        """
    }

    /// Records rows as entries of their own.
    static func insert(_ lines: [Int], _ scope: Scope) -> SQL {
        let insert: SQL = """
            INSERT INTO income_entry (village_id, day, source, memo, amount_fen, register_key, actor)
            SELECT \(scope.village), day, source, memo, amount_fen, key, \(scope.actor)
            FROM income_line_said WHERE line = ANY(\(lines)::int[]) ORDER BY line
            """
        return insert.counting
    }
}
