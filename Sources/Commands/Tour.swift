import ArgumentParser
import Backend
import Foundation
import Kernel
import Tours

struct TourCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour", abstract: words("研学：基地、课程与场次。", "Study tours: where they go, what they offer, and when."),
        subcommands: [
            TourSiteCommand.self, TourProgrammeCommand.self, TourResourceCommand.self, TourSessionCommand.self,
            Calendar.self,
        ])

    struct Calendar: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: words(
                "把全村的场次（或其中一场）写成日历文件（.ics）。", "Writes the village's sessions, or one of them, as a calendar (.ics)."),
            discussion: """
                taoyuan tour calendar --output 研学.ics
                taoyuan tour calendar --session 12
                """)

        @OptionGroup var options: SharedOptions
        @Option(help: .words("只要这一场。", "Only this session.")) var session: Int64?
        @Option(help: .words("写入这个文件，而不是标准输出。", "Write to this file rather than to standard output.")) var output:
            String?

        func validate() throws {
            guard !options.json else {
                throw ValidationError(words("日历不是 JSON：请去掉 --json。", "A calendar is no JSON: leave --json out."))
            }
        }

        func run() async throws {
            let text = try await options.withBackend { backend in
                let store = CalendarStore(
                    backend.database, village: backend.village.id, origin: backend.village.origin)
                let events: [CalendarEvent]
                if let session {
                    events = [try await store.event(of: session)]
                } else {
                    events = try await store.feed(today: backend.clock.today)
                }
                return TourCalendar.text(events, village: backend.village.name, .ofThisRun)
            }
            try Files.deliver(text, to: output)
        }
    }
}
