import Foundation
import Kernel
import Postgres
import Tours

/// A programme and what goes with it, as a test's sessions are of it.
public struct TestTour: Sendable {
    public let id: Int
    /// 30 yuan a head.
    public let meal: Int
    /// 12 yuan a 斤.
    public let picking: Int
    /// 25 yuan a piece.
    public let gift: Int
    /// Fen a head.
    public static let price: Int64 = 8000
}

extension TestVillage {
    /// Adds a programme that costs 80 yuan a head.
    public func tourProgramme(
        _ name: String = "红色研学", groups: ClosedRange<Int> = 2...60, holdMinutes: Int = 120, changeHours: Int = 24,
        freeCancelHours: Int = 48, lateFeePercent: Int = 30, noShowFeePercent: Int = 50, languages: String = "zh,en"
    ) async throws -> TestTour {
        try await audited([
            """
            INSERT INTO tour_programme (village_id, name, minutes, price_fen, languages, min_group, max_group,
                hold_minutes, change_hours, free_cancel_hours, late_fee_percent, no_show_fee_percent)
            VALUES (\(village.id), \(name), 120, \(TestTour.price), \(languages), \(groups.lowerBound),
                \(groups.upperBound), \(holdMinutes), \(changeHours), \(freeCancelHours), \(lateFeePercent),
                \(noShowFeePercent))
            """
        ])
        let id = Int(try await number("SELECT id FROM tour_programme WHERE name = \(name)"))
        try await audited([
            """
            INSERT INTO tour_extra (village_id, programme_id, kind, name, price_fen)
            VALUES (\(village.id), \(id), 'meal', '农家饭', 3000), (\(village.id), \(id), 'picking', '摘桃', 1200),
                (\(village.id), \(id), 'gift', '桃木书签', 2500)
            """
        ])
        func extra(_ kind: String) async throws -> Int {
            Int(try await number("SELECT id FROM tour_extra WHERE programme_id = \(id) AND kind = \(kind)"))
        }
        return TestTour(
            id: id, meal: try await extra("meal"), picking: try await extra("picking"), gift: try await extra("gift"))
    }

    /// Adds a session of two hours.
    /// - Parameters:
    ///   - day: by default a week from today.
    ///   - hour: when it begins in Asia/Shanghai.
    public func tourSession(
        _ programme: TestTour, capacity: Int = 40, day: CivilDay? = nil, hour: Int = 9, minute: Int = 0
    ) async throws -> Int64 {
        let day = day ?? today.adding(days: 7)
        let id = try await number("SELECT nextval('numbers.tour_session_1')")
        let start = Date(
            timeIntervalSince1970: Double(day.daysSince1970) * 86_400 + Double(hour - 8) * 3600 + Double(minute) * 60)
        try await audited([
            """
            INSERT INTO tour_site (village_id, name, kind) VALUES (\(village.id), '实践教学基地', 'base')
            ON CONFLICT DO NOTHING
            """,
            """
            INSERT INTO tour_session (village_id, id, site_id, programme_id, day, starts_at, ends_at, capacity)
            SELECT village_id, \(id), id, \(programme.id), \(day), \(start), \(start.addingTimeInterval(7200)), \(capacity)
            FROM tour_site WHERE village_id = \(village.id) AND name = '实践教学基地'
            """,
        ])
        return id
    }

    /// Closes a session as its keepers do: nothing may be added to what is taken.
    public func close(session: Int64) async throws {
        try await audited([
            "UPDATE tour_session SET state = 'closed', closed_seats = held + booked WHERE id = \(session)"
        ])
    }

    public func group(
        _ sessions: Int64..., headcount: Int = 10, unit: String = "区委党校", phone: String = "13812345678",
        extras: [WantedExtra] = [], waitlist: Bool = false, again: Bool = true
    ) -> NewBooking {
        NewBooking(
            unit: unit, unitKind: .partySchool, headcount: headcount, leader: "韩老师", phone: phone,
            sessions: sessions, extras: extras, waitlist: waitlist, again: again)
    }

    /// Waits until so many of the service's transactions wait for what another holds.
    public func awaitWaiting(_ count: Int) async throws {
        try await awaitCondition("\(count) transactions that wait") {
            try await number(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND usename = 'taoyuan_service' AND wait_event_type = 'Lock'
                """) >= count
        }
    }

    /// Books as a stranger does, unless the desk gives another state.
    @discardableResult
    public func book(_ new: NewBooking, as state: BookingState = .requested) async throws -> Booking {
        try await intake.book(new, as: state, byStranger: state == .requested, now: clock.now, committee)
    }

    /// The booking as it stands.
    public func booking(_ booking: Booking) async throws -> Booking {
        try await BookingStore(database).find(.number(booking.id.value), committee)
    }

    /// The seats that a session has given: held, booked.
    public func seats(_ session: Int64) async throws -> [Int64] {
        [
            try await number("SELECT held FROM tour_session WHERE id = \(session)"),
            try await number("SELECT booked FROM tour_session WHERE id = \(session)"),
        ]
    }

    /// What the sweeper does now.
    @discardableResult
    public func sweep() async throws -> (expired: Int, promoted: Int) {
        try await WaitingList.sweep(database, village: village.id, now: clock.now)
    }

    /// Fen of tours' income, all days together.
    public func tourIncome() async throws -> Int64 {
        try await number("SELECT coalesce(sum(amount_fen), 0)::bigint FROM income_row WHERE source = 'tours'")
    }
}
