import Database
import Income
import Kernel
import Postgres
import TestSupport
import Testing

@testable import Livelihood

/// What is drawn up is of one moment, is kept, and is shown again as it was.
@Suite struct SnapshotTests {
    private func enter(_ village: TestVillage, _ fen: Int64) async throws {
        try await village.change(
            IncomeStore.enter(
                day: village.today, source: .rent, memo: "冷库", amount: Money(fen: fen), corrects: nil,
                today: village.today))
    }

    private func drawUp(_ village: TestVillage, as scope: Scope? = nil) async throws -> LivelihoodReport {
        try await LivelihoodStore(village.database).drawUp(
            year: village.today.year, clock: village.clock.clock, scope ?? village.committee)
    }

    @Test func `a report is kept once while its figures stay, and shown again after they change`() async throws {
        try await withVillage { village in
            let store = LivelihoodStore(village.database)
            _ = try await village.plant()
            try await enter(village, 100)
            let first = try await drawUp(village)
            village.clock.advance(seconds: 3600)
            let auditor = Scope(village: village.village.id, cooperative: nil, actor: "account:auditor")
            let same = try await drawUp(village, as: auditor)
            #expect(same.id == first.id && same.actor == first.actor && same.madeAt == first.madeAt)
            try await enter(village, 7)
            let second = try await drawUp(village, as: auditor)
            #expect(second.id.value == first.id.value + 1 && second.actor == "account:auditor")
            #expect(second.figures.income(.rent).this == 107)
            let again = try await store.show(first.id.value, village.committee)
            #expect(again.figures == first.figures && again.actor == first.actor && again.madeAt == first.madeAt)
            for language in Language.allCases {
                #expect(again.text(language).imprint == first.text(language).imprint)
                #expect(again.tables(language).map(\.rows) == first.tables(language).map(\.rows))
            }
            #expect(try await store.list(village.committee).map(\.id) == [second.id, first.id])
            #expect(try await store.list(village.committee, before: second.id.value, limit: 1).map(\.id) == [first.id])
            let audited = try await village.number("SELECT count(*) FROM event WHERE kind = 'report.livelihood'")
            #expect(audited == 2)
            let unknown = try await refusal { try await store.show(second.id.value + 1, village.committee) }
            #expect(unknown?.code == "no-such-report")
            #expect(try await refusal { try await store.show(.max, village.committee) }?.kind == .notFound)
        }
    }

    @Test func `a report that a correction has changed says which and when`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let entry = try await village.change(
                IncomeStore.enter(
                    day: village.today, source: .rent, memo: "冷库", amount: Money(fen: 1000), corrects: nil,
                    today: village.today))
            let last = village.today.adding(days: -400)
            let before = try await village.change(
                IncomeStore.enter(
                    day: last, source: .rent, memo: "冷库", amount: Money(fen: 500), corrects: nil, today: village.today))
            let first = try await drawUp(village)
            #expect(first.amendments(.chinese).isEmpty)
            try await village.change(ClosedBooks.close(through: last, today: village.today))
            try await village.change(
                IncomeStore.enter(
                    day: nil, source: .rent, memo: "多记", amount: Money(fen: -77), corrects: entry.id.value,
                    today: village.today))
            let late = try await village.change(
                IncomeStore.enter(
                    day: nil, source: .rent, memo: "多记", amount: Money(fen: -20), corrects: before.id.value,
                    today: village.today))
            let second = try await drawUp(village)
            #expect(second.figures.income(.rent).this == 903)
            let tables = second.amendments(.chinese)
            #expect(tables.map(\.name) == [.earlier, .changes])
            #expect(
                tables[0].rows.map { $0.map(\.text) } == [
                    ["\(village.today)", "\(last)", "更正 \(late.id)", "-0.20"]
                ])
            #expect(tables[1].rows.count == 2 && tables[1].rows[0][3] == .money(-77))
            #expect(tables[1].title == "第\(first.id)号民生篇之后登记的")
            // Nothing has changed since: the same report is given again.
            #expect(try await drawUp(village).id == second.id)
        }
    }

    @Test func `a clerk neither draws up, sees nor lists a report`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let store = LivelihoodStore(village.database)
            let id = try await drawUp(village).id.value
            let clerk = village.clerk(of: orchard.east)
            let refusals = [
                try await refusal { try await drawUp(village, as: clerk) },
                try await refusal { try await store.show(id, clerk) },
                try await refusal { try await store.list(clerk) },
            ]
            #expect(refusals.map { $0?.kind } == [.forbidden, .forbidden, .forbidden])
            let elsewhere = Scope(village: 2, cooperative: nil, actor: "stranger")
            #expect(try await refusal { try await store.show(id, elsewhere) }?.kind == .notFound)
        }
    }

    @Test func `a year that has not begun leaves nothing`() async throws {
        try await withVillage { village in
            let store = LivelihoodStore(village.database)
            let refused = try await refusal {
                try await store.drawUp(
                    year: village.today.year + 1, clock: village.clock.clock, village.committee)
            }
            #expect(refused?.code == "no-such-year")
            #expect(try await store.list(village.committee).isEmpty)
        }
    }

    /// The snapshot has been taken, and its statements wait, when the books change.
    @Test func `what is written while a report is drawn up is not in it`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 100_000))
            try await enter(village, 100)
            let before = try await drawUp(village)
            let drawing: Task<LivelihoodReport, any Error> = try await village.owner.transaction { transaction in
                _ = try await transaction.query("LOCK TABLE household_period IN ACCESS EXCLUSIVE MODE")
                let drawing = Task { try await drawUp(village) }
                try await awaitCondition("the snapshot's waiting") {
                    try await village.number(
                        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'household_period'::regclass")
                        > 0
                }
                _ = try await transaction.query([
                    """
                    INSERT INTO income_entry (village_id, day, source, memo, amount_fen, actor)
                    VALUES (\(village.village.id), \(village.today), 'rent', '', 900, 'test')
                    """,
                    """
                    INSERT INTO stock_movement (village_id, batch_number, cooperative_id, kind, grams, day, actor)
                    SELECT village_id, number, cooperative_id, 'loss', -500, \(village.today), 'test' FROM batch
                    WHERE number = \(code.batch)
                    """,
                    "UPDATE batch SET out_g = out_g + 500 WHERE number = \(code.batch)",
                    "UPDATE household SET people = people + 1",
                    """
                    INSERT INTO household_period (village_id, household_id, from_day, cooperative_id, number, head,
                        grid_cell, support_class, people, actor)
                    SELECT village_id, household_id, \(village.today), cooperative_id, number, head, grid_cell,
                        support_class, people + 1, actor
                    FROM household_period
                    """,
                    Event("test.prepare", "test").insert(by: village.committee),
                ])
                return drawing
            }
            let meanwhile = try await drawing.value
            #expect(meanwhile.figures == before.figures)
            #expect(meanwhile.id == before.id)
            let after = try await drawUp(village)
            #expect(after.figures.income(.rent).this == 1000 && after.figures.households.people == 8)
            #expect(after.figures.products.first?.balance.lossGrams == 500)
        }
    }

    @Test func `those who ask at once are given one report`() async throws {
        try await withVillage { village in
            try await enter(village, 100)
            let ids = try await withThrowingTaskGroup { group in
                for _ in 0..<12 { group.addTask { try await drawUp(village).id } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await village.number("SELECT count(*) FROM livelihood_report") == 1)
        }
    }

    /// While sales are recorded all the time, each report is one that was true at some moment.
    @Test func `reports drawn up during sales agree with themselves`() async throws {
        try await withVillage(poolSize: 6) { village in
            _ = try await village.plant()
            let code = try await village.register(village.harvest(grams: 1_000_000))
            let reports = try await withThrowingTaskGroup(of: LivelihoodReport?.self) { group in
                group.addTask {
                    for _ in 0..<60 {
                        try await village.sell(
                            village.sale([
                                .init(
                                    batch: code.batch, weight: Weight(grams: 500), price: Price(fen: 850, basis: .jin))
                            ]))
                    }
                    return nil
                }
                for _ in 0..<2 {
                    group.addTask {
                        var last: LivelihoodReport?
                        for _ in 0..<8 {
                            let report = try await drawUp(village)
                            let product = try #require(report.figures.products.first)
                            let sold = report.figures.income(.sales).this
                            #expect(product.salesFen.this == sold && product.soldGrams.this * 850 == sold * 500)
                            #expect(report.figures.households.salesFen == sold)
                            #expect(product.balance.soldGrams == product.soldGrams.this)
                            #expect(product.balance.differenceGrams == 0)
                            last = report
                        }
                        return last
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(reports.count == 3)
            #expect(try await drawUp(village).figures.income(.sales).this == 60 * 850)
        }
    }

    @Test func `nothing is written in a snapshot`() async throws {
        try await withVillage { village in
            let refused = try await refusal {
                try await village.database.snapshot(village.committee) {
                    try await $0.query("UPDATE village SET name = '他村'")
                }
            }
            #expect(refused?.code == "database-not-writable")
        }
    }
}
