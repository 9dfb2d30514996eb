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
            zip(contents.entries, results).map { SyncedLine.entry($0, $1) } + contents.damage.map(SyncedLine.damaged),
            json: \.json,
            [
                .left("时刻", "at"), .left("码", "code"), .right("人数", "people"), .left("结果", "result"),
                .left("说明", "remark"),
            ],
            row: \.cells)
        if let warning = clock.warning { Terminal.say(warning[options.language]) }
        guard contents.damage.isEmpty, results.allSatisfy(\.isSettled) else { throw ExitCode.failure }
    }
}

private enum SyncedLine {
    case entry(CheckInEntry, CheckInResult)
    case damaged(GateJournal.Damage)

    var json: JSON {
        switch self {
        case .damaged(let damage):
            return ["line": JSON(damage.line), "result": "damaged", "reason": Self.reason(damage.refusal)]
        case .entry(let entry, let result):
            let head = [JSON.Member("nonce", .string(entry.nonce)), JSON.Member("result", .string(result.word))]
            switch result {
            case .refused(let refusal): return .object(head + [JSON.Member("reason", Self.reason(refusal))])
            case .answered(let answer):
                guard case .object(let members) = answer.json(nonce: entry.nonce) else { return .object(head) }
                return .object(head + members.filter { !["nonce", "result"].contains($0.key) })
            }
        }
    }

    private static func reason(_ refusal: Refusal) -> JSON {
        [
            "code": .string(refusal.code), "field": JSON(refusal.field),
            "message": .string(refusal.message[.ofThisRun]),
        ]
    }

    var cells: [String?] {
        switch self {
        case .damaged(let damage):
            [
                nil, words("第 \(damage.line) 行", "line \(damage.line)"), nil, words("读不懂", "damaged"),
                damage.refusal.message[.ofThisRun],
            ]
        case .entry(let entry, let result):
            [
                entry.at.minute, String(entry.code.suffix(14)), "\(entry.headcount)", Self.word(result),
                Self.remark(result),
            ]
        }
    }

    private static func word(_ result: CheckInResult) -> String {
        switch result.word {
        case "counted": words("计入", "counted")
        case "repeated": words("早已并入", "there already")
        case "twice": words("重复", "twice")
        case "conflict": words("待处理", "conflict")
        default: words("拒绝", "refused")
        }
    }

    private static func remark(_ result: CheckInResult) -> String {
        switch result {
        case .refused(let refusal): return refusal.message[.ofThisRun]
        case .answered(let answer):
            var parts = [answer.unit ?? "\(answer.booking)"]
            if let why = answer.why {
                let number = answer.number.map { " \($0)" } ?? ""
                parts.append(words("待处理\(number)：", "to be settled\(number): ") + why.label[.ofThisRun])
            }
            if let earlier = answer.earlier {
                parts.append(
                    words("先前 ", "before: ") + "\(earlier.at.minute) \(Recorded.ofThisRun.actor(earlier.actor))")
            }
            parts += answer.warnings.map { $0.message[.ofThisRun] }
            return parts.joined(separator: words("，", ", "))
        }
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
        if options.json {
            let conflicts = JSON.array(sheet.conflicts.map(\.json))
            return try options.show(Shapes.daySheet(options.language).json(sheet).adding("conflicts", conflicts), "")
        }
        let bytes =
            switch format {
            case .csv: sheet.csv(options.language)
            case .html:
                Array(try PrintedPages.daySheet(sheet, village: village, language: options.language).utf8)
            }
        try Files.deliver(bytes, to: output)
    }
}
