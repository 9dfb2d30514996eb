import Foundation
import Testing

/// Tables and records as a user of Chinese reads them: no word that is meant for programs, no bare fen or grams.
@Suite struct TableStories {
    private let chinese = ["LANG": "zh_CN.UTF-8"]
    private let tomorrow = String(Date(timeIntervalSinceNow: Double(86_400 + 8 * 3600)).ISO8601Format().prefix(10))
    private let today = String(Date(timeIntervalSinceNow: Double(8 * 3600)).ISO8601Format().prefix(10))

    /// Words of programs, or of English, in a text.
    private func leaks(_ text: String) -> [String] {
        let allowed: Set = ["http", "localhost", "kg", "sm2", "ed25519", "zh", "en", "li", "id", "more"]
        let words = text.matches(of: /\b[a-z][a-z0-9_.-]+\b/).map { String($0.0) }
        return words.filter { !allowed.contains($0) && !$0.contains { $0.isNumber } }
    }

    private func table(_ village: Village, _ arguments: String...) async throws -> String {
        let outcome = try await village.run(arguments, environment: chinese)
        #expect(outcome.status == 0 && !outcome.output.isEmpty, "\(arguments): \(outcome.errors)")
        #expect(leaks(outcome.output).isEmpty, "\(arguments): \(leaks(outcome.output)) in\n\(outcome.output)")
        return outcome.output
    }

    private func expectDone(_ village: Village, _ arguments: [String], input: String = "") async throws {
        let outcome = try await village.run(arguments, input: input)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
    }

    @Test func `lists and records of the village's products are Chinese throughout`() async throws {
        let village = try await Village.founded()
        try await village.importSamples()
        let batch = "\(try await village.register("200kg").batch)"
        let spoilt = "\(try await village.register("20kg").batch)"
        for arguments in [
            ["batch", "withdraw", "--batch", batch, "--kind", "own-use", "--weight", "1kg"],
            ["batch", "withdraw", "--batch", batch, "--kind", "loss", "--weight", "1kg", "--reason", "冷库断电"],
            ["batch", "withdraw", "--batch", batch, "--kind", "gift", "--weight", "1kg"],
            [
                "sale", "record", "--batch", batch, "--weight", "30kg", "--price", "8.50/斤", "--channel", "批发",
                "--past-best-before", "--buyer",
                "王老板", "--paid", "微信",
            ],
            ["income", "enter", "--source", "出租", "--memo", "冷库", "--amount", "1234.50"],
            ["plot", "override", "--plot", "D01", "--season", "2025", "--extra", "500kg", "--reason", "实测增产"],
            ["batch", "correct", "--batch", batch, "--weight", "210kg", "--picker", "李四", "--reason", "过磅有误"],
            [
                "sale", "return", "--sale", "2035", "--line", "1", "--weight", "1kg", "--goods", "scrapped", "--refund",
                "17",
                "--reason", "压坏",
            ],
            ["sale", "reverse", "--sale", "2035", "--reason", "买方退单"], ["books", "close", "--through", "2019-12-31"],
            ["recall", "open", "--batch", batch, "--reason", "复检"],
            ["recall", "end", "--batch", batch, "--reason", "合格"],
            ["code", "revoke", "--batch", spoilt, "--reason", "印错"],
            ["token", "create", "--role", "clerk", "--cooperative", "韩村蟠桃专业合作社"],
            ["token", "create", "--role", "auditor"],
            ["token", "revoke", "--id", "1"], ["key", "create", "--algorithm", "sm2"],
            ["cooperative", "add", "新社"], ["grade", "add", "三级"], ["variety", "add", "中蟠17号", "--product", "蟠桃"],
            ["product", "add", "冬枣", "--ceiling", "3000斤"], ["report", "livelihood", "--year", "2025"],
        ] { try await expectDone(village, arguments) }
        let account = ["account", "create", "li", "--role", "clerk", "--cooperative", "新社"]
        try await expectDone(village, account, input: "a long password\n")
        try await expectDone(village, ["account", "password", "li"], input: "another password\n")
        try await expectDone(village, ["account", "disable", "li"])

        #expect(try await table(village, "audit", "list", "--limit", "500").contains("读到行数 36，新记录 36，已更新 0，被拒 0"))
        let audit = try await table(village, "audit", "list", "--limit", "29")
        for told in [
            "登记销售", "510.00 元", "登记收入", "1,234.50 元，来源 出租", "批次损耗", "1 kg (2 斤)",
            "500 kg (1000 斤)，年份 2025，原因 实测增产",
            "本机", "文员", "作废溯源码", "印错",
        ] { #expect(audit.contains(told), "\(told) in\n\(audit)") }
        let shown = try await table(village, "batch", "show", batch)
        for told in ["自用", "损耗", "赠送", "采收", "销售", "本机"] { #expect(shown.contains(told)) }
        #expect(try await table(village, "token", "list").contains("文员"))
        _ = try await table(village, "batch", "show", spoilt)
        let sale = try await table(village, "sale", "show", "--sale", "2035")
        for told in ["冲销", "退货", "报废", "退回入库", "买方退单", "已退 510.00 元"] { #expect(sale.contains(told)) }
        _ = try await table(village, "books", "show")
        for list in [
            "account", "key", "batch", "sale", "income", "report", "household", "plot", "product", "cooperative",
            "grade",
        ] { _ = try await table(village, list, "list") }
        _ = try await table(
            village, "income", "summary", "--from", "2023-01-01", "--to", today, "--by", "source,channel,month")
        // In English an amount is in yuan, too.
        let english = try await village.run("audit", "list", "--limit", "29").output
        #expect(english.contains("510.00 yuan") && !english.contains(" fen") && english.contains("sale.record"))
        // A list that is cut off says so beside it, and a whole one does not.
        let cut = try await village.run(["batch", "list", "--limit", "1"], environment: chinese)
        #expect(cut.output.split(separator: "\n").count == 2 && cut.errors == "只列出前 1 条，用 --limit 多列\n")
        let whole = try await village.run("batch", "list", "--limit", "100000")
        #expect(whole.errors.isEmpty, "\(whole.errors)")
    }

    @Test func `what happened to a booking is told in Chinese`() async throws {
        let village = try await Village.founded()
        try await village.importPlots()
        let batch = try await village.json(
            "batch", "register", "--plot", "D01", "--variety", "瑞蟠21号", "--grade", "特级", "--weight", "200kg")
        let number = "\(try #require(batch["batch"] as? Int))"
        for arguments in [
            ["tour", "site", "add", "园", "--kind", "orchard", "--opens", "00:00", "--closes", "23:59"],
            [
                "tour", "programme", "add", "采摘", "--minutes", "30", "--price", "68", "--late-fee", "30",
                "--no-show-fee", "50",
            ],
            ["tour", "programme", "extra", "采摘", "--kind", "picking", "--name", "采摘", "--price", "12"],
            ["tour", "programme", "change", "采摘", "--price", "70"],
            ["tour", "resource", "add", "张导", "--kind", "guide"],
            ["tour", "site", "close", "园", "--day", "2199-02-17", "--reason", "春节"],
        ] { try await expectDone(village, arguments) }
        var sessions: [String] = []
        for time in ["09:00", "10:00"] {
            let planned = try await village.json(
                "tour", "session", "add", "--site", "园", "--programme", "采摘", "--day", tomorrow, "--time", time,
                "--capacity", "60", "--resource", "张导")
            let session = try #require((planned["sessions"] as? [[String: Any]])?.first)
            sessions.append("\(try #require(session["session"] as? Int))")
        }
        func book() async throws -> String {
            let booking = try await village.json(
                "booking", "request", "--session", sessions[0], "--unit", "区委党校", "--kind", "党校", "--headcount", "20",
                "--leader", "韩老师", "--phone", "13812345678", "--state", "confirmed", "--again")
            return "\(try #require(booking["booking"] as? Int))"
        }
        let (first, second) = (try await book(), try await book())
        let reference = try #require(
            (try await village.json("booking", "show", first)["booking"] as? [String: Any])?["reference"] as? String)
        for arguments in [
            ["booking", "change", first, "--headcount", "22"], ["booking", "move", first, "--session", sessions[1]],
            ["booking", "pay", first, "--amount", "1504", "--how", "微信"],
            ["booking", "check-in", reference, "--headcount", "21", "--any-day"],
            ["booking", "cancel", second, "--reason", "下雨"],
            ["tour", "session", "change", sessions[1], "--capacity", "70"],
        ] { try await expectDone(village, arguments) }
        let again = try await village.run(
            ["booking", "check-in", reference, "--headcount", "21", "--any-day"], environment: chinese)
        #expect(again.status == 1 && again.output.contains("本机") && leaks(again.output).isEmpty, "\(again.output)")

        let shown = try await table(village, "booking", "show", first)
        for told in [
            "1,504.00 元，方式 微信", "签到", "重复扫码", "人数 21，预约人数 22", "改场次", "更改", "确认", "人数 20", "人数 22，原人数 20",
            "场次 \(sessions[1])，原场次 \(sessions[0])", "本机",
        ] { #expect(shown.contains(told), "\(told) in\n\(shown)") }
        #expect(try await table(village, "booking", "show", second).contains("下雨"))
        #expect(try await table(village, "message", "list").contains("已确认"))
        #expect(try await table(village, "audit", "list", "--limit", "100").contains("名额 70"))
        for list in ["site", "programme", "resource", "session"] { _ = try await table(village, "tour", list, "list") }
        _ = try await table(village, "tour", "programme", "show", "采摘")
        _ = try await table(village, "tour", "site", "show", "园")
        _ = try await table(village, "booking", "list")
        #expect(try await table(village, "batch", "show", number).contains("瑞蟠21号"))
        let english = try await village.run("booking", "show", first).output
        #expect(english.contains("checked in") && english.contains("1,504.00 yuan, by 微信") && !english.contains(" fen"))
    }

    /// Every action that any room records has its words.
    @Test func `no action of the audit is without a Chinese name`() throws {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)
        let swift = (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
        let names = try #require(swift.first { $0.lastPathComponent == "Recorded.swift" })
        let known = try String(contentsOf: names, encoding: .utf8)
        var recorded: Set<String> = []
        for file in swift where file != names {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: /Event\(\s*(?:\w+ (?:\?|== nil \?) )?"([a-z.-]+)"(?: : "([a-z.-]+)")?/) {
                recorded.insert(String(match.1))
                if let other = match.2 { recorded.insert(String(other)) }
            }
        }
        #expect(recorded.count > 30)
        for action in recorded where !action.hasPrefix("booking.") {
            #expect(known.contains("\"\(action)\": "), "\(action)")
        }
    }
}
