import Foundation
import Testing

/// What a run of a program came to.
struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// The output as JSON.
    func json<Value>(as type: Value.Type = [String: Any].self) throws -> Value {
        let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
        return try #require(value as? Value, "not the JSON expected: \(output)")
    }
}

/// The built program with a data folder of its own, which is not there yet, and goes with the test that made it.
final class Village: Sendable {
    /// Where the program is: TAOYUAN_PROGRAM, or beside the test bundle.
    static let program =
        ProcessInfo.processInfo.environment["TAOYUAN_PROGRAM"]
        ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path + "/taoyuan"

    static let samples =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/TestSupport/Resources/samples"

    let folder: String

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/taoyuan-cli-\(UUID().uuidString.prefix(8))"
        // The embedded PostgreSQL of root runs as another user, who has to come through.
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    func file(_ name: String) -> String { "\(folder)/\(name)" }

    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        return file(name)
    }

    /// The village of the sample registers, with nothing recorded yet.
    static func founded(origin: String = "localhost:8080") async throws -> Village {
        let village = try Village()
        let outcome = try await village.run("init", "--village", "韩村", "--brand", "津小韩", "--origin", origin)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return village
    }

    /// Runs the program on this village's data, in English unless told otherwise.
    @discardableResult
    func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) async throws -> Outcome {
        try await launch(Self.program, arguments, input: input, environment: environment).finish()
    }

    @discardableResult
    func run(_ arguments: String..., input: String = "") async throws -> Outcome {
        try await run(arguments, input: input)
    }

    /// Runs a command that has to succeed, and gives its JSON.
    func json(_ arguments: String...) async throws -> [String: Any] {
        let outcome = try await run(arguments + ["--json"])
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return try outcome.json()
    }

    @discardableResult
    func shell(_ script: String, _ environment: [String: String] = [:]) async throws -> Outcome {
        try await launch("/bin/sh", ["-ec", script], input: "", environment: environment).finish()
    }

    /// The registers that a harvest needs.
    func importPlots() async throws { try await importSamples(["households", "plots"]) }

    /// All six registers, in their order, or some of them.
    func importSamples(
        _ kinds: [String] = ["households", "plots", "harvest", "sales", "income", "bookings"]
    ) async throws {
        for kind in kinds {
            let outcome = try await run("import", kind, "\(Self.samples)/\(kind).csv", "--json")
            try #require(outcome.status == 0, "\(kind): \(outcome.errors)")
        }
    }

    /// A batch of 100 kg harvested on a day long past, and its code's payload.
    func register(_ weight: String = "100kg") async throws -> (batch: Int, payload: String) {
        let made = try await json(
            "batch", "register", "--plot", "D01", "--variety", "瑞蟠21号", "--grade", "特级", "--harvested", "2023-08-21",
            "--weight", weight)
        let code = try #require(made["code"] as? [String: Any])
        return (try #require(made["batch"] as? Int), try #require(code["payload"] as? String))
    }

    func launch(
        _ program: String, _ arguments: [String], input: String, environment: [String: String]
    ) throws -> Running {
        var variables = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("TAOYUAN_") && !$0.key.hasPrefix("DATABASE_URL") && $0.key != "LC_ALL"
        }
        variables["TAOYUAN_DATA_DIR"] = file("data")
        variables["LANG"] = "en_US.UTF-8"
        variables.merge(environment) { $1 }
        return try Running(program, arguments, input: input, environment: variables, folder: folder)
    }
}

/// A program at work, whose output goes to files so that no pipe can fill up.
final class Running: Sendable {
    private let process: Process
    private let outputs: [String]
    private let ended: AsyncStream<Void>

    init(
        _ program: String, _ arguments: [String], input: String, environment: [String: String], folder: String
    ) throws {
        let name = "\(folder)/run-\(UUID().uuidString)"
        outputs = ["out", "err", "in"].map { "\(name).\($0)" }
        let handles = try outputs.map { path in
            try Data(path.hasSuffix("in") ? Array(input.utf8) : []).write(to: URL(filePath: path))
            return try FileHandle(forUpdating: URL(filePath: path))
        }
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardOutput = handles[0]
        process.standardError = handles[1]
        process.standardInput = handles[2]
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in continuation.finish() }
        ended = stream
        self.process = process
        try process.run()
        // Its own now. `Process.run` lists the open files, and crashes when a thousand of them are open.
        for handle in handles { try handle.close() }
    }

    func signal(_ number: Int32) {
        kill(process.processIdentifier, number)
    }

    /// What it has said as soon as that holds `word`, or once it has ended.
    func errors(after word: String) async throws -> String {
        while true {
            let text = try String(contentsOfFile: outputs[1], encoding: .utf8)
            if text.contains(word) || !process.isRunning { return text }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    func finish() async throws -> Outcome {
        for await _ in ended {}
        let texts = try outputs.map { try String(contentsOfFile: $0, encoding: .utf8) }
        for path in outputs { try FileManager.default.removeItem(atPath: path) }
        return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}
