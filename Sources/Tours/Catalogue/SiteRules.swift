import Kernel

enum SiteRules {
    /// The details as they are stored.
    static func check(_ details: TourSite.Details) throws -> TourSite.Details {
        var checked = details
        checked.name = try name(details.name, field: "name")
        guard details.opens < details.closes else {
            throw Refusal(
                .invalid, "hours-reversed", field: "opens", zh: "开门时间须早于关门时间",
                en: "it opens before it closes")
        }
        return checked
    }

    /// A text as it is stored: cleaned, 1 to `max` characters, no control characters.
    static func name(_ text: String, field: String, max: Int = 100) throws -> String {
        try CleanText.name(text, field: field, max: max)
    }

    static func taken(_ name: String, field: String = "name") -> Refusal {
        Refusal(
            .conflict, "name-taken", field: field, zh: "“\(name.shortened)”已经有了",
            en: "“\(name.shortened)” is there already")
    }

    static func unknown(_ name: String) -> Refusal {
        Refusal(
            .notFound, "unknown-site", field: "site", zh: "没有名为“\(name.shortened)”的基地",
            en: "there is no site “\(name.shortened)”")
    }

    static func closedAlready(_ day: CivilDay) -> Refusal {
        Refusal(
            .conflict, "closed-already", field: "day", zh: "\(day) 已经是休息日", en: "\(day) is a closed day already")
    }

    /// A day can be closed only when nothing takes place on it any more.
    static func hasSessions(_ sessions: [Int64], on day: CivilDay) -> Refusal {
        let listed = sessions.prefix(5).map(String.init).joined(separator: ", ") + (sessions.count > 5 ? ", …" : "")
        return Refusal(
            .conflict, "sessions-on-day", field: "day", zh: "\(day) 还有 \(sessions.count) 个场次（\(listed)），请先取消",
            en: "there are sessions on \(day) (\(listed)): cancel them first")
    }
}

extension Refusal {
    /// Someone else changed the same thing in the meantime.
    public static let changedMeanwhile = Refusal(
        .conflict, "changed-meanwhile", zh: "此项在您打开之后已被更改，请重新打开",
        en: "this was changed after you opened it; open it again")
}
