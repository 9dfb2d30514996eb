import Database
import Kernel
import Postgres
import Registers

/// Records 地块. A plot that is there already is brought up to date.
public struct PlotRegister: RegisterRecorder, Sendable {
    private static let number = Column("地块号")
    private static let name = Column("名称", also: ["地块名称"])
    private static let cooperative = Column("合作社")
    private static let household = Column("户号")
    private static let product = Column("作物", also: ["产品"])
    private static let area = Column("面积亩", also: ["面积"])
    private static let longitude = Column("经度", required: false)
    private static let latitude = Column("纬度", required: false)
    public static let columns = [number, name, cooperative, household, product, area, longitude, latitude]

    public static let refusals = [
        "plot_village_id_number_key": Refusal(
            .conflict, "plot-taken", field: "地块号", zh: "有地块号已属于另一个合作社",
            en: "a plot number belongs to another cooperative already")
    ]

    private var catalogue: Catalogue?
    public let created: [Bilingual] = []

    public init() {}

    private struct Entry: Equatable {
        let number: String
        let name: String
        let cooperative: Int
        let household: Int
        let product: Int
        /// Hundredths of a mu.
        let area: Int64
        /// Millionths of a degree.
        let longitude: Int64?
        let latitude: Int64?
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        let catalogue = try await self.catalogue.orLoad(transaction, scope)
        let households = try await Self.households(rows, transaction, scope)
        var known = try await Self.known(rows, transaction, scope)
        var outcomes: [RowOutcome] = []
        var writes: [SQL] = []
        for row in rows {
            do {
                let entry = try Self.entry(row, households, catalogue)
                if let old = known[entry.number] {
                    guard old != entry else {
                        outcomes.append(.already)
                        continue
                    }
                    guard old.cooperative == entry.cooperative else {
                        throw Refusal(
                            .conflict, "plot-moved", field: Self.cooperative.name,
                            zh: "地块“\(entry.number)”已登记在另一个合作社",
                            en: "plot “\(entry.number)” is registered with another cooperative")
                    }
                    writes.append(Self.update(entry, scope))
                    outcomes.append(.updated)
                } else {
                    writes.append(Self.insert(entry, scope))
                    outcomes.append(.recorded)
                }
                known[entry.number] = entry
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        _ = try await transaction.query(writes)
        self.catalogue = catalogue
        return outcomes
    }

    private static func entry(
        _ row: RegisterRow, _ households: [String: (id: Int, cooperative: Int)], _ catalogue: Catalogue
    ) throws -> Entry {
        let name = try row.text(cooperative, max: 60)
        let householdNumber = try row.key(household)
        guard let owner = households[householdNumber] else {
            throw Refusal(
                .invalid, "unknown-household", field: household.name,
                zh: "没有农户“\(householdNumber.shortened)”，请先导入农户名册",
                en: "there is no household “\(householdNumber.shortened)”: import the households first")
        }
        guard catalogue.cooperatives[name] == owner.cooperative else {
            throw Refusal(
                .invalid, "household-of-another-cooperative", field: household.name,
                zh: "农户“\(householdNumber.shortened)”不属于“\(name.shortened)”",
                en: "household “\(householdNumber.shortened)” does not belong to “\(name.shortened)”")
        }
        let crop: Product
        do {
            crop = try catalogue.product(named: row.text(product, max: 60))
        } catch let refusal as Refusal {
            throw refusal.renamed(field: product.name)
        }
        let centimu = try row.decimal(area, places: 2)
        guard (1...10_000_000).contains(centimu) else {
            throw Refusal(
                .invalid, "out-of-range", field: area.name, zh: "面积须大于 0 且不超过 100,000 亩",
                en: "an area is above 0 and at most 100,000 mu")
        }
        return Entry(
            number: try row.key(number), name: try row.text(self.name, max: 60), cooperative: owner.cooperative,
            household: owner.id, product: crop.id, area: centimu,
            longitude: try degrees(row, longitude, limit: 180), latitude: try degrees(row, latitude, limit: 90))
    }

    private static func degrees(_ row: RegisterRow, _ column: Column, limit: Int64) throws -> Int64? {
        guard let value = try row.optionalDecimal(column, places: 6) else { return nil }
        guard abs(value) <= limit * 1_000_000 else {
            throw Refusal(
                .invalid, "out-of-range", field: column.name, zh: "须在 -\(limit) 到 \(limit) 度之间",
                en: "it must lie between -\(limit) and \(limit) degrees")
        }
        return value
    }

    private static func households(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String: (id: Int, cooperative: Int)] {
        let numbers = Array(Set(rows.compactMap { try? $0.key(household) }))
        var found: [String: (id: Int, cooperative: Int)] = [:]
        for row in try await transaction.query(
            """
            SELECT id, number, cooperative_id FROM household
            WHERE village_id = \(scope.village) AND number = ANY(\(numbers)::text[])
            """)
        {
            found[try row.decode("number")] = (try row.decode("id"), try row.decode("cooperative_id"))
        }
        return found
    }

    private static func known(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String: Entry] {
        let numbers = rows.compactMap { try? $0.key(number) }
        var found: [String: Entry] = [:]
        for row in try await transaction.query(
            """
            SELECT number, name, cooperative_id, household_id, product_id, area_centimu,
                (longitude * 1000000)::bigint AS longitude, (latitude * 1000000)::bigint AS latitude
            FROM plot WHERE village_id = \(scope.village) AND number = ANY(\(numbers)::text[])
            """)
        {
            let entry = Entry(
                number: try row.decode("number"), name: try row.decode("name"),
                cooperative: try row.decode("cooperative_id"), household: try row.decode("household_id"),
                product: try row.decode("product_id"), area: try row.decode("area_centimu"),
                longitude: try row.decode("longitude"), latitude: try row.decode("latitude"))
            found[entry.number] = entry
        }
        return found
    }

    private static func insert(_ entry: Entry, _ scope: Scope) -> SQL {
        """
        INSERT INTO plot (village_id, cooperative_id, household_id, product_id, number, name, area_centimu,
            longitude, latitude)
        VALUES (\(scope.village), \(entry.cooperative), \(entry.household), \(entry.product), \(entry.number),
            \(entry.name), \(entry.area), \(entry.longitude)::numeric / 1000000, \(entry.latitude)::numeric / 1000000)
        """
    }

    private static func update(_ entry: Entry, _ scope: Scope) -> SQL {
        """
        UPDATE plot SET household_id = \(entry.household), product_id = \(entry.product), name = \(entry.name),
            area_centimu = \(entry.area), longitude = \(entry.longitude)::numeric / 1000000,
            latitude = \(entry.latitude)::numeric / 1000000
        WHERE village_id = \(scope.village) AND number = \(entry.number)
        """
    }
}
