import Foundation
import Kernel

public enum MessageRules {
    /// Attempts, after which a message is given up: the last comes some nine hours after the first.
    public static let attempts = 10
    /// How long a message is its sender's alone: much longer than it may take on its way, so that nobody else sends it
    /// meanwhile.
    static let lease: TimeInterval = 120
    /// How long a server may take to take a message.
    public static let patience = Duration.seconds(20)
    /// How many messages are on one way at once.
    static let width = 4
    /// How many mails to one host are: a host that is slow leaves room for the others.
    static let perHost = 2

    /// How long to wait after so many failed attempts: a minute, doubled each time, six hours at most, and up to a
    /// quarter more or less, so that those that failed together don't come back together.
    /// - Parameter chance: from 0 to 1.
    static func wait(after attempts: Int, chance: Double) -> TimeInterval {
        let whole = min(60 * pow(2, Double(min(max(attempts, 1), 20) - 1)), 6 * 3600)
        return whole * (0.75 + 0.5 * chance)
    }

    /// Whether an answer of a server means that this message will never be taken: SMTP's 5xx about the recipient or the
    /// mail, HTTP's 4xx but for those that ask for patience. What is about ourselves (a password, the sender's address,
    /// a greeting) is mended here one day, and tried until then.
    static func isFinal(smtp code: Int, curl status: Int32, talk: String) -> Bool {
        guard (500...599).contains(code) else { return false }
        // 55: MAIL, RCPT or DATA was refused; 8: an answer that is no yes, to the greeting or to the mail itself.
        return status == 55 && !talk.contains("MAIL failed")
            || status == 8 && !talk.contains("unexpected smtp-server response")
    }

    static func isFinal(http code: Int) -> Bool {
        (400...499).contains(code) && code != 408 && code != 429
    }

    /// Why a message was given up without an attempt: what it tells is no longer so, or its time is over.
    static let overtaken = "overtaken"
    /// What it tells can't be read.
    static let unreadable = "unreadable"
    /// There is no way on which it could go: whoever leaves no e-mail address need not have one.
    static let noAddress = "no address"
    /// Why a message was not sent that nobody misses.
    static let unmissed = [overtaken, noAddress]
    /// Enough went to its address within a day.
    static let tooMany = "too many a day"

    /// Messages that one address gets within 24 hours at most, unless told otherwise.
    public static let perDay = 20

    /// Whether it may be tried anew: only what was given up.
    static func checkRetry(_ message: Message) throws {
        switch message.state {
        case .givenUp, .notSent: return
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
}
