import Database
import Kernel
import Postgres
import Registers

/// Records 地块. Of a plot that is there already, what is new holds from a day on.
public struct PlotRegister: RegisterRecorder, Sendable {
    static let number = Column("地块号")
    static let name = Column("名称", also: ["地块名称"])
    static let cooperative = Column("合作社")
    static let household = Column("户号")
    static let product = Column("作物", also: ["产品"])
    static let area = Column("面积亩", also: ["面积"])
    static let longitude = Column("经度", required: false)
    static let latitude = Column("纬度", required: false)
    public static let columns = [number, name, cooperative, household, product, area, longitude, latitude]
    public static let numbering: Numbering? = Numbering(number)

    public static let refusals = [
        "plot_village_id_number_key": Refusal(
            .conflict, "plot-taken", field: "地块号", zh: "有地块号已属于另一个合作社",
            en: "a plot number belongs to another cooperative already")
    ]

    private let asOf: CivilDay?
    private let today: CivilDay
    private var day: RegisterDay
    private var catalogue = Catalogue()
    public let created: [Bilingual] = []

    /// - Parameter asOf: the day from which on the register holds; nil for today.
    public init(asOf: CivilDay? = nil, today: CivilDay) {
        self.asOf = asOf
        self.today = today
        day = RegisterDay(asOf: today, beginning: today)
    }

    /// What holds from a day on.
    struct Dated: Equatable {
        let cooperative: Int
        let household: Int
        let householdNumber: String
        let product: Int
        /// Hundredths of a mu.
        let area: Int64
    }

    /// What only the present is kept of.
    struct Undated: Equatable {
        let name: String
        /// Millionths of a degree.
        let longitude: Int64?
        let latitude: Int64?
    }

    struct Entry {
        let number: String
        let dated: Dated
        let undated: Undated
        /// The day from which on its household has been in its cooperative.
        let ownerSince: CivilDay
    }

    struct Known {
        var timeline = Timeline<Dated>()
        var undated: Undated
    }

    struct Owner {
        let id: Int
        var cooperatives = Timeline<Int>()
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
                let entry = try Self.entry(row, households, known, catalogue, day.asOf)
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
        day = try RegisterDay(asOf, today: today, closedThrough: context.closedThrough)
        catalogue = try await Catalogue.load(transaction, scope)
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
        if before != entry.dated {
            writes += [period(entry, from: day, scope), changes.event.insert(by: scope)]
            if isPresent { writes.append(update(entry, scope)) }
        }
        if isPresent { writes.append(updateUndated(entry, scope)) }
        return (.updated(changes.told), writes)
    }

    private static func households(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String: Owner] {
        let numbers = Array(Set(rows.compactMap { try? $0.key(household) }))
        var found: [String: Owner] = [:]
        for row in try await transaction.query(
            """
            SELECT h.id, h.number, p.from_day, coalesce(c.merged_into, c.id) AS cooperative_id
            FROM household h
            JOIN household_period p ON p.village_id = h.village_id AND p.household_id = h.id
            JOIN cooperative c ON c.village_id = p.village_id AND c.id = p.cooperative_id
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
                (t.latitude * 1000000)::bigint AS latitude, p.from_day,
                coalesce(c.merged_into, c.id) AS cooperative_id, p.household_id, h.number AS household, p.product_id,
                p.area_centimu
            FROM plot t
            JOIN plot_period p ON p.village_id = t.village_id AND p.plot_id = t.id
            JOIN cooperative c ON c.village_id = p.village_id AND c.id = p.cooperative_id
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
            RETURNING id
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
            RETURNING id
            """
    }

    private static func update(_ entry: Entry, _ scope: Scope) -> SQL {
        let dated = entry.dated
        return """
            UPDATE plot SET cooperative_id = \(dated.cooperative), household_id = \(dated.household),
                product_id = \(dated.product), area_centimu = \(dated.area)
            WHERE village_id = \(scope.village) AND number = \(entry.number)
            """
    }

    private static func updateUndated(_ entry: Entry, _ scope: Scope) -> SQL {
        let undated = entry.undated
        return """
            UPDATE plot SET name = \(undated.name), longitude = \(undated.longitude)::numeric / 1000000,
                latitude = \(undated.latitude)::numeric / 1000000
            WHERE village_id = \(scope.village) AND number = \(entry.number)
            """
    }
}
