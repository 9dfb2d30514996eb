import Database
import Kernel
import Postgres

/// Income of tours and the people who came, written down row by row as they come to be (`tour_earning`, `tour_visit`), so
/// that a closed period stays as it was.
enum TourEarnings {
    /// The statement that writes down what has changed of bookings' income and people. Whatever changes a booking that has been
    /// visited, was cancelled or didn't come, or its money, ends with it: after its other writes, in its transaction.
    /// - Parameter day: when it was entered, which is the day that counts where the books are closed through the visit's.
    static func settle(_ bookings: [Booking], on day: CivilDay, _ scope: Scope) -> SQL {
        settle("\(bookings.map(\.id.value))::bigint[]", on: day, scope)
    }

    /// - Parameter bookings: an array of their numbers.
    static func settle(_ bookings: SQL, on day: CivilDay, _ scope: Scope) -> SQL {
        "SELECT settle_tours(\(scope.village), \(bookings), \(day), \(scope.actor))"
    }
}

/// What tours are charged and not paid, shown beside income.
public struct TourClaims: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// The claims that stand now, of visits from one day to another, both included.
    public func sum(from: CivilDay, to: CivilDay, _ scope: Scope) async throws -> Money {
        let rows = try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT coalesce(sum(amount_fen), 0)::bigint AS fen FROM tour_claim
                WHERE village_id = \(scope.village) AND day BETWEEN \(from) AND \(to)
                """)
        }
        return try rows.first?.decode("fen") ?? .zero
    }
}
