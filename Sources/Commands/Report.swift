import ArgumentParser
import Backend
import Documents
import Kernel
import Livelihood

extension LivelihoodFormat: ExpressibleByArgument {}

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: words("村委会的报告：生成，或再次显示。", "The committee's reports: drawing them up, and showing them again."),
        subcommands: [LivelihoodSection.self, List.self])

    struct LivelihoodSection: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "livelihood",
            abstract: words("生成一年的民生篇，或再次显示已有的。", "Draws up the livelihood section of a year, or shows one again."),
            discussion: """
                taoyuan report livelihood --year 2025 --format html --output 2025.html
                taoyuan report livelihood --id 3


                """
                    + words(
                        "除非用 --lang 指定，报告用中文。报告连同编号保存；与当年最新一份数字相同时不另存。",
                        "The report is Chinese unless --lang asks for another language. It is kept with its number, unless "
                            + "the newest one of that year has the same figures."))

        @OptionGroup var options: SharedOptions
        @Option(help: .words("年份。", "The year.")) var year: Int?
        @Option(help: .words("以前生成的报告的编号。", "The number of a report that was drawn up before.")) var id: Int64?
        @Option(help: .words("写成什么格式（默认 markdown）。", "The form in which it is written (default: markdown)."))
        var format: LivelihoodFormat?
        @Option(help: .words("写入的文件（默认标准输出）。", "The file to write it to (default: standard output).")) var output:
            String?

        func validate() throws {
            guard (year == nil) != (id == nil) else {
                throw ValidationError(words("请给出 --year 或 --id 其中一个。", "Give --year or --id."))
            }
            guard !options.json || format == nil || format == .json else {
                throw ValidationError(
                    words("--json 就是 --format json：只能给一个。", "--json is --format json: give one of them."))
            }
        }

        func run() async throws {
            let report = try await options.withBackend { backend in
                let store = LivelihoodStore(backend.database)
                if let id { return try await store.show(id, backend.local.scope) }
                return try await store.drawUp(year: year ?? 0, clock: backend.clock, backend.local.scope)
            }
            let form = format ?? (options.json ? .json : .markdown)
            var bytes = try form.render(report, Arguments.ofThisRun.language ?? .chinese)
            if form == .json { bytes += Array("\n".utf8) }
            try Files.deliver(bytes, to: output)
            if let output {
                Terminal.say(
                    words("第 \(report.id) 号民生篇已写入 \(output)", "report no. \(report.id) was written to \(output)"))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("列出生成过的报告，最新的在前。", "Lists the reports that were drawn up, newest first."),
            discussion: "taoyuan report list --limit 20")

        @OptionGroup var options: SharedOptions
        @OptionGroup var page: PageOptions

        func run() async throws {
            let reports = try await options.withBackend { backend in
                try await page.first {
                    try await LivelihoodStore(backend.database).list(backend.local.scope, limit: $0)
                }
            }
            try options.show(reports, Shapes.reportEntry)
        }
    }
}
