import ArgumentParser

@main struct Taoyuan: AsyncParsableCommand {
    static let configuration = CommandConfiguration(subcommands: [Serve.self])
}
