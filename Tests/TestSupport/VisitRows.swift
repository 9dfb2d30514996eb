import Kernel
import Postgres

/// Rows of study tours that the superuser writes, for tests of what is made from them.
extension TestVillage {
    /// One group's visit, or a visit that did not take place.
    public struct Visit: Sendable {
        public var day: CivilDay
        public var time = "09:00"
        public var site = "实践教学基地"
        public var programme = "现场教学"
        public var capacity = 100
        public var unit = "区委党校"
        public var kind = "party_school"
        public var heads = 20
        public var arrived: Int? = 20
        public var priceFen: Int64 = 8000
        /// What the visit costs; of one that did not take place, what is kept. All of it is paid, as a register tells.
        public var fee: Money
        public var state = "completed"
        /// A meal for everybody, in fen a head.
        public var mealFen: Int64 = 0

        public init(
            day: CivilDay, time: String = "09:00", site: String = "实践教学基地", programme: String = "现场教学",
            capacity: Int = 100, unit: String = "区委党校", kind: String = "party_school", heads: Int = 20,
            arrived: Int? = 20, priceFen: Int64 = 8000, fee: Money, state: String = "completed", mealFen: Int64 = 0
        ) {
            (self.day, self.time, self.site, self.programme) = (day, time, site, programme)
            (self.capacity, self.unit, self.kind, self.heads) = (capacity, unit, kind, heads)
            (self.arrived, self.priceFen, self.fee, self.state) = (arrived, priceFen, fee, state)
            self.mealFen = mealFen
        }
    }

    public func writeVisits(_ visits: [Visit]) async throws {
        let first = try await number("SELECT coalesce(max(id), 0) FROM tour_booking")
        var statements: [SQL] = []
        for (index, visit) in visits.enumerated() {
            let id = first + Int64(index) + 1
            statements += rows(of: visit, booking: id)
        }
        // Statements travel together by the thousand at most.
        for start in stride(from: 0, to: statements.count, by: 1000) {
            try await audited(Array(statements[start..<min(start + 1000, statements.count)]))
        }
    }

    private func rows(of visit: Visit, booking id: Int64) -> [SQL] {
        let came = visit.state == "completed" || visit.state == "arrived"
        let taken = visit.state == "cancelled" ? 0 : visit.heads
        let kept = came ? Money.zero : visit.fee
        // A discount lowers the amount; what is kept may be the whole fee.
        let amount = came ? visit.fee : Money(fen: Int64(visit.heads) * visit.priceFen)
        let total = Money(fen: amount.fen + Int64(visit.heads) * visit.mealFen)
        let reference = Self.reference(id)
        return [
            """
            INSERT INTO tour_site (village_id, name, kind) VALUES (\(village.id), \(visit.site), 'base')
            ON CONFLICT (village_id, name) DO NOTHING
            """,
            """
            INSERT INTO tour_programme (village_id, name, minutes, price_fen)
            VALUES (\(village.id), \(visit.programme), 120, \(visit.priceFen)) ON CONFLICT (village_id, name) DO NOTHING
            """,
            """
            INSERT INTO tour_session (village_id, site_id, programme_id, day, starts_at, ends_at, capacity, booked)
            SELECT s.village_id, s.id, p.id, \(visit.day),
                (\(visit.day) + \(visit.time)::time) AT TIME ZONE 'Asia/Shanghai',
                (\(visit.day) + \(visit.time)::time + interval '2 hours') AT TIME ZONE 'Asia/Shanghai', \(visit.capacity), 0
            FROM tour_site s JOIN tour_programme p ON p.village_id = s.village_id AND p.name = \(visit.programme)
            WHERE s.village_id = \(village.id) AND s.name = \(visit.site) AND NOT EXISTS (
                SELECT FROM tour_session t WHERE t.village_id = s.village_id AND t.site_id = s.id
                    AND t.programme_id = p.id AND t.day = \(visit.day)
                    AND t.starts_at = (\(visit.day) + \(visit.time)::time) AT TIME ZONE 'Asia/Shanghai')
            """,
            """
            INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state,
                arrived, fee_fen, kept_fen, paid_fen, register_paid_fen, actor)
            VALUES (\(village.id), \(id), \(reference), \(visit.unit), \(visit.kind), \(visit.heads), '李老师',
                '13900000000', \(visit.state), \(came ? visit.arrived : nil), \(total), \(kept), \(came ? total : kept), \(came ? total : kept), 'test')
            """,
            """
            INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
                kept_fen, arrived, minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent,
                no_show_fee_percent)
            SELECT t.village_id, \(id), t.id, t.day, \(visit.heads), \(visit.priceFen), \(amount), \(kept),
                \(came ? visit.arrived : nil), 120, 2880, 24, 48, 0, 0
            FROM tour_session t
            JOIN tour_site s ON s.village_id = t.village_id AND s.id = t.site_id AND s.name = \(visit.site)
            JOIN tour_programme p ON p.village_id = t.village_id AND p.id = t.programme_id
                AND p.name = \(visit.programme)
            WHERE t.village_id = \(village.id) AND t.day = \(visit.day)
                AND t.starts_at = (\(visit.day) + \(visit.time)::time) AT TIME ZONE 'Asia/Shanghai'
            """,
            """
            UPDATE tour_session t SET booked = t.booked + \(taken) FROM tour_booking_session l
            WHERE l.village_id = \(village.id) AND l.booking_id = \(id) AND t.village_id = l.village_id
                AND t.id = l.session_id
            """,
        ] + (visit.mealFen > 0 ? meal(of: visit, booking: id) : []) + [
            "SELECT settle_tours(\(village.id), ARRAY[\(id)]::bigint[], \(visit.day), 'test')"
        ]
    }

    private func meal(of visit: Visit, booking id: Int64) -> [SQL] {
        [
            """
            INSERT INTO tour_extra (village_id, programme_id, kind, name, price_fen)
            SELECT village_id, id, 'meal', '农家饭', \(visit.mealFen) FROM tour_programme
            WHERE village_id = \(village.id) AND name = \(visit.programme)
            ON CONFLICT (village_id, programme_id, name) DO NOTHING
            """,
            """
            INSERT INTO tour_booking_extra (village_id, booking_id, session_id, extra_id, kind, day, quantity, price_fen,
                amount_fen)
            SELECT l.village_id, l.booking_id, l.session_id, e.id, 'meal', l.day, \(visit.heads), \(visit.mealFen),
                \(Int64(visit.heads) * visit.mealFen)
            FROM tour_booking_session l
            JOIN tour_session t ON t.village_id = l.village_id AND t.id = l.session_id
            JOIN tour_extra e ON e.village_id = t.village_id AND e.programme_id = t.programme_id
            WHERE l.village_id = \(village.id) AND l.booking_id = \(id)
            """,
        ]
    }

    /// Twelve letters that tell the number, as a booking's reference has.
    private static func reference(_ id: Int64) -> String {
        let letters = Array("ABCDEFGHIJ")
        let digits = String(id).compactMap(\.wholeNumberValue)
        return String(repeating: "A", count: 12 - digits.count) + String(digits.map { letters[$0] })
    }
}
