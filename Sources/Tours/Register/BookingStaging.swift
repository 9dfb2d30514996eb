import Database
import Kernel
import Postgres

/// The way of many bookings into the database: copied into a table of this transaction and from there into their own,
/// because COPY does not obey row-level security.
enum BookingStaging {
    static let create: SQL = """
        CREATE TEMPORARY TABLE tour_booking_staging (
            id bigint DEFAULT own_number('tour_booking'), register_key bytea, reference text, session_id bigint,
            day date, requested_at timestamptz, unit text, unit_kind text, headcount int, arrived int, leader text,
            phone text, price_fen bigint, amount_fen bigint, kept_fen bigint, seats int, state text
        ) ON COMMIT DROP
        """

    static let copy: SQL = """
        COPY tour_booking_staging (register_key, reference, session_id, day, requested_at, unit, unit_kind, headcount,
            arrived, leader, phone, price_fen, amount_fen, kept_fen, seats, state) FROM STDIN
        """

    static func rows(
        _ entries: [BookingRegister.Entry], session: (RegisteredTours.Key) -> Int64?
    ) throws -> [UInt8] {
        var rows = CopyBuffer()
        for entry in entries {
            try rows.append(entry.key)
            try rows.append(BookingReference.random().text)
            try rows.append(session(entry.session))
            try rows.append(entry.session.day)
            try rows.append(TimeOfDay(minute: 0).instant(on: entry.bookedOn))
            try rows.append(entry.unit)
            try rows.append(entry.unitKind.rawValue)
            try rows.append(entry.headcount)
            try rows.append(entry.state == .completed ? entry.arrived : nil)
            try rows.append(entry.leader)
            try rows.append(entry.phone)
            try rows.append(entry.price)
            try rows.append(entry.amount)
            try rows.append(entry.kept)
            try rows.append(entry.seats)
            try rows.append(entry.state.rawValue)
            rows.endRow()
        }
        return rows.bytes
    }

    /// - Parameter today: the day of the import.
    static func move(today: CivilDay, _ scope: Scope) -> [SQL] {
        let bookings: SQL = """
            INSERT INTO tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, state,
                arrived, fee_fen, kept_fen, paid_fen, register_paid_fen, requested_at, register_key, actor)
            SELECT \(scope.village), id, reference, unit, unit_kind, headcount, leader, phone, state, arrived,
                amount_fen, kept_fen, charged.fen, charged.fen, requested_at, register_key, \(scope.actor)
            FROM tour_booking_staging CROSS JOIN LATERAL (
                SELECT CASE state WHEN 'completed' THEN amount_fen ELSE kept_fen END AS fen) charged
            """
        let visits: SQL = """
            INSERT INTO tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen,
                kept_fen, arrived, minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent,
                no_show_fee_percent)
            SELECT \(scope.village), w.id, w.session_id, w.day, w.headcount, w.price_fen, w.amount_fen, w.kept_fen,
                w.arrived, extract(epoch FROM s.ends_at - s.starts_at)::int / 60, p.hold_minutes, p.change_hours,
                p.free_cancel_hours, p.late_fee_percent, p.no_show_fee_percent
            FROM tour_booking_staging w
            JOIN tour_session s ON s.village_id = \(scope.village) AND s.id = w.session_id
            JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
            """
        let events: SQL = """
            INSERT INTO event (village_id, actor, kind, subject, figures)
            SELECT \(scope.village), \(scope.actor), 'booking.imported', id::text, jsonb_build_object('state', state)
            FROM tour_booking_staging ORDER BY id
            """
        return [
            // What was taken back and is recorded again after all.
            """
            UPDATE tour_booking b SET register_key = sha256(b.register_key || int8send(b.id)) FROM tour_booking_staging w
            WHERE b.village_id = \(scope.village) AND b.register_key = w.register_key AND b.voided
                AND b.register_key IS NOT NULL
            """,
            """
            UPDATE tour_session s SET booked = s.booked + w.seats
            FROM (SELECT session_id, sum(seats)::int AS seats FROM tour_booking_staging GROUP BY session_id) w
            WHERE s.village_id = \(scope.village) AND s.id = w.session_id AND w.seats > 0
            """,
            bookings.counting,
            visits.counting,
            events.counting,
            TourEarnings.settle("ARRAY(SELECT id FROM tour_booking_staging)", on: today, scope),
            "TRUNCATE tour_booking_staging",
        ]
    }
}
