import Foundation
import Kernel

public enum MessageRules {
    /// Attempts, after which a message is given up: the last comes some nine hours after the first.
    public static let attempts = 10
    /// How long a message is its sender's alone. A program that sends is stopped long before.
    static let lease: TimeInterval = 120

    /// How long to wait after so many failed attempts: a minute, doubled each time, six hours at most, and up to a
    /// quarter more or less, so that those that failed together don't come back together.
    /// - Parameter chance: from 0 to 1.
    static func wait(after attempts: Int, chance: Double) -> TimeInterval {
        let whole = min(60 * pow(2, Double(min(max(attempts, 1), 20) - 1)), 6 * 3600)
        return whole * (0.75 + 0.5 * chance)
    }

    /// Whether there is no point in it any more: the booking has gone on to something that has a message of its own,
    /// or its last day is over.
    static func isOvertaken(_ notice: Notice, today: CivilDay) -> Bool {
        guard let last = notice.sessions.map(\.day).max() else { return true }
        // That there was nothing to come to is told afterwards too.
        if last < today, notice.kind != .cancelled { return true }
        switch notice.kind {
        case .requested: return notice.state != "requested"
        case .waitlisted: return notice.state != "waitlisted"
        case .held: return notice.state != "held"
        case .confirmed: return notice.state != "confirmed"
        case .changed: return ["cancelled", "expired", "no_show", "arrived", "completed"].contains(notice.state)
        case .cancelled: return notice.state != "cancelled"
        case .expired: return notice.state != "expired"
        case .reminder:
            // It says "tomorrow", or on the day itself "today"; a booking that was moved gets another.
            let days = notice.sessions.map(\.day)
            guard notice.state == "confirmed" else { return true }
            return !days.contains { $0 >= today && notice.key == reminderKey(notice.booking, $0) }
        }
    }

    /// Why a message was given up without an attempt: `isOvertaken`.
    static let overtaken = "overtaken"

    /// Whether it may be tried anew: only what was given up.
    static func checkRetry(_ message: Message) throws {
        switch message.state {
        case .givenUp: return
        case .sent:
            throw Refusal(
                .conflict, notGivenUp, field: "message", zh: "消息 \(message.id) 已经发出，不会再发第二次",
                en: "message \(message.id) is sent and doesn't go twice")
        case .waiting:
            throw Refusal(
                .conflict, notGivenUp, field: "message", zh: "消息 \(message.id) 还在待发，到时会自动发送",
                en: "message \(message.id) is waiting and will be tried by itself")
        }
    }

    private static let notGivenUp = "message-not-given-up"

    static func reminderKey(_ booking: Int64, _ day: CivilDay) -> String { "reminder:\(booking):\(day)" }

    /// Nine in the morning in Asia/Shanghai: nobody is reminded at midnight.
    static func morning(of day: CivilDay) -> Date {
        Date(timeIntervalSince1970: Double(day.daysSince1970) * 86_400 + 3600)
    }
}
