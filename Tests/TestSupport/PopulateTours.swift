import Database
import Kernel
import Tours

extension TestVillage {
    /// Leaves a row in every table of study tours and messages: a booking that was paid and came.
    func populateTours() async throws {
        try await change(SiteStore.add(TourSite.Details(name: "蟠桃采摘园", kind: .orchard)))
        try await change(
            SiteStore.closeDay("蟠桃采摘园", day: today.adding(days: 9), reason: "修路", today: today))
        try await change(
            ProgrammeStore.add(TourProgramme.Details(name: "蟠桃采摘", minutes: 120, price: Money(fen: 6800))))
        try await change(
            ProgrammeStore.addExtra(TourExtra(kind: .meal, name: "农家午餐", price: Money(fen: 3500)), to: "蟠桃采摘"))
        try await change(ResourceStore.add(TourResource(name: "张导", kind: .guide)))
        let planned = try await change(
            SessionStore.add(
                NewSessions(
                    site: "蟠桃采摘园", programme: "蟠桃采摘", day: today.adding(days: 1), time: TimeOfDay(minute: 540),
                    capacity: 30, resources: ["张导"]), now: clock.now))
        guard let session = planned.sessions.first else { return }
        let (id, day) = (session.id.value, session.day)
        try await audited([
            "UPDATE tour_session SET booked = 2 WHERE village_id = \(village.id) AND id = \(id)",
            """
            INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state,
                previous_state, arrived, fee_fen, adjusted_fen, paid_fen, actor)
            VALUES (\(village.id), nextval('numbers.tour_booking_1'), 'ABCDEFGHIJKL', '某校', 'school', 2, '周老师',
                '13900000000', 'arrived', 'confirmed', 2, 20600, -600, 20000, 'test')
            """,
            """
            INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
                arrived, minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent, no_show_fee_percent)
            SELECT village_id, id, \(id), \(day), 2, 6800, 13600, 2, 120, 2880, 24, 48, 0, 0 FROM tour_booking
            """,
            """
            INSERT INTO tour_booking_extra (village_id, booking_id, session_id, extra_id, kind, day, quantity, price_fen,
                amount_fen)
            SELECT b.village_id, b.id, \(id), x.id, x.kind, \(day), 2, 3500, 7000 FROM tour_booking b, tour_extra x
            """,
            """
            INSERT INTO tour_payment (village_id, booking_id, kind, amount_fen, paid_how, day, actor)
            SELECT village_id, id, 'payment', paid_fen, '微信', \(today), 'test' FROM tour_booking
            """,
            """
            INSERT INTO tour_adjustment (village_id, booking_id, touches, amount_fen, reason, day, actor)
            SELECT village_id, id, 'fee', adjusted_fen, '优惠', \(today), 'test' FROM tour_booking
            """,
            "SELECT settle_tours(village_id, ARRAY[id], \(today), 'test') FROM tour_booking",
            """
            INSERT INTO tour_check_in (village_id, booking_id, session_id, day, nonce, headcount, counts, offline, at, actor)
            SELECT b.village_id, b.id, \(id), \(day), n.nonce, 2, true, false, \(clock.now), 'test'
            FROM tour_booking b, (VALUES ('populated'), ('populated-twice')) n (nonce)
            """,
            """
            INSERT INTO tour_check_in_undo (village_id, booking_id, check_in_id, day, reason, actor)
            SELECT village_id, booking_id, id, day, '签错了', 'test' FROM tour_check_in WHERE nonce = 'populated-twice'
            """,
            """
            INSERT INTO tour_gate_conflict (village_id, booking_id, session_id, day, nonce, headcount, why, offline, at,
                actor)
            SELECT village_id, id, \(id), \(day), 'populated-third', 2, 'twice', true, \(clock.now), 'test'
            FROM tour_booking
            """,
            """
            INSERT INTO tour_gate_settlement (village_id, conflict_id, accepted, reason, actor)
            SELECT village_id, id, false, '重复扫码', 'test' FROM tour_gate_conflict
            """,
            """
            INSERT INTO tour_extra (village_id, programme_id, kind, name, price_fen)
            SELECT village_id, id, 'picking', '摘桃', 1200 FROM tour_programme
            """,
            """
            INSERT INTO tour_booking_extra (village_id, booking_id, session_id, extra_id, kind, day, quantity, price_fen,
                amount_fen)
            SELECT b.village_id, b.id, \(id), x.id, x.kind, \(day), 2, 1200, 0 FROM tour_booking b, tour_extra x
            WHERE x.kind = 'picking'
            """,
            """
            INSERT INTO tour_picking_sale (village_id, sale_id, booking_id, session_id, extra_id)
            SELECT x.village_id, (SELECT max(id) FROM sale), x.booking_id, x.session_id, x.extra_id
            FROM tour_booking_extra x WHERE x.kind = 'picking'
            """,
            "SELECT tell_booking(village_id, id, 'confirmed') FROM tour_booking",
        ])
    }
}
