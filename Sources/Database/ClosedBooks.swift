import Foundation
import Kernel
import Postgres

/// The day through which the committee has closed the books: nothing is dated that day or before it any more.
///
/// A policy on each table of dated rows decides (`books_closed`), for rows that are new. Whoever writes such rows holds
/// a lock that closing waits for (`hold`), so that no entry slips in beside it.
public enum ClosedBooks {
    /// What the policies break.
    public static let constraint = "books_closed"
    private static let lock: SQL = "7241003"

    /// - Returns: nil as long as nothing was closed.
    public static func through(_ transaction: Transaction, _ scope: Scope) async throws -> CivilDay? {
        try await transaction.query(through(scope)).first?.decode("through")
    }

    /// The statement that `through` asks, for whoever asks more in the same round trip: one row, `through`.
    public static func through(_ scope: Scope) -> SQL {
        "SELECT max(through) AS through FROM books_closing WHERE village_id = \(scope.village)"
    }

    /// - Throws: a `Refusal` of kind `conflict`, code `books-closed`, for a day in a closed period.
    public static func check(_ day: CivilDay, through: CivilDay?, field: String = "day") throws {
        if let through, day <= through { throw refusal(day, through: through, field: field) }
    }

    /// The day for which what is found of a day now is entered: its own, or today where its books are closed.
    public static func entryDay(_ day: CivilDay, through: CivilDay?, today: CivilDay) -> CivilDay {
        if let through, day <= through { return today }
        return day
    }

    public static func refusal(_ day: CivilDay, through: CivilDay, field: String = "day") -> Refusal {
        Refusal(
            .conflict, "books-closed", field: field, zh: "账已结到 \(through)，\(day) 的不能再登记；更正请记在 \(through) 之后的日期",
            en: "the books are closed through \(through): nothing of \(day) can be entered; date a correction after it")
    }

    /// What a broken policy tells where the day that was closed meanwhile is not known.
    public static let closedMeanwhile = Refusal(
        .conflict, "books-closed", field: "day", zh: "账已结到这一天之后，不能再登记；更正请记在结账日之后",
        en: "the books are closed through that day: date the entry after it")

    /// The first statement of a transaction that writes dated rows.
    public static func hold(_ scope: Scope) -> SQL {
        "SELECT pg_advisory_xact_lock_shared(\(lock), \(Int64(scope.village))::int)"
    }

    /// The same, where the plan takes the number of what will be dated: one row, `number`. It goes before what asks how far
    /// the books are closed.
    public static func numbered(_ kind: StaticString, _ scope: Scope) -> SQL {
        """
        SELECT own_number('\(literal: kind)') AS number,
            pg_advisory_xact_lock_shared(\(lock), \(Int64(scope.village))::int)
        """
    }

    /// Waits until all who write dated rows are done; those who come later wait for this transaction.
    public static func holdAlone(_ scope: Scope) -> SQL {
        "SELECT pg_advisory_xact_lock(\(lock), \(Int64(scope.village))::int)"
    }

    /// A closing as the committee did it.
    public struct Closing: Sendable {
        public let through: CivilDay
        public let actor: String
        public let at: Date
    }

    /// The closings, newest first.
    public static func closings(_ database: Database, _ scope: Scope) async throws -> [Closing] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT through, actor, at FROM books_closing WHERE village_id = \(scope.village) ORDER BY through DESC
                """
            ).map {
                Closing(through: try $0.decode("through"), actor: try $0.decode("actor"), at: try $0.decode("at"))
            }
        }
    }

    /// Closes the books through a day: what is dated so far stays as it is.
    /// - Throws: a `Refusal` when the day is not in the past, or not after the one before it.
    public static func close(through day: CivilDay, today: CivilDay) -> Plan<CivilDay> {
        { transaction, scope in
            guard scope.cooperative == nil else {
                throw Refusal(.forbidden, "committee-only", zh: "结账由村委会办理", en: "closing the books is the committee's")
            }
            guard day < today else {
                throw Refusal(
                    .invalid, "closing-in-future", field: "through", zh: "只能结到昨天或更早的日期，不能结到 \(day)",
                    en: "the books are closed through yesterday or earlier, not through \(day)")
            }
            _ = try await transaction.query(holdAlone(scope))
            let previous = try await through(transaction, scope)
            if let previous, day <= previous {
                throw Refusal(
                    .conflict, "closed-already", field: "through", zh: "账已结到 \(previous)，结账日只能往后移",
                    en: "the books are closed through \(previous) already; the day only moves forward")
            }
            return Change(
                day,
                writes: [
                    """
                    INSERT INTO books_closing (village_id, through, previous, actor)
                    VALUES (\(scope.village), \(day), \(previous), \(scope.actor))
                    """
                ],
                event: Event("books.close", "\(day)", day: day))
        }
    }
}
