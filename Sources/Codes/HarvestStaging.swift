import Batches
import Database
import Kernel
import Postgres
import Signing

/// The way of many harvests into the database: signed on all cores, copied into a table of this transaction, and from
/// there into their own tables. COPY can't go there directly, because it does not obey row-level security.
enum HarvestStaging {
    static let create: SQL = """
        CREATE TEMPORARY TABLE harvest_staging (
            number bigint, cooperative_id int, plot_id int, household_id int, plot_period_id int, product_id int, variety_id int, grade_id int,
            harvested_on date, best_before date, grams bigint, slip text, picker text, signature bytea
        ) ON COMMIT DROP
        """

    private static let copy: SQL = "COPY harvest_staging FROM STDIN"

    /// Signed rows on their way.
    struct Rows: Sendable {
        /// For `copy`.
        let bytes: [UInt8]
        /// The statements that count them in their plots' seasons.
        let seasons: [SQL]
        let entries: [HarvestRegister.Entry]
        let places: [HarvestRegister.SlipKey: Int]

        func recorded(_ slip: HarvestRegister.SlipKey) -> HarvestRegister.Recorded? {
            places[slip].map { entries[$0].recorded }
        }
    }

    static func write(
        _ rows: Rows?, _ transaction: Transaction, _ scope: Scope, _ key: KeyID, _ today: CivilDay
    ) async throws {
        guard let rows else { return }
        _ = try await transaction.copyIn(copy, rows.bytes)
        _ = try await transaction.query(rows.seasons + move(scope, key, today))
    }

    private static func move(_ scope: Scope, _ key: KeyID, _ today: CivilDay) -> [SQL] {
        [
            """
            INSERT INTO batch (village_id, number, cooperative_id, kind, plot_id, household_id, plot_period_id,
                product_id, variety_id, grade_id, harvested_on, slip, picker, in_g)
            SELECT \(scope.village), number, cooperative_id, 'harvest', plot_id, household_id, plot_period_id,
                product_id, variety_id, grade_id, harvested_on, slip, picker, grams
            FROM harvest_staging
            """,
            """
            INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
            SELECT \(scope.village), number, cooperative_id, 'harvest', grams, harvested_on, \(scope.actor)
            FROM harvest_staging
            """,
            """
            INSERT INTO code (village_id, batch_number, cooperative_id, key_id, issued_on, best_before, signature)
            SELECT \(scope.village), number, cooperative_id, \(Int(key.value)), \(today), best_before, signature
            FROM harvest_staging
            """,
            "TRUNCATE harvest_staging",
        ]
    }

    /// The rows of `copy`, each with its signature.
    static func sign(
        _ entries: [HarvestRegister.Entry], numbers: [Int64], signer: CodeSigner, today: CivilDay
    ) async throws -> [UInt8] {
        let slice = max(250, entries.count / 8)
        let starts = Array(stride(from: 0, to: entries.count, by: slice))
        return try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for start in starts {
                group.addTask {
                    var rows = CopyBuffer()
                    for index in start..<min(start + slice, entries.count) {
                        let entry = entries[index]
                        let code = try signer.sign(
                            batch: UInt32(numbers[index]), issued: today, bestBefore: entry.bestBefore)
                        try rows.append(numbers[index])
                        try rows.append(entry.cooperative)
                        try rows.append(entry.plot)
                        try rows.append(entry.household)
                        try rows.append(entry.plotPeriod)
                        try rows.append(entry.product.id)
                        try rows.append(entry.variety)
                        try rows.append(entry.grade)
                        try rows.append(entry.day)
                        try rows.append(entry.bestBefore)
                        try rows.append(entry.weight)
                        try rows.append(entry.slip)
                        try rows.append(entry.picker)
                        try rows.append(code.signature)
                        rows.endRow()
                    }
                    return (start, rows.bytes)
                }
            }
            var parts: [Int: [UInt8]] = [:]
            for try await (start, bytes) in group { parts[start] = bytes }
            return starts.flatMap { parts[$0] ?? [] }
        }
    }
}
