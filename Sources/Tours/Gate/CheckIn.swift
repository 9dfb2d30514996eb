import Foundation
import Kernel

/// One group, or a part of one, at the gate, as it is told to the register: at once, or later out of a journal.
public struct CheckInEntry: Sendable, Hashable, Codable {
    /// A ticket's payload or address, or a booking's reference or number.
    public let code: String
    /// Heads that came, 1 to 10,000.
    public let headcount: Int
    /// What makes it one check-in, however often it is told: 8 to 64 visible ASCII characters.
    public let nonce: String
    /// By the gate's own clock.
    public let at: Date
    /// nil is the session that is on, or the next.
    public let session: Int64?
    /// Whether the desk lets a group in on another day than its own.
    public let anyDay: Bool
    /// How many of the group the gate knew to have come in before; nil where it did not say.
    public let after: Int?
    /// Whether these are more people of the group, although more come in than have booked.
    public let more: Bool
    /// Whether the gate let them in by their ticket's signature alone: the booking is not on its list.
    public let unlisted: Bool

    public init(
        code: String, headcount: Int, nonce: String, at: Date, session: Int64? = nil, anyDay: Bool = false,
        after: Int? = nil, more: Bool = false, unlisted: Bool = false
    ) {
        self.code = code
        self.headcount = headcount
        self.nonce = nonce
        self.at = at
        self.session = session
        self.anyDay = anyDay
        self.after = after
        self.more = more
        self.unlisted = unlisted
    }

    /// Journals of older gates lack what came later.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            code: try values.decode(String.self, forKey: .code),
            headcount: try values.decode(Int.self, forKey: .headcount),
            nonce: try values.decode(String.self, forKey: .nonce), at: try values.decode(Date.self, forKey: .at),
            session: try values.decodeIfPresent(Int64.self, forKey: .session),
            anyDay: try values.decodeIfPresent(Bool.self, forKey: .anyDay) ?? false,
            after: try values.decodeIfPresent(Int.self, forKey: .after),
            more: try values.decodeIfPresent(Bool.self, forKey: .more) ?? false,
            unlisted: try values.decodeIfPresent(Bool.self, forKey: .unlisted) ?? false)
    }

    /// A nonce that nobody else makes.
    public static func freshNonce() -> String { UUID().uuidString.lowercased() }

    /// As the gate writes it down, with what it knew.
    func written(session: Int64?, after: Int, unlisted: Bool = false) -> CheckInEntry {
        CheckInEntry(
            code: code, headcount: headcount, nonce: nonce, at: at, session: session, anyDay: anyDay, after: after,
            more: more, unlisted: unlisted)
    }
}

/// What the gate should know of one that it let in.
public enum GateWarning: Sendable, Hashable {
    /// More people than the session has room for, by so many.
    case overCapacity(Int)
    /// Not on the gate's list: the ticket's signature alone let them in.
    case unlisted
    /// The gate's clock can't be right.
    case clock(shows: Date, listMadeAt: Date, day: CivilDay)
    /// Not the list's day by the gate's clock: tried out before it, late after it, or a clock that is off.
    case anotherDay(shows: Date, day: CivilDay)
    /// Late for a session that is over, or a clock that is fast.
    case sessionOver(endedAt: Date, shows: Date)
    /// By the gate's clock the session began long ago, or is far off.
    case untimely(startsAt: Date, shows: Date)
    /// The gate's clock is ahead of the register's by so many seconds, or more.
    case fast(TimeInterval)
    /// Checked in before under the same nonce, and undone since.
    case undone

    public var code: String {
        switch self {
        case .overCapacity: "over-capacity"
        case .unlisted: "not-on-the-list"
        case .clock: "gate-clock"
        case .anotherDay: "another-day"
        case .sessionOver: "session-over"
        case .untimely, .fast: "gate-clock"
        case .undone: "undone"
        }
    }

    public var message: Bilingual {
        switch self {
        case .overCapacity(let people):
            Bilingual(zh: "超出这一场的容量 \(people) 人", en: "\(people) more than the session has room for")
        case .unlisted:
            Bilingual(
                zh: "不在名单上，凭证的签名有效，先放行；并入登记时再核对",
                en: "not on the list; the ticket's signature is good, and the register will see when it is synchronised"
            )
        case .clock(let shows, let made, let day):
            Bilingual(
                zh: "入口设备的时钟不准：它显示 \(shows.minute)，而 \(day) 的名单是 \(made.minute) 写出的；请校准时钟",
                en: "the gate's clock is off: it shows \(shows.minute), and the list of \(day) was made at "
                    + "\(made.minute); set it right")
        case .anotherDay(let shows, let day) where CivilDay(of: shows) < day:
            Bilingual(
                zh: "名单是 \(day) 的，时钟显示 \(shows.minute)：提前签到只作试用，并入登记后待接待处认可；今天若就是 \(day)，请校准时钟",
                en:
                    "the list is of \(day), and the clock shows \(shows.minute): a check-in before the day is a try-out "
                    + "that counts only when the tour desk accepts it; if today is \(day), set the clock right")
        case .anotherDay(let shows, let day):
            Bilingual(
                zh: "名单是 \(day) 的，时钟显示 \(shows.minute)；今天若就是 \(day)，请校准时钟",
                en:
                    "the list is of \(day), and the clock shows \(shows.minute); if today is \(day), set the clock right"
            )
        case .sessionOver(let ended, let shows):
            Bilingual(
                zh: "时钟显示 \(shows.minute)，这一场 \(ended.minute) 已结束；请核对入口设备的时钟",
                en:
                    "the clock shows \(shows.minute), and the session was over at \(ended.minute): see whether the gate's "
                    + "clock is right")
        case .untimely(let start, let shows):
            Bilingual(
                zh: "时钟显示 \(shows.minute)，这一场 \(start.minute) 开始；团队若没有早到或迟到，就是入口设备的时钟不准，请校准",
                en:
                    "the clock shows \(shows.minute), and the session begins at \(start.minute): unless the group is early "
                    + "or late, the gate's clock is off; set it right")
        case .fast(let seconds):
            Bilingual(
                zh: "入口设备的时钟至少快了 \(GateClock.span(seconds).zh)，请校准",
                en: "the gate's clock is fast by \(GateClock.span(seconds).en) at least: set it right")
        case .undone: Bilingual(zh: "这次签到后来撤销了", en: "this check-in has been undone since")
        }
    }
}

/// What the gate answers to one that it has seen.
public struct CheckInAnswer: Sendable, Hashable {
    public enum Outcome: String, Sendable, CaseIterable {
        /// Let in, alone or as a part of its group.
        case counted
        /// More than booked have come with this booking: kept for the desk, and not counted.
        case twice
        /// The books are against it: kept for the desk, and not counted.
        case conflict
    }

    /// Who came in before.
    public struct Earlier: Sendable, Hashable {
        public let at: Date
        public let headcount: Int
        /// Who let them in.
        public let actor: String
        public let offline: Bool
    }

    public let outcome: Outcome
    /// Whether it was told before, under the same nonce; then nothing has changed.
    public let isRepeat: Bool
    /// The check-in's number, or the conflict's; nil at a gate without the register.
    public internal(set) var number: Int64?
    /// Why it is kept for the desk.
    public let why: GateConflict.Why?
    public let booking: Int64
    /// This and what follows is nil where the gate does not know it.
    public let reference: BookingReference?
    public let unit: String?
    public let session: Int64?
    public let day: CivilDay
    public let site: String?
    public let programme: String?
    /// Heads booked.
    public let expected: Int?
    public let headcount: Int
    /// How many of the group have come in by now.
    public let arrived: Int?
    public let at: Date
    /// With `twice`, and where a part of the group came before.
    public let earlier: Earlier?
    public internal(set) var warnings: [GateWarning]
    /// Whether the desk has still to decide about it.
    public internal(set) var isOpen = false
}

/// What became of one entry of a journal.
public enum CheckInResult: Sendable {
    case answered(CheckInAnswer)
    case refused(Refusal)

    /// `counted`, `repeated`, `twice`, `conflict` or `refused`.
    public var word: String {
        switch self {
        case .answered(let answer): answer.isRepeat ? "repeated" : answer.outcome.rawValue
        case .refused: "refused"
        }
    }

    public static let words = ["counted", "repeated", "twice", "conflict", "refused"]

    /// Whether there is nothing more to be done about it.
    public var isSettled: Bool {
        switch self {
        case .answered(let answer): !answer.isOpen
        case .refused: false
        }
    }
}
