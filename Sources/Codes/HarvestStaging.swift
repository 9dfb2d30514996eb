import Batches
import Database
import Kernel
import Postgres
import Signing

/// The way of many harvests into the database: signed on all cores, copied, and written while the next are read.
enum HarvestStaging {
    /// Signed rows on their way.
    struct Rows: Sendable {
        /// For `HarvestWriter.copy`.
        let bytes: [UInt8]
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
        _ = try await transaction.copyIn(HarvestWriter.copy, rows.bytes)
        _ = try await transaction.query([
            HarvestWriter.staged(key: key, issued: today, scope), "TRUNCATE harvest_staging",
        ])
    }

    /// The rows of `HarvestWriter.copy`, each with its signature.
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
                        try HarvestWriter.append(
                            entry.prepared(number: numbers[index]), signature: code.signature, to: &rows)
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
