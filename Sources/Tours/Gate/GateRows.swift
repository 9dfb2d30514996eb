import Database
import Kernel
import Postgres

/// The one statement by which bookings are read with their sessions, and its decoder.
enum GateRows {
    static func booking(_ number: Int64, _ scope: Scope) -> SQL {
        bookings(scope, " AND b.id = \(number)")
    }

    static func booking(_ reference: BookingReference, _ scope: Scope) -> SQL {
        bookings(scope, " AND b.reference = \(reference.text)")
    }

    /// All that have a session on the day, with their other days too.
    static func bookings(on day: CivilDay, _ scope: Scope) -> SQL {
        bookings(
            scope,
            """
             AND b.id IN (
                SELECT d.booking_id FROM tour_booking_session d
                WHERE d.village_id = \(scope.village) AND d.day = \(day))
            """)
    }

    private static func bookings(_ scope: Scope, _ condition: SQL) -> SQL {
        """
        SELECT b.id, b.reference, b.unit, b.unit_kind, b.headcount AS heads, b.leader, b.phone, b.language, b.note,
            b.state, b.charge_fen AS fee_fen, b.paid_fen, b.refund_due_fen, b.refunded_fen, l.session_id, l.day, l.headcount,
            l.arrived, s.starts_at, s.ends_at, s.capacity, t.name AS site, p.name AS programme
        FROM tour_booking b
        JOIN tour_booking_session l ON l.village_id = b.village_id AND l.booking_id = b.id
        JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
        JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
        JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
        WHERE b.village_id = \(scope.village)\(condition)
        ORDER BY b.id, s.starts_at, l.session_id
        """
    }

    static func decode(_ rows: Rows) throws -> [GateBooking] {
        var groups: [[Row]] = []
        var last: Int64?
        for row in rows {
            let number: Int64 = try row.decode("id")
            if number == last {
                groups[groups.count - 1].append(row)
            } else {
                groups.append([row])
            }
            last = number
        }
        return try groups.map(booking)
    }

    private static func booking(_ rows: [Row]) throws -> GateBooking {
        let row = rows[0]
        return GateBooking(
            number: try row.decode("id"), reference: try BookingReference(entered: row.decode("reference")),
            unit: try row.decode("unit"), kind: try UnitKind(named: row.decode("unit_kind")),
            headcount: try row.decode("heads"), leader: try row.decode("leader"), phone: try row.decode("phone"),
            language: Language(rawValue: try row.decode("language")) ?? .english, note: try row.decode("note"),
            state: BookingState(rawValue: try row.decode("state")) ?? .requested, fee: try row.decode("fee_fen"),
            paid: try row.decode("paid_fen"), refundDue: try row.decode("refund_due_fen"),
            refunded: try row.decode("refunded_fen"), visits: try rows.map(visit))
    }

    private static func visit(_ row: Row) throws -> GateVisit {
        GateVisit(
            session: try row.decode("session_id"), day: try row.decode("day"), startsAt: try row.decode("starts_at"),
            endsAt: try row.decode("ends_at"), site: try row.decode("site"), programme: try row.decode("programme"),
            capacity: try row.decode("capacity"), headcount: try row.decode("headcount"),
            arrived: try row.decode("arrived"))
    }
}
