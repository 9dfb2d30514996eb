import Database
import Foundation
import Kernel
import Postgres

/// Livelihood sections: drawn up from one snapshot of the books, and kept.
public struct LivelihoodStore: Sendable {
    let database: Database

    public init(_ database: Database) {
        self.database = database
    }

    /// Reads all figures of a year in one snapshot. The report is stored unless the newest of that year has the same
    /// figures: then that one is answered again, with its id, its time and who had it drawn up.
    /// - Throws: a `Refusal` for a clerk, and for a year that has not begun.
    public func drawUp(year: Int, clock: WallClock, _ scope: Scope) async throws -> LivelihoodReport {
        try LivelihoodRules.check(scope.cooperative)
        let now = clock.now()
        let period = try LivelihoodRules.period(year: year, today: clock.today)
        let figures = try await database.snapshot(scope) { try await LivelihoodFigures.read(period, $0, scope) }
        do {
            return try await database.change(scope, Self.keep(figures, at: now))
        } catch let known as Known {
            return known.report
        }
    }

    /// A stored report.
    /// - Throws: a `Refusal` for a clerk, and when there is none of this id.
    public func show(_ id: Int64, _ scope: Scope) async throws -> LivelihoodReport {
        try LivelihoodRules.check(scope.cooperative)
        let rows = try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT id, content::text, actor, at FROM livelihood_report
                WHERE village_id = \(scope.village) AND id = \(id)::bigint
                """)
        }
        guard let row = rows.first else {
            throw Refusal(.notFound, "no-such-report", field: "id", zh: "没有这份民生篇", en: "there is no such report")
        }
        return try Self.report(row)
    }

    /// - Parameter before: the id of the report after the last one wanted: newest come first.
    public func list(_ scope: Scope, before: Int64 = .max, limit: Int = 50) async throws -> [LivelihoodReport] {
        try LivelihoodRules.check(scope.cooperative)
        return try await database.transaction(scope) { transaction in
            try await transaction.query(
                """
                SELECT id, content::text, actor, at FROM livelihood_report
                WHERE village_id = \(scope.village) AND id < \(before)::bigint ORDER BY id DESC LIMIT \(limit)
                """
            ).map(Self.report)
        }
    }

    /// The same figures are stored already.
    private struct Known: Error {
        let report: LivelihoodReport
    }

    private static func keep(_ figures: LivelihoodFigures, at now: Date) -> Plan<LivelihoodReport> {
        { transaction, scope in
            // One at a time, so that two who ask at once are given one report.
            let answers = try await transaction.query([
                "SELECT pg_advisory_xact_lock(7241007, \(Int64(scope.village))::int)",
                """
                SELECT id, content::text, actor, at FROM livelihood_report
                WHERE village_id = \(scope.village) AND year = \(figures.period.year) ORDER BY at DESC, id DESC LIMIT 1
                """,
            ])
            // One that an older program stored may lack what this one reads; then it is not the same.
            var figures = figures
            if let row = answers[1].first, let newest = try? report(row) {
                if newest.figures.withoutChanges == figures { throw Known(report: newest) }
                // A report on other days, such as one of the year before it was over, has no figures to be changed.
                if newest.figures.period == figures.period {
                    figures.changes = try await LivelihoodFigures.changes(
                        figures.period, since: newest, transaction, scope)
                    figures.changedSince = newest.id.value
                }
            }
            let next = try await transaction.query("SELECT own_number('livelihood_report') AS id")
            guard let id: Int64 = try next.first?.decode("id") else { throw MissingReport() }
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let content = String(decoding: try encoder.encode(figures), as: UTF8.self)
            return Change(
                LivelihoodReport(id: Identifier(id), figures: figures, actor: scope.actor, madeAt: now),
                writes: [
                    """
                    INSERT INTO livelihood_report (village_id, id, year, content, actor, at)
                    VALUES (\(scope.village), \(id), \(figures.period.year), \(content)::jsonb, \(scope.actor), \(now))
                    """
                ],
                event: Event("report.livelihood", "\(id)", .number("year", figures.period.year)))
        }
    }

    private static func report(_ row: Row) throws -> LivelihoodReport {
        let content: String = try row.decode("content")
        return LivelihoodReport(
            id: Identifier(try row.decode("id")),
            figures: try JSONDecoder().decode(LivelihoodFigures.self, from: Data(content.utf8)),
            actor: try row.decode("actor"), madeAt: try row.decode("at"))
    }
}

/// A statement that always answers one row answered none.
struct MissingReport: Error {}
