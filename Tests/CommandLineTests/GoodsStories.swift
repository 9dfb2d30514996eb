import Foundation
import Testing

/// What was typed wrong is put right at the command line, and both stay visible.
@Suite struct GoodsStories {
    private func grams(_ value: Any?) -> Int? { (value as? [String: Int])?["grams"] }

    @Test func `harvests and sales are put right, and shown with what they were`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (batch, _) = try await village.register("12500kg")
        let wrong = try await village.run(
            "batch", "correct", "--batch", "\(batch)", "--reason", "多写了一个零", "--lang", "zh")
        #expect(wrong.status == 64 && wrong.errors.contains("--weight"))
        let corrected = try await village.json(
            "batch", "correct", "--batch", "\(batch)", "--weight", "1250kg", "--slip", "C9001", "--reason", "多写了一个零")
        #expect(grams(corrected["stock"]) == 1_250_000 && corrected["slip"] as? String == "C9001")
        let terms = ["--price", "8.50/斤", "--channel", "批发", "--buyer", "王老板", "--day", "2023-08-22"]
        let typed =
            ["sale", "record", "--batch", "\(batch)", "--weight", "500kg", "--number", "S00432", "--json"] + terms
        let sale = try #require(try await village.run(typed).json()["sale"] as? Int)
        let below = try await village.run(
            "batch", "correct", "--batch", "\(batch)", "--weight", "400kg", "--reason", "x")
        #expect(below.status == 1 && below.errors.contains("500 kg (1000 斤) have left batch \(batch)"))
        #expect(try await village.run("sale", "reverse", "--sale", "\(sale)", "--reason", "应为 50 公斤").status == 0)
        #expect(try await village.run("sale", "reverse", "--sale", "\(sale)", "--reason", "x").status == 1)
        let right =
            ["sale", "record", "--batch", "\(batch)", "--weight", "50kg", "--replaces", "\(sale)", "--json"] + terms
        let anew = try #require(try await village.run(right).json()["sale"] as? Int)
        let returned = try await village.run(
            "sale", "return", "--sale", "\(anew)", "--line", "1", "--weight", "5kg", "--goods", "scrapped", "--refund",
            "42.50", "--reason", "压坏", "--lang", "zh")
        #expect(returned.status == 0 && returned.output.contains("报废") && returned.output.contains("42.50"))
        let shown = try await village.run("sale", "show", "--sale", "\(sale)", "--lang", "zh")
        #expect(shown.output.contains("冲销") && shown.output.contains("应为 50 公斤") && shown.output.contains("本机"))
        #expect(shown.output.contains("已重新登记为  \(anew)"))
        let found = try await village.run("sale", "list", "--buyer", "王老", "--from", "2023-08-22", "--to", "2023-08-22")
        #expect(found.output.contains("S00432") && found.output.contains("reversed"))
        let none = try await village.run("sale", "list", "--from", "2023-08-23", "--json")
        #expect(none.output == "[]\n")
        let history = try await village.json("batch", "show", "\(batch)", "--limit", "2")
        let movements = try #require(history["movements"] as? [[String: Any]])
        #expect(
            movements.map { $0["kind"] as? String } == ["loss", "return"] && history["olderMovements"] as? Int == 5)
        let last = try #require(movements.last?["movement"] as? Int)
        let page = try await village.run("batch", "show", "\(batch)", "--limit", "2", "--before", "\(last)")
        #expect(page.errors.contains("3 older movements") && page.output.contains("12500 kg (25000 斤) → 1250 kg"))
        try await village.run(
            "sale", "return", "--sale", "\(anew)", "--line", "1", "--weight", "45kg", "--goods", "back", "--refund",
            "807.50", "--reason", "压坏")
        let back = try await village.run("sale", "show", "--sale", "\(anew)").output
        #expect(back.contains("returned") && !back.contains("reversed"), "\(back)")
        let audit = try await village.run("audit", "list", "--lang", "zh").output
        for words in ["更正批次", "冲销销售", "登记退货", "原 12500 kg (25000 斤)"] { #expect(audit.contains(words), "\(words)") }
        let returns = try await village.run(
            "audit", "list", "--kind", "登记退货", "--actor", "本机", "--json"
        ).json(as: [[String: Any]].self)
        #expect(!returns.isEmpty && returns.allSatisfy { $0["kind"] as? String == "sale.return" })
        let id = try #require(returns.first?["id"] as? Int)
        let subject = try #require(returns.first?["subject"] as? String)
        let earlier = try await village.run(
            "audit", "list", "--kind", "sale", "--subject", subject, "--before", "\(id)", "--json"
        ).json(as: [[String: Any]].self)
        #expect(earlier.allSatisfy { ($0["id"] as? Int ?? id) < id && $0["subject"] as? String == subject })
        #expect(earlier.last?["kind"] as? String == "sale.record")
        #expect(try await village.run("audit", "list", "--to", "2020-01-01").errors.contains("nothing to show"))
    }

    @Test func `a withdrawal is undone, a batch void, and the books are closed`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (batch, payload) = try await village.register()
        let taken = try await village.json(
            "batch", "withdraw", "--batch", "\(batch)", "--kind", "损耗", "--weight", "10kg")
        let movement = try #require(taken["movement"] as? Int)
        #expect(try await village.run("batch", "withdraw", "--undo", "\(movement)").status == 64)
        let another = try await village.run(
            "batch", "withdraw", "--undo", "\(movement)", "--batch", "\(batch + 1)", "--reason", "没有损耗")
        #expect(another.status == 1)
        let undone = try await village.json(
            "batch", "withdraw", "--undo", "\(movement)", "--batch", "\(batch)", "--reason", "没有损耗")
        #expect(grams(undone["stock"]) == 100_000)
        #expect(try await village.run("batch", "withdraw", "--undo", "\(movement)", "--reason", "x").status == 1)
        #expect(try await village.run("batch", "void", "--batch", "\(batch)", "--reason", "重复登记").status == 0)
        #expect(try await village.run("code", "verify", payload).output.contains("Revoked"))
        #expect(try await village.run("batch", "show", "\(batch)").output.hasPrefix("VOID"))

        let other = try await village.register("20kg").batch
        #expect(try await village.run("books", "show").errors.contains("never closed"))
        #expect(try await village.run("books", "close", "--through", "2023-12-31").status == 0)
        #expect(try await village.run("books", "close", "--through", "2023-12-31").status == 1)
        #expect(try await village.json("books", "show")["through"] as? String == "2023-12-31")
        let closed = try await village.run(
            "sale", "record", "--batch", "\(other)", "--weight", "1kg", "--price", "8.50/斤", "--channel", "批发",
            "--buyer",
            "王", "--day", "2023-08-22")
        #expect(closed.status == 1 && closed.errors.contains("closed through 2023-12-31"), "\(closed.errors)")
        let late = try await village.run(
            "batch", "correct", "--batch", "\(other)", "--weight", "21kg", "--reason", "x", "--day", "2023-12-31")
        #expect(late.status == 1 && late.errors.contains("closed through 2023-12-31"))
        #expect(
            try await village.run("batch", "correct", "--batch", "\(other)", "--weight", "21kg", "--reason", "x").status
                == 0)
    }

    @Test func `what is not meant is asked about, and a recall is said before all else`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let (batch, _) = try await village.register()
        let sale = ["sale", "record", "--batch", "\(batch)", "--weight", "1kg", "--channel", "批发", "--buyer", "王"]
        let late = try await village.run(sale + ["--price", "8.50/斤"])
        #expect(late.status == 1 && late.errors.contains("best before 2023-08-28"))
        #expect(try await village.run(sale + ["--price", "8.50/斤", "--past-best-before"]).status == 0)
        let early = sale + ["--day", "2023-08-22"]
        for _ in 0..<4 { #expect(try await village.run(early + ["--price", "8.50/斤"]).status == 0) }
        let typo = try await village.run(early + ["--price", "850/斤"])
        #expect(typo.status == 1 && typo.errors.contains("8.50/斤") && typo.errors.contains("--unusual-price"))
        #expect(try await village.run(early + ["--price", "850/斤", "--unusual-price"]).status == 0)

        let recall = try await village.run("recall", "open", "--batch", "\(batch)", "--reason", "农残复检")
        #expect(recall.status == 0)
        let sold = try await village.run(early + ["--price", "8.50/斤"])
        #expect(sold.status == 1 && sold.errors.contains("under recall") && sold.errors.contains("农残复检"))
        for shown in [["batch", "show", "\(batch)"], ["code", "show", "\(batch)"]] {
            #expect(try await village.run(shown).output.hasPrefix("UNDER RECALL"), "\(shown)")
        }
        #expect(try await village.run("batch", "list").output.contains("under recall"))
        let exported = try await village.run("code", "export")
        #expect(exported.output.isEmpty && exported.errors.contains("农残复检"))
        let drawn = try await village.run("code", "show", "\(batch)", "--qr", "svg")
        #expect(drawn.status == 1 && drawn.output.isEmpty)
    }

    @Test func `a harvest entered by hand with its slip is one with the register's`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        _ = try await village.json(
            "batch", "register", "--plot", "D01", "--variety", "瑞蟠21号", "--grade", "特级", "--harvested", "2023-08-21",
            "--weight", "1250kg", "--slip", "C9001")
        let register = try village.write(
            "harvest.csv",
            "采收单号,采收日期,合作社,地块号,产品,品种,等级,重量斤\nC9001,2023-08-21,\(try await cooperative(village)),D01,蟠桃,瑞蟠21号,特级,2500\n")
        let imported = try await village.json("import", "harvest", register)
        #expect(imported["already"] as? Int == 1 && imported["recorded"] as? Int == 0)
    }

    private func cooperative(_ village: Village) async throws -> String {
        let plots = try await village.run("plot", "list", "--json").json(as: [[String: Any]].self)
        let plot = try #require(plots.first { $0["plot"] as? String == "D01" })
        return try #require(plot["cooperative"] as? String)
    }
}
