import Database
import Kernel
import Postgres

/// Cooperatives, products, varieties, grades, households and plots.
public struct OrchardStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    public func cooperatives(_ scope: Scope) async throws -> [Cooperative] {
        try await database.query(
            """
            SELECT c.id, c.name, m.name AS merged_into FROM cooperative c
            LEFT JOIN cooperative m ON m.village_id = c.village_id AND m.id = c.merged_into
            WHERE c.village_id = \(scope.village)
                AND (\(scope.cooperative)::int IS NULL OR c.id = \(scope.cooperative))
            ORDER BY c.id
            """, scope
        ).map {
            Cooperative(
                id: try $0.decode("id"), name: try $0.decode("name"), mergedInto: try $0.decode("merged_into"))
        }
    }

    public func products(_ scope: Scope) async throws -> [Product] {
        let varieties = try await database.query(
            """
            SELECT v.product_id, v.id, v.name, m.name AS merged_into FROM variety v
            LEFT JOIN variety m ON m.village_id = v.village_id AND m.id = v.merged_into
            WHERE v.village_id = \(scope.village) ORDER BY v.id
            """, scope)
        let byProduct = Dictionary(
            grouping: try varieties.map {
                (
                    product: try $0.decode("product_id", as: Int.self),
                    variety: Variety(
                        id: try $0.decode("id"), name: try $0.decode("name"),
                        mergedInto: try $0.decode("merged_into"))
                )
            }, by: \.product)
        return try await database.query(
            """
            SELECT id, name, unit, best_before_days, ceiling_g_per_mu FROM product
            WHERE village_id = \(scope.village) ORDER BY id
            """, scope
        ).map { row in
            let id: Int = try row.decode("id")
            return Product(
                id: id, name: try row.decode("name"), unit: try row.decode("unit"),
                bestBeforeDays: try row.decode("best_before_days"), ceilingPerMu: try row.decode("ceiling_g_per_mu"),
                varieties: (byProduct[id] ?? []).map(\.variety))
        }
    }

    public func grades(_ scope: Scope) async throws -> [Grade] {
        try await database.query(
            """
            SELECT g.id, g.name, m.name AS merged_into FROM grade g
            LEFT JOIN grade m ON m.village_id = g.village_id AND m.id = g.merged_into
            WHERE g.village_id = \(scope.village) ORDER BY g.id
            """, scope
        ).map {
            Grade(id: try $0.decode("id"), name: try $0.decode("name"), mergedInto: try $0.decode("merged_into"))
        }
    }

    /// - Parameter after: the number of the household before the first one wanted.
    public func households(_ scope: Scope, after: String = "", limit: Int = 500) async throws -> [Household] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                Self.householdQuery(scope) + " AND h.number > \(after) ORDER BY h.number LIMIT \(limit)"
            ).map(Self.household)
        }
    }

    static func householdQuery(_ scope: Scope) -> SQL {
        """
        SELECT h.id, h.number, h.head, h.grid_cell, h.support_class, c.name AS cooperative, h.people, h.phone
        FROM household h JOIN cooperative_meant c ON c.village_id = h.village_id AND c.id = h.cooperative_id
        WHERE h.village_id = \(scope.village)
        """
    }

    static func household(_ row: Row) throws -> Household {
        Household(
            id: try row.decode("id"), number: try row.decode("number"), head: try row.decode("head"),
            gridCell: try row.decode("grid_cell"), supportClass: try row.decode("support_class"),
            cooperative: try row.decode("cooperative"), people: try row.decode("people"),
            phone: try row.decode("phone"))
    }

    /// - Parameter after: the number of the plot before the first one wanted.
    public func plots(_ scope: Scope, after: String = "", limit: Int = 500) async throws -> [Plot] {
        try await database.transaction(scope) { transaction in
            try await transaction.query(
                Self.plotQuery(scope) + " AND t.number > \(after) ORDER BY t.number LIMIT \(limit)"
            ).map(Self.plot)
        }
    }

    static func plotQuery(_ scope: Scope) -> SQL {
        """
        SELECT t.id, t.number, t.name, c.name AS cooperative, t.cooperative_id, h.number AS household,
            p.name AS product, t.product_id, t.area_centimu, t.longitude::text, t.latitude::text
        FROM plot t
        JOIN cooperative_meant c ON c.village_id = t.village_id AND c.id = t.cooperative_id
        \(householdNumber("t"))
        JOIN product p ON p.village_id = t.village_id AND p.id = t.product_id
        WHERE t.village_id = \(scope.village)
        """
    }

    /// A part of a statement that knows the number of a plot's household as `h.number`, also when the household has left
    /// the cooperative of whoever asks.
    /// - Parameter plots: the statement's name for what has the `household_id`.
    static func householdNumber(_ plots: StaticString) -> SQL {
        """
        CROSS JOIN LATERAL (
            SELECT number FROM household_period x
            WHERE x.village_id = \(literal: plots).village_id AND x.household_id = \(literal: plots).household_id LIMIT 1
        ) h
        """
    }

    static func plot(_ row: Row) throws -> Plot {
        Plot(
            id: try row.decode("id"), number: try row.decode("number"), name: try row.decode("name"),
            cooperative: try row.decode("cooperative"), cooperativeID: try row.decode("cooperative_id"),
            household: try row.decode("household"), product: try row.decode("product"),
            productID: try row.decode("product_id"), areaCentimu: try row.decode("area_centimu"),
            longitude: try row.decode("longitude"), latitude: try row.decode("latitude"))
    }

    public static func addCooperative(name: String) -> Plan<String> {
        { transaction, scope in
            let name = try OrchardRules.name(name, field: "name")
            if let known = try await Catalogue.load(transaction, scope).cooperatives.recorded(name) {
                throw taken(known)
            }
            return Change(
                name,
                writes: ["INSERT INTO cooperative (village_id, name) VALUES (\(scope.village), \(name))"],
                refusals: ["cooperative_village_id_name_key": taken(name)],
                event: Event("cooperative.add", name))
        }
    }

    public static func addGrade(name: String) -> Plan<String> {
        { transaction, scope in
            let name = try OrchardRules.name(name, field: "name")
            if let known = try await Catalogue.load(transaction, scope).grades.recorded(name) { throw taken(known) }
            return Change(
                name,
                writes: ["INSERT INTO grade (village_id, name) VALUES (\(scope.village), \(name))"],
                refusals: ["grade_village_id_name_key": taken(name)],
                event: Event("grade.add", name))
        }
    }

    /// - Parameter ceilingPerMu: what a mu may give in a season.
    public static func addProduct(name: String, bestBeforeDays: Int?, ceilingPerMu: Weight) -> Plan<String> {
        { transaction, scope in
            let name = try OrchardRules.name(name, field: "name")
            if let known = try await Catalogue.load(transaction, scope).products.recorded(name) { throw taken(known) }
            guard bestBeforeDays.map({ (1...3650).contains($0) }) ?? true,
                (1...100_000_000).contains(ceilingPerMu.grams)
            else {
                throw Refusal(
                    .invalid, "out-of-range", zh: "保质期 1 到 3650 天，亩产上限大于 0 且不超过 100 吨",
                    en: "best before within 1 to 3650 days, and a ceiling above 0 and of at most 100 tonnes per mu")
            }
            return Change(
                name,
                writes: [
                    """
                    INSERT INTO product (village_id, name, best_before_days, ceiling_g_per_mu)
                    VALUES (\(scope.village), \(name), \(bestBeforeDays), \(ceilingPerMu))
                    """
                ],
                refusals: ["product_village_id_name_key": taken(name)],
                event: Event("product.add", name))
        }
    }

    public static func addVariety(name: String, product: String) -> Plan<String> {
        { transaction, scope in
            let name = try OrchardRules.name(name, field: "name")
            let catalogue = try await Catalogue.load(transaction, scope)
            let product = try catalogue.product(named: product)
            if let known = catalogue.recorded(variety: name, of: product.id) { throw taken(known) }
            return Change(
                name,
                writes: [
                    """
                    INSERT INTO variety (village_id, product_id, name)
                    VALUES (\(scope.village), \(product.id), \(name))
                    """
                ],
                refusals: ["variety_village_id_product_id_name_key": taken(name)],
                event: Event("variety.add", name))
        }
    }

    static func taken(_ name: String) -> Refusal {
        Refusal(
            .conflict, "name-taken", field: "name", zh: "“\(name.shortened)”已经有了",
            en: "“\(name.shortened)” is there already")
    }
}
