import Foundation
import Synchronization

@testable import Postgres

/// A PostgreSQL of the test process's own, in a folder of its own, reachable by its socket only.
final class TestServer: Sendable {
    enum Failure: Error {
        case noBinaries
        case command(String, status: Int32)
    }

    /// The server that tests share; they keep to tables of their own.
    static let shared = Result { try TestServer() }

    private static let started = Mutex<[TestServer]>([])

    let folder: URL
    private let binaries: URL

    init() throws {
        binaries = try Self.findBinaries()
        folder = URL(filePath: "/tmp/pg-\(UUID().uuidString.prefix(8))", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        if getuid() == 0 {
            try FileManager.default.setAttributes([.ownerAccountName: "postgres"], ofItemAtPath: folder.path)
        }
        let isFirst = Self.started.withLock {
            $0.append(self)
            return $0.count == 1
        }
        if isFirst { atexit { TestServer.started.withLock { $0 }.forEach { $0.remove() } } }
        try run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        try start()
    }

    /// - Parameter database: the one to connect to.
    func settings(database: String = "postgres") -> Settings {
        Settings(host: folder.path, user: "postgres", database: database)
    }

    func pool(size: Int = 4, acquireTimeout: Duration = .seconds(20), statementTimeout: Duration? = nil) -> Pool {
        Pool(settings(), size: size, acquireTimeout: acquireTimeout, statementTimeout: statementTimeout)
    }

    func start() throws {
        let options =
            "-c listen_addresses='' -c unix_socket_directories=\(folder.path) -c fsync=off"
            + " -c max_connections=200"
        try run("pg_ctl", "-D", data, "-w", "-l", folder.path + "/log", "-o", options, "start")
    }

    func stop(mode: String = "fast") throws {
        try run("pg_ctl", "-D", data, "-w", "-m", mode, "stop")
    }

    private var data: String { folder.path + "/data" }

    private func remove() {
        try? stop(mode: "immediate")
        try? FileManager.default.removeItem(at: folder)
    }

    private func run(_ tool: String, _ arguments: String...) throws {
        var command = [binaries.appending(path: tool).path] + arguments
        if getuid() == 0 {
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] + command
        }
        // Not Foundation's Process: it waits until nobody holds a descriptor that the server inherits and keeps.
        var words: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in 0...2 as ClosedRange<Int32> {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var child: pid_t = 0
        var status = posix_spawnp(&child, command[0], &actions, nil, &words, environ)
        if status == 0 { while waitpid(child, &status, 0) < 0, errno == EINTR {} }
        guard status == 0 else { throw Failure.command(tool, status: status) }
    }

    /// The newest of the usual places, or what `pg_config` names.
    private static func findBinaries() throws -> URL {
        let versions = URL(filePath: "/usr/lib/postgresql")
        var candidates = ((try? FileManager.default.contentsOfDirectory(atPath: versions.path)) ?? [])
            .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
            .map { versions.appending(path: "\($0)/bin") }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["pg_config", "--bindir"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        if (try? process.run()) != nil {
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            candidates.append(URL(filePath: text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        let isServer = { (folder: URL) in
            FileManager.default.isExecutableFile(atPath: folder.appending(path: "initdb").path)
        }
        guard let found = candidates.first(where: isServer) else { throw Failure.noBinaries }
        return found
    }
}

/// Waits until a condition holds, for a minute at most: no measure of speed, the machine may be busy.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(20))
    }
    return false
}

/// The `PostgresError` that a body throws, or nil.
func postgresError(_ body: () async throws -> Void) async -> PostgresError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// Counts what concurrent closures do.
final class Tally: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .sequentiallyConsistent) }

    func increment() {
        value.add(1, ordering: .sequentiallyConsistent)
    }
}

/// Keeps what concurrent closures write, in its order.
final class Journal: Sendable {
    private let entries = Mutex<[Int]>([])

    var numbers: [Int] { entries.withLock { $0 } }

    func append(_ number: Int) {
        entries.withLock { $0.append(number) }
    }
}
