import Database
import Kernel
import Postgres

/// From which day on a register of households or plots holds.
struct RegisterDay: Sendable {
    /// The day from which on changes hold.
    let asOf: CivilDay
    /// The day from which on new households and plots are in the books: from the beginning, so that harvests of past
    /// years may follow, unless it was said from when, or the books of the time before are closed.
    let beginning: CivilDay

    private static let firstDay = CivilDay(daysSince1970: -25_567)

    /// - Parameter said: nil for today.
    /// - Throws: a `Refusal` for a day that is in the future or in a closed period.
    init(_ said: CivilDay?, today: CivilDay, _ transaction: Transaction, _ scope: Scope) async throws {
        asOf = said ?? today
        guard asOf <= today else {
            throw Refusal(
                .invalid, "as-of-in-future", field: "asOf", zh: "生效日期 \(asOf) 在今天之后",
                en: "the register can't hold from \(asOf), which is in the future")
        }
        let through = try await ClosedBooks.through(transaction, scope)
        try ClosedBooks.check(asOf, through: through, field: "asOf")
        beginning = said ?? through?.adding(days: 1) ?? Self.firstDay
    }
}

extension RegisterDay? {
    /// The day, found out when it is first needed.
    func orFind(
        _ said: CivilDay?, today: CivilDay, _ transaction: Transaction, _ scope: Scope
    ) async throws -> RegisterDay {
        if let self { return self }
        return try await RegisterDay(said, today: today, transaction, scope)
    }
}
