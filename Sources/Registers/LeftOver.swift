import Database
import Postgres

/// Pairs what is left over in a file with what is left over in the books: each of the file's rows that nothing recorded
/// equals may be a recorded row, changed, that nothing in the file equals.
///
/// Both stand in tables of the transaction, so that a million rows take no memory here. Rows are paired off one to one,
/// the most alike first; who is paired with whom depends on what they say and not on where they stand.
public struct LeftOver: Sendable {
    /// A table of the file's rows: `line`, their columns, and `entry`, the number of what they are paired with.
    let rows: String
    /// A table of what is left over in the books: `entry`, the same columns, and `line`, what it is paired with.
    let entries: String
    /// The columns that decide which of equally good ones is taken.
    let order: [String]

    public init(rows: String, entries: String, order: [String]) {
        self.rows = rows
        self.entries = entries
        self.order = order
    }

    /// The statement that pairs those that agree in some columns, as far as they are not paired yet.
    /// - Parameter what: what `verdict` says of the file's rows that it pairs.
    public func pair(agreeingIn columns: [String], what: StaticString = "changed") -> SQL {
        let agreeing = Self.list(columns)
        return """
            WITH pairs AS (
                SELECT f.line, b.entry FROM (
                    SELECT line, \(agreeing), row_number() OVER (PARTITION BY \(agreeing)
                        ORDER BY \(Self.list(order)), line) AS place
                    FROM \(identifier: rows) WHERE verdict IS NULL
                ) f JOIN (
                    SELECT entry, \(agreeing), row_number() OVER (PARTITION BY \(agreeing)
                        ORDER BY \(Self.list(order)), entry) AS place
                    FROM \(identifier: entries) WHERE line IS NULL
                ) b USING (\(agreeing), place)
            ), taken AS (
                UPDATE \(identifier: entries) b SET line = p.line FROM pairs p WHERE p.entry = b.entry
            )
            UPDATE \(identifier: rows) f SET entry = p.entry, verdict = '\(literal: what)' FROM pairs p WHERE p.line = f.line
            """
    }

    private static func list(_ columns: [String]) -> SQL {
        columns.map { "\(identifier: $0)" as SQL }.joined(separator: ", ")
    }
}
