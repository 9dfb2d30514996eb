import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

struct TourSiteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "site", abstract: words("研学基地。", "Where study tours go."),
        subcommands: [Add.self, List.self, Show.self, Change.self, Close.self, Open.self])

    /// When a site is open.
    struct Hours: ParsableArguments {
        @Option(help: .words("几点开放，如 08:30。", "When it opens, such as 08:30."), transform: reading(TimeOfDay.init(_:)))
        var opens: TimeOfDay?
        @Option(help: .words("几点关闭。", "When it closes."), transform: reading(TimeOfDay.init(_:))) var closes: TimeOfDay?
        @Option(
            help: .words("每周哪几天开放，1 是星期一：1-5 或 6,7。", "On which days of the week, 1 being Monday: 1-5 or 6,7."),
            transform: reading(Weekdays.init(_:)))
        var weekdays: Weekdays?

        func apply(to details: inout TourSite.Details) {
            if let opens { details.opens = opens }
            if let closes { details.closes = closes }
            if let weekdays { details.weekdays = weekdays }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "添加基地；不另说明时每天 08:00 到 18:00 开放。",
                "Adds a site, which is open every day from 08:00 to 18:00 unless told otherwise."),
            discussion: "taoyuan tour site add 蟠桃采摘园 --kind orchard --opens 08:30 --closes 17:30 --weekdays 2-7")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(
            help: .words(
                "base（实践教学基地）、practice-point（实践点）或 orchard（采摘园）。",
                "base (实践教学基地), practice-point (实践点) or orchard (采摘园)."),
            transform: reading(TourSite.Kind.init(named:)))
        var kind: TourSite.Kind
        @OptionGroup var hours: Hours

        func run() async throws {
            var details = TourSite.Details(name: name, kind: kind)
            hours.apply(to: &details)
            let plan = SiteStore.add(details)
            try await options.change(Shapes.tourSite) { _ in plan }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出基地。", "Lists the sites."), discussion: "taoyuan tour site list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let (sites, today) = try await options.withBackend { backend in
                (try await SiteStore(backend.database).list(backend.local.scope), backend.clock.today)
            }
            try options.show(sites, Shapes.tourSites(today: today))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示基地及其休息日。", "Shows a site and its closed days."),
            discussion: "taoyuan tour site show 蟠桃采摘园")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String

        func run() async throws {
            try options.show(try await options.read { try await SiteStore($0).show(name, $1) }, Shapes.tourSite)
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "更改基地；没有给出的保持不变，已安排的场次也不变。",
                "Changes a site; what is not given stays, and so do sessions that are planned."),
            discussion: "taoyuan tour site change 蟠桃采摘园 --closes 18:30")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("新名称。", "Another name.")) var rename: String?
        @Option(help: .words("新类别。", "Another kind."), transform: reading(TourSite.Kind.init(named:))) var kind:
            TourSite.Kind?
        @OptionGroup var hours: Hours

        func validate() throws {
            guard rename != nil || kind != nil || hours.opens != nil || hours.closes != nil || hours.weekdays != nil
            else {
                throw ValidationError(
                    words(
                        "请说明改什么：--rename、--kind、--opens、--closes 或 --weekdays。",
                        "Say what changes: --rename, --kind, --opens, --closes or --weekdays."))
            }
        }

        func run() async throws {
            try await options.change(Shapes.tourSite) { _ in
                SiteStore.change(name) { details in
                    if let rename { details.name = rename }
                    if let kind { details.kind = kind }
                    hours.apply(to: &details)
                }
            }
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("把没有场次的一天定为基地的休息日。", "Closes a site on a day on which it has no sessions."),
            discussion: "taoyuan tour site close 蟠桃采摘园 --day 2026-02-17 --reason 春节")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("日期。", "The day."), transform: reading(CivilDay.init(_:))) var day: CivilDay
        @Option(help: .words("理由。", "Why.")) var reason: String

        func run() async throws {
            try await options.change(Shapes.tourSite) { backend in
                SiteStore.closeDay(name, day: day, reason: reason, today: backend.clock.today)
            }
        }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("让基地在休息日重新开放。", "Opens a site again on a day on which it was closed."),
            discussion: "taoyuan tour site open 蟠桃采摘园 --day 2026-02-17")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("日期。", "The day."), transform: reading(CivilDay.init(_:))) var day: CivilDay

        func run() async throws {
            try await options.change(Shapes.tourSite) { _ in SiteStore.openDay(name, day: day) }
        }
    }
}
