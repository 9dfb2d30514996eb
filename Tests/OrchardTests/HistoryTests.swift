import Batches
import Database
import Kernel
import Orchard
import Postgres
import Registers
import TestSupport
import Testing

/// Households and plots as they were, from which day on they are what they are, and who may say so.
@Suite struct HistoryTests {
    private static let households = "户号,户主,网格,帮扶类别,合作社,人口,联系电话"
    private static let plots = "地块号,名称,合作社,户号,作物,面积亩,经度,纬度"

    private func households(
        _ village: TestVillage, _ rows: String..., asOf day: String? = nil, as scope: Scope? = nil
    ) async throws -> ImportReport {
        let recorder = village.householdRegister(asOf: try day.map { try CivilDay($0) })
        return try await village.load(lines: [Self.households] + rows, recorder, as: scope)
    }

    private func plots(
        _ village: TestVillage, _ rows: String..., asOf day: String? = nil, as scope: Scope? = nil
    ) async throws -> ImportReport {
        let recorder = village.plotRegister(asOf: try day.map { try CivilDay($0) })
        return try await village.load(lines: [Self.plots] + rows, recorder, as: scope)
    }

    private func told(_ report: ImportReport) -> [String] {
        report.changes.map {
            "\($0.row) \($0.change.what) \($0.change.field) \($0.change.from ?? "-") > \($0.change.to) \($0.change.since)"
        }
    }

    /// A column of the periods of a household or plot, in their order: `day value`.
    private func periods(_ village: TestVillage, _ table: String, _ number: String, _ column: String) async throws
        -> [String]
    {
        try await village.owner.query(
            """
            SELECT from_day::text || ' ' || \(identifier: column) FROM \(identifier: table)
            WHERE number = \(number) ORDER BY id
            """
        ).map { try $0.decode(0) }
    }

    @Test func `an import says what it changed, from what, to what and from when`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            try await village.addHousehold("H2", of: try await village.addCooperative("南社"))
            let moved = try await households(village, "H2,李四,二网格,困难户,东社,3,13800000000")
            #expect(
                told(moved) == [
                    "2 H2 户主 张三 > 李四 2026-01-15", "2 H2 网格 一网格 > 二网格 2026-01-15",
                    "2 H2 帮扶类别 一般户 > 困难户 2026-01-15", "2 H2 合作社 南社 > 东社 2026-01-15",
                ])
            #expect([moved.updated, moved.changeCount] == [1, 4])
            let given = try await plots(village, "E1,E1,东社,H2,红薯,9.5,,", asOf: "2026-01-15")
            #expect(
                told(given) == [
                    "2 E1 户号 HE > H2 2026-01-15", "2 E1 作物 蟠桃 > 红薯 2026-01-15", "2 E1 面积亩 10.00 > 9.50 2026-01-15",
                ])
            let again = try await plots(village, "E1,E1,东社,H2,红薯,9.5,,")
            #expect(again.already == 1 && again.changes.isEmpty)
            let event = try await village.owner.query(
                "SELECT day::text, figures::text FROM event WHERE kind = 'plot.change'")
            #expect(try event.first?.decode("day") == "2026-01-15")
            let figures: String = try #require(event.first).decode("figures")
            #expect(figures.contains("\"household\": \"H2\"") && figures.contains("\"household_before\": \"HE\""))
        }
    }

    @Test func `what a row leaves as it was, and a telephone, are no change from a day on`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let report = try await households(village, "HE,张三,一网格,一般户,东社,3,13900000000")
            #expect(report.updated == 1 && report.changes.isEmpty)
            #expect(try await periods(village, "household_period", "HE", "head") == ["1900-01-01 张三"])
            let named = try await plots(village, "E1,东园,东社,HE,蟠桃,10,117.5,")
            #expect(named.updated == 1 && named.changes.isEmpty)
            #expect(try await village.number("SELECT count(*) FROM plot_period") == 4)
        }
    }

    @Test func `plots stay as they are when their household changes its cooperative`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await households(village, "HE,张三,一网格,一般户,西社,3,", asOf: "2026-01-10")
            let again = try await plots(village, "E1,E1,东社,HE,蟠桃,10,,")
            #expect(again.already == 1, "\(again.refused)")
            let other = try await plots(village, "P9,东园,东社,HE,蟠桃,10,,")
            #expect(other.refused.map(\.field) == ["户号"])
            let moved = try await plots(village, "E1,E1,西社,HE,蟠桃,10,,")
            #expect(told(moved) == ["2 E1 合作社 东社 > 西社 2026-01-15"])
        }
    }

    @Test func `a register may hold from a past day, and what was said of later days stays`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await households(village, "HE,李四,一网格,一般户,东社,3,1")
            let earlier = try await households(village, "HE,王五,一网格,一般户,东社,4,2", asOf: "2025-03-01")
            #expect(told(earlier) == ["2 HE 户主 张三 > 王五 2025-03-01", "2 HE 人口 3 > 4 2025-03-01"])
            let replaced = try await households(village, "HE,赵六,一网格,一般户,东社,4,2", asOf: "2025-03-01")
            #expect(told(replaced) == ["2 HE 户主 王五 > 赵六 2025-03-01"])
            #expect(
                try await periods(village, "household_period", "HE", "head")
                    == ["1900-01-01 张三", "2026-01-15 李四", "2025-03-01 王五", "2025-03-01 赵六"])
            let present = try #require(try await OrchardStore(village.database).households(village.committee).first)
            #expect(present.head == "李四" && present.people == 3 && present.phone == "1")
            let spans = try await village.owner.query(
                """
                SELECT from_day::text || ' ' || until_day || ' ' || head FROM household_span
                WHERE number = 'HE' AND from_day < until_day ORDER BY from_day
                """
            ).map { try $0.decode(0, as: String.self) }
            #expect(
                spans == [
                    "1900-01-01 2025-03-01 张三", "2025-03-01 2026-01-15 赵六", "2026-01-15 infinity 李四",
                ])
        }
    }

    @Test func `what is new is there from the beginning, unless it is said from when`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            _ = try await households(village, "H8,张三,一网格,一般户,东社,3,")
            _ = try await households(village, "H9,张三,一网格,一般户,东社,3,", asOf: "2025-06-01")
            #expect(try await periods(village, "household_period", "H8", "head") == ["1900-01-01 张三"])
            #expect(try await periods(village, "household_period", "H9", "head") == ["2025-06-01 张三"])
            // A plot is in the books no earlier than its household.
            _ = try await plots(village, "P9,东园,东社,H9,蟠桃,5,,")
            #expect(try await periods(village, "plot_period", "P9", "area_centimu") == ["2025-06-01 500"])
            let early = try await plots(village, "P8,东园,东社,H9,蟠桃,5,,", asOf: "2025-05-31")
            #expect(early.refused.map(\.field) == ["户号"])
            let harvest = village.harvest(plot: "P9", day: try CivilDay("2025-05-31"))
            let refused = try await refusal { try await village.register(harvest) }
            #expect(refused?.code == "plot-not-yet" && refused?.message.en.contains("2025-06-01") == true)
            // What was before may be added.
            _ = try await households(village, "H9,张三,一网格,一般户,东社,3,", asOf: "2025-01-01")
            let added = try await plots(village, "P9,东园,东社,H9,蟠桃,4,,", asOf: "2025-05-01")
            #expect(told(added).first == "2 P9 户号 - > H9 2025-05-01")
            try await village.register(harvest)
        }
    }

    @Test func `a register holds from no day to come and from none in a closed period`() async throws {
        try await withVillage { village in
            _ = try await village.plant()
            let future = try await refusal {
                try await households(village, "HE,李四,一网格,一般户,东社,3,", asOf: "2026-01-16")
            }
            #expect(future?.code == "as-of-in-future" && future?.field == "asOf")
            let end = try CivilDay("2025-12-31")
            try await village.change(ClosedBooks.close(through: end, today: village.today))
            for day in ["2025-12-31", "2024-01-01"] {
                let closed = try await refusal { try await plots(village, "E1,东园,东社,HE,蟠桃,4,,", asOf: day) }
                #expect(closed?.code == "books-closed" && closed?.field == "asOf")
            }
            _ = try await households(village, "H9,张三,一网格,一般户,东社,3,")
            _ = try await plots(village, "P9,东园,东社,H9,蟠桃,5,,")
            #expect(try await periods(village, "household_period", "H9", "head") == ["2026-01-01 张三"])
            #expect(try await periods(village, "plot_period", "P9", "area_centimu") == ["2026-01-01 500"])
            let direct = try await postgresError {
                try await village.database.transaction(village.committee) {
                    try await $0.query(
                        """
                        INSERT INTO plot_period (village_id, plot_id, from_day, cooperative_id, household_id, product_id,
                            number, area_centimu, actor)
                        SELECT village_id, plot_id, \(end), cooperative_id, household_id, product_id, number,
                            area_centimu, 'x'
                        FROM plot_period WHERE number = 'E1'
                        """)
                }
            }
            #expect(direct?.constraint == ClosedBooks.constraint)
        }
    }

    @Test func `the committee moves a household and its plot, and batches stay where they were harvested`() async throws
    {
        try await withVillage { village in
            let orchard = try await village.plant()
            let (east, west) = (village.clerk(of: orchard.east), village.clerk(of: orchard.west))
            let before = try await village.register(village.harvest(day: try CivilDay("2025-08-01"), grams: 1000))
            let moved = try await households(village, "HE,张三,一网格,一般户,西社,3,13800000000", asOf: "2026-01-01")
            #expect(told(moved) == ["2 HE 合作社 东社 > 西社 2026-01-01"])
            let unmoved = try await plots(village, "E1,E1,东社,HE,蟠桃,10,,")
            #expect(unmoved.already == 1, "until somebody says so, the plot does not follow")
            let given = try await plots(village, "E1,E1,西社,HE,蟠桃,10,,", asOf: "2026-01-01")
            #expect(told(given) == ["2 E1 合作社 东社 > 西社 2026-01-01"])

            // A harvest of before is the old cooperative's, one of today the new one's, in one season's count.
            let late = try await village.register(village.harvest(day: try CivilDay("2025-12-31"), grams: 1000))
            let own = try await village.register(village.harvest(grams: 1000), as: west)
            let store = BatchStore(village.database)
            #expect(try await store.list(east).map(\.number.value) == [late.batch, before.batch])
            #expect(try await store.list(east).map(\.plot) == ["E1", "E1"])
            #expect(try await store.list(west).map(\.number.value) == [own.batch])
            let refused = try await refusal { try await village.register(village.harvest(grams: 1000), as: east) }
            #expect(refused?.code == "unknown-plot")
            let early = village.harvest(day: try CivilDay("2025-12-31"), grams: 1000)
            #expect(try await refusal { try await village.register(early, as: west) }?.code == "plot-not-yet")
            // The old cooperative's clerk sees how it was until then and nothing since, nor can say anything of it.
            for (scope, owner) in [(east, orchard.east), (west, orchard.west)] {
                for table in ["household_period", "plot_period"] {
                    let seen = try await village.database.transaction(scope) {
                        try await $0.query("SELECT DISTINCT cooperative_id FROM \(identifier: table)")
                    }
                    #expect(try seen.map { try $0.decode(0, as: Int.self) } == [owner])
                }
            }
            let taking = try await refusal {
                try await households(village, "HE,李四,一网格,一般户,东社,3,", as: east)
            }
            #expect(taking?.code == "household-taken")
            let back = try await households(village, "HE,李四,一网格,一般户,西社,3,", asOf: "2025-06-01", as: west)
            #expect(back.refused.map(\.field) == ["户号"], "of the time before only the committee speaks")
        }
    }

    @Test func `a plot that moves in mid-season is counted once`() async throws {
        try await withVillage { village in
            let orchard = try await village.plant()
            try await village.register(village.harvest(day: try CivilDay("2026-01-02"), grams: 1000))
            _ = try await plots(village, "E1,E1,西社,HW,蟠桃,10,,", asOf: "2026-01-10")
            let much = village.harvest(grams: TestOrchard.peachCeiling.grams - 999)
            let west = village.clerk(of: orchard.west)
            #expect(try await refusal { try await village.register(much, as: west) }?.code == "over-ceiling")
            try await village.register(village.harvest(grams: TestOrchard.peachCeiling.grams - 1000), as: west)
            #expect(try await village.number("SELECT count(*) FROM plot_season") == 1)
        }
    }

    @Test func `changes beyond those that are listed are counted`() async throws {
        try await withVillage { village in
            let lines = (1...600).map { "H\($0),张三,一网格,一般户,东社,3," }
            _ = try await village.load(lines: [Self.households] + lines, village.householdRegister())
            let changed = (1...600).map { "H\($0),李四,二网格,一般户,东社,3," }
            let report = try await village.load(lines: [Self.households] + changed, village.householdRegister())
            #expect([report.updated, report.changeCount, report.changes.count] == [600, 1200, 1000])
        }
    }
}
