import ArgumentParser
import Backend
import Batches
import Database
import Documents
import Kernel
import Orchard

struct HouseholdCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "household",
        abstract: words("农户（用 import households 登记）。", "Households (`import households` records them)."),
        subcommands: [List.self, Show.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示农户的现况和历史。", "Shows a household as it is and as it was."),
            discussion: "taoyuan household show H001")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("户号。", "The household's number.")) var household: String

        func run() async throws {
            let (present, periods) = try await options.withBackend { backend in
                try await OrchardStore(backend.database).household(household, backend.local.scope)
            }
            let facts = Table(facts: [
                (words("户号", "household"), present.number), (words("户主", "head"), present.head),
                (words("合作社", "cooperative"), present.cooperative), (words("电话", "phone"), present.phone),
            ]).text
            let table = Table(
                [
                    .left("自", "from"), .left("户主", "head"), .left("网格", "grid cell"),
                    .left("帮扶类别", "support class"), .left("合作社", "cooperative"), .right("人口", "people"),
                ],
                rows: periods.map {
                    [
                        $0.from.sinceWhen, $0.head, $0.gridCell, $0.supportClass, $0.cooperative, "\($0.people)",
                    ]
                })
            try options.show(
                ["household": present.json, "periods": .array(periods.map(\.json))], facts + "\n" + table.text)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出农户。", "Lists the households."), discussion: "taoyuan household list")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("最多列出多少条（默认 100000）。", "How many at most (default: 100000).")) var limit = 100_000

        func validate() throws { try PageOptions.check(limit) }

        func run() async throws {
            let found = try await options.withBackend { backend in
                try await OrchardStore(backend.database).households(backend.local.scope, limit: limit)
            }
            try options.show(
                found, json: \.json,
                [
                    .left("户号", "household"), .left("户主", "head"), .left("网格", "grid cell"),
                    .left("帮扶类别", "support class"), .left("合作社", "cooperative"), .right("人口", "people"),
                    .left("电话", "phone"),
                ]
            ) { household in
                [
                    household.number, household.head, household.gridCell, household.supportClass,
                    household.cooperative, "\(household.people)", household.phone ?? "",
                ]
            }
        }
    }
}

struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot", abstract: words("地块（用 import plots 登记）。", "Plots (`import plots` records them)."),
        subcommands: [List.self, Show.self, Override.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示地块的现况和历史。", "Shows a plot as it is and as it was."),
            discussion: "taoyuan plot show D01")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("地块号。", "The plot's number.")) var plot: String

        func run() async throws {
            let (present, periods) = try await options.withBackend { backend in
                try await OrchardStore(backend.database).plot(plot, backend.local.scope)
            }
            let facts = Table(facts: [
                (words("地块", "plot"), present.number), (words("名称", "name"), present.name),
                (words("合作社", "cooperative"), present.cooperative), (words("户号", "household"), present.household),
            ]).text
            let table = Table(
                [
                    .left("自", "from"), .left("户号", "household"), .left("合作社", "cooperative"),
                    .left("作物", "crop"), .right("面积（亩）", "mu"),
                ],
                rows: periods.map {
                    [
                        $0.from.sinceWhen, $0.household, $0.cooperative, $0.product,
                        // Hundredths, as money has them.
                        "\(Money(fen: $0.areaCentimu))",
                    ]
                })
            try options.show(
                ["plot": present.json, "periods": .array(periods.map(\.json))], facts + "\n" + table.text)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出地块。", "Lists the plots."), discussion: "taoyuan plot list")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("最多列出多少条（默认 100000）。", "How many at most (default: 100000).")) var limit = 100_000

        func validate() throws { try PageOptions.check(limit) }

        func run() async throws {
            let found = try await options.withBackend { backend in
                try await OrchardStore(backend.database).plots(backend.local.scope, limit: limit)
            }
            try options.show(
                found, json: \.json,
                [
                    .left("地块", "plot"), .left("名称", "name"), .left("合作社", "cooperative"),
                    .left("户号", "household"), .left("作物", "crop"), .right("面积（亩）", "mu"),
                ]
            ) { plot in
                [
                    plot.number, plot.name, plot.cooperative, plot.household, plot.product,
                    // Hundredths, as money has them.
                    "\(Money(fen: plot.areaCentimu))",
                ]
            }
        }
    }

    struct Override: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "登记村委会的例外：某地块一季可多采收多少。",
                "Records the committee's exception: so much more may come from a plot in a season."),
            discussion: "taoyuan plot override --plot D01 --season 2025 --extra 500kg --reason 实测增产")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("地块号。", "The plot's number.")) var plot: String
        @Option(help: .words("年份。", "The season, a year.")) var season: Int
        @Option(help: .words("多采收多少，带单位。", "How much more, with its unit."), transform: reading(Weight.init(_:)))
        var extra: Weight
        @Option(help: .words("理由。", "Why.")) var reason: String

        func run() async throws {
            let ceiling = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    HarvestStore.override(plot: plot, season: season, extra: extra, reason: reason))
            }
            try options.done(
                ["plot": .string(plot), "season": JSON(season), "ceiling": JSON(ceiling)],
                "地块 \(plot) 在 \(season) 年最多可采收 \(ceiling)", "plot \(plot) may give \(ceiling) in \(season)")
        }
    }
}

extension CivilDay {
    /// The day from which on something held; what is known from the beginning has none.
    fileprivate var sinceWhen: String { year > 1900 ? description : words("一直", "always") }
}

extension SharedOptions {
    /// Carries out a plan that adds something with a name.
    func add(_ plan: @escaping @Sendable () -> Plan<String>) async throws {
        let name = try await withBackend { backend in
            try await backend.database.change(backend.local.scope, plan())
        }
        try done(["name": .string(name)], "已添加“\(name)”", "“\(name)” is added")
    }
}
