import Kernel

/// What the desk, the gate or the group itself can do with a booking that is there.
enum BookingStep: CaseIterable {
    case confirm, hold, change, cancel, checkIn, noShow, complete

    var label: Bilingual {
        switch self {
        case .confirm: Bilingual(zh: "确认", en: "confirm")
        case .hold: Bilingual(zh: "保留", en: "hold")
        case .change: Bilingual(zh: "更改", en: "change")
        case .cancel: Bilingual(zh: "取消", en: "cancel")
        case .checkIn: Bilingual(zh: "签到", en: "check in")
        case .noShow: Bilingual(zh: "登记未到", en: "no-show")
        case .complete: Bilingual(zh: "完成", en: "complete")
        }
    }

    /// Whether a group may take it by itself.
    var isForStrangers: Bool { self == .change || self == .cancel }

    /// Where it leads; nil where the booking stays as it is.
    var target: BookingState? {
        switch self {
        case .confirm: .confirmed
        case .hold: .held
        case .change: nil
        case .cancel: .cancelled
        case .checkIn: .arrived
        case .noShow: .noShow
        case .complete: .completed
        }
    }
}

extension BookingState {
    /// What can be done with a booking that stands here, as it is told to whoever tried something else. That it may be
    /// done is the database's to say: each of these is a step of its table.
    var steps: [BookingStep] {
        switch self {
        case .requested, .held: [.confirm, .hold, .change, .cancel]
        case .waitlisted: [.hold, .change, .cancel]
        case .confirmed: [.change, .checkIn, .noShow, .complete, .cancel]
        case .arrived: [.complete]
        // A group that comes late is let in all the same.
        case .noShow: [.checkIn]
        case .completed, .expired, .cancelled: []
        }
    }
}
