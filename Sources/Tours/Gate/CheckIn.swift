import Foundation
import Kernel

/// One group at the gate, as it is told to the register: at once, or later out of a journal.
public struct CheckInEntry: Sendable, Hashable, Codable {
    /// A ticket's payload or address, or a booking's reference.
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

    public init(
        code: String, headcount: Int, nonce: String, at: Date, session: Int64? = nil, anyDay: Bool = false
    ) {
        self.code = code
        self.headcount = headcount
        self.nonce = nonce
        self.at = at
        self.session = session
        self.anyDay = anyDay
    }

    /// A nonce that nobody else makes.
    public static func freshNonce() -> String { UUID().uuidString.lowercased() }
}

/// What the gate answers to one that it let in, or has let in before.
public struct CheckInAnswer: Sendable, Hashable {
    public enum Outcome: String, Sendable, CaseIterable {
        /// The first of its booking and session.
        case counted
        /// Somebody has come in with this booking before; kept, but not counted.
        case twice
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
    public let booking: Int64
    public let reference: BookingReference
    public let unit: String
    public let session: Int64
    public let day: CivilDay
    public let site: String
    public let programme: String
    /// Heads booked.
    public let expected: Int
    public let headcount: Int
    public let at: Date
    /// With `twice` only.
    public let earlier: Earlier?
}

/// What became of one entry of a journal.
public enum CheckInResult: Sendable {
    case answered(CheckInAnswer)
    case refused(Refusal)

    /// `counted`, `repeated`, `twice` or `refused`.
    public var word: String {
        switch self {
        case .answered(let answer): answer.isRepeat ? "repeated" : answer.outcome.rawValue
        case .refused: "refused"
        }
    }

    public static let words = ["counted", "repeated", "twice", "refused"]
}
