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
    public static let numbering: Numbering? = Numbering(number)
    public static let nameColumns = [cooperative]

    public static let refusals = [
        "household_village_id_number_key": Refusal(
            .conflict, "household-taken", field: "户号", zh: "有户号已属于另一个合作社",
            en: "a household number belongs to another cooperative already")
    ]

    private let asOf: CivilDay?
    private let today: CivilDay
    var day: RegisterDay
    var catalogue = Catalogue()
    /// By the numbers of the households that change their cooperative, the one that they leave.
    var left: [String: Int] = [:]
    public internal(set) var notes: [Bilingual] = []
    public var created: [Bilingual] { catalogue.created }

    /// - Parameter asOf: the day from which on the register holds; nil for today.
    public init(asOf: CivilDay? = nil, today: CivilDay) {
        self.asOf = asOf
        self.today = today
        day = RegisterDay(asOf: today, beginning: today)
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
        var known = try await Self.known(rows, transaction, scope)
        var outcomes: [RowOutcome] = []
        var writes: [SQL] = []
        for row in rows {
            do {
                let entry = try await entry(row, known, transaction, scope)
                if let old = known[entry.number] {
                    if let before = old.timeline.value(on: day.asOf)?.cooperative, before != entry.dated.cooperative {
                        left[entry.number] = before
                    }
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
            } catch let refused as RowRefused {
                outcomes.append(.refused(refused.refusals))
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
        catalogue.expect(.cooperative, context.names(in: Self.cooperative), creating: context.choices.creates)
    }

    /// What a row says of a household.
    private struct Said {
        let number: String
        let head: String
        let gridCell: String
        let supportClass: String
        let cooperative: String
        let people: Int
        let phone: String?
    }

    private static func read(_ row: RegisterRow, _ faults: inout RowFaults) throws -> Said {
        try Said(
            number: faults.reading("") { try row.key(number) },
            head: faults.reading("") { try row.text(head, max: 60) },
            gridCell: faults.reading("") { try row.text(gridCell, max: 60) },
            supportClass: faults.reading("") { try row.text(supportClass, max: 60) },
            cooperative: faults.reading("") { try row.text(cooperative, max: 60) },
            people: faults.reading(0) { try row.integer(people, in: 1...50) },
            phone: faults.reading(nil) { try row.optionalKey(phone, max: 40) })
    }

    public static func identity(of row: RegisterRow) throws -> RowIdentity {
        var faults = RowFaults()
        let said = try read(row, &faults)
        try faults.check()
        return RowIdentity(
            number: [said.number],
            content: [
                (head, said.head), (gridCell, said.gridCell), (supportClass, said.supportClass),
                (cooperative, CleanText.folded(said.cooperative)), (people, "\(said.people)"), (phone, said.phone),
            ])
    }

    /// Reads all of the row before it makes the cooperative, so that a refused row leaves none behind.
    private mutating func entry(
        _ row: RegisterRow, _ known: [String: Known], _ transaction: Transaction, _ scope: Scope
    ) async throws -> Entry {
        var faults = RowFaults()
        let said = try Self.read(row, &faults)
        if scope.cooperative != nil, let old = known[said.number] {
            try faults.reading(()) { try checkClerk(said, old) }
        }
        try faults.check()
        do {
            let cooperative = try await catalogue.cooperative(making: said.cooperative, transaction, scope)
            return Entry(
                number: said.number,
                dated: Dated(
                    head: said.head, gridCell: said.gridCell, supportClass: said.supportClass,
                    cooperative: cooperative, people: said.people),
                phone: said.phone)
        } catch let refusal as Refusal {
            throw RowRefused(refusals: [refusal.renamed(field: Self.cooperative.name)])
        }
    }

    /// - Throws: a `Refusal` of what a clerk may not do to a household that is there.
    private func checkClerk(_ said: Said, _ old: Known) throws {
        guard let before = old.timeline.value(on: day.asOf) else {
            throw OrchardRules.notYet(household: said.number, from: old.timeline.start)
                .renamed(field: Self.number.name)
        }
        guard said.cooperative.isEmpty || catalogue.cooperatives[said.cooperative] == before.cooperative else {
            throw Refusal(
                .conflict, "household-moved", field: Self.cooperative.name,
                zh: "农户“\(said.number)”已登记在另一个合作社；换合作社由村委会导入",
                en: "household “\(said.number)” is registered with another cooperative: only the committee moves it")
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
        if before != entry.dated {
            writes += [period(entry, from: day, scope), changes.event.insert(by: scope)]
            if isPresent { writes.append(update(entry, scope)) }
        }
        if isPresent { writes.append(updateUndated(entry, scope)) }
        return (.updated(changes.told), writes)
    }

    private static func known(
        _ rows: [RegisterRow], _ transaction: Transaction, _ scope: Scope
    ) async throws -> [String: Known] {
        let numbers = rows.compactMap { try? $0.key(number) }
        var known: [String: Known] = [:]
        for row in try await transaction.query(
            """
            SELECT h.number, h.phone, p.from_day, p.head, p.grid_cell, p.support_class,
                coalesce(c.merged_into, c.id) AS cooperative_id, p.people
            FROM household h
            JOIN household_period p ON p.village_id = h.village_id AND p.household_id = h.id
            JOIN cooperative c ON c.village_id = p.village_id AND c.id = p.cooperative_id
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
            RETURNING id
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
            RETURNING id
            """
    }

    private static func update(_ entry: Entry, _ scope: Scope) -> SQL {
        let dated = entry.dated
        return """
            UPDATE household SET cooperative_id = \(dated.cooperative), head = \(dated.head),
                grid_cell = \(dated.gridCell), support_class = \(dated.supportClass), people = \(dated.people)
            WHERE village_id = \(scope.village) AND number = \(entry.number)
            """
    }

    /// What only the present is kept of.
    private static func updateUndated(_ entry: Entry, _ scope: Scope) -> SQL {
        """
        UPDATE household SET phone = \(entry.phone) WHERE village_id = \(scope.village) AND number = \(entry.number)
        """
    }
}
