import ArgumentParser
import Backend
import Database
import Documents
import Foundation
import Kernel
import Tours

struct BookingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "booking", abstract: words("研学预约。", "Bookings of study tours."),
        subcommands: [
            Request.self, Confirm.self, Hold.self, Change.self, Move.self, Cancel.self, NoShow.self, Complete.self,
            Pay.self, Refund.self, PaymentReverse.self, Adjust.self, Picked.self, Todo.self, List.self, Show.self,
            BookingTicketCommand.self, BookingCheckInCommand.self, BookingUndoCommand.self,
            BookingGateListCommand.self, BookingSyncCommand.self, BookingConflictsCommand.self,
            BookingSettleCommand.self,
            BookingDaySheetCommand.self,
        ])

    struct Request: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("在一个或几个场次预约名额。", "Books seats in one or several sessions."),
            discussion: """
                taoyuan booking request --session 12 --unit 区委党校 --kind 党校 --headcount 30 \\
                  --leader 韩老师 --phone 13812345678 --extra 3=30
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("场次编号；可重复给出。", "The session's number; may be repeated.")) var session: [Int64]
        @Option(help: .words("来访单位。", "The unit that comes.")) var unit: String
        @Option(
            help: .words("单位类别：党校、机关、学校、企业、社会，或英文名称。", "The kind of unit: 党校, 机关, 学校, 企业, 社会, or the English name."),
            transform: reading(UnitKind.init(named:)))
        var kind: UnitKind
        @Option(parsing: .unconditional, help: .words("来多少人。", "How many come.")) var headcount: Int
        @Option(help: .words("带队人。", "Who leads the group.")) var leader: String
        @Option(help: .words("手机号，或带区号的座机号。", "A Chinese mobile number, or a landline with its area code.")) var phone:
            String
        @Option(help: .words("电子邮箱。", "An e-mail address.")) var email: String?
        @Option(help: .words("讲解语言，如 zh 或 en。", "The language of the visit, such as zh or en.")) var language: String?
        @Option(help: .words("备注。", "A note.")) var note: String?
        @Option(
            help: .words("附加项目及数量，如 3=30；可重复给出。", "An extra and how much of it, such as 3=30; may be repeated."),
            transform: reading(WantedExtra.init(entered:)))
        var extra: [WantedExtra] = []
        @Option(help: .words("预约一开始的状态。", "Where it begins.")) var state = First.requested
        @Flag(help: .words("没有名额时排候补。", "Wait for seats when there are none.")) var waitlist = false
        @Flag(help: .words("这个电话已约了同一场，仍要再约。", "Book although this phone has a booking of the session already."))
        var again = false

        enum First: String, FixedWord {
            case requested, held, confirmed

            var state: BookingState { BookingState(rawValue: rawValue) ?? .requested }
            var label: Bilingual { state.label }
        }

        func run() async throws {
            let new = NewBooking(
                unit: unit, unitKind: kind, headcount: headcount, leader: leader, phone: phone, email: email,
                language: language, note: note, sessions: session, extras: extra, waitlist: waitlist,
                again: again)
            let booking = try await options.withBackend { backend in
                let intake = BookingIntake(
                    backend.database, village: backend.village.id, limits: backend.configuration.bookingLimits)
                return try await intake.book(
                    new, as: state.state, byStranger: false, now: backend.clock.now(), backend.local.scope)
            }
            try options.show(booking, Shapes.booking)
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("确认预约。", "Confirms a booking."), discussion: "taoyuan booking confirm 17")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in BookingStore.confirm(key, seen: seen, now: now) }
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("重新保留预约的名额，或为候补者找到名额。", "Keeps a booking's seats anew, or finds some for one that waits."),
            discussion: "taoyuan booking hold 17 --minutes 1440")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: .words("保留多少分钟（默认按课程规定）。", "For how long (default: the programme's time).")) var minutes: Int?

        func run() async throws {
            try await which.carryOut(options) { key, seen, now in
                BookingStore.hold(key, minutes: minutes, seen: seen, now: now)
            }
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("更改来访单位、人数或附加项目。", "Changes who comes, how many, or with what."),
            discussion: "taoyuan booking change 17 --headcount 28 --extra 3=28")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: .words("来访单位。", "The unit that comes.")) var unit: String?
        @Option(help: .words("单位类别。", "The kind of unit."), transform: reading(UnitKind.init(named:))) var kind:
            UnitKind?
        @Option(parsing: .unconditional, help: .words("来多少人。", "How many come.")) var headcount: Int?
        @Option(help: .words("带队人。", "Who leads the group.")) var leader: String?
        @Option(help: .words("电话。", "The phone.")) var phone: String?
        @Option(help: .words("电子邮箱；给空文字即删去。", "The e-mail address; an empty text takes it away.")) var email: String?
        @Option(help: .words("讲解语言。", "The language of the visit.")) var language: String?
        @Option(help: .words("备注；给空文字即删去。", "A note; an empty text takes it away.")) var note: String?
        @Option(
            help: .words("今后的全部附加项目，如 3=30；可重复给出。", "All extras from now on, such as 3=30; may be repeated."),
            transform: reading(WantedExtra.init(entered:)))
        var extra: [WantedExtra] = []
        @Flag(help: .words("去掉所有附加项目。", "Take all extras away.")) var noExtras = false

        func validate() throws {
            guard !noExtras || extra.isEmpty else {
                throw ValidationError(words("--extra 与 --no-extras 只能给一个。", "Give --extra or --no-extras."))
            }
        }

        func run() async throws {
            var change = BookingChange()
            change.unit = unit
            change.unitKind = kind
            change.headcount = headcount
            change.leader = leader
            change.phone = phone
            change.email = email
            change.language = language
            change.note = note
            if noExtras || !extra.isEmpty { change.extras = extra }
            let wanted = change
            try await which.carryOut(options) { key, seen, now in
                BookingStore.change(key, wanted, seen: seen, now: now)
            }
        }
    }

    struct Move: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("把预约改到别的场次：给出今后的全部场次。", "Moves a booking to other sessions: all of them from now on."),
            discussion: "taoyuan booking move 17 --session 14")

        @OptionGroup var options: SharedOptions
        @OptionGroup var which: BookingOptions
        @Option(help: .words("场次编号；可重复给出。", "The session's number; may be repeated.")) var session: [Int64]
        @Flag(
            help: .words(
                "这个电话已约过其中的场次时仍要改过去。", "Move it although this phone has a booking of one of the sessions already."))
        var again = false

        func run() async throws {
            var change = BookingChange()
            change.sessions = session
            change.again = again
            let wanted = change
            try await which.carryOut(options) { key, seen, now in
                BookingStore.change(key, wanted, seen: seen, now: now)
            }
        }
    }
}

/// Which booking, and as who has seen it.
struct BookingOptions: ParsableArguments {
    @Argument(help: .words("预约编号或预约号。", "The booking's number or reference.")) var booking: String
    @Option(
        help: .words("您看到的版本号；预约已不是这一版时拒绝。", "The version that you have seen: refused when it is no longer this one."))
    var seen: Int?

    init() {}

    init(booking: String, seen: Int?) {
        self.booking = booking
        self.seen = seen
    }

    /// Carries out a plan on the booking and shows what has become of it.
    func carryOut(
        _ options: SharedOptions, _ plan: @escaping @Sendable (BookingKey, Int?, Date) throws -> Plan<Booking>
    ) async throws {
        let key = try BookingKey(entered: booking)
        try await options.change(Shapes.booking) { [seen] backend in try plan(key, seen, backend.clock.now()) }
    }
}

extension WantedExtra {
    /// Reads `3=30`, and `3=30@12` where it is to be had in several of the booking's sessions.
    init(entered text: String) throws {
        let halves = text.split(separator: "@", maxSplits: 1)
        let parts = (halves.first ?? "").split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let extra = Int(parts[0]), let quantity = Int(parts[1]),
            halves.count == 1 || Int64(halves[1]) != nil
        else {
            throw Refusal(
                .invalid, "not-an-extra", field: "extra", zh: "附加项请写如 3=30", en: "write an extra like 3=30")
        }
        self.init(extra: extra, quantity: quantity, session: halves.count == 2 ? Int64(halves[1]) : nil)
    }
}
