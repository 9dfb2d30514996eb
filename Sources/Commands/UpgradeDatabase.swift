import ArgumentParser
import Backend
import Documents

struct UpgradeDatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade-database",
        abstract: words(
            "把内置数据库升级到本机最新的 PostgreSQL。", "Brings the embedded database to this machine's newest PostgreSQL."),
        discussion: "taoyuan upgrade-database --data-dir /var/lib/taoyuan")

    @OptionGroup var options: ProgramOptions
    @Flag(help: .words("版本相同也重建。", "Rebuild it also when its version is the newest."))
    var force = false

    func run() async throws {
        let configuration = try options.configuration()
        let force = force
        let done = try await Interruption.watching { try await Backend.upgradeDatabase(configuration, force: force) }
        try options.done(
            ["from": .integer(Int64(done.from)), "to": .integer(Int64(done.to)), "kept": .string(done.kept)],
            "数据库已从 PostgreSQL \(done.from) 升级到 \(done.to)；旧的保留在 \(done.kept)，确认无误后可删除",
            "the database went from PostgreSQL \(done.from) to \(done.to); the old one is kept in \(done.kept), to be "
                + "deleted when all is well")
    }
}
