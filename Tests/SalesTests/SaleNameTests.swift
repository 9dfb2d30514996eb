import Database
import Kernel
import Orchard
import Registers
import Sales
import TestSupport
import Testing

/// A channel or buyer that differs from a known one in nothing that counts is that one.
@Suite struct SaleNameTests {
    private static let header = "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式"

    private func load(_ village: TestVillage, _ rows: [String], creates: Bool = false) async throws -> ImportReport {
        try await village.load(
            lines: [Self.header] + rows, SaleRegister(today: village.today), creates: creates)
    }

    /// Slip `C1` of east with 100 斤, harvested on 2025-08-03.
    private func harvest(_ village: TestVillage) async throws -> Int64 {
        _ = try await village.plant()
        _ = try await village.load(
            lines: ["采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤", "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100"],
            village.harvestRegister())
        return try await village.number("SELECT number FROM batch")
    }

    private func sale(
        _ village: TestVillage, _ batch: Int64, channel: String = "批发", buyer: String = "王老板"
    ) throws -> NewSale {
        NewSale(
            number: nil, day: try CivilDay("2025-08-04"), channel: channel, buyer: buyer, paidHow: nil,
            lines: [.init(batch: batch, weight: Weight(grams: 500), price: try Price("8.50/斤"))])
    }

    private func distinct(_ village: TestVillage, _ column: StaticString) async throws -> [String] {
        try await village.owner.query("SELECT DISTINCT \(literal: column) AS name FROM sale ORDER BY 1")
            .map { try $0.decode("name") }
    }

    @Test(arguments: ["王老板(甲)", "王 老板（甲）", "王\u{200B}老板【甲】", "\u{3000}王老板（甲） "])
    func `a sale is recorded under the names that are known`(spelling: String) async throws {
        try await withVillage { village in
            let batch = try await harvest(village)
            try await village.sell(sale(village, batch, channel: "ＡＢ集市", buyer: "王老板（甲）"))
            let second = try await village.sell(sale(village, batch, channel: "AB 集市", buyer: spelling))
            #expect([second.channel, second.buyer] == ["ＡＢ集市", "王老板（甲）"])
            #expect(try await distinct(village, "buyer") == ["王老板（甲）"])
            let found = try await SaleStore(village.database).list(
                village.committee, SaleFilter(buyer: spelling))
            #expect(found.count == 2)
            let rows = [
                "2025-08-05,S1,东社,C1,蟠桃,1,8.5,8.5,AB集市,\(spelling),", "2025-08-05,S2,东社,C1,蟠桃,1,8.5,8.5,AB集市,新买方(乙),",
                "2025-08-05,S3,东社,C1,蟠桃,1,8.5,8.5,电商,新买方（乙）,",
            ]
            let report = try await load(village, rows)
            #expect(report.recorded == 3)
            #expect(report.created.map(\.zh) == ["渠道“电商”"])
            #expect(try await distinct(village, "channel") == ["电商", "ＡＢ集市"].sorted())
            #expect(try await distinct(village, "buyer") == ["新买方(乙)", "王老板（甲）"].sorted())
            #expect(try await load(village, rows).already == 3)
        }
    }

    @Test func `of spellings that come at once one becomes the name`() async throws {
        try await withVillage(poolSize: 8) { village in
            let batch = try await harvest(village)
            let buyers = ["李老板(甲)", "李老板（甲）", "李 老板(甲)", "李老板【甲】"]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<24 {
                    let sale = try sale(
                        village, batch, channel: index % 2 == 0 ? "ＱＱ群" : "QQ群", buyer: buyers[index % 4])
                    group.addTask { try await village.sell(sale) }
                }
                try await group.waitForAll()
            }
            #expect(try await distinct(village, "channel").count == 1)
            #expect(try await distinct(village, "buyer").count == 1)
        }
    }

    @Test func `a new channel that is close to a known one is asked about, a buyer is not`() async throws {
        try await withVillage { village in
            let batch = try await harvest(village)
            try await village.sell(sale(village, batch, channel: "红旗农贸批发", buyer: "王大老板"))
            let row = "2025-08-05,S1,东社,C1,蟠桃,1,8.5,8.5,红旗农贸批友,王小老板,"
            let asked = try await load(village, [row])
            #expect(asked.refused.map(\.field) == ["渠道"])
            #expect(asked.refused.allSatisfy { $0.reason.zh.contains("红旗农贸批发") })
            #expect(asked.created.isEmpty)
            // Of two new ones the rarer.
            let two = (2...4).map { "2025-08-05,S\($0),东社,C1,蟠桃,1,8.5,8.5,社区团购点\($0 == 2 ? "儿" : "兒"),王小老板," }
            #expect(try await load(village, two).refused.map(\.row) == [2])
            let created = try await load(village, [row], creates: true)
            #expect(created.recorded == 1)
            #expect(created.created.map(\.en) == ["channel “红旗农贸批友”"])
            #expect(try await load(village, [row]).already == 1)
        }
    }

    @Test func `a spelling that was given up is recorded as what it means, and is known again under both`() async throws
    {
        try await withVillage { village in
            let batch = try await harvest(village)
            let row = "2025-08-05,S1,东社,C1,蟠桃,1,8.5,8.5,零售店,王老板,"
            #expect(try await load(village, [row]).recorded == 1)
            try await village.change(NameMerge.merge(.channel, from: "零售店", to: "零售", creates: true))
            for channel in ["零售店", "零 售店", "零售", "（零售）"] {
                let second = try await village.sell(sale(village, batch, channel: channel))
                #expect(second.channel == "零售")
                let again = try await load(village, [row.replacing("零售店", with: channel)])
                #expect(again.already == 1, "\(again.refused)")
            }
            // What is meant may be spelt in another way.
            try await village.change(NameMerge.merge(.channel, from: "零售", to: "(零售)"))
            #expect(try await village.sell(sale(village, batch, channel: "零售店")).channel == "(零售)")
        }
    }

    @Test func `a clerk is told of another cooperative's row that it is, whether or not what it names is there`()
        async throws
    {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let west = TestOrchard.westName
            for (plot, household) in [("W1", "HW"), ("W9", "HX")] {
                let reports = [
                    try await village.load(
                        lines: ["采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤", "C1,2025-08-03,\(west),\(plot),蟠桃,124蟠桃,二级,100"],
                        village.harvestRegister(), as: clerk),
                    try await village.load(
                        lines: ["地块号,名称,合作社,户号,作物,面积亩", "\(plot),园,\(west),\(household),蟠桃,3"],
                        village.plotRegister(), as: clerk),
                    try await village.load(
                        lines: [Self.header, "2025-08-05,S1,\(west),C1,蟠桃,1,8.5,8.5,批发,王老板,"],
                        SaleRegister(today: village.today), as: clerk),
                ]
                for report in reports {
                    #expect(report.refused.map(\.field) == ["合作社"])
                    #expect(report.refused.first?.reason.zh == "“\(west)”不是您的合作社")
                }
            }
        }
    }
}
