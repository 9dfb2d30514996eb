import Database
import Kernel
import Postgres
import Registers

/// Records 农户名册. Of a household that is there already, what is new holds from a day on.
public struct HouseholdRegister: RegisterRecorder, Sendable {
    private static let number = Column("户号")
    private static let head = Column("户主", also: ["户主姓名"])
    private static let gridCell = Column("网格")
    private static let supportClass = Column("帮扶类别")
    private static let cooperative = Column("合作社")
    private static let people = Column("人口", also: ["家庭人口", "人数"])
    private static let phone = Column("联系电话", also: ["电话", "手机"], required: false)
    public static let columns = [number, head, gridCell, supportClass, cooperative, people, phone]

    public static let refusals = [
        "household_village_id_number_key": Refusal(
            .conflict, "household-taken", field: "户号", zh: "有户号已属于另一个合作社",
            en: "a household number belongs to another cooperative already")
    ]

    private let asOf: CivilDay?
    private let today: CivilDay
    private var day: RegisterDay?
    private var catalogue: Catalogue?
    public var created: [Bilingual] { catalogue?.created ?? [] }

    /// - Parameter asOf: the day from which on the register holds; nil for today.
    public init(asOf: CivilDay? = nil, today: CivilDay) {
        self.asOf = asOf
        self.today = today
    }

    /// What holds from a day on.
    private struct Dated: Equatable {
        let head: String
        let gridCell: String
        let supportClass: String
        let cooperative: Int
        let people: Int
    }

    private struct Entry {
        let number: String
        let dated: Dated
        let phone: String?
    }

    private struct Known {
        var timeline = Timeline<Dated>()
        var phone: String?
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        let day = try await self.day.orFind(asOf, today: today, transaction, scope)
        self.day = day
        var catalogue = try await self.catalogue.orLoad(transaction, scope)
        var known = try await Self.known(rows, transaction, scope)
        var outcomes: [RowOutcome] = []
        var writes: [SQL] = []
        for row in rows {
            do {
                let entry = try await Self.entry(row, &catalogue, known, day, transaction, scope)
                if let old = known[entry.number] {
                    let (outcome, statements) = Self.change(old, entry, day.asOf, catalogue, scope)
                    outcomes.append(outcome)
                    writes += statements
                    known[entry.number]?.timeline.add(entry.dated, from: day.asOf)
                } else {
                    writes.append(Self.insert(entry, from: day.beginning, scope))
                    outcomes.append(.recorded)
                    known[entry.number, default: Known()].timeline.add(entry.dated, from: day.beginning)
                }
                known[entry.number]?.phone = entry.phone
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        _ = try await transaction.query(writes)
        self.catalogue = catalogue
        return outcomes
    }

    /// Reads all of the row before it makes the cooperative, so that a refused row leaves none behind.
    private static func entry(
        _ row: RegisterRow, _ catalogue: inout Catalogue, _ known: [String: Known], _ day: RegisterDay,
        _ transaction: Transaction, _ scope: Scope
    ) async throws -> Entry {
        let name = try row.text(cooperative, max: 60)
        let number = try row.key(self.number)
        let head = try row.text(self.head, max: 60)
        let gridCell = try row.text(self.gridCell, max: 60)
        let supportClass = try row.text(self.supportClass, max: 60)
        let people = try row.integer(self.people, in: 1...50)
        let phone = try row.optionalKey(self.phone, max: 40)
        if scope.cooperative != nil, let old = known[number] {
            guard let before = old.timeline.value(on: day.asOf) else {
                throw OrchardRules.notYet(household: number, from: old.timeline.start).renamed(field: self.number.name)
            }
            guard catalogue.cooperatives[name] == before.cooperative else {
                throw Refusal(
                    .conflict, "household-moved", field: cooperative.name,
                    zh: "农户“\(number)”已登记在另一个合作社；换合作社由村委会导入",
                    en: "household “\(number)” is registered with another cooperative: only the committee moves it")
            }
        }
        do {
            return Entry(
                number: number,
                dated: Dated(
                    head: head, gridCell: gridCell, supportClass: supportClass,
                    cooperative: try await catalogue.cooperative(making: name, transaction, scope), people: people),
                phone: phone)
        } catch let refusal as Refusal {
            throw refusal.renamed(field: cooperative.name)
        }
    }

    /// What a row changes of a household that is there: what holds from the day on, and the present unless that was
    /// said of a later day.
    private static func change(
        _ old: Known, _ entry: Entry, _ day: CivilDay, _ catalogue: Catalogue, _ scope: Scope
    ) -> (RowOutcome, [SQL]) {
        let before = old.timeline.value(on: day)
        let isPresent = !old.timeline.changes(after: day)
        guard before != entry.dated || isPresent && old.phone != entry.phone else { return (.already, []) }
        let changes = DatedChanges(
            "household.change", entry.number, day,
            fields: [
                .init(head, "head", "head_before") { $0.head },
                .init(gridCell, "grid_cell", "grid_cell_before") { $0.gridCell },
                .init(supportClass, "support_class", "support_class_before") { $0.supportClass },
                .init(cooperative, "cooperative", "cooperative_before") {
                    catalogue.cooperativeName($0.cooperative)
                },
                .init(people, "people", "people_before") { "\($0.people)" },
            ] as [DatedChanges.Field<Dated>], from: before, to: entry.dated)
        var writes: [SQL] = []
        if before != entry.dated { writes += [period(entry, from: day, scope), changes.event.insert(by: scope)] }
        if isPresent { writes.append(update(entry, scope)) }
        return (.updated(changes.told), writes)
    }

    private static func known(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String: Known] {
        let numbers = rows.compactMap { try? $0.key(number) }
        var known: [String: Known] = [:]
        for row in try await transaction.query(
            """
            SELECT h.number, h.phone, p.from_day, p.head, p.grid_cell, p.support_class, p.cooperative_id, p.people
            FROM household h
            JOIN household_period p ON p.village_id = h.village_id AND p.household_id = h.id
            WHERE h.village_id = \(scope.village) AND h.number = ANY(\(numbers)::text[])
            ORDER BY h.id, p.from_day, p.id
            """)
        {
            let number: String = try row.decode("number")
            let dated = Dated(
                head: try row.decode("head"), gridCell: try row.decode("grid_cell"),
                supportClass: try row.decode("support_class"), cooperative: try row.decode("cooperative_id"),
                people: try row.decode("people"))
            known[number, default: Known()].timeline.add(dated, from: try row.decode("from_day"))
            known[number]?.phone = try row.decode("phone")
        }
        return known
    }

    private static func insert(_ entry: Entry, from day: CivilDay, _ scope: Scope) -> SQL {
        let dated = entry.dated
        return """
            WITH made AS (
                INSERT INTO household (village_id, cooperative_id, number, head, grid_cell, support_class, people, phone)
                VALUES (\(scope.village), \(dated.cooperative), \(entry.number), \(dated.head), \(dated.gridCell),
                    \(dated.supportClass), \(dated.people), \(entry.phone))
                RETURNING *
            )
            INSERT INTO household_period (village_id, household_id, from_day, cooperative_id, number, head, grid_cell,
                support_class, people, actor)
            SELECT village_id, id, \(day), cooperative_id, number, head, grid_cell, support_class, people,
                \(scope.actor)
            FROM made
            """
    }

    private static func period(_ entry: Entry, from day: CivilDay, _ scope: Scope) -> SQL {
        let dated = entry.dated
        return """
            INSERT INTO household_period (village_id, household_id, from_day, cooperative_id, number, head, grid_cell,
                support_class, people, actor)
            SELECT village_id, id, \(day), \(dated.cooperative), number, \(dated.head), \(dated.gridCell),
                \(dated.supportClass), \(dated.people), \(scope.actor)
            FROM household WHERE village_id = \(scope.village) AND number = \(entry.number)
            """
    }

    private static func update(_ entry: Entry, _ scope: Scope) -> SQL {
        let dated = entry.dated
        return """
            UPDATE household SET cooperative_id = \(dated.cooperative), head = \(dated.head),
                grid_cell = \(dated.gridCell), support_class = \(dated.supportClass), people = \(dated.people),
                phone = \(entry.phone)
            WHERE village_id = \(scope.village) AND number = \(entry.number)
            """
    }
}

extension Catalogue? {
    /// The catalogue, read when it is first needed.
    public func orLoad(_ transaction: Transaction, _ scope: Scope) async throws -> Catalogue {
        if let self { return self }
        return try await Catalogue.load(transaction, scope)
    }
}
