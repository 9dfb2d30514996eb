import Kernel
import Postgres

/// What is counted and summed up of each table: its rows, and the total of each column of whole numbers, money and weight
/// among them. What was restored has to come to the same.
enum TableSums {
    /// - Parameter connection: of a user whom no row is hidden from.
    static func read(on connection: Connection) async throws -> [String] {
        let tables = try await connection.query(
            """
            SELECT c.relname::text AS name, coalesce(array_agg(a.attname::text ORDER BY a.attname)
                FILTER (WHERE a.attname IS NOT NULL), '{}') AS columns
            FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            GROUP BY c.relname ORDER BY c.relname COLLATE "C"
            """)
        var lines: [String] = []
        for row in tables {
            let table: String = try row.decode("name")
            let columns: [String] = try row.decode("columns")
            var sums: SQL = ""
            for column in columns {
                sums = "\(sums) || ' ' || \(column)::text || '=' || coalesce(sum(\(identifier: column)), 0)"
            }
            let sum = try await connection.query(
                "SELECT \(table)::text || ' rows=' || count(*)\(sums) AS line FROM public.\(identifier: table)")
            for row in sum { lines.append(try row.decode("line")) }
        }
        return lines
    }
}
