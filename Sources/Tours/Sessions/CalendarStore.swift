import Database
import Foundation
import Kernel
import Postgres

/// Sessions as events of a calendar that anyone may subscribe to.
public struct CalendarStore: Sendable {
    let database: Database
    private let village: Int
    private let origin: String

    /// - Parameter origin: the village's own, which makes its events' names different from all others'.
    public init(_ database: Database, village: Int, origin: String) {
        self.database = database
        self.village = village
        self.origin = origin
    }

    /// The sessions from a month ago to a year ahead, cancelled ones too, so that subscribers hear of it.
    public func feed(today: CivilDay) async throws -> [CalendarEvent] {
        try await database.publicQuery(
            """
            SELECT id, starts_at, ends_at, site, programme, is_cancelled, sequence, changed_at FROM public_tour_calendar
            WHERE village_id = \(village) AND day BETWEEN \(today.adding(days: -31)) AND \(today.adding(days: 366))
            ORDER BY starts_at, id LIMIT 5000
            """
        ).map(event)
    }

    /// - Throws: a `Refusal` of kind `notFound`.
    public func event(of session: Int64) async throws -> CalendarEvent {
        let rows = try await database.publicQuery(
            """
            SELECT id, starts_at, ends_at, site, programme, is_cancelled, sequence, changed_at FROM public_tour_calendar
            WHERE village_id = \(village) AND id = \(session)
            """)
        guard let row = rows.first else { throw SessionRules.unknown(session) }
        return try event(row)
    }

    private func event(_ row: Row) throws -> CalendarEvent {
        let id: Int64 = try row.decode("id")
        return CalendarEvent(
            uid: "session-\(id)@\(origin)", sequence: try row.decode("sequence"),
            changedAt: try row.decode("changed_at"), startsAt: try row.decode("starts_at"),
            endsAt: try row.decode("ends_at"),
            summary: try row.decode("programme"), location: try row.decode("site"),
            isCancelled: try row.decode("is_cancelled"))
    }
}
