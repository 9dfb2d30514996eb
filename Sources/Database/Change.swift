import Kernel
import Postgres

/// What a change will write, worked out before anything is written.
///
/// A plan reads and decides; its writes then go to the server together with the audit row, the stored answer of
/// an idempotent request and the COMMIT in one round trip, so that locks are held as briefly as can be. What many
/// wait for, such as a session's counter, is written last of all.
public struct Change<Value: Sendable>: Sendable {
    /// What the caller gets when the writes have been committed.
    public let value: Value
    public let writes: [SQL]
    /// Written with the audit's rows by one statement.
    public let rows: [NewRow]
    /// Written after the audit's rows, just before the COMMIT: what locks a row that many want.
    public let lastWrites: [SQL]
    /// What a broken constraint, by its name, tells the user.
    public let refusals: [String: Refusal]
    /// At least one line.
    public let audit: [Audit]

    public init(
        _ value: Value, writes: [SQL] = [], rows: [NewRow] = [], lastWrites: [SQL] = [],
        refusals: [String: Refusal] = [:], audit: Audit
    ) {
        self.init(value, writes: writes, rows: rows, lastWrites: lastWrites, refusals: refusals, audit: [audit])
    }

    public init(
        _ value: Value, writes: [SQL] = [], rows: [NewRow] = [], lastWrites: [SQL] = [],
        refusals: [String: Refusal] = [:], audit: [Audit]
    ) {
        precondition(!audit.isEmpty, "no change without a line of the audit")
        self.value = value
        self.writes = writes
        self.rows = rows
        self.lastWrites = lastWrites
        self.refusals = refusals
        self.audit = audit
    }

    /// All that it writes, in order.
    public func statements(by scope: Scope) -> [SQL] {
        writes + [SQL.insert(rows + audit.map { $0.row(by: scope) })] + lastWrites
    }

    /// The same change with another value.
    public func map<Other: Sendable>(_ transform: (Value) -> Other) -> Change<Other> {
        Change<Other>(
            transform(value), writes: writes, rows: rows, lastWrites: lastWrites, refusals: refusals, audit: audit)
    }
}

/// Reads in the given transaction and returns the change to make, or throws a `Refusal`.
public typealias Plan<Value: Sendable> = @Sendable (Transaction, Scope) async throws -> Change<Value>

/// One line of the audit: what was done to what.
public struct Audit: Sendable {
    public let action: String
    public let subject: String
    public let detail: String?

    public init(_ action: String, _ subject: String, detail: String? = nil) {
        self.action = action
        self.subject = subject
        self.detail = detail
    }

    /// The statement that records it. Transactions that write without a `Change` (imports) use it themselves.
    public func insert(by scope: Scope) -> SQL {
        SQL.insert([row(by: scope)])
    }

    func row(by scope: Scope) -> NewRow {
        NewRow(
            into: "audit (village_id, actor, cooperative_id, action, subject, detail)",
            "(\(scope.village), \(scope.actor), \(scope.cooperative), \(action), \(subject), \(detail))")
    }
}

/// An HTTP request's `Idempotency-Key` and what tells the request apart from another under the same key.
public struct Retry: Sendable {
    public let key: String
    /// A digest of method, path and body.
    public let fingerprint: [UInt8]

    /// The code of the refusal when a key was used for another request.
    public static let keyReused = "idempotency-key-reused"

    public init(key: String, fingerprint: [UInt8]) {
        self.key = key
        self.fingerprint = fingerprint
    }

    /// The answer stored under the key, if the request was carried out before.
    /// - Throws: a `Refusal` when the key was used for another request.
    func storedAnswer(in transaction: Transaction, _ scope: Scope) async throws -> String? {
        let rows = try await transaction.query(
            """
            SELECT fingerprint, answer FROM idempotent_answer
            WHERE village_id = \(scope.village) AND actor = \(scope.actor) AND key = \(key)
            """)
        guard let row = rows.first else { return nil }
        guard try row.decode("fingerprint", as: [UInt8].self) == fingerprint else {
            throw Refusal(
                .invalid, Self.keyReused, field: "Idempotency-Key",
                zh: "这个 Idempotency-Key 已用于另一个请求", en: "this Idempotency-Key was used for another request")
        }
        return try row.decode("answer")
    }

    func insert(answer: String, by scope: Scope) -> SQL {
        """
        INSERT INTO idempotent_answer (village_id, actor, key, fingerprint, answer)
        VALUES (\(scope.village), \(scope.actor), \(key), \(fingerprint), \(answer))
        """
    }
}
