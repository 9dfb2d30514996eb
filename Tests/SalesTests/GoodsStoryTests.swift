import Batches
import Codes
import Database
import Kernel
import Postgres
import Sales
import TestSupport
import Testing

/// A long story of whatever can happen to goods; the village's invariants are checked after it.
@Suite struct GoodsStoryTests {
    private static let expected: Set<String> = [
        "not-enough-stock", "less-than-left", "over-ceiling", "nothing-changes", "changed-meanwhile", "not-voidable",
        "batch-void", "batch-recalled", "reversed-already", "more-than-sold", "more-than-paid", "undone-already",
        "unknown-withdrawal", "unknown-sale", "recall-open", "no-recall", "slip-taken", "unusual-price",
    ]

    private struct Books: Sendable {
        let batches: [Int64]
        let sales: [(id: Int64, lines: Int)]
        let withdrawals: [Int64]
    }

    private func books(_ village: TestVillage) async throws -> Books {
        func numbers(_ sql: SQL) async throws -> [Int64] {
            try await village.owner.query(sql).map { try $0.decode(0) }
        }
        let sales = try await village.owner.query("SELECT sale_id, count(*) FROM sale_line GROUP BY 1 ORDER BY 1")
        return Books(
            batches: try await numbers("SELECT number FROM batch ORDER BY 1"),
            sales: try sales.map { (try $0.decode(0), try $0.decode(1)) },
            withdrawals: try await numbers(
                "SELECT id FROM stock_movement WHERE kind IN ('own_use', 'loss', 'gift') ORDER BY 1"))
    }

    private func step(_ village: TestVillage, _ books: Books, _ dice: inout Dice) async throws -> Plan<Void> {
        func any<Value>(_ plan: @escaping Plan<Value>) -> Plan<Void> {
            { transaction, scope in try await plan(transaction, scope).map { _ in } }
        }
        let today = village.today
        let batch = books.batches.randomElement(using: &dice) ?? 0
        let sale = books.sales.randomElement(using: &dice) ?? (0, 1)
        let weight = Weight(grams: .random(in: 1...30, using: &dice) * 500)
        switch Int.random(in: 0..<20, using: &dice) {
        case 0...5:
            let lines = try (0...Int.random(in: 0...2, using: &dice)).map { _ in
                NewSale.Line(
                    batch: books.batches.randomElement(using: &dice) ?? 0, weight: weight,
                    price: try Price(fen: .random(in: 700...1000, using: &dice), basis: .jin))
            }
            return any(SaleStore.record(village.sale(lines), today: today))
        case 6...7:
            let line = Bool.random(using: &dice) ? Int.random(in: 1...sale.lines, using: &dice) : nil
            return any(SaleStore.reverse(sale.id, line: line, reason: "冲销", today: today))
        case 8...11:
            let goods = SaleCorrection.Goods.allCases.randomElement(using: &dice) ?? .back
            let refund = Money(fen: .random(in: 0...6000, using: &dice))
            return any(
                SaleStore.takeBack(
                    weight, goods: goods, refund: refund, of: sale.id,
                    line: Int.random(in: 1...sale.lines, using: &dice), reason: "退货", today: today))
        case 12...13:
            let kind = Withdrawal.allCases.randomElement(using: &dice) ?? .loss
            return any(
                BatchStore.withdraw(kind, batch: batch, weight: weight, day: today, reason: nil, today: today))
        case 14...15:
            let withdrawal = books.withdrawals.randomElement(using: &dice) ?? 0
            return any(BatchStore.undo(withdrawal: withdrawal, reason: "没有出库", today: today))
        case 16...17:
            let grams = Int64.random(in: 1...200, using: &dice) * 1000
            let right = RightHarvest(
                weight: Weight(grams: grams), slip: Bool.random(using: &dice) ? "C\(grams)" : nil)
            return any(BatchStore.correct(batch, right, reason: "过磅有误", today: today))
        case 18: return CodeStore.void(batch: batch, reason: "重复登记", today: today)
        default: return CodeStore.recall(batch: batch, open: Bool.random(using: &dice), reason: "抽检")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func `whatever is put right in whatever order, the books are true`(
        seed: UInt64
    ) async throws {
        try await withVillage(poolSize: 8) { village in
            _ = try await village.plant()
            for index in 0..<6 {
                let plot = index % 3 == 2 ? "E2" : "E1"
                let variety = plot == "E2" ? "烟薯25" : "瑞蟠21号"
                try await village.register(village.harvest(plot: plot, variety: variety, grams: 100_000))
            }
            var dice = Dice(seed)
            var done = 0
            for _ in 0..<50 {
                // Four at once, so that they meet.
                let now = try await books(village)
                var plans: [Plan<Void>] = []
                for _ in 0..<4 { plans.append(try await step(village, now, &dice)) }
                let outcomes = try await withThrowingTaskGroup(of: Refusal?.self) { group in
                    for plan in plans { group.addTask { try await refusal { try await village.change(plan) } } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                done += outcomes.count { $0 == nil }
                for refused in outcomes.compactMap(\.self) {
                    #expect(Self.expected.contains(refused.code), "\(refused.code): \(refused.message.en)")
                }
            }
            #expect(done > 60, "\(done) of 200 were done")
        }
    }
}
