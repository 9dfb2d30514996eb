import ArgumentParser
import Kernel

/// How much of a list.
struct PageOptions: ParsableArguments {
    @Option(help: .words("最多列出多少条（默认 50）。", "How many at most (default: 50).")) var limit = 50

    func validate() throws { try Self.check(limit) }

    static func check(_ limit: Int) throws {
        guard (1...10_000_000).contains(limit) else {
            throw ValidationError(words("--limit 须在 1 到 10000000 之间。", "--limit is a number from 1 to 10,000,000."))
        }
    }

    /// The list's first rows; says so when there are more.
    /// - Parameter fetch: is asked for one row more than are shown.
    func first<Row>(_ fetch: (Int) async throws -> [Row]) async throws -> [Row] {
        let rows = try await fetch(limit + 1)
        if rows.count > limit {
            Terminal.say(words("只列出前 \(limit) 条，用 --limit 多列", "only the first \(limit); --limit shows more"))
        }
        return Array(rows.prefix(limit))
    }
}

/// Which days of a list.
struct DayOptions: ParsableArguments {
    @Option(help: .words("从这一天起。", "From this day on."), transform: reading(CivilDay.init(_:))) var from: CivilDay?
    @Option(help: .words("到这一天为止。", "Up to this day."), transform: reading(CivilDay.init(_:))) var to: CivilDay?
}
