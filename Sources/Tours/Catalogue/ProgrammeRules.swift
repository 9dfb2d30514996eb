import Kernel

enum ProgrammeRules {
    static let minutes = 10...1440
    static let price: ClosedRange<Int64> = 0...100_000_000

    /// The details as they are stored.
    static func check(_ details: TourProgramme.Details) throws -> TourProgramme.Details {
        var checked = details
        checked.name = try SiteRules.name(details.name, field: "name")
        try range(details.minutes, minutes, "minutes")
        try price(details.price)
        guard (1...20).contains(details.languages.count), Set(details.languages).count == details.languages.count,
            details.languages.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (0x61...0x7A).contains($0) } })
        else {
            throw Refusal(
                .invalid, "not-languages", field: "languages", zh: "语言须为两个小写字母的代码，如 zh，不可重复",
                en: "languages are codes of two small letters such as zh, each once")
        }
        try range(details.minGroup, 1...10_000, "minGroup")
        try range(details.maxGroup, 1...10_000, "maxGroup")
        guard details.minGroup <= details.maxGroup else {
            throw Refusal(
                .invalid, "group-reversed", field: "minGroup", zh: "最少人数多于最多人数",
                en: "the smallest group is larger than the largest")
        }
        try range(details.holdMinutes, 5...43_200, "holdMinutes")
        try range(details.changeHours, 0...8760, "changeHours")
        try range(details.freeCancelHours, 0...8760, "freeCancelHours")
        try range(details.lateFeePercent, 0...100, "lateFeePercent")
        try range(details.noShowFeePercent, 0...100, "noShowFeePercent")
        return checked
    }

    static func check(_ extra: TourExtra) throws -> TourExtra {
        try price(extra.price)
        return TourExtra(kind: extra.kind, name: try SiteRules.name(extra.name, field: "name"), price: extra.price)
    }

    private static func price(_ price: Money) throws {
        guard Self.price.contains(price.fen) else {
            throw Refusal(
                .invalid, "price-out-of-range", field: "price", zh: "单价须在 0 到 1,000,000 元之间",
                en: "the price must lie between 0 and 1,000,000 yuan")
        }
    }

    private static func range(_ number: Int, _ range: ClosedRange<Int>, _ field: String) throws {
        guard range.contains(number) else {
            throw Refusal(
                .invalid, "out-of-range", field: field, zh: "须在 \(range.lowerBound) 到 \(range.upperBound) 之间",
                en: "it must lie between \(range.lowerBound) and \(range.upperBound)")
        }
    }

    static func unknown(_ name: String) -> Refusal {
        Refusal(
            .notFound, "unknown-programme", field: "programme", zh: "没有名为“\(name.shortened)”的课程",
            en: "there is no programme “\(name.shortened)”")
    }
}
