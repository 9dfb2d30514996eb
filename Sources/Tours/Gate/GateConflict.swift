import Database
import Foundation
import Kernel
import Postgres

/// What a gate saw and the books contradict, kept until the desk has settled it. Nothing of it counts before.
public struct GateConflict: Sendable {
    public enum Why: String, Sendable, CaseIterable, Labelled {
        /// More than booked, or an earlier scan at another gate.
        case twice
        case cancelled, expired, unconfirmed, waitlisted
        /// The booking is for another session now.
        case moved
        /// By the gate's clock it was another day than the booking's.
        case wrongDay = "wrong_day"
        /// By the gate's clock it was before the day: a gate that was tried out, or a clock that is slow.
        case early
        /// By the gate's clock it is still to come.
        case future
        /// The books of that day are closed.
        case closed

        /// Of a refusal that a gate at the register would have been told.
        init?(_ refusal: Refusal) {
            switch refusal.code {
            case "booking-cancelled": self = .cancelled
            case "booking-expired": self = .expired
            case "booking-unconfirmed": self = .unconfirmed
            case "booking-waitlisted": self = .waitlisted
            case "not-its-session": self = .moved
            case "wrong-day": self = .wrongDay
            case "books-closed": self = .closed
            default: return nil
            }
        }

        public var label: Bilingual {
            switch self {
            case .twice: Bilingual(zh: "重复扫码", en: "scanned twice")
            case .cancelled: Bilingual(zh: "预约已取消", en: "booking cancelled")
            case .expired: Bilingual(zh: "预约已过期", en: "booking expired")
            case .unconfirmed: Bilingual(zh: "预约未确认", en: "booking not confirmed")
            case .waitlisted: Bilingual(zh: "预约在候补", en: "booking on the waiting list")
            case .moved: Bilingual(zh: "预约已改场次", en: "booking moved")
            case .wrongDay: Bilingual(zh: "日期不符（改期，或时钟不准）", en: "another day (moved, or the clock is off)")
            case .early: Bilingual(zh: "早于当天（试用，或时钟慢了）", en: "before the day (a try-out, or a slow clock)")
            case .future: Bilingual(zh: "时刻在将来（时钟快了）", en: "in the future (a fast clock)")
            case .closed: Bilingual(zh: "当天的账已结", en: "that day's books are closed")
            }
        }
    }

    public struct Settlement: Sendable {
        public let accepted: Bool
        public let reason: String
        public let actor: String
        public let at: Date
    }

    public let id: Int64
    public let booking: Int64
    public let reference: BookingReference
    public let unit: String
    /// Where the booking stands now.
    public let state: BookingState
    /// Where the gate let them in, where it said so.
    public let session: Int64?
    public let day: CivilDay
    public let headcount: Int
    public let why: Why
    public let offline: Bool
    /// By the gate's own clock.
    public let at: Date
    public let receivedAt: Date
    public let actor: String
    public let settlement: Settlement?
    let nonce: String
    let checkIn: Int64?
}

/// One check-in of a booking.
public struct GateCheckIn: Sendable {
    public struct Undone: Sendable {
        public let reason: String
        public let actor: String
        public let at: Date
    }

    public let id: Int64
    public let booking: Int64
    public let session: Int64
    public let headcount: Int
    /// By the gate's own clock.
    public let at: Date
    public let offline: Bool
    public let unlisted: Bool
    public let actor: String
    public let undone: Undone?
    let nonce: String
    /// False of older ones that came twice.
    let counted: Bool
    let after: Int?
    let isCertain: Bool

    /// Whether its heads are among those that came.
    public var counts: Bool { counted && undone == nil }

    var earlier: CheckInAnswer.Earlier {
        CheckInAnswer.Earlier(at: at, headcount: headcount, actor: actor, offline: offline)
    }
}

/// The statements by which both are read, and their decoders.
enum GateRecords {
    /// - Parameter which: a condition on `c`, or on `f` of conflicts.
    static func checkIns(_ which: SQL, _ scope: Scope) -> SQL {
        """
        SELECT c.id, c.booking_id, c.session_id, c.nonce, c.headcount, c.counts, c.after, c.certain, c.offline,
            c.unlisted, c.at, c.actor, u.reason, u.actor AS undone_by, u.at AS undone_at
        FROM tour_check_in c
        LEFT JOIN tour_check_in_undo u
            ON u.village_id = c.village_id AND u.booking_id = c.booking_id AND u.check_in_id = c.id
        WHERE c.village_id = \(scope.village) AND \(which) ORDER BY c.at, c.nonce
        """
    }

    static func conflicts(_ which: SQL, _ scope: Scope) -> SQL {
        """
        SELECT f.id, f.booking_id, b.reference, b.unit, b.state, f.session_id, f.day, f.headcount, f.why, f.offline,
            f.at, f.received_at, f.actor, f.nonce, f.check_in_id, s.accepted, s.reason, s.actor AS settled_by,
            s.at AS settled_at
        FROM tour_gate_conflict f
        JOIN tour_booking b ON b.village_id = f.village_id AND b.id = f.booking_id
        LEFT JOIN tour_gate_settlement s ON s.village_id = f.village_id AND s.conflict_id = f.id
        WHERE f.village_id = \(scope.village) AND \(which)
        """
    }

    static func checkIn(_ row: Row) throws -> GateCheckIn {
        var undone: GateCheckIn.Undone?
        if let reason: String = try row.decode("reason") {
            undone = .init(reason: reason, actor: try row.decode("undone_by"), at: try row.decode("undone_at"))
        }
        return GateCheckIn(
            id: try row.decode("id"), booking: try row.decode("booking_id"), session: try row.decode("session_id"),
            headcount: try row.decode("headcount"), at: try row.decode("at"), offline: try row.decode("offline"),
            unlisted: try row.decode("unlisted"), actor: try row.decode("actor"), undone: undone,
            nonce: try row.decode("nonce"), counted: try row.decode("counts"), after: try row.decode("after"),
            isCertain: try row.decode("certain"))
    }

    static func conflict(_ row: Row) throws -> GateConflict {
        var settlement: GateConflict.Settlement?
        if let accepted: Bool = try row.decode("accepted") {
            settlement = .init(
                accepted: accepted, reason: try row.decode("reason"), actor: try row.decode("settled_by"),
                at: try row.decode("settled_at"))
        }
        return GateConflict(
            id: try row.decode("id"), booking: try row.decode("booking_id"),
            reference: try BookingReference(entered: row.decode("reference")), unit: try row.decode("unit"),
            state: try Named(row, "state").value, session: try row.decode("session_id"), day: try row.decode("day"),
            headcount: try row.decode("headcount"), why: try Named(row, "why").value,
            offline: try row.decode("offline"), at: try row.decode("at"), receivedAt: try row.decode("received_at"),
            actor: try row.decode("actor"), settlement: settlement, nonce: try row.decode("nonce"),
            checkIn: try row.decode("check_in_id"))
    }
}

/// Reads what waits for the desk.
public struct GateConflictStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// The newest first.
    /// - Parameters:
    ///   - day: only what was seen for that day.
    ///   - all: those that are settled, too.
    ///   - before: the number of the conflict after the first one wanted.
    public func list(
        _ scope: Scope, day: CivilDay? = nil, all: Bool = false, before: Int64 = .max, limit: Int = 50
    ) async throws -> [GateConflict] {
        let which: SQL = """
            f.id < \(before) AND (\(day) IS NULL OR f.day = \(day)) AND (\(all) OR s.conflict_id IS NULL)
            ORDER BY f.id DESC LIMIT \(limit)
            """
        return try await database.transaction(scope) { transaction in
            try await transaction.query(GateRecords.conflicts(which, scope)).map(GateRecords.conflict)
        }
    }
}
