import Foundation
import Kernel
import Tours

/// How what the tour desk offers looks outside: where tours go, what they are, and when.
extension Shapes {
    public static let tourSite = tourSites(today: CivilDay(daysSince1970: 0))

    /// - Parameter today: a list leaves out closed days that are over.
    public static func tourSites(today: CivilDay) -> Shape<TourSite> {
        Shape(
            "TourSite",
            [
                .init("site", "基地", "site", .text(1...100), \.name), .init("kind", "类别", "kind", .word, \.details.kind),
                .init("opens", .timeOfDay, \.details.opens), .init("closes", .timeOfDay, \.details.closes),
                .init("weekdays", "星期", "weekdays", .weekdays, \.details.weekdays),
                .init("closedDays", .list(of: .object(closedDay), 0...100_000), \.closedDays),
                .init("version", .count(1...Int64.max), \.version),
                .reading("hours", "开放时间", "hours") { site, _ in "\(site.details.opens)–\(site.details.closes)" },
                .reading("closedFromNow", "休息日", "closed days") { site, language in
                    let days = site.closedDays.map(\.day).filter { $0 >= today }
                    return Look.list(of: .day).text(days, language)
                },
                .each("closed", of: \.closedDays) { closed, language in
                    (Bilingual(zh: "休息日", en: "closed")[language], "\(closed.day) \(closed.reason)")
                },
            ], list: ["site", "kind", "hours", "weekdays", "closedFromNow"],
            facts: ["site", "kind", "hours", "weekdays", "closed"])
    }

    private static let closedDay = Shape<TourSite.ClosedDay>(
        nil, [.init("day", "日期", "day", .day, \.day), .init("reason", "理由", "reason", .text(), \.reason)])

    public static let tourProgramme = Shape<TourProgramme>(
        "TourProgramme",
        programmeDetails.members(of: \.details) + [
            .init("extras", "附加项目", "extras", .list(of: .object(tourExtra)), \.extras),
            .init("version", .count(1...Int64.max), \.version),
            .each("offered", of: \.extras) { extra, language in
                (extra.kind.label[language], "\(extra.name) \(extra.price.inYuan[language])")
            },
        ], list: ["programme", "minutes", "price", "people", "languages", "extras"],
        facts: [
            "programme", "takes", "aHead", "languages", "group", "holdMinutes", "changeHours", "freeCancelHours",
            "lateFeePercent", "noShowFeePercent", "offered",
        ])

    private static let programmeDetails = Shape<TourProgramme.Details>(
        nil,
        [
            .init("programme", "课程", "programme", .text(1...100), \.name),
            .init("minutes", "时长（分）", "minutes", .count(10...1440), \.minutes),
            .init("price", "每人（元）", "yuan a head", .money(0...100_000_000), note: "A head", \.price),
            .init("languages", "语言", "languages", .languages, \.languages),
            .init("minGroup", .count(1...10_000), \.minGroup), .init("maxGroup", .count(1...10_000), \.maxGroup),
            .init(
                "holdMinutes", "保留名额", "seats kept", .holdMinutes, note: "How long a request keeps its seats",
                \.holdMinutes),
            .init(
                "changeHours", "可改期", "changes", .hoursBefore,
                note: "Until so many hours before, a group may change its booking", \.changeHours),
            .init(
                "freeCancelHours", "免费取消", "free cancelling", .hoursBefore,
                note: "Until so many hours before, cancelling costs nothing", \.freeCancelHours),
            .init(
                "lateFeePercent", "逾期取消收取", "later cancelling costs", .percent,
                note: "Of the fee, for cancelling later", \.lateFeePercent),
            .init(
                "noShowFeePercent", "未到收取", "not coming costs", .percent, note: "Of the fee, for not coming",
                \.noShowFeePercent),
            .reading("takes", "时长", "takes") { programme, language in
                Bilingual(zh: "\(programme.minutes) 分钟", en: "\(programme.minutes) minutes")[language]
            },
            .reading("aHead", "每人", "a head") { $0.price.inYuan[$1] },
            .reading("people", "人数", "group") { programme, _ in "\(programme.minGroup)–\(programme.maxGroup)" },
            .reading("group", "团队人数", "group") { programme, _ in "\(programme.minGroup)–\(programme.maxGroup)" },
        ])

    public static let tourExtra = Shape<TourExtra>(
        "TourExtra",
        [
            .init(
                "extra", optional: .count(1...Int64(Int32.max)),
                note: "Its number; not in the answer that adds it", \.id),
            .init("kind", .word, \.kind), .init("name", "名称", "name", .text(1...100), \.name),
            .init(
                "price", .money(0...100_000_000),
                note: "A head for meals, a piece for gifts, a 斤 for picking", \.price),
        ], facts: ["name"])

    public static let tourResource = Shape<TourResource>(
        "TourResource",
        [.init("resource", "名称", "resource", .text(1...100), \.name), .init("kind", "类别", "kind", .word, \.kind)],
        list: ["resource", "kind"])

    public static let tourSession = tourSessions(now: .distantPast)

    /// - Parameter now: a list shows sessions that have begun as past, whatever bookings they would take.
    public static func tourSessions(now: Date) -> Shape<TourSession> {
        Shape(
            "TourSession",
            [
                .init("session", "场次", "session", .id(), \.id), .init("site", "基地", "site", .text(), \.site),
                .init("programme", "课程", "programme", .text(), \.programme), .init("day", "日期", "day", .day, \.day),
                .init("time", .timeOfDay, \.time), .init("startsAt", .instant, \.startsAt),
                .init("endsAt", .instant, \.endsAt),
                .init("capacity", "容量", "capacity", .count(1...10_000), \.capacity),
                .init("held", "保留", "held", .count(0...10_000), \.held),
                .init("booked", "已订", "booked", .count(0...10_000), \.booked),
                .init("free", .count(0...10_000), \.free),
                .init("state", .word, \.state),
                .init("resources", "资源", "resources", .list(of: .text()), \.resources),
                .init("version", .count(1...Int64.max), \.version),
                .reading("hours", "时间", "time") { session, _ in TimeOfDay.hours(session.startsAt, session.endsAt) },
                .reading("left", "空余", "free", alignsRight: true) { session, _ in
                    session.startsAt > now ? "\(session.free)" : "—"
                },
                .reading("standing", "状态", "state") { session, language in
                    let isTold = session.startsAt > now || session.state == .cancelled
                    return (isTold ? session.state.label : Bilingual(zh: "已过", en: "past"))[language]
                },
            ],
            list: [
                "session", "day", "hours", "site", "programme", "capacity", "held", "booked", "left", "standing",
                "resources",
            ])
    }

    /// - Parameter language: of the reasons.
    public static func plannedSessions(_ language: Language) -> Shape<PlannedSessions> {
        let leftOut = Shape<PlannedSessions.LeftOut>(
            nil, [.init("day", .day, \.day), .init("reason", .text(1...1000)) { $0.reason[language] }])
        return Shape(
            "PlannedSessions",
            [
                .init("sessions", .list(of: .object(tourSession)), \.sessions),
                .init(
                    "leftOut", .list(of: .object(leftOut)), note: "Days of the repetition on which there is none",
                    \.leftOut),
            ])
    }

    public static let openSession = Shape<OpenSession>(
        "OpenSession",
        [
            .init("session", .number(), \.id), .init("site", .text(), \.site), .init("siteKind", .word, \.siteKind),
            .init("day", .day, \.day), .init("time", .timeOfDay) { TimeOfDay(of: $0.startsAt) },
            .init("startsAt", .instant, \.startsAt), .init("endsAt", .instant, \.endsAt),
            .init("capacity", .count(1...10_000), \.capacity), .init("free", .count(0...10_000), \.free),
        ] + programmeDetails.members(of: \.programme) + [
            .init("extras", .list(of: .object(tourExtra)), \.extras)
        ])
}

extension Look where Value == Weekdays {
    /// 1 is Monday, 7 is Sunday.
    public static var weekdays: Self {
        Look(.array(of: .integer(1...7), 1...7), json: { .array($0.days.map { JSON($0) }) }) { $0.label[$1] }
    }
}

extension Look where Value == [String] {
    fileprivate static var languages: Self {
        Look(.array(of: .string(2...2), 1...20), json: { .array($0.map(JSON.string)) }) { names, _ in
            names.joined(separator: ",")
        }
    }
}

extension Look where Value == Int {
    fileprivate static var percent: Self { Look(.integer(0...100), json: { JSON($0) }) { share, _ in "\(share)%" } }

    /// Until when something may be done.
    fileprivate static var hoursBefore: Self {
        Look(.integer(0...8760), json: { JSON($0) }) { hours, language in
            Bilingual(zh: "开始前 \(hours) 小时", en: "until \(hours) hours before")[language]
        }
    }

    fileprivate static var holdMinutes: Self {
        Look(.integer(5...43_200), json: { JSON($0) }) { minutes, language in
            let scarce = BookingRules.scarceHold(minutes: minutes)
            return Bilingual(
                zh: "\(minutes) 分钟，剩余名额不足五分之一时 \(scarce) 分钟",
                en: "\(minutes) minutes, \(scarce) once less than a fifth of the seats is left")[language]
        }
    }
}

extension Money {
    fileprivate var inYuan: Bilingual { Bilingual(zh: "\(yuan) 元", en: "\(yuan) yuan") }
}
