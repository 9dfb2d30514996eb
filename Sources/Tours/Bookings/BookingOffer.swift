import Database
import Foundation
import Kernel
import Postgres

/// A session as a stranger sees it who may want to book it.
public struct BookingOffer: Sendable {
    public struct Extra: Sendable {
        public let id: Int
        public let kind: TourExtra.Kind
        public let name: String
        public let price: Money
    }

    public let session: Int64
    public let day: CivilDay
    public let startsAt: Date
    public let endsAt: Date
    public let site: String
    public let programme: String
    /// A head.
    public let price: Money
    /// Two letters each, such as `zh`.
    public let languages: [String]
    public let minGroup: Int
    public let maxGroup: Int
    public let free: Int
    public let holdMinutes: Int
    public let changeHours: Int
    public let freeCancelHours: Int
    public let lateFeePercent: Int
    public let extras: [Extra]

    /// The open sessions that are still to come, the next first; through the role that sees nothing else.
    /// - Parameters:
    ///   - last: the last day that is looked at.
    ///   - session: only this one.
    public static func all(
        _ database: Database, village: Int, until last: CivilDay, session: Int64? = nil, now: Date
    ) async throws -> [BookingOffer] {
        let rows = try await database.publicQuery(
            """
            SELECT s.id, s.day, s.starts_at, s.ends_at, s.site, s.programme, s.programme_id, s.price_fen, s.languages,
                s.min_group, s.max_group, s.free, s.hold_minutes, s.change_hours, s.free_cancel_hours,
                s.late_fee_percent
            FROM public_tour_session s
            WHERE s.village_id = \(village) AND s.starts_at > \(now) AND s.day BETWEEN \(BookingRules.today(now)) AND \(last)
                AND (\(session)::bigint IS NULL OR s.id = \(session))
            ORDER BY s.starts_at, s.id LIMIT 1000
            """)
        let programmes = Array(Set(try rows.map { try $0.decode("programme_id", as: Int.self) }))
        guard !programmes.isEmpty else { return [] }
        var extras: [Int: [Extra]] = [:]
        for row in try await database.publicQuery(
            """
            SELECT programme_id, id, kind, name, price_fen FROM public_tour_extra
            WHERE village_id = \(village) AND programme_id = ANY(\(programmes)::int[]) ORDER BY id
            """)
        {
            extras[try row.decode("programme_id"), default: []].append(
                Extra(
                    id: try row.decode("id"), kind: try Named(row, "kind").value, name: try row.decode("name"),
                    price: try row.decode("price_fen")))
        }
        return try rows.map { try BookingOffer($0, extras) }
    }

    private init(_ row: Row, _ offered: [Int: [Extra]]) throws {
        session = try row.decode("id")
        day = try row.decode("day")
        startsAt = try row.decode("starts_at")
        endsAt = try row.decode("ends_at")
        site = try row.decode("site")
        programme = try row.decode("programme")
        price = try row.decode("price_fen")
        languages = try row.decode("languages", as: String.self).split(separator: ",").map(String.init)
        minGroup = try row.decode("min_group")
        maxGroup = try row.decode("max_group")
        free = try row.decode("free")
        holdMinutes = try row.decode("hold_minutes")
        changeHours = try row.decode("change_hours")
        freeCancelHours = try row.decode("free_cancel_hours")
        lateFeePercent = try row.decode("late_fee_percent")
        extras = offered[try row.decode("programme_id")] ?? []
    }
}
