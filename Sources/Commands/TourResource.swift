import ArgumentParser
import Backend
import Documents
import Kernel
import Tours

struct TourResourceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resource", abstract: "Guides, rooms and coaches, none of which can be in two places at once.",
        subcommands: [Add.self, List.self, Change.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a guide, a room or a coach.", discussion: "taoyuan tour resource add 张导 --kind guide")

        @OptionGroup var options: SharedOptions
        @Argument(help: "Its name.") var name: String
        @Option(
            help: "guide (讲解员), room (教室) or coach (大巴).", transform: reading(TourResource.Kind.init(named:)))
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
            abstract: "Lists guides, rooms and coaches.", discussion: "taoyuan tour resource list")

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
            abstract: "Gives a resource another name or kind.",
            discussion: "taoyuan tour resource change 张导 --rename 张老师")

        @OptionGroup var options: SharedOptions
        @Argument(help: "Its name.") var name: String
        @Option(help: "Another name.") var rename: String?
        @Option(help: "Another kind.", transform: reading(TourResource.Kind.init(named:)))
        var kind: TourResource.Kind?

        func validate() throws {
            guard rename != nil || kind != nil else { throw ValidationError("Say what changes: --rename or --kind.") }
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
