import Database
import Kernel
import Postgres
import Registers

/// Records 农户名册. A household that is there already is brought up to date.
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

    private var catalogue = Catalogue()
    public var created: [Bilingual] { catalogue.created }

    public init() {}

    private struct Entry: Equatable {
        let number: String
        let head: String
        let gridCell: String
        let supportClass: String
        let cooperative: Int
        let people: Int
        let phone: String?
    }

    public mutating func record(
        _ rows: [RegisterRow], in transaction: Transaction, _ scope: Scope
    ) async throws -> [RowOutcome] {
        var known: [String: Entry] = [:]
        let numbers = rows.compactMap { try? $0.key(Self.number) }
        for row in try await transaction.query(
            """
            SELECT number, head, grid_cell, support_class, cooperative_id, people, phone FROM household
            WHERE village_id = \(scope.village) AND number = ANY(\(numbers)::text[])
            """)
        {
            let entry = Entry(
                number: try row.decode("number"), head: try row.decode("head"), gridCell: try row.decode("grid_cell"),
                supportClass: try row.decode("support_class"), cooperative: try row.decode("cooperative_id"),
                people: try row.decode("people"), phone: try row.decode("phone"))
            known[entry.number] = entry
        }
        var outcomes: [RowOutcome] = []
        var writes: [SQL] = []
        for row in rows {
            do {
                let entry = try await entry(row, known, transaction, scope)
                if let old = known[entry.number] {
                    guard old != entry else {
                        outcomes.append(.already)
                        continue
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
            }
        }
        _ = try await transaction.query(writes)
        return outcomes
    }

    /// What a row says of a household, and the name of its cooperative.
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

    public mutating func begin(
        _ context: ImportContext, in transaction: Transaction, _ scope: Scope
    ) async throws {
        catalogue = try await Catalogue.load(transaction, scope)
        catalogue.expect(.cooperative, context.names(in: Self.cooperative), creating: context.choices.creates)
    }

    /// Reads all of the row before it makes the cooperative, so that a refused row leaves none behind.
    private mutating func entry(
        _ row: RegisterRow, _ known: [String: Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws -> Entry {
        var faults = RowFaults()
        let said = try Self.read(row, &faults)
        if let old = known[said.number], !said.cooperative.isEmpty,
            catalogue.cooperatives[said.cooperative] != old.cooperative
        {
            faults.note(
                Refusal(
                    .conflict, "household-moved", field: Self.cooperative.name,
                    zh: "农户“\(said.number)”已登记在另一个合作社",
                    en: "household “\(said.number)” is registered with another cooperative"))
        }
        try faults.check()
        do {
            let cooperative = try await catalogue.cooperative(making: said.cooperative, transaction, scope)
            return Entry(
                number: said.number, head: said.head, gridCell: said.gridCell, supportClass: said.supportClass,
                cooperative: cooperative, people: said.people, phone: said.phone)
        } catch let refusal as Refusal {
            throw RowRefused(refusals: [refusal.renamed(field: Self.cooperative.name)])
        }
    }

    private static func insert(_ entry: Entry, _ scope: Scope) -> SQL {
        """
        INSERT INTO household (village_id, cooperative_id, number, head, grid_cell, support_class, people, phone)
        VALUES (\(scope.village), \(entry.cooperative), \(entry.number), \(entry.head), \(entry.gridCell),
            \(entry.supportClass), \(entry.people), \(entry.phone))
        """
    }

    private static func update(_ entry: Entry, _ scope: Scope) -> SQL {
        """
        UPDATE household SET head = \(entry.head), grid_cell = \(entry.gridCell),
            support_class = \(entry.supportClass), people = \(entry.people), phone = \(entry.phone)
        WHERE village_id = \(scope.village) AND number = \(entry.number)
        """
    }
}
