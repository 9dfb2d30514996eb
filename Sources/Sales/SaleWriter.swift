import Batches
import Database
import Kernel
import Postgres

/// How sales get into the books, one or a hundred thousand: sale, lines and movements, and what leaves the batches, by
/// one statement.
enum SaleWriter {
    /// A line of a sale, with all of the sale. Its first line writes the sale.
    struct Row: Sendable {
        let sale: Int64
        let cooperative: Int
        let number: String?
        let day: CivilDay
        let channel: String
        let buyer: String
        let paidHow: String?
        let replaces: Int64?
        let line: Int
        let batch: Int64
        let weight: Weight
        let price: Price
        let amount: Money

        fileprivate var values: SQL {
            """
            (\(sale)::bigint, \(cooperative)::int, \(number)::text, \(day)::date, \(channel)::text, \(buyer)::text,
                \(paidHow)::text, \(replaces)::bigint, \(line)::int, \(batch)::bigint, \(weight)::bigint,
                \(price.fen)::bigint, \(price.basis.rawValue)::text, \(price.basisGrams)::bigint, \(amount)::bigint)
            """
        }
    }

    /// A table of this transaction for very many sales of one line, because COPY does not obey row-level security.
    static let createStaging: SQL = """
        CREATE TEMPORARY TABLE sale_staging (
            id bigint DEFAULT own_number('sale'), cooperative_id int, number text, sold_on date, channel text,
            buyer text, paid_how text, batch_number bigint, grams bigint, price_fen bigint, amount_fen bigint
        ) ON COMMIT DROP
        """
    static let copy: SQL = """
        COPY sale_staging (cooperative_id, number, sold_on, channel, buyer, paid_how, batch_number, grams, price_fen,
            amount_fen) FROM STDIN
        """
    /// What `statement` writes from when sales were copied; their batches are locked already.
    static let staged: SQL = """
        SELECT id, cooperative_id, number, sold_on, channel, buyer, paid_how, NULL::bigint, 1, batch_number, grams,
            price_fen, 'jin', 500, amount_fen
        FROM sale_staging
        """

    /// Writes a few sales. Several batches are locked in the order of their numbers, so that two sales of the same ones
    /// wait for each other instead of deadlocking.
    static func statements(_ rows: [Row], _ scope: Scope) -> [SQL] {
        let batches = Array(Set(rows.map(\.batch))).sorted()
        let lock = batches.count > 1 ? [BatchStore.lock(batches, scope)] : []
        let source: SQL = "VALUES \(rows.map(\.values).joined(separator: ", "))"
        return lock + [statement(from: source, scope)]
    }

    /// Writes the sales that `source` gives. The batches' rows, for which others wait, are written last: of what stands
    /// beside the main statement the server carries out the first at the end.
    static func statement(from source: SQL, _ scope: Scope) -> SQL {
        """
        WITH s (id, cooperative_id, number, sold_on, channel, buyer, paid_how, replaces, line, batch_number, grams,
            price_fen, price_basis, basis_g, amount_fen) AS (\(source)),
        taken AS (
            UPDATE batch b SET out_g = b.out_g + t.grams
            FROM (SELECT batch_number, sum(grams)::bigint AS grams FROM s GROUP BY batch_number) t
            WHERE b.village_id = \(scope.village) AND b.number = t.batch_number
        ), moved AS (
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, actor)
            SELECT \(scope.village), batch_number, cooperative_id, 'sale', -grams, sold_on, id, \(scope.actor) FROM s
            RETURNING 1
        ), sold AS (
            INSERT INTO sale (village_id, id, cooperative_id, number, sold_on, channel, buyer, paid_how, replaces, actor)
            SELECT \(scope.village), id, cooperative_id, number, sold_on, channel, buyer, paid_how, replaces,
                \(scope.actor)
            FROM s WHERE line = 1
            RETURNING 1
        ), lines AS (
            INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen, price_basis,
                basis_g, amount_fen)
            SELECT \(scope.village), id, line, cooperative_id, batch_number, grams, price_fen, price_basis, basis_g,
                amount_fen
            FROM s
            RETURNING 1
        )
        SELECT count(*) FROM lines
        """
    }
}
