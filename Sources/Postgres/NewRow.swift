/// A row to be written, apart from the statement that writes it: rows of one table then go into it together.
public struct NewRow: Sendable {
    fileprivate let target: String
    fileprivate let values: SQL

    /// - Parameters:
    ///   - target: the table and its columns, such as `audit (village_id, actor)`.
    ///   - values: the values in parentheses, such as `(\(village), \(actor))`.
    public init(into target: StaticString, _ values: SQL) {
        self.target = target.string
        self.values = values
    }
}

extension SQL {
    /// One statement that writes all of the rows, which is far less work for the server than one for each. None of them
    /// may depend on another's being there, but for foreign keys: these are checked when all are written.
    /// - Parameter rows: at least one.
    public static func insert(_ rows: [NewRow]) -> SQL {
        precondition(!rows.isEmpty, "a statement writes at least one row")
        var tables: [(target: String, rows: [NewRow])] = []
        for row in rows {
            if let place = tables.firstIndex(where: { $0.target == row.target }) {
                tables[place].rows.append(row)
            } else {
                tables.append((row.target, [row]))
            }
        }
        var sql: SQL = tables.count == 1 ? "" : "WITH "
        for (number, table) in tables.enumerated() {
            let isLast = number == tables.count - 1
            if !isLast { sql.append(text: "w\(number) AS (") }
            sql.append(text: "INSERT INTO \(table.target) VALUES ")
            sql.append(table.rows.map(\.values).joined(separator: ", "))
            if !isLast { sql.append(text: number == tables.count - 2 ? ") " : "), ") }
        }
        return sql
    }
}
