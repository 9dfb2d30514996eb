import Foundation
import Testing

/// The README's main job is what it says: each of its lines is typed as it stands, in an empty folder.
@Suite struct ReadmeStories {
    private static let readme =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "README.md")

    /// The indented lines of a section.
    private func lines(of section: String) throws -> [String] {
        let text = try String(contentsOf: Self.readme, encoding: .utf8)
        let body = try #require(text.components(separatedBy: "\n## \(section)\n").dropFirst().first)
        return body.components(separatedBy: "\n## ")[0].split(separator: "\n")
            .filter { $0.hasPrefix("    taoyuan ") }.map { String($0.dropFirst(4)) }
    }

    @Test func `the main job can be typed, and so can the corrections`() async throws {
        let village = try Village()
        let path = URL(filePath: Village.program).deletingLastPathComponent().path
        let typed = try lines(of: "The main job") + lines(of: "Putting things right")
        #expect(typed.count > 25)
        for line in typed where !line.hasPrefix("taoyuan serve") {
            let variables = ProcessInfo.processInfo.environment.filter {
                !$0.key.hasPrefix("TAOYUAN_") && !$0.key.hasPrefix("DATABASE_URL")
            }
            let running = try Running(
                "/bin/sh", ["-ec", line], input: "Pfirsich und Süßkartoffel\n",
                environment: variables.merging(["PATH": "\(path):\(variables["PATH"] ?? "")", "LANG": "en_US.UTF-8"]) {
                    $1
                },
                folder: village.folder)
            let outcome = try await running.finish()
            #expect(outcome.status == 0, "\(line): \(outcome.errors)")
        }
        let page = try String(contentsOfFile: village.file("COLUMNS.md"), encoding: .utf8)
        #expect(page.contains("| 地块号 | 地块 | yes | D01 |"))
        #expect(FileManager.default.fileExists(atPath: village.file("2025.html")))
    }

    @Test func `samples are written over nothing`() async throws {
        let village = try Village()
        let first = try await village.run("sample", "new/folder")
        #expect(first.status == 0 && first.output.contains("new/folder/bookings.csv"), "\(first.errors)")
        let again = try await village.run("sample", "new/folder")
        #expect(again.status == 1 && again.errors.contains("not overwritten"))
    }
}
