import Database
import Foundation
import Kernel
import Postgres

/// What the desk needs on paper for a day: its sessions, and who comes to each.
public struct DaySheet: Sendable {
    public struct Session: Sendable {
        public let id: Int64
        public let startsAt: Date
        public let endsAt: Date
        public let site: String
        public let programme: String
        public let capacity: Int
        public let isCancelled: Bool
        public let lines: [Line]

        public var hours: String { TimeOfDay.hours(startsAt, endsAt) }
        public var heads: Int { lines.reduce(0) { $0 + $1.visit.headcount } }
        public var arrived: Int { lines.reduce(0) { $0 + ($1.visit.arrived ?? 0) } }
    }

    public struct Line: Sendable {
        public let booking: GateBooking
        public let visit: GateVisit
        /// Such as `农家午餐 × 40`.
        public let extras: String
        /// What the gate saw: parts of the group, what was taken back and why, what is still to be settled.
        public let gate: [Bilingual]

        /// The booking's note, and behind it what the gate saw.
        public func remarks(_ language: Language) -> String {
            let texts = (booking.note.map { [$0] } ?? []) + gate.map { $0[language] }
            return texts.joined(separator: language == .chinese ? "；" : "; ")
        }
    }

    public let day: CivilDay
    public let sessions: [Session]
    /// What gates saw on the day and nobody has settled yet.
    public let conflicts: [GateConflict]
}

extension GateBooking {
    /// How its payment stands, such as `定金 500.00 / 2,000.00`.
    public var payment: Bilingual {
        if fee.fen == 0 { return Bilingual(zh: "免费", en: "free") }
        var zh: String
        var en: String
        let net = Money(fen: paid.fen - refunded.fen)
        if net >= fee {
            (zh, en) = ("已付 \(net)", "paid \(net)")
        } else if net.fen > 0 {
            (zh, en) = ("定金 \(net) / \(fee)", "deposit \(net) of \(fee)")
        } else {
            (zh, en) = ("未付 \(fee)", "\(fee) to pay")
        }
        if refunded.fen < refundDue.fen {
            let open = Money(fen: refundDue.fen - refunded.fen)
            zh += "，应退 \(open)"
            en += ", \(open) to refund"
        }
        return Bilingual(zh: zh, en: en)
    }
}

/// Makes the desk's sheets.
public struct DaySheetStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// All sessions of the day, with the bookings that have or had seats in them; those that were cancelled, have
    /// expired or wait are left out.
    public func sheet(day: CivilDay, _ scope: Scope) async throws -> DaySheet {
        let answers = try await database.transaction(scope) { transaction in
            try await transaction.query([
                """
                SELECT s.id, s.starts_at, s.ends_at, s.capacity, s.state = 'cancelled' AS is_cancelled, t.name AS site,
                    p.name AS programme
                FROM tour_session s
                JOIN tour_site t ON t.village_id = s.village_id AND t.id = s.site_id
                JOIN tour_programme p ON p.village_id = s.village_id AND p.id = s.programme_id
                WHERE s.village_id = \(scope.village) AND s.day = \(day) ORDER BY s.starts_at, s.id
                """,
                GateRows.bookings(on: day, scope),
                """
                SELECT x.booking_id, x.session_id,
                    string_agg(e.name || ' × ' || x.quantity, '; ' ORDER BY e.id) AS extras
                FROM tour_booking_extra x
                JOIN tour_extra e ON e.village_id = x.village_id AND e.id = x.extra_id
                WHERE x.village_id = \(scope.village) AND x.day = \(day) GROUP BY x.booking_id, x.session_id
                """,
                GateRecords.checkIns("c.day = \(day)", scope),
                GateRecords.conflicts("f.day = \(day) AND s.conflict_id IS NULL ORDER BY f.id", scope),
                """
                SELECT e.subject, e.figures ->> 'undone' AS undone, e.figures ->> 'reason' AS reason FROM event e
                WHERE e.village_id = \(scope.village) AND e.kind LIKE 'booking.%' AND e.kind = 'booking.undone'
                    AND e.subject IN (
                        SELECT d.booking_id::text FROM tour_booking_session d
                        WHERE d.village_id = \(scope.village) AND d.day = \(day)) ORDER BY e.id
                """,
            ])
        }
        let gate = try GateRemarks(
            try answers[3].map(GateRecords.checkIn), try answers[4].map(GateRecords.conflict), undone: answers[5])
        var extras: [[Int64]: String] = [:]
        for row in answers[2] {
            extras[[try row.decode("booking_id"), try row.decode("session_id")]] = try row.decode("extras")
        }
        let bookings = try GateRows.decode(answers[1]).filter { $0.state.holdsSeats || $0.state.ownsSeats }
        let sessions = try answers[0].map { row in
            let id: Int64 = try row.decode("id")
            return DaySheet.Session(
                id: id, startsAt: try row.decode("starts_at"), endsAt: try row.decode("ends_at"),
                site: try row.decode("site"), programme: try row.decode("programme"),
                capacity: try row.decode("capacity"), isCancelled: try row.decode("is_cancelled"),
                lines: bookings.flatMap { booking in
                    booking.visits.filter { $0.session == id }.map { visit in
                        DaySheet.Line(
                            booking: booking, visit: visit, extras: extras[[booking.number, id]] ?? "",
                            gate: gate.remarks(booking.number, id))
                    }
                })
        }
        return DaySheet(day: day, sessions: sessions, conflicts: gate.conflicts)
    }
}

/// What the gates saw on a day, as the sheet tells it beside the bookings.
struct GateRemarks {
    let checkIns: [GateCheckIn]
    let conflicts: [GateConflict]
    private let undone: [(booking: String, state: BookingState?, reason: String)]

    /// - Parameter undone: steps that were taken back, with their bookings' numbers and reasons.
    init(_ checkIns: [GateCheckIn], _ conflicts: [GateConflict], undone: Rows) throws {
        self.checkIns = checkIns
        self.conflicts = conflicts
        self.undone = try undone.map { row in
            let state: String? = try row.decode("undone")
            return (
                try row.decode("subject"), state.flatMap(BookingState.init),
                try row.decode("reason", as: String?.self) ?? ""
            )
        }
    }

    func remarks(_ booking: Int64, _ session: Int64) -> [Bilingual] {
        let own = checkIns.filter { $0.booking == booking && $0.session == session }
        let counted = own.filter(\.counts)
        var remarks: [Bilingual] = []
        if counted.count > 1 {
            let parts = counted.map { "\($0.headcount)" }.joined(separator: " + ")
            remarks.append(Bilingual(zh: "分批签到 \(parts)", en: "came in parts: \(parts)"))
        }
        for one in own {
            guard let undone = one.undone else { continue }
            remarks.append(
                Bilingual(
                    zh: "撤销签到 \(one.headcount) 人：\(undone.reason)",
                    en: "a check-in of \(one.headcount) taken back: \(undone.reason)"))
        }
        for step in undone where step.booking == "\(booking)" {
            guard let label = step.state?.label else { continue }
            remarks.append(
                Bilingual(zh: "撤销“\(label.zh)”：\(step.reason)", en: "“\(label.en)” taken back: \(step.reason)"))
        }
        for conflict in conflicts where conflict.booking == booking && (conflict.session ?? session) == session {
            remarks.append(conflict.remark)
        }
        return remarks
    }
}

extension GateConflict {
    /// Such as `待处理 3：30 人，重复扫码`.
    public var remark: Bilingual {
        Bilingual(
            zh: "待处理 \(id)：\(at.minute) \(headcount) 人，\(why.label.zh)",
            en: "to be settled, \(id): \(headcount) people at \(at.minute), \(why.label.en)")
    }
}
