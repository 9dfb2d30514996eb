import Foundation
import Kernel

/// A group's booking of one or several sessions.
public struct Booking: Sendable {
    /// Its seats in one session.
    public struct Line: Sendable {
        public let session: Int64
        public internal(set) var day: CivilDay
        public internal(set) var startsAt: Date
        public internal(set) var endsAt: Date
        public let site: String
        public let programme: String
        public internal(set) var headcount: Int
        /// A head.
        public let price: Money
        public internal(set) var amount: Money
        /// What the village keeps of this session's fee because nobody came.
        public internal(set) var kept: Money
        public internal(set) var arrived: Int?
        /// Under which it was booked, whatever the programme asks by now.
        public let terms: BookingTerms
        /// Whether the village has moved or cancelled one of the booking's sessions, and the group has not accepted it.
        var isUpset = false
    }

    /// A meal, a gift, or what the group means to pick.
    public struct Extra: Sendable {
        public let session: Int64
        public let extra: Int
        public let kind: BookingExtraKind
        public let name: String
        /// Heads, pieces, or 斤.
        public let quantity: Int
        public let price: Money
        /// Its part of the fee: nothing for picking, which is paid for by what was picked.
        public let amount: Money
        /// The sales of what was picked, one for each cooperative whose it was; not those that were reversed.
        public internal(set) var sales: [Int64]
        /// Whether what was picked has been recorded, reversed or not.
        var wasSettled = false
        /// Whether it can be recorded: it was not, or what was has been reversed since, whole or in part.
        var isOpen = true
    }

    public let id: Identifier<Booking>
    public let reference: BookingReference
    public internal(set) var unit: String
    public internal(set) var unitKind: UnitKind
    public internal(set) var headcount: Int
    public internal(set) var leader: String
    public internal(set) var phone: String
    public internal(set) var email: String?
    /// Two letters, such as `zh`.
    public internal(set) var language: String
    public internal(set) var note: String?
    public internal(set) var state: BookingState
    /// Counts its changes, from 1.
    public internal(set) var version: Int
    /// Until when its seats are kept, while it is requested or held.
    public internal(set) var holdUntil: Date?
    public internal(set) var waitingSince: Date?
    /// It has expired and never had seats.
    public internal(set) var waitedInVain = false
    /// It was a row of a register, and has been taken back whole.
    public internal(set) var isVoid = false
    /// How many came.
    public internal(set) var arrived: Int?
    /// For heads and extras, as booked.
    public internal(set) var fee: Money
    /// What the fee was changed by since.
    public internal(set) var adjusted: Money
    public internal(set) var kept: Money
    public internal(set) var paid: Money
    /// What of it a register of past years told as paid.
    var registerPaid = Money.zero
    public internal(set) var refundDue: Money
    public internal(set) var refunded: Money
    /// What of the refund due was granted: decided after the group had come, and not because too much was paid.
    public internal(set) var granted: Money
    public let requestedAt: Date
    public let actor: String
    /// In the order of the sessions' numbers.
    public internal(set) var lines: [Line]
    public internal(set) var extras: [Extra]

    /// Whether the village has moved or cancelled a session of it, and the group has not accepted that.
    public var isUpset: Bool { lines.contains(where: \.isUpset) }

    /// When the first of its sessions begins.
    public var startsAt: Date { lines.map(\.startsAt).min() ?? .distantPast }
}

public enum BookingExtraKind: String, Sendable, CaseIterable, Labelled {
    case meal, picking, gift

    public var label: Bilingual {
        switch self {
        case .meal: Bilingual(zh: "用餐", en: "meal")
        case .picking: Bilingual(zh: "采摘", en: "picking")
        case .gift: Bilingual(zh: "伴手礼", en: "gift")
        }
    }

    /// What a quantity of it counts.
    public var unit: Bilingual {
        switch self {
        case .meal: Bilingual(zh: "份", en: "people")
        case .picking: Bilingual(zh: "斤", en: "斤 (500 g)")
        case .gift: Bilingual(zh: "件", en: "pieces")
        }
    }
}

/// Which booking is meant, and by whom.
public enum BookingKey: Sendable {
    /// By the desk, which sees all.
    case number(Int64)
    case reference(BookingReference)
    /// By a stranger who shows the reference and the phone, and is bound to the programme's rules.
    case stranger(BookingReference, phone: String)

    /// As the desk gives it: a number, or a reference.
    /// - Throws: a `Refusal` of kind `notFound`.
    public init(entered text: String) throws {
        let text = text.trimmed
        if text.utf8.count <= 10, let number = Int64(text) {
            self = .number(number)
        } else {
            self = .reference(try BookingReference(entered: text))
        }
    }

    var isStranger: Bool {
        if case .stranger = self { true } else { false }
    }
}

/// What a programme asks of those who book it.
public struct BookingTerms: Sendable, Hashable {
    let programmeID: Int
    /// Of the visit.
    public let minutes: Int
    public let holdMinutes: Int
    public let changeHours: Int
    public let freeCancelHours: Int
    public let lateFeePercent: Int
    public let noShowFeePercent: Int
}

/// An extra as it is asked for.
public struct WantedExtra: Sendable, Hashable {
    public let extra: Int
    public let quantity: Int
    /// nil is the first of the sessions whose programme has it.
    public let session: Int64?

    public init(extra: Int, quantity: Int, session: Int64? = nil) {
        self.extra = extra
        self.quantity = quantity
        self.session = session
    }
}

/// A booking to be made.
public struct NewBooking: Sendable {
    public let unit: String
    public let unitKind: UnitKind
    public let headcount: Int
    public let leader: String
    public let phone: String
    public let email: String?
    /// nil is Chinese where the programme has it, or else its first language.
    public let language: String?
    public let note: String?
    public let sessions: [Int64]
    public let extras: [WantedExtra]
    /// Whether to wait for seats when there are none.
    public let waitlist: Bool
    /// Whether it is meant although its phone has a booking of one of the sessions already.
    public let again: Bool

    public init(
        unit: String, unitKind: UnitKind, headcount: Int, leader: String, phone: String, email: String? = nil,
        language: String? = nil, note: String? = nil, sessions: [Int64], extras: [WantedExtra] = [],
        waitlist: Bool = false, again: Bool = false
    ) {
        self.unit = unit
        self.unitKind = unitKind
        self.headcount = headcount
        self.leader = leader
        self.phone = phone
        self.email = email
        self.language = language
        self.note = note
        self.sessions = sessions
        self.extras = extras
        self.waitlist = waitlist
        self.again = again
    }
}

/// What is to be another in a booking; nil stays as it is.
public struct BookingChange: Sendable {
    public var unit: String?
    public var unitKind: UnitKind?
    public var headcount: Int?
    public var leader: String?
    public var phone: String?
    /// An empty text takes it away, as it does of the note.
    public var email: String?
    public var language: String?
    public var note: String?
    public var sessions: [Int64]?
    /// All extras from now on.
    public var extras: [WantedExtra]?
    /// Whether another session is meant although the booking's phone has booked that already.
    public var again = false

    public init() {}
}
