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
            let resource = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope, ResourceStore.add(TourResource(name: name, kind: kind)))
            }
            try options.done(resource.json, "已添加“\(resource.name)”", "“\(resource.name)” is added")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出讲解员、教室和大巴。", "Lists guides, rooms and coaches."),
            discussion: "taoyuan tour resource list")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let resources = try await options.withBackend { backend in
                try await ResourceStore(backend.database).list(backend.local.scope)
            }
            try options.show(resources, json: \.json, [.left("名称", "resource"), .left("类别", "kind")]) {
                [$0.name, $0.kind.label[.ofThisRun]]
            }
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
            let resource = try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope,
                    ResourceStore.change(name) { resource in
                        if let rename { resource.name = rename }
                        if let kind { resource.kind = kind }
                    })
            }
            try options.done(resource.json, "已更改“\(resource.name)”", "“\(resource.name)” is changed")
        }
    }
}

extension TourResource {
    var json: JSON { ["resource": .string(name), "kind": .string(kind.rawValue)] }
}
