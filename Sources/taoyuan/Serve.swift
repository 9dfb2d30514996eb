import ArgumentParser
import Backend
import Foundation
import Kernel
import Logging
import Web

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the API and the pages until Ctrl-C or SIGTERM.",
        discussion: "Example: taoyuan serve --port 8080 --data-dir /var/lib/taoyuan")

    @Option(help: "The port to listen on (default 8080, or TAOYUAN_PORT).")
    var port: Int?

    @Option(help: "The address to listen on (default 127.0.0.1, or TAOYUAN_HOST).")
    var host: String?

    @Option(name: .customLong("data-dir"), help: "Where the embedded PostgreSQL and the keys lie.")
    var dataDirectory: String?

    func validate() throws {
        guard port.map({ (0...65_535).contains($0) }) ?? true else {
            throw ValidationError("--port is a number from 0 to 65535")
        }
    }

    func run() async throws {
        let configuration = try Configuration(
            environment: ProcessInfo.processInfo.environment, dataDirectory: dataDirectory)
        let backend = try await Backend.open(configuration)
        var logger = Logger(label: "taoyuan") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .notice
        do {
            try await Web.serve(
                backend, host: host ?? configuration.host, port: port ?? configuration.port, logger: logger
            ) { port in
                FileHandle.standardError.write(Data("taoyuan: http://\(configuration.host):\(port)\n".utf8))
            }
        } catch {
            await backend.close()
            throw error
        }
        await backend.close()
    }
}
