import ArgumentParser
import Backend
import Database
import Documents
import Kernel

struct BooksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "books",
        abstract: words("结账：某一天及以前的账不再变动。", "Closing the books: what is dated through a day stays as it is."),
        subcommands: [Close.self, Show.self])

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "把账结到某一天：那天及以前不能再登记、更正或导入；以后的更正记在结账日之后。",
                "Closes the books through a day: nothing is recorded, corrected or imported into it any more."),
            discussion: "taoyuan books close --through 2025-12-31")

        @OptionGroup var options: SharedOptions
        @Option(help: .words("结到哪一天（含）。", "The last day that is closed."), transform: reading(CivilDay.init(_:)))
        var through: CivilDay

        func run() async throws {
            try await options.withBackend { backend in
                _ = try await backend.database.change(
                    backend.local.scope, ClosedBooks.close(through: through, today: backend.clock.today))
            }
            try options.done(
                Shapes.closedThrough.json(through), "账已结到 \(through)", "the books are closed through \(through)")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words("显示账结到哪一天。", "Shows through which day the books are closed."),
            discussion: "taoyuan books show")

        @OptionGroup var options: SharedOptions

        func run() async throws {
            let closings = try await options.withBackend { backend in
                try await ClosedBooks.closings(backend.database, backend.local.scope)
            }
            if closings.isEmpty, !options.json { return Terminal.say(words("还没有结过账", "the books were never closed")) }
            try options.show(Shapes.closings.json(closings), Table(Shapes.closing, closings).text)
        }
    }
}
