import Batches
import Codes
import Database
import Kernel
import Orchard
import Postgres
import Registers
import Sales
import TestSupport
import Testing

@Suite struct SaleRegisterTests {
    private static let header = "日期,单号,合作社,采收单号,产品,数量斤,单价元每斤,金额元,渠道,买方,付款方式"

    private func load(
        _ village: TestVillage, _ rows: String..., as scope: Scope? = nil, partial: Bool = false,
        changed: ChangedRows? = nil
    ) async throws -> ImportReport {
        try await village.load(
            lines: [Self.header] + rows, SaleRegister(today: village.today), as: scope, partial: partial,
            changed: changed)
    }

    /// Slip `C1` of east with 100 斤, harvested on 2025-08-03.
    private func harvest(_ village: TestVillage) async throws {
        _ = try await village.plant()
        _ = try await village.load(
            lines: ["采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤", "C1,2025-08-03,东社,E1,蟠桃,124蟠桃,二级,100"],
            village.harvestRegister())
    }

    @Test func `the sample is recorded once`() async throws {
        try await withVillage { village in
            try await village.loadHarvests()
            let first = try await village.load(Samples.path("sales.csv"), SaleRegister(today: village.today))
            #expect([first.read, first.recorded, first.already, first.refusedCount] == [2034, 2034, 0, 0])
            let again = try await village.load(Samples.path("sales.csv"), SaleRegister(today: village.today))
            #expect([again.read, again.recorded, again.already, again.refusedCount] == [2034, 0, 2034, 0])
            let fen = try Samples.cells("sales.csv").reduce(0) { sum, cells in
                sum + (try Money(yuan: cells[7]).fen)
            }
            #expect(try await village.number("SELECT sum(amount_fen)::bigint FROM sale_line") == fen)
            let newest = try #require(try await SaleStore(village.database).list(village.committee, limit: 1).first)
            #expect(newest.lines.count == 1)
            #expect(newest.number?.hasPrefix("S") == true)
        }
    }

    @Test func `sales before their harvests are refused with their rows`() async throws {
        try await withVillage { village in
            let report = try await village.load(Samples.path("sales.csv"), SaleRegister(today: village.today))
            #expect([report.recorded, report.refusedCount] == [0, 2034])
            #expect(report.refused.count == ImportReport.maximumListed)
            #expect(Set(report.refused.map(\.field)) == ["采收单号"])
            #expect(report.refused.first?.row == 2)
        }
    }

    @Test(arguments: [
        ("2025-08-04,S2,东社,C1,蟠桃,10,8.5,85.01,批发,王老板,现金", "金额元"),
        ("2025-08-04,S2,东社,C1,蟠桃,91,8.5,773.5,批发,王老板,现金", "数量斤"),
        ("2025-08-02,S2,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金", "日期"),
        ("2099-08-02,S2,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金", "日期"),
        ("2025-08-04,S2,东社,C9,蟠桃,10,8.5,85,批发,王老板,现金", "采收单号"),
        ("2025-08-04,S2,西社,C1,蟠桃,10,8.5,85,批发,王老板,现金", "采收单号"),
        ("2025-08-04,S2,东社,C1,红薯,10,8.5,85,批发,王老板,现金", "产品"),
        ("2025-08-04,S2,东社,C1,蟠桃,0,8.5,85,批发,王老板,现金", "数量斤"),
        ("2025-08-04,S2,东社,C1,蟠桃,10,-8.5,-85,批发,王老板,现金", "单价元每斤"),
        ("2025-08-04,S2,东社,C1,蟠桃,10,8.555,85.55,批发,王老板,现金", "单价元每斤"),
        ("2025-08-04,S2,东社,C1,蟠桃,10,8.5,85,,王老板,现金", "渠道"), ("2025-08-04,S2,东社,C1,蟠桃,10,8.5,85,批发,,现金", "买方"),
        ("2025-08-04,,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金", "单号"),
    ])
    func `what is wrong is named and leaves nothing`(row: String, field: String) async throws {
        try await withVillage { village in
            try await harvest(village)
            let good = "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
            let report = try await load(village, good, row)
            #expect(report.refused.map(\.field) == [field])
            #expect(report.refused.map(\.row) == [3])
            #expect(try await village.number("SELECT count(*) FROM sale") == 0)
            #expect(try await village.number("SELECT out_g FROM batch") == 0)
            let partial = try await load(village, good, row, partial: true)
            #expect([partial.recorded, partial.refusedCount] == [1, 1])
            #expect(try await village.number("SELECT out_g FROM batch") == 5000)
        }
    }

    @Test(arguments: [
        ("2025-08-04,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金", "日期"),
        ("2025-08-03,S1,东社,C1,蟠桃,20,8.5,170,批发,王老板,现金", "数量斤"),
        ("2025-08-03,S1,东社,C1,蟠桃,10,9,90,批发,王老板,现金", "单价元每斤"),
        ("2025-08-03,Ｓ１,东社,C1,蟠桃,10,8.5,85,批发,李老板,现金", "买方"),
    ])
    func `a number that stands twice with other content is refused in both rows`(row: String, column: String)
        async throws
    {
        try await withVillage { village in
            try await harvest(village)
            let good = "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
            let another = "2025-08-03,S9,东社,C1,蟠桃,1,8.5,8.5,批发,王老板,现金"
            for rows in [[good, row, another], [row, another, good]] {
                let report = try await load(village, rows[0], rows[1], rows[2])
                let two = rows.indices.filter { rows[$0] != another }.map { $0 + 2 }
                #expect(report.refused.map(\.row) == two)
                #expect(report.refused.allSatisfy { $0.field == "单号" && $0.reason.zh.contains("“\(column)”不同") })
                #expect(try await village.number("SELECT count(*) FROM sale") == 0)
            }
            #expect(try await load(village, good, row, another, partial: true).recorded == 1)
        }
    }

    @Test func `all that is wrong with a row is told at once`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let report = try await load(village, "2025-02-30,,东社,C9,蟠桃,多,8.555,85,,#N/A,现金")
            #expect(report.refusedCount == 1)
            #expect(Set(report.refused.map(\.field)) == ["日期", "单号", "采收单号", "数量斤", "单价元每斤", "渠道", "买方"])
            #expect(report.refused.allSatisfy { $0.row == 2 })
        }
    }

    @Test func `a number is the one that is known however it is typed`() async throws {
        try await withVillage { village in
            try await harvest(village)
            _ = try await load(village, "2025-08-03,S00432,东社,C1,蟠桃,10,8.5,85,零售,王老板,现金")
            let batch = try await village.number("SELECT number FROM batch")
            let line = NewSale.Line(batch: batch, weight: Weight(grams: 500), price: try Price("8.50/斤"))
            for number in ["S00432 ", "Ｓ００４３２", "\u{200B}S00432"] {
                let taken = try await refusal {
                    try await village.change(
                        SaleStore.record(
                            NewSale(
                                number: number, day: CivilDay("2025-08-04"), channel: "零售 ", buyer: "\u{3000}王老板",
                                paidHow: nil, lines: [line]), today: village.today))
                }
                #expect(taken?.code == "sale-number-taken")
            }
            try await village.change(
                SaleStore.record(
                    NewSale(
                        number: "S433", day: CivilDay("2025-08-04"), channel: "零售 ", buyer: "\u{3000}王老板", paidHow: nil,
                        lines: [line]), today: village.today))
            #expect(try await village.number("SELECT count(DISTINCT channel) FROM sale") == 1)
            #expect(try await village.number("SELECT count(DISTINCT buyer) FROM sale") == 1)
            #expect(try await load(village, "2025-08-03,Ｓ００４３２,东社,Ｃ１,蟠桃,10,8.5,85,零售,王老板,现金").already == 1)
        }
    }

    @Test(arguments: [
        ("2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,电商,王老板,现金", "渠道"), ("2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,李老板,现金", "买方"),
        ("2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,微信", "付款方式"), ("2025-08-03,S1,东社,C1,蟠桃,20,8.5,170,批发,王老板,现金", "数量斤"),
    ])
    func `a sale that was changed after it was recorded is refused`(row: String, field: String) async throws {
        try await withVillage { village in
            try await harvest(village)
            _ = try await load(village, "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金")
            let report = try await load(village, row)
            #expect(report.refused.map(\.field) == [field])
            let sale = try await village.number("SELECT id FROM sale")
            #expect(report.changed.map(\.field) == [field] && report.changed.map(\.entry) == [sale])
            #expect(try await load(village, row, changed: .new).refusedCount == 1)
            #expect(try await load(village, "2025-08-03,S1,东社,C1,,10,8.5,,批发,王老板,").already == 1)
            #expect(try await village.number("SELECT out_g FROM batch") == 5000)
        }
    }

    @Test func `a corrected register corrects its sales`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let (first, second) = (
                "2025-08-03,S1,东社,C1,蟠桃,90,8.5,765,批发,王老板,现金", "2025-08-04,S2,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
            )
            #expect(try await load(village, first, second).recorded == 2)
            // 90 斤 were 9: there is room for the third, and for more of the second.
            let (right, more, third) = (
                "2025-08-03,S1,东社,C1,蟠桃,9,8.5,76.5,批发,王老板,现金", "2025-08-04,S2,东社,C1,蟠桃,60,8,480,零售,李老板,微信",
                "2025-08-05,S3,东社,C1,蟠桃,31,8,248,零售,李老板,微信"
            )
            let report = try await load(village, right, more, third, changed: .correct)
            #expect([report.updated, report.recorded, report.refusedCount] == [2, 1, 0], "\(report.refused)")
            #expect(report.changed.map(\.field) == ["数量斤", "数量斤"])
            #expect(report.changed.map(\.recorded) == ["45 kg (90 斤)", "5 kg (10 斤)"])
            #expect(try await village.number("SELECT out_g FROM batch") == 50_000)
            let fen: SQL = "SELECT sum(amount_fen - refunded_fen)::bigint FROM sale_line"
            #expect(try await village.number(fen) == 7650 + 48_000 + 24_800)
            let dated: SQL = """
                SELECT count(*) FROM sale_correction k JOIN sale s ON s.id = k.sale_id WHERE k.day = s.sold_on
                """
            #expect(try await village.number(dated) == 2, "as the register has it, the wrong sales never were")
            // As it was before and as it is now, the register is known.
            #expect(try await load(village, first, second).already == 2)
            #expect(try await load(village, right, more, third, changed: .correct).already == 3)
            let tooMuch = "2025-08-05,S3,东社,C1,蟠桃,32,8,256,零售,李老板,微信"
            let refused = try await load(village, tooMuch, right, partial: true, changed: .correct)
            #expect(refused.refused.map(\.field) == ["数量斤"] && refused.already == 1)
            #expect(try await village.number(fen) == 7650 + 48_000 + 24_800, "of what is refused nothing stays")
        }
    }

    @Test func `a price far from the usual one is asked about`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let rows = (1...5).map { "2025-08-03,S\($0),东社,C1,蟠桃,10,8.5,85,批发,王老板,现金" }
            let file = [Self.header] + rows
            #expect(try await village.load(lines: file, SaleRegister(today: village.today)).recorded == 5)
            let (slip, fair) = (
                "2025-08-04,S6,东社,C1,蟠桃,10,850,8500,批发,王老板,现金", "2025-08-04,S7,东社,C1,蟠桃,10,6,60,批发,王老板,现金"
            )
            let asked = try await load(village, slip, fair, partial: true)
            #expect(asked.recorded == 1 && asked.refused.map(\.field) == ["单价元每斤"], "\(asked.refused)")
            let meant = try await village.load(
                lines: [Self.header, slip], SaleRegister(today: village.today), unusualPrices: true)
            #expect(meant.recorded == 1)
            #expect(try await load(village, slip, fair).already == 2, "what is recorded is not asked about again")
        }
    }

    @Test func `a sale of a closed year that is recorded anew keeps its number in that year`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let old = "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
            #expect(try await load(village, old).recorded == 1)
            try await village.change(ClosedBooks.close(through: CivilDay("2025-12-31"), today: village.today))
            let sale = try await village.number("SELECT id FROM sale")
            try await village.change(SaleStore.reverse(sale, reason: "量错了", today: village.today))
            let batch = try await village.number("SELECT number FROM batch")
            let line = NewSale.Line(
                batch: batch, weight: Weight(grams: 4000), price: try Price(fen: 850, basis: .jin))
            try await village.sell(village.sale([line], replaces: sale, confirmed: [.pastBestBefore]))
            // The register of the new year begins again at 1.
            let new = "2026-01-15,S1,东社,C1,蟠桃,20,8.5,170,批发,李老板,现金"
            #expect(try await load(village, new).recorded == 1)
            #expect(try await load(village, new).already == 1)
            #expect(try await load(village, old).already == 1)
            // As the register was corrected, and the books by hand after the closing.
            let corrected = "2025-08-03,S1,东社,C1,蟠桃,8,8.5,68,批发,红旗批发,现金"
            #expect(try await load(village, corrected).already == 1)
            let other = try await load(
                village, corrected.replacing(",8,8.5,68", with: ",7,8.5,59.5"), changed: .correct)
            #expect(other.refused.first?.reason.zh.contains("--replaces") == true, "\(other.refused)")
            #expect(try await village.number("SELECT count(*) FROM sale") == 3)
        }
    }

    @Test func `what came back, and a closed period, are not corrected by a register`() async throws {
        try await withVillage { village in
            try await harvest(village)
            _ = try await load(village, "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金")
            let changed = "2025-08-03,S1,东社,C1,蟠桃,9,8.5,76.5,批发,王老板,现金"
            try await village.change(ClosedBooks.close(through: CivilDay("2025-08-03"), today: village.today))
            let closed = try await load(village, changed, changed: .correct)
            #expect(closed.refused.map(\.field) == ["日期"])
            _ = try await load(village, "2025-08-04,S2,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金")
            let sale = try await village.number("SELECT max(id) FROM sale")
            try await village.change(
                SaleStore.takeBack(
                    Weight(grams: 500), goods: .back, refund: Money(fen: 850), of: sale, line: 1, reason: "坏果",
                    today: village.today))
            let back = try await load(village, "2025-08-04,S2,东社,C1,蟠桃,9,8.5,76.5,批发,王老板,现金", changed: .correct)
            #expect(back.refused.map(\.field) == ["单号"] && back.changed.map(\.entry) == [sale])
        }
    }

    @Test func `sales out of a slip that was corrected, or whose batch is void, are known again`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let row = "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
            _ = try await load(village, row)
            let batch = try await village.number("SELECT number FROM batch")
            try await village.change(
                BatchStore.correct(batch, RightHarvest(slip: "C7"), reason: "抄错", today: village.today))
            #expect(try await load(village, row).already == 1)
            #expect(try await load(village, row.replacing("C1", with: "C7")).already == 1)
            let sale = try await village.number("SELECT id FROM sale")
            try await village.change(SaleStore.reverse(sale, reason: "没有卖", today: village.today))
            try await village.change(CodeStore.void(batch: batch, reason: "没有收", today: village.today))
            #expect(try await load(village, row).already == 1)
            let new = try await load(village, row.replacing("S1", with: "S2"))
            #expect(new.refused.map(\.field) == ["采收单号"] && new.refused.allSatisfy { $0.reason.zh.contains("作废") })
        }
    }

    @Test func `a sale is out of the newest harvest with its slip that is not after its day`() async throws {
        try await withVillage { village in
            village.clock.set(try CivilDay("2026-07-01"))
            _ = try await village.plant()
            let header = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤"
            _ = try await village.load(
                lines: [
                    header, "C0001,2024-06-25,东社,E1,蟠桃,124蟠桃,二级,100", "C0001,2026-06-25,东社,E1,蟠桃,124蟠桃,二级,100",
                ], village.harvestRegister())
            let report = try await load(
                village, "2026-06-26,S1,东社,C0001,蟠桃,10,8,80,零售,王老板,现金", "2026-01-05,S2,东社,C0001,蟠桃,20,8,160,零售,王老板,现金",
                "2024-06-24,S3,东社,C0001,蟠桃,20,8,160,零售,王老板,现金", partial: true)
            #expect(report.recorded == 2)
            #expect(report.refused.map(\.field) == ["日期"], "before the first harvest")
            let out = try await village.owner.query(
                "SELECT extract(year FROM harvested_on)::int || ' ' || out_g FROM batch ORDER BY harvested_on"
            ).map { try $0.decode(0, as: String.self) }
            #expect(out == ["2024 10000", "2026 5000"], "a sale of January draws on a harvest before")
        }
    }

    @Test func `numbers begin again every year, and are known again by number and year`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let (old, new) = (
                "2025-12-31,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金", "2026-01-02,S1,东社,C1,蟠桃,20,9,180,零售,李老板,微信"
            )
            #expect(try await load(village, old).recorded == 1)
            #expect(try await load(village, new).recorded == 1)
            #expect(try await load(village, old, new).already == 2)
            #expect(
                try await load(village, "2026-01-03,S1,东社,C1,蟠桃,20,9,180,零售,李老板,微信").refused.map(\.field) == ["日期"])
            let batch = try await village.number("SELECT number FROM batch")
            let line = NewSale.Line(batch: batch, weight: Weight(grams: 500), price: try Price(fen: 850, basis: .jin))
            let taken = try await refusal {
                try await village.sell(village.sale([line], number: "S1", confirmed: [.pastBestBefore]))
            }
            #expect(taken?.code == "sale-number-taken")
            let day = try CivilDay("2025-11-01")
            #expect(try await refusal { try await village.sell(village.sale([line], number: "S1", day: day)) } != nil)
            #expect(try await village.number("SELECT count(*) FROM sale") == 2)
        }
    }

    @Test func `registers of a cooperative whose name was merged are known again under both`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let sale = "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
            #expect(try await load(village, sale).recorded == 1)
            _ = try await village.addCooperative("东社合作社")
            try await village.change(NameMerge.merge(.cooperative, from: "东社", to: "东社合作社"))
            for name in ["东社", "东社合作社"] {
                let households = "户号,户主,网格,帮扶类别,合作社,人口,联系电话\nHE,张三,一网格,一般户,\(name),3,1380000000\(name.count)"
                let phone = try await village.load(lines: [households], village.householdRegister())
                #expect(phone.updated == 1 && phone.changes.isEmpty, "\(phone.refused)")
                let plots = "地块号,名称,合作社,户号,作物,面积亩\nE1,\(name),\(name),HE,蟠桃,10"
                let named = try await village.load(lines: [plots], village.plotRegister())
                #expect(named.updated == 1 && named.changes.isEmpty, "\(named.refused)")
                let harvests = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤\nC1,2025-08-03,\(name),E1,蟠桃,124蟠桃,二级,100"
                let again = try await village.load(lines: [harvests], village.harvestRegister())
                #expect(again.already == 1, "\(again.refused)")
                #expect(try await load(village, sale.replacing("东社", with: name)).already == 1)
            }
            // From then on the plot is told under the meant name: the harvest of before is found nevertheless.
            let larger = "地块号,名称,合作社,户号,作物,面积亩\nE1,大一点,东社合作社,HE,蟠桃,11"
            let since = village.plotRegister(asOf: try CivilDay("2025-01-01"))
            #expect(try await village.load(lines: [larger], since).updated == 1)
            for name in ["东社", "东社合作社"] {
                let harvest = "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤\nC1,2025-08-03,\(name),E1,蟠桃,124蟠桃,二级,100"
                let again = try await village.load(lines: [harvest], village.harvestRegister())
                #expect(again.already == 1, "\(again.refused)")
            }
            #expect(try await village.number("SELECT count(*) FROM batch") == 1)
        }
    }

    @Test func `a sale may leave product, amount and payment out`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let report = try await load(village, "2025-08-04,S1,东社,C1,,10,8.55,,批发,王老板,")
            #expect(report.recorded == 1)
            let sale = try #require(try await SaleStore(village.database).list(village.committee).first)
            #expect(sale.total.fen == 8550)
            #expect(sale.paidHow == nil)
        }
    }

    @Test func `a clerk imports the own cooperative's sales alone`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let row = "2025-08-03,S1,东社,C1,蟠桃,10,8.5,85,批发,王老板,现金"
            let west = village.clerk(of: Int(try await village.number("SELECT id FROM cooperative WHERE name = '西社'")))
            let east = village.clerk(of: Int(try await village.number("SELECT id FROM cooperative WHERE name = '东社'")))
            #expect(try await load(village, row, as: west).refused.map(\.field) == ["合作社"])
            #expect(try await load(village, row, as: east).recorded == 1)
        }
    }

    @Test func `two imports of one file at once record it once`() async throws {
        try await withVillage { village in
            try await harvest(village)
            let rows = (1...80).map { "2025-08-04,S\($0),东社,C1,蟠桃,1,8.5,8.5,批发,王老板,现金" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        let refused = try await refusal {
                            try await village.load(
                                lines: [Self.header] + rows, SaleRegister(today: village.today))
                        }
                        #expect(refused == nil || refused?.code == "sale-number-taken")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await village.number("SELECT count(*) FROM sale") == 80)
            #expect(try await village.number("SELECT out_g FROM batch") == 40_000)
        }
    }

    @Test func `an import and a sale at the same time never oversell`() async throws {
        try await withVillage(poolSize: 8) { village in
            try await harvest(village)
            let batch = try await village.number("SELECT number FROM batch")
            let price = try Price(fen: 850, basis: .jin)
            let line = NewSale.Line(batch: batch, weight: Weight(grams: 500), price: price)
            let rows = (1...60).map { "2025-08-04,S\($0),东社,C1,蟠桃,1,8.5,8.5,批发,王老板,现金" }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await refusal {
                        try await village.load(
                            lines: [Self.header] + rows, SaleRegister(today: village.today), partial: true)
                    }
                }
                for _ in 0..<60 {
                    group.addTask {
                        let sale = village.sale([line], confirmed: [.pastBestBefore])
                        _ = try await refusal { try await village.sell(sale) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await village.number("SELECT out_g FROM batch") == 50_000)
        }
    }
}
