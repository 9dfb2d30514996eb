import Foundation
import Kernel
import Postgres
import Synchronization

/// A private PostgreSQL in a data folder, shared by all processes that open the same folder.
///
/// It listens on a Unix socket only. Every user holds a shared lock on `use.lock`; starting and stopping happen under
/// `start.lock`; the server itself holds `server.lock`. Whoever leaves last stops the server, even if it was started by a process that has been killed since.
public final class EmbeddedPostgres: Sendable {
    /// The owner of the cluster and of its databases.
    public static let superuser = EmbeddedServer.superuser
    public static let database = "taoyuan"

    private let folder: DataFolder
    private let server: EmbeddedServer
    private let use: Mutex<FileLock?>

    private init(
        folder: DataFolder, binaries: String?, isDraft: Bool, settingUp: @escaping @Sendable (String) -> Void
    ) throws {
        self.folder = folder
        server = EmbeddedServer(
            folder: folder, binaries: binaries, isDraft: isDraft, settingUp: { settingUp(folder.root) })
        do {
            use = Mutex(try FileLock(path: folder.useLock))
        } catch let fault as FileFault {
            throw Refusal.file(fault)
        }
    }

    /// Makes the folder and its cluster if they are missing, starts the server unless it runs, and joins its users.
    ///
    /// - Parameters:
    ///   - binaries: the folder of PostgreSQL's programs; nil to look for them.
    ///   - making: whether a cluster is made when there is none; otherwise that is refused, and nothing touched.
    ///   - isDraft: whether it is thrown away unless it is filled and then `finish` is called, and so is written faster.
    ///   - settingUp: told the data folder's path before a new cluster is made in it, which takes seconds.
    /// - Throws: a `Refusal` of kind `unavailable` that says what to do: PostgreSQL is missing or too old, the folder
    ///   is closed, full, damaged or somebody else's, or the server does not start.
    public static func open(
        dataDirectory: String, binaries: String? = nil, making: Bool = true, isDraft: Bool = false,
        settingUp: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws -> EmbeddedPostgres {
        try await uncancelled {
            let folder = try DataFolder(dataDirectory)
            guard try making || folder.hasCluster else { throw Refusal.noData(folder: folder.root) }
            try folder.prepareRoot()
            let embedded = try EmbeddedPostgres(
                folder: folder, binaries: binaries, isDraft: isDraft, settingUp: settingUp)
            do {
                try await embedded.ensureRunning()
            } catch {
                await embedded.close()
                throw error
            }
            return embedded
        }
    }

    /// How to connect to it. Every role may, without a password: who reaches the socket owns the data.
    public func settings(user: String = superuser, database: String = database) -> Settings {
        Settings(host: folder.socketFolder, port: 5432, user: user, database: database)
    }

    /// Starts the server again if it has died.
    /// - Throws: a `Refusal` of kind `unavailable`, as `open` does.
    public func ensureRunning() async throws {
        _ = try await restart()
    }

    /// - Returns: whether the server was down.
    private func restart() async throws -> Bool {
        try await Self.uncancelled {
            try await self.underStartLock {
                guard let isJoined = self.use.withLock({ $0?.tryLock(exclusive: false) }) else {
                    throw Refusal.closed(folder: self.folder.root)
                }
                guard isJoined else { throw Refusal.takenAlone(folder: self.folder.root) }
                try self.folder.prepareContents()
                return try await self.server.ensureRunning()
            }
        }
    }

    /// Keeps all others out until this is closed; it must be the only one.
    /// - Throws: a `Refusal` when others use the server.
    public func useAlone() throws {
        guard use.withLock({ $0?.tryLock(exclusive: true) }) == true else {
            throw Refusal.usedByOthers(folder: folder.root)
        }
    }

    /// Stops the server, and goes on keeping others out. Only after `useAlone`.
    public func stop() async throws {
        try await Self.uncancelled { try await self.underStartLock { await self.server.stop() } }
    }

    /// Looks twice a second whether the server has died, and starts it again, until the task is cancelled or this is
    /// closed.
    /// - Parameter report: told of every new start, with nil, and of every start that failed, with the reason.
    public func supervise(report: @Sendable ((any Error)?) -> Void = { _ in }) async {
        while !Task.isCancelled, use.withLock({ $0 != nil }) {
            folder.trimLog()
            if !server.isReady {
                do {
                    if try await restart() { report(nil) }
                } catch {
                    if use.withLock({ $0 != nil }) { report(error) }
                }
            }
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Leaves the server, and stops it when nobody else uses it. May be called again.
    public func close() async {
        try? await Self.uncancelled {
            guard let use = self.use.withLock({ $0.take() }) else { return }
            try await self.underStartLock {
                if use.tryLock(exclusive: true) { await self.server.stop() }
                use.unlock()
            }
        }
    }

    /// Leaves the server of a draft, which stops it, and waits until the disk holds all that was written.
    public func finish() async throws {
        await close()
        try await Self.uncancelled { try await self.server.settle() }
    }

    private func underStartLock<Result>(_ body: @Sendable () async throws -> Result) async throws -> Result {
        do {
            let lock = try FileLock(path: folder.startLock)
            await lock.lock(exclusive: true)
            defer { lock.unlock() }
            return try await body()
        } catch let fault as FileFault {
            throw Refusal.file(fault)
        }
    }

    /// Half a start or half a stop is worse than a late answer to a cancellation.
    private static func uncancelled<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await Task.detached(operation: body).value
    }
}
