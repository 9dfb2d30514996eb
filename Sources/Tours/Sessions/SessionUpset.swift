import Database
import Foundation
import Kernel
import Postgres

/// What became of a session that could not stay as it was planned, and of those who had booked it.
public struct UpsetSession: Sendable {
    public let session: TourSession
    /// As they stand now.
    public let bookings: [Booking]
}

/// What the village does with a session that others have booked: all of it in one step.
extension SessionStore {
    /// Cancels a session with its bookings, those that wait included: nothing is kept of any, what was paid is to go back,
    /// everybody is told, and nobody is promoted into it. A booking that has other sessions keeps those, and may be
    /// cancelled for nothing; one whose group has been to another pays for that alone.
    /// - Parameter match: is given the version that will be changed.
    public static func cancelWithBookings(
        _ id: Int64, reason: String, now: Date, match: @escaping VersionCheck = { _ in }
    ) -> Plan<UpsetSession> {
        { transaction, scope in
            let reason = try BookingRules.text(reason, field: "reason", max: 200)
            let (session, bookings) = try await lockWithBookings(id, transaction, scope)
            try match(session.version)
            guard session.state != .cancelled else { throw SessionRules.wrongState(session) }
            var writes: [SQL] = []
            var moves: [Int64: BookingSeats.Move] = [:]
            var events: [Event] = []
            var dropped: [Booking] = []
            let left = try bookings.map { old in
                var booking = old
                if let rest = old.without(session: id) {
                    booking = rest
                    dropped.append(rest)
                } else if old.hasCome {
                    throw stays(old, without: session)
                } else {
                    booking.state = .cancelled
                    booking.holdUntil = nil
                    booking.refundWhatIsNotKept()
                    booking.version = old.version + 1
                }
                let isCancelled = booking.state == .cancelled
                let upset = BookingUpset(what: isCancelled ? .cancelled : .dropped, reason: reason)
                writes += [
                    BookingRows.update(booking, seen: old.version, step: isCancelled, scope),
                    BookingStore.message(isCancelled ? .cancelled : .changed, booking, after: upset, scope),
                ]
                for move in BookingSeats.moves(from: old.lines, old.state, to: booking.lines, booking.state) {
                    moves[move.session, default: BookingSeats.Move(session: move.session)].held += move.held
                    moves[move.session]?.booked += move.booked
                }
                let what: [Event.Figure] =
                    isCancelled
                    ? [.fen(booking.kept, "kept_fen")]
                    : [
                        .text("sessions", BookingStore.list(booking.lines.map(\.session))),
                        .text("sessions_before", BookingStore.list(old.lines.map(\.session))),
                    ]
                events.append(
                    .ofBooking(
                        isCancelled ? "cancelled" : "moved", booking,
                        what + [.fen(booking.refundDue, "due_fen"), .text("by", "village"), .reason(reason)]))
                return booking
            }
            writes += drop(id, of: dropped, scope)
            let own = moves.removeValue(forKey: id) ?? BookingSeats.Move(session: id)
            writes +=
                [
                    cancelWaiting(for: id, scope),
                    """
                    UPDATE tour_session SET state = 'cancelled', closed_seats = 0, version = version + 1,
                        changed_at = now(), held = held + \(own.held), booked = booked + \(own.booked)
                    WHERE village_id = \(scope.village) AND id = \(id)
                    """,
                    "DELETE FROM tour_session_resource WHERE village_id = \(scope.village) AND session_id = \(id)",
                ] + settle(left, now, scope)
            let due = left.map(\.refundOpen).reduce(.zero, +)
            events.append(
                Event(
                    "tour.session.cancel", "\(id)", .number("bookings", left.count), .fen(due, "due_fen"),
                    .reason(reason)))
            // Who waited for this session and others may find seats in those alone.
            let waiting = Set(dropped.filter { $0.state == .waitlisted }.flatMap { $0.lines.map(\.session) }).sorted()
            let promotion: [SQL] =
                waiting.isEmpty
                ? [] : ["SELECT promote_waiting(\(scope.village), \(waiting)::bigint[], \(now))"]
            return Change(
                UpsetSession(session: session.cancelled(held: own.held, booked: own.booked), bookings: left),
                writes: writes,
                lastWrites: BookingSeats.statements(Array(moves.values), now: now, scope) + promotion,
                refusals: BookingSeats.refusals.merging([
                    // Somebody booked between the look and the writes.
                    "tour_session_closed_takes_none": SessionRules.hasSeatsTaken(session)
                ]) { $1 }, events: events)
        }
    }

    /// Takes a session out of bookings that keep others.
    private static func drop(_ id: Int64, of bookings: [Booking], _ scope: Scope) -> [SQL] {
        guard !bookings.isEmpty else { return [] }
        let which: SQL = """
            WHERE village_id = \(scope.village) AND booking_id = ANY(\(bookings.map(\.id.value))::bigint[])
                AND session_id = \(id)
            """
        return [
            "DELETE FROM tour_booking_extra " + which, "DELETE FROM tour_booking_session " + which,
            upset(bookings, scope),
        ]
    }

    private static func upset(_ bookings: [Booking], _ scope: Scope) -> SQL {
        """
        UPDATE tour_booking_session SET upset = true WHERE village_id = \(scope.village)
            AND booking_id = ANY(\(bookings.filter(\.isUpset).map(\.id.value))::bigint[])
        """
    }

    /// What falls to the session is no income any more, or that of another day, where a group has been to another.
    private static func settle(_ bookings: [Booking], _ now: Date, _ scope: Scope) -> [SQL] {
        let came = bookings.filter(\.hasCome)
        return came.isEmpty ? [] : [TourEarnings.settle(came, on: BookingRules.today(now), scope)]
    }

    /// Moves a session to another day or time, with its bookings, whose terms stay; everybody is told, and may cancel for
    /// nothing.
    /// - Parameters:
    ///   - day: nil is the same day.
    ///   - time: nil is the same time.
    ///   - match: is given the version that will be changed.
    public static func move(
        _ id: Int64, day: CivilDay? = nil, time: TimeOfDay? = nil, reason: String? = nil, now: Date,
        match: @escaping VersionCheck = { _ in }
    ) -> Plan<UpsetSession> {
        { transaction, scope in
            let reason = try reason.map { try BookingRules.text($0, field: "reason", max: 200) }
            let (session, bookings) = try await lockWithBookings(id, transaction, scope)
            try match(session.version)
            guard session.state != .cancelled else { throw SessionRules.wrongState(session) }
            let (day, time) = (day ?? session.day, time ?? session.time)
            guard day != session.day || time != session.time else {
                throw Refusal(
                    .invalid, "not-moved", field: "day", zh: "场次已经在 \(day) \(time)",
                    en: "the session is on \(day) at \(time)")
            }
            try await checkPlace(session, day, time, now, transaction, scope)
            let start = time.instant(on: day)
            let end = start.addingTimeInterval(session.endsAt.timeIntervalSince(session.startsAt))
            let found = try await ResourceAssignment.find(session.resources, transaction, scope)
            try await found.refuseConflicts([(start, end)], except: id, transaction, scope)
            let moved = bookings.map { $0.moved(session: id, to: day, start, end) }
            let lines: SQL = """
                WHERE village_id = \(scope.village) AND session_id = \(id)
                    AND booking_id = ANY(\(bookings.map(\.id.value))::bigint[])
                """
            let writes: [SQL] =
                zip(bookings, moved).flatMap { old, booking in
                    [
                        BookingRows.update(booking, seen: old.version, step: false, scope),
                        BookingStore.message(
                            .changed, booking, after: BookingUpset(what: .moved, reason: reason), scope),
                    ]
                } + [
                    upset(moved, scope),
                    "UPDATE tour_booking_session SET day = \(day) " + lines,
                    "UPDATE tour_booking_extra SET day = \(day) " + lines,
                    """
                    UPDATE tour_session SET day = \(day), starts_at = \(start), ends_at = \(end), version = version + 1,
                        changed_at = now()
                    WHERE village_id = \(scope.village) AND id = \(id)
                    """,
                ] + found.replace(in: id, from: start, to: end, scope)
                + [stayed(id, day: day, scope)] + settle(moved, now, scope)
            let figures: [Event.Figure] = [
                .day("day_before", session.day), .text("time", "\(time)"), .reason(reason),
            ]
            return Change(
                UpsetSession(session: session.with(start: start, end: end), bookings: moved), writes: writes,
                refusals: BookingSeats.refusals.merging([
                    "tour_session_once": SessionRules.exists(0, .open, on: day),
                    ResourceAssignment.constraint: found.taken(on: day), SQL.rowsTouched: BookingRules.stale,
                ]) { $1 },
                events: [
                    Event(
                        "tour.session.move", "\(id)", day: day, figures: figures + [.number("bookings", moved.count)])
                ] + moved.map { .ofBooking("moved", $0, day: day, [.number("session", id)] + figures) })
        }
    }

    /// Nobody who has booked the session has been left where it was: who came between the look and the writes is.
    private static func stayed(_ id: Int64, day: CivilDay, _ scope: Scope) -> SQL {
        """
        SELECT check_touched(count(*), 0) FROM tour_booking_session l
        JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
        WHERE l.village_id = \(scope.village) AND l.session_id = \(id) AND l.day <> \(day)
            AND b.state IN ('requested', 'held', 'waitlisted', 'confirmed', 'arrived')
        """
    }

    /// The group has been to another session of its booking, which can't be cancelled with this one.
    private static func stays(_ booking: Booking, without session: TourSession) -> Refusal {
        guard !booking.extras.contains(where: { $0.session == session.id.value && $0.wasSettled }) else {
            return visited(1)
        }
        return Refusal(
            .conflict, "adjusted-below-zero",
            zh: "预约 \(booking.id) 的团队已到过另一场，减免又超过那一场的费用；请先调整（booking adjust）",
            en:
                "the group of booking \(booking.id) has been to another session, which costs less than the booking was "
                + "lowered by: adjust it first (booking adjust)")
    }

    private static func visited(_ came: Int) -> Refusal {
        Refusal(
            .conflict, "session-visited", zh: "这个场次已有 \(came) 个预约登记了到场或未到，不能再取消或改期",
            en: "\(came) bookings of this session have come or failed to: it can't be cancelled or moved any more")
    }

    /// Locks the bookings that a session has and whose groups have not come to it, and after them it and all that those are
    /// of; in the order in which everybody locks them.
    /// - Throws: a `Refusal` when somebody has come to it.
    private static func lockWithBookings(
        _ id: Int64, _ transaction: Transaction, _ scope: Scope
    ) async throws -> (TourSession, [Booking]) {
        let ids = try await transaction.query(
            """
            SELECT b.id FROM tour_booking b
            WHERE b.village_id = \(scope.village)
                AND b.state IN ('requested', 'held', 'waitlisted', 'confirmed', 'arrived')
                AND b.id IN (
                    SELECT l.booking_id FROM tour_booking_session l
                    WHERE l.village_id = \(scope.village) AND l.session_id = \(id))
            ORDER BY b.id FOR NO KEY UPDATE
            """
        ).map { try $0.decode("id", as: Int64.self) }
        let bookings = try await BookingRows.all(ids, transaction, scope).sorted { $0.id < $1.id }
        let sessions = Set(bookings.flatMap { $0.lines.map(\.session) } + [id])
        let answers = try await transaction.query([
            "SELECT lock_tour_sessions(\(scope.village), \(Array(sessions))::bigint[])",
            query(scope) + " AND s.id = \(id)",
            """
            SELECT count(*) AS came FROM tour_booking_session l
            JOIN tour_booking b ON b.village_id = l.village_id AND b.id = l.booking_id
            WHERE l.village_id = \(scope.village) AND l.session_id = \(id)
                AND (b.state IN ('completed', 'no_show') OR b.state = 'arrived' AND l.arrived IS NOT NULL)
            """,
        ])
        guard let row = answers[1].first else { throw SessionRules.unknown(id) }
        let came: Int = try answers[2].first?.decode("came") ?? 0
        guard came == 0 else { throw visited(came) }
        return (try session(row), bookings)
    }

    /// Whether the session can be at another time: as when one is planned.
    private static func checkPlace(
        _ session: TourSession, _ day: CivilDay, _ time: TimeOfDay, _ now: Date, _ transaction: Transaction,
        _ scope: Scope
    ) async throws {
        let ground = try await ground(
            of: NewSessions(
                site: session.site, programme: session.programme, day: day, time: time, capacity: session.capacity),
            transaction, scope)
        let minutes = Int(session.endsAt.timeIntervalSince(session.startsAt) / 60)
        try SessionRules.checkHours(time, minutes: minutes, site: ground.site)
        if let obstacle = SessionRules.obstacle(day, time, site: ground.site, closed: ground.closed, now: now)
            ?? ground.existing[day]
        {
            throw obstacle
        }
    }
}

extension TourSession {
    /// Without its resources.
    /// - Parameter held: how many more seats are held, below zero fewer; so of `booked`.
    fileprivate func cancelled(held: Int, booked: Int) -> TourSession {
        TourSession(
            id: id, site: site, programme: programme, day: day, startsAt: startsAt, endsAt: endsAt, capacity: capacity,
            held: self.held + held, booked: self.booked + booked, state: .cancelled, resources: [],
            version: version + 1)
    }

    fileprivate func with(start: Date, end: Date) -> TourSession {
        TourSession(
            id: id, site: site, programme: programme, day: CivilDay(of: start), startsAt: start, endsAt: end,
            capacity: capacity, held: held, booked: booked, state: state, resources: resources, version: version + 1)
    }
}
