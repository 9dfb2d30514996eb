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
    public static let numbering: Numbering? = Numbering(number)

    public static let refusals = [
        "plot_village_id_number_key": Refusal(
            .conflict, "plot-taken", field: "地块号", zh: "有地块号已属于另一个合作社",
            en: "a plot number belongs to another cooperative already")
    ]

    private var catalogue = Catalogue()
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
            } catch let refused as RowRefused {
                outcomes.append(.refused(refused.refusals))
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        _ = try await transaction.query(writes)
        return outcomes
    }

    public mutating func begin(
        _ context: ImportContext, in transaction: Transaction, _ scope: Scope
    ) async throws {
        catalogue = try await Catalogue.load(transaction, scope)
    }

    /// What a row says of a plot, with the names as they stand there.
    private struct Said {
        let number: String
        let name: String
        let cooperative: String
        let household: String
        let product: String
        let area: Int64
        let longitude: Int64?
        let latitude: Int64?
    }

    private static func read(_ row: RegisterRow, _ faults: inout RowFaults) throws -> Said {
        try Said(
            number: faults.reading("") { try row.key(number) },
            name: faults.reading("") { try row.text(name, max: 60) },
            cooperative: faults.reading("") { try row.text(cooperative, max: 60) },
            household: faults.reading("") { try row.key(household) },
            product: faults.reading("") { try row.text(product, max: 60) },
            area: faults.reading(0) { try centimu(row) },
            longitude: faults.reading(nil) { try degrees(row, longitude, limit: 180) },
            latitude: faults.reading(nil) { try degrees(row, latitude, limit: 90) })
    }

    public static func identity(of row: RegisterRow) throws -> RowIdentity {
        var faults = RowFaults()
        let said = try read(row, &faults)
        try faults.check()
        return RowIdentity(
            number: [said.number],
            content: [
                (name, said.name), (cooperative, CleanText.folded(said.cooperative)), (household, said.household),
                (product, CleanText.folded(said.product)), (area, "\(said.area)"),
                (longitude, said.longitude.map { "\($0)" }), (latitude, said.latitude.map { "\($0)" }),
            ])
    }

    private static func entry(
        _ row: RegisterRow, _ households: [String: (id: Int, cooperative: Int)], _ catalogue: Catalogue
    ) throws -> Entry {
        var faults = RowFaults()
        let said = try read(row, &faults)
        let owner = try faults.reading(nil) {
            try Self.owner(said.household, of: said.cooperative, households, catalogue)
        }
        let crop = try faults.reading(nil) { try Self.crop(said.product, catalogue) }
        try faults.check()
        guard let owner, let crop else { throw MissingRow() }
        return Entry(
            number: said.number, name: said.name, cooperative: owner.cooperative, household: owner.id, product: crop.id,
            area: said.area, longitude: said.longitude, latitude: said.latitude)
    }

    /// - Returns: nil when the row does not name both, which it is refused for already.
    private static func owner(
        _ number: String, of name: String, _ households: [String: (id: Int, cooperative: Int)], _ catalogue: Catalogue
    ) throws -> (id: Int, cooperative: Int)? {
        guard !number.isEmpty else { return nil }
        guard let owner = households[number] else {
            throw Refusal(
                .invalid, "unknown-household", field: household.name,
                zh: "没有农户“\(number.shortened)”，请先导入农户名册",
                en: "there is no household “\(number.shortened)”: import the households first")
        }
        guard name.isEmpty || catalogue.cooperatives[name] == owner.cooperative else {
            throw Refusal(
                .invalid, "household-of-another-cooperative", field: household.name,
                zh: "农户“\(number.shortened)”不属于“\(name.shortened)”",
                en: "household “\(number.shortened)” does not belong to “\(name.shortened)”")
        }
        return owner
    }

    /// - Returns: nil when the row names none, which it is refused for already.
    private static func crop(_ name: String, _ catalogue: Catalogue) throws -> Product? {
        do {
            return name.isEmpty ? nil : try catalogue.product(named: name)
        } catch let refusal as Refusal {
            throw refusal.renamed(field: product.name)
        }
    }

    private static func centimu(_ row: RegisterRow) throws -> Int64 {
        let centimu = try row.decimal(area, places: 2)
        guard (1...10_000_000).contains(centimu) else {
            throw Refusal(
                .invalid, "out-of-range", field: area.name, zh: "面积须大于 0 且不超过 100,000 亩",
                en: "an area is above 0 and at most 100,000 mu")
        }
        return centimu
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
