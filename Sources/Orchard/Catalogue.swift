import Database
import Kernel
import Postgres
import Registers

/// The names that registers and requests use, each with its row: cooperatives, products, varieties and grades. A name
/// that differs from a recorded one only in width, brackets, blanks or invisible characters is that one.
public struct Catalogue: Sendable {
    public private(set) var cooperatives = KnownNames<Int>()
    public private(set) var products = KnownNames<Product>()
    public private(set) var grades = KnownNames<Int>()
    /// By product.
    private var varieties: [Int: KnownNames<Int>] = [:]
    /// The one cooperative of who asks, if it is one's clerk: others are not told to such.
    private var own: Int?
    /// What `…, making: true` lookups brought into being.
    public private(set) var created: [Bilingual] = []
    /// New names that are asked about before they come into being.
    private var questions: [Kind: NameQuestions] = [:]
    private var isLocked = false

    /// What may come into being.
    public enum Kind: String, Sendable {
        case cooperative, variety, grade
    }

    /// Joins the cooperative `n` to itself and to every other spelling of its name, as `c`: what was recorded under one is
    /// found under all.
    public static let spellings: SQL = """
        JOIN cooperative c ON c.village_id = n.village_id
            AND coalesce(c.merged_into, c.id) = coalesce(n.merged_into, n.id)
        """

    /// Without any name, before it is loaded.
    public init() {}

    public static func load(_ transaction: Transaction, _ scope: Scope) async throws -> Catalogue {
        var catalogue = Catalogue()
        try await catalogue.read(transaction, scope)
        return catalogue
    }

    private mutating func read(_ transaction: Transaction, _ scope: Scope) async throws {
        func named(_ table: SQL, _ columns: SQL = "") -> SQL {
            """
            SELECT coalesce(m.id, n.id) AS id, n.name, coalesce(m.name, n.name) AS meant\(columns) FROM \(table) n
            LEFT JOIN \(table) m ON m.village_id = n.village_id AND m.id = n.merged_into
            WHERE n.village_id = \(scope.village) ORDER BY 1, n.id
            """
        }
        let answers = try await transaction.query([
            named("cooperative"),
            """
            SELECT id, name, unit, best_before_days, ceiling_g_per_mu FROM product WHERE village_id = \(scope.village)
            ORDER BY id
            """,
            named("variety", ", n.product_id"), named("grade"),
        ])
        own = scope.cooperative
        for row in answers[0] {
            cooperatives.add(try row.decode("name"), try row.decode("id"), meant: try row.decode("meant"))
        }
        for row in answers[1] {
            let product = Product(
                id: try row.decode("id"), name: try row.decode("name"), unit: try row.decode("unit"),
                bestBeforeDays: try row.decode("best_before_days"), ceilingPerMu: try row.decode("ceiling_g_per_mu"),
                varieties: [])
            products.add(product.name, product)
        }
        for row in answers[2] {
            varieties[try row.decode("product_id"), default: KnownNames()].add(
                try row.decode("name"), try row.decode("id"), meant: try row.decode("meant"))
        }
        for row in answers[3] {
            grades.add(try row.decode("name"), try row.decode("id"), meant: try row.decode("meant"))
        }
    }

    /// Says which names a register's rows have, so that new ones that are close to others are asked about.
    public mutating func expect(_ kind: Kind, _ names: [String: Int], creating: Bool) {
        let known =
            switch kind {
            case .cooperative: cooperatives.spellings
            case .grade: grades.spellings
            case .variety: varieties.values.flatMap(\.spellings)
            }
        questions[kind] = creating ? nil : NameQuestions(of: names, known: known)
    }

    public func cooperative(named name: String) throws -> Int {
        guard let id = cooperatives[name] else {
            let visible = cooperatives.names.filter { own == nil || cooperatives[$0] == own }
            throw Self.unknown("cooperative", "合作社", name, visible)
        }
        return id
    }

    func cooperativeName(_ id: Int) -> String { cooperatives.names.first { cooperatives[$0] == id } ?? "" }

    func productName(_ id: Int) -> String { products.values.first { $0.id == id }?.name ?? "" }

    public func product(named name: String) throws -> Product {
        guard let product = products[name] else { throw Self.unknown("product", "产品", name, products.names) }
        return product
    }

    public func grade(named name: String) throws -> Int {
        guard let id = grades[name] else { throw Self.unknown("grade", "等级", name, grades.names) }
        return id
    }

    /// The variety of that name, of `product` when it is given.
    /// - Throws: a `Refusal` when there is none, or when two products have one and none was named.
    public func variety(named name: String, product: String?) throws -> (id: Int, product: Product) {
        let wanted = try product.map { try self.product(named: $0).id }
        let candidates = varieties.filter { wanted == nil || $0.key == wanted }
        let matches = candidates.compactMap { product, names in names[name].map { (product, $0) } }
        guard let match = matches.first else {
            let others = products.values.filter { varieties[$0.id]?[name] != nil }.map(\.name)
            guard others.isEmpty else { throw Self.ofAnotherProduct(variety: name, products: others.sorted()) }
            throw Self.unknown("variety", "品种", name, Set(candidates.values.flatMap(\.names)))
        }
        guard matches.count == 1, let owner = products.values.first(where: { $0.id == match.0 }) else {
            throw Refusal(
                .invalid, "ambiguous-variety", field: "product", zh: "几种产品都有“\(name.shortened)”，请指明产品",
                en: "several products have “\(name.shortened)”: name the product")
        }
        return (match.1, owner)
    }

    /// The name of a product's variety as it is recorded.
    public func recorded(variety: String, of product: Int) -> String? { varieties[product]?.recorded(variety) }

    /// The cooperative of that name, made if there is none yet. Only who acts for the whole village makes one.
    public mutating func cooperative(making name: String, _ transaction: Transaction, _ scope: Scope) async throws
        -> Int
    {
        if let id = try ownCooperative(named: name) { return id }
        guard scope.cooperative == nil else { return try cooperative(named: name) }
        try questions[.cooperative]?.check(name, "cooperative", Bilingual(zh: "合作社", en: "cooperative"))
        try await lock(transaction, scope)
        if let id = try ownCooperative(named: name) { return id }
        let rows = try await transaction.query(
            "INSERT INTO cooperative (village_id, name) VALUES (\(scope.village), \(name)) RETURNING id")
        let id = try Self.id(rows)
        cooperatives.add(name, id)
        created.append(Bilingual(zh: "合作社“\(name)”", en: "cooperative “\(name)”"))
        return id
    }

    private func ownCooperative(named name: String) throws -> Int? {
        try checkOwn(cooperative: name)
        return cooperatives[name]
    }

    /// Refuses to tell a cooperative's clerk anything else of a row that is another cooperative's.
    /// - Parameter name: as the row says; one that is unknown passes.
    public func checkOwn(cooperative name: String) throws {
        guard let own, let id = cooperatives[name], id != own else { return }
        throw Refusal(
            .invalid, "another-cooperative", field: "cooperative", zh: "“\(name.shortened)”不是您的合作社",
            en: "“\(name.shortened)” is not your cooperative")
    }

    public mutating func variety(
        making name: String, of product: Product, _ transaction: Transaction, _ scope: Scope
    ) async throws -> Int {
        if let id = varieties[product.id]?[name] { return id }
        try checkNew(.variety, name)
        try await lock(transaction, scope)
        if let id = varieties[product.id]?[name] { return id }
        let rows = try await transaction.query(
            """
            INSERT INTO variety (village_id, product_id, name) VALUES (\(scope.village), \(product.id), \(name))
            RETURNING id
            """)
        let id = try Self.id(rows)
        varieties[product.id, default: KnownNames()].add(name, id)
        created.append(Bilingual(zh: "品种“\(name)”（\(product.name)）", en: "variety “\(name)” of \(product.name)"))
        return id
    }

    public mutating func grade(making name: String, _ transaction: Transaction, _ scope: Scope) async throws -> Int {
        if let id = grades[name] { return id }
        try checkNew(.grade, name)
        try await lock(transaction, scope)
        if let id = grades[name] { return id }
        let rows = try await transaction.query(
            "INSERT INTO grade (village_id, name) VALUES (\(scope.village), \(name)) RETURNING id")
        let id = try Self.id(rows)
        grades.add(name, id)
        created.append(Bilingual(zh: "等级“\(name)”", en: "grade “\(name)”"))
        return id
    }

    /// - Throws: a `Refusal`, code `close-name`, for a new name that is close to another and was not said to be meant.
    public func checkNew(_ kind: Kind, _ name: String) throws {
        let label =
            switch kind {
            case .cooperative: Bilingual(zh: "合作社", en: "cooperative")
            case .variety: Bilingual(zh: "品种", en: "variety")
            case .grade: Bilingual(zh: "等级", en: "grade")
            }
        try questions[kind]?.check(name, kind.rawValue, label)
    }

    /// Sees the names that others have made until now: no constraint knows that two spellings are one name.
    private mutating func lock(_ transaction: Transaction, _ scope: Scope) async throws {
        guard !isLocked else { return }
        _ = try await transaction.query(Self.hold(scope))
        try await read(transaction, scope)
        isLocked = true
    }

    /// Lets nobody else make or merge names until the transaction ends.
    static func hold(_ scope: Scope) -> SQL { "SELECT pg_advisory_xact_lock(7241005, \(Int64(scope.village))::int)" }

    private static func id(_ rows: Rows) throws -> Int {
        guard let row = rows.first else { throw MissingRow() }
        return try row.decode("id")
    }

    /// A variety is there, but not of the product that was named.
    static func ofAnotherProduct(variety: String, products: [String]) -> Refusal {
        let (zh, en) = (products.joined(separator: "、"), products.joined(separator: ", "))
        return Refusal(
            .invalid, "variety-of-another-product", field: "variety", zh: "品种“\(variety.shortened)”属于\(zh)，不是这种产品的",
            en: "the variety “\(variety.shortened)” belongs to \(en), and not to this product")
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
