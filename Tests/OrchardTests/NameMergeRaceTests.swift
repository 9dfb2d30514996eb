import Database
import Kernel
import Orchard
import Postgres
import Sales
import Synchronization
import TestSupport
import Testing

/// A number stands once a year in a cooperative, also where it is written while two cooperatives are made one.
@Suite struct NameMergeRaceTests {
    enum Written: CaseIterable, Sendable { case sale, slip }

    private static let merge = NameMerge.merge(.cooperative, from: TestOrchard.eastName, to: TestOrchard.westName)

    /// East has the number already; this writes it in west.
    private func write(_ what: Written, _ village: TestVillage, _ batches: (east: Int64, west: Int64)) async throws {
        switch what {
        case .sale: try await village.sell(village.sale([line(batches.west)], number: "S1"))
        case .slip: try await village.register(village.harvest(plot: "W1", slip: "C1"))
        }
    }

    private func line(_ batch: Int64) throws -> NewSale.Line {
        NewSale.Line(batch: batch, weight: Weight(grams: 500), price: try Price(fen: 850, basis: .jin))
    }

    private func prepare(_ village: TestVillage) async throws -> (east: Int64, west: Int64) {
        _ = try await village.plant()
        let east = try await village.register(village.harvest(plot: "E1", slip: "C1")).batch
        let west = try await village.register(village.harvest(plot: "W1", slip: "C2")).batch
        try await village.sell(village.sale([line(east)], number: "S1"))
        return (east, west)
    }

    @Test(arguments: Written.allCases) func `a merge waits for a number that is being written`(what: Written)
        async throws
    {
        try await withVillage(poolSize: 8) { village in
            let batches = try await prepare(village)
            // Holds up whoever writes in west, after the numbers were checked and before the commit.
            let holding = Mutex(true)
            let held = Task {
                try await village.owner.transaction { transaction in
                    _ = try await transaction.query("LOCK TABLE event IN SHARE MODE")
                    while holding.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(20)) }
                }
            }
            try await waiting(village, "relation", count: 0)
            let writing = Task { try await write(what, village, batches) }
            try await waiting(village, "relation", count: 1)
            let merging = Task { try await refusal { try await village.change(Self.merge) } }
            try await waiting(village, "advisory", count: 1)
            holding.withLock { $0 = false }
            try await held.value
            try await writing.value
            #expect(try await merging.value?.code == "numbers-twice")
        }
    }

    /// Waits until so many sessions wait for a lock of a kind.
    private func waiting(_ village: TestVillage, _ kind: String, count: Int64) async throws {
        if count == 0 {
            try await awaitCondition("the table's lock") {
                try await village.number(
                    "SELECT count(*) FROM pg_locks WHERE relation = 'event'::regclass AND mode = 'ShareLock' AND granted"
                ) > 0
            }
            return
        }
        try await awaitCondition("a session that waits for \(kind)") {
            try await village.number(
                """
                SELECT count(*) FROM pg_stat_activity
                WHERE datname = \(village.databaseName) AND wait_event_type = 'Lock' AND wait_event = \(kind)
                """) >= count
        }
    }

    @Test(arguments: Written.allCases) func `of a merge and a number at one moment one is refused`(what: Written)
        async throws
    {
        try await withVillage(poolSize: 8) { village in
            let batches = try await prepare(village)
            let outcomes = try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask { try await refusal { try await village.change(Self.merge) }?.code }
                group.addTask { try await refusal { try await write(what, village, batches) }?.code }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == nil } == 1, "\(outcomes)")
        }
    }
}
