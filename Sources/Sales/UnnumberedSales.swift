import Database
import Kernel
import Postgres

/// Sales that were recorded by form or command line and have no number yet: a register's row may be one of them.
struct UnnumberedSales: Sendable {
    private struct Place: Hashable, Sendable {
        let batch: Int64
        let day: CivilDay
    }

    private struct Found: Sendable {
        let sale: Int64
        let weight: Weight
        let amount: Money
        let channel: String
        let buyer: String

        func isSame(as entry: SaleRegister.Entry) -> Bool {
            weight == entry.weight && amount == entry.amount && channel == entry.channel && buyer == entry.buyer
        }
    }

    private var seen: Set<CivilDay> = []
    private var found: [Place: [Found]] = [:]

    /// Reads those of the days that have not been read yet. Each is read once, since its numbered sales are passed over one
    /// by one.
    mutating func load(for days: [CivilDay], _ transaction: Transaction, _ scope: Scope) async throws {
        let wanted = Array(Set(days).subtracting(seen))
        guard !wanted.isEmpty else { return }
        seen.formUnion(wanted)
        for row in try await transaction.query(
            """
            SELECT s.id, s.sold_on, l.batch_number, l.grams, l.amount_fen, coalesce(h.meant, s.channel) AS channel,
                coalesce(u.meant, s.buyer) AS buyer
            FROM unnest(\(wanted.map(\.description))::date[]) w (day)
            JOIN sale s ON s.village_id = \(scope.village) AND s.sold_on = w.day AND s.number IS NULL
            JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id AND l.line = 1
            LEFT JOIN spelling h ON h.village_id = s.village_id AND h.kind = 'channel' AND h.name = s.channel
            LEFT JOIN spelling u ON u.village_id = s.village_id AND u.kind = 'buyer' AND u.name = s.buyer
            WHERE NOT EXISTS (
                    SELECT FROM sale_line o WHERE o.village_id = \(scope.village) AND o.sale_id = s.id AND o.line > 1)
                AND NOT EXISTS (
                    SELECT FROM sale_correction k
                    WHERE k.village_id = \(scope.village) AND k.sale_id = s.id AND k.kind = 'reversal')
                AND (s.replaces IS NULL OR extract(year FROM first_sold_on(s.village_id, s.id))
                    = extract(year FROM s.sold_on))
            ORDER BY s.id DESC
            """)
        {
            let place = Place(batch: try row.decode("batch_number"), day: try row.decode("sold_on"))
            found[place, default: []].append(
                Found(
                    sale: try row.decode("id"), weight: try row.decode("grams"), amount: try row.decode("amount_fen"),
                    channel: try row.decode("channel"), buyer: try row.decode("buyer")))
        }
    }

    /// The oldest that an entry may be; it is given to one entry only.
    mutating func take(_ entry: SaleRegister.Entry) -> Int64? {
        let place = Place(batch: entry.source.number, day: entry.day)
        guard let index = found[place]?.lastIndex(where: { $0.isSame(as: entry) }) else { return nil }
        return found[place]?.remove(at: index).sale
    }

    /// The statement that gives a sale a number, and with it those that it was recorded anew for: the number is that of
    /// the first of them.
    /// - Parameter paidHow: how it was paid, where that is not recorded.
    static func give(_ number: String, paidHow: String?, to sale: Int64, _ scope: Scope) -> SQL {
        """
        WITH RECURSIVE chain AS (
            SELECT id, replaces FROM sale WHERE village_id = \(scope.village) AND id = \(sale)
            UNION ALL
            SELECT s.id, s.replaces FROM chain c
            JOIN sale s ON s.village_id = \(scope.village) AND s.id = c.replaces
        ), numbered AS (
            UPDATE sale s SET number = \(number), paid_how = coalesce(s.paid_how, \(paidHow)) FROM chain c
            WHERE s.village_id = \(scope.village) AND s.id = c.id AND s.number IS NULL RETURNING s.id
        )
        SELECT check_touched(count(*), 1) FROM numbered WHERE id = \(sale)
        """
    }
}
