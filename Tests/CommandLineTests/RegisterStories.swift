import Foundation
import Testing

/// A village's registers, from the files to the summaries.
@Suite struct RegisterStories {
    private struct Expected: Decodable {
        struct Year: Decodable {
            let salesFen: Int
            let otherFen: Int
            let toursFen: Int
        }

        let totals: [String: Year]
        let byCooperative2025Fen: [String: Int]
        let byMonth2025SalesFen: [String: Int]
    }

    private static let rows = [
        "households": 36, "plots": 48, "harvest": 423, "sales": 2034, "income": 16, "bookings": 165,
    ]

    /// Amounts of a summary by the values of one dimension; income without a value stands under "".
    private func amounts(_ summary: [String: Any], by dimension: String) throws -> [String: Int] {
        let rows = try #require(summary["rows"] as? [[String: Any]])
        return try rows.reduce(into: [:]) { sums, row in
            let amount = try #require(row["amount"] as? [String: Any])
            sums[row[dimension] as? String ?? "", default: 0] += try #require(amount["fen"] as? Int)
        }
    }

    @Test func `the samples give the expected income to the fen, and twice is once`() async throws {
        let village = try await Village.founded()
        for again in [false, true] {
            for kind in ["households", "plots", "harvest", "sales", "income", "bookings"] {
                let count = Self.rows[kind] ?? 0
                let report = try await village.json("import", kind, "\(Village.samples)/\(kind).csv")
                #expect(report["read"] as? Int == count)
                #expect(report["recorded"] as? Int == (again ? 0 : count), "\(kind)")
                #expect(report["already"] as? Int == (again ? count : 0), "\(kind)")
                #expect((report["refused"] as? [Any])?.isEmpty == true)
                #expect(report["created"] is [String] && report["ignoredColumns"] is [String])
            }
        }
        let data = try Data(contentsOf: URL(filePath: "\(Village.samples)/expect.json"))
        let expected = try JSONDecoder().decode(Expected.self, from: data)
        for (year, sums) in expected.totals {
            let summary = try await village.json(
                "income", "summary", "--from", "\(year)-01-01", "--to", "\(year)-12-31", "--by", "source")
            let bySource = try amounts(summary, by: "source")
            #expect(bySource["sales"] == sums.salesFen)
            #expect(bySource["tours"] == sums.toursFen)
            let sum = sums.salesFen + sums.otherFen + sums.toursFen
            #expect(bySource.values.reduce(0, +) == sum)
            #expect((summary["total"] as? [String: Int])?["fen"] == sum)
            #expect(summary["from"] as? String == "\(year)-01-01" && summary["by"] as? [String] == ["source"])
        }
        let year = ["--from", "2025-01-01", "--to", "2025-12-31"]
        var summary: [String: Any] = try await village.run(
            ["income", "summary", "--by", "cooperative", "--json"] + year
        ).json()
        var byCooperative = try amounts(summary, by: "cooperative")
        byCooperative[""] = nil
        #expect(byCooperative == expected.byCooperative2025Fen)
        summary = try await village.run(["income", "summary", "--by", "month,source", "--json"] + year).json()
        let rows = try #require(summary["rows"] as? [[String: Any]]).filter { $0["source"] as? String == "sales" }
        #expect(try amounts(["rows": rows], by: "month") == expected.byMonth2025SalesFen.filter { $0.value > 0 })
        let table = try await village.run(["income", "summary", "--by", "source", "--lang", "zh"] + year)
        #expect(table.output.contains("农产品销售  1,511,796.00"))
        #expect(table.output.hasSuffix("合计        2,068,515.00\n"))
    }

    @Test func `refused rows stop an import or go to a file`() async throws {
        let village = try await Village.founded()
        try await village.importSamples()
        let head = "日期,单号,合作社,采收单号,数量斤,单价元每斤,金额元,渠道,买方,备注\n"
        let file = try village.write(
            "bad.csv",
            head
                + """
                2025-08-20,Z1,韩村蟠桃专业合作社,C0001,1,8,8.00,批发,甲,
                2025-02-30,Z2,韩村蟠桃专业合作社,C0001,1,8,8.00,批发,=cmd(),
                2025-08-20,Z3,韩村蟠桃专业合作社,C0001,1,8,9.00,批发,乙,

                """)
        let whole = try await village.run("import", "sales", file, "--json")
        #expect(whole.status == 1)
        var report = try whole.json()
        #expect(report["recorded"] as? Int == 0 && report["ignoredColumns"] as? [String] == ["备注"])
        let refused = try #require(report["refused"] as? [[String: Any]])
        #expect(refused.map { $0["row"] as? Int } == [3, 4])
        #expect(refused.map { $0["field"] as? String } == ["日期", "金额元"])
        #expect(refused.allSatisfy { ($0["reason"] as? String)?.isEmpty == false })
        #expect(!FileManager.default.fileExists(atPath: file + ".refused.csv"))

        report = try await village.json("import", "销售", file, "--partial")
        #expect(report["recorded"] as? Int == 1 && report["refusedCount"] as? Int == 2)
        let written = try String(contentsOfFile: file + ".refused.csv", encoding: .utf8)
        #expect(written.contains("'=cmd()") && !written.contains("Z1"))
        #expect(try await village.run("import", "sales", file, "--partial").status == 1, "the file is there already")

        // Of this one there would be nothing in the books.
        let bad = try village.write("worse.csv", head + "2025-02-30,Z4,韩村蟠桃专业合作社,C0001,1,8,8.00,批发,甲,\n")
        let nothing = try await village.run("import", "sales", bad, "--partial", "--json")
        #expect(nothing.status == 1)
        #expect(try nothing.json()["refusedCount"] as? Int == 1)

        #expect(try await village.run("import", "sales", village.file("none.csv")).status == 1)
        let wrong = try await village.run("import", "plots", file, "--lang", "zh")
        #expect(wrong.status == 1 && wrong.errors.contains("地块号"))
    }

    @Test func `a plot changes hands from a day on, and last year's income stays whose it was`() async throws {
        let village = try await Village.founded()
        let households = "户号,户主,网格,帮扶类别,合作社,人口\n"
        let plots = "地块号,名称,合作社,户号,作物,面积亩\n"
        let both = try village.write("h.csv", households + "H1,张三,一网格,一般户,社,3\nH2,李四,一网格,一般户,社,2\n")
        _ = try await village.json("import", "households", both)
        _ = try await village.json("import", "plots", try village.write("p.csv", plots + "P1,东,社,H1,蟠桃,5\n"))
        let made = try await village.json(
            "batch", "register", "--plot", "P1", "--variety", "124蟠桃", "--grade", "一级", "--harvested", "2024-06-25",
            "--weight", "100斤", "--slip", "C1")
        #expect(made["batch"] as? Int == 1)
        let harvest = try village.write(
            "c.csv", "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤\nC1,2024-06-25,社,P1,蟠桃,124蟠桃,一级,100\n")
        #expect(try await village.json("import", "harvest", harvest)["already"] as? Int == 1)
        let sales = try village.write(
            "s.csv",
            "日期,单号,合作社,采收单号,数量斤,单价元每斤,金额元,渠道,买方\n2024-06-26,S1,社,C1,10,8,80,零售,王\n")
        _ = try await village.json("import", "sales", sales)

        let given = try village.write("g.csv", plots + "P1,东,社,H2,蟠桃,5\n")
        let report = try await village.json("import", "plots", given, "--as-of", "2025-03-01")
        #expect(report["updated"] as? Int == 1 && report["changeCount"] as? Int == 1)
        let change = try #require((report["changes"] as? [[String: Any]])?.first)
        #expect(change["row"] as? Int == 2 && change["what"] as? String == "P1" && change["field"] as? String == "户号")
        #expect(change["from"] as? String == "H1" && change["to"] as? String == "H2")
        #expect(change["since"] as? String == "2025-03-01")
        let back = try village.write("b.csv", plots + "P1,东,社,H1,蟠桃,5\n")
        let told = try await village.run("import", "plots", back, "--as-of", "2025-06-01", "--lang", "zh")
        #expect(told.output.contains("P1") && told.output.contains("H2") && told.output.contains("2025-06-01"))
        let summary = try await village.json(
            "income", "summary", "--by", "household", "--from", "2024-01-01", "--to", "2024-12-31")
        #expect(try amounts(summary, by: "household") == ["H1 张三": 8000])

        let shown = try await village.json("plot", "show", "P1")
        let periods = try #require(shown["periods"] as? [[String: Any]])
        #expect(periods.map { $0["household"] as? String } == ["H1", "H2", "H1"])
        #expect(periods.map { $0["from"] as? String } == ["2025-06-01", "2025-03-01", "1900-01-01"])
        #expect(try await village.run("household", "show", "H1").output.contains("张三"))
        #expect(try await village.run("household", "show", "H7").status == 1)
        #expect(try await village.run("import", "harvest", harvest, "--as-of", "2025-06-01").status == 1)
        let audit = try await village.run("audit", "list", "--lang", "zh")
        #expect(audit.output.contains("更改地块") && audit.output.contains("原户号 H1"))
    }

    @Test func `the demo tells the whole story, as often as one likes`() async throws {
        let village = try Village()
        for lang in ["zh", "en"] {
            let outcome = try await village.run("demo", "--lang", lang)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let parts =
                lang == "zh"
                ? ["真：", "签名有效", "假：", "合计 255.00 元", "只剩", "农产品销售"]
                : ["Genuine", "Signed", "Forged", "total 255.00 yuan", "left, not", "sales"]
            for part in parts { #expect(outcome.output.contains(part), "\(part)") }
        }
        // A village of its own is left alone, also with one entry.
        let real = try await Village.founded()
        let households = try real.write("h.csv", "户号,户主,网格,帮扶类别,合作社,人口\nX1,真人,一网格,一般户,真社,3\n")
        try #require(try await real.run("import", "households", households).status == 0)
        #expect(try await real.run("demo").status == 1)
        let earning = try await Village.founded()
        _ = try await earning.json("income", "enter", "--source", "rent", "--memo", "冷库", "--amount", "5")
        #expect(try await earning.run("demo").status == 1)
        let touring = try await Village.founded()
        let bookings = try touring.write(
            "b.csv",
            """
            预约日期,场次日期,时间,基地,课程,场次容量,单位名称,单位类别,预约人数,实到人数,带队人,联系电话,单价元每人,费用元,状态
            2025-03-01,2025-03-07,09:00,桃园,采摘,40,某校,学校,14,12,韩老师,139****6211,45,630.00,已完成
            """)
        _ = try await touring.json("import", "bookings", bookings)
        let refused = try await touring.run("demo")
        #expect(refused.status == 1 && refused.errors.contains("keeps books of its own"))
        let list = try await touring.run("booking", "list", "--from", "2025-01-01", "--to", "2025-12-31", "--json")
        #expect(try list.json(as: [Any].self).count == 1)
    }

    @Test func `an import can be tried, asked and answered`() async throws {
        let village = try await Village.founded()
        let first = try village.write("a.csv", "sep=,\n日期,类别,摘要,金额元\n2025-03-20,其他,冷库,500\n合计,,,500\n")
        let tried = try await village.json("import", "income", first, "--dry-run")
        #expect(tried["dryRun"] as? Bool == true && tried["recorded"] as? Int == 1)
        #expect((tried["skipped"] as? [[String: Any]])?.map { $0["row"] as? Int } == [1, 4])
        #expect(try await village.json("import", "income", first)["recorded"] as? Int == 1)
        let second = try village.write("b.csv", "日期,类别,摘要,金额元\n2025-03-20,出租,冷库,500\n")
        let asked = try await village.run("import", "income", second, "--json")
        #expect(asked.status == 1)
        let changed = try #require(try asked.json()["changed"] as? [[String: Any]])
        #expect(changed.map { $0["field"] as? String } == ["类别"] && changed[0]["recorded"] as? String == "其他")
        #expect(changed[0]["entry"] is Int && changed[0]["row"] as? Int == 2)
        #expect(try await village.json("import", "income", second, "--changed", "correct")["updated"] as? Int == 1)
        let summary = try await village.json("income", "summary", "--from", "2025-01-01", "--to", "2025-12-31")
        #expect((summary["total"] as? [String: Int])?["fen"] == 50_000)
    }
}
