import Database
import Kernel
import Postgres
import Registers

/// Records 地块. Of a plot that is there already, what is new holds from a day on.
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

    private let asOf: CivilDay?
    private let today: CivilDay
    private var day: RegisterDay?
    private var catalogue: Catalogue?
    public let created: [Bilingual] = []

    /// - Parameter asOf: the day from which on the register holds; nil for today.
    public init(asOf: CivilDay? = nil, today: CivilDay) {
        self.asOf = asOf
        self.today = today
    }

    /// What holds from a day on.
    private struct Dated: Equatable {
        let cooperative: Int
        let household: Int
        let householdNumber: String
        let product: Int
        /// Hundredths of a mu.
        let area: Int64
    }

    /// What only the present is kept of.
    private struct Undated: Equatable {
        let name: String
        /// Millionths of a degree.
        let longitude: Int64?
        let latitude: Int64?
    }

    private struct Entry {
        let number: String
        let dated: Dated
        let undated: Undated
        /// The day from which on its household has been in its cooperative.
        let ownerSince: CivilDay
    }

    private struct Known {
        var timeline = Timeline<Dated>()
        var undated: Undated
    }

    private struct Owner {
        let id: Int
        var cooperatives = Timeline<Int>()
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        let day = try await self.day.orFind(asOf, today: today, transaction, scope)
        self.day = day
        let catalogue = try await self.catalogue.orLoad(transaction, scope)
        let households = try await Self.households(rows, transaction, scope)
        var known = try await Self.known(rows, transaction, scope)
        var outcomes: [RowOutcome] = []
        var writes: [SQL] = []
        for row in rows {
            do {
                let entry = try Self.entry(row, households, catalogue, day.asOf)
                if let old = known[entry.number] {
                    let (outcome, statements) = try Self.change(old, entry, day.asOf, catalogue, scope)
                    outcomes.append(outcome)
                    writes += statements
                    known[entry.number]?.timeline.add(entry.dated, from: day.asOf)
                    known[entry.number]?.undated = entry.undated
                } else {
                    let from = max(day.beginning, entry.ownerSince)
                    writes.append(Self.insert(entry, from: from, scope))
                    outcomes.append(.recorded)
                    var new = Known(undated: entry.undated)
                    new.timeline.add(entry.dated, from: from)
                    known[entry.number] = new
                }
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        _ = try await transaction.query(writes)
        self.catalogue = catalogue
        return outcomes
    }

    private static func entry(
        _ row: RegisterRow, _ households: [String: Owner], _ catalogue: Catalogue, _ day: CivilDay
    ) throws -> Entry {
        let name = try row.text(cooperative, max: 60)
        let householdNumber = try row.key(household)
        guard let owner = households[householdNumber] else {
            throw Refusal(
                .invalid, "unknown-household", field: household.name,
                zh: "没有农户“\(householdNumber.shortened)”，请先导入农户名册",
                en: "there is no household “\(householdNumber.shortened)”: import the households first")
        }
        guard let its = owner.cooperatives.value(on: day),
            let since = owner.cooperatives.since(day, { $0 == its })
        else {
            throw OrchardRules.notYet(household: householdNumber, from: owner.cooperatives.start)
                .renamed(field: household.name)
        }
        guard catalogue.cooperatives[name] == its else {
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
            number: try row.key(number),
            dated: Dated(
                cooperative: its, household: owner.id, householdNumber: householdNumber, product: crop.id,
                area: centimu),
            undated: Undated(
                name: try row.text(self.name, max: 60), longitude: try degrees(row, longitude, limit: 180),
                latitude: try degrees(row, latitude, limit: 90)),
            ownerSince: since)
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

    /// What a row changes of a plot that is there: what holds from the day on, and the present unless that was said of a
    /// later day.
    private static func change(
        _ old: Known, _ entry: Entry, _ day: CivilDay, _ catalogue: Catalogue, _ scope: Scope
    ) throws -> (RowOutcome, [SQL]) {
        let before = old.timeline.value(on: day)
        if scope.cooperative != nil, before == nil {
            throw OrchardRules.notYet(plot: entry.number, from: old.timeline.start).renamed(field: number.name)
        }
        let isPresent = !old.timeline.changes(after: day)
        guard before != entry.dated || isPresent && old.undated != entry.undated else { return (.already, []) }
        let changes = DatedChanges(
            "plot.change", entry.number, day,
            fields: [
                .init(household, "household", "household_before") { $0.householdNumber },
                .init(cooperative, "cooperative", "cooperative_before") {
                    catalogue.cooperativeName($0.cooperative)
                },
                .init(product, "product", "product_before") { catalogue.productName($0.product) },
                .init(area, "mu", "mu_before") { "\(Money(fen: $0.area))" },
            ] as [DatedChanges.Field<Dated>], from: before, to: entry.dated)
        var writes: [SQL] = []
        if before != entry.dated { writes += [period(entry, from: day, scope), changes.event.insert(by: scope)] }
        if isPresent { writes.append(update(entry, scope)) }
        return (.updated(changes.told), writes)
    }

    private static func households(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String: Owner] {
        let numbers = Array(Set(rows.compactMap { try? $0.key(household) }))
        var found: [String: Owner] = [:]
        for row in try await transaction.query(
            """
            SELECT h.id, h.number, p.from_day, p.cooperative_id
            FROM household h
            JOIN household_period p ON p.village_id = h.village_id AND p.household_id = h.id
            WHERE h.village_id = \(scope.village) AND h.number = ANY(\(numbers)::text[])
            ORDER BY h.id, p.from_day, p.id
            """)
        {
            let owner = Owner(id: try row.decode("id"))
            found[try row.decode("number"), default: owner]
                .cooperatives.add(try row.decode("cooperative_id"), from: try row.decode("from_day"))
        }
        return found
    }

    private static func known(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String: Known] {
        let numbers = rows.compactMap { try? $0.key(number) }
        var found: [String: Known] = [:]
        for row in try await transaction.query(
            """
            SELECT t.number, t.name, (t.longitude * 1000000)::bigint AS longitude,
                (t.latitude * 1000000)::bigint AS latitude, p.from_day, p.cooperative_id, p.household_id,
                h.number AS household, p.product_id, p.area_centimu
            FROM plot t
            JOIN plot_period p ON p.village_id = t.village_id AND p.plot_id = t.id
            \(OrchardStore.householdNumber("p"))
            WHERE t.village_id = \(scope.village) AND t.number = ANY(\(numbers)::text[])
            ORDER BY t.id, p.from_day, p.id
            """)
        {
            let undated = Undated(
                name: try row.decode("name"), longitude: try row.decode("longitude"),
                latitude: try row.decode("latitude"))
            let dated = Dated(
                cooperative: try row.decode("cooperative_id"), household: try row.decode("household_id"),
                householdNumber: try row.decode("household"), product: try row.decode("product_id"),
                area: try row.decode("area_centimu"))
            found[try row.decode("number"), default: Known(undated: undated)]
                .timeline.add(dated, from: try row.decode("from_day"))
        }
        return found
    }

    private static func insert(_ entry: Entry, from day: CivilDay, _ scope: Scope) -> SQL {
        let (dated, undated) = (entry.dated, entry.undated)
        return """
            WITH made AS (
                INSERT INTO plot (village_id, cooperative_id, household_id, product_id, number, name, area_centimu,
                    longitude, latitude)
                VALUES (\(scope.village), \(dated.cooperative), \(dated.household), \(dated.product), \(entry.number),
                    \(undated.name), \(dated.area), \(undated.longitude)::numeric / 1000000,
                    \(undated.latitude)::numeric / 1000000)
                RETURNING *
            )
            INSERT INTO plot_period (village_id, plot_id, from_day, cooperative_id, household_id, product_id, number,
                area_centimu, actor)
            SELECT village_id, id, \(day), cooperative_id, household_id, product_id, number, area_centimu,
                \(scope.actor)
            FROM made
            """
    }

    private static func period(_ entry: Entry, from day: CivilDay, _ scope: Scope) -> SQL {
        let dated = entry.dated
        return """
            INSERT INTO plot_period (village_id, plot_id, from_day, cooperative_id, household_id, product_id, number,
                area_centimu, actor)
            SELECT village_id, id, \(day), \(dated.cooperative), \(dated.household), \(dated.product), number,
                \(dated.area), \(scope.actor)
            FROM plot WHERE village_id = \(scope.village) AND number = \(entry.number)
            """
    }

    private static func update(_ entry: Entry, _ scope: Scope) -> SQL {
        let (dated, undated) = (entry.dated, entry.undated)
        return """
            UPDATE plot SET cooperative_id = \(dated.cooperative), household_id = \(dated.household),
                product_id = \(dated.product), name = \(undated.name), area_centimu = \(dated.area),
                longitude = \(undated.longitude)::numeric / 1000000, latitude = \(undated.latitude)::numeric / 1000000
            WHERE village_id = \(scope.village) AND number = \(entry.number)
            """
    }
}
