import Database
import Kernel
import Postgres

/// Harvests that were registered by form or command line and have no slip yet: a register's row may be one of them.
struct UnnumberedHarvests: Sendable {
    private struct Place: Hashable, Sendable {
        let plot: Int
        let day: CivilDay
    }

    private struct Found: Sendable {
        let batch: Int64
        let variety: String
        let grade: String
        let weight: Weight

        func isSame(as entry: HarvestRegister.Entry) -> Bool {
            weight == entry.weight && variety == entry.varietyName && grade == entry.gradeName
        }
    }

    private var seen: Set<Place> = []
    private var found: [Place: [Found]] = [:]

    /// Reads those of the entries' plots and days that have not been read yet.
    mutating func load(
        for entries: [HarvestRegister.Entry], _ transaction: Transaction, _ scope: Scope
    ) async throws {
        let wanted = Array(Set(entries.map(Self.place)).subtracting(seen))
        guard !wanted.isEmpty else { return }
        seen.formUnion(wanted)
        for row in try await transaction.query(
            """
            SELECT b.plot_id, b.harvested_on, b.number, b.in_g, coalesce(vm.name, v.name) AS variety,
                coalesce(gm.name, g.name) AS grade
            FROM unnest(\(wanted.map(\.plot))::int[], \(wanted.map { "\($0.day)" })::date[]) w (plot_id, day)
            JOIN batch b ON b.village_id = \(scope.village) AND b.plot_id = w.plot_id AND b.harvested_on = w.day
                AND b.slip IS NULL AND NOT b.voided
            JOIN variety v ON v.village_id = b.village_id AND v.id = b.variety_id
            JOIN grade g ON g.village_id = b.village_id AND g.id = b.grade_id
            LEFT JOIN variety vm ON vm.village_id = v.village_id AND vm.id = v.merged_into
            LEFT JOIN grade gm ON gm.village_id = g.village_id AND gm.id = g.merged_into
            ORDER BY b.number DESC
            """)
        {
            let place = Place(plot: try row.decode("plot_id"), day: try row.decode("harvested_on"))
            found[place, default: []].append(
                Found(
                    batch: try row.decode("number"), variety: try row.decode("variety"),
                    grade: try row.decode("grade"), weight: try row.decode("in_g")))
        }
    }

    /// The oldest that an entry may be; it is given to one entry only.
    mutating func take(_ entry: HarvestRegister.Entry) -> Int64? {
        let place = Self.place(entry)
        guard let index = found[place]?.lastIndex(where: { $0.isSame(as: entry) }) else { return nil }
        return found[place]?.remove(at: index).batch
    }

    private static func place(_ entry: HarvestRegister.Entry) -> Place { Place(plot: entry.plot, day: entry.day) }
}
