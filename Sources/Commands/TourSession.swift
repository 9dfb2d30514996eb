import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel
import Tours

struct TourSessionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: words("研学场次与名额。", "When study tours take place, and how many seats they have."),
        subcommands: [Add.self, List.self, Show.self, Change.self, Move.self, Close.self, Reopen.self, Cancel.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "安排一个场次；用 --until 则在每个合适的日子各安排一场，不合适的日子会说明。",
                "Plans a session, or with --until one on each day that fits; days that do not are named."),
            discussion: #"""
                taoyuan tour session add --site 蟠桃采摘园 --programme 蟠桃采摘与农耕研学 --day 2026-12-05 \
                  --time 09:00 --capacity 30 --until 2026-12-31 --weekdays 6,7 --resource 张导
                """#)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("基地。", "The site.")) var site: String
        @Option(help: .words("课程。", "The programme.")) var programme: String
        @Option(help: .words("日期，或第一天。", "The day, or the first one."), transform: reading(CivilDay.init(_:))) var day:
            CivilDay
        @Option(help: .words("开始时间，如 09:00。", "When it begins, such as 09:00."), transform: reading(TimeOfDay.init(_:)))
        var time: TimeOfDay
        @Option(help: .words("多少名额。", "How many seats it has.")) var capacity: Int
        @Option(help: .words("重复到哪一天为止。", "The last day of a repetition."), transform: reading(CivilDay.init(_:)))
        var until: CivilDay?
        @Option(
            help: .words("每周哪几天重复，1 是星期一：6,7。", "On which days it repeats, 1 being Monday: 6,7."),
            transform: reading(Weekdays.init(_:)))
        var weekdays: Weekdays?
        @Option(help: .words("讲解员、教室或大巴；可重复给出。", "A guide, a room or a coach; may be given several times."))
        var resource: [String] = []

        func validate() throws {
            guard weekdays == nil || until != nil else {
                throw ValidationError(
                    words(
                        "--weekdays 须与 --until（重复到哪一天）同用。", "--weekdays needs --until, the last day of the repetition.")
                )
            }
        }

        func run() async throws {
            let new = NewSessions(
                site: site, programme: programme, day: day, time: time, capacity: capacity, resources: resource,
                until: until, weekdays: weekdays)
            let planned = try await options.change { backend in SessionStore.add(new, now: backend.clock.now()) }
            try options.show(
                Shapes.plannedSessions(.ofThisRun).json(planned), Table(Shapes.tourSession, planned.sessions).text)
            for left in planned.leftOut { Terminal.say(words("没有安排：", "left out: ") + left.reason[.ofThisRun]) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "列出一段时间的场次和名额；默认从今天起三个月。",
                "Lists the sessions of a time with their seats; from today for three months unless told."),
            discussion: "taoyuan tour session list --from 2026-12-01 --to 2026-12-31 --site 蟠桃采摘园")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("第一天。", "The first day."), transform: reading(CivilDay.init(_:))) var from: CivilDay?
        @Option(help: .words("最后一天。", "The last day."), transform: reading(CivilDay.init(_:))) var to: CivilDay?
        @Option(help: .words("只列这个基地的场次。", "Only sessions at this site.")) var site: String?
        @OptionGroup var page: PageOptions

        func run() async throws {
            let (sessions, now) = try await options.withBackend { backend in
                let from = from ?? backend.clock.today
                let sessions = try await page.first {
                    try await SessionStore(backend.database).list(
                        from: from, to: to ?? from.adding(days: 92), site: site, limit: $0, backend.local.scope)
                }
                return (sessions, backend.clock.now())
            }
            if sessions.isEmpty, !options.json { return Terminal.say(words("没有场次", "nothing to show")) }
            try options.show(sessions, Shapes.tourSessions(now: now))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示场次。", "Shows a session."), discussion: "taoyuan tour session show 12")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("场次编号。", "Its number.")) var session: Int64

        func run() async throws {
            let found = try await options.read { try await SessionStore($0).show(session, $1) }
            try options.show(listed: found, Shapes.tourSession)
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("更改场次的名额，或讲解员、教室和大巴。", "Changes a session's capacity, or whom and what it has."),
            discussion: """
                taoyuan tour session change 12 --capacity 40
                taoyuan tour session change 12 --resource 张导 --resource 一号大巴
                """)

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("场次编号。", "Its number.")) var session: Int64
        @Option(help: .words("多少名额。", "How many seats it has.")) var capacity: Int?
        @Option(
            help: .words(
                "讲解员、教室或大巴，取代原有的全部；可重复给出。",
                "A guide, a room or a coach, in place of all it has; may be given several times."))
        var resource: [String] = []
        @Flag(help: .words("不再有讲解员、教室和大巴。", "It has no guide, no room and no coach any more.")) var noResources = false

        func validate() throws {
            guard capacity != nil || !resource.isEmpty || noResources else {
                throw ValidationError(
                    words(
                        "请说明改什么：--capacity、--resource 或 --no-resources。",
                        "Say what changes: --capacity, --resource or --no-resources."))
            }
            guard resource.isEmpty || !noResources else {
                throw ValidationError(
                    words("--resource 与 --no-resources 只能给一个。", "Give --resource or --no-resources, not both."))
            }
        }

        func run() async throws {
            let changed = try await options.change { backend in
                SessionStore.change(
                    session, capacity: capacity, resources: resource.isEmpty && !noResources ? nil : resource,
                    now: backend.clock.now())
            }
            try options.show(listed: changed, Shapes.tourSession)
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("停止接受新预约；已有的预约保留。", "Closes a session to new bookings; those that are there stay."),
            discussion: "taoyuan tour session close 12")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("场次编号。", "Its number.")) var session: Int64

        func run() async throws { try await options.take(.close, of: session) }
    }

    struct Reopen: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("让停止预约或已取消的场次重新接受预约。", "Opens a closed or cancelled session to bookings again."),
            discussion: "taoyuan tour session reopen 12")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("场次编号。", "Its number.")) var session: Int64

        func run() async throws { try await options.take(.reopen, of: session) }
    }
}

extension SharedOptions {
    func take(_ step: SessionStep, of session: Int64) async throws {
        let changed = try await change { backend in SessionStore.step(step, session, now: backend.clock.now()) }
        try show(listed: changed, Shapes.tourSession)
    }
}
