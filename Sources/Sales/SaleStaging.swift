import Database
import Postgres

/// The way of many sales into the database: copied into a table of this transaction and from there into their own,
/// because COPY does not obey row-level security.
enum SaleStaging {
    static let create: SQL = """
        CREATE TEMPORARY TABLE sale_staging (
            id bigint DEFAULT nextval('sale_id_seq'), cooperative_id int, number text, sold_on date, channel text,
            buyer text, paid_how text, batch_number bigint, grams bigint, price_fen bigint, amount_fen bigint
        ) ON COMMIT DROP
        """

    static let copy: SQL = """
        COPY sale_staging (cooperative_id, number, sold_on, channel, buyer, paid_how, batch_number, grams, price_fen,
            amount_fen) FROM STDIN
        """

    static func move(_ scope: Scope) -> [SQL] {
        [
            """
            INSERT INTO sale (village_id, id, cooperative_id, number, sold_on, channel, buyer, paid_how, actor)
            SELECT \(scope.village), id, cooperative_id, number, sold_on, channel, buyer, paid_how, \(scope.actor)
            FROM sale_staging
            """,
            """
            UPDATE batch b SET out_g = b.out_g + s.grams
            FROM (SELECT batch_number, sum(grams)::bigint AS grams FROM sale_staging GROUP BY batch_number) s
            WHERE b.village_id = \(scope.village) AND b.number = s.batch_number
            """,
            """
            INSERT INTO sale_line (village_id, sale_id, line, cooperative_id, batch_number, grams, price_fen,
                price_basis, basis_g, amount_fen)
            SELECT \(scope.village), id, 1, cooperative_id, batch_number, grams, price_fen, 'jin', 500, amount_fen
            FROM sale_staging
            """,
            """
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, sale_id, actor)
            SELECT \(scope.village), batch_number, cooperative_id, 'sale', -grams, sold_on, id, \(scope.actor)
            FROM sale_staging
            """,
            "TRUNCATE sale_staging",
        ]
    }
}
