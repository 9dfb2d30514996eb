import CPostgres
import Foundation
import Synchronization

/// One connection to the server. Its calls block a thread of its own and nobody else's.
///
/// When the calling task is cancelled, so is the statement on the server.
public actor Connection {
    private let executor: ThreadExecutor
    private var wire: Wire?
    private let canceller = Canceller()
    let statementTimeout: Duration?
    /// Whether it waits long for locks, of a pool whose connections differ in that.
    let isPatient: Bool
    let made = ContinuousClock.now
    /// Whether a later user would find the connection as a new one.
    nonisolated let isReusable = Atomic(false)

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(statementTimeout: Duration?, isPatient: Bool = true) {
        executor = ThreadExecutor(name: "postgres")
        self.isPatient = isPatient
        self.statementTimeout = statementTimeout
    }

    /// Connects.
    /// - Throws: a `PostgresError` of kind `cannotConnect`; `CancellationError`.
    public static func open(_ settings: Settings, statementTimeout: Duration? = nil) async throws -> Connection {
        let connection = Connection(statementTimeout: statementTimeout)
        try await connection.connect(settings, deadline: .now + settings.connectTimeout)
        return connection
    }

    func connect(_ settings: Settings, deadline: ContinuousClock.Instant) throws {
        wire = try Wire(
            settings, statementTimeout: statementTimeout, deadline: min(deadline, .now + settings.connectTimeout),
            canceller: canceller)
        isReusable.store(true, ordering: .releasing)
    }

    /// Runs one statement, in a transaction of its own unless one is open.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func query(_ sql: SQL) async throws -> Rows {
        guard let rows = try await query([sql]).first else { throw PostgresError(.connectionLost, "no answer") }
        return rows
    }

    /// Runs several statements in one round trip and one transaction; the first that fails undoes all.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func query(_ many: [SQL]) async throws -> [Rows] {
        try await perform(patience: statementTimeout) { wire in
            do {
                return try wire.run(many)
            } catch let error as PostgresError where error.isStalePlan {
                // A prepared statement has gone stale, and is no longer in the cache. The server has undone the whole
                // batch, so it can run again; in an open transaction that is for the caller to do.
                guard wire.isIdle else { throw error }
                return try wire.run(many)
            }
        }
    }

    /// Runs a text of several statements: the one place where SQL is a `String`, meant for migration files.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func run(script: String) async throws {
        try await perform(patience: nil) { wire in
            try wire.run(script: script)
        }
    }

    /// Cancels the statement that runs now, if any; its caller gets a `PostgresError` of kind `cancelled`.
    public nonisolated func cancel() {
        canceller.cancel()
    }

    public func close() {
        isReusable.store(false, ordering: .releasing)
        canceller.detach()
        wire = nil
    }

    /// Ends every wait on the connection and with it the connection.
    nonisolated func abort() {
        canceller.abort()
    }

    nonisolated var isQuiet: Bool { canceller.isQuiet }

    func notifications() throws -> [(channel: String, payload: String)] {
        guard let wire else { throw PostgresError(.closed, "the connection is closed") }
        return try wire.notifications()
    }

    /// How many statements the session holds prepared for us.
    var preparedCount: Int { wire?.statements.count ?? 0 }

    /// Undoes an open transaction; a connection on which that fails is closed.
    func rollBack() {
        guard let wire, !wire.isIdle else { return }
        if !canceller.wasRequested, (try? wire.run(["ROLLBACK"])) != nil, wire.isIdle {
            isReusable.store(true, ordering: .releasing)
        } else {
            close()
        }
    }

    /// Calls `work` unless the task is cancelled already, and cancels it on the server when the task is.
    /// - Parameter patience: how long a statement may take; nil is for ever.
    func perform<Answer>(
        patience: Duration?, _ work: (Wire) throws -> Answer
    ) async throws -> Answer {
        guard let wire else { throw PostgresError(.closed, "the connection is closed") }
        wire.patience = patience
        try Task.checkCancellation()
        let canceller = canceller
        let operation = canceller.begin()
        defer {
            canceller.end()
            isReusable.store(wire.isIdle && !canceller.wasRequested, ordering: .releasing)
        }
        do {
            return try await withTaskCancellationHandler {
                try call(work, wire)
            } onCancel: {
                canceller.cancel(operation)
            }
        } catch let error as PostgresError where Task.isCancelled {
            if error.kind == .cancelled || error.kind == .connectionLost { throw CancellationError() }
            throw error
        }
    }

    /// A method of the actor's, because a closure that does not use the actor is not isolated to it and would block a
    /// thread of Swift's own pool.
    private func call<Answer>(_ work: (Wire) throws -> Answer, _ wire: Wire) throws -> Answer {
        try work(wire)
    }
}
