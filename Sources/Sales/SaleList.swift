import Database
import Kernel
import Orchard
import Postgres

/// Which sales are wanted.
public struct SaleFilter: Sendable {
    public var from: CivilDay?
    public var to: CivilDay?
    /// Part of the buyer's name.
    public var buyer: String?
    /// The number in the cooperative's own register.
    public var number: String?
    public var batch: Int64?

    public init(
        from: CivilDay? = nil, to: CivilDay? = nil, buyer: String? = nil, number: String? = nil, batch: Int64? = nil
    ) {
        (self.from, self.to, self.buyer, self.batch) = (from, to, buyer?.trimmed, batch)
        // What no number can be is looked for as it is, and not found.
        self.number = number.map { (try? CleanText.key($0)) ?? $0 }
    }

    fileprivate func condition(_ scope: Scope) -> SQL {
        var conditions: SQL = "true"
        if let from { conditions += " AND r.sold_on >= \(from)" }
        if let to { conditions += " AND r.sold_on <= \(to)" }
        if let buyer {
            // Under whichever of its spellings it was recorded.
            conditions += """
                 AND (strpos(r.buyer, \(buyer)) > 0
                    OR r.buyer = ANY ((SELECT spellings(\(scope.village), 'buyer',
                        coalesce(\(SaleNames.meant(.buyer, by: buyer, scope)), \(buyer))))::text[]))
                """
        }
        if let number { conditions += " AND r.number = \(number)" }
        return conditions
    }

    /// A page of the sales. Those of a batch are sought by its lines, so that neither many others nor many of its own are
    /// gone through.
    func page(before: Int64, limit: Int, _ scope: Scope) -> SQL {
        guard let batch else {
            return scope.newest("sale", by: "id", before: before, where: condition(scope), limit: limit)
        }
        return """
            SELECT r.* FROM (
                SELECT DISTINCT sale_id FROM sale_line
                WHERE village_id = \(scope.village) AND batch_number = \(batch) AND sale_id < \(before)
                ORDER BY sale_id DESC) l
            JOIN sale r ON r.village_id = \(scope.village) AND r.id = l.sale_id
            WHERE \(condition(scope)) ORDER BY l.sale_id DESC LIMIT \(known: limit)
            """
    }
}

extension SaleStore {
    /// - Parameter before: the id of the sale after the last one wanted: newest come first.
    public func list(
        _ scope: Scope, before: Int64 = .max, _ filter: SaleFilter = SaleFilter(), limit: Int = 50
    ) async throws -> [Sale] {
        try await database.transaction(scope) { transaction in
            try await Self.sales(
                filter.page(before: before, limit: limit, scope), after: [LocalSetting.keepingPlan.statement],
                transaction, scope)
        }
    }

    /// A sale and what has been put right of it, oldest first.
    /// - Throws: a `Refusal` of kind `notFound`, for another cooperative's sale too.
    public func show(_ sale: Int64, _ scope: Scope) async throws -> (sale: Sale, corrections: [SaleCorrection]) {
        try await database.transaction(scope) { transaction in
            let found = try await Self.sale(sale, transaction, scope)
            let rows = try await transaction.query(
                """
                SELECT id, line, kind, goods, grams, refund_fen, day, reason, actor, at FROM sale_correction
                WHERE village_id = \(scope.village) AND sale_id = \(sale) ORDER BY id
                """)
            return (found, try rows.map(SaleCorrection.init))
        }
    }

    static func sale(_ sale: Int64, _ transaction: Transaction, _ scope: Scope) async throws -> Sale {
        let one: SQL = "SELECT * FROM sale WHERE village_id = \(scope.village) AND id = \(sale)"
        guard let found = try await sales(one, transaction, scope).first else {
            throw SaleRules.unknownSale(sale)
        }
        return found
    }

    private static func sales(
        _ page: SQL, after settings: [SQL] = [], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [Sale] {
        let answers = try await transaction.query(
            settings + [
                """
                WITH page AS (\(page))
                SELECT s.id, s.number, c.name AS cooperative, s.sold_on,
                    coalesce(w.meant, s.channel) AS channel, coalesce(v.meant, s.buyer) AS buyer, s.paid_how, s.replaces,
                    (SELECT r.id FROM sale r WHERE r.village_id = \(scope.village) AND r.replaces = s.id) AS replaced_by,
                    l.line, l.batch_number, p.name AS product, l.grams, l.price_fen, l.price_basis, l.basis_g, l.amount_fen,
                    l.returned_g, l.refunded_fen, (l.returned_g > 0 OR l.refunded_fen > 0) AND EXISTS (
                        SELECT FROM sale_correction k WHERE k.village_id = \(scope.village) AND k.sale_id = l.sale_id
                            AND k.line = l.line AND k.kind = 'reversal') AS reversed
                FROM page s
                JOIN cooperative_meant c ON c.village_id = s.village_id AND c.id = s.cooperative_id
                LEFT JOIN spelling w ON w.village_id = s.village_id AND w.kind = 'channel' AND w.name = s.channel
                LEFT JOIN spelling v ON v.village_id = s.village_id AND v.kind = 'buyer' AND v.name = s.buyer
                JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id
                JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number
                JOIN product p ON p.village_id = b.village_id AND p.id = b.product_id
                ORDER BY s.id DESC, l.line
                """
            ])
        guard let rows = answers.last else { return [] }
        var order: [Int64] = []
        var lines: [Int64: [Sale.Line]] = [:]
        var heads: [Int64: Row] = [:]
        for row in rows {
            let id: Int64 = try row.decode("id")
            if heads[id] == nil {
                heads[id] = row
                order.append(id)
            }
            lines[id, default: []].append(try line(row))
        }
        return try order.compactMap { id in
            guard let row = heads[id] else { return nil }
            return Sale(
                id: Identifier(id), number: try row.decode("number"), cooperative: try row.decode("cooperative"),
                day: try row.decode("sold_on"), channel: try row.decode("channel"), buyer: try row.decode("buyer"),
                paidHow: try row.decode("paid_how"), replaces: try row.decode("replaces"),
                replacedBy: try row.decode("replaced_by"), lines: lines[id] ?? [])
        }
    }

    private static func line(_ row: Row) throws -> Sale.Line {
        let basis = Price.Basis(rawValue: try row.decode("price_basis")) ?? .jin
        let price = try Price(
            fen: row.decode("price_fen"), basis: basis, boxGrams: basis == .box ? row.decode("basis_g") : nil)
        return Sale.Line(
            number: try row.decode("line"), batch: try row.decode("batch_number"), product: try row.decode("product"),
            weight: try row.decode("grams"), price: price, amount: try row.decode("amount_fen"),
            returned: try row.decode("returned_g"), refunded: try row.decode("refunded_fen"),
            isReversed: try row.decode("reversed"))
    }
}
