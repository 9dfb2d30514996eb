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
            let history = try await options.withBackend { backend in
                try await OrchardStore(backend.database).household(household, backend.local.scope)
            }
            try options.show(
                Shapes.householdHistory.json(history),
                Table(Shapes.household, of: history.present).text + "\n"
                    + Table(Shapes.householdPeriod, history.periods).text)
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
            try options.show(found, Shapes.household)
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
            let history = try await options.withBackend { backend in
                try await OrchardStore(backend.database).plot(plot, backend.local.scope)
            }
            try options.show(
                Shapes.plotHistory.json(history),
                Table(Shapes.plot, of: history.present).text + "\n" + Table(Shapes.plotPeriod, history.periods).text)
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
            try options.show(found, Shapes.plot)
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
                Shapes.plotException.json((plot, season, ceiling)),
                "地块 \(plot) 在 \(season) 年最多可采收 \(ceiling)", "plot \(plot) may give \(ceiling) in \(season)")
        }
    }
}

extension SharedOptions {
    /// Carries out a plan that adds something with a name.
    func add(_ thing: String, _ plan: @escaping @Sendable () -> Plan<String>) async throws {
        let name = try await withBackend { backend in
            try await backend.database.change(backend.local.scope, plan())
        }
        try done(Shapes.added(thing).json(name), "已添加“\(name)”", "“\(name)” is added")
    }
}
