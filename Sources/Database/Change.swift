import Foundation
import Kernel
import Postgres

/// What a change will write, worked out before anything is written.
///
/// A plan reads and decides; its writes then go to the server together with the rows of its events, the stored answer of
/// an idempotent request and the COMMIT in one round trip, so that locks are held as briefly as can be. What many
/// wait for, such as a session's counter, is written last of all.
///
/// What others write between the plan's look and the writes is found out by constraints and by `SQL.touching`. The plan
/// then looks again in a new transaction, so that a refusal tells how things are and not how they were.
public struct Change<Value: Sendable>: Sendable {
    /// What the caller gets when the writes have been committed.
    enum Answer: Sendable {
        case known(Value)
        /// Decoded from what the last of the writes returned: how things are after it, not what was read before it.
        case returned(@Sendable (Rows) throws -> Value)
    }

    let answer: Answer
    public let writes: [SQL]
    /// Written with the events' rows by one statement.
    public let rows: [NewRow]
    /// Written after the events' rows, just before the COMMIT: what locks a row that many want.
    public let lastWrites: [SQL]
    /// What a broken constraint, by its name, tells the user.
    public let refusals: [String: Refusal]
    /// At least one.
    public let events: [Event]
    /// Whether it may end the token of whoever makes it: then that is looked at before the writes and not after them.
    private(set) var endsTokens = false
    /// Whether its plan has held the books already (`ClosedBooks.numbered`).
    private(set) var holdsBooks = false

    public init(
        _ value: Value, writes: [SQL] = [], rows: [NewRow] = [], lastWrites: [SQL] = [],
        refusals: [String: Refusal] = [:], event: Event
    ) {
        self.init(.known(value), writes, rows, lastWrites, refusals, [event])
    }

    public init(
        _ value: Value, writes: [SQL] = [], rows: [NewRow] = [], lastWrites: [SQL] = [],
        refusals: [String: Refusal] = [:], events: [Event]
    ) {
        self.init(.known(value), writes, rows, lastWrites, refusals, events)
    }

    /// A change whose answer is what the last of its writes returns.
    public init(
        writes: [SQL] = [], rows: [NewRow] = [], lastWrites: [SQL], refusals: [String: Refusal] = [:], event: Event,
        returning decode: @escaping @Sendable (Rows) throws -> Value
    ) {
        self.init(
            writes: writes, rows: rows, lastWrites: lastWrites, refusals: refusals, events: [event], returning: decode)
    }

    public init(
        writes: [SQL] = [], rows: [NewRow] = [], lastWrites: [SQL], refusals: [String: Refusal] = [:],
        events: [Event], returning decode: @escaping @Sendable (Rows) throws -> Value
    ) {
        precondition(!lastWrites.isEmpty, "an answer is returned by the last of the writes")
        self.init(.returned(decode), writes, rows, lastWrites, refusals, events)
    }

    private init(
        _ answer: Answer, _ writes: [SQL], _ rows: [NewRow], _ lastWrites: [SQL], _ refusals: [String: Refusal],
        _ events: [Event]
    ) {
        precondition(!events.isEmpty, "no change without an event")
        self.answer = answer
        self.writes = writes
        self.rows = rows
        self.lastWrites = lastWrites
        self.refusals = refusals
        self.events = events
    }

    /// The value, unless only the writes will tell it.
    public var known: Value? {
        if case .known(let value) = answer { value } else { nil }
    }

    /// All that it writes, in order.
    public func statements(by scope: Scope) -> [SQL] {
        writes + [SQL.insert(rows + events.map { $0.row(by: scope) })] + lastWrites
    }

    /// The same change, which may end the token of whoever makes it.
    public var endingTokens: Change {
        var change = self
        change.endsTokens = true
        return change
    }

    /// The same change, whose plan has held the books while it looked.
    public var holdingBooks: Change {
        var change = self
        change.holdsBooks = true
        return change
    }

    /// The same change with another value.
    public func map<Other: Sendable>(_ transform: @escaping @Sendable (Value) -> Other) -> Change<Other> {
        let mapped: Change<Other>.Answer =
            switch answer {
            case .known(let value): .known(transform(value))
            case .returned(let decode): .returned { transform(try decode($0)) }
            }
        var other = Change<Other>(mapped, writes, rows, lastWrites, refusals, events)
        other.endsTokens = endsTokens
        other.holdsBooks = holdsBooks
        return other
    }
}

/// Reads in the given transaction and returns the change to make, or throws a `Refusal`. It may run more than once for
/// one change, each time in a transaction of its own.
public typealias Plan<Value: Sendable> = @Sendable (Transaction, Scope) async throws -> Change<Value>

extension SQL {
    /// The same write, which breaks the constraint `rows_touched` when it touches another number of rows: what a plan has
    /// seen is there no longer, or has been changed by somebody else.
    public func touching(_ rows: Int) -> SQL {
        "WITH touched AS (\(self) RETURNING 1) SELECT check_touched(count(*), \(Int64(rows))) FROM touched"
    }

    /// The same INSERT … SELECT, which tells how many rows it wrote. A distributed PostgreSQL would carry it out by COPY if
    /// it returned nothing, and COPY does not obey row-level security.
    public var counting: SQL { "WITH written AS (\(self) RETURNING 1) SELECT count(*) FROM written" }

    /// The constraint that `touching` breaks.
    public static let rowsTouched = "rows_touched"
}

extension Change {
    /// Writes it as a part of a transaction that goes on, such as an import's.
    /// - Throws: a `PostgresError`, after which the transaction can only be rolled back.
    public func write(in transaction: Transaction, _ scope: Scope) async throws -> Value {
        let rows = try await transaction.query(statements(by: scope))
        switch answer {
        case .known(let value): return value
        case .returned(let decode):
            guard let last = rows.last else { throw NothingReturned() }
            return try decode(last)
        }
    }
}

extension Transaction {
    /// Runs a part of the transaction of which nothing stays when it throws a `Refusal`.
    public nonisolated(nonsending) func part<Value>(_ body: () async throws -> Value) async throws -> Value {
        _ = try await query("SAVEPOINT part")
        do {
            let value = try await body()
            _ = try await query("RELEASE SAVEPOINT part")
            return value
        } catch let refusal as Refusal {
            _ = try await query(["ROLLBACK TO SAVEPOINT part", "RELEASE SAVEPOINT part"])
            throw refusal
        }
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

    /// A key that nobody else has.
    static func ofItsOwn() -> Retry { Retry(key: UUID().uuidString, fingerprint: []) }

    func update(answer: String, by scope: Scope) -> SQL {
        """
        UPDATE idempotent_answer SET answer = \(answer)
        WHERE village_id = \(scope.village) AND actor = \(scope.actor) AND key = \(key)
        """
    }

    /// Takes the key.
    /// - Returns: whether nobody had it.
    func claim(in transaction: Transaction, by scope: Scope) async throws -> Bool {
        try await !transaction.query(insert(answer: "", by: scope) + " ON CONFLICT DO NOTHING RETURNING 1 AS claimed")
            .isEmpty
    }

    func insert(answer: String, by scope: Scope) -> SQL {
        """
        INSERT INTO idempotent_answer (village_id, actor, key, fingerprint, answer)
        VALUES (\(scope.village), \(scope.actor), \(key), \(fingerprint), \(answer))
        """
    }
}
