import Database
import Kernel
import Postgres
import Signing

/// Counts scans without knowing who scanned.
public struct ScanStore: Sendable {
    let database: Database
    let village: Int

    public init(_ database: Database, village: Int) {
        self.database = database
        self.village = village
    }

    /// Counts one scan of a code that we issued; the same visitor counts once a day.
    ///
    /// Kept are the day, the place if one was given, and a keyed hash of the visitor. The key is random, made for the
    /// day and deleted with the next day's first scan: afterwards nobody can tell whose hash it was.
    /// - Parameters:
    ///   - visitor: what tells visitors apart today, such as address and browser; it is hashed and forgotten.
    ///   - place: as coarse as a town.
    /// - Returns: how many visitors scanned the code on this day, this one included.
    public func count(_ body: CodeBody, visitor: String, place: String?, today: CivilDay) async throws -> Int {
        let place = try place.map { try CleanText.name($0, field: "place", max: 40, code: "bad-place") }
        let fresh = try RandomBytes.secret(32)
        let serial = body.serial ?? []
        return try await database.transaction(Scope(village: village, cooperative: nil, actor: "scan")) { transaction in
            let answers = try await transaction.query([
                """
                INSERT INTO scan_key (village_id, day, key) VALUES (\(village), \(today), \(fresh))
                ON CONFLICT DO NOTHING
                """,
                "DELETE FROM scan_key WHERE village_id = \(village) AND day < \(today)",
                "SELECT key FROM scan_key WHERE village_id = \(village) AND day = \(today)",
            ])
            guard let key = try answers[2].first?.decode("key", as: [UInt8].self) else { throw NoScanKey() }
            let hash = Array(Digest.hmacSHA256(key: key, message: Array(visitor.utf8)).prefix(16))
            let counted = try await transaction.query([
                """
                INSERT INTO scan (village_id, day, batch_number, serial, place, visitor)
                VALUES (\(village), \(today), \(Int64(body.batch)), \(serial), \(place), \(hash))
                ON CONFLICT DO NOTHING
                """,
                """
                SELECT count(*) AS visitors FROM scan
                WHERE village_id = \(village) AND day = \(today) AND batch_number = \(Int64(body.batch))
                    AND serial = \(serial)
                """,
            ])
            return try counted[1].first?.decode("visitors") ?? 0
        }
    }
}

/// The day's key was deleted between two statements: the clock was set back.
struct NoScanKey: Error {}
