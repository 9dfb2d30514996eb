import Database
import Foundation
import Kernel
import Postgres

/// A message to whoever booked, waiting in the outbox or sent.
public enum MessageKind: String, Sendable, CaseIterable {
    case requested, waitlisted, held, confirmed, changed, cancelled, expired, reminder

    public var label: Bilingual {
        switch self {
        case .requested: Bilingual(zh: "收到申请", en: "requested")
        case .waitlisted: Bilingual(zh: "候补", en: "waitlisted")
        case .held: Bilingual(zh: "保留名额", en: "held")
        case .confirmed: Bilingual(zh: "已确认", en: "confirmed")
        case .changed: Bilingual(zh: "已更改", en: "changed")
        case .cancelled: Bilingual(zh: "已取消", en: "cancelled")
        case .expired: Bilingual(zh: "已过期", en: "expired")
        case .reminder: Bilingual(zh: "提醒", en: "reminder")
        }
    }
}

/// The way into the outbox, for whoever tells something.
public enum Outbox {
    /// The statement that puts a message into the outbox, in the transaction of what it tells of.
    /// - Parameter key: what makes it one message: the same key is sent once, however often it is put in.
    public static func insert(_ kind: MessageKind, booking: Int64, key: String, _ scope: Scope) -> SQL {
        SQL.insert([row(kind, booking: booking, key: key, scope)]) + " ON CONFLICT (village_id, key) DO NOTHING"
    }

    /// The message's row, where the key cannot be there yet, as with a new booking.
    public static func row(_ kind: MessageKind, booking: Int64, key: String, _ scope: Scope) -> NewRow {
        NewRow(
            into: "message (village_id, key, kind, booking_id)",
            "(\(scope.village), \(key), \(kind.rawValue), \(booking))")
    }
}

/// A message as the outbox shows it.
public struct Message: Sendable {
    public enum State: String, Sendable, CaseIterable {
        /// Not sent yet.
        case waiting
        case sent
        /// Tried too often, or pointless by now; `lastError` says which.
        case givenUp = "given_up"

        public var label: Bilingual {
            switch self {
            case .waiting: Bilingual(zh: "待发", en: "waiting")
            case .sent: Bilingual(zh: "已发", en: "sent")
            case .givenUp: Bilingual(zh: "已放弃", en: "given up")
            }
        }
    }

    public let id: Int64
    public let key: String
    public let kind: MessageKind
    public let booking: Int64
    public let createdAt: Date
    /// When it is tried next, while it waits.
    public internal(set) var dueAt: Date
    /// Since it was put in, or put in again.
    public internal(set) var attempts: Int
    public let sentAt: Date?
    public internal(set) var givenUpAt: Date?
    /// Such as `smtp 550`, `http 503`, `curl 7`; never an address or a password.
    public let lastError: String?

    public var state: State { sentAt != nil ? .sent : givenUpAt != nil ? .givenUp : .waiting }
}

/// What a message tells of, read when it is sent.
struct Notice: Sendable {
    struct Session: Sendable {
        let day: CivilDay
        let startsAt: Date
        let endsAt: Date
        let site: String
        let programme: String
    }

    let id: Int64
    let key: String
    let kind: MessageKind
    let attempts: Int
    let createdAt: Date
    let booking: Int64
    /// Three groups of four.
    let reference: String
    let unit: String
    let headcount: Int
    let leader: String
    let phone: String
    let email: String?
    let language: Language
    /// The booking's, as `tour_booking` has it.
    let state: String
    let holdUntil: Date?
    let kept: Money
    let refundDue: Money
    let sessions: [Session]
}
