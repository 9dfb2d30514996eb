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
            "签到入场，分批来的逐批累计；计入时退出码为 0，超出预约人数或被拒时为 1。离线签到记录里读不懂的行会指明，不影响这一次签到（sync 时退出码为 1）。",
            "Lets a group in, whose parts add up; exit status 0 when it is counted, 1 when more come than have booked or "
                + "it is refused. A damaged line of the journal is named and keeps nobody out; sync ends with 1 for it."
        ),
        discussion: """
            taoyuan booking check-in ABCD-EFGH-IJKL --headcount 38
            taoyuan booking check-in https://trace.example.cn/DCFDC… --headcount 38 --offline 2025-08-21.json
            """)

    @OptionGroup var options: SharedOptions
    @Argument(
        help: .words("凭证的文字或网址，或预约编号、预约号。", "The ticket's text or address, or the booking's number or reference."))
    var code: String
    @Option(help: .words("这一批实到人数。", "Heads that came, of this part of the group.")) var headcount: Int
    @Flag(help: .words("同团又来了人，超出预约人数也计入。", "More of the same group have come, beyond what was booked.")) var more =
        false
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
        let nonce = nonce ?? CheckInEntry.freshNonce()
        @Sendable func entry(_ now: Date) -> CheckInEntry {
            CheckInEntry(
                // Whole seconds, as the journal keeps them.
                code: code, headcount: headcount, nonce: nonce,
                at: Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down)), session: session,
                anyDay: anyDay, more: more)
        }
        let answer: CheckInAnswer
        if let offline {
            let gate = try OfflineGate(GateList(json: Files.bytes(offline, limit: 50_000_000)))
            let admitted = try JournalFile(journal ?? offline + ".journal.jsonl").admit(entry(Date()), at: gate)
            answer = admitted.answer
            for damage in admitted.damage { Terminal.say(damage.refusal.sentence(in: options.language)) }
        } else {
            let (recorded, clock) = try await options.withBackend { backend in
                let clock = try await GateClock(shows: backend.clock.now(), backend.database, backend.local.scope)
                let recorded = try await CheckInStore(backend.database, keys: backend.keys).record(
                    entry(clock.register), now: clock.register, backend.local.scope)
                return (recorded, clock)
            }
            answer = recorded
            if let warning = clock.warning { Terminal.say(warning[options.language]) }
        }
        try options.show(
            Shapes.gateAnswer(.ofThisRun).json(.init(.answered(answer), nonce: nonce)),
            Terminal.mark(answer.sentence, good: answer.outcome == .counted) + "\n"
                + Table(Shapes.checkIn(.ofThisRun), of: answer).text)
        for warning in answer.warnings { Terminal.say(warning.message[options.language]) }
        guard answer.outcome == .counted else { throw ExitCode.failure }
    }
}

extension CheckInAnswer {
    fileprivate var sentence: String {
        switch (outcome, earlier) {
        case (.counted, _): return words("签到：\(headcount) 人", "Let in: \(headcount) people")
        case (.twice, let earlier?):
            let who = Recorded.ofThisRun.actor(earlier.actor)
            return words(
                "已经签到过：\(earlier.at.minute)，\(earlier.headcount) 人（\(who)）；这次没有计入，待接待处处理；同团确实还有人来时请加 --more",
                "Checked in before: \(earlier.at.minute), \(earlier.headcount) people (\(who)); not counted, and kept "
                    + "for the tour desk; if more of the group have come, give --more")
        default:
            let label = why?.label[.ofThisRun] ?? ""
            return words("没有计入，待接待处处理：\(label)", "Not counted, and kept for the tour desk: \(label)")
        }
    }
}
