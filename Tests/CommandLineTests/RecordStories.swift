import Foundation
import Testing

/// What people enter by hand, and who may enter it.
@Suite struct RecordStories {
    @Test func `a batch is sold, withdrawn from and never oversold`() async throws {
        let village = try await Village.founded()
        for kind in ["households", "plots"] {
            try await village.run("import", kind, "\(Village.samples)/\(kind).csv")
        }
        let (batch, _) = try await village.register("200斤")
        let other = try await village.register("50kg").batch
        let sale = try await village.json(
            "sale", "record", "--batch", "\(batch)", "--weight", "30kg", "--price", "8.50/斤", "--batch", "\(other)",
            "--weight", "5kg", "--price", "68/箱2.5kg", "--channel", "批发", "--buyer", "王老板", "--paid", "微信",
            "--day", "2023-08-22", "--number", "S1")
        #expect((sale["total"] as? [String: Int])?["fen"] == 51_000 + 13_600)
        #expect((sale["lines"] as? [Any])?.count == 2)
        let terms = ["--price", "8/斤", "--channel", "零售", "--buyer", "李"]
        let unsure = try await village.run(
            ["sale", "record", "--batch", "\(batch)", "--weight", "1kg", "--day", "2023-08-22"] + terms)
        #expect(unsure.status == 1 && unsure.errors.contains("“批发”") && unsure.errors.contains("--new-channel"))
        let over = try await village.run(
            ["sale", "record", "--batch", "\(batch)", "--weight", "80kg", "--lang", "zh"] + terms)
        #expect(over.status == 1 && over.errors.contains("只剩 70 kg (140 斤)") && !over.errors.contains("lines["))
        #expect(over.output.isEmpty)
        let again = try await village.run(
            ["sale", "record", "--batch", "\(batch)", "--weight", "1kg", "--number", "S1"] + terms)
        #expect(again.status == 1)

        let left = try await village.json(
            "batch", "withdraw", "--batch", "\(batch)", "--kind", "own-use", "--weight", "10kg")
        #expect((left["stock"] as? [String: Int])?["grams"] == 60_000)
        let shown = try await village.json("batch", "show", "\(batch)")
        let movements = try #require(shown["movements"] as? [[String: Any]])
        #expect(movements.map { $0["grams"] as? Int } == [-10_000, -30_000, 100_000])
        #expect(movements.map { $0["kind"] as? String } == ["own_use", "sale", "harvest"])
        let sales: [[String: Any]] = try await village.run("sale", "list", "--batch", "\(other)", "--json")
            .json(as: [[String: Any]].self)
        #expect(sales.count == 1)

        let full = try await village.run(
            "batch", "register", "--plot", "D01", "--variety", "瑞蟠21号", "--grade", "特级", "--harvested", "2023-08-21",
            "--weight", "20吨")
        #expect(full.status == 1 && full.errors.contains("ceiling"))
        let exception = try await village.run(
            "plot", "override", "--plot", "D01", "--season", "2023", "--extra", "20吨", "--reason", "实测增产")
        #expect(exception.status == 0)
        #expect(try await village.register("20吨").batch > other)
    }

    @Test func `income is entered and corrected`() async throws {
        let village = try await Village.founded()
        let entry = try await village.json(
            "income", "enter", "--day", "2025-03-20", "--source", "出租", "--memo", "冷库", "--amount", "1,234.50")
        let id = try #require(entry["entry"] as? Int)
        let minus = [
            "income", "enter", "--source", "rent", "--memo", "多记", "--amount", "-34.50", "--day", "2025-03-21",
        ]
        #expect(try await village.run(minus).status == 1)
        #expect(try await village.run(minus + ["--corrects", "\(id)"]).status == 0)
        let summary = try await village.json("income", "summary", "--from", "2025-01-01", "--to", "2025-12-31")
        #expect((summary["total"] as? [String: Int])?["fen"] == 120_000)
        #expect(try await village.run("income", "list").output.contains("1,234.50"))
        let reversed = try await village.run("income", "summary", "--from", "2025-12-31", "--to", "2025-01-01")
        #expect(reversed.status == 1)
    }

    @Test func `tokens and accounts are made, and their secrets shown nowhere else`() async throws {
        let village = try await Village.founded()
        try #require(try await village.run("cooperative", "add", "新社").status == 0)
        let made = try await village.run("token", "create", "--role", "clerk", "--cooperative", "新社", "--json")
        let secret = try #require(try made.json()["token"] as? String)
        #expect(secret.hasPrefix("taoyuan_"))
        #expect(try await village.run("token", "create", "--role", "clerk").status == 1)
        let listed = try await village.run("token", "list", "--json")
        #expect(!listed.output.contains(secret))
        let id = try #require(try listed.json(as: [[String: Any]].self).first?["id"] as? Int)
        #expect(try await village.run("token", "revoke", "--id", "\(id)").status == 0)
        let shown = try await village.run("token", "list").output
        #expect(shown.contains("revoked") && shown.contains("local"))

        let password = "a long password"
        let account = try await village.run("account", "create", "Li", "--role", "committee", input: password + "\n")
        #expect(account.status == 0, "\(account.errors)")
        let twice = try await village.run("account", "create", "li", "--role", "auditor", input: password + "\n")
        #expect(twice.status == 1)
        #expect(try await village.run("account", "create", "wu", "--role", "auditor", input: "short\n").status == 1)
        #expect(try await village.run("account", "create", "wu", "--role", "auditor").status == 1)
        let file = try village.write("password", "another password\n")
        #expect(try await village.run("account", "password", "li", "--password-file", file).status == 0)
        #expect(try await village.run("account", "disable", "li").status == 0)
        #expect(try await village.run("account", "disable", "nobody").status == 1)
        let accounts: [[String: Any]] = try await village.run("account", "list", "--json").json(
            as: [[String: Any]].self)
        #expect(accounts.map { $0["username"] as? String } == ["li"] && accounts.first?["disabledAt"] is String)
        let audit = try await village.run("audit", "list", "--json")
        let actions = try audit.json(as: [[String: Any]].self).compactMap { $0["kind"] as? String }
        #expect(actions.prefix(2) == ["account.disable", "account.password"])
        #expect(!audit.output.contains(password) && !audit.output.contains(secret))
    }

    @Test func `the village's names are listed and added to`() async throws {
        let village = try await Village.founded()
        #expect(try await village.run("cooperative", "list").errors.contains("nothing to show"))
        #expect(try await village.run("cooperative", "list", "--json").output == "[]\n")
        for addition in [
            ["cooperative", "add", "新社"], ["grade", "add", "三级"], ["variety", "add", "中蟠17号", "--product", "蟠桃"],
            ["product", "add", "冬枣", "--ceiling", "3000斤", "--best-before-days", "20"],
        ] {
            #expect(try await village.run(addition).status == 0)
            #expect(try await village.run(addition).status == 1, "twice")
        }
        #expect(try await village.run("variety", "add", "x", "--product", "没有").status == 1)
        let products = try await village.run("product", "list").output
        #expect(products.contains("中蟠17号") && products.contains("冬枣"))
        try await village.run("import", "households", "\(Village.samples)/households.csv")
        let households = try await village.run("household", "list").output.split(separator: "\n")
        #expect(households.count == 37 && households[1].hasPrefix("H001"))
    }
}
