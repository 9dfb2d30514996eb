import Database
import Kernel
import Postgres

/// What becomes of the plots of households that change their cooperative.
extension HouseholdRegister {
    /// Tells of the plots that stay with the cooperative that their household leaves: whose they are is the register of
    /// plots' to say.
    public mutating func finish(in transaction: Transaction, _ scope: Scope) async throws {
        guard !left.isEmpty else { return }
        let leaving = left.sorted { $0.key < $1.key }
        for row in try await transaction.query(
            """
            SELECT h.number, w.cooperative_id, array_to_string((array_agg(t.number
                ORDER BY t.number))[1:20], '、') AS plots
            FROM unnest(\(leaving.map(\.key))::text[], \(leaving.map(\.value))::int[]) w (number, cooperative_id)
            JOIN household h ON h.village_id = \(scope.village) AND h.number = w.number
            JOIN plot t ON t.village_id = h.village_id
            CROSS JOIN LATERAL (
                SELECT p.household_id, coalesce(c.merged_into, c.id) AS cooperative_id FROM plot_period p
                JOIN cooperative c ON c.village_id = p.village_id AND c.id = p.cooperative_id
                WHERE p.village_id = \(scope.village) AND p.plot_id = t.id AND p.from_day <= \(day.asOf)
                ORDER BY p.from_day DESC, p.id DESC LIMIT 1
            ) p
            WHERE p.household_id = h.id AND p.cooperative_id = w.cooperative_id
            GROUP BY h.number, w.cooperative_id ORDER BY h.number LIMIT 100
            """)
        {
            let (number, plots): (String, String) = (try row.decode("number"), try row.decode("plots"))
            let before = catalogue.cooperativeName(try row.decode("cooperative_id"))
            notes.append(
                Bilingual(
                    zh: "农户 \(number) 自 \(day.asOf) 换了合作社，地块 \(plots) 仍属“\(before)”；一起换请导入地块登记表"
                        + "（--as-of \(day.asOf)）",
                    en:
                        "household \(number) has another cooperative from \(day.asOf) on, and the plots \(plots) stay with "
                        + "“\(before)”: to move them too, import the register of plots (--as-of \(day.asOf))"))
        }
    }
}
