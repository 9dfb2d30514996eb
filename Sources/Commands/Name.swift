import ArgumentParser
import Backend
import Documents
import Kernel
import Orchard

struct NameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "name", abstract: words("名称：把写错的并入写对的。", "Names: what was spelt in two ways is made one."),
        subcommands: [Merge.self])

    struct Merge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "把一种写法并入另一种；已登记的不改写，此后两种写法都找得到。",
                "Makes two spellings one; nothing recorded is rewritten, and both are found afterwards."),
            discussion: """
                taoyuan name merge --kind channel 门店 门店零售
                taoyuan name merge --kind cooperative 老龙弯蟠桃合作社 老龙湾蟠桃合作社
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("什么的名称。", "What they are the names of.")) var kind: NameKind
        @Flag(
            help: .words(
                "正确的写法还没有人用过（渠道、买方）。", "The one that is meant is a new one (of channels and buyers).")) var create =
            false
        @Argument(help: .words("弃用的写法。", "The spelling that is given up.")) var from: String
        @Argument(help: .words("正确的写法。", "The one that is meant.")) var to: String

        func run() async throws {
            try await options.withBackend { backend in
                try await backend.database.change(
                    backend.local.scope, NameMerge.merge(kind, from: from, to: to, creates: create))
            }
            try options.done(
                Shapes.nameMerge.json((kind, from, to)),
                "\(kind.label.zh)“\(from)”已并入“\(to)”", "\(kind.label.en) “\(from)” is “\(to)” from now on")
        }
    }
}
