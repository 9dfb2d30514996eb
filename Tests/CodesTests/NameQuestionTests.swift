import Database
import Kernel
import Orchard
import Registers
import Sales
import TestSupport
import Testing

/// New names that are close to known ones, each asked about in the register that brings it.
@Suite struct NameQuestionTests {
    private static let harvests = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤"
    private static let sales = "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式"
    private static let households = "户号,户主,网格,帮扶类别,合作社,人口,联系电话"

    private func harvest(
        _ village: TestVillage, _ variety: String, _ grade: String, creates: Bool = false
    ) async throws -> ImportReport {
        try await village.load(
            lines: [Self.harvests, "C\(variety)\(grade),2025-08-03,东社,E1,蟠桃,\(variety),\(grade),100"],
            village.harvestRegister(), creates: creates)
    }

    private func sale(_ village: TestVillage, _ channel: String) async throws -> ImportReport {
        try await village.load(
            lines: [Self.sales, "2025-08-05,S\(channel),东社,C早露特级,蟠桃,1,8.5,8.5,\(channel),王老板,"],
            SaleRegister(today: village.today))
    }

    private func asks(_ report: ImportReport, _ field: String, _ known: String) {
        #expect(report.refused.map(\.field) == [field])
        #expect(report.refused.first?.reason.zh.contains("是不是“\(known)”") == true, "\(report.refused)")
    }

    @Test func `a short name with one too many or two swapped is asked about, another is not`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            #expect(try await harvest(village, "早露", "特级").recorded == 1)
            asks(try await harvest(village, "早露儿", "特级"), "品种", "早露")
            asks(try await harvest(village, "露早", "特级"), "品种", "早露")
            #expect(try await harvest(village, "晚露", "优级").recorded == 1)
            asks(try await harvest(village, "早露", "特级果"), "等级", "特级")
            #expect(try await sale(village, "零售").recorded == 1)
            asks(try await sale(village, "零销售"), "渠道", "零售")
            #expect(try await sale(village, "寄售").recorded == 1)
            for (name, isAsked) in [("东合社", true), ("北社", false)] {
                let report = try await village.load(
                    lines: [Self.households, "H\(name),张三,一网格,一般户,\(name),3,13800000000"],
                    village.householdRegister())
                if isAsked { asks(report, "合作社", "东社") } else { #expect(report.recorded == 1) }
            }
        }
    }

    @Test func `a question proposes what a name means now`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await harvest(village, "早露", "特级")
            _ = try await sale(village, "农贸市场零售")
            try await village.change(NameMerge.merge(.channel, from: "农贸市场零售", to: "市场", creates: true))
            asks(try await sale(village, "农贸市场另售"), "渠道", "市场")
            _ = try await harvest(village, "早露蟠桃", "特级", creates: true)
            try await village.change(NameMerge.merge(.variety, from: "早露蟠桃", to: "早露"))
            asks(try await harvest(village, "早露蟠挑", "特级"), "品种", "早露")
        }
    }

    @Test func `a variety of another product is told as such`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let refused = try await refusal {
                try await village.register(village.harvest(product: "蟠桃", variety: "烟薯25"))
            }
            #expect(refused?.code == "variety-of-another-product" && refused?.field == "variety")
            #expect(refused?.message.zh.contains("属于红薯") == true)
            let merged = try await refusal {
                try await village.change(NameMerge.merge(.variety, from: "瑞蟠21号", to: "烟薯25"))
            }
            #expect(merged?.code == "variety-of-another-product" && merged?.field == "to")
            let unknown = try await refusal {
                try await village.register(village.harvest(product: "蟠桃", variety: "黄桃"))
            }
            #expect(unknown?.code == "unknown-variety")
        }
    }

    @Test(arguments: [NameKind.cooperative, .variety, .grade])
    func `a merge that would have to make a name says that it does not`(kind: NameKind) async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let refused = try await refusal {
                try await village.change(NameMerge.merge(kind, from: "东社", to: "西社", creates: true))
            }
            #expect(refused?.code == "nothing-to-create" && refused?.field == "create")
        }
    }
}
