import Foundation
import Testing

/// The till and the day on which a session can't take place.
@Suite struct MoneyStories {
    private func day(_ offset: Int) -> String {
        let shanghai = Date(timeIntervalSinceNow: Double(offset * 86_400 + 8 * 3600))
        return String(shanghai.ISO8601Format().prefix(10))
    }

    /// A village with a session at 100 yuan a head.
    private func village() async throws -> (Village, session: String) {
        let village = try await Village.founded()
        try await village.run("tour", "site", "add", "蟠桃采摘园", "--kind", "orchard")
        try await village.run(
            "tour", "programme", "add", "蟠桃采摘", "--minutes", "120", "--price", "100", "--late-fee", "30")
        let planned = try await village.json(
            "tour", "session", "add", "--site", "蟠桃采摘园", "--programme", "蟠桃采摘", "--time", "09:00", "--capacity", "90",
            "--day", day(20))
        let session = try #require((planned["sessions"] as? [[String: Any]])?.first?["session"] as? Int)
        return (village, "\(session)")
    }

    private func book(_ village: Village, _ session: String) async throws -> String {
        let booking = try await village.json(
            "booking", "request", "--session", session, "--unit", "区委党校", "--kind", "党校", "--headcount", "30",
            "--leader", "韩老师", "--phone", "13812345678", "--state", "confirmed", "--again")
        return "\(try #require(booking["booking"] as? Int))"
    }

    private func fen(_ object: [String: Any], _ name: String) -> Int? { (object[name] as? [String: Int])?["fen"] }

    @Test func `what a cancelled group had paid is due, in the lists and in the till's book`() async throws {
        let (village, session) = try await village()
        let first = try await book(village, session)
        let second = try await book(village, session)
        try await village.run("booking", "pay", first, "--amount", "3000", "--how", "微信")
        try await village.run("booking", "pay", second, "--amount", "2000", "--how", "现金")
        let cancelled = try await village.json("booking", "cancel", first)
        #expect(fen(cancelled, "refundDue") == 300_000 && cancelled["money"] as? String == "due")
        let due = try await village.run("booking", "list", "--money", "due", "--lang", "zh")
        #expect(due.output.contains("3,000.00") && due.output.contains("待退款"))
        let story = try await village.run("booking", "show", first)
        #expect(story.output.contains("refund due 3,000.00\n"))
        let todo = try await village.run("booking", "todo", "--json")
        #expect(todo.output.contains(#""task":"refund""#))
        #expect(try await village.run("booking", "todo", "--lang", "zh").output.contains("待退款"))

        let shown = try await village.json("booking", "show", second)
        let payment = try #require((shown["payments"] as? [[String: Any]])?.first?["payment"] as? Int)
        let reverse = ["booking", "payment-reverse", "--booking", second, "--payment", "\(payment)", "--reason", "记错"]
        #expect(try await village.run(reverse).status == 0)
        let twice = try await village.run(reverse + ["--lang", "zh"])
        #expect(twice.status == 1 && twice.errors.contains("已经撤销"))
        let adjusted = try await village.json(
            "booking", "adjust", second, "--amount", "-136", "--reason", "少来两人")
        #expect(fen(adjusted, "adjusted") == -13_600 && fen(adjusted, "open") == 300_000 - 13_600)

        let book = try await village.json("payment", "list", "--from", day(0), "--to", day(0))
        #expect((book["rows"] as? [[String: Any]])?.count == 3 && fen(book, "total") == 300_000)
        let csv = try await village.run("payment", "list", "--format", "csv", "--lang", "zh")
        #expect(csv.output.contains("-2000.00") && csv.output.contains("记错"))
        let table = try await village.run("payment", "list", "--how", "现金", "--lang", "zh")
        #expect(table.output.contains("撤销 \(payment)") && table.output.contains("合计"))
    }

    @Test func `a session moves and is cancelled with its bookings`() async throws {
        let (village, session) = try await village()
        let booking = try await book(village, session)
        try await village.run("booking", "pay", booking, "--amount", "500", "--how", "微信")
        let moved = try await village.json(
            "tour", "session", "move", session, "--day", day(25), "--time", "10:00", "--reason", "台风")
        #expect((moved["session"] as? [String: Any])?["day"] as? String == day(25))
        #expect((moved["bookings"] as? [[String: Any]])?.count == 1)
        let alone = try await village.run("tour", "session", "cancel", session, "--lang", "zh")
        #expect(alone.status == 1 && alone.errors.contains("--with-bookings"))
        #expect(try await village.run("tour", "session", "cancel", session, "--with-bookings").status == 64)
        let upset = try await village.run(
            "tour", "session", "cancel", session, "--with-bookings", "--reason", "台风", "--lang", "zh")
        #expect(upset.output.contains("500.00") && upset.output.contains("13812345678"))
        let shown = try await village.json("booking", "show", booking)
        #expect((shown["booking"] as? [String: Any])?["state"] as? String == "cancelled")
        #expect(try await village.run("message", "list").output.contains("cancelled"))
        let list = try await village.run("booking", "list", "--from", day(20), "--to", day(24), "--json")
        #expect(list.output == "[]\n")
    }
}
