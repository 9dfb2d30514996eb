import Kernel

/// Where a booking stands. Which step may follow which is a table of the database, `tour_step`.
public enum BookingState: String, Sendable, CaseIterable, Labelled {
    /// Asked for by the group; its seats are kept until its deadline.
    case requested
    /// Kept by the desk, or for one who waited, until its deadline.
    case held
    case confirmed
    /// The group is there.
    case arrived
    case completed
    /// No seats yet: the group waits for some to come back.
    case waitlisted
    /// The deadline of its hold has passed.
    case expired
    case cancelled
    case noShow = "no_show"

    /// Whether its seats count in a session's `held`.
    public var holdsSeats: Bool { self == .requested || self == .held }

    /// Whether its seats count in a session's `booked`.
    public var ownsSeats: Bool { [.confirmed, .arrived, .completed, .noShow].contains(self) }

    public var label: Bilingual {
        switch self {
        case .requested: Bilingual(zh: "待确认", en: "requested")
        case .held: Bilingual(zh: "已保留", en: "held")
        case .confirmed: Bilingual(zh: "已确认", en: "confirmed")
        case .arrived: Bilingual(zh: "已到", en: "arrived")
        case .completed: Bilingual(zh: "已完成", en: "completed")
        case .waitlisted: Bilingual(zh: "候补", en: "waitlisted")
        case .expired: Bilingual(zh: "已过期", en: "expired")
        case .cancelled: Bilingual(zh: "已取消", en: "cancelled")
        case .noShow: Bilingual(zh: "未到", en: "no-show")
        }
    }
}
