import Database
import Kernel
import Postgres

/// The names that registers and requests use, each with its row: cooperatives, products, varieties and grades.
public struct Catalogue: Sendable {
    public private(set) var cooperatives: [String: Int] = [:]
    public private(set) var products: [String: Product] = [:]
    public private(set) var grades: [String: Int] = [:]
    /// By product and name.
    private var varieties: [String: [Int: Int]] = [:]
    /// The one cooperative of who asks, if it is one's clerk: others are not told to such.
    private var own: Int?
    /// What `…, making: true` lookups brought into being.
    public private(set) var created: [Bilingual] = []

    public static func load(_ transaction: Transaction, _ scope: Scope) async throws -> Catalogue {
        let answers = try await transaction.query([
            "SELECT coalesce(merged_into, id) AS id, name FROM cooperative WHERE village_id = \(scope.village)",
            """
            SELECT id, name, unit, best_before_days, ceiling_g_per_mu FROM product WHERE village_id = \(scope.village)
            """,
            "SELECT coalesce(merged_into, id) AS id, product_id, name FROM variety WHERE village_id = \(scope.village)",
            "SELECT coalesce(merged_into, id) AS id, name FROM grade WHERE village_id = \(scope.village)",
        ])
        var catalogue = Catalogue()
        catalogue.own = scope.cooperative
        for row in answers[0] { catalogue.cooperatives[try row.decode("name")] = try row.decode("id") }
        for row in answers[1] {
            let product = Product(
                id: try row.decode("id"), name: try row.decode("name"), unit: try row.decode("unit"),
                bestBeforeDays: try row.decode("best_before_days"), ceilingPerMu: try row.decode("ceiling_g_per_mu"),
                varieties: [])
            catalogue.products[product.name] = product
        }
        for row in answers[2] {
            catalogue.varieties[try row.decode("name"), default: [:]][try row.decode("product_id")] =
                try row.decode("id")
        }
        for row in answers[3] { catalogue.grades[try row.decode("name")] = try row.decode("id") }
        return catalogue
    }

    public func cooperative(named name: String) throws -> Int {
        guard let id = cooperatives[name] else {
            let visible = cooperatives.filter { own == nil || $0.value == own }
            throw Self.unknown("cooperative", "合作社", name, visible.keys)
        }
        return id
    }

    func cooperativeName(_ id: Int) -> String { cooperatives.first { $0.value == id }?.key ?? "" }

    func productName(_ id: Int) -> String { products.first { $0.value.id == id }?.key ?? "" }

    public func product(named name: String) throws -> Product {
        guard let product = products[name] else { throw Self.unknown("product", "产品", name, products.keys) }
        return product
    }

    public func grade(named name: String) throws -> Int {
        guard let id = grades[name] else { throw Self.unknown("grade", "等级", name, grades.keys) }
        return id
    }

    /// The variety of that name, of `product` when it is given.
    /// - Throws: a `Refusal` when there is none, or when two products have one and none was named.
    public func variety(named name: String, product: String?) throws -> (id: Int, product: Product) {
        let candidates = varieties[name] ?? [:]
        let wanted = try product.map { try self.product(named: $0).id }
        let matches = candidates.filter { wanted == nil || $0.key == wanted }
        guard let match = matches.first else {
            let known = varieties.filter { wanted == nil || $0.value.keys.contains { $0 == wanted } }
            throw Self.unknown("variety", "品种", name, known.keys)
        }
        guard matches.count == 1, let owner = products.values.first(where: { $0.id == match.key }) else {
            throw Refusal(
                .invalid, "ambiguous-variety", field: "product", zh: "几种产品都有“\(name.shortened)”，请指明产品",
                en: "several products have “\(name.shortened)”: name the product")
        }
        return (match.value, owner)
    }

    /// The cooperative of that name, made if there is none yet. Only who acts for the whole village makes one.
    public mutating func cooperative(making name: String, _ transaction: Transaction, _ scope: Scope) async throws
        -> Int
    {
        if let id = cooperatives[name] {
            guard scope.cooperative == nil || scope.cooperative == id else {
                throw Refusal(
                    .invalid, "another-cooperative", field: "cooperative", zh: "“\(name.shortened)”不是您的合作社",
                    en: "“\(name.shortened)” is not your cooperative")
            }
            return id
        }
        guard scope.cooperative == nil else { return try cooperative(named: name) }
        let rows = try await transaction.query(
            "INSERT INTO cooperative (village_id, name) VALUES (\(scope.village), \(name)) RETURNING id")
        let id = try Self.id(rows)
        cooperatives[name] = id
        created.append(Bilingual(zh: "合作社“\(name)”", en: "cooperative “\(name)”"))
        return id
    }

    public mutating func variety(
        making name: String, of product: Product, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int {
        if let id = varieties[name]?[product.id] { return id }
        let rows = try await transaction.query(
            """
            INSERT INTO variety (village_id, product_id, name) VALUES (\(scope.village), \(product.id), \(name))
            RETURNING id
            """)
        let id = try Self.id(rows)
        varieties[name, default: [:]][product.id] = id
        created.append(Bilingual(zh: "品种“\(name)”（\(product.name)）", en: "variety “\(name)” of \(product.name)"))
        return id
    }

    public mutating func grade(making name: String, _ transaction: Transaction, _ scope: Scope) async throws -> Int {
        if let id = grades[name] { return id }
        let rows = try await transaction.query(
            "INSERT INTO grade (village_id, name) VALUES (\(scope.village), \(name)) RETURNING id")
        let id = try Self.id(rows)
        grades[name] = id
        created.append(Bilingual(zh: "等级“\(name)”", en: "grade “\(name)”"))
        return id
    }

    private static func id(_ rows: Rows) throws -> Int {
        guard let row = rows.first else { throw MissingRow() }
        return try row.decode("id")
    }

    static func unknown(_ field: String, _ zh: String, _ name: String, _ known: some Sequence<String>) -> Refusal {
        Refusal.unknown(
            .invalid, "unknown-\(field)", field: field, zh: zh, en: field, name: name, known: known.sorted())
    }
}

/// A statement that always answers one row answered none.
public struct MissingRow: Error, Sendable {
    public init() {}
}
