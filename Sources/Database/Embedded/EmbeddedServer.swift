import Foundation
import Kernel

/// Makes, starts and stops the server of one data folder. Whoever calls it holds the start lock.
struct EmbeddedServer: Sendable {
    static let superuser = "taoyuan_admin"

    /// Errors of statements, which may quote what people entered, go to the client alone, and no statement is logged.
    /// docker-compose.yml sets the same.
    static let quietLog = [
        "log_min_messages=log", "log_min_error_statement=panic", "log_statement=none", "log_min_duration_statement=-1",
        "log_lock_waits=off",
    ]

    /// For a cluster that is thrown away unless all of it is written: nothing is logged or waited for by which it would
    /// survive a crash of the machine, before `settle` has it on the disk.
    private static let hasty = [
        "fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "autovacuum=off",
    ]

    let folder: DataFolder
    let binaries: String?
    var isDraft = false
    /// Told before a cluster is made, which takes seconds.
    var settingUp: @Sendable () -> Void = {}
    /// How long processes that hold the server's lock, but are not to be seen, may take to go.
    var strangerPatience = Duration.seconds(20)

    /// - Returns: whether it was down and had to be started.
    /// - Throws: a `Refusal`, `FileFault`.
    func ensureRunning() async throws -> Bool {
        // Recovery after a crash may take long; it is not a reason to give up on the data.
        let deadline = ContinuousClock.now + .seconds(600)
        let strangerDeadline = ContinuousClock.now + strangerPatience
        while ContinuousClock.now < deadline {
            let claim = try FileLock(path: folder.serverLock)
            if claim.tryLock(exclusive: true) {
                try await start(holding: claim, until: deadline)
                return true
            }
            if isReady { return false }
            // It starts or stops; or somebody who was killed has left `initdb` at work; or its head was killed and the rest is about to go; or we share the folder, but not
            // the sight of processes, with another container.
            guard livingProcess != nil || folder.isBeingMade || ContinuousClock.now < strangerDeadline else {
                throw Refusal.inUse(folder: folder.root)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Refusal.startFailed(log: folder.log, reason: "no answer in 10 minutes")
    }

    /// Whether it accepts sessions, as far as its own files tell.
    var isReady: Bool {
        let status = processLines.dropFirst(7).first?.trimmed
        return status == "ready" && livingProcess != nil
    }

    func stop() async {
        guard let process = livingProcess, let claim = try? FileLock(path: folder.serverLock) else { return }
        // SIGINT is PostgreSQL's fast stop: sessions are ended, the data is written. SIGQUIT leaves that to recovery.
        kill(process, SIGINT)
        let patience = ContinuousClock.now + .seconds(60)
        while !claim.tryLock(exclusive: true) {
            if ContinuousClock.now > patience { kill(process, SIGQUIT) }
            try? await Task.sleep(for: .milliseconds(5))
            reap(process)
        }
    }

    private var processLines: [Substring] {
        let text = try? String(contentsOfFile: folder.processFile, encoding: .utf8)
        return text?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
    }

    /// The postmaster by its lock file, unless it has died; after a crash its number may be another process's.
    private var livingProcess: pid_t? {
        guard let process = processLines.first.flatMap({ pid_t($0) }), !reap(process) else { return nil }
        let words = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        return words.split(separator: 0).contains { $0.elementsEqual(folder.cluster.utf8) } ? process : nil
    }

    /// Takes note of the death of a child: it is ours when we started it, or when we are a container's first process.
    @discardableResult
    private func reap(_ process: pid_t) -> Bool {
        waitpid(process, nil, WNOHANG) == process
    }

    private func start(holding claim: FileLock, until deadline: ContinuousClock.Instant) async throws {
        try await refuseIfUnreachable()
        let made = try folder.clusterMajor()
        let programs = try await PostgresBinaries.locate(given: binaries, wanted: made, for: folder)
        if made == nil {
            settingUp()
            try await initialize(with: programs, holding: claim)
        }
        folder.trimLog()
        // We hold the claim, so these are stale; but the number in them may be a stranger's now, and stop PostgreSQL.
        for stale in [folder.processFile, folder.socket + ".lock"] { unlink(stale) }
        let logged = folder.logSize
        let child = try launch(programs, holding: claim)
        while ContinuousClock.now < deadline {
            if waitpid(child, nil, WNOHANG) != 0 {
                throw Refusal.classify(folder.logged(since: logged), folder: folder)
            }
            if isReady { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw Refusal.startFailed(log: folder.log, reason: "no answer in 10 minutes")
    }

    private func launch(_ programs: PostgresBinaries, holding claim: FileLock) throws -> pid_t {
        let settings =
            [
                "listen_addresses=", "unix_socket_directories=\"\(folder.socketFolder)\"",
                "unix_socket_permissions=0700",
                "port=5432", "max_connections=100", "timezone=UTC", "log_timezone=UTC", "logging_collector=off",
                "log_checkpoints=off",
            ] + Self.quietLog + (isDraft ? Self.hasty : [])
        let words = ["\(programs.folder)/postgres", "-D", folder.cluster] + settings.flatMap { ["-c", $0] }
        return try Command(words, as: folder.user).start(log: folder.log, holding: claim)
    }

    /// `initdb` into another name: a cluster that has its name is a finished one, with our database in it. The programs
    /// hold the claim, so that nobody begins again beside them when we are killed.
    private func initialize(with programs: PostgresBinaries, holding claim: FileLock) async throws {
        try folder.prepareUnfinished()
        let command = Command(
            [
                "\(programs.folder)/initdb", "-D", folder.unfinished, "--username=\(Self.superuser)",
                "--encoding=UTF8", "--locale=C", "--auth=trust", "--data-checksums", "--no-instructions",
            ] + (isDraft ? ["--no-sync"] : []), as: folder.user)
        let alone = Command(
            [
                "\(programs.folder)/postgres", "--single", "-D", folder.unfinished, "-c", "exit_on_error=on",
                "postgres",
            ], as: folder.user)
        let database = Array("CREATE DATABASE \"\(EmbeddedPostgres.database)\"\n".utf8)
        var outcome = try await command.run(holding: claim)
        if outcome.status == 0 { outcome = try await alone.run(input: database, holding: claim) }
        guard outcome.status == 0 else { throw Refusal.classify(outcome.output, folder: folder) }
        try folder.acceptUnfinished()
    }

    /// Waits until the disk holds all of the cluster. No server may run in it.
    func settle() async throws {
        let programs = try await PostgresBinaries.locate(given: binaries, wanted: folder.clusterMajor(), for: folder)
        let outcome = try await Command(
            ["\(programs.folder)/initdb", "--sync-only", "-D", folder.cluster], as: folder.user
        ).run()
        guard outcome.status == 0 else { throw Refusal.classify(outcome.output, folder: folder) }
    }

    private func refuseIfUnreachable() async throws {
        guard let user = folder.user else { return }
        let outcome = try await Command(["test", "-w", folder.socketFolder, "-a", "-x", folder.root], as: user).run()
        guard outcome.status == 0 else { throw Refusal.unreachable(folder: folder.root, user: user) }
    }
}
