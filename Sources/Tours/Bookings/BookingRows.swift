import Database
import Foundation
import Kernel
import Postgres

/// A column's text that names a case.
struct Named<Value: RawRepresentable<String>>: PostgresDecodable {
    let value: Value

    init(cell: Cell) throws {
        guard let value = Value(rawValue: try String(cell: cell)) else { throw cell.mismatch(Value.self) }
        self.value = value
    }

    init(_ row: Row, _ column: String) throws {
        self = try row.decode(column)
    }
}

/// Bookings as they are read and written.
enum BookingRows {
    /// - Parameter which: a condition on `b`, such as its number.
    static func select(_ which: SQL, _ scope: Scope) -> [SQL] {
        let chosen: SQL = "SELECT b.id FROM tour_booking b WHERE b.village_id = \(scope.village) AND \(which)"
        return [
            "SELECT b.* FROM tour_booking b WHERE b.village_id = \(scope.village) AND \(which)",
            """
            SELECT l.booking_id, l.session_id, l.day, s.starts_at, s.ends_at, t.name AS site, p.name AS programme,
                l.headcount, l.price_fen, l.amount_fen, l.kept_fen, l.arrived, p.id AS programme_id, l.minutes,
                l.hold_minutes, l.change_hours, l.free_cancel_hours, l.late_fee_percent, l.no_show_fee_percent, l.upset
            FROM tour_booking_session l
            JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
            JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
            JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
            WHERE l.village_id = \(scope.village) AND l.booking_id IN (\(chosen)) ORDER BY l.session_id
            """,
            """
            SELECT x.booking_id, x.session_id, x.extra_id, x.kind, e.name, x.quantity, x.price_fen, x.amount_fen,
                coalesce(k.sales, '{}') AS sales, k.settled_at IS NOT NULL AS was_settled,
                k.settled_at IS NULL OR coalesce(k.reversed_at > k.settled_at, false) AS is_open
            FROM tour_booking_extra x
            JOIN tour_extra e ON e.village_id = x.village_id AND e.id = x.extra_id
            LEFT JOIN LATERAL (
                SELECT array_agg(z.sale_id ORDER BY z.sale_id) FILTER (WHERE r.lines < (
                        SELECT count(*) FROM sale_line n
                        WHERE n.village_id = \(scope.village) AND n.sale_id = z.sale_id)) AS sales,
                    max(k.at) AS settled_at, max(r.at) AS reversed_at
                FROM tour_picking_sale k
                -- A sale that was recorded anew settles what the first did.
                CROSS JOIN LATERAL (
                    WITH RECURSIVE chain AS (
                        SELECT k.sale_id AS id
                        UNION ALL
                        SELECT s.id FROM chain c JOIN sale s ON s.village_id = k.village_id AND s.replaces = c.id)
                    SELECT max(id) AS sale_id FROM chain) z
                CROSS JOIN LATERAL (
                    SELECT count(*) AS lines, max(c.at) AS at FROM sale_correction c
                    WHERE c.village_id = \(scope.village) AND c.sale_id = z.sale_id AND c.kind = 'reversal') r
                WHERE k.village_id = \(scope.village) AND k.booking_id = x.booking_id AND k.session_id = x.session_id
                    AND k.extra_id = x.extra_id
            ) k ON x.kind = 'picking'
            WHERE x.village_id = \(scope.village) AND x.booking_id IN (\(chosen)) ORDER BY x.session_id, x.extra_id
            """,
        ]
    }

    /// The bookings of the three answers to `select`, in the order of the first.
    static func bookings(_ answers: [Rows]) throws -> [Booking] {
        var lines: [Int64: [Booking.Line]] = [:]
        for row in answers[1] { lines[try row.decode("booking_id"), default: []].append(try line(row)) }
        var extras: [Int64: [Booking.Extra]] = [:]
        for row in answers[2] { extras[try row.decode("booking_id"), default: []].append(try extra(row)) }
        return try answers[0].map { row in
            let id: Int64 = try row.decode("id")
            var booking = try booking(row, id, lines[id] ?? [], extras[id] ?? [])
            booking.isVoid = try row.decode("voided")
            booking.registerPaid = try row.decode("register_paid_fen")
            booking.waitedInVain = try booking.state == .expired && row.decode("previous_state") == "waitlisted"
            return booking
        }
    }

    /// The bookings of these numbers, in no order.
    static func all(_ ids: [Int64], _ transaction: Transaction, _ scope: Scope) async throws -> [Booking] {
        guard !ids.isEmpty else { return [] }
        return try bookings(try await transaction.query(select("b.id = ANY(\(ids)::bigint[])", scope)))
    }

    /// The booking that is meant.
    /// - Throws: `BookingReference.unknown` for whatever a stranger got wrong; `unknown(_:)` for the desk.
    static func find(_ key: BookingKey, _ transaction: Transaction, _ scope: Scope) async throws -> Booking {
        let which: SQL =
            switch key {
            case .number(let number): "b.id = \(number)"
            case .reference(let reference), .stranger(let reference, _): "b.reference = \(reference.text)"
            }
        let found = try bookings(try await transaction.query(select(which, scope))).first
        switch key {
        case .number(let number):
            guard let found else { throw unknown(number) }
            return found
        case .reference:
            guard let found else { throw BookingReference.unknown }
            return found
        case .stranger(_, let phone):
            guard let found, let theirs = BookingRules.normalPhone(phone),
                theirs == BookingRules.normalPhone(found.phone)
            else { throw BookingReference.unknown }
            return found
        }
    }

    static func unknown(_ number: Int64) -> Refusal {
        Refusal(
            .notFound, "unknown-booking", field: "booking", zh: "没有预约 \(number)", en: "there is no booking \(number)")
    }

    private static func booking(_ row: Row, _ id: Int64, _ lines: [Booking.Line], _ extras: [Booking.Extra]) throws
        -> Booking
    {
        Booking(
            id: Identifier(id), reference: try BookingReference(entered: row.decode("reference")),
            unit: try row.decode("unit"), unitKind: try Named(row, "unit_kind").value,
            headcount: try row.decode("headcount"), leader: try row.decode("leader"), phone: try row.decode("phone"),
            email: try row.decode("email"), language: try row.decode("language"), note: try row.decode("note"),
            state: try Named(row, "state").value, version: try row.decode("version"),
            holdUntil: try row.decode("hold_until"),
            waitingSince: try row.decode("waiting_since"), arrived: try row.decode("arrived"),
            fee: try row.decode("fee_fen"), adjusted: try row.decode("adjusted_fen"), kept: try row.decode("kept_fen"),
            paid: try row.decode("paid_fen"), refundDue: try row.decode("refund_due_fen"),
            refunded: try row.decode("refunded_fen"),
            granted: try row.decode("granted_fen"),
            requestedAt: try row.decode("requested_at"), actor: try row.decode("actor"), lines: lines, extras: extras)
    }

    private static func line(_ row: Row) throws -> Booking.Line {
        Booking.Line(
            session: try row.decode("session_id"), day: try row.decode("day"), startsAt: try row.decode("starts_at"),
            endsAt: try row.decode("ends_at"), site: try row.decode("site"), programme: try row.decode("programme"),
            headcount: try row.decode("headcount"), price: try row.decode("price_fen"),
            amount: try row.decode("amount_fen"), kept: try row.decode("kept_fen"), arrived: try row.decode("arrived"),
            terms: try BookingTerms(row), isUpset: try row.decode("upset"))
    }

    private static func extra(_ row: Row) throws -> Booking.Extra {
        Booking.Extra(
            session: try row.decode("session_id"), extra: try row.decode("extra_id"),
            kind: try Named(row, "kind").value, name: try row.decode("name"),
            quantity: try row.decode("quantity"), price: try row.decode("price_fen"),
            amount: try row.decode("amount_fen"), sales: try row.decode("sales"),
            wasSettled: try row.decode("was_settled"), isOpen: try row.decode("is_open"))
    }
}

/// The statements that write them.
extension BookingRows {
    /// Writes the whole of a booking that was read at version `seen`, which takes it on by one.
    ///
    /// When somebody else was faster its former state becomes one that leads nowhere, so that the foreign key to the
    /// table of steps refuses it, and with it all that the transaction does.
    /// - Parameter step: whether it comes from another state; a change without a step keeps where it came from.
    static func update(_ booking: Booking, seen: Int, step: Bool, _ scope: Scope) -> SQL {
        let origin: SQL = step ? "state" : "previous_state"
        return """
            UPDATE tour_booking SET previous_state = CASE WHEN version = \(seen) THEN \(origin) ELSE 'stale' END,
                state = \(booking.state.rawValue), version = version + 1, unit = \(booking.unit),
                unit_kind = \(booking.unitKind.rawValue), headcount = \(booking.headcount), leader = \(booking.leader),
                phone = \(booking.phone), email = \(booking.email), language = \(booking.language),
                note = \(booking.note), hold_until = \(booking.holdUntil), waiting_since = \(booking.waitingSince),
                arrived = \(booking.arrived), fee_fen = \(booking.fee),
                adjusted_fen = \(booking.adjusted), kept_fen = \(booking.kept), paid_fen = \(booking.paid),
                register_paid_fen = \(booking.registerPaid), refund_due_fen = \(booking.refundDue), refunded_fen = \(booking.refunded),
                granted_fen = \(booking.granted)
            WHERE village_id = \(scope.village) AND id = \(booking.id.value)
            """
    }

    static func row(_ booking: Booking, _ scope: Scope) -> NewRow {
        NewRow(
            into: """
                tour_booking (village_id, id, reference, unit, unit_kind, headcount, leader, phone, email, language, note,
                    state, hold_until, waiting_since, fee_fen, requested_at, actor)
                """,
            """
            (\(scope.village), \(booking.id.value), \(booking.reference.text), \(booking.unit),
                \(booking.unitKind.rawValue), \(booking.headcount), \(booking.leader), \(booking.phone), \(booking.email),
                \(booking.language), \(booking.note), \(booking.state.rawValue), \(booking.holdUntil),
                \(booking.waitingSince), \(booking.fee), \(booking.requestedAt), \(scope.actor))
            """)
    }

    static func row(_ line: Booking.Line, of booking: Booking, _ scope: Scope) -> NewRow {
        NewRow(
            into: """
                tour_booking_session (village_id, booking_id, session_id, day, headcount, price_fen, amount_fen, kept_fen,
                    arrived, minutes, hold_minutes, change_hours, free_cancel_hours, late_fee_percent,
                    no_show_fee_percent, upset)
                """,
            """
            (\(scope.village), \(booking.id.value), \(line.session), \(line.day), \(line.headcount), \(line.price),
                \(line.amount), \(line.kept), \(line.arrived), \(line.terms.minutes), \(line.terms.holdMinutes),
                \(line.terms.changeHours), \(line.terms.freeCancelHours), \(line.terms.lateFeePercent),
                \(line.terms.noShowFeePercent), \(line.isUpset))
            """)
    }

    /// The terms under which a line was booked stay.
    static func upsert(_ line: Booking.Line, of booking: Booking, _ scope: Scope) -> SQL {
        SQL.insert([row(line, of: booking, scope)]) + """
             ON CONFLICT (village_id, booking_id, session_id) DO UPDATE SET headcount = excluded.headcount,
                amount_fen = excluded.amount_fen, kept_fen = excluded.kept_fen, arrived = excluded.arrived,
                upset = excluded.upset
            """
    }

    static func row(_ extra: Booking.Extra, of booking: Booking, day: CivilDay, _ scope: Scope) -> NewRow {
        NewRow(
            into: """
                tour_booking_extra (village_id, booking_id, session_id, extra_id, kind, day, quantity, price_fen,
                    amount_fen)
                """,
            """
            (\(scope.village), \(booking.id.value), \(extra.session), \(extra.extra), \(extra.kind.rawValue), \(day),
                \(extra.quantity), \(extra.price), \(extra.amount))
            """)
    }

    /// What ties a sale to the extra that it settles.
    static func row(ofSale sale: Int64, _ extra: Booking.Extra, of booking: Booking, _ scope: Scope) -> NewRow {
        NewRow(
            into: "tour_picking_sale (village_id, sale_id, booking_id, session_id, extra_id)",
            "(\(scope.village), \(sale), \(booking.id.value), \(extra.session), \(extra.extra))")
    }
}
