import Documents
import Kernel
import Tours

extension Shapes {
    static let timeOfDay = Schema.string(4...5)

    static let tourSite = Schema.named(
        "TourSite",
        .object([
            Field("site", .string(1...100)), Field("kind", .enumeration(TourSite.Kind.allCases.map(\.rawValue))),
            Field("opens", timeOfDay), Field("closes", timeOfDay), Field("weekdays", weekdays),
            Field(
                "closedDays",
                .array(of: .object([Field("day", .day), Field("reason", .string(1...200))]), 0...100_000)),
            Field("version", .integer(1...Int64.max)),
        ]))

    /// 1 is Monday, 7 is Sunday.
    static let weekdays = Schema.array(of: .integer(1...7), 1...7)

    static func weekdays(_ json: JSON) throws -> Weekdays {
        try Weekdays(days: json.array.map { try $0.int })
    }

    static func tourSite(_ site: TourSite) -> JSON {
        [
            "site": .string(site.name), "kind": .string(site.details.kind.rawValue),
            "opens": .string("\(site.details.opens)"), "closes": .string("\(site.details.closes)"),
            "weekdays": .array(site.details.weekdays.days.map { JSON($0) }),
            "closedDays": .array(site.closedDays.map { ["day": JSON($0.day), "reason": .string($0.reason)] }),
            "version": JSON(site.version),
        ]
    }

    static let programmePrice = Schema.money(0...100_000_000)

    private static let programmeDetails: [Field] = [
        Field("programme", .string(1...100)), Field("minutes", .integer(10...1440)),
        Field("price", programmePrice, "A head"), Field("languages", .array(of: .string(2...2), 1...20)),
        Field("minGroup", .integer(1...10_000)), Field("maxGroup", .integer(1...10_000)),
        Field("holdMinutes", .integer(5...43_200), "How long a request keeps its seats"),
        Field("changeHours", .integer(0...8760), "Until so many hours before, a group may change its booking"),
        Field("freeCancelHours", .integer(0...8760), "Until so many hours before, cancelling costs nothing"),
        Field("lateFeePercent", .integer(0...100), "Of the fee, for cancelling later"),
        Field("noShowFeePercent", .integer(0...100), "Of the fee, for not coming"),
        Field("extras", .array(of: tourExtra)),
    ]

    private static let tourExtra = Schema.named(
        "TourExtra",
        .object([
            .optional("extra", .integer(1...Int64(Int32.max)), "Its number; not in the answer that adds it"),
            Field("kind", .enumeration(TourExtra.Kind.allCases.map(\.rawValue))), Field("name", .string(1...100)),
            Field("price", programmePrice, "A head for meals, a piece for gifts, a 斤 for picking"),
        ]))

    static let tourProgramme = Schema.named(
        "TourProgramme", .object(programmeDetails + [Field("version", .integer(1...Int64.max))]))

    static func tourProgramme(_ programme: TourProgramme) -> JSON {
        .object(members(programme.details, programme.extras) + [JSON.Member("version", JSON(programme.version))])
    }

    private static func members(_ details: TourProgramme.Details, _ extras: [TourExtra]) -> [JSON.Member] {
        [
            .init("programme", .string(details.name)), .init("minutes", JSON(details.minutes)),
            .init("price", JSON(details.price)),
            .init("languages", .array(details.languages.map { .string($0) })),
            .init("minGroup", JSON(details.minGroup)), .init("maxGroup", JSON(details.maxGroup)),
            .init("holdMinutes", JSON(details.holdMinutes)), .init("changeHours", JSON(details.changeHours)),
            .init("freeCancelHours", JSON(details.freeCancelHours)),
            .init("lateFeePercent", JSON(details.lateFeePercent)),
            .init("noShowFeePercent", JSON(details.noShowFeePercent)),
            .init(
                "extras",
                .array(
                    extras.map { extra in
                        [
                            "extra": extra.id.map { JSON($0) } ?? .null, "kind": .string(extra.kind.rawValue),
                            "name": .string(extra.name), "price": JSON(extra.price),
                        ]
                    })),
        ]
    }

    static let tourResource = Schema.named(
        "TourResource",
        .object([
            Field("resource", .string(1...100)),
            Field("kind", .enumeration(TourResource.Kind.allCases.map(\.rawValue))),
        ]))

    static func tourResource(_ resource: TourResource) -> JSON {
        ["resource": .string(resource.name), "kind": .string(resource.kind.rawValue)]
    }

    static let tourSession = Schema.named(
        "TourSession",
        .object([
            Field("session", .integer(1...Int64.max)), Field("site", .string()), Field("programme", .string()),
            Field("day", .day), Field("time", timeOfDay), Field("startsAt", .instant), Field("endsAt", .instant),
            Field("capacity", .integer(1...10_000)), Field("held", .integer(0...10_000)),
            Field("booked", .integer(0...10_000)), Field("free", .integer(0...10_000)),
            Field("state", .enumeration(TourSession.State.allCases.map(\.rawValue))),
            Field("resources", .array(of: .string())), Field("version", .integer(1...Int64.max)),
        ]))

    static func tourSession(_ session: TourSession) -> JSON {
        [
            "session": JSON(session.id), "site": .string(session.site), "programme": .string(session.programme),
            "day": JSON(session.day), "time": .string("\(session.time)"), "startsAt": instant(session.startsAt),
            "endsAt": instant(session.endsAt), "capacity": JSON(session.capacity), "held": JSON(session.held),
            "booked": JSON(session.booked), "free": JSON(session.free), "state": .string(session.state.rawValue),
            "resources": .array(session.resources.map { .string($0) }), "version": JSON(session.version),
        ]
    }

    static let openSession = Schema.named(
        "OpenSession",
        .object(
            [
                Field("session", .integer(1...Int64.max)), Field("site", .string()),
                Field("siteKind", .enumeration(TourSite.Kind.allCases.map(\.rawValue))), Field("day", .day),
                Field("time", timeOfDay), Field("startsAt", .instant), Field("endsAt", .instant),
                Field("capacity", .integer(1...10_000)), Field("free", .integer(0...10_000)),
            ] + programmeDetails))

    static func openSession(_ session: OpenSession) -> JSON {
        .object(
            [
                .init("session", .integer(session.id)), .init("site", .string(session.site)),
                .init("siteKind", .string(session.siteKind.rawValue)), .init("day", JSON(session.day)),
                .init("time", .string("\(TimeOfDay(of: session.startsAt))")),
                .init("startsAt", instant(session.startsAt)), .init("endsAt", instant(session.endsAt)),
                .init("capacity", JSON(session.capacity)), .init("free", JSON(session.free)),
            ] + members(session.programme, session.extras))
    }
}
