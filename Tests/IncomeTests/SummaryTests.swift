import Database
import Income
import Kernel
import TestSupport
import Testing

/// Every figure against the registers, to the fen.
@Suite struct SummaryTests {
    private func summary(
        _ village: TestVillage, year: Int, by dimensions: [IncomeSummary.Dimension], as scope: Scope? = nil
    ) async throws -> IncomeSummary {
        try await IncomeRowStore(village.database).summary(
            from: #require(CivilDay(year: year, month: 1, day: 1)),
            to: #require(CivilDay(year: year, month: 12, day: 31)), by: dimensions, scope ?? village.committee)
    }

    /// The amounts by the only dimension's value; `""` where there is none.
    private func amounts(_ summary: IncomeSummary) -> [String: Int64] {
        Dictionary(summary.rows.map { ($0.values.first.flatMap(\.self) ?? "", $0.amount.fen) }) { $0 + $1 }
    }

    @Test func `the samples' income is what their maker worked out`() async throws {
        let expectation = try Expectation.read()
        try await withVillage { village in
            try await village.loadEverything()
            for (name, totals) in expectation.totals {
                let year = try #require(Int(name))
                let bySource = amounts(try await summary(village, year: year, by: [.source]))
                #expect(bySource["sales"] == totals.salesFen, "\(year)")
                #expect(bySource["tours"] == totals.toursFen, "\(year)")
                let other = bySource.filter { !["sales", "tours"].contains($0.key) }.values.reduce(0, +)
                #expect(other == totals.otherFen, "\(year)")
                let sum = totals.salesFen + totals.toursFen + totals.otherFen
                #expect(try await summary(village, year: year, by: []).total.fen == sum)
            }
            let byCooperative = amounts(try await summary(village, year: 2025, by: [.cooperative]))
            #expect(byCooperative.filter { $0.key != "" } == expectation.byCooperative2025Fen)
            let totals = try #require(expectation.totals["2025"])
            #expect(byCooperative[""] == totals.otherFen + totals.toursFen)
            var byMonth: [String: Int64] = [:]
            for row in try await summary(village, year: 2025, by: [.month, .source]).rows where row.values[1] == "sales"
            {
                byMonth[try #require(row.values[0])] = row.amount.fen
            }
            #expect(byMonth == expectation.byMonth2025SalesFen.filter { $0.value != 0 })
        }
    }

    @Test func `the samples' income is what their lines sum up to, by every dimension`() async throws {
        let sales = try Samples.cells("sales.csv")
        let products = Dictionary(grouping: sales.filter { $0[0].hasPrefix("2025") }) { $0[4] }
        let channels = Dictionary(grouping: sales.filter { $0[0].hasPrefix("2025") }) { $0[8] }
        func sum(_ rows: [[String]]) throws -> Int64 { try rows.reduce(0) { $0 + (try Money(yuan: $1[7]).fen) } }
        let expected = [
            IncomeSummary.Dimension.product: try products.mapValues(sum), .channel: try channels.mapValues(sum),
        ]
        let plots = Dictionary(try Samples.cells("plots.csv").map { ($0[0], $0[3]) }) { $1 }
        let heads = Dictionary(try Samples.cells("households.csv").map { ($0[0], $0[1]) }) { $1 }
        let slips = Dictionary(
            try Samples.cells("harvest.csv").map { (["\($0[2])", $0[0]], plots[$0[3]] ?? "") }
        ) { $1 }
        let households = try Dictionary(grouping: sales.filter { $0[0].hasPrefix("2025") }) { row in
            let household = try #require(slips[[row[2], row[3]]])
            return "\(household) \(heads[household] ?? "")"
        }.mapValues(sum)
        try await withVillage { village in
            try await village.loadEverything()
            for (dimension, figures) in expected {
                let found = amounts(try await summary(village, year: 2025, by: [dimension]))
                #expect(found.filter { $0.key != "" } == figures, "\(dimension)")
            }
            let found = amounts(try await summary(village, year: 2025, by: [.household]))
            #expect(found.filter { $0.key != "" } == households)
        }
    }

    @Test func `by every combination of dimensions the total is the same`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            // What autovacuum does within a minute: without figures of the tables, 63 summaries would take that long.
            _ = try await village.owner.query("ANALYZE")
            let all = IncomeSummary.Dimension.allCases
            let total = try await summary(village, year: 2025, by: []).total
            #expect(total.fen > 0)
            for mask in 1..<(1 << all.count) {
                let dimensions = all.indices.filter { mask & (1 << $0) != 0 }.map { all[$0] }
                let cut = try await summary(village, year: 2025, by: dimensions)
                #expect(cut.total == total, "\(dimensions)")
                #expect(Set(cut.rows.map(\.values)).count == cut.rows.count, "\(dimensions): a row stands twice")
            }
        }
    }

    @Test func `months and years add up`() async throws {
        try await withVillage { village in
            try await village.loadEverything()
            let store = IncomeRowStore(village.database)
            let first = try #require(CivilDay(year: 2024, month: 1, day: 1))
            let last = try #require(CivilDay(year: 2025, month: 12, day: 31))
            let all = try await store.summary(from: first, to: last, by: [.month], village.committee)
            var sum: Int64 = 0
            for row in all.rows {
                let month = try #require(row.values[0])
                let begin = try #require(CivilDay(iso: "\(month)-01"))
                var end = begin
                while end.adding(days: 1).components.month == begin.components.month { end = end.adding(days: 1) }
                let alone = try await store.summary(from: begin, to: end, by: [], village.committee)
                #expect(alone.total == row.amount, "\(month)")
                sum += alone.total.fen
            }
            #expect(sum == all.total.fen)
            let years = [
                try await summary(village, year: 2024, by: []), try await summary(village, year: 2025, by: []),
            ]
            #expect(years.reduce(0) { $0 + $1.total.fen } == sum)
        }
    }

    @Test func `a clerk sees the own cooperative's sales and no other income`() async throws {
        let expectation = try Expectation.read()
        try await withVillage { village in
            try await village.loadEverything()
            for (name, fen) in expectation.byCooperative2025Fen {
                let id = try await village.number("SELECT id FROM cooperative WHERE name = \(name)")
                let clerk = village.clerk(of: Int(id))
                let bySource = try await summary(village, year: 2025, by: [.source, .cooperative], as: clerk)
                #expect(bySource.rows.map(\.values) == [["sales", name]])
                #expect(bySource.total.fen == fen)
                #expect(try await IncomeStore(village.database).list(clerk).isEmpty)
            }
        }
    }

    @Test func `days at the ends of a period belong to it`() async throws {
        try await withVillage { village in
            let day = village.today
            try await village.change(
                IncomeStore.enter(
                    day: day, source: .rent, memo: "", amount: Money(fen: 5), corrects: nil, today: day))
            let store = IncomeRowStore(village.database)
            for (from, to, fen) in [(0, 0, 5), (-1, 0, 5), (0, 1, 5), (-2, -1, 0), (1, 2, 0)] as [(Int, Int, Int64)] {
                let found = try await store.summary(
                    from: day.adding(days: from), to: day.adding(days: to), by: [], village.committee)
                #expect(found.total.fen == fen)
            }
            let refused = try await refusal {
                try await store.summary(from: day, to: day.adding(days: -1), by: [], village.committee)
            }
            #expect(refused?.code == "period-reversed")
        }
    }

    @Test func `dimensions are read by their names`() throws {
        #expect(try IncomeSummary.Dimension.list("month, source") == [.month, .source])
        #expect(try IncomeSummary.Dimension.list("") == [])
        let unknown = #expect(throws: Refusal.self) { try IncomeSummary.Dimension.list("month,year") }
        #expect(unknown?.code == "unknown-dimension")
        let twice = #expect(throws: Refusal.self) { try IncomeSummary.Dimension.list("month,month") }
        #expect(twice?.code == "dimension-twice")
    }
}
