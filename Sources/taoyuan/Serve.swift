import ArgumentParser
import Backend
import Kernel
import Logging
import Web

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the API and the pages until Ctrl-C or SIGTERM.",
        discussion: "Example: taoyuan serve --port 8080 --data-dir /var/lib/taoyuan")

    @OptionGroup var options: SharedOptions

    @Option(help: "The port to listen on; TAOYUAN_PORT or 8080 unless told.")
    var port: Int?

    @Option(help: "The address to listen on; TAOYUAN_HOST or 127.0.0.1 unless told.")
    var host: String?

    func validate() throws {
        guard port.map({ (0...65_535).contains($0) }) ?? true else {
            throw ValidationError("--port is a number from 0 to 65535")
        }
    }

    /// Not under `withBackend`: the server itself answers the signals, and finishes what runs first.
    func run() async throws {
        let configuration = try options.configuration()
        let backend = try await Backend.open(configuration)
        var logger = Logger(label: "taoyuan") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let host = host ?? configuration.host
        do {
            try await Web.serve(backend, host: host, port: port ?? configuration.port, logger: logger) { port in
                Terminal.say(
                    words(
                        "已在 http://\(host):\(port) 开始服务，按 Ctrl-C 结束",
                        "serving on http://\(host):\(port), Ctrl-C ends it"))
            }
        } catch {
            await backend.close()
            throw error
        }
        await backend.close()
    }
}
