import Foundation
import Kernel

enum SessionRules {
    static let longestRepetition = 366
    static let capacity = 1...10_000

    /// Why there can be no session at a time; nil when there can.
    /// - Parameter closed: the site's closed days and why they are.
    static func obstacle(
        _ day: CivilDay, _ time: TimeOfDay, site: TourSite.Details, closed: [CivilDay: String],
        now: Date
    ) -> Refusal? {
        if time.instant(on: day) <= now { return inPast(day, time) }
        if !site.weekdays.contains(day) {
            let name = CivilDay.weekdayNames[day.weekday - 1]
            return Refusal(
                .invalid, "closed-weekday", field: "day",
                zh: "\(day) 是\(name.zh)，基地只在\(site.weekdays.label.zh)开放",
                en: "\(day) is a \(name.en); the site is open on \(site.weekdays.label.en)")
        }
        if let reason = closed[day] {
            return Refusal(
                .invalid, "closed-day", field: "day", zh: "\(day) 基地不开放：\(reason)",
                en: "the site is closed on \(day): \(reason)")
        }
        return nil
    }

    static func inPast(_ day: CivilDay, _ time: TimeOfDay) -> Refusal {
        Refusal(
            .invalid, "session-in-past", field: "day", zh: "\(day) \(time) 已经过去", en: "\(day) \(time) has passed")
    }

    /// The visit begins and ends within the site's opening hours.
    static func checkHours(_ time: TimeOfDay, minutes: Int, site: TourSite.Details) throws {
        guard site.opens <= time, time.minute + minutes <= site.closes.minute else {
            throw Refusal(
                .invalid, "outside-opening-hours", field: "time",
                zh: "\(time) 开始、时长 \(minutes) 分钟，超出基地开放时间 \(site.opens)–\(site.closes)",
                en: "from \(time) for \(minutes) minutes is outside the site's hours, \(site.opens)–\(site.closes)")
        }
    }

    /// The days that are asked for, before any obstacle.
    static func days(_ new: NewSessions) throws -> [CivilDay] {
        guard let until = new.until else {
            guard new.weekdays == nil else {
                throw Refusal(
                    .invalid, "no-end", field: "until", zh: "重复的场次须写明截止日期",
                    en: "sessions that repeat need the last day of their repetition")
            }
            return [new.day]
        }
        let length = until.daysSince1970 - new.day.daysSince1970 + 1
        guard (1...longestRepetition).contains(length) else {
            throw Refusal(
                .invalid, "repetition-out-of-range", field: "until", zh: "截止日期须在首日之后，最多 \(longestRepetition) 天",
                en: "a repetition ends on or after its first day, and within \(longestRepetition) days")
        }
        let days = (0..<length).map { new.day.adding(days: $0) }
        return days.filter { new.weekdays?.contains($0) ?? true }
    }

    static func checkCapacity(_ number: Int) throws {
        guard capacity.contains(number) else {
            throw Refusal(
                .invalid, "out-of-range", field: "capacity", zh: "容量须在 1 到 10000 之间",
                en: "the capacity must lie between 1 and 10000")
        }
    }

    /// The resources' names, each once.
    static func resources(_ names: [String]) throws -> [String] {
        let unique = Set(names.map(\.trimmed))
        guard unique.count <= 50 else {
            throw Refusal(
                .invalid, "too-many-resources", field: "resources", zh: "一个场次最多 50 项资源",
                en: "a session has at most 50 resources")
        }
        return unique.sorted()
    }

    static func noDayLeft(_ leftOut: [PlannedSessions.LeftOut]) -> Refusal {
        guard let first = leftOut.first else {
            return Refusal(
                .invalid, "no-day-left", field: "weekdays", zh: "这段时间里没有这样的星期",
                en: "there is no such day of the week in this time")
        }
        return Refusal(
            .invalid, "no-day-left", field: "day", zh: "没有一天可以安排：\(first.reason.zh)",
            en: "there is no day on which it can take place: \(first.reason.en)")
    }

    static func exists(_ id: Int64, _ state: TourSession.State, on day: CivilDay) -> Refusal {
        Refusal(
            .conflict, "session-exists", field: "day", zh: "\(day) 同一时间已有这个课程的场次 \(id)（\(state.label.zh)）",
            en: "session \(id) (\(state.label.en)) of this programme is there on \(day) at the same time")
    }

    static func inTwoPlaces(_ resource: String, _ day: CivilDay, _ session: Int64) -> Refusal {
        Refusal(
            .conflict, "resource-in-two-places", field: "resource",
            zh: "“\(resource.shortened)”在 \(day) 的这段时间已安排给场次 \(session)",
            en: "“\(resource.shortened)” is with session \(session) at that time on \(day)")
    }

    /// A session by its number, as the desk knows it, and by what a group knows of it.
    static func name(_ id: Int64, _ startsAt: Date, _ programme: String) -> Bilingual {
        Bilingual(
            zh: "场次 \(id)（\(startsAt.minute) \(programme)）", en: "session \(id) (\(startsAt.minute), \(programme))")
    }

    static func unknown(_ id: Int64) -> Refusal {
        Refusal(
            .notFound, "unknown-session", field: "session", zh: "没有场次 \(id)", en: "there is no session \(id)")
    }

    static func tooSmall(_ session: TourSession) -> Refusal {
        let taken = session.held + session.booked
        return Refusal(
            .conflict, "capacity-below-taken", field: "capacity", zh: "已有 \(taken) 个名额被占用，容量不能更小",
            en: "\(taken) seats are taken: the capacity can't be less")
    }

    static func hasSeatsTaken(_ session: TourSession) -> Refusal {
        Refusal(
            .conflict, "seats-taken",
            zh:
                "还有 \(session.held + session.booked) 个名额被占用（待确认 \(session.held)，已确认 \(session.booked)），请先改期或取消这些预约，或连同预约一起取消（--with-bookings）",
            en: "\(session.held + session.booked) seats are taken (\(session.held) held, \(session.booked) booked): "
                + "move or cancel those bookings first, or cancel the session with them (--with-bookings)")
    }

    static func wrongState(_ session: TourSession) -> Refusal {
        Refusal(
            .conflict, "wrong-session-state", zh: "场次 \(session.id) 现在是“\(session.state.label.zh)”",
            en: "session \(session.id) is \(session.state.label.en)")
    }
}
