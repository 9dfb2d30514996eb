import Documents
import Income
import Kernel
import Synchronization
import TestSupport
import Testing

/// Income as it leaves the program.
@Suite struct IncomeShapeTests {
    @Test func `income is as its schema says however it is cut, and told by the cuts that were asked for`() async throws
    {
        try await withVillage { village in
            try await village.loadEverything()
            let from = try #require(CivilDay(iso: "2025-01-01"))
            let to = try #require(CivilDay(iso: "2025-12-31"))
            let store = IncomeRowStore(village.database)
            let cuts: [[IncomeSummary.Dimension]] = [
                [], [.household], [.source, .month], IncomeSummary.Dimension.allCases,
            ]
            for by in cuts {
                let summary = try await store.summary(from: from, to: to, by: by, village.committee)
                let json = Shapes.incomeSummary.json(summary)
                try Shapes.incomeSummary.schema.validate(json)
                let names = by.map(\.rawValue) + ["amount"]
                for row in try json["rows"].array { #expect(try row.members.map(\.key) == names) }
                let shape = Shapes.incomeSum(by: by)
                #expect(shape.list.map(\.name) == names)
                let told = summary.rows.map { shape.row(of: $0, .chinese) }
                #expect(by != [.household] || told.contains { $0.first == "—" }, "rent is of no household")
                #expect(by != [.source, .month] || told.contains { $0.first == "研学" })
            }
            let filter = try IncomeFilter(from: from, to: to)
            let rows = Mutex<[IncomeRow]>([])
            try await store.all(filter, village.committee) { part in rows.withLock { $0 += part } }
            for row in rows.withLock({ $0 }) { try Shapes.incomeRow.schema.validate(Shapes.incomeRow.json(row)) }
            #expect(rows.withLock { $0.count } > 100)
        }
    }
}
