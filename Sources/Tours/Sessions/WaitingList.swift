import Database
import Foundation
import Kernel
import Postgres

/// Seats that come back by themselves: holds whose time has passed, and who waits for what they leave.
public enum WaitingList {
    /// Ends holds that have passed their time, and gives free seats to those who wait for them.
    ///
    /// Whoever needs seats does the first at once; this is for what nobody asks for.
    /// - Returns: how many bookings expired, and how many that waited got seats without that.
    public static func sweep(
        _ database: Database, village: Int, now: Date
    ) async throws -> (expired: Int, promoted: Int) {
        let scope = Scope(village: village, cooperative: nil, actor: "clock")
        var expired = 0
        while true {
            let ended = try await number(
                "SELECT release_expired(\(village), NULL, \(now)) AS number", database, scope)
            expired += ended
            // Locked by somebody else, or no more of them.
            if ended < 200 { break }
            try Task.checkCancellation()
        }
        let promoted = try await number(
            """
            SELECT promote_waiting(\(village), ARRAY(
                SELECT DISTINCT l.session_id FROM tour_booking b
                JOIN tour_booking_session l ON l.village_id = b.village_id AND l.booking_id = b.id
                JOIN tour_session s ON s.village_id = l.village_id AND s.id = l.session_id
                WHERE b.village_id = \(village) AND b.state = 'waitlisted' AND s.state = 'open'
                    AND s.starts_at > \(now) AND s.held + s.booked < s.capacity), \(now)) AS number
            """, database, scope)
        return (expired, promoted)
    }

    private static func number(_ statement: SQL, _ database: Database, _ scope: Scope) async throws -> Int {
        try await database.transaction(scope) { transaction in
            try await transaction.query(statement).first?.decode("number") ?? 0
        }
    }
}
