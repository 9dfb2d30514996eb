import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

struct TourResourceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resource",
        abstract: words(
            "讲解员、教室和大巴；同一时间只能在一处。", "Guides, rooms and coaches, none of which can be in two places at once."),
        subcommands: [Add.self, List.self, Change.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("添加讲解员、教室或大巴。", "Adds a guide, a room or a coach."),
            discussion: "taoyuan tour resource add 张导 --kind guide")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(
            help: .words("guide（讲解员）、room（教室）或 coach（大巴）。", "guide (讲解员), room (教室) or coach (大巴)."),
            transform: reading(TourResource.Kind.init(named:)))
        var kind: TourResource.Kind

        func run() async throws {
            let resource = try await options.change { _ in ResourceStore.add(TourResource(name: name, kind: kind)) }
            try options.done(Shapes.tourResource.json(resource), "已添加“\(resource.name)”", "“\(resource.name)” is added")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出讲解员、教室和大巴。", "Lists guides, rooms and coaches."),
            discussion: "taoyuan tour resource list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            try options.show(try await options.read { try await ResourceStore($0).list($1) }, Shapes.tourResource)
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("更改资源的名称或类别。", "Gives a resource another name or kind."),
            discussion: "taoyuan tour resource change 张导 --rename 张老师")

        @OptionGroup var options: SharedOptions
        @Argument(help: .words("名称。", "Its name.")) var name: String
        @Option(help: .words("新名称。", "Another name.")) var rename: String?
        @Option(help: .words("新类别。", "Another kind."), transform: reading(TourResource.Kind.init(named:)))
        var kind: TourResource.Kind?

        func validate() throws {
            guard rename != nil || kind != nil else {
                throw ValidationError(words("请说明改什么：--rename 或 --kind。", "Say what changes: --rename or --kind."))
            }
        }

        func run() async throws {
            let resource = try await options.change { _ in
                ResourceStore.change(name) { resource in
                    if let rename { resource.name = rename }
                    if let kind { resource.kind = kind }
                }
            }
            try options.done(
                Shapes.tourResource.json(resource), "已更改“\(resource.name)”", "“\(resource.name)” is changed")
        }
    }
}
