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

    public static let refusals = [
        "household_village_id_number_key": Refusal(
            .conflict, "household-taken", field: "户号", zh: "有户号已属于另一个合作社",
            en: "a household number belongs to another cooperative already")
    ]

    private var catalogue: Catalogue?
    public var created: [Bilingual] { catalogue?.created ?? [] }

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
        var catalogue = try await self.catalogue.orLoad(transaction, scope)
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
                let entry = try await Self.entry(row, &catalogue, known, transaction, scope)
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
        _ row: RegisterRow, _ catalogue: inout Catalogue, _ known: [String: Entry], _ transaction: Transaction,
        _ scope: Scope
    ) async throws -> Entry {
        let name = try row.text(cooperative, max: 60)
        let number = try row.key(self.number)
        let head = try row.text(self.head, max: 60)
        let gridCell = try row.text(self.gridCell, max: 60)
        let supportClass = try row.text(self.supportClass, max: 60)
        let people = try row.integer(self.people, in: 1...50)
        let phone = try row.optionalKey(self.phone, max: 40)
        if let old = known[number], catalogue.cooperatives[name] != old.cooperative {
            throw Refusal(
                .conflict, "household-moved", field: cooperative.name, zh: "农户“\(number)”已登记在另一个合作社",
                en: "household “\(number)” is registered with another cooperative")
        }
        do {
            return Entry(
                number: number, head: head, gridCell: gridCell, supportClass: supportClass,
                cooperative: try await catalogue.cooperative(making: name, transaction, scope), people: people,
                phone: phone)
        } catch let refusal as Refusal {
            throw refusal.renamed(field: cooperative.name)
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

extension Catalogue? {
    /// The catalogue, read when it is first needed.
    public func orLoad(_ transaction: Transaction, _ scope: Scope) async throws -> Catalogue {
        if let self { return self }
        return try await Catalogue.load(transaction, scope)
    }
}
