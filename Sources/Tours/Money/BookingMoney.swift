import Foundation
import Kernel

/// What a booking comes to, and what of it is paid. `charge_fen` of `tour_booking` is the same, kept by the database.
extension Booking {
    /// What has been paid and not given back.
    public var netPaid: Money { Money(fen: paid.fen - refunded.fen) }

    /// The fee with its adjustments.
    public var agreed: Money { fee + adjusted }

    /// What it comes to as it stands: what was agreed, after a visit less what went back of it because it was granted; of
    /// one that nobody came for what is kept; nothing of one that expired.
    public var charge: Money {
        switch state {
        case .cancelled, .noShow: return kept
        case .expired: return .zero
        case .requested, .held, .confirmed, .waitlisted: return agreed
        case .arrived, .completed:
            // What was granted goes back last.
            return Money(fen: agreed.fen - max(0, refunded.fen - (refundDue.fen - granted.fen)))
        }
    }

    /// What is still to be paid.
    public var open: Money { Money(fen: max(0, charge.fen - netPaid.fen)) }

    /// What was paid beyond what it comes to and has not gone back.
    public var tooMuch: Money { Money(fen: max(0, netPaid.fen - charge.fen)) }

    /// What was decided to go back and has not gone yet.
    public var refundOpen: Money { Money(fen: max(0, refundDue.fen - refunded.fen)) }

    public var payment: PaymentState { netPaid.fen == 0 ? .none : netPaid < charge ? .deposit : .paid }
    public var refund: RefundState { refundDue.fen == 0 ? .none : refunded < refundDue ? .due : .refunded }

    public var money: MoneyState {
        if refundOpen.fen > 0 { return .due }
        if tooMuch.fen > 0 { return .overpaid }
        return open.fen > 0 && state != .waitlisted ? .open : .settled
    }

    /// Whether it is over without a visit, so that what is kept is all that it comes to.
    var endedWithoutVisit: Bool { state == .cancelled || state == .noShow }

    /// Whether the group has come.
    var hasCome: Bool { state == .arrived || state == .completed }

    /// Whether something of it may be income.
    var earns: Bool { endedWithoutVisit || hasCome }

    /// Keeps of each line what stands at its place.
    mutating func keep(_ amounts: [Money]) {
        for (index, amount) in zip(lines.indices, amounts) { lines[index].kept = amount }
        kept = amounts.reduce(.zero, +)
    }

    /// Keeps so much in all: the first sessions as much as they did, the last what is left.
    mutating func keep(total: Money) {
        var rest = total.fen
        var amounts = lines.map { line in
            let part = min(line.kept.fen, rest)
            rest -= part
            return Money(fen: part)
        }
        if let last = amounts.indices.last { amounts[last] = Money(fen: amounts[last].fen + rest) }
        keep(amounts)
    }

    /// Sets what is to go back to all that was paid and isn't kept.
    mutating func refundWhatIsNotKept() {
        granted = .zero
        refundDue = Money(fen: max(refunded.fen, paid.fen - kept.fen))
    }
}

/// What goes back only because too much was paid, and what lowers what the visit comes to.
extension Booking {
    /// What is left when all that is to go back has gone, beyond what it comes to then.
    private var tooMuchInTheEnd: Int64 { max(0, paid.fen - refundDue.fen - (agreed.fen - granted.fen)) }

    /// Sets what is to go back in all. What is more than before is granted after a visit, as far as it was not paid too
    /// much; what is less was not granted.
    mutating func refund(due: Money) {
        let more = due.fen - refundDue.fen
        if more < 0 {
            granted = Money(fen: max(0, granted.fen + more))
        } else if hasCome {
            granted = Money(fen: granted.fen + max(0, more - tooMuchInTheEnd))
        }
        refundDue = due
    }

    /// What goes back of a booking that comes to less by now, or for which more was paid, was too much: as much is not
    /// granted.
    mutating func grantNothingTooMuch() {
        granted = Money(fen: max(0, granted.fen - tooMuchInTheEnd))
    }

    /// What was to go back because it was too much, and is not any more, stays.
    mutating func keepWhatIsNotTooMuchAnyMore(since old: Booking) {
        let before = min(old.refundOpen.fen, old.tooMuch.fen)
        refundDue = Money(fen: refundDue.fen - before + min(before, tooMuch.fen))
    }
}

/// What is to be done about a booking's money, if anything.
public enum MoneyState: String, Sendable, CaseIterable, Labelled {
    /// Something is to go back.
    case due
    /// More was paid than it comes to, and nobody has decided what becomes of that.
    case overpaid
    /// Something is still to be paid.
    case open
    case settled

    public var label: Bilingual {
        switch self {
        case .due: Bilingual(zh: "待退款", en: "refund due")
        case .overpaid: Bilingual(zh: "多收", en: "overpaid")
        case .open: Bilingual(zh: "待收款", en: "to be paid")
        case .settled: Bilingual(zh: "已结清", en: "settled")
        }
    }
}

/// How far a booking is paid.
public enum PaymentState: String, Sendable, CaseIterable, Labelled {
    case none, deposit, paid

    public var label: Bilingual {
        switch self {
        case .none: Bilingual(zh: "未付款", en: "not paid")
        case .deposit: Bilingual(zh: "已付定金", en: "deposit paid")
        case .paid: Bilingual(zh: "已付清", en: "paid")
        }
    }
}

/// What has become of the money that is to go back.
public enum RefundState: String, Sendable, CaseIterable, Labelled {
    case none, due, refunded

    public var label: Bilingual {
        switch self {
        case .none: Bilingual(zh: "无退款", en: "no refund")
        case .due: Bilingual(zh: "待退款", en: "refund due")
        case .refunded: Bilingual(zh: "已退款", en: "refunded")
        }
    }
}

/// Money that came in for a booking or went back.
public struct BookingPayment: Sendable {
    public enum Kind: String, Sendable, CaseIterable, Labelled {
        case payment, refund

        public var label: Bilingual {
            switch self {
            case .payment: Bilingual(zh: "收款", en: "payment")
            case .refund: Bilingual(zh: "退款", en: "refund")
            }
        }
    }

    public let id: Int64
    public let kind: Kind
    public let amount: Money
    public let paidHow: String
    public let day: CivilDay
    /// The payment or refund that this one takes back, because it was entered by mistake.
    public let reverses: Int64?
    /// Why it does.
    public let reason: String?
    public let actor: String
    public let at: Date

    /// What it adds to the till, below zero what it takes out.
    public var signed: Money {
        Money(fen: (kind == .payment) == (reverses == nil) ? amount.fen : -amount.fen)
    }
}

/// What changed a booking's fee, or what is kept of it, after it was agreed.
public struct BookingAdjustment: Sendable {
    public let id: Int64
    /// Above or below zero.
    public let amount: Money
    /// Whether it changed what is kept of a booking that nobody came for, and not the fee.
    public let isOfKept: Bool
    public let reason: String
    public let day: CivilDay
    public let actor: String
    public let at: Date
}

extension Booking {
    /// When its seats are no longer kept. A booking for which money was paid waits for the desk, however long.
    public var lapsesAt: Date? { netPaid.fen == 0 ? holdUntil : nil }

    func hasLapsed(_ now: Date) -> Bool { lapsesAt.map { $0 <= now } ?? false }
}
