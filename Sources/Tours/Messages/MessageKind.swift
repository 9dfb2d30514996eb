import Kernel

/// What a group is told of its booking.
public enum MessageKind: String, Sendable, CaseIterable, Labelled {
    case requested, waitlisted, held, confirmed, changed, cancelled, expired, reminder
    /// It waited, and its day came without seats.
    case noSeats = "no_seats"
    case noShow = "no_show"

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
        case .noSeats: Bilingual(zh: "候补未成", en: "no seats")
        case .noShow: Bilingual(zh: "未到", en: "no-show")
        }
    }

    /// Where a booking stands of which this is still worth telling.
    var states: Set<BookingState> {
        switch self {
        case .requested: [.requested]
        case .waitlisted: [.waitlisted]
        case .held: [.held]
        case .confirmed, .reminder: [.confirmed]
        case .changed: [.requested, .held, .waitlisted, .confirmed]
        case .cancelled: [.cancelled]
        case .expired, .noSeats: [.expired]
        case .noShow: [.noShow]
        }
    }

    /// Whether it is of use after the booking's last day as well: that there was nothing to come to, and what of the
    /// money comes back.
    var outlivesTheVisit: Bool { self == .cancelled || self == .noShow }
}
