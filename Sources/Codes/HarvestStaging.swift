import Batches
import Database
import Kernel
import Postgres
import Signing

/// The way of many harvests into the database: signed on all cores while those before them are written and those behind
/// them are read.
enum HarvestStaging {
    /// Rows on their way, not yet signed.
    struct Rows: Sendable {
        let entries: [HarvestRegister.Entry]
        let numbers: [Int64]
        let places: [HarvestRegister.SlipKey: Int]

        func recorded(_ slip: HarvestRegister.SlipKey) -> HarvestRegister.Recorded? {
            places[slip].map { entries[$0].recorded }
        }
    }

    /// - Parameter rows: what `sign` gives.
    static func write(
        _ rows: [UInt8], _ transaction: Transaction, _ scope: Scope, _ key: KeyID, _ today: CivilDay
    ) async throws {
        guard !rows.isEmpty else { return }
        _ = try await transaction.copyIn(HarvestWriter.copy, rows)
        _ = try await transaction.query([
            HarvestWriter.staged(key: key, issued: today, scope), "TRUNCATE harvest_staging",
        ])
    }

    /// The rows of `HarvestWriter.copy`, each with its signature.
    static func sign(
        _ rows: Rows?, signer: CodeSigner, today: CivilDay
    ) async throws -> [UInt8] {
        guard let rows else { return [] }
        let (entries, numbers) = (rows.entries, rows.numbers)
        let slice = max(250, entries.count / 8)
        let starts = Array(stride(from: 0, to: entries.count, by: slice))
        return try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for start in starts {
                group.addTask {
                    var copied = CopyBuffer()
                    for index in start..<min(start + slice, entries.count) {
                        let entry = entries[index]
                        let code = try signer.sign(
                            batch: UInt32(numbers[index]), issued: today, bestBefore: entry.bestBefore)
                        try HarvestWriter.append(
                            entry.prepared(number: numbers[index]), signature: code.signature, to: &copied)
                    }
                    return (start, copied.bytes)
                }
            }
            var parts: [Int: [UInt8]] = [:]
            for try await (start, bytes) in group { parts[start] = bytes }
            return starts.flatMap { parts[$0] ?? [] }
        }
    }
}
