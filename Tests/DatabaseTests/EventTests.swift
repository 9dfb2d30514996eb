import Batches
import Database
import Kernel
import Orchard
import Postgres
import Synchronization
import TestSupport
import Testing

/// What happened is one row each, and what a change has to find or to answer is the database's to say.
@Suite struct EventTests {
    @Test func `an event tells its figures as fields`() async throws {
        try await withVillage { village in
            let plan: Plan<Void> = { _, _ in
                Change(
                    (),
                    event: Event(
                        "test.try", "7", day: village.today, .fen(Money(fen: 850)), .grams(Weight(grams: 500)),
                        .text("note", "说“是”，\\ '好'"), .number("entry", 12), .day("since", village.today), .reason(nil)))
            }
            try await village.change(plan)
            let row = try #require(
                try await village.owner.query(
                    """
                    SELECT subject, day, (figures ->> 'fen')::bigint AS fen, (figures ->> 'grams')::bigint AS grams,
                        figures ->> 'note' AS note, figures ? 'reason' AS has_reason, figures ->> 'since' AS since
                    FROM event WHERE kind = 'test.try'
                    """
                ).first)
            #expect(try row.decode("subject") == "7" && row.decode("day") == village.today)
            #expect(try row.decode("fen") == 850 && row.decode("grams") == 500)
            #expect(try row.decode("note") == "说“是”，\\ '好'" && row.decode("since") == village.today.description)
            #expect(try row.decode("has_reason") == false)
        }
    }

    private final class Log: Sendable {
        let numbers = Mutex<[Int64]>([])
        let isOver = Mutex(false)
    }

    private static func write(_ writer: Int, _ village: TestVillage) async throws {
        for turn in 0..<25 {
            let plan: Plan<Void> = { transaction, scope in
                // Ids are taken and not used, or committed late: numbers must not mind.
                _ = try await transaction.query(Event("test.early", "\(writer)").insert(by: scope))
                if turn % 4 == 0 { try await Task.sleep(for: .milliseconds(5)) }
                if turn % 5 == 0 { throw Refusal(.invalid, "dropped", zh: "", en: "") }
                return Change((), event: Event("test.late", "\(writer)"))
            }
            _ = try await refusal { try await village.change(plan) }
        }
    }

    private static func read(into log: Log, _ village: TestVillage) async throws {
        var isLast = false
        while !isLast {
            isLast = log.isOver.withLock { $0 }
            let known = log.numbers.withLock { $0.last ?? 0 }
            let rows = try await village.database.transaction(village.committee) { transaction in
                try await transaction.query([
                    "SELECT number_events(\(village.village.id))",
                    "SELECT number FROM event WHERE number > \(known) ORDER BY number",
                ])[1]
            }
            let numbers = try rows.map { try $0.decode("number", as: Int64.self) }
            log.numbers.withLock { $0 += numbers }
        }
    }

    @Test func `committed events are numbered without gaps, and none comes before one that was read`() async throws {
        try await withVillage(poolSize: 8) { village in
            let log = Log()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 { group.addTask { try await Self.write(writer, village) } }
                group.addTask { try await Self.read(into: log, village) }
                for _ in 0..<4 { try await group.next() }
                log.isOver.withLock { $0 = true }
                try await group.waitForAll()
            }
            let numbers = log.numbers.withLock { $0 }
            #expect(numbers == Array(1...Int64(numbers.count)))
            #expect(try await village.number("SELECT count(*) FROM event") == Int64(numbers.count))
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'test.late'") == 80)
        }
    }

    @Test func `a write that touches other rows than it should undoes the change`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest())
            let runs = Mutex(0)
            let plan: @Sendable (Int64) -> Plan<Void> = { batch in
                { _, scope in
                    runs.withLock { $0 += 1 }
                    return Change(
                        (),
                        writes: [
                            BatchStore.putBack(batch, Weight(grams: 0), scope).touching(1)
                        ],
                        refusals: [SQL.rowsTouched: Refusal(.conflict, "gone", zh: "没有了", en: "gone")],
                        event: Event("test.touch", "\(batch)"))
                }
            }
            let refused = try await refusal { try await village.change(plan(code.batch + 1000)) }
            #expect(refused?.code == "gone" && runs.withLock { $0 } == 3)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind = 'test.touch'") == 0)
            // What it touches is undone again.
            _ = try await refusal {
                try await village.database.transaction(village.committee) { transaction in
                    _ = try await transaction.query(
                        try await plan(code.batch)(transaction, village.committee).statements(by: village.committee))
                    throw Refusal(.invalid, "enough", zh: "", en: "")
                }
            }
        }
    }

    @Test func `two withdrawals at once answer what each has left`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 100_000))
            let day = village.today
            let withdraw = BatchStore.withdraw(
                .gift, batch: code.batch, weight: Weight(grams: 10_000), day: day, reason: nil, today: day)
            let seen = Mutex(0)
            // Both have looked before either writes.
            let together: Plan<MovedStock> = { transaction, scope in
                let change = try await withdraw(transaction, scope)
                seen.withLock { $0 += 1 }
                try await awaitCondition("the other's look") { seen.withLock { $0 } >= 2 }
                return change
            }
            async let first = village.change(together)
            async let second = village.change(together)
            let left = try await [first.stock.grams, second.stock.grams].sorted()
            #expect(left == [80_000, 90_000])
        }
    }

    @Test func `who is overtaken is told how things are, not how they were`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 10_000))
            let day = village.today
            func withdraw(_ grams: Int64) -> Plan<MovedStock> {
                BatchStore.withdraw(
                    .gift, batch: code.batch, weight: Weight(grams: grams), day: day, reason: nil, today: day)
            }
            let (late, early) = (withdraw(8000), withdraw(7000))
            let isFirst = Mutex(true)
            let refused = try await refusal {
                try await village.change { transaction, scope in
                    let change = try await late(transaction, scope)
                    let overtake = isFirst.withLock { first in
                        defer { first = false }
                        return first
                    }
                    if overtake { try await village.change(early) }
                    return change
                }
            }
            #expect(refused?.code == "not-enough-stock")
            #expect(refused?.message.en.contains("3 kg") == true)
        }
    }
}
