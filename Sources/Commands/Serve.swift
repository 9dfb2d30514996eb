import ArgumentParser
import Backend
import Kernel

/// What serves the program's pages and its API: that of `Web`, handed in by the executable so that neither of the two
/// has to wait for the other to be built.
public typealias Service =
    @Sendable (
        _ backend: Backend, _ host: String, _ port: Int, _ isListening: @escaping @Sendable (Int) -> Void
    ) async throws -> Void

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
        let host = host ?? configuration.host
        do {
            try await Taoyuan.service?(backend, host, port ?? configuration.port) { port in
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
