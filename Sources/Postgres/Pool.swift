import Synchronization

/// How long a statement waits for what somebody else has locked.
///
/// Half of a pool's connections, those that are given out first, wait long, and the others wait only shortly: so many as
/// may wait for one lock, half of the connections serve those who need not wait.
public struct LockPatience: Sendable {
    public let long: Duration
    public let short: Duration

    public init(long: Duration, short: Duration) {
        self.long = long
        self.short = short
    }
}

/// Connections that are opened when needed, at most `size` of them, and given out in the order in which they are asked
/// for. One that broke, or whose transaction ended badly, is closed and replaced.
public final class Pool: Sendable {
    /// A snapshot of the pool.
    public struct Statistics: Sendable, Equatable {
        public let open: Int
        public let idle: Int
        public let waiting: Int
    }

    private enum Grant {
        case connection(Connection)
        /// The right to open a connection, and whether it waits long for locks.
        case slot(isPatient: Bool)
    }

    private struct Waiter {
        let id: UInt64
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Grant, any Error>
    }

    private struct State {
        var idle: [Connection] = []
        var open = 0
        /// Of the open ones, those that wait long for locks.
        var patient = 0
        /// In the order of their deadlines too, because all wait equally long.
        var waiters: [Waiter] = []
        var lastWaiter: UInt64 = 0
        var hasTimer = false
        var isClosed = false
        var closers: [CheckedContinuation<Void, Never>] = []

        mutating func takeIdle() -> Connection? {
            guard let last = idle.indices.last else { return nil }
            return idle.remove(at: idle.lastIndex { $0.isPatient } ?? last)
        }

        mutating func takeSlot(of size: Int) -> Grant? {
            guard open < size else { return nil }
            open += 1
            let isPatient = patient < (size + 1) / 2
            if isPatient { patient += 1 }
            return .slot(isPatient: isPatient)
        }

        mutating func take(of size: Int) -> Grant? {
            guard waiters.isEmpty else { return nil }
            return takeIdle().map { .connection($0) } ?? takeSlot(of: size)
        }

        mutating func giveBackSlot(isPatient: Bool) {
            open -= 1
            if isPatient { patient -= 1 }
        }
    }

    private let settings: Settings
    private let size: Int
    private let acquireTimeout: Duration
    private let statementTimeout: Duration?
    private let lockPatience: LockPatience?
    private let maxAge: Duration?
    private let state = Mutex(State())

    /// - Parameters:
    ///   - acquireTimeout: how long a call waits for a connection.
    ///   - statementTimeout: how long a statement may run; a transaction may set its own with `statement_timeout`.
    ///   - lockPatience: a transaction may set its own with `lock_timeout`; nil waits as long as a statement may run.
    ///   - maxAge: after which a connection is replaced by a new one, since a session of the server remembers for ever
    ///     what it has looked up.
    public init(
        _ settings: Settings, size: Int, acquireTimeout: Duration = .seconds(5), statementTimeout: Duration? = nil,
        lockPatience: LockPatience? = nil, maxAge: Duration? = nil
    ) {
        precondition(size > 0, "a pool needs a connection")
        self.settings = settings
        self.size = size
        self.acquireTimeout = acquireTimeout
        self.statementTimeout = statementTimeout
        self.lockPatience = lockPatience
        self.maxAge = maxAge
    }

    public var statistics: Statistics {
        state.withLock { Statistics(open: $0.open, idle: $0.idle.count, waiting: $0.waiters.count) }
    }

    /// Runs one statement in a transaction of its own.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func query(_ sql: SQL) async throws -> Rows {
        let connection = try await acquire()
        defer { release(connection) }
        return try await connection.query(sql)
    }

    /// Runs several statements in one round trip and one transaction; the first that fails undoes all.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func query(_ many: [SQL]) async throws -> [Rows] {
        let connection = try await acquire()
        defer { release(connection) }
        return try await connection.query(many)
    }

    /// Runs `body` in a transaction and commits it, unless the body has done so itself; an error rolls back.
    ///
    /// After a serialization failure or a deadlock (40001, 40P01) the whole body runs again, four times at most.
    /// - Parameter settings: what `SET LOCAL` sets for the transaction.
    /// - Throws: what the body throws; a `PostgresError` or `CancellationError` of its own.
    public nonisolated(nonsending) func transaction<Answer>(
        local settings: [LocalSetting] = [], isolation: Isolation = .readCommitted,
        readOnly: Bool = false, _ body: (Transaction) async throws -> Answer
    ) async throws -> Answer {
        let connection = try await acquire()
        defer { release(connection) }
        return try await connection.transaction(local: settings, isolation: isolation, readOnly: readOnly, body)
    }

    /// Lends a connection, for advisory locks and migrations. It is closed afterwards, and with it go its locks and
    /// settings: what a body has left in its session is nobody else's.
    /// - Throws: what the body throws; a `PostgresError` or `CancellationError` when there is no connection.
    public nonisolated(nonsending) func withConnection<Answer>(
        _ body: (Connection) async throws -> Answer
    ) async throws -> Answer {
        let connection = try await acquire()
        let answer: Answer
        do {
            answer = try await body(connection)
        } catch {
            await connection.close()
            release(connection)
            throw error
        }
        await connection.close()
        release(connection)
        return answer
    }

    /// Turns away new callers and those who wait, lets the running ones end, and closes every connection.
    public func close() async {
        let (idle, waiters) = state.withLock {
            $0.isClosed = true
            let taken = ($0.idle, $0.waiters)
            for connection in $0.idle { $0.giveBackSlot(isPatient: connection.isPatient) }
            $0.idle = []
            $0.waiters = []
            return taken
        }
        for waiter in waiters { waiter.continuation.resume(throwing: Self.closed) }
        for connection in idle { await connection.close() }
        await withCheckedContinuation { continuation in
            let isDone = state.withLock {
                if $0.open > 0 { $0.closers.append(continuation) }
                return $0.open == 0
            }
            if isDone { continuation.resume() }
        }
    }

    private static var closed: PostgresError { PostgresError(.closed, "the pool is closed") }

    private func acquire() async throws -> Connection {
        try Task.checkCancellation()
        let deadline = ContinuousClock.now + acquireTimeout
        let isPatient: Bool
        switch try await grant(until: deadline) {
        case .connection(let connection):
            let isFresh = maxAge.map { connection.made + $0 > .now } ?? true
            if isFresh, connection.isQuiet { return connection }
            // What comes unasked is a farewell, or the end itself.
            await connection.close()
            isPatient = connection.isPatient
        case .slot(let kind): isPatient = kind
        }
        let connection = Connection(statementTimeout: statementTimeout, isPatient: isPatient)
        do {
            let wait = lockPatience.map { isPatient ? $0.long : $0.short }
            try await connection.connect(wait.map(settings.waitingForLocks) ?? settings, deadline: deadline)
            return connection
        } catch {
            release(connection)
            throw error
        }
    }

    private func grant(until deadline: ContinuousClock.Instant) async throws -> Grant {
        let ready: (grant: Grant?, id: UInt64) = try state.withLock {
            if $0.isClosed { throw Self.closed }
            if let grant = $0.take(of: size) { return (grant, 0) }
            $0.lastWaiter += 1
            return (nil, $0.lastWaiter)
        }
        if let grant = ready.grant { return grant }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                wait(Waiter(id: ready.id, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == ready.id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    private func wait(_ waiter: Waiter) {
        let (outcome, startsTimer): (Result<Grant, any Error>?, Bool) = state.withLock {
            if $0.isClosed { return (.failure(Self.closed), false) }
            // The cancellation handler has run already, and has found nobody to wake.
            if Task.isCancelled { return (.failure(CancellationError()), false) }
            // A connection may have come back since `grant` looked.
            if let grant = $0.take(of: size) { return (.success(grant), false) }
            $0.waiters.append(waiter)
            let startsTimer = !$0.hasTimer
            $0.hasTimer = true
            return (nil, startsTimer)
        }
        if let outcome { waiter.continuation.resume(with: outcome) }
        if startsTimer { Task { await expireWaiters() } }
    }

    /// Wakes at the deadline of whoever waits longest, for as long as somebody waits: one timer for all.
    private func expireWaiters() async {
        while true {
            let (expired, next): ([Waiter], ContinuousClock.Instant?) = state.withLock { state in
                let now = ContinuousClock.now
                let expired = Array(state.waiters.prefix { $0.deadline <= now })
                state.waiters.removeFirst(expired.count)
                state.hasTimer = !state.waiters.isEmpty
                return (expired, state.waiters.first?.deadline)
            }
            for waiter in expired {
                let error = PostgresError(.poolTimeout, "no connection became free within \(acquireTimeout)")
                waiter.continuation.resume(throwing: error)
            }
            guard let next else { return }
            try? await Task.sleep(until: next, clock: .continuous)
        }
    }

    private func release(_ connection: Connection) {
        let isReusable = connection.isReusable.load(ordering: .acquiring)
        let (waiter, closers): (Waiter?, [CheckedContinuation<Void, Never>]) = state.withLock {
            if !$0.isClosed, !$0.waiters.isEmpty { return ($0.waiters.removeFirst(), []) }
            if !$0.isClosed, isReusable {
                $0.idle.append(connection)
                return (nil, [])
            }
            $0.giveBackSlot(isPatient: connection.isPatient)
            guard $0.isClosed, $0.open == 0 else { return (nil, []) }
            return (nil, $0.closers)
        }
        waiter?.continuation.resume(
            returning: isReusable ? .connection(connection) : .slot(isPatient: connection.isPatient))
        closers.forEach { $0.resume() }
        // The connection itself closes when its last reference goes, which may be the caller's.
    }
}
