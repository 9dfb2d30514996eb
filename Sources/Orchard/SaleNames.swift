import Database
import Kernel
import Postgres

/// The names of channels and buyers, which are texts of sales: a text that differs from a name only in width, brackets,
/// blanks or invisible characters is that name.
///
/// The names stand by their forms in `sale_name`, where whoever records a sale finds and leaves them; a million sales need
/// not be read for them.
public enum SaleNames {
    /// The name that a text means, for a statement's list of columns: NULL when there is none yet.
    public static func meant(_ kind: NameKind, by text: String, _ scope: Scope) -> SQL {
        """
        (SELECT coalesce(w.meant, n.name) FROM sale_name n
        LEFT JOIN spelling w ON w.village_id = n.village_id AND w.kind = n.kind AND w.name = n.name
        WHERE n.village_id = \(scope.village) AND n.kind = \(kind.rawValue) AND n.form = \(CleanText.folded(text)))
        """
    }

    /// The statements that record new names. Others may have recorded them meanwhile: where they are spelt in another way,
    /// the constraint `SQL.rowsTouched` is broken. They come last in a transaction, and always in one order, so that nobody
    /// waits for them who holds what others need.
    public static func record(_ names: [(kind: NameKind, name: String)], _ scope: Scope) -> [SQL] {
        guard !names.isEmpty else { return [] }
        let said: SQL = """
            unnest(\(names.map(\.kind.rawValue))::text[], \(names.map { CleanText.folded($0.name) })::text[],
                \(names.map(\.name))::text[]) s (kind, form, name)
            """
        return [
            """
            INSERT INTO sale_name (village_id, kind, form, name)
            SELECT \(scope.village), kind, form, name FROM \(said) ORDER BY kind, form ON CONFLICT DO NOTHING
            """,
            """
            SELECT check_touched(count(*), \(Int64(names.count)))
            FROM \(said) JOIN sale_name n USING (kind, form, name) WHERE n.village_id = \(scope.village)
            """,
        ]
    }
}
