import ArgumentParser
import Backend
import Batches
import Documents
import Kernel
import Orchard

struct CooperativeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cooperative", abstract: words("合作社。", "Cooperatives."), subcommands: [List.self, Add.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出合作社。", "Lists the cooperatives."), discussion: "taoyuan cooperative list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let found = try await options.withBackend { backend in
                try await OrchardStore(backend.database).cooperatives(backend.local.scope)
            }
            try options.show(found, Shapes.cooperative)
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("添加合作社。", "Adds a cooperative."), discussion: "taoyuan cooperative add 韩村蟠桃专业合作社")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String

        func run() async throws {
            try await options.add("cooperative") { OrchardStore.addCooperative(name: name) }
        }
    }
}

struct GradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grade", abstract: words("等级。", "Grades."), subcommands: [List.self, Add.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出等级。", "Lists the grades."), discussion: "taoyuan grade list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let found = try await options.withBackend { backend in
                try await OrchardStore(backend.database).grades(backend.local.scope)
            }
            try options.show(found, Shapes.grade)
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("添加等级。", "Adds a grade."), discussion: "taoyuan grade add 三级")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String

        func run() async throws {
            try await options.add("grade") { OrchardStore.addGrade(name: name) }
        }
    }
}

struct ProductCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "product", abstract: words("产品及其品种。", "Products and their varieties."),
        subcommands: [List.self, Add.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出产品。", "Lists the products."), discussion: "taoyuan product list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let found = try await options.withBackend { backend in
                try await OrchardStore(backend.database).products(backend.local.scope)
            }
            try options.show(found, Shapes.product)
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("添加产品。", "Adds a product."),
            discussion: "taoyuan product add 冬枣 --ceiling 3000斤 --best-before-days 20")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(
            help: .words("每亩一季最多产多少，带单位。", "The most that a mu gives in a season, with its unit."),
            transform: reading(Weight.init(_:)))
        var ceiling: Weight
        @Option(
            help: .words(
                "保质期（天）；不给出则标签上没有最佳食用日期。", "Days for which it keeps; without it, labels carry no best-before day."))
        var bestBeforeDays: Int?

        func run() async throws {
            try await options.add("product") {
                OrchardStore.addProduct(name: name, bestBeforeDays: bestBeforeDays, ceilingPerMu: ceiling)
            }
        }
    }
}

struct VarietyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "variety", abstract: words("品种（用 product list 查看）。", "Varieties (`product list` shows them)."),
        subcommands: [Add.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("给产品添加品种。", "Adds a variety to a product."),
            discussion: "taoyuan variety add 中蟠17号 --product 蟠桃")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("产品。", "The product.")) var product: String

        func run() async throws {
            try await options.add("variety") { OrchardStore.addVariety(name: name, product: product) }
        }
    }
}
