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
            let planned = try await options.withBackend { backend in
                let new = NewSessions(
                    site: site, programme: programme, day: day, time: time, capacity: capacity, resources: resource,
                    until: until, weekdays: weekdays)
                return try await backend.database.change(
                    backend.local.scope, SessionStore.add(new, now: backend.clock.now()))
            }
            let leftOut = planned.leftOut.map { (day: $0.day, reason: $0.reason[.ofThisRun]) }
            let data: JSON = [
                "sessions": .array(planned.sessions.map(\.json)),
                "leftOut": .array(leftOut.map { ["day": JSON($0.day), "reason": .string($0.reason)] }),
            ]
            try options.show(data, TourSession.table(planned.sessions).text)
            for left in leftOut {
                Terminal.say(words("没有安排：", "left out: ") + left.reason)
            }
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
            try options.show(.array(sessions.map(\.json)), TourSession.table(sessions, now: now).text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示场次。", "Shows a session."), discussion: "taoyuan tour session show 12")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("场次编号。", "Its number.")) var session: Int64

        func run() async throws {
            let found = try await options.withBackend { backend in
                try await SessionStore(backend.database).show(session, backend.local.scope)
            }
            try options.show(found.json, TourSession.table([found]).text)
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
            let changed = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    SessionStore.change(
                        session, capacity: capacity, resources: resource.isEmpty && !noResources ? nil : resource))
            }
            try options.show(changed.json, TourSession.table([changed]).text)
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
        let changed = try await withBackend { backend in
            try await backend.database.change(
                backend.local.scope, SessionStore.step(step, session, now: backend.clock.now()))
        }
        try show(changed.json, TourSession.table([changed]).text)
    }
}

extension TourSession {
    var json: JSON {
        [
            "session": JSON(id), "site": .string(site), "programme": .string(programme), "day": JSON(day),
            "time": .string("\(time)"), "startsAt": JSON(startsAt), "endsAt": JSON(endsAt), "capacity": JSON(capacity),
            "held": JSON(held), "booked": JSON(booked), "free": JSON(free), "state": .string(state.rawValue),
            "resources": .array(resources.map { .string($0) }), "version": JSON(version),
        ]
    }

    /// - Parameter now: shows sessions that have begun as past, whatever bookings they would take.
    static func table(_ sessions: [TourSession], now: Date = .distantPast) -> Table {
        Table(
            [
                .right("场次", "session"), .left("日期", "day"), .left("时间", "time"), .left("基地", "site"),
                .left("课程", "programme"), .right("容量", "capacity"), .right("保留", "held"), .right("已订", "booked"),
                .right("空余", "free"), .left("状态", "state"), .left("资源", "resources"),
            ],
            rows: sessions.map { session in
                [
                    "\(session.id)", "\(session.day)", "\(session.time)–\(TimeOfDay(of: session.endsAt))", session.site,
                    session.programme, "\(session.capacity)", "\(session.held)", "\(session.booked)",
                    session.startsAt > now ? "\(session.free)" : nil,
                    session.startsAt > now || session.state == .cancelled
                        ? session.state.label[.ofThisRun] : words("已过", "past"),
                    session.resources.joined(separator: words("、", ", ")),
                ]
            })
    }
}
