import Foundation
import Glibc
import Postgres

/// A PostgreSQL of the test process's own, in a folder of its own, reachable by its socket only.
///
/// A shell looks after it and waits at a pipe. Whatever way this process ends, the pipe closes with it, and the shell
/// stops the server and removes the folder.
public final class TestServer: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// How connections over the socket show who they are.
    public enum Entry: Sendable {
        case trust
        /// The program's two roles need their password; everybody else gets in.
        case passwordForRoles
    }

    public let folder: String
    private let pipe: Int32

    private init(folder: String, pipe: Int32) {
        self.folder = folder
        self.pipe = pipe
    }

    deinit {
        close(pipe)
    }

    public static func start(_ entry: Entry = .trust) async throws -> TestServer {
        let binaries = try findBinaries()
        let folder = "/tmp/taoyuan-pg-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        if geteuid() == 0 {
            try FileManager.default.setAttributes([.ownerAccountName: "postgres"], ofItemAtPath: folder)
        }
        try await run(
            user + [
                "\(binaries)/initdb", "-D", "\(folder)/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale=C", "--no-sync",
            ])
        if entry == .passwordForRoles {
            let rules = """
                local all taoyuan_service,taoyuan_public scram-sha-256
                local all all trust

                """
            try Data(rules.utf8).write(to: URL(filePath: "\(folder)/data/pg_hba.conf"))
        }
        let settings = [
            "listen_addresses=", "unix_socket_directories=\(folder)", "fsync=off", "full_page_writes=off",
            "max_connections=300", "shared_buffers=64MB", "autovacuum=off",
        ]
        let server =
            user + ["\(binaries)/postgres", "-D", "\(folder)/data"] + settings.flatMap { ["-c", $0] }
        // A word on the pipe is a signal for the server, which is then started again; its end ends both.
        let guardian = """
            trap '' INT TERM HUP
            while :; do
                "$@" </dev/null >>\(folder)/log 2>&1 &
                server=$!
                read -r word || break
                kill -"$word" $server
                wait $server
            done
            kill -QUIT $server
            wait $server
            rm -rf \(folder)
            """
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw Failure(description: "no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        _ = try spawn(["/bin/sh", "-c", guardian, "sh"] + server, input: ends[0])
        let started = TestServer(folder: folder, pipe: ends[1])
        try await started.awaitReady()
        return started
    }

    /// How to log in; by default as the superuser.
    public func settings(user: String = "postgres", database: String = "postgres") -> Settings {
        Settings(host: folder, user: user, database: database)
    }

    /// For the superuser's own statements in a village, whose numbers they take.
    public func settings(database: String, village: Int) -> Settings {
        Settings(host: folder, user: "postgres", database: database, options: "-c taoyuan.village=\(village)")
    }

    /// Kills the server without a checkpoint, as a crash would, and starts it again.
    public func crash() async throws {
        let before = try await startTime()
        let word = Array("QUIT\n".utf8)
        guard write(pipe, word, word.count) == word.count else { throw Failure(description: "the shell is gone") }
        try await awaitCondition("the server's restart") { (try? await startTime()).map { $0 != before } ?? false }
    }

    private func startTime() async throws -> String {
        let connection = try await Connection.open(settings())
        let row = try await connection.query("SELECT pg_postmaster_start_time()::text AS started").first
        await connection.close()
        guard let row else { throw Failure(description: "no answer") }
        return try row.decode("started")
    }

    private func awaitReady() async throws {
        try await awaitCondition("the server's start") { (try? await startTime()) != nil }
    }

    /// PostgreSQL refuses to run as root.
    private static var user: [String] {
        geteuid() == 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
    }

    /// The newest of Debian's places, or what the path leads to.
    private static func findBinaries() throws -> String {
        let debian = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? [])
            .sorted { $0.compare($1, options: .numeric) == .orderedDescending }
            .map { "\(debian)/\($0)/bin" }
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let found = (versions + path).first { access("\($0)/initdb", X_OK) == 0 && access("\($0)/postgres", X_OK) == 0 }
        guard let found else { throw Failure(description: "there is no PostgreSQL on this machine") }
        return found
    }

    private static func run(_ words: [String]) async throws {
        let child = try spawn(words, input: nil)
        var status: Int32 = 0
        while waitpid(child, &status, WNOHANG) == 0 { try await Task.sleep(for: .milliseconds(5)) }
        guard status == 0 else { throw Failure(description: "\(words) ended with \(status)") }
    }

    /// Not Foundation's Process, which waits until nobody holds a descriptor that the server inherits and keeps.
    private static func spawn(_ words: [String], input: Int32?) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        // A thread of Swift's blocks signals, and a shell that inherited this would never hear of its child's end.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        posix_spawnattr_setsigmask(&attributes, &none)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        for descriptor in [1, 2] as [Int32] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        // The test runner reads the descriptors that it gave us until their end.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > 2 {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
        let arguments = words.map { strdup($0) }
        defer { arguments.forEach { free($0) } }
        var child: pid_t = 0
        let fault = posix_spawnp(&child, words[0], &actions, &attributes, arguments + [nil], environ)
        guard fault == 0 else { throw Failure(description: "\(words[0]) does not start: \(fault)") }
        return child
    }
}

/// Waits until a condition holds, for a minute at most: no measure of speed, the machine may be busy.
public func awaitCondition(_ name: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw TestServer.Failure(description: "\(name) did not come") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
