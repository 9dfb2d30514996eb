import Database
import Kernel
import Postgres
import TestSupport
import Tours

/// A village with an orchard that is open every day, a base that is closed on Mondays, a programme of two hours and
/// two guides.
struct TourGround {
    static let orchard = "蟠桃采摘园"
    static let base = "区委党校实践教学基地"
    static let programme = "蟠桃采摘与农耕研学"

    let village: TestVillage

    init(_ village: TestVillage) async throws {
        self.village = village
        try await village.change(SiteStore.add(TourSite.Details(name: Self.orchard, kind: .orchard)))
        try await village.change(
            SiteStore.add(
                TourSite.Details(name: Self.base, kind: .base, weekdays: try Weekdays(days: [2, 3, 4, 5, 6, 7]))))
        try await village.change(
            ProgrammeStore.add(TourProgramme.Details(name: Self.programme, minutes: 120, price: Money(fen: 6800))))
        for name in ["张导", "李导"] {
            try await village.change(ResourceStore.add(TourResource(name: name, kind: .guide)))
        }
    }

    func plan(
        site: String = TourGround.orchard, programme: String = TourGround.programme, day: CivilDay? = nil,
        time: Int = 9 * 60, capacity: Int = 30, resources: [String] = [], until: CivilDay? = nil,
        weekdays: [Int]? = nil
    ) throws -> Plan<PlannedSessions> {
        SessionStore.add(
            NewSessions(
                site: site, programme: programme, day: day ?? village.today.adding(days: 1),
                time: TimeOfDay(minute: time), capacity: capacity, resources: resources, until: until,
                weekdays: try weekdays.map { try Weekdays(days: $0) }), now: village.clock.now)
    }

    /// Plans one session and gives its number.
    func session(
        site: String = TourGround.orchard, day: CivilDay? = nil, time: Int = 9 * 60, capacity: Int = 30,
        resources: [String] = []
    ) async throws -> Int64 {
        let planned = try await village.change(
            try plan(site: site, day: day, time: time, capacity: capacity, resources: resources))
        return planned.sessions[0].id.value
    }

    func show(_ session: Int64) async throws -> TourSession {
        try await SessionStore(village.database).show(session, village.committee)
    }

    /// Seats of one booking that is held and of one that is confirmed, in place of those before.
    func occupy(_ session: Int64, held: Int, booked: Int) async throws {
        try await village.audited([
            "DELETE FROM tour_booking_session WHERE session_id = \(session)",
            "DELETE FROM tour_booking b WHERE NOT EXISTS (SELECT FROM tour_booking_session l WHERE l.booking_id = b.id)",
            """
            WITH taken (state, heads) AS (VALUES ('held', \(held)::int), ('confirmed', \(booked)::int)),
            made AS (
                INSERT INTO tour_booking (village_id, reference, unit, unit_kind, headcount, leader, phone, state,
                    hold_until, fee_fen, actor)
                SELECT \(village.village.id), rpad(upper(state), 12, 'X'), '某校', 'school', heads, '周老师', '13900000000',
                    state, CASE state WHEN 'held' THEN \(village.clock.now)::timestamptz + interval '1 day' END, 0, 'test'
                FROM taken WHERE heads > 0 RETURNING village_id, id, headcount)
            INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
                minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent, no_show_fee_percent)
            SELECT made.village_id, made.id, s.id, s.day, made.headcount, 0, 0, 120, 2880, 24, 48, 0, 0
            FROM made JOIN tour_session s ON s.village_id = made.village_id AND s.id = \(session)
            """,
            "UPDATE tour_session SET held = \(held), booked = \(booked) WHERE id = \(session)",
        ])
    }
}
