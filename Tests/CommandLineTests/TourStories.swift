import Foundation
import Testing

/// The tour desk at the command line.
@Suite struct TourStories {
    private func day(_ offset: Int) -> String {
        let shanghai = Date(timeIntervalSinceNow: Double(offset * 86_400 + 8 * 3600))
        return String(shanghai.ISO8601Format().prefix(10))
    }

    @Test func `a season of sessions is planned, changed and ended`() async throws {
        let village = try await Village.founded()
        let site = try await village.json("tour", "site", "add", "蟠桃采摘园", "--kind", "orchard", "--opens", "8:30")
        #expect(site["opens"] as? String == "08:30" && site["kind"] as? String == "orchard")
        _ = try await village.json(
            "tour", "programme", "add", "蟠桃采摘", "--minutes", "120", "--price", "68", "--late-fee", "30")
        let programme = try await village.json(
            "tour", "programme", "extra", "蟠桃采摘", "--kind", "用餐", "--name", "农家午餐", "--price", "35")
        #expect((programme["extras"] as? [[String: Any]])?.first?["name"] as? String == "农家午餐")
        _ = try await village.json("tour", "resource", "add", "张导", "--kind", "guide")
        _ = try await village.json("tour", "site", "close", "蟠桃采摘园", "--day", day(4), "--reason", "修剪")

        let add = [
            "tour", "session", "add", "--site", "蟠桃采摘园", "--programme", "蟠桃采摘", "--time", "09:00", "--capacity", "30",
            "--resource", "张导", "--day", day(3),
        ]
        let planned = try await village.run(add + ["--until", day(5), "--lang", "zh", "--json"])
        #expect(planned.status == 0 && planned.errors.contains("修剪"))
        let sessions = try #require(try planned.json()["sessions"] as? [[String: Any]])
        #expect(sessions.map { $0["day"] as? String } == [day(3), day(5)])
        let number = "\(try #require(sessions[0]["session"] as? Int))"
        let twice = try await village.run(add)
        #expect(twice.status == 1 && twice.errors.contains(number))

        let changed = try await village.json("tour", "session", "change", number, "--capacity", "12", "--no-resources")
        #expect(changed["capacity"] as? Int == 12 && (changed["resources"] as? [Any])?.isEmpty == true)
        for (step, state) in [("close", "closed"), ("reopen", "open"), ("cancel", "cancelled")] {
            #expect(try await village.json("tour", "session", step, number)["state"] as? String == state)
        }
        #expect(try await village.run("tour", "session", "close", number).status == 1)
        let table = try await village.run("tour", "session", "list", "--lang", "zh")
        #expect(table.output.contains("已取消") && table.output.contains("张导"))

        let file = village.file("tours.ics")
        #expect(try await village.run("tour", "calendar", "--output", file).status == 0)
        let calendar = try String(contentsOfFile: file, encoding: .utf8)
        #expect(calendar.contains("STATUS:CANCELLED\r\n") && calendar.contains("STATUS:CONFIRMED\r\n"))
    }

    @Test(arguments: [
        ["site", "add", "园"], ["site", "add", "园", "--kind", "教堂"],
        ["site", "add", "园", "--kind", "base", "--opens", "25:00"],
        ["site", "change", "园"], ["site", "close", "园", "--day", "2026-02-30", "--reason", "x"],
        ["programme", "add", "课", "--minutes", "九十", "--price", "1"], ["programme", "change", "课"],
        ["resource", "change", "张导"], ["session", "add"], ["session", "change", "1"], ["session", "close"],
        [
            "session", "add", "--site", "园", "--programme", "课", "--day", "2026-12-05", "--time", "9:00", "--capacity",
            "3",
            "--weekdays", "6",
        ],
        ["calendar", "--json"], ["nonesuch"],
    ])
    func `wrong usage is told before anything is opened`(arguments: [String]) async throws {
        let village = try Village()
        let outcome = try await village.run(["tour"] + arguments)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.output.isEmpty && !outcome.errors.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: village.file("data")))
    }

    @Test func `what is not there is refused`() async throws {
        let village = try await Village.founded()
        for arguments in [
            ["site", "show", "园"], ["programme", "show", "课"], ["resource", "change", "张导", "--rename", "李导"],
            ["session", "show", "7"], ["session", "cancel", "7"], ["calendar", "--session", "7"],
            ["programme", "remove-extra", "课", "--name", "饭"], ["site", "open", "园", "--day", "2026-12-05"],
            ["session", "list", "--from", "2026-12-05", "--to", "2026-12-04"],
            ["programme", "add", "课", "--minutes", "9", "--price", "1"],
        ] {
            let outcome = try await village.run(["tour"] + arguments)
            #expect(outcome.status == 1, "\(arguments): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
    }
}
