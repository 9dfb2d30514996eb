import Kernel

/// What happens to a booking that is there, and where from and to it leads: the one declaration of a booking's steps.
///
/// The database's `tour_step` is the same table, which a foreign key holds every booking to; plans ask `from`, and what
/// is offered to whoever looks at a booking is `BookingState.steps`.
enum BookingStep: CaseIterable {
    case confirm, hold, change, checkIn, noShow, complete, cancel
    /// Nobody's doing: its time has passed.
    case expire
    /// One step back, because it was a mistake.
    case undo
    /// The desk found that a group was let in although its booking had ended.
    case admit
    /// A register's row was wrong, and is taken back whole.
    case void

    var label: Bilingual {
        switch self {
        case .confirm: Bilingual(zh: "确认", en: "confirm")
        case .hold: Bilingual(zh: "保留", en: "hold")
        case .change: Bilingual(zh: "更改", en: "change")
        case .checkIn: Bilingual(zh: "签到", en: "check in")
        case .noShow: Bilingual(zh: "登记未到", en: "no-show")
        case .complete: Bilingual(zh: "完成", en: "complete")
        case .cancel: Bilingual(zh: "取消", en: "cancel")
        case .expire: Bilingual(zh: "过期", en: "expire")
        case .undo: Bilingual(zh: "撤销", en: "undo")
        case .admit: Bilingual(zh: "认可入场", en: "accept at the gate")
        case .void: Bilingual(zh: "作废", en: "void")
        }
    }

    /// Whether a group may take it by itself.
    var isForStrangers: Bool { self == .change || self == .cancel }

    /// Whether it is offered as what can be done next; the others have their own occasions.
    var isOffered: Bool { ![.expire, .undo, .admit, .void].contains(self) }

    /// Where it may be taken, and where it leads: to nothing new where the booking stays as it is.
    private var ways: [(from: Set<BookingState>, to: Set<BookingState>)] {
        switch self {
        case .confirm: [([.requested, .held], [.confirmed])]
        case .hold: [([.requested, .held, .waitlisted], [.held])]
        case .change: [([.requested, .held, .waitlisted, .confirmed], [])]
        // A group that comes late is let in all the same. That more of it come is no step.
        case .checkIn: [([.confirmed, .noShow], [.arrived])]
        case .noShow: [([.confirmed], [.noShow])]
        case .complete: [([.confirmed, .arrived], [.completed])]
        case .cancel: [([.requested, .held, .waitlisted, .confirmed], [.cancelled])]
        case .expire: [([.requested, .held, .waitlisted], [.expired])]
        case .undo:
            [
                ([.arrived], [.confirmed, .noShow, .cancelled, .expired]), ([.completed], [.arrived, .confirmed]),
                ([.noShow], [.confirmed]), ([.cancelled], [.requested, .held, .waitlisted, .confirmed]),
            ]
        case .admit: [([.cancelled, .expired], [.arrived])]
        case .void: [([.completed, .noShow, .cancelled], [.cancelled])]
        }
    }

    var from: Set<BookingState> { ways.reduce(into: []) { $0.formUnion($1.from) } }

    /// Where it leads from a state.
    func targets(from state: BookingState) -> Set<BookingState> {
        ways.reduce(into: []) { if $1.from.contains(state) { $0.formUnion($1.to) } }
    }

    /// How a booking begins: asked for, by the desk, waiting, or as registers of past years have it.
    static let beginnings: Set<BookingState> = [
        .requested, .held, .confirmed, .waitlisted, .completed, .cancelled, .noShow,
    ]
}

extension BookingState {
    /// What can be done with a booking that stands here, as it is told to whoever tried something else.
    var steps: [BookingStep] { BookingStep.allCases.filter { $0.isOffered && $0.from.contains(self) } }

    /// Whether the step to here can be taken back.
    public var canBeUndone: Bool { BookingStep.undo.from.contains(self) }

    /// Whether a group may still come: it can be changed and cancelled.
    public var isOpen: Bool { BookingStep.cancel.from.contains(self) }
}
