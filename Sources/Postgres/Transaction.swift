import CPostgres
import Synchronization

/// What a transaction sees of others that run at the same time.
public enum Isolation: Sendable {
    case readCommitted, repeatableRead, serializable
}

/// What `SET LOCAL` sets for a transaction: a number, or several with commas between them; or a word.
public struct LocalSetting: Sendable {
    let name: StaticString
    let values: [Int]
    private var word: StaticString?

    public init(_ name: StaticString, _ values: Int...) {
        self.init(name, values)
    }

    public init(_ name: StaticString, _ values: [Int]) {
        self.name = name
        self.values = values
    }

    public init(_ name: StaticString, word: StaticString) {
        self.init(name, [])
        self.word = word
    }

    /// Its values in the text, which `SET` takes no parameters for.
    public var statement: SQL {
        var text: SQL = "SET LOCAL \(literal: name) = '"
        text.append(text: word?.description ?? values.map(String.init).joined(separator: ","))
        return text + "'"
    }
}

/// An open transaction, which `Pool.transaction` or `Connection.transaction` gives to its closure.
///
/// `BEGIN` and the local settings travel with the first statement. After `commit`, or after the closure has returned,
/// every call throws a `PostgresError` of kind `closed`.
public final class Transaction: Sendable {
    private enum Phase {
        case fresh, open, finished
    }

    private struct State {
        var phase = Phase.fresh
        /// The last statement's error; what comes after it can only be rolled back.
        var failure: PostgresError?
    }

    private let connection: Connection
    private let preamble: [SQL]
    /// How long a statement may take.
    private let patience: Duration?
    private let state = Mutex(State())

    init(
        on connection: Connection, local settings: [LocalSetting], isolation: Isolation,
        readOnly: Bool
    ) {
        self.connection = connection
        let begin: SQL =
            switch isolation {
            case .readCommitted: "BEGIN ISOLATION LEVEL READ COMMITTED"
            case .repeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ"
            case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE"
            }
        preamble = [readOnly ? begin + " READ ONLY" : begin] + settings.map(\.statement)
        let limit = settings.last { $0.name.string == "statement_timeout" }?.values.first
        patience = limit.map { $0 > 0 ? .milliseconds($0) : nil } ?? connection.statementTimeout
    }

    /// Runs one statement.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func query(_ sql: SQL) async throws -> Rows {
        guard let rows = try await run([sql]).first else { throw PostgresError(.connectionLost, "no answer") }
        return rows
    }

    /// Runs several statements in one round trip; after the first that fails the server skips the rest.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func query(_ many: [SQL]) async throws -> [Rows] {
        try await run(many)
    }

    /// Runs the last statements and `COMMIT` in one round trip.
    ///
    /// When the connection is lost here, nobody can tell whether the server has committed.
    /// - Throws: a `PostgresError`, after which nothing is committed unless it `isInDoubt`.
    public func commit(_ last: [SQL] = []) async throws -> [Rows] {
        var rows = try await run(last, commit: true)
        rows.removeLast()
        return rows
    }

    /// Runs a text of several statements; meant for migration files.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func run(script: String) async throws {
        _ = try await run([])
        try await connection.perform(in: self, patience: nil) { try $0.run(script: script) }
    }

    /// Runs `COPY … FROM STDIN` with data that is complete, such as a `CopyBuffer`'s.
    /// - Returns: the rows copied.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled.
    public func copyIn(_ sql: SQL, _ data: [UInt8]) async throws -> Int {
        _ = try await run([])
        return try await connection.perform(in: self, patience: patience) { wire in
            try wire.beginCopy(sql, into: PGRES_COPY_IN)
            try wire.putCopy(data)
            return try wire.endCopyIn()
        }
    }

    /// Runs `COPY … FROM STDIN` with data that comes in pieces, which need not be whole rows. When the sequence throws,
    /// nothing of it is kept.
    /// - Returns: the rows copied.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled; the sequence's own error.
    public nonisolated(nonsending) func copyIn<Chunks: AsyncSequence>(
        _ sql: SQL, rows: Chunks
    ) async throws -> Int where Chunks.Element == [UInt8] {
        _ = try await run([])
        try await connection.perform(in: self, patience: patience) {
            try $0.beginCopy(sql, into: PGRES_COPY_IN)
        }
        do {
            for try await chunk in rows {
                try await connection.perform(in: self, patience: patience) { wire in try wire.putCopy(chunk) }
            }
        } catch {
            // A cancelled task gets no further than here: the connection is then closed with its COPY.
            _ = try? await connection.perform(in: self, patience: patience) {
                try $0.endCopyIn(failing: "the sender gave up")
            }
            throw error
        }
        return try await connection.perform(in: self, patience: patience) { try $0.endCopyIn() }
    }

    /// Runs `COPY … TO STDOUT` and hands over the data in pieces of whole rows, which `CopiedRows` reads. Unlike a cursor's,
    /// its query may be worked out by several processes of the server.
    /// - Throws: a `PostgresError`; `CancellationError` when the task was cancelled; what `consume` throws.
    public nonisolated(nonsending) func copyOut(_ sql: SQL, _ consume: ([UInt8]) async throws -> Void) async throws {
        _ = try await run([])
        try await connection.perform(in: self, patience: patience) {
            try $0.beginCopy(sql, into: PGRES_COPY_OUT)
        }
        while let chunk = try await connection.perform(
            in: self, patience: patience, { try $0.getCopy() })
        {
            try await consume(chunk)
        }
    }

    private func run(_ statements: [SQL], commit: Bool = false) async throws -> [Rows] {
        let begin = state.withLock { $0.phase == .fresh ? preamble : [] }
        let batch = begin + statements + (commit ? ["COMMIT"] : [])
        if batch.isEmpty { return [] }
        return try await connection.perform(in: self, patience: patience) { wire in
            do {
                let rows = try wire.run(batch)
                if commit, rows.last?.command == "ROLLBACK" {
                    throw PostgresError(.rolledBack, "an earlier statement of the transaction had failed")
                }
                return Array(rows.dropFirst(begin.count))
            } catch var error as PostgresError {
                let place = error.statement.map { $0 - begin.count }
                error.statement = place.flatMap { statements.indices.contains($0) ? $0 : nil }
                error.isInDoubt = commit && error.kind == .connectionLost
                throw error
            }
        }
    }

    /// - Throws: a `PostgresError` of kind `closed`.
    func checkOpen() throws {
        guard state.withLock({ $0.phase != .finished }) else {
            throw PostgresError(.closed, "the transaction is finished")
        }
    }

    /// Takes note of what a call did; `isIdle` is whether the connection is out of the transaction now.
    func note(failure: PostgresError?, isIdle: Bool) {
        state.withLock {
            // An error before anything was sent leaves the transaction as it was.
            if failure?.kind == .encoding { return }
            $0.failure = failure
            $0.phase = isIdle ? .finished : .open
        }
    }

    /// Commits what the closure left open.
    func finish() async throws {
        let (phase, failure) = state.withLock { ($0.phase, $0.failure) }
        guard phase == .open else { return close() }
        if let failure { throw failure }
        _ = try await commit()
    }

    /// Rolls back what the closure left open.
    /// - Returns: whether running the closure again may help.
    func abandon(after error: any Error) async -> Bool {
        let (phase, failure) = state.withLock { ($0.phase, $0.failure) }
        close()
        await connection.rollBack()
        let isRetryable = failure?.isRetryable ?? (error as? PostgresError)?.isRetryable ?? false
        return phase != .fresh && isRetryable && connection.isReusable.load(ordering: .acquiring)
    }

    private func close() {
        state.withLock { $0.phase = .finished }
    }
}

extension Connection {
    /// Runs `body` in a transaction and commits it, unless the body has done so itself; an error rolls back.
    ///
    /// After a serialization failure or a deadlock (40001, 40P01) the whole body runs again, four times at most.
    /// - Parameter settings: what `SET LOCAL` sets for the transaction.
    /// - Throws: what the body throws; a `PostgresError` or `CancellationError` of its own.
    public nonisolated(nonsending) func transaction<Answer>(
        local settings: [LocalSetting] = [], isolation: Isolation = .readCommitted,
        readOnly: Bool = false, _ body: (Transaction) async throws -> Answer
    ) async throws -> Answer {
        var attempt = 1
        while true {
            let transaction = Transaction(on: self, local: settings, isolation: isolation, readOnly: readOnly)
            do {
                let answer = try await body(transaction)
                try await transaction.finish()
                return answer
            } catch {
                guard await transaction.abandon(after: error), attempt < 4 else { throw error }
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...(5 << attempt))))
                attempt += 1
            }
        }
    }

    /// Calls `work` as a part of the transaction.
    func perform<Answer>(
        in transaction: Transaction, patience: Duration?, _ work: (Wire) throws -> Answer
    ) async throws -> Answer {
        try transaction.checkOpen()
        return try await perform(patience: patience) { wire in
            do {
                let answer = try work(wire)
                transaction.note(failure: nil, isIdle: wire.isIdle)
                return answer
            } catch {
                transaction.note(failure: error as? PostgresError, isIdle: wire.isIdle)
                throw error
            }
        }
    }
}
