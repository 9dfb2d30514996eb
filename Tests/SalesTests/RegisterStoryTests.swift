import Batches
import Codes
import Database
import Income
import Kernel
import Orchard
import Postgres
import Registers
import Sales
import TestSupport
import Testing
import Tours

/// A village's registers are imported, whatever can be put right is put right, and the registers come again.
@Suite struct RegisterStoryTests {
    /// Repeatable, so that a story that fails is found again by its number.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private static let expected: Set<String> = [
        "not-enough-stock", "less-than-left", "over-ceiling", "nothing-changes", "not-voidable", "batch-void",
        "reversed-already", "more-than-sold", "more-than-paid", "undone-already", "unknown-withdrawal", "slip-taken",
        "not-reversed", "replaced-already", "corrected-below-zero", "adjusted-below-zero", "more-than-fee",
        "unknown-payment", "payment-reversed-already", "merged-already", "unknown-sale", "corrects-a-correction",
        "sale-number-taken",
    ]

    private struct Books: Sendable {
        let batches: [Int64]
        let sales: [Int64]
        let withdrawals: [Int64]
        let entries: [(id: Int64, source: String)]
        let bookings: [Int64]
        let payments: [(booking: Int64, number: Int64)]
        let channels: [String]
    }

    private func books(_ village: TestVillage) async throws -> Books {
        func numbers(_ sql: SQL) async throws -> [Int64] {
            try await village.owner.query(sql).map { try $0.decode(0) }
        }
        return Books(
            batches: try await numbers("SELECT number FROM batch ORDER BY 1"),
            sales: try await numbers("SELECT id FROM sale ORDER BY 1"),
            withdrawals: try await numbers(
                "SELECT id FROM stock_movement WHERE kind IN ('own_use', 'loss', 'gift') ORDER BY 1"),
            entries: try await village.owner.query("SELECT id, source FROM income_entry ORDER BY 1").map {
                (try $0.decode(0), try $0.decode(1))
            },
            bookings: try await numbers("SELECT id FROM tour_booking ORDER BY 1"),
            payments: try await village.owner.query("SELECT booking_id, id FROM tour_payment ORDER BY 1, 2").map {
                (try $0.decode(0), try $0.decode(1))
            },
            channels: try await village.owner.query("SELECT DISTINCT channel FROM sale ORDER BY 1").map {
                try $0.decode(0)
            })
    }

    /// A way to put something right, chosen by the dice.
    private func plan(_ village: TestVillage, _ books: Books, _ dice: inout Dice) throws -> Plan<Void> {
        func any<Value>(_ plan: @escaping Plan<Value>) -> Plan<Void> {
            { transaction, scope in try await plan(transaction, scope).map { _ in } }
        }
        let today = village.today
        let batch = books.batches.randomElement(using: &dice) ?? 0
        let sale = books.sales.randomElement(using: &dice) ?? 0
        let weight = Weight(grams: .random(in: 1...10, using: &dice) * 500)
        switch Int.random(in: 0..<20, using: &dice) {
        case 0...3:
            let slip = "X\(Int.random(in: 1...1000, using: &dice))"
            let right = [
                RightHarvest(weight: Weight(grams: .random(in: 1...4000, using: &dice) * 500)),
                RightHarvest(slip: slip), RightHarvest(grade: "一级"), RightHarvest(picker: slip),
            ].randomElement(using: &dice)
            return any(BatchStore.correct(batch, right ?? RightHarvest(), reason: "抄错", today: today))
        case 4: return CodeStore.void(batch: batch, reason: "没有收", today: today)
        case 5...6:
            let kind = Withdrawal.allCases.randomElement(using: &dice) ?? .loss
            return any(BatchStore.withdraw(kind, batch: batch, weight: weight, day: today, reason: nil, today: today))
        case 7:
            let withdrawal = books.withdrawals.randomElement(using: &dice) ?? 0
            return any(BatchStore.undo(withdrawal: withdrawal, reason: "没有出库", today: today))
        case 8...10: return any(SaleStore.reverse(sale, reason: "冲销", today: today))
        case 11...12:
            let goods = SaleCorrection.Goods.allCases.randomElement(using: &dice) ?? .back
            return any(
                SaleStore.takeBack(
                    weight, goods: goods, refund: Money(fen: .random(in: 0...2000, using: &dice)), of: sale, line: 1,
                    reason: "退货", today: today))
        case 13:
            return any(
                SaleStore.record(
                    village.sale(
                        [.init(batch: batch, weight: weight, price: try Price("8.50/斤"))], replaces: sale,
                        confirmed: Set(NewSale.Question.allCases)), today: today))
        case 14...15:
            let entry = books.entries.randomElement(using: &dice) ?? (0, "other")
            return any(
                IncomeStore.enter(
                    day: nil, source: IncomeSource(rawValue: entry.source) ?? .other, memo: "更正",
                    amount: Money(fen: .random(in: -50_000...50_000, using: &dice) * 2 + 1), corrects: entry.id,
                    today: today))
        case 16...17:
            let booking = books.bookings.randomElement(using: &dice) ?? 0
            return any(
                AdjustmentStore.adjust(
                    .number(booking), Money(fen: .random(in: -20_000...20_000, using: &dice) * 2 + 1), reason: "少来几人",
                    now: village.clock.now))
        case 18:
            let booking = books.bookings.randomElement(using: &dice) ?? 0
            return any(
                PaymentStore.pay(
                    .number(booking), Money(fen: .random(in: 1...5000, using: &dice)), how: "微信", now: village.clock.now
                ))
        default:
            guard Bool.random(using: &dice), let payment = books.payments.randomElement(using: &dice) else {
                let two = books.channels.shuffled(using: &dice)
                return NameMerge.merge(.channel, from: two.first ?? "", to: two.last ?? "")
            }
            return any(
                PaymentStore.reverse(
                    .number(payment.booking), payment: payment.number, reason: "记错", now: village.clock.now))
        }
    }

    /// What was harvested and sold, and income by its sources.
    private func sums(_ village: TestVillage) async throws -> [String: Int64] {
        let summary = try await IncomeRowStore(village.database).summary(
            from: CivilDay("2020-01-01"), to: village.today, by: [.source, .product, .channel], village.committee)
        var sums = Dictionary(
            uniqueKeysWithValues: summary.rows.map { ("\($0.values)", $0.amount.fen) })
        sums["harvested"] = try await village.number("SELECT sum(in_g)::bigint FROM batch")
        sums["left"] = try await village.number("SELECT sum(out_g)::bigint FROM batch")
        sums["sold"] = try await village.number("SELECT sum(grams - returned_g)::bigint FROM sale_line")
        return sums
    }

    /// Imports all six registers, as they are.
    private func loadAgain(_ village: TestVillage) async throws -> [(name: String, report: ImportReport)] {
        let today = village.today
        let first = try CivilDay("2020-01-01")
        return [
            (
                "households",
                try await village.load(Samples.path("households.csv"), village.householdRegister(asOf: first))
            ),
            ("plots", try await village.load(Samples.path("plots.csv"), village.plotRegister(asOf: first))),
            ("harvest", try await village.load(Samples.path("harvest.csv"), village.harvestRegister())),
            ("sales", try await village.load(Samples.path("sales.csv"), SaleRegister(today: today))),
            ("income", try await village.load(Samples.path("income.csv"), IncomeRegister(today: today))),
            ("bookings", try await village.load(Samples.path("bookings.csv"), BookingRegister(today: today))),
        ]
    }

    /// A row of a register with another figure, to be corrected by an import.
    private func correct(_ village: TestVillage, _ dice: inout Dice) async throws -> ImportReport {
        let name = ["harvest", "sales", "income"].randomElement(using: &dice) ?? "sales"
        let lines = try Samples.lines("\(name).csv")
        var cells =
            lines.randomElement(using: &dice)?.split(separator: ",", omittingEmptySubsequences: false)
            .map(String.init) ?? []
        switch name {
        case "harvest": cells[7] = "\(Int.random(in: 1...3000, using: &dice))"
        case "sales":
            cells[5] = "\(Int.random(in: 1...20, using: &dice))"
            cells[7] = ""
        default: cells[3] = "\(Int.random(in: 1...90_000, using: &dice))"
        }
        let rows = [lines[0], cells.joined(separator: ",")]
        return switch name {
        case "harvest": try await village.load(lines: rows, village.harvestRegister(), changed: .correct)
        case "sales": try await village.load(lines: rows, SaleRegister(today: village.today), changed: .correct)
        default: try await village.load(lines: rows, IncomeRegister(today: village.today), changed: .correct)
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func `registers that come again after all was put right count nothing twice`(
        seed: UInt64
    ) async throws {
        try await withVillage { village in
            try await village.loadEverything()
            var dice = Dice(state: seed)
            var (done, corrected) = (0, 0)
            for step in 0..<200 {
                if step % 10 == 9 {
                    let report = try await correct(village, &dice)
                    corrected += report.updated
                    #expect(report.recorded == 0, "seed \(seed), step \(step)")
                    continue
                }
                let plan = try plan(village, try await books(village), &dice)
                let refused = try await refusal { try await village.change(plan) }
                if let refused {
                    #expect(
                        Self.expected.contains(refused.code),
                        "seed \(seed), step \(step): \(refused.code) \(refused.message.en)")
                } else {
                    done += 1
                }
            }
            #expect(done > 80 && corrected > 3, "seed \(seed): \(done) were put right, \(corrected) by registers")
            try await Invariants.check(village.owner)
            let before = try await sums(village)
            for (name, report) in try await loadAgain(village) {
                #expect(report.recorded == 0 && report.created.isEmpty, "seed \(seed), \(name)")
                #expect(report.changeCount == 0, "seed \(seed), \(name): \(report.changes.prefix(3))")
                #expect(
                    report.refusedCount == report.changed.count,
                    "seed \(seed), \(name): \(report.refused.prefix(3).map { "\($0.row ?? 0): \($0.reason.en)" })")
                #expect(
                    report.already + report.updated + report.refusedCount == report.read, "seed \(seed), \(name)")
            }
            #expect(try await sums(village) == before, "seed \(seed)")
        }
    }
}
