import Kernel
import Orchard

/// How a village, its growers and what they grow look outside.
extension Shapes {
    public static let village = Shape<Village>(
        nil,
        [
            .init("id", "编号", "id", .count(1...Int64(Int32.max)), \.id),
            .init("village", "村", "village", .text(), \.name), .init("brand", "品牌", "brand", .text(), \.brand),
            .init("origin", "站点", "origin", .text(), \.origin),
        ], list: ["id", "village", "brand", "origin"])

    public static let cooperative = Shape<Cooperative>(
        nil,
        [.init("id", "编号", "id", .count(1...Int64(Int32.max)), \.id)]
            + spelling("cooperative", "合作社", "cooperative").members {
                Spelling(name: $0.name, mergedInto: $0.mergedInto)
            },
        list: ["id", "spelling"])

    public static let grade = Shape<Grade>(
        nil, spelling("grade", "等级", "grade").members { Spelling(name: $0.name, mergedInto: $0.mergedInto) },
        list: ["spelling"])

    public static let product = Shape<Product>(
        "Product",
        [
            .init("product", "产品", "product", .text(), \.name), .init("unit", "单位", "unit", .text(), \.unit),
            .init(
                "bestBeforeDays", "保质期（天）", "keeps (days)", optional: .count(1...3650), \.bestBeforeDays),
            .init("ceilingPerMu", "每亩上限", "ceiling per mu", .weight(1...Weight.limit), \.ceilingPerMu),
            .init("varieties", "品种", "varieties", .list(of: .spelling), \.varieties),
        ], list: ["product", "bestBeforeDays", "ceilingPerMu", "varieties"], blank: "—")

    public static let household = Shape<Household>(
        "Household",
        [
            .init("household", "户号", "household", .text(), \.number), .init("head", "户主", "head", .text(), \.head),
            .init("gridCell", "网格", "grid cell", .text(), \.gridCell),
            .init("supportClass", "帮扶类别", "support class", .text(), \.supportClass),
            .init("cooperative", "合作社", "cooperative", .text(), \.cooperative),
            .init("people", "人口", "people", .count(1...50), \.people),
            .init("phone", "电话", "phone", optional: .text(), \.phone),
        ], list: ["household", "head", "gridCell", "supportClass", "cooperative", "people", "phone"],
        facts: ["household", "head", "cooperative", "phone"])

    public static let householdPeriod = Shape<HouseholdPeriod>(
        "HouseholdPeriod",
        span(from: \.from, until: \.until) + [
            .init("head", "户主", "head", .text(), \.head), .init("gridCell", "网格", "grid cell", .text(), \.gridCell),
            .init("supportClass", "帮扶类别", "support class", .text(), \.supportClass),
            .init("cooperative", "合作社", "cooperative", .text(), \.cooperative),
            .init("people", "人口", "people", .count(1...50), \.people),
        ], list: ["since", "head", "gridCell", "supportClass", "cooperative", "people"])

    /// A household as it is and as it was.
    public static let householdHistory = Shape<(present: Household, periods: [HouseholdPeriod])>(
        nil,
        [
            .init("household", "农户", "household", .object(household)) { $0.present },
            .init("periods", "历史", "periods", .list(of: .object(householdPeriod)), note: "Newest first") { $0.periods },
        ])

    public static let plot = Shape<Plot>(
        "Plot",
        [
            .init("plot", "地块", "plot", .text(), \.number), .init("name", "名称", "name", .text(), \.name),
            .init("cooperative", "合作社", "cooperative", .text(), \.cooperative),
            .init("household", "户号", "household", .text(), \.household),
            .init("product", "作物", "crop", .text(), \.product),
            .init("areaCentimu", "面积（亩）", "mu", .area, note: "Hundredths of a mu", \.areaCentimu),
            .init("longitude", "经度", "longitude", optional: .text(), \.longitude),
            .init("latitude", "纬度", "latitude", optional: .text(), \.latitude),
        ], list: ["plot", "name", "cooperative", "household", "product", "areaCentimu"],
        facts: ["plot", "name", "cooperative", "household"])

    public static let plotPeriod = Shape<PlotPeriod>(
        "PlotPeriod",
        span(from: \.from, until: \.until) + [
            .init("cooperative", "合作社", "cooperative", .text(), \.cooperative),
            .init("household", "户号", "household", .text(), \.household),
            .init("product", "作物", "crop", .text(), \.product),
            .init("areaCentimu", "面积（亩）", "mu", .area, note: "Hundredths of a mu", \.areaCentimu),
        ], list: ["since", "household", "cooperative", "product", "areaCentimu"])

    /// A plot as it is and as it was.
    public static let plotHistory = Shape<(present: Plot, periods: [PlotPeriod])>(
        nil,
        [
            .init("plot", "地块", "plot", .object(plot)) { $0.present },
            .init("periods", "历史", "periods", .list(of: .object(plotPeriod)), note: "Newest first") { $0.periods },
        ])

    /// What may come from a plot in a season by the committee's exception.
    public static let plotException = Shape<(plot: String, season: Int, ceiling: Weight)>(
        nil,
        [
            .init("plot", "地块", "plot", .text()) { $0.plot },
            .init("season", "年份", "season", .count(1990...2199)) { $0.season },
            .init("ceiling", "最多可采收", "ceiling", .weight(1...Int64.max)) { $0.ceiling },
        ])

    /// Something new, by its name.
    /// - Parameter thing: such as `grade`.
    public static func added(_ thing: String) -> Shape<String> {
        Shape(nil, [.init(thing, "名称", "name", .text(1...60)) { $0 }])
    }

    public static let nameMerge = Shape<(kind: NameKind, from: String, to: String)>(
        nil,
        [
            .init("kind", "种类", "kind", .word) { $0.kind },
            .init("from", "弃用的写法", "from", .text(), note: "The spelling that is given up") { $0.from },
            .init("to", "正确的写法", "to", .text(), note: "The one that is meant") { $0.to },
        ])

    private static func spelling(_ thing: String, _ zh: String, _ en: String) -> Shape<Spelling> {
        Shape(
            nil,
            [
                .init(thing, zh, en, .text(1...60), \.name),
                .init(
                    "mergedInto", "并入", "merged into", optional: .text(1...60),
                    note: "The spelling that is meant, of one that was given up", \.mergedInto),
                .reading("spelling", zh, en) { $0.label[$1] },
            ])
    }

    private static func span<Value>(
        from: @escaping @Sendable (Value) -> CivilDay, until: @escaping @Sendable (Value) -> CivilDay?
    ) -> [Shape<Value>.Member] {
        [
            .init("from", "自", "from", .day, from),
            .init(
                "until", "至", "until", optional: .day, note: "The first day on which something else held", until),
            // What is known from the beginning holds from no day on.
            .reading("since", "自", "from") { value, language in
                from(value).year > 1900 ? "\(from(value))" : Bilingual(zh: "一直", en: "always")[language]
            },
        ]
    }
}

/// A name that may have been given up for another.
private struct Spelling {
    let name: String
    let mergedInto: String?

    var label: Bilingual {
        guard let mergedInto else { return Bilingual(zh: name, en: name) }
        return Bilingual(zh: "\(name)（并入 \(mergedInto)）", en: "\(name) (merged into \(mergedInto))")
    }
}

extension Look where Value == Variety {
    fileprivate static var spelling: Self {
        Look(.string(), json: { .string($0.name) }) {
            Spelling(name: $0.name, mergedInto: $0.mergedInto).label[$1]
        }
    }
}
