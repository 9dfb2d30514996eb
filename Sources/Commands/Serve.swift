import ArgumentParser
import Backend
import Kernel
import Logging
import Signing

/// What serves the program's pages and its API: that of `Web`, handed in by the executable so that neither of the two
/// has to wait for the other to be built.
public typealias Service =
    @Sendable (
        _ county: County, _ host: String, _ port: Int, _ isListening: @escaping @Sendable (Int) -> Void
    ) async throws -> Void

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: words("提供网页与 API 服务，直到 Ctrl-C 或 SIGTERM。", "Serves the API and the pages until Ctrl-C or SIGTERM."),
        discussion: "taoyuan serve --port 8080 --data-dir /var/lib/taoyuan")

    @OptionGroup var options: ProgramOptions

    @Option(help: .words("监听的端口（默认 TAOYUAN_PORT 或 8080）。", "The port to listen on; TAOYUAN_PORT or 8080 unless told."))
    var port: Int?

    @Option(
        help: .words(
            "监听的地址（默认 TAOYUAN_HOST 或 127.0.0.1）。", "The address to listen on; TAOYUAN_HOST or 127.0.0.1 unless told."))
    var host: String?

    func validate() throws {
        guard port.map({ (0...65_535).contains($0) }) ?? true else {
            throw ValidationError(words("--port 须是 0 到 65535 之间的数", "--port is a number from 0 to 65535"))
        }
    }

    /// Not under `withBackend`: the server itself answers the signals, and finishes what runs first.
    func run() async throws {
        let configuration = try options.configuration()
        try await ProgramLog(configuration).during { try await serve(configuration, logger: $0) }
    }

    private func serve(_ configuration: Configuration, logger: Logger) async throws {
        let county = try await County.open(
            configuration, for: .serving, logger: logger, settingUp: SharedOptions.tellSettingUp)
        let host = host ?? configuration.host
        let end = Interruption.ending(after: 8)
        defer { end.forEach { $0.cancel() } }
        do {
            let origin = try await county.onlyOrigin()
            try await Taoyuan.service.withLock { $0 }?(county, host, port ?? configuration.port) { port in
                let served = words(
                    "已在 http://\(host):\(port) 开始服务，按 Ctrl-C 结束", "serving on http://\(host):\(port), Ctrl-C ends it")
                let hint = origin.flatMap { Self.originHint($0, host: host, port: port) }
                Terminal.say([served, hint].compactMap(\.self).joined(separator: "\n"))
            }
        } catch {
            await county.close()
            throw error
        }
        await county.close()
    }

    /// Says that codes point elsewhere than here, as they must behind a proxy, and as nobody wants on a first try.
    static func originHint(_ origin: Origin, host: String, port: Int) -> String? {
        let isOwn = ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"].contains(host)
        let here = isOwn ? ["localhost", "127.0.0.1", "[::1]"] : [host]
        guard !here.contains(where: { (try? Origin("\($0):\(port)")) == origin }) else { return nil }
        let address = "\(origin.scheme)://\(origin)"
        return words(
            "溯源码和凭证指向 \(address)，不是这里：站点写进每个签名；要换别的站点，请用 taoyuan village add-origin",
            "codes and tickets point to \(address), not here: the origin is part of every signature; another one is given "
                + "by `taoyuan village add-origin`"
        )
    }
}
