import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

struct BookingUndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: words(
            "撤销预约的上一步（已到、已完成、未到、已取消），或一次签到；从登记簿导入的预约则整个作废。",
            "Takes back a booking's last step (arrived, completed, no-show, cancelled), or one check-in; of a register's row all of it."
        ),
        discussion: """
            taoyuan booking undo 17 --reason 签错了团
            taoyuan booking undo --check-in 5 --reason 把 19 打成 29
            """)

    @OptionGroup var options: SharedOptions
    @Argument(help: .words("预约编号或预约号。", "The booking's number or reference.")) var booking: String?
    @Option(help: .words("签到的编号，见 booking show。", "The check-in's number, as booking show lists it.")) var checkIn:
        Int64?
    @Option(help: .words("原因。", "Why.")) var reason: String
    @Option(
        help: .words("您看到的版本号；预约已不是这一版时拒绝。", "The version that you have seen: refused when it is no longer this one."))
    var seen: Int?

    func validate() throws {
        guard booking != nil || checkIn != nil else {
            throw ValidationError(words("请给出预约或 --check-in。", "Give the booking or --check-in."))
        }
    }

    func run() async throws {
        let key = try booking.map(BookingKey.init(entered:))
        try await options.change(Shapes.booking) { backend in
            let now = backend.clock.now()
            if let checkIn {
                return BookingStore.undoCheckIn(checkIn, of: key, reason: reason, seen: seen, now: now)
            }
            guard let key else { throw CleanExit.helpRequest(self) }
            return BookingStore.undo(key, reason: reason, seen: seen, now: now)
        }
    }
}

struct BookingConflictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflicts",
        abstract: words(
            "列出入口看到、而与登记不符的签到，待接待处处理。", "Lists what gates saw and the books contradict, for the tour desk to settle."),
        discussion: "taoyuan booking conflicts --day 2025-08-21")

    @OptionGroup var options: SharedOptions
    @Option(help: .words("只列这一天的。", "Only those of that day."), transform: reading(CivilDay.init(_:))) var day:
        CivilDay?
    @Flag(help: .words("连处理过的也列出。", "Those that are settled, too.")) var all = false
    @OptionGroup var page: PageOptions

    func run() async throws {
        let found = try await options.read { database, scope in
            try await page.first {
                try await GateConflictStore(database).list(scope, day: day, all: all, limit: $0)
            }
        }
        try options.show(found, Shapes.gateConflict)
    }
}

struct BookingSettleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: words(
            "处理一条与登记不符的签到：认可即计入，不认可即不计。",
            "Settles what a gate saw: accepted, its people count; dismissed, they don't."),
        discussion: "taoyuan booking settle --conflict 3 --accept --reason 团队确实来了")

    @OptionGroup var options: SharedOptions
    @Option(help: .words("编号，见 booking conflicts。", "Its number, as booking conflicts lists it.")) var conflict: Int64
    @Flag(help: .words("认可：他们来了。", "They came.")) var accept = false
    @Flag(help: .words("不认可：不计。", "They don't count.")) var dismiss = false
    @Option(
        help: .words("计入预约的哪一场（默认入口放行的那一场）。", "Which of the booking's sessions they came to (default: the gate's)."))
    var session: Int64?
    @Option(help: .words("原因。", "Why.")) var reason: String

    func validate() throws {
        guard accept != dismiss else {
            throw ValidationError(words("请给出 --accept 或 --dismiss 之一。", "Give either --accept or --dismiss."))
        }
    }

    func run() async throws {
        try await options.change(Shapes.gateConflict) { backend in
            GateConflictStore.settle(
                conflict, accept: accept, session: session, reason: reason, now: backend.clock.now())
        }
    }
}
