import Batches
import Codes
import Database
import Kernel
import Orchard
import Registers
import Sales
import TestSupport
import Testing

@Suite struct HarvestRegisterTests {
    private static let header = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤,采收人"

    private func load(
        _ village: TestVillage, _ rows: String..., as scope: Scope? = nil, partial: Bool = false,
        changed: ChangedRows? = nil
    ) async throws -> ImportReport {
        try await village.load(
            lines: [Self.header] + rows, village.harvestRegister(), as: scope, partial: partial, changed: changed)
    }

    @Test func `the sample is recorded once, and every batch's code is genuine`() async throws {
        try await withVillage { village in
            try await village.loadHarvests()
            let again = try await village.load(Samples.path("harvest.csv"), village.harvestRegister())
            #expect([again.read, again.recorded, again.already, again.refusedCount] == [423, 0, 423, 0])
            #expect(try await village.number("SELECT count(*) FROM batch") == 423)
            let grams = try Samples.cells("harvest.csv").reduce(0) { sum, cells in
                sum + (try Weight(number: cells[7], unit: 500).grams)
            }
            #expect(try await village.number("SELECT sum(in_g)::bigint FROM batch") == grams)
            let codes = try await CodeStore(village.database, keys: village.keys).export(village.committee, limit: 1000)
            #expect(codes.count == 423)
            for code in codes {
                let verdict = try await village.verification.verify(code.payload)
                #expect(verdict.answer == .genuine, "batch \(code.batch)")
            }
        }
    }

    @Test(arguments: [false, true])
    func `a register of which thousands of rows are wrong, and most, ends early and says so`(partial: Bool) async throws
    {
        try await withVillage { village in
            _ = try await village.plant()
            let good = "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,12.5,"
            func load(wrong: Int) async throws -> ImportReport {
                try await village.load(
                    lines: [Self.header, good] + Array(repeating: "a", count: wrong), village.harvestRegister(),
                    partial: partial, dryRun: true)
            }
            let few = try await load(wrong: 9_000)
            #expect([few.read, few.refusedCount, few.notes.count] == [9_001, 9_000, 0] && !few.isCutShort)
            #expect(few.recorded == (partial ? 1 : 0))
            let many = try await load(wrong: 30_000)
            #expect([many.read, many.refusedCount, many.recorded] == [15_000, 14_999, 0] && many.isCutShort)
            #expect(many.notes.first?.en.hasPrefix("14999 of the first 15000 rows are wrong") == true)
            #expect(many.refused.count == 1000)
        }
    }

    @Test func `a row becomes the batch that it describes`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await load(village, "Ｃ１,2025/8/3,东社,E1,蟠桃,124蟠桃,二级,12.5,李四")
            let batch = try #require(try await BatchStore(village.database).list(village.committee).first)
            #expect(batch.slip == "C1")
            #expect(batch.harvestedOn == CivilDay(iso: "2025-08-03"))
            #expect(batch.variety == "124蟠桃")
            #expect(batch.grade == "二级")
            #expect(batch.weightIn.grams == 6250)
            #expect(batch.picker == "李四")
            let code = try await CodeStore(village.database, keys: village.keys).show(
                batch: batch.number.value, village.committee)
            #expect(code.signed.body.issued == village.today)
            #expect(code.signed.body.bestBefore == CivilDay(iso: "2025-08-10"))
        }
    }

    @Test(arguments: [
        ("C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,12.6,", "重量斤"), ("C1,2025-08-04,东社,E1,蟠桃,124蟠桃,二级,12.5,", "采收日期"),
        ("C1,2025-08-03,东社,E3,蟠桃,124蟠桃,二级,12.5,", "地块号"), ("C2,2025-08-03,东社,X9,蟠桃,124蟠桃,二级,1,", "地块号"),
        ("C2,2025-08-03,西社,E1,蟠桃,124蟠桃,二级,1,", "合作社"), ("C2,2025-08-03,北社,E1,蟠桃,124蟠桃,二级,1,", "合作社"),
        ("C2,2025-08-03,东社,E1,红薯,烟薯25,二级,1,", "产品"), ("C2,2025-08-03,东社,E1,苹果,红富士,二级,1,", "产品"),
        ("C2,2025-02-30,东社,E1,蟠桃,124蟠桃,二级,1,", "采收日期"), ("C2,2027-01-01,东社,E1,蟠桃,124蟠桃,二级,1,", "采收日期"),
        ("C2,2019-12-31,东社,E1,蟠桃,124蟠桃,二级,1,", "采收日期"), ("C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,0,", "重量斤"),
        ("C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,-1,", "重量斤"), ("C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,多,", "重量斤"),
        ("C2,2025-08-03,东社,E1,蟠桃,,二级,1,", "品种"), ("C2,2025-08-03,东社,E1,蟠桃,124蟠桃,,1,", "等级"),
        ("C2,2025-08-03,东社,E1,蟠桃,新品种,新等级,50001,", "重量斤"), (",2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,", "采收单号"),
    ])
    func `what is wrong is named and leaves nothing`(row: String, field: String) async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.addPlot("E3", household: "HE", product: "蟠桃")
            _ = try await load(village, "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,12.5,")
            let report = try await load(village, "C9,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,", row)
            #expect(report.refused.map(\.field) == [field])
            #expect(report.refused.map(\.row) == [3])
            #expect([report.read, report.recorded, report.already, report.refusedCount] == [2, 0, 0, 1])
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            let partial = try await load(village, "C9,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,", row, partial: true)
            #expect([partial.recorded, partial.refusedCount] == [1, 1])
            #expect(partial.created.isEmpty, "a refused row's variety and grade are not made")
            #expect(try await village.number("SELECT count(*) FROM batch") == 2)
            #expect(try await village.number("SELECT count(*) FROM variety") == 6)
            #expect(try await village.number("SELECT count(*) FROM grade") == 3)
        }
    }

    @Test func `the row that passes the ceiling is named`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let report = try await load(
                village, "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,49999,", "C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,",
                "C3,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,0.002,", "C4,2024-08-03,东社,E1,蟠桃,124蟠桃,二级,50000,", partial: true)
            #expect(report.refused.map(\.row) == [4])
            #expect(report.refused.first?.reason.zh.contains("地块 E1 在 2025 年最多采收 25000 kg") == true)
            #expect(report.recorded == 3)
            let exception = HarvestStore.override(
                plot: "E1", season: 2025, extra: Weight(grams: 1), reason: "丰收")
            try await village.change(exception)
            #expect(try await load(village, "C3,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,0.002,").recorded == 1)
        }
    }

    @Test func `new varieties and grades are made and told`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let report = try await load(
                village, "C1,2025-08-03,东社,E1,蟠桃,中蟠11,等外,1,", "C2,2025-08-03,东社,E1,蟠桃,中蟠11,等外,1,")
            #expect(report.recorded == 2)
            #expect(Set(report.created.map(\.zh)) == ["品种“中蟠11”（蟠桃）", "等级“等外”"])
        }
    }

    @Test func `a slip that stands twice is recorded once`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let row = "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,"
            let same = try await load(village, row, row)
            #expect([same.recorded, same.already] == [1, 1])
            let other = try await load(
                village, "C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,", "C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,2,")
            #expect(other.refused.map(\.row) == [2, 3], "nobody knows which of them is right")
            #expect(other.refused.allSatisfy { $0.reason.zh.contains("第 2、3 行") && $0.reason.zh.contains("重量斤") })
            // Two cooperatives may number their slips alike.
            #expect(try await load(village, "C1,2025-08-03,西社,W1,蟠桃,124蟠桃,二级,1,").recorded == 1)
        }
    }

    @Test func `a new variety that is close to a known one is asked about`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let rows = ["C1,2025-08-03,东社,E1,蟠桃,早露蟠挑,特级(优),1,", "C2,2025-08-03,东社,E1,蟠桃,１２４ 蟠桃,特级,1,"]
            let asked = try await village.load(lines: [Self.header] + rows, village.harvestRegister(), partial: true)
            #expect([asked.recorded, asked.refusedCount] == [1, 1])
            #expect(asked.refused.map(\.field) == ["品种", "等级"])
            #expect(asked.refused.first?.reason.zh.contains("早露蟠桃") == true)
            #expect(asked.created.isEmpty, "124 蟠桃 is known")
            let said = try await village.load(lines: [Self.header] + rows, village.harvestRegister(), creates: true)
            #expect([said.recorded, said.already] == [1, 1])
            #expect(said.created.map(\.zh).contains("品种“早露蟠挑”（蟠桃）"))
        }
    }

    @Test(arguments: [
        ("2025-08-04,东社,E1,蟠桃,124蟠桃,二级,1,张三", "采收日期", "2025-08-03"), ("2025-08-03,东社,E2,红薯,烟薯25,二级,1,张三", "地块号", "E1"),
        ("2025-08-03,东社,E1,蟠桃,早露蟠桃,二级,1,张三", "品种", "124蟠桃"), ("2025-08-03,东社,E1,蟠桃,124蟠桃,一级,1,张三", "等级", "二级"),
        ("2025-08-03,东社,E1,蟠桃,124蟠桃,二级,2,张三", "重量斤", "1 斤"), ("2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,李四", "采收人", "张三"),
    ])
    func `a slip that was changed after it was recorded is refused`(changed: String, field: String, recorded: String)
        async throws
    {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await load(village, "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,张三")
            let report = try await load(village, "C1," + changed)
            #expect(report.refused.map(\.field) == [field])
            #expect(report.refused.first?.reason.zh.contains(recorded) == true)
            let batch = try await village.number("SELECT number FROM batch")
            #expect(report.changed.map(\.field) == [field] && report.changed.map(\.entry) == [batch])
            #expect(report.changed.first?.recorded.contains(recorded) == true)
            let corrected = try await load(village, "C1," + changed, changed: .correct)
            let isCorrectable = ["等级", "重量斤", "采收人"].contains(field)
            #expect([corrected.updated, corrected.refusedCount] == (isCorrectable ? [1, 0] : [0, 1]))
            #expect(try await load(village, "C1," + changed).already == (isCorrectable ? 1 : 0))
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            #expect(try await load(village, "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,").already == 1)
        }
    }

    @Test func `a corrected register corrects its harvests, within the ceiling and not below what has left`()
        async throws
    {
        try await withVillage { village in
            _ = try await village.plant()
            let header = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤,采收人"
            func rows(_ first: Int, _ others: Int...) -> [String] {
                [header] + ([first] + others).enumerated().map { "C\($0),2025-08-03,东社,E1,蟠桃,124蟠桃,二级,\($1)," }
            }
            func load(_ lines: [String]) async throws -> ImportReport {
                try await village.load(lines: lines, village.harvestRegister(), changed: .correct)
            }
            let ceiling = Int(
                try await village.number("SELECT 10 * ceiling_g_per_mu / 500 FROM product WHERE name = '蟠桃'"))
            #expect(try await load(rows(ceiling)).recorded == 1)
            // Room for the second is there once the first is put right; and not for one more.
            let report = try await load(rows(100, ceiling - 100))
            #expect([report.updated, report.recorded] == [1, 1], "\(report.refused)")
            #expect(report.changed.map(\.recorded) == ["\(Weight(grams: Int64(ceiling) * 500))"])
            for wrong in [rows(101, ceiling - 100), rows(100, ceiling - 99)] {
                #expect(try await load(wrong).refused.map(\.field) == ["重量斤"])
            }
            let batch = try await village.number("SELECT min(number) FROM batch")
            let line = NewSale.Line(batch: batch, weight: Weight(grams: 45_000), price: try Price("8.50/斤"))
            try await village.sell(village.sale([line], confirmed: [.pastBestBefore]))
            #expect(try await load(rows(89, ceiling - 100)).refused.map(\.field) == ["重量斤"])
            #expect(try await load(rows(90, ceiling - 90)).updated == 2)
            #expect(try await village.load(lines: rows(ceiling), village.harvestRegister()).already == 1)
            #expect(try await load(rows(ceiling)).changed.map(\.entry) == [batch], "as it was first")
        }
    }

    @Test func `a clerk imports the own cooperative's harvests alone`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let report = try await load(
                village, "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,1,", "C2,2025-08-03,西社,W1,蟠桃,124蟠桃,二级,1,", as: clerk,
                partial: true)
            #expect(report.recorded == 1)
            #expect(report.refused.map(\.row) == [3])
            #expect(report.refused.map(\.field) == ["合作社"])
        }
    }

    @Test func `slips begin again every year, and are known again by number and year`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let old = "C0001,2024-06-25,东社,E1,蟠桃,124蟠桃,二级,100,"
            let new = "C0001,2026-01-10,东社,E1,蟠桃,瑞蟠21号,一级,20,"
            #expect(try await load(village, old).recorded == 1)
            #expect(try await load(village, new).recorded == 1)
            let again = try await load(village, new, old)
            #expect([again.recorded, again.already] == [0, 2])
            #expect(try await village.number("SELECT count(*) FROM batch") == 2)
            let changed = try await load(village, "C0001,2026-01-10,东社,E1,蟠桃,瑞蟠21号,一级,21,")
            #expect(changed.refused.map(\.field) == ["重量斤"])
            let both = try await load(
                village, "C2,2024-06-25,东社,E1,蟠桃,124蟠桃,二级,1,", "C2,2025-06-25,东社,E1,蟠桃,124蟠桃,二级,1,")
            #expect(both.recorded == 2)
        }
    }

    @Test func `a harvest entered with its slip is the one of the register`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let harvest = Harvest(
                plot: "E1", product: nil, variety: "124蟠桃", grade: "二级", day: try CivilDay("2025-08-21"),
                weight: Weight(grams: 1_250_000), slip: "C9001", picker: nil)
            let code = try await village.register(harvest)
            #expect(try await BatchStore(village.database).show(code.batch, village.committee).batch.slip == "C9001")
            let report = try await load(village, "C9001,2025-08-21,东社,E1,蟠桃,124蟠桃,二级,2500,")
            #expect([report.recorded, report.already] == [0, 1])
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
            let twice = try await refusal { try await village.register(harvest) }
            #expect(twice?.code == "slip-taken" && twice?.field == "slip" && twice?.kind == .conflict)
            let other = Harvest(
                plot: "E1", product: nil, variety: "124蟠桃", grade: "二级", day: try CivilDay("2024-08-21"),
                weight: Weight(grams: 1000), slip: "C9001", picker: nil)
            try await village.register(other)
        }
    }

    @Test func `a harvest that was entered without its slip is asked about, and gets it`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let day = try CivilDay("2025-08-03")
            for _ in 0..<2 {
                try await village.register(village.harvest(variety: "124蟠桃", grade: "二级", day: day, grams: 50_000))
            }
            let (first, second) = ("C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100,", "C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,90,")
            let asked = try await load(village, first, second, partial: true)
            #expect([asked.recorded, asked.refusedCount] == [1, 1], "\(asked.refused)")
            #expect(asked.changed.map(\.field) == ["采收单号"] && asked.changed.map(\.entry) == [1])
            #expect(try await load(village, first, changed: .correct).updated == 1)
            #expect(try await load(village, first, second).already == 2)
            #expect(try await village.number("SELECT number FROM batch WHERE slip = 'C1'") == 1)
            // The other one is of another harvest.
            let other = first.replacing("C1", with: "C3")
            #expect(try await load(village, other, changed: .new).recorded == 1)
            #expect(try await village.number("SELECT count(*) FROM batch") == 4)
        }
    }

    @Test func `a slip that was corrected leaves its old number to the harvest that has it`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let (first, second) = ("C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100,", "C2,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100,")
            #expect(try await load(village, first).recorded == 1)
            let right = RightHarvest(slip: "C2")
            try await village.change(BatchStore.correct(1, right, reason: "单号写错", today: village.today))
            #expect(try await load(village, first).already == 1, "as the register was before")
            let both = try await load(village, first, second)
            #expect([both.recorded, both.already] == [1, 1])
            #expect(try await load(village, first, second).already == 2)
        }
    }

    @Test func `a harvest of a merged variety and grade is known under both names`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.change(OrchardStore.addGrade(name: "乙级"))
            let row = "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,乙级,100,"
            #expect(try await load(village, row).recorded == 1)
            try await village.change(NameMerge.merge(.grade, from: "乙级", to: "二级"))
            for grade in ["二级", "乙级"] {
                #expect(try await load(village, row.replacing("乙级", with: grade)).already == 1)
            }
            #expect(try await load(village, row.replacing("乙级", with: "特级")).refused.map(\.field) == ["等级"])
        }
    }

    @Test func `a harvest is of the household and the cooperative that had the plot on its day`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.addHousehold("H2", of: orchard.east)
            let plots = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"
            for (row, day) in [("E1,东,东社,H2,蟠桃,1,,", "2025-07-01"), ("E1,东,西社,HW,红薯,1,,", "2025-08-01")] {
                _ = try await village.load(lines: [plots, row], village.plotRegister(asOf: try CivilDay(day)))
            }
            let report = try await load(
                village, "C1,2025-06-30,东社,E1,蟠桃,124蟠桃,二级,6000,", "C2,2025-07-01,东社,E1,蟠桃,124蟠桃,二级,1,",
                "C3,2025-06-30,东社,E1,蟠桃,124蟠桃,二级,1,", "C4,2025-08-01,西社,E1,红薯,烟薯25,二级,6000,",
                "C5,2025-08-01,东社,E1,红薯,烟薯25,二级,1,", partial: true)
            #expect(report.recorded == 3)
            #expect(
                report.refused.map(\.field) == ["重量斤", "合作社"], "1 mu gives 5,000 斤 in July; in August it is west's")
            let households = try await village.owner.query(
                """
                SELECT b.slip || ' ' || h.number FROM batch b JOIN household h ON h.id = b.household_id ORDER BY b.slip
                """
            ).map { try $0.decode(0, as: String.self) }
            #expect(households == ["C1 HE", "C3 HE", "C4 HW"])
            // The old cooperative's clerk imports the register again.
            let again = try await load(
                village, "C1,2025-06-30,东社,E1,蟠桃,124蟠桃,二级,6000,", as: village.clerk(of: orchard.east))
            #expect(again.refused.map(\.field) == ["地块号"], "the plot is not the clerk's any more")
        }
    }

    @Test func `two imports of one file at once record it once`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let rows = (1...200).map { "C\($0),2025-08-03,东社,\($0 % 2 == 0 ? "E1" : "E3"),蟠桃,124蟠桃,二级,1," }
            try await village.addPlot("E3", household: "HE", product: "蟠桃")
            let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let refused = try await refusal {
                            try await village.load(lines: [Self.header] + rows, village.harvestRegister())
                        }
                        return refused?.code ?? "done"
                    }
                }
                var all: [String] = []
                for try await outcome in group { all.append(outcome) }
                return all.sorted()
            }
            #expect(outcomes == ["done", "done"] || outcomes == ["done", "slip-taken"])
            #expect(try await village.number("SELECT count(*) FROM batch") == 200)
        }
    }
}
