import Kernel
import Postgres

/// The program's way to its one database: a pool for the service and a smaller one for strangers.
public final class Database: Sendable {
    let service: Pool
    /// Logged in as `taoyuan_public`, which can read the public views and nothing else.
    let open: Pool
    /// For a `Listener` of one's own.
    public let listening: Settings

    /// - Parameters:
    ///   - service: how to log in as `taoyuan_service`.
    ///   - open: how to log in as `taoyuan_public`.
    ///   - size: connections of the service at most; strangers get as many again.
    ///   - patience: how long the service waits for one of them.
    public init(service: Settings, open: Settings, size: Int, patience: Duration = .seconds(5)) {
        self.service = Pool(service, size: size, acquireTimeout: patience, statementTimeout: .seconds(60))
        self.open = Pool(open, size: size, acquireTimeout: .seconds(3), statementTimeout: .seconds(10))
        self.listening = service
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
        try await Self.available { try await self.service.transaction(local: scope.settings, body) }
    }

    /// Runs `body` in one transaction that writes nothing and sees the books of one moment, whatever others write
    /// meanwhile.
    /// - Throws: what `body` throws; a `Refusal` of kind `unavailable` when the database can't be reached.
    public func snapshot<Value: Sendable>(
        _ scope: Scope, _ body: @escaping @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        try await Self.available {
            try await self.service.transaction(
                local: scope.settings, isolation: .repeatableRead, readOnly: true, body)
        }
    }

    /// Carries out a plan: its writes and its audit row, together or not at all.
    public func change<Value: Sendable>(_ scope: Scope, _ plan: @escaping Plan<Value>) async throws -> Value {
        try await transaction(scope) { transaction in
            let change = try await plan(transaction, scope)
            try await self.finish(change, in: transaction, change.statements(by: scope))
            return change.value
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
        let settings = scope.settings + [("lock_timeout", lockTimeout)]
        let writes = answers.map { $0.retry.insert(answer: $0.text, by: scope) } + change.statements(by: scope)
        try await Self.available {
            try await self.service.transaction(local: settings) { transaction in
                try await self.finish(change, in: transaction, writes)
            }
        }
    }

    /// Carries out a plan once, however often the request is repeated, and gives each the same answer.
    /// - Parameter render: the answer's text, stored with the effect in one transaction.
    public func change<Value: Sendable>(
        _ scope: Scope, once retry: Retry, render: @escaping @Sendable (Value) throws -> String,
        _ plan: @escaping Plan<Value>
    ) async throws -> String {
        do {
            return try await transaction(scope) { transaction in
                if let answer = try await retry.storedAnswer(in: transaction, scope) { return answer }
                let change = try await plan(transaction, scope)
                let answer = try render(change.value)
                // The answer first: the same request at the same moment waits there, before it meets its own effect.
                try await self.finish(
                    change, in: transaction,
                    [retry.insert(answer: answer, by: scope)] + change.statements(by: scope))
                return answer
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

    private func finish<Value>(_ change: Change<Value>, in transaction: Transaction, _ writes: [SQL]) async throws {
        do {
            _ = try await transaction.commit(writes)
        } catch let error as PostgresError {
            if let name = error.constraint, let refusal = change.refusals[name] { throw refusal }
            throw error
        }
    }

    /// One statement of the service outside any cooperative's rows (accounts, tokens, keys).
    public func query(_ sql: SQL) async throws -> Rows {
        try await Self.available { try await self.service.query(sql) }
    }

    /// One statement on the public views.
    public func publicQuery(_ sql: SQL) async throws -> Rows {
        try await Self.available { try await self.open.query(sql) }
    }

    /// Runs `body`, and makes a refusal of kind `unavailable` of what keeps it from the server.
    public static func available<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.isUnavailability {
            throw Refusal(
                .unavailable, "database-unavailable", zh: "数据库暂时连不上，请稍后再试",
                en: "the database can't be reached at the moment; try again shortly")
        }
    }
}

extension PostgresError {
    /// Whether the cause is the way to the server, not the statement: asking again may work.
    /// 57P01…57P03 are a server that stops or starts, 53xxx one that has run out of something.
    var isUnavailability: Bool {
        if let sqlState { return sqlState.hasPrefix("57P0") || sqlState.hasPrefix("53") || sqlState.hasPrefix("08") }
        return [.connectionLost, .cannotConnect, .poolTimeout].contains(kind)
    }
}
