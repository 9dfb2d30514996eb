import Database
import Kernel
import Orchard
import Registers
import TestSupport
import Testing

@Suite struct HouseholdRegisterTests {
    private static let header = "户号,户主,网格,帮扶类别,合作社,人口,联系电话"

    private func load(
        _ village: TestVillage, _ rows: String..., as scope: Scope? = nil, partial: Bool = false
    ) async throws -> ImportReport {
        try await village.load(lines: [Self.header] + rows, village.householdRegister(), as: scope, partial: partial)
    }

    @Test func `the sample is recorded once, with the cooperatives that it names`() async throws {
        try await withVillage { village in
            let first = try await village.load(Samples.path("households.csv"), village.householdRegister())
            #expect([first.read, first.recorded, first.already, first.refusedCount] == [36, 36, 0, 0])
            #expect(
                Set(first.created.map(\.zh)) == ["合作社“宝哥红薯种植合作社”", "合作社“益韩农产品合作社”", "合作社“韩村蟠桃专业合作社”"])
            let again = try await village.load(Samples.path("households.csv"), village.householdRegister())
            #expect([again.read, again.recorded, again.already, again.refusedCount] == [36, 0, 36, 0])
            #expect(again.created.isEmpty)
            let households = try await OrchardStore(village.database).households(village.committee)
            #expect(households.count == 36)
            let third = try #require(households.first { $0.number == "H003" })
            #expect(third.head == "王庆祥")
            #expect(third.gridCell == "三网格")
            #expect(third.supportClass == "困难户")
            #expect(third.cooperative == "韩村蟠桃专业合作社")
            #expect(third.people == 2)
            #expect(third.phone == "138****1874")
        }
    }

    @Test func `a changed row brings the household up to date`() async throws {
        try await withVillage { village in
            _ = try await load(village, "H1,张三,一网格,一般户,东社,3,", "H2,李四,一网格,一般户,东社,2,")
            let report = try await load(village, "Ｈ１,张三,二网格,困难户,东社,4,13800000000", "H2,李四,一网格,一般户,东社,2,")
            #expect([report.recorded, report.updated, report.already] == [0, 1, 1])
            let household = try #require(try await OrchardStore(village.database).households(village.committee).first)
            #expect(household.gridCell == "二网格")
            #expect(household.supportClass == "困难户")
            #expect(household.people == 4)
            #expect(household.phone == "13800000000")
        }
    }

    @Test func `a clerk moves no household to another cooperative`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let report = try await load(village, "HE,张三,一网格,一般户,西社,3,", as: village.clerk(of: orchard.east))
            #expect(report.refused.map(\.field) == ["合作社"])
            #expect(report.updated == 0)
            #expect(try await village.number("SELECT count(*) FROM household_period") == 2, "nothing of it is left")
        }
    }

    @Test func `refused rows are named, and nothing is recorded`() async throws {
        try await withVillage { village in
            let report = try await load(
                village, "H1,张三,一网格,一般户,东社,3,", "H2,李四,一网格,一般户,东社,0,", "H3,王五,一网格,一般户,东社,x,",
                ",赵六,一网格,一般户,东社,3,", "H5,钱七,一网格,一般户,,3,")
            #expect(report.refused.map(\.row) == [3, 4, 5, 6])
            #expect(report.refused.map(\.field) == ["人口", "人口", "户号", "合作社"])
            #expect([report.read, report.recorded, report.refusedCount] == [5, 0, 4])
            #expect(report.created.isEmpty)
            #expect(try await village.number("SELECT count(*) FROM household") == 0)
            #expect(try await village.number("SELECT count(*) FROM cooperative") == 0)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind LIKE 'import.%'") == 0)
        }
    }

    @Test func `in part, the good rows stay and refused ones leave nothing`() async throws {
        try await withVillage { village in
            let report = try await load(
                village, "H1,张三,一网格,一般户,东社,3,", "H2,李四,一网格,一般户,西社,0,", partial: true)
            #expect([report.recorded, report.refusedCount] == [1, 1])
            #expect(report.created.map(\.en) == ["cooperative “东社”"], "the refused row's cooperative is not made")
            #expect(try await village.number("SELECT count(*) FROM cooperative") == 1)
            #expect(try await village.number("SELECT count(*) FROM event WHERE kind LIKE 'import.%'") == 1)
        }
    }

    @Test func `a clerk records the own cooperative's and no others`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let report = try await load(village, "H9,张三,一网格,一般户,东社,3,", as: clerk)
            #expect(report.recorded == 1)
            let unknown = try await load(village, "H8,张三,一网格,一般户,北社,3,", as: clerk)
            #expect(unknown.refused.map(\.field) == ["合作社"])
            #expect(unknown.refused.map(\.reason.zh) == ["没有合作社“北社”；已有：东社"], "others are not the clerk's to know")
            // West is there, but not the clerk's to write.
            let foreign = try await load(village, "H8,张三,一网格,一般户,西社,3,", as: clerk)
            #expect(foreign.refused.map(\.field) == ["合作社"])
            #expect(try await village.number("SELECT count(*) FROM household") == 3)
        }
    }

    @Test func `a number that another cooperative has taken is refused to a clerk`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            let clerk = village.clerk(of: orchard.east)
            let refused = try await refusal { try await load(village, "HW,张三,一网格,一般户,东社,3,", as: clerk) }
            #expect(refused?.code == "household-taken")
        }
    }

    @Test func `a number that stands twice with other content is refused, naming both rows`() async throws {
        try await withVillage { village in
            let report = try await load(
                village, "H920,李四,一网格,一般户,东社,3,", "H1,张三,一网格,一般户,东社,3,", "H920,周五,一网格,一般户,东社,3,",
                partial: true)
            #expect(report.refused.map(\.row) == [2, 4])
            #expect(report.refused.allSatisfy { $0.reason.zh.contains("第 2、4 行") && $0.reason.zh.contains("户主") })
            #expect(try await village.number("SELECT count(*) FROM household WHERE number = 'H920'") == 0)
            #expect(report.recorded == 1)
        }
    }

    @Test func `a plot's number that stands twice with other content is refused, naming both rows`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let lines = [
                "地块号,名称,合作社,户号,作物,面积亩", "N1,东园,东社,HE,蟠桃,5", "N2,西园,东社,HE,蟠桃,5", "Ｎ１,东园,东社,HE,蟠桃,5.5",
                "N2,西园,东社,HE,蟠桃,5.0",
            ]
            let report = try await village.load(lines: lines, village.plotRegister(), partial: true)
            #expect(report.refused.map(\.row) == [2, 4])
            #expect(report.refused.allSatisfy { $0.reason.zh.contains("第 2、4 行") && $0.reason.zh.contains("面积亩") })
            #expect(try await village.number("SELECT count(*) FROM plot WHERE number = 'N1'") == 0)
            #expect(try await village.number("SELECT count(*) FROM plot WHERE number = 'N2'") == 1)
        }
    }

    @Test func `what a spreadsheet could not work out creates nothing, and all of it is told`() async throws {
        try await withVillage { village in
            let report = try await load(village, "H911,#N/A,一网格,#VALUE!,#REF!,3,1.38123E+10", partial: true)
            #expect(report.refusedCount == 1)
            #expect(report.refused.map(\.field) == ["户主", "帮扶类别", "合作社", "联系电话"])
            #expect(report.refused.first?.reason.zh.contains("#N/A") == true)
            #expect(try await village.number("SELECT count(*) FROM cooperative") == 0)
            let good = try await load(village, "12.0,张三,一网格,一般户,东社,3,13812345678.0")
            #expect(good.recorded == 1)
            let household = try #require(try await OrchardStore(village.database).households(village.committee).first)
            #expect(household.number == "12" && household.phone == "13812345678")
        }
    }

    @Test func `spellings that differ in nothing that counts are one cooperative`() async throws {
        try await withVillage { village in
            let names = ["果品(天津)社", "果品（天津）社", "果\u{200B}品(天津)社", "果品 (天津) 社"]
            for (number, name) in names.enumerated() {
                let report = try await load(village, "H\(number),张三,一网格,一般户,\(name),3,")
                #expect(report.recorded == 1)
            }
            #expect(try await village.number("SELECT count(*) FROM cooperative") == 1)
        }
    }

    @Test func `a new cooperative that is close to a known one is asked about`() async throws {
        try await withVillage { village in
            _ = try await load(village, "H1,张三,一网格,一般户,老龙湾蟠桃合作社,3,")
            let typed = "H2,李四,一网格,一般户,老龙弯蟠桃合作社,3,"
            let asked = try await load(village, typed)
            #expect(asked.refused.map(\.field) == ["合作社"])
            #expect(asked.refused.first?.reason.zh.contains("老龙湾蟠桃合作社") == true)
            #expect(try await village.number("SELECT count(*) FROM cooperative") == 1)
            let said = try await village.load(
                lines: [Self.header, typed], village.householdRegister(), creates: true)
            #expect(said.created.map(\.zh) == ["合作社“老龙弯蟠桃合作社”"])
        }
    }

    @Test func `of two new names the one that fewer rows have is asked about, wherever it stands`() async throws {
        try await withVillage { village in
            let rows = (1...3).map { "H\($0),张三,一网格,一般户,老龙湾蟠桃合作社,3," } + ["H4,李四,一网格,一般户,老龙弯蟠桃合作社,3,"]
            for order in [rows, rows.reversed()] {
                let report = try await village.load(lines: [Self.header] + order, village.householdRegister())
                #expect(report.refused.map(\.row) == [(order.firstIndex(of: rows[3]) ?? 0) + 2])
            }
        }
    }

    @Test func `a number that stands twice in a file is one household`() async throws {
        try await withVillage { village in
            let report = try await load(village, "H1,张三,一网格,一般户,东社,3,", "H1,张三,一网格,一般户,东社,3,")
            #expect([report.recorded, report.already] == [1, 1])
        }
    }
}

@Suite struct PlotRegisterTests {
    private static let header = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"

    private func load(
        _ village: TestVillage, _ rows: String..., as scope: Scope? = nil, partial: Bool = false
    ) async throws -> ImportReport {
        try await village.load(lines: [Self.header] + rows, village.plotRegister(), as: scope, partial: partial)
    }

    @Test func `the sample is recorded once`() async throws {
        try await withVillage { village in
            _ = try await village.load(Samples.path("households.csv"), village.householdRegister())
            let first = try await village.load(Samples.path("plots.csv"), village.plotRegister())
            #expect([first.read, first.recorded, first.already, first.refusedCount] == [48, 48, 0, 0])
            let again = try await village.load(Samples.path("plots.csv"), village.plotRegister())
            #expect([again.recorded, again.already] == [0, 48])
            let plot = try #require(try await OrchardStore(village.database).plots(village.committee).first)
            #expect(plot.number == "D01")
            #expect(plot.areaCentimu == 590)
            #expect(plot.household == "H033")
            #expect(plot.longitude == "117.204580")
            #expect(plot.latitude == "38.904530")
        }
    }

    @Test func `without their households all plots are refused`() async throws {
        try await withVillage { village in
            let report = try await village.load(Samples.path("plots.csv"), village.plotRegister())
            #expect([report.recorded, report.refusedCount] == [0, 48])
            #expect(Set(report.refused.map(\.field)) == ["户号"])
        }
    }

    @Test(arguments: [
        ("P1,园,北社,HE,蟠桃,5.9,,", "户号"), ("P1,园,西社,HE,蟠桃,5.9,,", "户号"), ("P1,园,东社,H404,蟠桃,5.9,,", "户号"),
        ("P1,园,东社,HE,苹果,5.9,,", "作物"), ("P1,园,东社,HE,蟠桃,0,,", "面积亩"), ("P1,园,东社,HE,蟠桃,-1,,", "面积亩"),
        ("P1,园,东社,HE,蟠桃,5.901,,", "面积亩"), ("P1,园,东社,HE,蟠桃,大,,", "面积亩"), ("P1,园,东社,HE,蟠桃,100001,,", "面积亩"),
        ("P1,园,东社,HE,蟠桃,5.9,181,", "经度"), ("P1,园,东社,HE,蟠桃,5.9,,-90.1", "纬度"), (",园,东社,HE,蟠桃,5.9,,", "地块号"),
        ("W1,园,东社,HW,蟠桃,5.9,,", "户号"),
    ])
    func `what is wrong is named`(row: String, field: String) async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let report = try await load(village, "P0,园,东社,HE,蟠桃,5.9,,", row)
            #expect(report.refused.map(\.field) == [field])
            #expect(report.refused.map(\.row) == [3])
            #expect(try await village.number("SELECT count(*) FROM plot") == 4)
            #expect(try await village.number("SELECT count(*) FROM cooperative") == 2)
        }
    }

    @Test func `in part, a refused plot leaves no cooperative behind`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let report = try await load(
                village, "P0,园,东社,HE,蟠桃,5.9,,", "P1,园,北社,HE,蟠桃,5.9,,", partial: true)
            #expect([report.recorded, report.refusedCount] == [1, 1])
            #expect(report.created.isEmpty)
            #expect(try await village.number("SELECT count(*) FROM cooperative") == 2)
        }
    }

    @Test func `a changed row brings the plot up to date`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let report = try await load(village, "E1,东园,东社,HE,蟠桃,12.5,117.5,38.5")
            #expect([report.recorded, report.updated] == [0, 1])
            let plot = try #require(try await OrchardStore(village.database).plots(village.committee).first)
            #expect(plot.name == "东园")
            #expect(plot.areaCentimu == 1250)
            #expect(plot.longitude == "117.500000")
        }
    }
}
