import Foundation

/// A program of the system, run without a shell, with a bare environment and no open file of ours but those given.
///
/// Public because messages leave through a program too, and Messages may import this room.
public struct Command: Sendable {
    public struct Outcome: Sendable {
        /// As `waitpid` tells it: 0 for success.
        public let status: Int32
        /// What it wrote to its standard output and standard error, in their order.
        public let output: String
        /// Whether it was ended because its time was over.
        public let isLate: Bool
    }

    public let arguments: [String]
    private let environment: [String: String]

    /// - Parameters:
    ///   - user: whom to run as; nil for ourselves.
    ///   - environment: what it is to find there besides the bare one.
    public init(_ arguments: [String], as user: String? = nil, environment: [String: String] = [:]) {
        self.environment = environment
        // Our own working folder may be closed to that user, and PostgreSQL insists on reading its own.
        let place = ["env", "--chdir=/"]
        let change = user.map { ["setpriv", "--reuid=\($0)", "--regid=\($0)", "--init-groups", "--"] }
        self.arguments = place + (change ?? []) + arguments
    }

    /// Runs it to its end. Must not run in a task that can be cancelled: the waits would turn into a busy loop.
    /// - Parameters:
    ///   - input: its standard input; nothing unless given.
    ///   - document: what it reads as `/dev/fd/3`. Both go through pipes filled beforehand, so that no other program
    ///     sees them and nobody waits; each holds at most 65,536 bytes.
    ///   - patience: after which it is killed; nil for never.
    /// - Throws: `FileFault` when it cannot be started or something does not fit.
    public func run(
        input: [UInt8]? = nil, document: [UInt8]? = nil, within patience: Duration? = nil
    ) async throws -> Outcome {
        try await run(input: input, document: document, within: patience, holding: nil)
    }

    /// - Parameter lock: its own, too, until it and those that it has started end; not beside a document.
    func run(
        input: [UInt8]? = nil, document: [UInt8]? = nil, within patience: Duration? = nil, holding lock: FileLock?
    ) async throws -> Outcome {
        let inputPipe = try input.map { try FilledPipe($0) }
        let documentPipe = try document.map { try FilledPipe($0) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileFault(path: arguments[0], errno: errno) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(reading, F_SETFL, O_NONBLOCK)
        let child: pid_t
        do {
            defer { close(writing) }
            child = try spawn(keeping: document == nil && lock == nil ? 2 : 3) { actions in
                posix_spawn_file_actions_adddup2(&actions, writing, 1)
                if let inputPipe { posix_spawn_file_actions_adddup2(&actions, inputPipe.reading, 0) }
                if let lock { posix_spawn_file_actions_adddup2(&actions, lock.descriptor, 3) }
                // The last, because it may be the number of one of the others.
                if let documentPipe { posix_spawn_file_actions_adddup2(&actions, documentPipe.reading, 3) }
            }
        }
        var output: [UInt8] = []
        var status: Int32 = 0
        var isLate = false
        let end = patience.map { ContinuousClock.now + $0 }
        while true {
            // In this order: what it wrote before it ended is read after that.
            let hasEnded = waitpid(child, &status, WNOHANG) != 0
            output += Self.available(reading)
            if hasEnded { break }
            if !isLate, let end, .now > end {
                isLate = true
                // With what it has started: it is a process group of its own.
                kill(-child, SIGKILL)
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Outcome(status: status, output: String(decoding: output, as: UTF8.self), isLate: isLate)
    }

    private static func available(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { all += buffer[..<count] }
        return all
    }

    /// Starts it and leaves it running, its talk appended to the file `log`. The lock is its own from then on.
    /// - Throws: `FileFault` when it cannot be started.
    func start(log: String, holding lock: FileLock) throws -> pid_t {
        try spawn(keeping: 3) { actions in
            posix_spawn_file_actions_adddup2(&actions, lock.descriptor, 3)
            posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
        }
    }

    /// - Parameters:
    ///   - last: the highest descriptor that the child keeps.
    ///   - talk: where its standard error goes; by default where its output does.
    func spawn(
        keeping last: Int32, talk: Int32 = 1, redirecting: (inout posix_spawn_file_actions_t) -> Void
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        redirecting(&actions)
        posix_spawn_file_actions_adddup2(&actions, talk, 2)
        // A server that inherited the socket of our HTTP service would keep its port after our end.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > last {
                posix_spawn_file_actions_addclose(&actions, descriptor)
            }
        }
        // A process group of its own, so that Ctrl-C does not reach it, and signals as if nobody had touched them.
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)

        let bare = ProcessInfo.processInfo.environment.filter { ["PATH", "LD_LIBRARY_PATH"].contains($0.key) }
        let environment = bare.merging(environment) { _, given in given }.map { "\($0.key)=\($0.value)" }
        let words = arguments.map { strdup($0) }
        let settings = (environment + ["LC_ALL=C", "TZ=UTC"]).map { strdup($0) }
        defer { (words + settings).forEach { free($0) } }
        var child: pid_t = 0
        let fault = posix_spawnp(&child, arguments[0], &actions, &attributes, words + [nil], settings + [nil])
        guard fault == 0 else { throw FileFault(path: arguments[0], errno: fault) }
        return child
    }
}

/// A pipe with something in it, whose writing end is closed already.
private final class FilledPipe: Sendable {
    let reading: Int32

    init(_ bytes: [UInt8]) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileFault(path: "pipe", errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        reading = ends[0]
        let count = write(ends[1], bytes, bytes.count)
        let fault = errno
        close(ends[1])
        guard count == bytes.count else { throw FileFault(path: "pipe", errno: count < 0 ? fault : EMSGSIZE) }
    }

    deinit {
        close(reading)
    }
}
