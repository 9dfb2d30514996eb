import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel
import Tours

struct BookingGateListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate-list",
        abstract: words(
            "把一天的预约和凭证公钥写入文件，供不联网的入口使用。",
            "Writes a day's bookings and the keys of their tickets to a file, for a gate without the register."),
        discussion: "taoyuan booking gate-list --day 2025-08-21 --output 2025-08-21.json")

    @OptionGroup var options: SharedOptions
    @Option(help: .words("日期（默认今天）。", "The day (default: today)."), transform: reading(CivilDay.init(_:))) var day:
        CivilDay?
    @Option(help: .words("写入的文件（默认标准输出）。", "The file to write to (default: standard output).")) var output: String?

    func run() async throws {
        let (list, clock) = try await options.withBackend { backend in
            let clock = try await GateClock(shows: backend.clock.now(), backend.database, backend.local.scope)
            let list = try await GateListStore(backend.database, keys: backend.keys).list(
                day: day ?? CivilDay(of: clock.register), now: clock.register, backend.local.scope)
            return (list, clock)
        }
        try Files.deliver(try list.json, to: output)
        if let warning = clock.warning { Terminal.say(warning[options.language]) }
        guard let output else { return }
        try options.done(
            ["day": .string(list.day), "bookings": JSON(list.bookings.count), "output": .string(output)],
            "\(list.day) 的 \(list.bookings.count) 个预约已写入 \(output)",
            list.bookings.count == 1
                ? "1 booking of \(list.day) is in \(output)"
                : "\(list.bookings.count) bookings of \(list.day) are in \(output)")
    }
}

struct BookingSyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: words(
            "把离线签到记录并入登记；重复执行无妨。只要有一条被拒、读不懂或还待处理，退出码就为 1。",
            "Brings an offline gate's journal into the register; doing it again is harmless. Exit status 1 as long as "
                + "an entry is refused, can't be read, or is for the tour desk to settle."),
        discussion: "taoyuan booking sync 2025-08-21.json.journal.jsonl")

    @OptionGroup var options: SharedOptions
    @Argument(help: .words("签到记录文件。", "The journal.")) var journal: String

    func run() async throws {
        let contents = GateJournal.read(try Files.bytes(journal, limit: 50_000_000))
        let (results, clock) = try await options.withBackend { backend in
            let clock = try await GateClock(shows: backend.clock.now(), backend.database, backend.local.scope)
            let results = try await CheckInStore(backend.database, keys: backend.keys).bringIn(
                contents.entries, now: clock.register, backend.local.scope)
            return (results, clock)
        }
        try options.show(
            zip(contents.entries, results).map { Shapes.GateAnswer($1, nonce: $0.nonce, entry: $0) }
                + contents.damage.map(Shapes.GateAnswer.init),
            Shapes.journalLine(.ofThisRun))
        if let warning = clock.warning { Terminal.say(warning[options.language]) }
        guard contents.damage.isEmpty, results.allSatisfy(\.isSettled) else { throw ExitCode.failure }
    }
}

struct BookingDaySheetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "day-sheet",
        abstract: words(
            "写出一天的场次和来访团队，供打印或作表格。", "Writes a day's sessions and who comes to them, to print or as a table."),
        discussion: "taoyuan booking day-sheet --day 2025-08-21 --format html --output 2025-08-21.html")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case html, csv
    }

    @OptionGroup var options: SharedOptions
    @Option(help: .words("日期（默认今天）。", "The day (default: today)."), transform: reading(CivilDay.init(_:))) var day:
        CivilDay?
    @Option(help: .words("html 供打印，csv 供电子表格。", "A page to print, or a table for a spreadsheet.")) var format = Format
        .html
    @Option(help: .words("写入的文件（默认标准输出）。", "The file to write to (default: standard output).")) var output: String?

    func validate() throws {
        guard !options.json || output == nil else {
            throw ValidationError(words("--json 写到标准输出，不能与 --output 同用。", "--json goes to standard output."))
        }
    }

    func run() async throws {
        let (sheet, village) = try await options.withBackend { backend in
            let sheet = try await DaySheetStore(backend.database).sheet(
                day: day ?? backend.clock.today, backend.local.scope)
            return (sheet, backend.village)
        }
        if options.json { return try options.show(Shapes.daySheet(options.language).json(sheet), "") }
        let bytes =
            switch format {
            case .csv: sheet.csv(options.language)
            case .html:
                Array(try PrintedPages.daySheet(sheet, village: village, language: options.language).utf8)
            }
        try Files.deliver(bytes, to: output)
    }
}
