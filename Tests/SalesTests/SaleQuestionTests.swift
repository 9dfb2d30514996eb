import Batches
import Codes
import Database
import Kernel
import Sales
import TestSupport
import Testing

/// What is not sold at all, and what is asked about first.
@Suite struct SaleQuestionTests {
    private func line(_ batch: Int64, grams: Int64 = 1000, fen: Int64 = 850) throws -> NewSale.Line {
        NewSale.Line(batch: batch, weight: Weight(grams: grams), price: try Price(fen: fen, basis: .jin))
    }

    @Test func `a batch under recall leaves by no way but as a loss`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let slip = village.harvest(day: village.today.adding(days: -2), grams: 100_000, slip: "C1")
            let batch = try await village.register(slip).batch
            let child = try await village.derive(from: [batch])
            let sold = try await village.sell(village.sale([line(batch)]))
            try await village.change(CodeStore.recall(batch: batch, open: true, reason: "农残复检"))
            for (number, words) in [(batch, "since"), (child, "with batch \(batch)")] {
                let refused = try await refusal { try await village.sell(village.sale([line(number, grams: 1)])) }
                #expect(refused?.code == "batch-recalled" && refused?.field == "lines[0].batch")
                #expect(refused?.message.en.contains(words) == true && refused?.message.zh.contains("农残复检") == true)
            }
            let register = [
                "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式",
                "\(village.today),S9,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金",
            ]
            let report = try await village.load(lines: register, SaleRegister(today: village.today))
            #expect(report.refused.map(\.field) == ["采收单号"] && report.recorded == 0)
            #expect(report.refused.first?.reason.zh.contains("农残复检") == true)
            @Sendable func take(_ kind: Withdrawal) -> Plan<MovedStock> {
                BatchStore.withdraw(
                    kind, batch: batch, weight: Weight(grams: 1000), day: village.today, reason: nil,
                    today: village.today)
            }
            #expect(try await refusal { try await village.change(take(.gift)) }?.code == "batch-recalled")
            #expect(try await village.change(take(.loss)).stock.grams == 98_000)
            let codes = CodeStore(village.database, keys: village.keys)
            #expect(try await codes.export(village.committee, limit: 10).isEmpty)
            #expect(try await codes.leftOut(village.committee).map(\.batch) == [batch, child])
            #expect(
                try await refusal { try await codes.label(batch: child, village.committee) }?.code == "batch-recalled")
            #expect(try await BatchStore(village.database).show(child, village.committee).recall?.batch == batch)
            // What comes back stays.
            try await village.change(SaleStore.reverse(sold.id.value, reason: "召回", today: village.today))
            let back = try await refusal { try await village.sell(village.sale([line(batch, grams: 1)])) }
            #expect(back?.code == "batch-recalled")
            #expect(try await village.number("SELECT frozen_g FROM batch WHERE number = \(batch)") == 1000)
            try await village.change(CodeStore.recall(batch: batch, open: false, reason: "复检合格"))
            try await village.sell(village.sale([line(batch)]))
            try await village.sell(village.sale([line(child, grams: 1)]))
        }
    }

    @Test func `the database itself keeps what is under recall`() async throws {
        try await withVillage(poolSize: 8) { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest(grams: 100_000)).batch
            let sale = SaleStore.record(village.sale([try line(batch)]), today: village.today)
            let refused = try await refusal {
                try await village.change { transaction, scope in
                    let change = try await sale(transaction, scope)
                    if try await village.number("SELECT recalls FROM batch") == 0 {
                        try await village.change(CodeStore.recall(batch: batch, open: true, reason: "抽检"))
                    }
                    return change
                }
            }
            #expect(refused?.code == "batch-recalled" && refused?.message.zh.contains("抽检") == true)
            let end = CodeStore.recall(batch: batch, open: false, reason: "合格")
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<6 { group.addTask { try await refusal { try await village.change(end) }?.code } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.filter { $0 == nil }.count == 1 && Set(codes.compactMap(\.self)) == ["no-recall"])
        }
    }

    @Test func `goods past their best-before day are asked about`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let harvested = village.today.adding(days: -8)
            let batch = try await village.register(village.harvest(day: harvested)).batch
            let lines = [try line(batch)]
            try await village.sell(village.sale(lines, day: harvested.adding(days: 7)))
            let refused = try await refusal { try await village.sell(village.sale(lines)) }
            #expect(refused?.code == "past-best-before" && refused?.field == "lines[0].batch")
            #expect(refused?.message.en.contains("\(harvested.adding(days: 7))") == true)
            try await village.sell(village.sale(lines, confirmed: [.pastBestBefore]))
        }
    }

    @Test func `a price far from what the product sells at is asked about`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let batch = try await village.register(village.harvest()).batch
            for fen in [850, 900, 800, 1000] as [Int64] {
                try await village.sell(village.sale([line(batch, fen: fen)]))
            }
            // Four sales tell nothing yet.
            let typo = try await village.sell(village.sale([line(batch, fen: 85_000)]))
            try await village.change(SaleStore.reverse(typo.id.value, reason: "多写两个零", today: village.today))
            try await village.sell(village.sale([line(batch, fen: 850)]))
            for fen in [85_000, 4251, 169, 0] as [Int64] {
                let refused = try await refusal {
                    try await village.sell(village.sale([line(batch), line(batch, fen: fen)]))
                }
                #expect(refused?.code == "unusual-price" && refused?.field == "lines[1].price", "\(fen)")
                #expect(refused?.message.zh.contains("8.50/斤") == true)
            }
            for fen in [4250, 170, 2000] as [Int64] { try await village.sell(village.sale([line(batch, fen: fen)])) }
            try await village.sell(village.sale([line(batch, fen: 85_000)], confirmed: [.unusualPrice]))
            #expect(try await village.number("SELECT usual_fen FROM product WHERE name = '蟠桃'") == 1700)
            // Another product is another matter.
            let potatoes = try await village.register(village.harvest(plot: "E2", variety: "烟薯25")).batch
            try await village.sell(village.sale([line(potatoes, fen: 90)]))
        }
    }

    @Test func `a channel that is new is asked about, and the first is not`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let lines = [try await line(village.register(village.harvest()).batch)]
            try await village.sell(village.sale(lines, channel: "批发"))
            for (channel, told) in [("批发商", "“批发”？"), ("批", "“批发”？"), ("零售", "“批发”？")] {
                let refused = try await refusal { try await village.sell(village.sale(lines, channel: channel)) }
                #expect(refused?.code == "new-channel" && refused?.field == "channel" && refused?.kind == .conflict)
                #expect(refused?.message.zh.contains(told) == true && refused?.message.zh.contains(channel) == true)
            }
            try await village.sell(village.sale(lines, channel: "零售", confirmed: [.newChannel]))
            #expect(try await village.sell(village.sale(lines, channel: " 零 售")).channel == "零售")
            // What is close is named alone, and otherwise all that there are.
            let close = try await refusal { try await village.sell(village.sale(lines, channel: "批发商")) }
            #expect(close?.message.en.contains("is it “批发”?") == true)
            let far = try await refusal { try await village.sell(village.sale(lines, channel: "电商")) }
            #expect(far?.message.en.contains("“零售”") == true && far?.message.en.contains("“批发”") == true)
            #expect(try await village.number("SELECT count(*) FROM sale_name WHERE kind = 'channel'") == 2)
        }
    }
}
