import Database
import Foundation
import Kernel
import Postgres

/// What is removed when its time is over, and the months of scans. The functions bound what may go.
struct UpkeepStore: Sendable {
    let database: Database

    init(_ database: Database) {
        self.database = database
    }

    /// The villages in which there is something to do, without asking each.
    func villages(withWorkFor job: String, at: Date) async throws -> [Int] {
        try await database.queryOutside("SELECT villages_with_work(\(job), \(at)) AS village").map {
            try $0.decode("village")
        }
    }

    /// What is open in all villages: bookings by their state, messages that wait, and for how many seconds the oldest of
    /// those that are due has.
    func open(now: Date) async throws -> (bookings: [(String, Int)], outbox: (waiting: Int, age: Int)) {
        let rows = try await database.queryOutside("SELECT kind, count, age FROM open_work(\(now))")
        var bookings: [(String, Int)] = []
        var outbox = (waiting: 0, age: 0)
        for row in rows {
            let (kind, count): (String, Int) = (try row.decode("kind"), try row.decode("count"))
            if kind == "message" { outbox = (count, try row.decode("age")) } else { bookings.append((kind, count)) }
        }
        return (bookings, outbox)
    }

    /// - Returns: how many months were made or dropped.
    func keepScanMonths(_ months: Int) async throws -> Int {
        try await number("SELECT keep_scan_months(\(months)) AS number")
    }

    func forgetAnswers(of village: Int, after hours: Int) async throws -> Int {
        try await all { "SELECT forget_answers(\(village), \(hours)) AS number" }
    }

    func forgetTokens(of village: Int, after days: Int) async throws -> Int {
        try await all { "SELECT forget_tokens(\(village), \(days)) AS number" }
    }

    func forgetContacts(of village: Int, after days: Int) async throws -> Int {
        try await all { "SELECT forget_contacts(\(village), \(days)) AS number" }
    }

    /// Some at a time, so that nobody waits long for what is locked, until there are no more.
    private func all(_ statement: () -> SQL) async throws -> Int {
        var count = 0
        while true {
            try Task.checkCancellation()
            let gone = try await number(statement())
            guard gone > 0 else { return count }
            count += gone
        }
    }

    /// The functions look at no scope: they are given the village.
    private func number(_ statement: SQL) async throws -> Int {
        try await database.transaction(Scope(village: 0, cooperative: nil, actor: "jobs")) { transaction in
            // Others should not queue up behind what waits.
            _ = try await transaction.query("SET LOCAL lock_timeout = '2s'")
            return try await transaction.query(statement).first?.decode("number") ?? 0
        }
    }
}
