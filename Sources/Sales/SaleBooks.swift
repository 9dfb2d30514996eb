import Batches
import Database
import Kernel
import Orchard
import Postgres
import Registers

/// What the books hold of what a register's rows name.
extension SaleRegister {
    /// What the books hold of a sale.
    struct Recorded {
        /// nil of one that is being written.
        let sale: Int64?
        let day: CivilDay
        /// Of the first of the sales that this one was recorded anew for; nil of one that was not.
        var firstDay: CivilDay?
        /// nil when it was sold out of several batches.
        let batch: Int64?
        let weight: Weight
        /// Of 500 g, in fen; nil when that is not how it was sold.
        let price: Int64?
        let amount: Money
        let channel: String
        let buyer: String
        let paidHow: String?
        /// Whether anything of it was reversed or came back.
        let hasReturns: Bool
        /// The day on which it, or a line of it, was reversed last.
        let reversedOn: CivilDay?
    }

    /// The batches that the rows draw on.
    struct Sources {
        /// Of each slip the batches of its years, the newest harvest first.
        var slips: [Key: [(number: Int64, harvestedOn: CivilDay)]] = [:]
        /// Of each slip the batches that had it before they were corrected or void.
        var former: [Key: [(number: Int64, harvestedOn: CivilDay)]] = [:]
        var batches: [Int64: Source] = [:]

        /// Of the batches with a slip the newest that was harvested by the day of a sale; the oldest where none was.
        func number(of slip: Key, soldOn day: CivilDay?) -> Int64? {
            guard let years = slips[slip] ?? former[slip] else { return nil }
            return (years.first { harvest in day.map { harvest.harvestedOn <= $0 } ?? false } ?? years.last)?.number
        }
    }

    /// The batches that the rows draw on, locked until the import ends. LATERAL with LIMIT makes each slip one look into
    /// its index, whatever the planner knows of a table that is being filled.
    func sources(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> Sources {
        let wanted = Set(rows.compactMap { try? key($0, Self.slip) })
        var found = Sources()
        for row in try await transaction.query(
            """
            SELECT w.cooperative, w.slip, b.number, b.harvested_on, b.is_present
            FROM unnest(\(wanted.map(\.cooperative))::text[], \(wanted.map(\.number))::text[]) w (cooperative, slip)
            JOIN cooperative n ON n.village_id = \(scope.village) AND n.name = w.cooperative
            \(Catalogue.spellings)
            CROSS JOIN LATERAL (
                (SELECT b.number, b.harvested_on, true AS is_present FROM batch b
                WHERE b.village_id = \(scope.village) AND b.cooperative_id = c.id AND b.slip = w.slip AND b.slip IS NOT NULL
                    AND NOT b.voided
                ORDER BY b.harvested_on DESC LIMIT 300)
                UNION ALL
                SELECT b.number, b.harvested_on, false FROM batch_correction k
                JOIN batch b ON b.village_id = k.village_id AND b.number = k.batch_number
                WHERE k.village_id = \(scope.village) AND k.cooperative_id = c.id AND k.slip_before = w.slip
                    AND k.slip_before IS NOT NULL AND (b.voided OR b.slip IS DISTINCT FROM k.slip_before)
            ) b ORDER BY b.harvested_on DESC
            """)
        {
            let key = Key(cooperative: try row.decode("cooperative"), number: try row.decode("slip"))
            let number: Int64 = try row.decode("number")
            let harvestedOn: CivilDay = try row.decode("harvested_on")
            if try row.decode("is_present", as: Bool.self) {
                found.slips[key, default: []].append((number, harvestedOn))
            } else {
                found.former[key, default: []].append((number, harvestedOn))
            }
        }
        var numbers: Set<Int64> = []
        for row in rows {
            guard let key = try? key(row, Self.slip),
                let number = found.number(of: key, soldOn: try? row.day(Self.day))
            else { continue }
            numbers.insert(number)
        }
        for row in try await transaction.query(
            """
            SELECT b.number, b.cooperative_id, p.name AS product, b.harvested_on, b.in_g - b.out_g AS stock_g,
                b.voided, b.recalls > 0 AS recalled
            FROM batch b
            JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
            WHERE b.village_id = \(scope.village) AND b.number = ANY(\(Array(numbers))::bigint[])
            ORDER BY b.number FOR NO KEY UPDATE OF b
            """)
        {
            let number: Int64 = try row.decode("number")
            let isRecalled: Bool = try row.decode("recalled")
            found.batches[number] = Source(
                number: number, cooperative: try row.decode("cooperative_id"),
                product: try row.decode("product"), harvestedOn: try row.decode("harvested_on"),
                isVoid: try row.decode("voided"),
                recall: isRecalled ? try await BatchStore.recall(over: number, transaction, scope) : nil,
                stock: try row.decode("stock_g"))
        }
        return found
    }

    /// What is recorded already under the rows' numbers in their years, the newest entry of each first. A sale that was
    /// recorded anew keeps number and year, whatever its day: the next year's number is another's.
    func known(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [SaleKey: [Recorded]] {
        let wanted = Set(
            rows.compactMap { row -> SaleKey? in
                guard let key = try? key(row, Self.number), let day = try? row.day(Self.day) else { return nil }
                return SaleKey(key: key, year: day.year)
            })
        var found: [SaleKey: [Recorded]] = [:]
        for row in try await transaction.query(
            """
            SELECT w.cooperative, w.number, w.year, s.id, s.sold_on, coalesce(h.meant, s.channel) AS channel,
                coalesce(u.meant, s.buyer) AS buyer, s.paid_how, l.*
            FROM unnest(\(wanted.map(\.key.cooperative))::text[], \(wanted.map(\.key.number))::text[],
                \(wanted.map(\.year))::int[]) w (cooperative, number, year)
            JOIN cooperative n ON n.village_id = \(scope.village) AND n.name = w.cooperative
            \(Catalogue.spellings)
            CROSS JOIN LATERAL (
                WITH RECURSIVE entry AS (
                    (SELECT s.* FROM sale s WHERE s.village_id = \(scope.village) AND s.cooperative_id = c.id
                        AND s.number = w.number AND s.number IS NOT NULL AND s.replaces IS NULL
                        AND extract(year FROM s.sold_on)::int = w.year LIMIT 1)
                    UNION ALL
                    SELECT s.* FROM entry e
                    JOIN sale s ON s.village_id = e.village_id AND s.replaces = e.id AND s.replaces IS NOT NULL
                )
                TABLE entry) s
            CROSS JOIN LATERAL (
                SELECT CASE WHEN count(DISTINCT batch_number) = 1 THEN min(batch_number) END AS batch_number,
                    CASE WHEN count(DISTINCT price_fen * 500 / basis_g) = 1 AND bool_and(price_fen * 500 % basis_g = 0)
                        THEN min(price_fen * 500 / basis_g) END AS price_fen,
                    sum(grams)::bigint AS grams, sum(amount_fen)::bigint AS amount_fen,
                    bool_or(returned_g > 0 OR refunded_fen > 0) AS has_returns,
                    CASE WHEN bool_or(returned_g > 0 OR refunded_fen > 0) THEN (
                        SELECT max(k.day) FROM sale_correction k WHERE k.village_id = \(scope.village) AND k.sale_id = s.id
                            AND k.kind = 'reversal') END AS reversed_on
                FROM sale_line l WHERE l.village_id = \(scope.village) AND l.sale_id = s.id) l
            LEFT JOIN spelling h ON h.village_id = s.village_id AND h.kind = 'channel' AND h.name = s.channel
            LEFT JOIN spelling u ON u.village_id = s.village_id AND u.kind = 'buyer' AND u.name = s.buyer
            ORDER BY s.id DESC
            """)
        {
            let key = Key(cooperative: try row.decode("cooperative"), number: try row.decode("number"))
            found[SaleKey(key: key, year: try row.decode("year")), default: []].append(
                Recorded(
                    sale: try row.decode("id"), day: try row.decode("sold_on"), batch: try row.decode("batch_number"),
                    weight: try row.decode("grams"),
                    price: try row.decode("price_fen"), amount: try row.decode("amount_fen"),
                    channel: try row.decode("channel"), buyer: try row.decode("buyer"),
                    paidHow: try row.decode("paid_how"), hasReturns: try row.decode("has_returns"),
                    reversedOn: try row.decode("reversed_on")))
        }
        for (key, entries) in found where entries.count > 1 {
            found[key] = entries.map { entry in
                var entry = entry
                entry.firstDay = entries.last?.day
                return entry
            }
        }
        return found
    }
}
