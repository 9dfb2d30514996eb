import Backend
import Logging
import Telemetry

/// The log of a program that runs on: standard error, as lines of JSON unless that is a terminal.
struct ProgramLog {
    private let output = LogOutput()
    private let logger: Logger

    init(_ configuration: Configuration) {
        let handler = LineLog(output, level: configuration.logLevel)
        logger = Logger(label: "taoyuan", factory: { _ in handler })
    }

    /// Runs `body`, and writes meanwhile and in the end what is logged.
    func during<Value: Sendable>(_ body: (Logger) async throws -> Value) async throws -> Value {
        let writing = Task { [output] in await output.run() }
        do {
            let value = try await body(logger)
            writing.cancel()
            await writing.value
            return value
        } catch {
            writing.cancel()
            await writing.value
            throw error
        }
    }
}
