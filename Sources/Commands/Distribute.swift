import ArgumentParser
import Backend
import Documents
import Kernel

struct DistributeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "distribute",
        abstract: words(
            "把各村的数据分布到 Citus 集群的节点上；更新数据库结构之后再执行一次。",
            "Spreads the villages over the nodes of a Citus cluster; once, and again after migrations."),
        discussion: "DATABASE_URL=postgres://owner@coordinator/taoyuan taoyuan distribute")

    @OptionGroup var options: ProgramOptions

    func run() async throws {
        let configuration = try options.configuration()
        let tables = try await Interruption.watching { try await Backend.distribute(configuration) }
        let text =
            tables.isEmpty
            ? words("所有表都已分布", "all tables are spread already")
            : words("已分布：", "spread: ") + tables.joined(separator: ", ")
        try options.show(["tables": .array(tables.map { .string($0) })], text)
    }
}
