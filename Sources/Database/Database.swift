import Kernel
import Logging
import Postgres
import Synchronization
import Telemetry

/// The program's way to its one database: a pool for the service and a smaller one for strangers.
public final class Database: Sendable {
    let service: Pool
    /// Logged in as `taoyuan_public`, which can read the public views and nothing else.
    let open: Pool
    private let givesKeys: Bool
    /// For a `Listener` of one's own.
    public let listening: Settings
    /// How long the service waits for a connection; its other waits are multiples of this.
    let patience: Duration
    let reach: Outage
    /// Apart from the other: a database that can't write may go on answering.
    let writing: Outage

    /// - Parameters:
    ///   - service: how to log in as `taoyuan_service`.
    ///   - open: how to log in as `taoyuan_public`.
    ///   - size: connections of the service at most; strangers get as many again.
    ///   - patience: how long the service waits for one of them, and for what others have locked; a statement may take
    ///     twice as long, one of a snapshot twelve times, one of an import a hundred times.
    ///   - givesKeys: whether each change carries a random key, under which it is found again when the connection breaks
    ///     at its commit. Requests over HTTP bring keys of their own; commands have none.
    ///   - logger: told once when the database can't be reached or can't write, and once when it can again.
    public init(
        service: Settings, open: Settings, size: Int, patience: Duration = .seconds(5), givesKeys: Bool = false,
        logger: Logger = .silent
    ) {
        self.givesKeys = givesKeys
        self.patience = patience
        self.service = Pool(
            service, size: size, acquireTimeout: patience, statementTimeout: patience * 2,
            lockPatience: LockPatience(long: patience, short: patience / 10), maxAge: Self.maxAge)
        self.open = Pool(
            open, size: size, acquireTimeout: .seconds(3), statementTimeout: .seconds(10), maxAge: Self.maxAge)
        self.listening = service
        reach = Outage("the database", logger)
        writing = Outage("writing to the database", logger)
    }

    /// Of a connection: a session keeps 4 kB of each village's sequence that it has taken a number of.
    private static let maxAge = Duration.seconds(1800)

    /// Its pools' connections, by who uses them.
    public var pools: [(name: String, statistics: Pool.Statistics)] {
        [("service", service.statistics), ("public", open.statistics)]
    }

    public func close() async {
        await service.close()
        await open.close()
    }

    /// Runs `body` in one transaction in `scope`, and commits unless it throws.
    /// - Throws: what `body` throws; a `Refusal` of kind `unavailable` when the database can't be reached.
    public func transaction<Value: Sendable>(
        _ scope: Scope, _ body: @escaping @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        try await noticing { try await self.service.transaction(local: scope.settings, body) }
    }

    /// Carries out a plan: its writes and its events, together or not at all.
    ///
    /// When the connection breaks at the commit, it is found out whether the change was made, and if not it is made.
    /// - Throws: what the plan throws; a `Refusal` of kind `unavailable`, with the code `maybe-recorded` where nobody can
    ///   tell whether the change was made.
    public func change<Value: Sendable>(_ scope: Scope, _ plan: @escaping Plan<Value>) async throws -> Value {
        let made = Mutex<Value?>(nil)
        let key = givesKeys ? Retry.ofItsOwn() : nil
        return try await certain(key, scope) {
            try await self.looking(scope) { transaction in
                let change = try await plan(transaction, scope)
                let claim = key.map { [$0.insert(answer: "", by: scope)] } ?? []
                if case .known(let value) = change.answer { made.withLock { $0 = value } }
                let value = try await self.finish(change, in: transaction, claim, scope) { value in
                    made.withLock { $0 = value }
                    return []
                }
                return value
            }
        } found: { _ in
            made.withLock { $0 }
        }
    }

    /// Carries out a change that is worked out already: all that it writes, or nothing.
    /// - Parameters:
    ///   - answers: to requests that it is the effect of, stored with it.
    ///   - lockTimeout: how many milliseconds each statement waits for what others hold.
    /// - Throws: a `Refusal`; a `PostgresError`, also where a request was carried out before.
    public func change<Value: Sendable>(
        _ scope: Scope, _ change: Change<Value>, answers: [(retry: Retry, text: String)], lockTimeout: Int
    ) async throws {
        let settings = scope.settings + [LocalSetting("lock_timeout", lockTimeout)]
        let claims = answers.map { $0.retry.insert(answer: $0.text, by: scope) }
        try await noticing {
            do {
                try await self.service.transaction(local: settings) { transaction in
                    _ = try await self.finish(change, in: transaction, claims, scope) { _ in [] }
                }
            } catch let beaten as Beaten {
                throw beaten.refusal
            }
        }
    }

    /// Carries out a plan once, however often the request is repeated, and gives each the same answer.
    /// - Parameter render: the answer's text, stored with the effect in one transaction.
    /// - Throws: as above.
    public func change<Value: Sendable>(
        _ scope: Scope, once retry: Retry, render: @escaping @Sendable (Value) throws -> String,
        _ plan: @escaping Plan<Value>
    ) async throws -> String {
        do {
            return try await certain(retry, scope) {
                try await self.looking(scope) { transaction in
                    if let answer = try await retry.storedAnswer(in: transaction, scope) { return answer }
                    let change = try await plan(transaction, scope)
                    // The answer first: the same request at the same moment waits there, before it meets its own effect.
                    if case .known(let value) = change.answer {
                        let answer = try render(value)
                        let claim = retry.insert(answer: answer, by: scope)
                        _ = try await self.finish(change, in: transaction, [claim], scope) { _ in [] }
                        return answer
                    }
                    let claim = retry.insert(answer: "", by: scope)
                    let value = try await self.finish(change, in: transaction, [claim], scope) { value in
                        [retry.update(answer: try render(value), by: scope)]
                    }
                    return try render(value)
                }
            } found: {
                $0
            }
        } catch let error where (error as? PostgresError)?.constraint == "idempotent_answer_pkey" || error is Refusal {
            // The same request was faster: its answer is there now, and may be why this one was refused.
            if let refusal = error as? Refusal, refusal.kind == .unavailable { throw refusal }
            guard let stored = try await storedAnswer(to: retry, scope) else { throw error }
            return stored
        }
    }

    /// The answer that was stored with the effect of a request, if it was carried out before.
    /// - Throws: a `Refusal` when the key was used for another request.
    public func storedAnswer(to retry: Retry, _ scope: Scope) async throws -> String? {
        try await transaction(scope) { try await retry.storedAnswer(in: $0, scope) }
    }

    /// A transaction that is run again, three times in all, when somebody else came between its look and its writes.
    private func looking<Value: Sendable>(
        _ scope: Scope, _ body: @escaping @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        for _ in 0..<2 {
            do {
                return try await transaction(scope, body)
            } catch is Beaten {
                continue
            }
        }
        do {
            return try await transaction(scope, body)
        } catch let beaten as Beaten {
            throw beaten.refusal
        }
    }

    /// Writes a change and commits it.
    /// - Parameter last: what is to be written when the change's value is known.
    private func finish<Value: Sendable>(
        _ change: Change<Value>, in transaction: Transaction, _ claims: [SQL], _ scope: Scope,
        last: (Value) throws -> [SQL]
    ) async throws -> Value {
        // An event that is entered for a day comes with rows that are.
        let isDated = change.events.contains { $0.day != nil }
        let hold = isDated && !change.holdsBooks ? [ClosedBooks.hold(scope)] : []
        let (before, after) = change.endsTokens ? (scope.admission, []) : ([], scope.admission)
        let writes = before + hold + claims + change.statements(by: scope)
        do {
            let value: Value
            switch change.answer {
            case .known(let known):
                _ = try await transaction.commit(writes + after)
                value = known
            case .returned(let decode):
                guard let rows = try await transaction.query(writes).last else { throw NothingReturned() }
                value = try decode(rows)
                _ = try await transaction.commit(try last(value) + after)
            }
            writing.succeeded()
            for event in change.events { Measured.recorded[event.kind].increment() }
            return value
        } catch let error as PostgresError {
            guard let name = error.constraint else { throw error }
            if let refusal = change.refusals[name] { throw Beaten(refusal: refusal) }
            if name == Scope.admitted { throw Scope.ended }
            if name == ClosedBooks.constraint { throw Beaten(refusal: ClosedBooks.closedMeanwhile) }
            throw error
        }
    }

    static let pauses = [Duration.milliseconds(100), .seconds(1), .seconds(3)]

    /// Runs `body`; when the connection breaks and nobody can tell whether its transaction was committed, looks whether
    /// the answer under `retry` is there, and runs `body` again when it is not. From then on whatever goes wrong may come
    /// of the first time: a server that is away says nothing of it, and a refusal may be of what was done already.
    /// - Parameter found: the value, when the answer is there; nil when that does not tell it.
    func certain<Value: Sendable>(
        _ retry: Retry?, _ scope: Scope, _ body: () async throws -> Value, found: (String) throws -> Value?
    ) async throws -> Value {
        var isInDoubt = false
        for pause in Self.pauses {
            let failure: any Error
            do {
                return try await Self.available(body)
            } catch {
                failure = error
            }
            let refusal = failure as? Refusal
            guard let retry, isInDoubt || refusal?.code == Self.maybeRecorded.code else { throw failure }
            isInDoubt = true
            if refusal?.kind == .unavailable { try await Task.sleep(for: pause) }
            do {
                guard let answer = try await storedAnswer(to: retry, scope) else {
                    if refusal?.kind == .unavailable { continue }
                    throw failure
                }
                if let value = try found(answer) { return value }
                throw Self.maybeRecorded
            } catch let lookup as Refusal where lookup.kind == .unavailable && lookup.code != Self.maybeRecorded.code {
                continue
            }
        }
        throw Self.maybeRecorded
    }

    /// One statement in `scope`, in one round trip.
    public func query(_ sql: SQL, _ scope: Scope) async throws -> Rows {
        try await transaction(scope) { try await $0.commit([sql])[0] }
    }

    /// One statement on what is no village's: the list of villages, the schema. Of a village's tables it sees nothing.
    public func queryOutside(_ sql: SQL) async throws -> Rows {
        try await noticing { try await self.service.query(sql) }
    }

    /// One statement on the public views.
    public func publicQuery(_ sql: SQL) async throws -> Rows {
        try await noticing { try await self.open.query(sql) }
    }
}

/// Somebody else came between a plan's look and its writes.
private struct Beaten: Error {
    let refusal: Refusal
}

/// A write that always returns something returned nothing.
struct NothingReturned: Error {}
