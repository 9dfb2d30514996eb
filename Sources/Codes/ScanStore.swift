import Database
import Kernel
import Postgres
import Signing

/// Counts scans without knowing who scanned, those that come at once together.
public final class ScanStore: Sendable {
    private struct Scan {
        let batch: Int64
        let serial: [UInt8]
        let place: String?
        let visitor: String
        let day: CivilDay
    }

    private struct Label: Hashable {
        let batch: Int64
        let serial: [UInt8]
    }

    private let gathering: Gathering<Scan, Int>

    public init(_ database: Database, village: Int) {
        let scope = Scope(village: village, cooperative: nil, actor: "scan")
        gathering = Gathering("scans", width: 1, limit: 256) { try await Self.count($0, database, scope) }
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
        return try await gathering.answer(
            Scan(
                batch: Int64(body.batch), serial: body.serial ?? [], place: place, visitor: visitor, day: today))
    }

    /// - Returns: for each scan how many visitors its label has had by now. What came around midnight is the new day's.
    private static func count(_ scans: [Scan], _ database: Database, _ scope: Scope) async throws -> [Int] {
        guard let day = scans.map(\.day).max() else { return [] }
        let fresh = try RandomBytes.secret(32)
        let visitors = try await database.transaction(scope) { transaction in
            let answers = try await transaction.query([
                """
                INSERT INTO scan_key (village_id, day, key) VALUES (\(scope.village), \(day), \(fresh))
                ON CONFLICT DO NOTHING
                """,
                "DELETE FROM scan_key WHERE village_id = \(scope.village) AND day < \(day)",
                "DELETE FROM scan_count WHERE village_id = \(scope.village) AND day < \(day)",
                "SELECT key FROM scan_key WHERE village_id = \(scope.village) AND day = \(day)",
            ])
            guard let key = try answers[3].first?.decode("key", as: [UInt8].self) else { throw NoScanKey() }
            let hashes = scans.map { Array(Digest.hmacSHA256(key: key, message: Array($0.visitor.utf8)).prefix(16)) }
            // In one order, so that servers which count the same at once wait for each other instead of around.
            let rows = try await transaction.commit([
                """
                WITH scanned (batch_number, serial, place, visitor) AS (
                    SELECT * FROM unnest(\(scans.map(\.batch))::bigint[], \(scans.map(\.serial))::bytea[],
                        \(scans.map(\.place))::text[], \(hashes)::bytea[])
                ), counted AS (
                    INSERT INTO scan (village_id, day, batch_number, serial, place, visitor)
                    SELECT \(scope.village), \(day), batch_number, serial, place, visitor FROM scanned
                    ORDER BY batch_number, serial, visitor
                    ON CONFLICT DO NOTHING RETURNING batch_number, serial
                )
                INSERT INTO scan_count AS c (village_id, day, batch_number, serial, visitors)
                SELECT \(scope.village), \(day), batch_number, serial, sum(visitors) FROM (
                    SELECT batch_number, serial, 0 AS visitors FROM scanned
                    UNION ALL SELECT batch_number, serial, 1 FROM counted) s
                GROUP BY batch_number, serial ORDER BY batch_number, serial
                ON CONFLICT (village_id, day, batch_number, serial)
                    DO UPDATE SET visitors = c.visitors + EXCLUDED.visitors
                RETURNING batch_number, serial, visitors
                """
            ])[0]
            var visitors: [Label: Int] = [:]
            for row in rows {
                visitors[Label(batch: try row.decode(0), serial: try row.decode(1))] = try row.decode(2)
            }
            return visitors
        }
        return scans.map { visitors[Label(batch: $0.batch, serial: $0.serial)] ?? 0 }
    }
}

/// The day's key was deleted between two statements: the clock was set back.
struct NoScanKey: Error {}
