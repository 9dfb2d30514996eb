import Batches
import Codes
import Database
import Kernel
import Registers
import Sales
import TestSupport
import Testing

/// Rows that say what was recorded before somebody put it right.
@Suite struct OlderContentTests {
    private static let sales = "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式"
    private static let sale = "2025-08-04,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
    private static let harvests = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤"
    private static let harvest = "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100"

    private func load(
        _ village: TestVillage, sale: String, changed: ChangedRows? = nil
    ) async throws -> ImportReport {
        try await village.load(lines: [Self.sales, sale], SaleRegister(today: village.today), changed: changed)
    }

    private func load(
        _ village: TestVillage, harvest: String, changed: ChangedRows? = nil
    ) async throws -> ImportReport {
        try await village.load(lines: [Self.harvests, harvest], village.harvestRegister(), changed: changed)
    }

    @Test func `a sale that was corrected since is told when the register says that it is right`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await load(village, harvest: Self.harvest)
            _ = try await load(village, sale: Self.sale)
            let right = Self.sale.replacing(",10,8.5,85,", with: ",9,8.5,76.5,")
            #expect(try await load(village, sale: right, changed: .correct).updated == 1)
            let newest = try await village.number("SELECT max(id) FROM sale")
            for changed in [nil, .new] as [ChangedRows?] {
                #expect(try await load(village, sale: Self.sale, changed: changed).already == 1)
            }
            let told = try await load(village, sale: Self.sale, changed: .correct)
            #expect([told.already, told.updated, told.refusedCount] == [0, 0, 1])
            #expect(told.changed == [ChangedRow(row: 2, field: "数量斤", recorded: "4.5 kg (9 斤)", entry: newest)])
            #expect(told.refused.first?.reason.en.contains("on 2025-08-04 by sale \(newest)") == true)
            #expect(told.refused.first?.reason.zh.contains("sale record --replaces \(newest)") == true)
            #expect(try await village.number("SELECT sum(amount_fen - refunded_fen)::bigint FROM sale_line") == 7650)
            #expect(try await load(village, sale: right, changed: .correct).already == 1)
        }
    }

    @Test func `a sale that was reversed is told then too`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await load(village, harvest: Self.harvest)
            _ = try await load(village, sale: Self.sale)
            let sale = try await village.number("SELECT id FROM sale")
            try await village.change(SaleStore.reverse(sale, reason: "没有卖", today: village.today))
            #expect(try await load(village, sale: Self.sale).already == 1)
            let told = try await load(village, sale: Self.sale, changed: .correct)
            #expect(told.refused.first?.reason.zh.contains("sale record --replaces \(sale)") == true)
            #expect(told.changed.map(\.entry) == [sale])
        }
    }

    @Test func `so is a harvest that was corrected`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await load(village, harvest: Self.harvest)
            let batch = try await village.number("SELECT number FROM batch")
            try await village.change(
                BatchStore.correct(
                    batch, RightHarvest(weight: Weight(grams: 45_000)), reason: "过秤重", today: village.today))
            #expect(try await load(village, harvest: Self.harvest).already == 1)
            let told = try await load(village, harvest: Self.harvest, changed: .correct)
            #expect(told.changed == [ChangedRow(row: 2, field: "重量斤", recorded: "45 kg (90 斤)", entry: batch)])
            #expect(told.refused.first?.reason.zh.contains("batch correct --batch \(batch)") == true)
            #expect(try await village.number("SELECT in_g FROM batch") == 45_000)
            // Back by hand, the row says what is recorded.
            try await village.change(
                BatchStore.correct(
                    batch, RightHarvest(weight: Weight(grams: 50_000)), reason: "原来是对的", today: village.today))
            #expect(try await load(village, harvest: Self.harvest, changed: .correct).already == 1)
        }
    }

    @Test func `so is one that was voided, and of a closed year the way is told`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await load(village, harvest: Self.harvest)
            let batch = try await village.number("SELECT number FROM batch")
            try await village.change(CodeStore.void(batch: batch, reason: "没有采", today: village.today))
            #expect(try await load(village, harvest: Self.harvest).already == 1)
            let told = try await load(village, harvest: Self.harvest, changed: .correct)
            #expect(told.refused.first?.reason.en.contains("was voided on") == true)
            #expect(told.changed.map(\.entry) == [batch])
            _ = try await village.change(ClosedBooks.close(through: CivilDay("2025-12-31"), today: village.today))
            let right = Self.harvest.replacing(",100", with: ",90")
            for changed in [nil, .correct] as [ChangedRows?] {
                let closed = try await load(village, harvest: right, changed: changed)
                #expect(closed.refused.map(\.field) == ["采收日期"])
                #expect(closed.refused.first?.reason.zh.contains("batch register --slip C1") == true)
            }
        }
    }
}
