import Foundation
import Testing

/// The committee's reports on the command line.
@Suite struct ReportStories {
    @Test func `a livelihood section is drawn up, written to files and shown again`() async throws {
        let village = try await Village.founded()
        try await village.importSamples()
        let drawn = try await village.json("report", "livelihood", "--year", "2025")
        let id = try #require(drawn["report"] as? Int)
        let core = try #require(drawn["core"] as? [String: Any])
        let sales = try #require(core["sales"] as? [String: Any])
        #expect((sales["this"] as? [String: Int])?["fen"] == 151_179_600 && sales["growthPermille"] as? Int == 161)

        // Chinese even where the program talks English, unless English is asked for.
        let markdown = try await village.run("report", "livelihood", "--year", "2025")
        #expect(markdown.status == 0 && markdown.output.hasPrefix("# 韩村2025年民生篇"), "\(markdown.errors)")
        #expect(markdown.output.contains("第\(id)号") && markdown.output.contains("1,511,796.00"))
        let english = try await village.run("report", "livelihood", "--id", "\(id)", "--lang", "en")
        #expect(english.output.hasPrefix("# 韩村: livelihood report 2025"))

        let file = village.file("2025.html")
        let written = try await village.run(
            "report", "livelihood", "--id", "\(id)", "--format", "html", "--output", file)
        #expect(written.status == 0 && written.output.isEmpty && written.errors.contains("2025.html"))
        #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("<!doctype html>"))

        try await village.run(
            "income", "enter", "--source", "rent", "--memo", "x", "--amount", "5", "--day", "2025-12-31")
        let later = try await village.json("report", "livelihood", "--year", "2025")
        let newer = try #require(later["report"] as? Int)
        #expect(newer > id)
        let again = try await village.run("report", "livelihood", "--id", "\(id)", "--format", "json")
        #expect(try NSDictionary(dictionary: again.json()) == NSDictionary(dictionary: drawn))
        let listed = try await village.run("report", "list", "--json").json(as: [[String: Any]].self)
        #expect(listed.map { $0["report"] as? Int } == [newer, id])
        #expect(try await village.run("report", "list").output.contains("2025-12-31"))
    }

    @Test func `what can't be reported is refused, and wrong usage told`() async throws {
        let village = try await Village.founded()
        #expect(try await village.run("report", "list").errors.contains("nothing to show"))
        for (words, status) in [
            (["--year", "2999"], 1), (["--id", "7"], 1), ([], 64), (["--year", "2025", "--id", "1"], 64),
            (["--year", "2025", "--format", "docx"], 64), (["--year", "2025", "--json", "--format", "html"], 64),
            (["--year", "2025", "--output", "/nowhere/x.md"], 1),
        ] as [([String], Int32)] {
            let outcome = try await village.run(["report", "livelihood"] + words)
            #expect(outcome.status == status, "\(words): \(outcome.errors)")
            #expect(outcome.output.isEmpty && !outcome.errors.isEmpty)
        }
    }
}
