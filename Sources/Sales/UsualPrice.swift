import Database
import Kernel
import Orchard
import Postgres

/// Asks about a price that is far from what the product sells at.
///
/// What it sells at is the median of its last lines, which takes a while to find out; so a figure near it is kept with the
/// product, and the median is looked up only for a price that is not within twice of that.
enum UsualPrice {
    /// How many of the last lines count, among how many sales they are looked for, and how many it takes.
    private static let (lines, among, least) = (200, 2000, 5)
    /// From so many times the usual price it is asked about.
    private static let far: Int64 = 5

    /// - Returns: what is to be written of the figures that are kept.
    /// - Throws: a `Refusal` that names the usual price, unless the sale says that its prices are meant.
    static func ask(
        _ sale: NewSale, _ batches: [Int64: SaleStore.Source], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [SQL] {
        var writes: [Int: SQL] = [:]
        for (index, line) in sale.lines.enumerated() {
            guard let batch = batches[line.batch] else { continue }
            let asked = line.price.perKilogram
            if let near = batch.usualFen, isWithin(2, asked, near) { continue }
            guard let usual = try await median(batch.productID, transaction, scope) else { continue }
            if batch.usualFen != usual {
                writes[batch.productID] = """
                    UPDATE product SET usual_fen = \(usual)
                    WHERE village_id = \(scope.village) AND id = \(batch.productID)
                    """
            }
            guard isWithin(far, asked, usual) || sale.confirmed.contains(.unusualPrice) else {
                throw refusal(line.price, product: batch.product, usual: usual)
                    .renamed(field: "lines[\(index)].price")
            }
        }
        return writes.sorted { $0.key < $1.key }.map(\.value)
    }

    /// What the products sell at, in fen a kilogram, for many sales at once.
    static func all(_ catalogue: Catalogue, _ transaction: Transaction, _ scope: Scope) async throws -> [String: Int64]
    {
        var found: [String: Int64] = [:]
        for product in catalogue.products.values {
            found[product.name] = try await median(product.id, transaction, scope)
        }
        return found
    }

    /// - Throws: a `Refusal` when a product's price is far from the usual one.
    static func check(_ price: Price, of product: String, usual: Int64?) throws {
        guard let usual, !isWithin(far, price.perKilogram, usual) else { return }
        throw refusal(price, product: product, usual: usual)
    }

    private static func isWithin(_ factor: Int64, _ price: Int64, _ usual: Int64) -> Bool {
        price * factor >= usual && price <= usual * factor
    }

    /// In fen a kilogram; nil where too little was sold to tell. What was reversed does not count.
    private static func median(_ product: Int, _ transaction: Transaction, _ scope: Scope) async throws -> Int64? {
        let rows = try await transaction.query(
            """
            SELECT count(*) AS lines, percentile_disc(0.5) WITHIN GROUP (ORDER BY fen) AS fen FROM (
                SELECT l.price_fen * 1000 / l.basis_g AS fen
                FROM (\(scope.newest("sale", by: "id", before: .max, where: "true", limit: among))) s
                JOIN sale_line l ON l.village_id = s.village_id AND l.sale_id = s.id
                JOIN batch b ON b.village_id = l.village_id AND b.number = l.batch_number
                WHERE b.product_id = \(product) AND l.returned_g < l.grams
                ORDER BY l.sale_id DESC LIMIT \(lines)
            ) recent
            """)
        guard let row = rows.first, try row.decode("lines", as: Int64.self) >= least else { return nil }
        let fen: Int64 = try row.decode("fen")
        return fen > 0 ? fen : nil
    }

    private static func refusal(_ price: Price, product: String, usual: Int64) -> Refusal {
        let jin = Money(fen: (usual + 1) / 2)
        return Refusal(
            .conflict, "unusual-price",
            zh: "“\(product)”近来卖 \(jin)/斤上下，这里是 \(price)，差得太远；没有写错就确认一下（--unusual-price，unusualPrice）",
            en: "“\(product)” sells at around \(jin)/斤, and this is \(price): if it is meant, say so (--unusual-price, "
                + "unusualPrice)")
    }
}

extension Price {
    fileprivate var perKilogram: Int64 { fen * 1000 / basisGrams }
}
