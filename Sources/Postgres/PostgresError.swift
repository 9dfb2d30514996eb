import CPostgres

/// What went wrong. Neither parameters nor values of rows are in it, so that it can be logged as it is.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The server refused a statement; `sqlState` says why.
        case server
        /// The connection broke. What ran on it and was not yet answered may have been committed.
        case connectionLost
        /// No connection could be made.
        case cannotConnect
        /// No connection of the pool became free in time.
        case poolTimeout
        /// The statement was cancelled by somebody other than the caller's task, whose own is a `CancellationError`.
        case cancelled
        /// The statement ran longer than it may, or the server went silent.
        case deadline
        /// A value or column of an answer is not what the caller asked for.
        case decoding
        /// A parameter or statement cannot be sent: text with a zero byte, or too many parameters.
        case encoding
        /// The pool, connection or transaction is no longer open.
        case closed
        /// The call does not fit the connection's state, such as a query in the middle of a COPY.
        case misuse
        /// `COMMIT` rolled back, because an earlier statement of the transaction had failed.
        case rolledBack
    }

    public let kind: Kind
    /// The five characters by which PostgreSQL classifies its errors, such as `23505`.
    public let sqlState: String?
    public let schema: String?
    public let table: String?
    public let column: String?
    public let constraint: String?
    /// Of several statements sent together, the place of the one that failed; the first is 0.
    public internal(set) var statement: Int?
    /// Whether the connection broke at the commit, so that nobody can tell whether the server has committed.
    public internal(set) var isInDoubt = false
    public let message: String

    /// Serialization failure or deadlock: the same transaction may succeed when it is run again.
    public var isRetryable: Bool { sqlState == "40001" || sqlState == "40P01" }

    /// What a prepared statement meets whose table was altered, or that somebody deallocated.
    var isStalePlan: Bool { sqlState == "0A000" || sqlState == "26000" }

    public var description: String {
        var text = "PostgreSQL: \(kind.rawValue)"
        if let sqlState { text += " \(sqlState)" }
        text += ": \(message)"
        if let constraint { text += " [constraint \(constraint)]" }
        return text
    }

    init(_ kind: Kind, _ message: String, sqlState: String? = nil, column: String? = nil) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
        self.column = column
        schema = nil
        table = nil
        constraint = nil
    }

    /// - Parameter isScript: the statement was text without parameters.
    init(_ result: borrowing ResultHandle, isScript: Bool, wasCancelled: Bool) {
        let state = result.field(DiagnosticField.sqlState)
        sqlState = state
        schema = result.field(DiagnosticField.schema)
        table = result.field(DiagnosticField.table)
        column = result.field(DiagnosticField.column)
        constraint =
            result.field(DiagnosticField.constraint)
            ?? (state?.hasPrefix("23") == true
                ? result.field(DiagnosticField.message).flatMap(Self.lastName(of:)) : nil)
        let severity = result.field(DiagnosticField.severity)
        if state == nil || severity == "FATAL" || severity == "PANIC" {
            kind = .connectionLost
        } else if state == "57014" {
            kind = wasCancelled ? .cancelled : .deadline
        } else {
            kind = .server
        }
        let hasPosition = result.field(DiagnosticField.position) != nil
        if let state, Self.hasSafeMessage(state, hasPosition: hasPosition || isScript) {
            message = result.field(DiagnosticField.message) ?? "the server refused the statement"
        } else if state == nil {
            message = "the connection to the server was lost"
        } else {
            message = "the server refused the statement; its words are withheld, for they may quote data"
        }
    }

    /// The last quoted name of a message, without the number of a part: a server that relays the error of another (Citus)
    /// leaves the fields out.
    static func lastName(of message: String) -> String? {
        let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return nil }
        let name = parts[parts.count.isMultiple(of: 2) ? parts.count - 3 : parts.count - 2]
        let words = name.split(separator: "_")
        guard let last = words.last, last.count >= 6, last.allSatisfy(\.isNumber) else { return String(name) }
        return words.dropLast().joined(separator: "_")
    }

    /// Whether the primary message of such an error names only catalogue objects and sizes.
    ///
    /// Class 22 (`invalid input syntax for type integer: "…"`), errors raised by functions and internal errors quote
    /// values. Class 42 does so where a parameter is parsed at run time (`to_tsquery`, `regclass`); where the error has
    /// a position it was found in the statement's own text, in which there are no values.
    private static func hasSafeMessage(_ state: String, hasPosition: Bool) -> Bool {
        switch state.prefix(2) {
        case "08", "0A", "21", "23", "25", "26", "28", "3D", "3F", "40", "53", "54", "55", "57", "58": true
        case "42": hasPosition || state == "42501"
        default: false
        }
    }
}

/// The field codes of libpq's `PG_DIAG_` macros, whose character constants Swift does not import as numbers.
private enum DiagnosticField {
    static let severity = code("V")
    static let sqlState = code("C")
    static let message = code("M")
    static let position = code("P")
    static let schema = code("s")
    static let table = code("t")
    static let column = code("c")
    static let constraint = code("n")

    private static func code(_ letter: Unicode.Scalar) -> Int32 { Int32(letter.value) }
}
