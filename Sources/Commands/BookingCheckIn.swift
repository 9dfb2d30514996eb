import ArgumentParser
import Backend
import Documents
import Foundation
import Kernel
import Tours

struct BookingCheckInCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-in",
        abstract: words(
            "签到入场；计入时退出码为 0，先前已签到或被拒时为 1。",
            "Lets a group in; exit status 0 when it is counted, 1 when it came before or is refused."),
        discussion: """
            taoyuan booking check-in ABCD-EFGH-IJKL --headcount 38
            taoyuan booking check-in https://trace.example.cn/DCFDC… --headcount 38 --offline 2025-08-21.json
            """)

    @OptionGroup var options: SharedOptions
    @Argument(help: .words("凭证的文字或网址，或预约号。", "The ticket's text or address, or the booking's reference.")) var code:
        String
    @Option(help: .words("实到人数。", "Heads that came.")) var headcount: Int
    @Option(help: .words("当天有几个场次时，指明是哪一场。", "Of several sessions on the day, the number of this one.")) var session:
        Int64?
    @Flag(help: .words("不在预约那一天也让入场。", "Let them in on another day than the booking's.")) var anyDay = false
    @Option(help: .words("使重复的签到只算一次（默认新生成一个）。", "Makes repetitions of this check-in one (default: a fresh one)."))
    var nonce: String?
    @Option(
        help: .words(
            "不查登记，只凭这份名单（由 taoyuan booking gate-list 写出）和签到记录。",
            "Ask no register: go by this list (of taoyuan booking gate-list) and the journal.", value: "list"))
    var offline: String?
    @Option(
        help: .words(
            "离线签到的记录文件（默认在名单旁边）。", "Where the offline gate keeps whom it let in (default: beside the list).",
            value: "file"))
    var journal: String?

    func validate() throws {
        guard journal == nil || offline != nil else {
            throw ValidationError(words("--journal 须与 --offline 同用。", "--journal goes with --offline."))
        }
    }

    func run() async throws {
        // Whole seconds, as the journal keeps them.
        let now = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
        let entry = CheckInEntry(
            code: code, headcount: headcount, nonce: nonce ?? CheckInEntry.freshNonce(), at: now, session: session,
            anyDay: anyDay)
        let answer: CheckInAnswer
        if let offline {
            let gate = try OfflineGate(GateList(json: Files.bytes(offline, limit: 50_000_000)))
            answer = try JournalFile(journal ?? offline + ".journal.jsonl").admit(entry, at: gate)
        } else {
            answer = try await options.withBackend { backend in
                try await CheckInStore(backend.database, keys: backend.keys).record(
                    entry, now: backend.clock.now(), backend.local.scope)
            }
        }
        try options.show(answer.json(nonce: entry.nonce), answer.text)
        guard answer.outcome == .counted else { throw ExitCode.failure }
    }
}

extension CheckInAnswer {
    func json(nonce: String) -> JSON {
        [
            "result": .string(outcome.rawValue), "nonce": .string(nonce), "booking": .integer(booking),
            "reference": .string(reference.description), "unit": .string(unit), "session": .integer(session),
            "day": JSON(day), "site": .string(site), "programme": .string(programme), "expected": JSON(expected),
            "headcount": JSON(headcount), "at": JSON(at),
            "earlier": earlier.map { earlier in
                [
                    "at": JSON(earlier.at), "headcount": JSON(earlier.headcount), "actor": .string(earlier.actor),
                    "offline": .bool(earlier.offline),
                ]
            } ?? .null,
        ]
    }

    var text: String {
        let sentence =
            switch earlier {
            case nil: Terminal.mark(words("签到：\(headcount) 人", "Let in: \(headcount) people"), good: true)
            case let earlier?:
                Terminal.mark(
                    words(
                        "已经签到过：\(earlier.at.minute)，\(earlier.headcount) 人（\(Recorded.actor(earlier.actor))）",
                        "Checked in before: \(earlier.at.minute), \(earlier.headcount) people (\(earlier.actor))"),
                    good: false)
            }
        let facts: [(name: String, value: String?)] = [
            (words("预约编号", "booking"), "\(booking)"), (words("单位", "group"), unit),
            (words("预约人数", "booked"), "\(expected)"), (words("场次", "session"), "\(day) \(site) · \(programme)"),
        ]
        return sentence + "\n" + Table(facts: facts).text
    }
}
